"""Lots made, signed and sent; what may happen to a file on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, field_validator

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.fse.steps.base import (
    CODE,
    DONE,
    REFUSED,
    FseStep,
    StepTold,
    plain,
    refused_by_card,
)
from bifente.conformance.domains.vitale.ssv_code import code_in_words
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import Code, Observes
from bifente.ground.text import Text
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Lot
from bifente.simulator.formats.fse.records import WIDTH, records
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.serving.mail import MailDirection, disturbances

if TYPE_CHECKING:
    from bifente.conformance.domains.fse.bench import FseBench


_CODE_SCHEMA = {"type": ["string", "integer"], "pattern": r"^(\$.*|[0-9A-Fa-f]{1,4})$"}
"""As it is written: 0200, F0FF, or a reference of a matrix."""


class Fails(BaseModel):
    """A return code of the function that signs, for a lot of the series."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lot: int = Field(ge=1, le=999, description="which lot of the series, from 1")
    code: Annotated[int, Field(ge=1, le=0xFFFF), WithJsonSchema(_CODE_SCHEMA)]

    @field_validator("code", mode="before")
    @classmethod
    def _hexadecimal(cls, value: object) -> int:
        try:
            return int(str(value), 16)
        except ValueError:
            raise ValueError("a return code is four hexadecimal digits, e.g. F0FF") from None


class Lots(FseStep):
    """Put what is ready into lots by destination body, have the CPS sign them in one series, put them into files.

    The code is presented for the first lot; without it a series that F101 stopped goes on. ``lost`` numbers are used up
    before, as by lots that never reached the body. ``fails`` gives a return code at one lot: what makes a reader give
    F0FF and F100 is not published.
    """

    name: ClassVar[str] = "fse-lots"
    title: ClassVar[Text] = Text("Faire et signer les lots", "Make and sign the lots")
    shorthand: ClassVar[str] = "code"
    success = ("code", "0")
    observes: ClassVar[Observes] = {
        **CODE,
        **{
            name: ValueMatcher()
            for name in ("lots", "kinds", "bodies", "sizes", "signed", "presented", "records", "width")
        },
    }

    code: Code | None = Field(
        default=None, description="holder code of the professional's card; without it a stopped series goes on"
    )
    fails: Fails | None = Field(
        default=None, description="return code that signing gives at one lot: {lot: 2, code: F0FF}"
    )
    any_card: bool = Field(default=False, description="a software that does not look whose card signs the lots")
    lost: int = Field(default=0, ge=0, le=900, description="how many lot numbers are used up before")

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Make them."""
        from bifente.conformance.domains.fse.bench.sessions import Breakdown, CarelessSession

        breakdown = Breakdown(self.fails.lot, self.fails.code) if self.fails is not None else None
        opens = CarelessSession if self.any_card else breakdown
        before = fse.software.signing.presented
        try:
            fse.use_up_lots(self.lost)
            fse.software.office.make_lots(self.code, opens)
        except SsvError as error:
            return refused_by_card(error, **_lots(fse, before))
        except FseError as error:
            values = {"code": SsvCode.BAD_INPUT, "refusal": None, "reason": str(error), **_lots(fse, before)}
            return StepTold(values, REFUSED)
        seen = _lots(fse, before)
        told = {"lots": plain(seen["lots"]), "bodies": plain(seen["bodies"])}
        return StepTold({"code": SsvCode.OK, "refusal": None, "reason": None, **seen}, code_in_words(0), told)


def _lots(fse: FseBench, before: int) -> dict[str, Any]:
    lots = fse.software.office.lots
    lines = [_records(lot) for lot in lots]
    return {
        "lots": [lot.number for lot in lots],
        "kinds": [lot.kind.value for lot in lots],
        "bodies": [lot.body for lot in lots],
        "sizes": [len(lot.invoices) or len(lot.dres) for lot in lots],
        "signed": len(lots),
        "presented": fse.software.signing.presented - before,
        "records": [kind for found in lines for kind, _width in found],
        "width": sorted({width for found in lines for _kind, width in found}),
    }


def _records(lot: Lot) -> list[tuple[str, int]]:
    """The B2 records of a lot: their type and how many characters they have."""
    data = records(lot)
    lines = [data[at : at + WIDTH] for at in range(0, len(data), WIDTH)]
    return [(line[:3].decode("ascii").strip(), len(line)) for line in lines]


class Send(FseStep):
    """Hand the files over; ``again`` hands the last one over once more, as it is. It succeeds when none failed."""

    name: ClassVar[str] = "fse-send"
    title: ClassVar[Text] = Text("Télétransmettre", "Send")
    success = ("failed", "0")
    observes: ClassVar[Observes] = {
        name: ValueMatcher() for name in ("sent", "failed", "failures", "reason", "encrypted", "names")
    }

    again: bool = Field(default=False, description="send the last file once more instead")

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Send them."""
        try:
            sending = fse.resend() if self.again else fse.software.office.send()
        except FseError as error:
            values = {
                "sent": 0,
                "failed": 1,
                "failures": ["not-ready"],
                "reason": str(error),
                "encrypted": False,
                "names": [],
            }
            return StepTold(values, REFUSED, {"reason": str(error)})
        failures = [error.failure.value for _name, error in sending.failed]
        values = {
            "sent": len(sending.sent),
            "failed": len(failures),
            "failures": failures,
            "reason": "; ".join(str(error) for _name, error in sending.failed) or None,
            "encrypted": bool(sending.sent) and all(name.endswith(".p7m") for name in sending.sent),
            "names": list(sending.sent),
        }
        return StepTold(values, REFUSED if failures else DONE, {"files": ", ".join(sending.sent)})


