"""`triaged evaluate --html`: an evaluation as one page, drawn without scripts."""

from importlib import resources
from typing import Final

from triaged.classify.evaluate import Evaluation

_MATRIX_TOPICS: Final = 15


def page(found: Evaluation) -> str:
    """Return the page."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    template = (resources.files("triaged") / "templates" / "evaluation.html").read_text(encoding="utf-8")
    worst_risk = max((risk for _, risk in found.risk_coverage), default=0.0) or 1.0
    topics = _most_confused(found)
    errors = {(label, guess): n for label, guess, n in found.confusions}
    return (
        SandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
        .from_string(template)
        .render(
            found=found,
            percent=_percent,
            point=_point,
            reliability=" ".join(f"{_point(mean)},{_point(1 - share)}" for mean, share, _ in found.reliability),
            coverage=" ".join(f"{_point(share)},{_point(1 - risk / worst_risk)}" for share, risk in found.risk_coverage),
            worst_risk=worst_risk,
            matrix_topics=topics,
            matrix=[(label, _row(found, errors, label, topics)) for label in topics],
        )
    )


def _most_confused(found: Evaluation) -> list[str]:
    times: dict[str, int] = {}
    for label, guess, n in found.confusions:
        times[label] = times.get(label, 0) + n
        times[guess] = times.get(guess, 0) + n
    return sorted(sorted(times, key=lambda name: (-times[name], name))[:_MATRIX_TOPICS])


def _row(
    found: Evaluation, errors: dict[tuple[str, str], int], label: str, guesses: list[str]
) -> list[tuple[int, float, bool]]:
    """Return a label's cells: how many texts, how dark, and whether the guess is right."""
    of = found.topics[label].of if label in found.topics else 0
    cells = [(_cell(found, errors, label, guess), label == guess) for guess in guesses]
    return [(n, round(0.7 * n / max(1, of), 2), right) for n, right in cells]


def _cell(found: Evaluation, errors: dict[tuple[str, str], int], label: str, guess: str) -> int:
    if label == guess:
        return found.topics[label].right if label in found.topics else 0
    return errors.get((label, guess), 0)


def _percent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %")


def _point(share: float) -> str:
    return f"{100 * share:.1f}"
