"""Ports for services that a test starts a little later."""

from __future__ import annotations

import random
import socket

# Below the range that the kernel takes ports from by itself, for whoever asks for any port and for
# the near end of every connection: nothing of that comes between the choice and its use.
PORTS = range(20_000, 30_000)


def free_port(address: str = "127.0.0.1") -> int:
    """One on which nothing listens at this address."""
    for port in random.SystemRandom().sample(PORTS, 100):
        with socket.socket() as found:
            try:
                found.bind((address, port))
            except OSError:
                continue
            return port
    raise AssertionError("a hundred ports were all taken")
