"""What may go wrong at a front end; ``faults.yaml`` has it in the words of the desk, under the same ids.

What happens to a message on its way is the transport's: ``bifente.simulator.serving.mail``.
"""

from __future__ import annotations

from enum import StrEnum


class Trouble(StrEnum):
    """What may go wrong."""

    DOWN = "front-end-down"
    MAILBOX_FULL = "mailbox-full"
    ARL_LATE = "arl-late"
    ARL_MISSING = "arl-missing"
