"""What a provider lets an account send: so many mails a minute, so many recipients a day. Kept by us, before they keep it."""

import threading
import time
from collections.abc import Callable
from typing import Final

from triaged.route.sender import Accepts, Envelope, Sender, SendError

MINUTE: Final = 60.0


class Limited:
    """A sender that is never quicker than it may be.

    Mails are spread over the minute, so that none has to be refused; when the day's recipients are used up, mail is tried again
    later.
    """

    def __init__(
        self,
        sender: Sender,
        *,
        mails_per_minute: int = 0,
        recipients_per_day: int = 0,
        sent_today: Callable[[], int] = lambda: 0,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Limit a sender.

        Args:
            sender: What sends.
            mails_per_minute: 0 is no limit.
            recipients_per_day: Within any 24 hours; 0 is no limit.
            sent_today: Counts the recipients of the last 24 hours, whatever restarts were between.
            sleep: Waits some seconds, never more than a minute.
            clock: Monotonic seconds.
        """
        self._sender = sender
        self._every = MINUTE / mails_per_minute if mails_per_minute else 0.0
        self._mails_per_minute = mails_per_minute
        self._recipients_per_day = recipients_per_day
        self._sent_today = sent_today
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._next = 0.0

    def accepts(self) -> Accepts:
        """Return what the sender takes."""
        return self._sender.accepts()

    def send(self, envelope: Envelope) -> str:
        """Send when it may be sent."""
        with self._lock:
            self._refuse_beyond_the_day(len(envelope.recipients))
            left = self._next - self._clock()
            if left > 0:
                self._sleep(min(left, MINUTE))
            self._next = self._clock() + self._every
            return self._sender.send(envelope)

    def check(self) -> str:
        """Add the limits, and how much of them is used."""
        said = [self._sender.check()]
        if self._mails_per_minute:
            said.append(f"at most {self._mails_per_minute} mails a minute")
        if self._recipients_per_day:
            said.append(f"{self._sent_today():,} of {self._recipients_per_day:,} recipients in the last 24 hours")
        return ", ".join(said)

    def close(self) -> None:
        """Let go of the connection."""
        self._sender.close()

    def _refuse_beyond_the_day(self, wanted: int) -> None:
        if not self._recipients_per_day:
            return
        sent = self._sent_today()
        if sent + wanted > self._recipients_per_day:
            words = f"{sent:,} recipients in the last 24 hours, and recipients_per_day is {self._recipients_per_day:,}"
            raise SendError(f"not sent yet: {words}", code="4.7.0")