def _change(name: str) -> str:
    from bifente.conformance.domains.fse.bench.changes import Change

    if name not in set(Change):
        raise ValueError(f"no such change; known: {', '.join(Change)}")
    return name


class Alter(FseStep):
    """Change the next file on its way: a byte of it, or its first lot or sheet, digests and envelope made anew."""

    name: ClassVar[str] = "fse-alter"
    title: ClassVar[Text] = Text("Altérer le prochain fichier", "Alter the next file")
    shorthand: ClassVar[str] = "change"

    change: Annotated[str, AfterValidator(_change)] = Field(description="what is changed, by its name")
    at: int = Field(default=50, ge=0, le=100, description="where a byte is changed, in percent")

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Ask for it."""
        from bifente.conformance.domains.fse.bench.changes import Change, changed

        kind = Change(self.change)
        fse.post.wire.changes.append(lambda file: changed(file, kind, self.at, fse.relying_party.body))
        return StepTold({})


def _disturbance(name: str) -> str:
    if name not in disturbances():
        raise ValueError(f"no such disturbance; known: {', '.join(disturbances())}")
    return name


class Disturb(FseStep):
    """Let the next messages of a direction be lost, doubled, altered, reordered or refused, after some that pass."""

    name: ClassVar[str] = "fse-disturb"
    title: ClassVar[Text] = Text("Perturber le transport", "Disturb the transport")
    shorthand: ClassVar[str] = "what"

    what: Annotated[str, AfterValidator(_disturbance)] = Field(description="what happens to the messages, by its name")
    direction: MailDirection = Field(
        default=MailDirection.OUT, description="files of the practice go out, what is returned comes back"
    )
    times: int = Field(default=1, ge=1, le=100, description="how many messages it strikes")
    after: int = Field(default=0, ge=0, le=100, description="how many messages pass before")

    def do(self, act: Act, fse: FseBench) -> StepTold:
        """Ask for it."""
        fse.post.weather.ask(self.what, self.direction, times=self.times, after=self.after)
        said = disturbances()[self.what].symptom
        act.scene.changed(None, Text(said.fr, said.en))
        return StepTold({})
