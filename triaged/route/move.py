"""Kind "move": handled mail moves to another folder of its mailbox."""

from triaged.message import Delivery, Outcome, State
from triaged.route.handoff import Case, Handoff, Means, MoveError, Mover


class Move:
    """Moves mail. Moving a mail that is gone does nothing, so doing it twice does no harm."""

    def __init__(self, move: Mover) -> None:
        self._move = move

    def deliver(self, delivery: Delivery, case: Case) -> Outcome:
        """Move the case's mail to the delivery's folder."""
        try:
            moved = self._move(case.record.mailbox, case.uid, delivery.to)
        except MoveError as error:
            return Outcome(State.FAILED if error.permanent else State.PLANNED, str(error))
        return Outcome(State.SENT, f"moved to {delivery.to}" if moved else "somebody had moved or deleted it before")


def open_handoff(means: Means) -> Handoff:
    """Open the kind."""
    return Move(means.move)
