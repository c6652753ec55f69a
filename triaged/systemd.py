"""Telling systemd how we are, sd_notify(3)."""

import os
import socket


def notify(state: str) -> None:
    """Send a state ("READY=1", "WATCHDOG=1", "STATUS=…") to the service manager; a no-op without one."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    path = "\0" + address[1:] if address.startswith("@") else address  # abstract namespace, unix(7)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.connect(path)
        channel.sendall(state.encode())
