"""The PIN pad of a reader: what the holder types, and the code asked for by the reader itself."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from bifente.conformance.bench.facets import Apdu
from bifente.conformance.bench.scene import Act
from bifente.conformance.scenario.step import SW, CardStep, Code, Observation, Observes, Step
from bifente.conformance.targets.base import Controllable, GuardRefusalError, PcscCode, ScardError
from bifente.conformance.targets.facets import Facet, PinPadKeys
from bifente.ground.text import Text
from bifente.simulator.iso7816.apdu import Response
from bifente.simulator.readers.pin_pad import CONTROLS, GET_FEATURE_REQUEST, MODIFY, VERIFY, Feature, PadKey

_ASCII_CODE, _UNPADDED = 0x82, 0x00
"""bmFormatString: ASCII, counted in bytes from the start of the data; bmPINBlockString: no block, Lc follows."""


class TypeOnPinPad(Step):
    """What the holder will do at the reader's next question: type a code, cancel, or nothing until the time is over."""

    name: ClassVar[str] = "type-on-pin-pad"
    title: ClassVar[Text] = Text("Taper sur le clavier du lecteur", "Type on the reader's PIN pad")
    shorthand: ClassVar[str] = "code"
    needs = frozenset[type[Facet]]({PinPadKeys})

    code: Code | None = Field(default=None, description="what is presented; never written in a record")
    key: Literal["cancel", "nothing"] | None = Field(default=None, description="a key pressed in place of a code")

    @model_validator(mode="after")
    def _one(self) -> TypeOnPinPad:
        if (self.code is None) == (self.key is None):
            raise ValueError("give either a code or a key")
        return self

    def run(self, act: Act) -> Observation:
        """Have it typed when the reader asks."""
        act.facet(PinPadKeys).pad.type(self.code if self.code is not None else PadKey(self.key))
        return Observation({})


class PinPadStep(CardStep):
    """A step in which the reader asks for codes by its own keys: they never pass through the application."""

    needs = frozenset[type[Facet]]({Apdu, PinPadKeys})
    observes: ClassVar[Observes] = SW

    seconds: int = Field(default=30, ge=1, le=255, description="how long the reader waits for the first key")

    def ask(self, act: Act, feature: Feature, structure: bytes) -> Observation:
        """One control of the reader, its code found as part 10 says."""
        connection = act.dialogue.connection
        if not isinstance(connection, Controllable):
            raise GuardRefusalError(PinPadKeys.lacking)
        offered = connection.control(GET_FEATURE_REQUEST, b"")
        found = {offered[at]: int.from_bytes(offered[at + 2 : at + 6], "big") for at in range(0, len(offered), 6)}
        if found != CONTROLS:
            raise ScardError(PcscCode.UNSUPPORTED_FEATURE, "the reader offers no PIN entry")
        return Observation.of(Response.parse(connection.control(found[feature], structure)))

    def common(self) -> dict[str, object]:
        """What both structures begin with: ASCII, 4 to 8 digits, the green key ends, no message of ours."""
        return {
            "timer": self.seconds,
            "timer2": self.seconds,
            "format": _ASCII_CODE,
            "block": _UNPADDED,
            "length": 0,
            "max": 8,
            "min": 4,
            "validation": 2,
            "messages": 0xFF,
            "language": 0x040C,
            "teo": bytes(3),
        }


class VerifyOnPinPad(PinPadStep):
    """VERIFY_PIN_DIRECT: the reader asks for the holder code and presents it to the card by itself."""

    name: ClassVar[str] = "verify-on-pin-pad"
    title: ClassVar[Text] = Text("Faire saisir le code au lecteur", "Have the code entered on the reader")

    def run(self, act: Act) -> Observation:
        """Ask for it."""
        command = bytes((0x00, 0x20, 0x00, act.card.layout.secrets["pin"].reference, 0x00))
        structure = VERIFY.build({**self.common(), "message": 0, "size": len(command), "command": command})
        return self.ask(act, Feature.VERIFY_PIN_DIRECT, structure)


class ChangeOnPinPad(PinPadStep):
    """MODIFY_PIN_DIRECT: the reader asks for the old code, the new one and the new one again, and changes it."""

    name: ClassVar[str] = "change-on-pin-pad"
    title: ClassVar[Text] = Text("Faire changer le code au lecteur", "Have the code changed on the reader")

    def run(self, act: Act) -> Observation:
        """Ask for it."""
        command = bytes((0x00, 0x24, 0x00, act.card.layout.secrets["pin"].reference, 0x00))
        more = {"old_offset": 0, "new_offset": 0, "confirm": 3, "message1": 0, "message2": 1, "message3": 2}
        structure = MODIFY.build({**self.common(), **more, "size": len(command), "command": command})
        return self.ask(act, Feature.MODIFY_PIN_DIRECT, structure)
