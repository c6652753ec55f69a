"""Telling systemd how we are, sd_notify(3)."""

import logging
import os
import socket
from typing import Final

log = logging.getLogger("triaged")
_PATIENCE: Final = 1.0  # seconds; a manager that reads nothing (its queue holds ten) must not hold up a signal to stop


def notify(state: str) -> None:
    """Send a state ("READY=1", "WATCHDOG=1", "STATUS=…") to the service manager; a no-op without one.

    Never fails, and waits a second at most.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    path = "\0" + address[1:] if address.startswith("@") else address  # abstract namespace, unix(7)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.settimeout(_PATIENCE)
        try:
            channel.connect(path)
            channel.sendall(state.encode())
        except OSError as error:  # systemd itself restarts, or is busy: no reason to stop, or to wait
            log.warning("systemd was not told", extra={"state": state, "why": str(error)})
