"""The SSV functions of a live bench for programs: the other end of the shared library, on a private socket."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from bifente.conformance.bench.live import LiveBench
from bifente.ground.clock import Clock
from bifente.reports.events import Call
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.middleware.full_pcsc import FullPcsc
from bifente.simulator.middleware.ssv import Ssv
from bifente.simulator.middleware.ssv.answer import Answer

VARIABLE, SOCKET = "BIFENTE_SSV", "ssv.comm"
_LONGEST = 6 * (4096 + 4)
_MOST = 64

_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Answer]]] = {
    "SSV_InitLIB": (0, Ssv.init_lib),
    "SSV_TermLIB": (0, Ssv.term_lib),
    "SSV_LireConfig": (0, Ssv.lire_config),
    "SSV_LireDateLecteur": (1, Ssv.lire_date_lecteur),
    "SSV_MajDateLecteur": (2, Ssv.maj_date_lecteur),
    "SSV_LireCartePS": (3, Ssv.lire_carte_ps),
    "SSV_LireDroitsVitale": (4, Ssv.lire_droits_vitale),
}
_CODES = frozenset({"SSV_LireCartePS", "SSV_LireDroitsVitale"})
"""Functions whose third text is the holder code."""


class SsvServer:
    """Each program that connects has a library of its own, as on a workstation; calls are told as they return."""

    def __init__(self, bench: LiveBench, clock: Clock, told: Callable[[Call], None]) -> None:
        self._bench, self._clock, self._told = bench, clock, told
        self._path = Path(bench.service.run_dir) / SOCKET
        self._path.unlink(missing_ok=True)
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(self._path))
        self._path.chmod(0o600)
        self._listening.listen(_MOST)
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, name="ssv", daemon=True)
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        """What the library needs."""
        return {VARIABLE: str(self._path)}

    def close(self) -> None:
        """Serve no more."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connected in tuple(self._open):
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
        self._thread.join(2.0)
        with suppress(OSError):
            self._path.unlink()

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listening.accept()
            except OSError:
                return
            if len(self._open) >= _MOST:
                connected.close()
                continue
            self._open.add(connected)
            threading.Thread(target=self._serve, args=(connected,), name="ssv client", daemon=True).start()

    def _serve(self, connected: socket.socket) -> None:
        pid = struct.unpack("3i", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        ssv = Ssv(FullPcsc(self._bench.device.bench.access, self._clock), self._clock)
        with connected, suppress(OSError, ValueError):
            while (texts := _received(connected)) is not None:
                answer = self._answer(ssv, texts, pid)
                connected.sendall(struct.pack("=HI", answer.code & 0xFFFF, len(answer.zone)) + answer.zone)
        self._open.discard(connected)

    def _answer(self, ssv: Ssv, texts: list[str], pid: int) -> Answer:
        name, *given = texts
        count, function = _FUNCTIONS.get(name, (-1, ssv.term_lib))
        if count != len(given):
            return Answer(SsvCode.BAD_INPUT)
        answer = function(ssv, *given)
        shown = given[:2] if name in _CODES else given
        arguments = dict(zip(("first", "second"), shown, strict=False))
        self._told(Call(function=name, client=str(pid), arguments=arguments, result=f"{answer.code:04X}"))
        return answer


def _received(connected: socket.socket) -> list[str] | None:
    """The texts of one request; None at the end. Raises ValueError for what is none."""
    (total,) = struct.unpack("=I", head) if len(head := _exactly(connected, 4)) == 4 else (0,)
    if not total:
        return None
    if total > _LONGEST:
        raise ValueError("too long")
    body, texts = _exactly(connected, total), []
    while body:
        (size,) = struct.unpack_from("=I", body) if len(body) >= 4 else (len(body),)
        if size > len(body) - 4:
            raise ValueError("cut short")
        texts.append(body[4 : 4 + size].decode("latin-1"))
        body = body[4 + size :]
    return texts


def _exactly(connected: socket.socket, size: int) -> bytes:
    parts = b""
    while len(parts) < size and (chunk := connected.recv(size - len(parts))):
        parts += chunk
    return parts
