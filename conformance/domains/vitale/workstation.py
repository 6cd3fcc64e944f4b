"""The workstation of one scene: how its software reaches the readers, and the configuration files it has for that."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache

from cryptography import x509

from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.facets import VirtualReaders
from bifente.conformance.bench.recording import RecordedAccess, Told
from bifente.conformance.bench.scene import Scene
from bifente.conformance.features import CONTACTLESS
from bifente.conformance.targets.base import GuardRefusalError
from bifente.ground.text import Text
from bifente.simulator.middleware import sesam
from bifente.simulator.middleware.full_pcsc import FullPcsc
from bifente.simulator.middleware.galss import GalssServer, SlotName, for_pcsc, for_serial, generate
from bifente.simulator.middleware.galss.session import Application, GalssPair
from bifente.simulator.middleware.resources import Resources
from bifente.simulator.middleware.ssv import Ssv
from bifente.simulator.readers import ReaderAccess

SOFTWARE = "software"
"""The application a step speaks for unless it names another."""


class Way(StrEnum):
    """How the SSV functions reach the cards."""

    FULL_PCSC = "full-pcsc"
    GALSS = "galss"


@cache
def _usual_sesam() -> bytes:
    """The ``sesam.ini`` of a workstation on which nobody changed it."""
    return sesam.generate(sesam.usual())


class Workstation:
    """One middleware configuration, kept from step to step. Everything is made when it is first needed.

    ``told`` hears every exchange with a card, ``random`` gives the challenges. ``way`` may be changed at any time and
    holds for the ``resources`` asked for from then on.
    """

    def __init__(
        self, bench: Bench, told: Told | None = None, random: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self.way = Way.FULL_PCSC
        self.sessions: dict[str, GalssPair] = {}
        """Sessions of the GALSS that steps opened and left open, by the label of their application."""
        self._applications: dict[str, Application] = {}
        self._sesam_ini: bytes | None = _usual_sesam()
        self._disk: sesam.Disk = sesam.KnownFolders.of(sesam.usual())
        self._bench = bench
        self._access: ReaderAccess = (
            RecordedAccess(lambda: bench.access, lambda: {name: role for role, name in bench.names.items()}, told)
            if told is not None
            else bench.access
        )
        self._random = random
        self._libraries: dict[tuple[Way, str], Ssv] = {}
        self._galss: GalssServer | None = None
        self._resources: dict[tuple[Way, str], Resources] = {}

    @classmethod
    def of(cls, scene: Scene) -> Workstation:
        """Return the workstation of a scene, whose exchanges are told."""
        return cls(scene.bench, scene.told, scene.random.randbytes)

    @property
    def galss(self) -> GalssServer:
        """The GALSS server, started with the file that fits the reader. Raises GuardRefusalError without a CPS slot."""
        if self._galss is None:
            self._galss = GalssServer(self._access, self._bench.clock, self.fitting_file())
        return self._galss

    def fitting_file(self) -> bytes:
        """The ``galss.ini`` that fits the reader of the bench. Raises GuardRefusalError without a slot for the CPS."""
        if "cps" not in self._uses().values():
            raise GuardRefusalError(
                Text(
                    "le lecteur n'a pas de fente pour la CPS : il en faut une à un galss.ini",
                    "the reader has no slot for the CPS: a galss.ini needs one",
                )
            )
        return generate(for_pcsc(self.slots()))

    def slots(self) -> list[SlotName]:
        """The slots of the reader as PC/SC names them here."""
        models = {slot.role: slot for slot in self._bench.profile.slots}
        uses = self._uses()
        return [
            SlotName(uses.get(role, role), name, contactless=CONTACTLESS in models[role].capabilities)
            for role, name in self._bench.names.items()
        ]

    def _uses(self) -> Mapping[str, str]:
        """What a GALSS uses slots for: of several readers the first one with a slot for the CPS, or the Vitale."""
        found: dict[str, str] = {}
        for use in ("cps", "vitale"):
            role = next((role for role in self._bench.names if role == use or role.endswith(f"-{use}")), None)
            if role is not None:
                found[role] = use
        return found

    def wire(self, port: int) -> bytes:
        """Put the reader on a serial port, as a homologated one; the ``galss.ini`` that fits it then."""
        names = {use: self._bench.names[role] for role, use in self._uses().items()}
        lads = {lad: names[use] for lad, use in ((1, "cps"), (2, "vitale")) if use in names}
        self.galss.ports = {port: lads}
        return generate(for_serial(port, bits=self.galss.installation.bits))

    def galss_application(self, label: str) -> Application:
        """An application of the GALSS: what follows a ``#`` in its label tells instances of one software apart."""
        if label not in self._applications:
            name = label.partition("#")[0]
            self._applications[label] = self.galss.application(name, patience=self._settings.exclusivity)
        return self._applications[label]

    @property
    def sesam_ini(self) -> bytes | None:
        """``sesam.ini`` as it lies on the disk; None: it is not there."""
        return self._sesam_ini

    def place_sesam(self, data: bytes | None, disk: sesam.Disk | None = None) -> sesam.SesamExamination:
        """Put another ``sesam.ini`` there (on another disk); software loaded from then on goes by it."""
        self._sesam_ini, self._disk = data, disk or self._disk
        self._applications.clear()
        self._resources.clear()
        self._libraries.clear()
        return self.examined_sesam()

    def examined_sesam(self) -> sesam.SesamExamination:
        """What SSV_InitLIB finds in it."""
        return sesam.examine(self._sesam_ini, self._disk)

    @property
    def _settings(self) -> sesam.Sesam:
        return self.examined_sesam().sesam or sesam.usual()

    def resources(self, application: str = SOFTWARE) -> Resources:
        """How an application of the workstation reaches the cards; two names are two software that compete."""
        key = (self.way, application)
        if key not in self._resources:
            self._resources[key] = (
                self.galss_application(application)
                if self.way is Way.GALSS
                else FullPcsc(self._access, self._bench.clock, self._settings.exclusivity_pcsc)
            )
        return self._resources[key]

    def ssv(self, application: str = SOFTWARE) -> Ssv:
        """The SSV library as an application loaded it, one for each way to the cards."""
        key = (self.way, application)
        if key not in self._libraries:
            self._libraries[key] = Ssv(
                self.resources(application),
                self._bench.clock,
                random=self._random,
                anchors=self._authorities(),
                preparation=lambda: self.examined_sesam().code,
            )
        return self._libraries[key]

    def _authorities(self) -> tuple[x509.Certificate, ...]:
        """Who certifies the Vitale cards of a virtual bench; of real ones nobody knows, and none is asked for."""
        if self._bench.facets.find(VirtualReaders) is None:
            return ()
        return (self._bench.workshop.vitale_authority.certificate,)

    def resource_names(self) -> tuple[str, str]:
        """The names a client gives for the CPS and the reader: what the GALSS file has, usual ones without GALSS."""
        configuration = self.galss.installed if self.way is Way.GALSS else None
        return configuration.usual_names() if configuration is not None else ("CPS", "Log_SV")

    def close(self) -> None:
        """Release every session that was left open."""
        while self.sessions:
            self.sessions.popitem()[1].release()
