"""The registry of hand-off kinds. A new kind is one file and one line here."""

from importlib import import_module
from typing import Final

from triaged.route.handoff import Handoff, Means

KINDS: Final = {
    "forward": "triaged.route.forward:open_handoff",
    "acknowledge": "triaged.route.acknowledge:open_handoff",
    "move": "triaged.route.move:open_handoff",
    "label": "triaged.route.label:open_handoff",
    "notice": "triaged.route.notice:open_handoff",
}


def open_handoffs(means: Means) -> dict[str, Handoff]:
    """Return every kind of hand-off, ready to work."""
    return {kind: _open(place, means) for kind, place in KINDS.items()}


def _open(place: str, means: Means) -> Handoff:
    module, function = place.split(":")
    opened: Handoff = getattr(import_module(module), function)(means)
    return opened
