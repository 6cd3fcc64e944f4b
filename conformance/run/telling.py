"""What passed between the bench and a card or a module, as events: codes masked, status words in words."""

from __future__ import annotations

from functools import lru_cache

from bifente.conformance.targets.pkcs11 import Called
from bifente.ground.text import Text
from bifente.reports.events import Call, Exchange
from bifente.reports.masking import mask_command
from bifente.simulator.cards.dialogue import Exchanged
from bifente.simulator.iso7816.apdu import ApduError, Command
from bifente.simulator.iso7816.status import meaning


def event_of(told: Exchanged | Called, scenario: str, index: int, slot: str) -> Exchange | Call:
    """One exchange of APDUs, or one call of a module, in the step of this index of a scenario."""
    if isinstance(told, Called):
        return _call(told, scenario, index, slot)
    return _exchange(told, scenario, index, slot)


def _call(called: Called, scenario: str, index: int, slot: str) -> Call:
    return Call(
        scenario=scenario,
        index=index,
        slot=slot,
        function=called.function,
        arguments=dict(called.arguments),
        result=called.result,
        answer=dict(called.answer),
        duration_us=round(called.seconds * 1_000_000),
    )


def _exchange(exchanged: Exchanged, scenario: str, index: int, slot: str) -> Exchange:
    response = exchanged.response
    command, described = _told_of(exchanged.command)
    sw = int.from_bytes(response[-2:], "big") if len(response) >= 2 else None
    said = meaning(sw) if sw is not None else None
    return Exchange(
        scenario=scenario,
        index=index,
        slot=slot,
        command=command,
        response=response.hex(" ").upper(),
        command_text=described,
        response_text=Text(said.fr, said.en) if said else Text("réponse vide", "empty response"),
        sw=f"{sw:04X}" if sw is not None else "",
        duration_us=round(exchanged.seconds * 1_000_000),
    )


@lru_cache(maxsize=4096)
def _told_of(command: bytes) -> tuple[str, str]:
    """A command as the record has it, codes masked, and in words: scenarios say the same ones over and over."""
    try:
        described = Command.parse(command).describe()
    except ApduError:
        described = "(no APDU)"
    return mask_command(command.hex(" ").upper()), described
