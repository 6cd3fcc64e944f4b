"""What passed between the bench and a card, a module or a service, as events: commands and status words in words."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

from bifente.conformance.targets.messages import Messaged
from bifente.conformance.targets.pkcs11 import Called
from bifente.ground.text import Text
from bifente.reports.events import NOTHING, Call, Direction, Exchange, Message
from bifente.reports.messages import body_of
from bifente.reports.secrets import Secrets
from bifente.simulator.cards.dialogue import Exchanged
from bifente.simulator.iso7816.apdu import ApduError, Command
from bifente.simulator.iso7816.status import meaning

Told: TypeAlias = Exchanged | Called | Messaged
"""What a scene hears."""


def event_of(
    told: Told,
    secrets: Secrets,
    scenario: str | None = None,
    index: int | None = None,
    slot: str | None = None,
    client: str | None = None,
) -> Exchange | Call | Message:
    """Return the event of an exchange of APDUs, a call of a module or a message: in a step, or outside any.

    What of it is a secret, whatever was declared, is masked by `secrets`.
    """
    if isinstance(told, Messaged):
        return _message(told, secrets, scenario, index, slot)
    if isinstance(told, Called):
        return _call(told, secrets, scenario, index, slot)
    return _exchange(told, scenario, index, slot, client)


def _call(called: Called, secrets: Secrets, scenario: str | None, index: int | None, slot: str | None) -> Call:
    return Call(
        scenario=scenario,
        index=index,
        slot=slot,
        function=called.function,
        arguments=secrets.named(called.arguments, called.secret),
        result=called.result,
        answer=dict(called.answer),
        duration_us=round(called.seconds * 1_000_000),
    )


def _message(told: Messaged, secrets: Secrets, scenario: str | None, index: int | None, slot: str | None) -> Message:
    return Message(
        scenario=scenario,
        index=index,
        slot=slot or None,
        protocol=told.protocol,
        peer=told.peer,
        direction=Direction.SENT if told.sent else Direction.RECEIVED,
        line=told.line,
        headers=told.headers,
        text=told.text if told.text != NOTHING else NOTHING,  # what is the default is not written
        duration_us=round(told.seconds * 1_000_000),
        **body_of(told.body, secrets),
    )


def _exchange(
    exchanged: Exchanged, scenario: str | None, index: int | None, slot: str | None, client: str | None
) -> Exchange:
    response = exchanged.response
    command, described = _told_of(exchanged.command)
    sw = int.from_bytes(response[-2:], "big") if len(response) >= 2 else None
    return Exchange(
        scenario=scenario,
        index=index,
        slot=slot,
        client=client,
        command=command,
        response=response.hex().upper(),
        command_text=described,
        response_text=_answered(sw),
        sw=f"{sw:04X}" if sw is not None else "",
        duration_us=round(exchanged.seconds * 1_000_000),
    )


@lru_cache(maxsize=4096)
def _told_of(command: bytes) -> tuple[str, Text]:
    """A command in hexadecimal and in words: scenarios say the same ones over and over."""
    try:
        described = Command.parse(command).describe()
    except ApduError:
        described = Text("(pas une APDU)", "(no APDU)")
    return command.hex().upper(), described


@lru_cache(maxsize=512)
def _answered(sw: int | None) -> Text:
    if sw is None:
        return Text("réponse vide", "empty response")
    said = meaning(sw)
    return Text(said.fr, said.en)
