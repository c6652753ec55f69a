"""outbox: deliveries that need a person."""

import json

import click

from triaged.commands.opening import CONFIG, now, open_database, open_settings, reports_problems
from triaged.commands.tables import print_table
from triaged.message import Dispatch, State

_NEEDS_A_PERSON = (State.HELD, State.FAILED, State.IN_DOUBT)


@click.command()
@CONFIG
@click.option("--held", "states", flag_value="held", help="Only what the breaker or a person holds.")
@click.option("--failed", "states", flag_value="failed", help="Only what was refused for good.")
@click.option("--in-doubt", "states", flag_value="in_doubt", help="Only what may or may not have left.")
@click.option("--release", "release", multiple=True, help="Send this one after all (its number, or all that is listed).")
@click.option("--cancel", "cancel", multiple=True, help="Never send this one (its number, or all).")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@reports_problems
def outbox(config: str | None, states: str | None, release: tuple[str, ...], cancel: tuple[str, ...], as_json: bool) -> None:
    """Deliveries that are held, failed or in doubt; release or cancel them."""
    from triaged.store import outbox as store

    wanted = [State(states)] if states else list(_NEEDS_A_PERSON)
    with open_database(open_settings(config)).begin() as db:
        listed = store.in_states(db, wanted)
        numbers = {str(item.id): item for item in listed}
        for new, chosen in ((State.PLANNED, release), (State.CANCELLED, cancel)):
            for number in numbers if "all" in chosen else chosen:
                if number not in numbers:
                    raise click.UsageError(f"no delivery {number} is {' or '.join(wanted)}")
                item = numbers[number]
                if new is State.PLANNED and item.delivery.state is State.IN_DOUBT and item.delivery.kind == "acknowledge":
                    raise click.UsageError(
                        f"delivery {number} may have reached the writer: an acknowledgement is never sent twice"
                    )
                store.settle(db, item.id, item.delivery.state, new, detail="by a person", at=now(), due_at=now())
        if release or cancel:
            listed = store.in_states(db, wanted)
    if as_json:
        click.echo(json.dumps([_as_json(item) for item in listed], ensure_ascii=False, indent=2))
    elif not listed:
        click.echo("No delivery needs a person.")
    else:
        rows = [
            (str(item.id), item.delivery.kind, item.delivery.to, item.delivery.state, item.delivery.detail) for item in listed
        ]
        print_table(f"{len(listed)} deliveries", ("number", "kind", "to", "state", "detail"), rows)


def _as_json(item: Dispatch) -> dict[str, object]:
    delivery = item.delivery
    return {"id": item.id, "kind": delivery.kind, "to": delivery.to, "state": delivery.state, "detail": delivery.detail}
