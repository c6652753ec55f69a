"""Kind "forward": a case goes to a department by e-mail."""

from collections.abc import Callable
from datetime import datetime

from triaged.message import Delivery, Outcome, State
from triaged.route.compose import handoff
from triaged.route.handoff import Case, Handoff, Letterhead, Means
from triaged.route.header import HeaderError
from triaged.route.sender import Envelope, Sender, SendError, outcome_of, post


class Forward:
    """Mails cases to departments. Sent again, a hand-off has the same Message-ID."""

    def __init__(self, sender: Sender, letterhead: Letterhead, envelope: str, clock: Callable[[], datetime]) -> None:
        self._sender = sender
        self._letterhead = letterhead
        self._envelope = envelope
        self._clock = clock

    def deliver(self, delivery: Delivery, case: Case) -> Outcome:
        """Mail the case to the delivery's addresses."""
        try:
            accepts = self._sender.accepts()
            octets = handoff(case, delivery, self._letterhead, accepts, self._clock())
        except SendError as error:
            return outcome_of(error)
        except HeaderError as error:
            return Outcome(State.FAILED, f"the mail could not be written: {error}")
        recipients = tuple(address.strip() for address in delivery.to.split(","))
        return post(self._sender, Envelope(self._envelope, recipients, octets))


def open_handoff(means: Means) -> Handoff:
    """Open the kind."""
    return Forward(means.sender, means.letterhead, means.envelope, means.clock)
