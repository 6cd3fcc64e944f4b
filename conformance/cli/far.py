"""``bifente up --vpcd``: cards seated in a vpcd elsewhere, and what is told of each link."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import typer

from bifente.conformance.bench.live import LiveBench
from bifente.conformance.cli.app import Exit, err, fail
from bifente.ground.text import Lang, Text
from bifente.simulator.pcsc.far import GRACE, FarState, FarVpcd, VpcdAddress

VpcdOption = Annotated[
    str | None,
    typer.Option(
        "--vpcd",
        metavar="HOST:PORT",
        help="Seat the cards in a vpcd that runs elsewhere (Windows, macOS, this machine's pcscd); first slot at PORT.",
    ),
]
NotLoopbackOption = Annotated[
    str | None,
    typer.Option(
        "--not-loopback",
        metavar="HOST",
        help="The host of --vpcd once more, if it is another machine: whoever sits between reads what passes.",
    ),
]

_FIRST_LOOK = GRACE + 0.5
"""Seconds until every link is told, whole or broken."""

_STEP = 0.05
_NEVER = Text("aucune carte n'a été vue par le lecteur", "no card was seen by the reader")


def far_address(
    vpcd: str | None, not_loopback: str | None, *, service_given: bool, run_dir_given: bool
) -> VpcdAddress | None:
    """Return where the cards are seated, None for here. A mistake ends the command: exit 2."""
    if vpcd is None:
        if not_loopback is not None:
            raise fail("--not-loopback goes with --vpcd HOST:PORT", Exit.BAD_INPUT)
        return None
    if service_given or run_dir_given:
        raise fail("--vpcd has no PC/SC service here: leave --service and --run-dir out", Exit.BAD_INPUT)
    try:
        address = VpcdAddress.parse(vpcd)
    except ValueError as error:
        raise fail(f"--vpcd {error}", Exit.BAD_INPUT) from None
    if not_loopback is not None and not_loopback != address.host:
        raise fail(f"--not-loopback {not_loopback}: the host of --vpcd is {address.host}", Exit.BAD_INPUT)
    if not_loopback is None and not address.loopback:
        raise fail(
            f"--vpcd {vpcd}: not this machine alone. vpcd has no secret and no cipher: whoever sits between can use "
            f"the cards. A tunnel keeps it on loopback (ssh -L {address.port}:127.0.0.1:{address.port} {address.host})"
            f"; on a network of nobody else's add --not-loopback {address.host}",
            Exit.BAD_INPUT,
        )
    return address


class FarWatch:
    """Tells each change of a link once: on the error stream, and in the record by ``note``."""

    def __init__(self, bench: LiveBench, lang: Lang, note: Callable[[Text], None]) -> None:
        assert isinstance(bench.service, FarVpcd)  # noqa: S101 - the caller's own choice
        self._service = bench.service
        self._roles = {slot.name: role for role, slot in bench.device.slots.items()}
        self._lang = lang
        self._note = note
        self._told: dict[str, FarState] = {}
        self._states: set[FarState] = set()

    def settle(self) -> None:
        """Give every link the time to be made, then tell how each stands."""
        deadline = time.monotonic() + _FIRST_LOOK
        while self._waiting() and time.monotonic() < deadline:
            time.sleep(_STEP)
        self.look()

    def look(self) -> None:
        """Tell what has changed."""
        for link in self._service.links:
            if link.state is FarState.EMPTY:
                self._told.pop(link.slot, None)  # whoever took the card out was told
            if link.state in (FarState.EMPTY, FarState.CONNECTING) or self._told.get(link.slot) is link.state:
                continue
            self._told[link.slot] = link.state
            self._states.add(link.state)
            role = self._roles[link.slot]
            err.print(f"{role}: {link.sentence.get(self._lang)}", markup=False)
            self._note(Text(f"{role} : {link.sentence.fr}", f"{role}: {link.sentence.en}"))

    def end(self) -> None:
        """Judge the whole: exit 3 if there were cards and no reader ever saw one."""
        self.look()
        if self._states and FarState.SEEN not in self._states:
            raise fail(_NEVER.get(self._lang), Exit.BENCH_ERROR)

    def _waiting(self) -> bool:
        return any(link.state not in (FarState.EMPTY, FarState.SEEN) for link in self._service.links)
