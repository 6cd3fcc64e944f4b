"""Runs a command as an ordinary container would have it: no capability, no new privilege, no namespace, no mount.

``python jail.py [--user] COMMAND...``; with ``--user`` as nobody, else as who calls. A seccomp filter refuses
unshare, setns, mount, clone with a namespace flag (and clone3, whose flags a filter cannot see).
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys

NOBODY = 65534
_PR_SET_SECCOMP, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _FILTER = 22, 24, 38, 2
_ALLOW, _REFUSE_EPERM, _REFUSE_ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026
_NAMESPACES = 0x7E020000
_NUMBERS = {  # unshare, setns, mount, clone, clone3
    "x86_64": (272, 308, 165, 56, 435),
    "aarch64": (97, 268, 40, 220, 435),
}


def _program() -> bytes:
    unshare, setns, mount, clone, clone3 = _NUMBERS[platform.machine()]

    def step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("=HBBI", code, yes, no, value)

    load, jump_equal, jump_set, give = 0x20, 0x15, 0x45, 0x06
    return b"".join(
        (
            step(load, 0),
            step(jump_equal, unshare, yes=6),
            step(jump_equal, setns, yes=5),
            step(jump_equal, mount, yes=4),
            step(jump_equal, clone3, yes=4),
            step(jump_equal, clone, no=4),
            step(load, 16),
            step(jump_set, _NAMESPACES, no=2),
            step(give, _REFUSE_EPERM),
            step(give, _REFUSE_ENOSYS),
            step(give, _ALLOW),
        )
    )


def lock_in(*, as_nobody: bool) -> None:
    """From here on this process and all it starts are in the jail."""
    libc = ctypes.CDLL(None, use_errno=True)

    def must(result: int) -> None:
        if result != 0:
            raise OSError(ctypes.get_errno(), "the jail does not close")

    if as_nobody:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    elif os.geteuid() == 0:
        for capability in range(64):
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
        header = struct.pack("=Ii", 0x20080522, 0)
        must(libc.capset(header, bytes(24)))
    must(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    program = ctypes.create_string_buffer(_program())
    steps = len(_program()) // 8
    described = struct.pack("HxxxxxxP", steps, ctypes.addressof(program))
    must(libc.prctl(_PR_SET_SECCOMP, _FILTER, described, 0, 0))


if __name__ == "__main__":
    arguments = sys.argv[1:]
    nobody = arguments[0] == "--user"
    lock_in(as_nobody=nobody)
    command = arguments[1:] if nobody else arguments
    os.execvp(command[0], command)  # noqa: S606 - a test's own command
