"""The GALSS as a server: it reads ``galss.ini`` when it starts, and arbitrates the readers between applications."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bifente.ground.clock import Clock
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.galss.model import Configuration, ProtocolNumber, Resource
from bifente.simulator.middleware.galss.reading import Examination, examine
from bifente.simulator.middleware.galss.session import Application, GalssPair, code_of
from bifente.simulator.middleware.galss.writing import GalssSystem
from bifente.simulator.middleware.patience import EXCLUSIVITY, Patience, insist
from bifente.simulator.readers import ReaderAccess, ScardError

MAX_SESSIONS = 16
"""Sessions open at once before 0002: the text gives no number, this one is ours."""
_SESSION = Patience(1 + 3, 0.5)
"""A session already open is asked for three times more (sources#galss-codes, 0800); the pause is ours."""
_ABSENT_MS = 15000
"""What a channel on an absent reader costs, unless ``Config`` of PROTOCOLE0 has a third number: that it costs much is
in the texts (SV-GALSS-05), the figure is our reading of that key."""

SerialPorts = Mapping[int, Mapping[int, str]]
"""What a homologated reader on a COM port gives access to: port to LAD number to the PC/SC name that stands for it."""


@dataclass(frozen=True, slots=True)
class GalssInstallation:
    """What is installed beside the file. Versions are (major, minor)."""

    system: GalssSystem = GalssSystem.WINDOWS
    bits: int = 64
    galss: tuple[int, int] = (3, 45)
    pss: tuple[int, int] = (3, 39)

    @property
    def compatible(self) -> bool:
        """Whether GALSS and PSS go together: by their major number, which is our rule (800E is in the texts)."""
        return self.galss[0] == self.pss[0]


class GalssServer:
    """One GALSS of one workstation. what is changed of its ``file`` counts from the next ``start``.

    ``access`` and ``clock`` are the bench's; ``ports`` stands for the homologated readers on serial lines.
    """

    def __init__(
        self,
        access: ReaderAccess,
        clock: Clock,
        file: bytes | None,
        *,
        installation: GalssInstallation | None = None,
        ports: SerialPorts | None = None,
    ) -> None:
        self.access = access
        self.clock = clock
        self.file = file
        self.file_held = False
        """Another program holds the file open (800D)."""
        self.installation = installation or GalssInstallation()
        self.ports = ports or {}
        self.running = False
        self._examined = Examination(None, ())
        self._held_at_start = False
        self._sessions: list[GalssPair] = []
        self._holders: dict[int, GalssPair] = {}
        self._met: set[int] = set()
        self.start()

    def start(self) -> None:
        """Start, or start anew: the file is read, every session of before is gone."""
        self.stop()
        self.running = True
        self._held_at_start = self.file_held
        self._examined = examine(self.file, system=self.installation.system, bits=self.installation.bits)

    def stop(self) -> None:
        """Stop: whoever calls gets 8002, and what was held is free."""
        self.running = False
        for pair in tuple(self._sessions):
            pair.release()
        self._met.clear()

    def application(self, name: str, *, patience: Patience = EXCLUSIVITY) -> Application:
        """A software of the workstation as the GALSS knows it; two of one name are the same software twice."""
        return Application(self, name, patience)

    @property
    def installed(self) -> Configuration | None:
        """What the file read at the last start says; None if it is broken."""
        return self._examined.configuration

    # -- for the sessions ---------------------------------------------------------------------------------------------

    def configuration(self) -> Configuration:
        """What the server works with. Raises SsvError with the code of what is wrong with the installation."""
        if not self.running:
            raise SsvError(SsvCode.GALSS_SERVER_NOT_FOUND, "the GALSS server is stopped")
        if self._held_at_start:
            raise SsvError(SsvCode.GALSS_CONFIG_MISSING, "galss.ini is held open by another program")
        configuration = self._examined.configuration
        if configuration is None:
            raise SsvError(self._examined.code, self._why())
        if not self.installation.compatible:
            versions = (".".join(map(str, one)) for one in (self.installation.galss, self.installation.pss))
            raise SsvError(SsvCode.GALSS_VERSIONS, "GALSS {} with PSS {}".format(*versions))
        return configuration

    def open(self, pair: GalssPair) -> None:
        """Count a session in. Raises SsvError: 0800 (this application has one open), 0002 (too many)."""
        self._wait_until(
            _SESSION,
            lambda: all(other.application is not pair.application for other in self._sessions),
            SsvCode.GALSS_SESSION_OPEN,
            pair.application.name,
        )
        if len(self._sessions) >= MAX_SESSIONS:
            raise SsvError(SsvCode.GALSS_TOO_MANY_SESSIONS, f"{MAX_SESSIONS} are open")
        self._sessions.append(pair)

    def close(self, pair: GalssPair) -> None:
        """Count a session out, and let its channels go."""
        self._sessions = [one for one in self._sessions if one is not pair]
        self._holders = {number: one for number, one in self._holders.items() if one is not pair}

    def hold(self, number: int, pair: GalssPair) -> None:
        """Give a channel to one session alone. Raises SsvError: 0004 another software has it, 0008 the same has."""
        holder = self._holders.get(number)
        same = holder is not None and holder.application.name == pair.application.name
        self._wait_until(
            pair.application.patience,
            lambda: self._holders.get(number) in (None, pair),
            SsvCode.GALSS_ALREADY_EXCLUSIVE if same else SsvCode.GALSS_HELD_BY_ANOTHER,
            holder.application.name if holder is not None else "",
        )
        self._holders[number] = pair

    def look_for_readers(self, configuration: Configuration) -> None:
        """Meet every channel's reader, the last channel first; each one that is not there costs its time-out."""
        try:
            listed = self.access.readers()
        except ScardError as error:
            raise SsvError(code_of(error), str(error)) from None
        for number in range(len(configuration.channels), 0, -1):
            channel = configuration.channels[number - 1]
            if channel.protocol is not ProtocolNumber.PCSC:
                continue
            if channel.characteristics in listed:
                self._met.add(number)
            elif number not in self._met:
                self.clock.wait(self._absent_seconds(configuration))

    def pcsc_name(self, resource: Resource) -> str:
        """The PC/SC name behind a resource. Raises SsvError: 800C nothing on the port, F101 the reader is lost,
        0400 it was never there."""
        channel = resource.channel
        if channel.protocol is ProtocolNumber.PSS:
            port = self.ports.get(channel.index)
            if port is None:
                raise SsvError(SsvCode.GALSS_CHARACTERISTICS, f"nothing answers on COM{channel.index}")
            if resource.lad.number not in port:
                raise SsvError(SsvCode.UNKNOWN_RESOURCE, f"the reader on COM{channel.index} has no {resource.lad.name}")
            return port[resource.lad.number]
        return channel.characteristics

    def lost(self, resource: Resource) -> SsvError:
        """What a reader that PC/SC does not list makes of a call."""
        known = resource.channel_number in self._met or resource.channel.protocol is ProtocolNumber.PSS
        code = SsvCode.UNKNOWN_RESOURCE if known else SsvCode.GALSS_NO_ANSWER
        return SsvError(code, f"{resource.channel.characteristics}: " + ("lost" if known else "absent"))

    def _why(self) -> str:
        errors = [finding for finding in self._examined.findings if finding.code is not None]
        return f"galss.ini:{errors[0].line}: {errors[0].message}" if errors else "galss.ini"

    def _absent_seconds(self, configuration: Configuration) -> float:
        config = next((one.config for one in configuration.protocols if one.number is ProtocolNumber.PSS), ())
        return (config[2] if len(config) > 2 else _ABSENT_MS) / 1000

    def _wait_until(self, patience: Patience, free: Callable[[], bool], code: SsvCode, detail: str) -> None:
        def look() -> None:
            if not free():
                raise SsvError(code, detail)

        insist(patience, self.clock, look, lambda error: isinstance(error, SsvError))
