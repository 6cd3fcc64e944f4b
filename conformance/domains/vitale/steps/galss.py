"""The GALSS of the workstation: its file, its server, sessions of competing software; and the FSV's sesam.ini."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from bifente.conformance.bench.facets import Apdu
from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.vitale.ssv_code import SsvCodeMatcher
from bifente.conformance.domains.vitale.workstation import SOFTWARE, Way, Workstation
from bifente.conformance.expectations import BytesMatcher, StatusMatcher, ValueMatcher
from bifente.conformance.scenario.step import Hex, Observation, Observes, Step
from bifente.conformance.targets.base import GuardRefusalError, ScardError
from bifente.conformance.targets.facets import Facet
from bifente.ground.text import Text
from bifente.simulator.middleware import galss, ini, sesam
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.findings import Finding, Severity
from bifente.simulator.middleware.galss import Examination
from bifente.simulator.middleware.galss.session import GalssPair
from bifente.simulator.middleware.ini import LineEnd
from bifente.simulator.middleware.return_codes import return_codes

_NEEDS = frozenset[type[Facet]]({Apdu})
_FINDINGS: Observes = {
    "code": SsvCodeMatcher(),
    "errors": ValueMatcher(),
    "warnings": ValueMatcher(),
    "line": ValueMatcher(),
    "found": ValueMatcher(),
}
_LINE_ENDS = {"crlf": LineEnd.CRLF, "lf": LineEnd.LF, "cr": LineEnd.CR}
_WITHOUT_CPS = Text(
    "le lecteur n'a pas de fente CPS : aucun galss.ini ne lui convient",
    "the reader has no CPS slot: no galss.ini fits it",
)
_Value = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) else value),
    Field(json_schema_extra={"type": ["string", "integer"]}),
]


def _decoded(code: int) -> tuple[tuple[str, str], ...]:
    known = return_codes().get(code)
    return ((known.hex, known.meaning.en),) if known is not None else ()


def _found(code: int, findings: Sequence[Finding]) -> Observation:
    told = [f"{finding.line}: {finding.message.en}" for finding in findings]
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    return Observation(
        {
            "code": code,
            "errors": len(errors),
            "warnings": len(findings) - len(errors),
            "line": findings[0].line if findings else 0,
            "found": "; ".join(told),
        },
        decoded=(
            *_decoded(code),
            *((f"{finding.severity}", line) for finding, line in zip(findings, told, strict=True)),
        ),
    )


class GalssFile(Step):
    """Put a galss.ini on the workstation: the one that fits the reader, or that file broken or edited.

    From then on the software of the workstation reaches the cards through the GALSS, which is restarted to read it
    unless ``restart`` is false.
    """

    name: ClassVar[str] = "galss-file"
    title: ClassVar[Text] = Text("Poser un galss.ini", "Put a galss.ini in place")
    shorthand: ClassVar[str] = "broken"
    needs = _NEEDS
    success: ClassVar[tuple[str, str]] = ("code", "0")
    observes: ClassVar[Observes] = _FINDINGS

    broken: str | None = Field(default=None, description="one of the known ways of being broken, by its id")
    swapped: bool = Field(default=False, description="the two slots the other way round")
    line_end: Literal["crlf", "lf", "cr"] = Field(default="crlf", description="how its lines end")
    section: str = Field(default="", description="section of the key that is edited")
    key: str = Field(default="", description="key that is edited")
    value: _Value | None = Field(default=None, description="new value of the key; without it the key is taken away")
    com: int | None = Field(default=None, ge=1, le=256, description="COM port, for a reader on a serial line")
    restart: bool = Field(default=True, description="whether the GALSS is restarted to read it")

    @model_validator(mode="after")
    def _known(self) -> GalssFile:
        if self.broken is not None and self.broken not in galss.breakages():
            raise ValueError(f"no such way of being broken; known: {', '.join(galss.breakages())}")
        if bool(self.section) != bool(self.key):
            raise ValueError("section and key go together")
        return self

    def run(self, act: Act) -> Observation:
        """Put it there, and tell what the GALSS makes of it."""
        workstation = act.scene.part(Workstation)
        workstation.way = Way.GALSS
        try:
            server = workstation.galss
            data: bytes | None = workstation.wire(self.com) if self.com is not None else workstation.fitting_file()
            data = self._changed(data or b"")
        except ValueError:
            raise GuardRefusalError(_WITHOUT_CPS) from None
        except KeyError as error:
            what = str(error.args[0])
            raise GuardRefusalError(Text(f"ce galss.ini n'a pas {what}", f"this galss.ini has no {what}")) from None
        server.file = data
        if self.restart:
            server.start()
        examined = galss.examine(data, system=server.installation.system, bits=server.installation.bits)
        act.scene.changed(None, Text("un autre galss.ini est en place", "another galss.ini is in place"))
        return _found(examined.code, examined.findings)

    def _changed(self, data: bytes) -> bytes | None:
        data = data.replace(b"\r\n", _LINE_ENDS[self.line_end].value.encode())
        if self.swapped:
            data = galss.swapped(data)
        if self.section:
            data = ini.edited(data, self.section, self.key, self.value)
        return galss.breakages()[self.broken].strike(data) if self.broken is not None else data


class CheckGalss(Step):
    """Examine the galss.ini in place against the reader that is there, as support does."""

    name: ClassVar[str] = "check-galss"
    title: ClassVar[Text] = Text("Examiner galss.ini", "Examine galss.ini")
    needs = _NEEDS
    observes: ClassVar[Observes] = _FINDINGS

    def run(self, act: Act) -> Observation:
        """Examine it."""
        workstation = act.scene.part(Workstation)
        server = workstation.galss
        examined: Examination = galss.examine(
            server.file, system=server.installation.system, bits=server.installation.bits
        )
        findings = examined.findings
        if examined.configuration is not None and server.file is not None:
            findings = (*findings, *galss.misfits(server.file, examined.configuration, workstation.slots()))
        return _found(examined.code, findings)


class GalssServerStep(Step):
    """Stop, start or restart the GALSS server; change what is installed, or hold its file, before that."""

    name: ClassVar[str] = "galss-server"
    title: ClassVar[Text] = Text("Agir sur le serveur GALSS", "Act on the GALSS server")
    shorthand: ClassVar[str] = "state"
    needs = _NEEDS

    state: Literal["stopped", "started", "restarted"] = Field(
        default="restarted", description="what becomes of the server"
    )
    pss_version: str | None = Field(
        default=None, pattern=r"^\d{1,3}\.\d{1,3}$", description="version of the PSS that is installed, e.g. 3.41"
    )
    file_held: bool | None = Field(default=None, description="another program holds galss.ini open")

    def run(self, act: Act) -> Observation:
        """Do it."""
        workstation = act.scene.part(Workstation)
        workstation.way = Way.GALSS
        server = workstation.galss
        if self.pss_version is not None:
            major, minor = map(int, self.pss_version.split("."))
            server.installation = replace(server.installation, pss=(major, minor))
        if self.file_held is not None:
            server.file_held = self.file_held
        if self.state == "stopped":
            server.stop()
        else:
            server.start()
        words = {"stopped": "arrêté", "started": "démarré", "restarted": "redémarré"}
        act.scene.changed(None, Text(f"le serveur GALSS est {words[self.state]}", f"the GALSS server is {self.state}"))
        return Observation({})


class _SessionStep(Step):
    """What the steps on sessions have in common: the software, and which of its instances (``lps#2``)."""

    needs = _NEEDS

    application: str = Field(
        default=SOFTWARE,
        pattern=r"^[a-z0-9-]{1,30}(#[0-9])?$",
        description="which software of the workstation, and which instance of it: lps#2",
    )

    def session(self, act: Act) -> GalssPair:
        """The open session of the application. Raises SsvError if it has none."""
        if (pair := act.scene.part(Workstation).sessions.get(self.application)) is None:
            raise SsvError(SsvCode.GALSS_INTERNAL, f"{self.application} has no open session")
        return pair


class GalssOpen(_SessionStep):
    """Open a session of a software on two resources, and reach the cards named: these are then held for it alone."""

    name: ClassVar[str] = "galss-open"
    title: ClassVar[Text] = Text("Ouvrir une session GALSS", "Open a GALSS session")
    success: ClassVar[tuple[str, str]] = ("code", "0")
    observes: ClassVar[Observes] = {"code": SsvCodeMatcher(), "elapsed-ms": ValueMatcher(), "reader": ValueMatcher()}

    ps: str | None = Field(
        default=None, description="resource name of the professional's card, as the file has it by default"
    )
    reader: str | None = Field(default=None, description="resource name of the reader, as the file has it by default")
    reach: list[Literal["cps", "vitale"]] = Field(
        default=["cps", "vitale"], description="cards that are reached, and held from then on"
    )

    def run(self, act: Act) -> Observation:
        """Open it; a session that fails is released."""
        workstation = act.scene.part(Workstation)
        workstation.way = Way.GALSS
        usual = workstation.resource_names()
        ps, reader = self.ps or usual[0], self.reader or usual[1]
        began = act.bench.clock.monotonic()
        code: int = SsvCode.OK
        detail = ""
        try:
            pair = workstation.galss_application(self.application).pair(ps, reader)
            try:
                for card in self.reach:
                    _ = pair.ps() if card == "cps" else pair.vitale()
            except SsvError:
                pair.release()
                raise
            workstation.sessions[self.application] = pair
        except SsvError as error:
            code, detail = error.code, error.detail
        elapsed = round((act.bench.clock.monotonic() - began) * 1000)
        decoded = (*_decoded(code), ("detail", detail)) if detail else _decoded(code)
        return Observation({"code": code, "elapsed-ms": elapsed, "reader": reader}, decoded)


class GalssTransmit(_SessionStep):
    """Send one command to a card of an open session."""

    name: ClassVar[str] = "galss-transmit"
    title: ClassVar[Text] = Text("Échanger par le GALSS", "Exchange through the GALSS")
    shorthand: ClassVar[str] = "command"
    success: ClassVar[tuple[str, str]] = ("code", "0")
    observes: ClassVar[Observes] = {"code": SsvCodeMatcher(), "sw": StatusMatcher(), "data": BytesMatcher()}

    command: Hex = Field(description="bytes of the command")
    card: Literal["cps", "vitale"] = Field(default="cps", description="which card of the session gets it")

    def run(self, act: Act) -> Observation:
        """Send it; a failure of the card itself is what the card's absence would be."""
        absent = SsvCode.PS_ABSENT if self.card == "cps" else SsvCode.VITALE_WITHDRAWN
        try:
            pair = self.session(act)
            answer = (pair.ps() if self.card == "cps" else pair.vitale()).transmit(self.command)
        except SsvError as error:
            return Observation({"code": error.code}, (*_decoded(error.code), ("detail", error.detail)))
        except ScardError as error:
            return Observation({"code": int(absent)}, (*_decoded(absent), ("detail", str(error))))
        sw = int.from_bytes(answer[-2:], "big")
        return Observation({"code": int(SsvCode.OK), "sw": sw, "data": answer[:-2]})


class GalssClose(_SessionStep):
    """Release the session of a software."""

    name: ClassVar[str] = "galss-close"
    title: ClassVar[Text] = Text("Fermer la session GALSS", "Close the GALSS session")
    shorthand: ClassVar[str] = "application"

    def run(self, act: Act) -> Observation:
        """Release it; nothing happens without one."""
        if (pair := act.scene.part(Workstation).sessions.pop(self.application, None)) is not None:
            pair.release()
        return Observation({})


class SesamFile(Step):
    """Put a sesam.ini in place: the usual one, with one key set or taken away, or none; its folders may be broken."""

    name: ClassVar[str] = "sesam-file"
    title: ClassVar[Text] = Text("Poser un sesam.ini", "Put a sesam.ini in place")
    needs = _NEEDS
    success: ClassVar[tuple[str, str]] = ("code", "0")
    observes: ClassVar[Observes] = _FINDINGS

    missing: bool = Field(default=False, description="there is no file at all")
    section: str = Field(default="", description="section that is edited")
    key: str = Field(default="", description="key that is edited; without it the whole section is meant")
    value: _Value | None = Field(default=None, description="new value; without it what is named is taken away")
    line_end: Literal["crlf", "lf", "cr"] = Field(default="crlf", description="how its lines end")
    folder: Literal["work-read-only", "tables-missing", "trace-settings-empty"] | None = Field(
        default=None, description="what is wrong with a folder it names"
    )

    @model_validator(mode="after")
    def _together(self) -> SesamFile:
        if self.key and not self.section:
            raise ValueError("a key needs its section")
        return self

    def run(self, act: Act) -> Observation:
        """Put it there, and tell what SSV_InitLIB makes of it."""
        usual = sesam.usual()
        data: bytes | None = sesam.generate(usual).replace(b"\r\n", _LINE_ENDS[self.line_end].value.encode())
        if self.missing:
            data = None
        elif self.section and data is not None:
            try:
                data = ini.edited(data, self.section, self.key or None, self.value)
            except KeyError as error:
                what = str(error.args[0])
                raise GuardRefusalError(Text(f"sesam.ini n'a pas {what}", f"sesam.ini has no {what}")) from None
        examined = act.scene.part(Workstation).place_sesam(data, self._disk(usual))
        return _found(examined.code, examined.findings)

    def _disk(self, usual: sesam.Sesam) -> sesam.Disk:
        sound = sesam.KnownFolders.of(usual)
        match self.folder:
            case "work-read-only":
                return sesam.KnownFolders(sound.folders, frozenset({usual.work.lower()}))
            case "tables-missing":
                gone = usual.tables.lower()
                return sesam.KnownFolders({path: names for path, names in sound.folders.items() if path != gone})
            case "trace-settings-empty":
                return sesam.KnownFolders({**sound.folders, usual.trace_settings.lower(): frozenset()})
        return sound
