"""What only we can have written: signed loop headers and Message-IDs.

Both hold without the other, since relays replace Message-IDs and some drop unknown headers.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Final

_HEX: Final = 32  # 128 bits


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with one installation's key.

    Attributes:
        key: The installation's secret, at least 32 octets.
        domain: Right-hand side of the Message-IDs made.
    """

    key: bytes = field(repr=False)
    domain: str

    def message_id(self, delivery_key: str) -> str:
        """Return the Message-ID of a delivery: the same at every attempt, and recognised when it comes back."""
        return f"<triaged.{self._digest('id', delivery_key)}@{self.domain}>"

    def loop_header(self, reference: str) -> str:
        """Return the value of the loop header for mail about a case."""
        return f"{reference} {self._digest('loop', reference)}"

    def is_own_loop_header(self, value: str) -> bool:
        """Tell whether we wrote this loop header."""
        reference, _, digest = value.strip().rpartition(" ")
        return hmac.compare_digest(digest.encode(), self._digest("loop", reference.strip()).encode())

    def is_own_message_id(self, value: str) -> bool:
        """Tell whether a Message-ID has the form of ours; whether it is ours, the outbox knows."""
        return re.fullmatch(rf"<triaged\.[0-9a-f]{{{_HEX}}}@{re.escape(self.domain)}>", value) is not None

    def _digest(self, purpose: str, text: str) -> str:
        return hmac.new(self.key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()[:_HEX]
