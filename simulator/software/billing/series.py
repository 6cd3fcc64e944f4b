"""Signing lots with the professional's card, one run at a time: the ``série`` of ``SSV_FormaterLot`` (SV-FSE-23).

The code is asked for the first lot only. Errors 0200, F0FF and F100 break the series, F101 does not
(sources#ssv-functions). What the others do is not told; here they break it too, since a
card that was withdrawn or blocked has no code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from bifente.ground.clock import Clock
from bifente.ground.text import Text
from bifente.simulator.formats.fse.lots import signed_content
from bifente.simulator.formats.fse.model import Lot, Signer
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.resources import Pair
from bifente.simulator.readers import Connection
from bifente.simulator.software.billing.securing.cards import ProfessionalSession, Right, SigningCard, signed
from bifente.simulator.software.billing.securing.desk import SecuringDesk
from bifente.simulator.software.billing.securing.refusals import SecuringError, SecuringRefusal

T = TypeVar("T")

_GOES_ON = frozenset({SsvCode.UNKNOWN_RESOURCE})


class LotSession(SigningCard, Protocol):
    """A professional's card that was given its code, for as many lots as the series has."""

    def check_lot(self, lot: Lot) -> None:
        """Refuse a lot that this card may not sign. Raises SsvError."""
        ...

    def pause(self) -> None:
        """Let the reader go until the next lot; never raises."""
        ...


class CardLotSession:
    """The session with the card of one connection. Raises SsvError as ``ProfessionalSession``."""

    def __init__(self, connection: Connection, code: str, clock: Clock, *, spends: bool | None = None) -> None:
        self._session = ProfessionalSession(connection, code, clock, spends=spends)

    def check_lot(self, lot: Lot) -> None:
        """Refuse the lot of another sender, or a situation without the right. Raises SecuringError."""
        billing = self._session.card.billing
        mine = [number for number, item in billing.items() if item.billing_id == lot.sender]
        if not mine:
            raise SecuringError(SecuringRefusal.CPS_SUBSTITUTED, f"no situation of the card bills as {lot.sender}")
        self._session.check_right(Right.LOT, mine[0])

    def resume(self, connection: Connection) -> None:
        """Go on with the same card on another connection, as ``ProfessionalSession.resume``. Raises SsvError."""
        self._session.resume(connection)

    def pause(self) -> None:
        """Nothing: the connection is its caller's."""

    def sign(self, content: bytes) -> tuple[bytes, bytes]:
        """Certificate and signature of a content. Raises SsvError."""
        return self._session.sign(content)


class DeskLotSession:
    """The session with the card that a desk finds: the reader is held from the first lot on, and let go by ``pause``.

    Raises SsvError as ``CardLotSession``, and as ``Resources.pair`` (F101, the codes of the GALSS).
    """

    def __init__(self, desk: SecuringDesk, code: str) -> None:
        self._desk = desk
        self._pair: Pair | None = None
        self._on = self._held(lambda found: CardLotSession(found, code, desk.clock, spends=desk.spends))

    def check_lot(self, lot: Lot) -> None:
        """As ``CardLotSession``; the reader is taken again after a pause, and FF21 says that the card changed."""
        if self._pair is None:
            self._held(self._on.resume)
        self._on.check_lot(lot)

    def sign(self, content: bytes) -> tuple[bytes, bytes]:
        """Certificate and signature of a content. Raises SsvError."""
        return self._on.sign(content)

    def pause(self) -> None:
        """Let the reader go; the card keeps its code unless something resets it."""
        if self._pair is not None:
            self._pair.release()
            self._pair = None

    def _held(self, begins: Callable[[Connection], T]) -> T:
        self._pair = self._desk.resources.pair(self._desk.ps, self._desk.reader)
        try:
            return begins(self._pair.ps())
        except SsvError:
            self.pause()
            raise


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """What came of a run: ``unformatted`` is what was not signed, the lot that failed first, in their order."""

    formatted: tuple[Lot, ...]
    unformatted: tuple[Lot, ...] = ()
    error: SsvError | None = None
    broken: bool = False

    @property
    def sentence(self) -> Text:
        """What was done, what remains, and what to do."""
        done, left = len(self.formatted), len(self.unformatted)
        if self.error is None:
            return Text(f"{done} lot(s) formaté(s)", f"{done} lot(s) formatted")
        numbers = ", ".join(lot.number for lot in self.unformatted)
        code = f"{self.error.code:04X}"
        fr = f"{done} lot(s) formaté(s), {left} non formaté(s) ({numbers})"
        en = f"{done} lot(s) formatted, {left} not formatted ({numbers})"
        if self.broken:
            return Text(
                f"{code} : {fr} ; reprendre ceux-ci avec le code porteur", f"{code}: {en}; take these up with the code"
            )
        return Text(
            f"{code}, série non rompue : {fr} ; reprendre ceux-ci sans le code",
            f"{code}, series not broken: {en}; take these up without the code",
        )


class LotSeries:
    """A run of lots. ``opens`` makes a session from a holder code; it is asked again only once a series is broken."""

    def __init__(self, opens: Callable[[str], LotSession], clock: Clock) -> None:
        self._opens = opens
        self._clock = clock
        self._session: LotSession | None = None

    @classmethod
    def on(cls, connection: Connection, clock: Clock, *, spends: bool | None = None) -> LotSeries:
        """A run on the card of one connection; ``spends`` as in ``ProfessionalSession``."""
        return cls(lambda code: CardLotSession(connection, code, clock, spends=spends), clock)

    @classmethod
    def at(cls, desk: SecuringDesk) -> LotSeries:
        """A run on the card that a workstation finds; ``pause`` lets its reader go."""
        return cls(lambda code: DeskLotSession(desk, code), desk.clock)

    @property
    def started(self) -> bool:
        """Whether the next lot needs no code."""
        return self._session is not None

    def format(self, lot: Lot, code: str | None = None) -> Lot:
        """The lot, signed. Without a series under way the code is needed: FF21 without (modelled). Raises SsvError,
        FseError for a lot that cannot be written; a code given during a series is not presented.
        """
        content = signed_content(lot)
        try:
            if self._session is None:
                if code is None:
                    raise SsvError(SsvCode.CODE_LOST, "the first lot of a series needs the holder code")
                self._session = self._opens(code)
            self._session.check_lot(lot)
            return replace(lot, signature=signed(content, self._session, Signer.PROFESSIONAL, self._clock))
        except SsvError as error:
            # A lot that is not this card's to sign says nothing about the session: the card keeps its code.
            if error.code not in _GOES_ON and not isinstance(error, SecuringError):
                self.end()
            raise

    def pause(self) -> None:
        """Let the reader go; the next lot still needs no code."""
        if self._session is not None:
            self._session.pause()

    def end(self) -> None:
        """End the series: the next lot needs the code."""
        self.pause()
        self._session = None

    def run(self, lots: Iterable[Lot], code: str | None = None) -> SeriesReport:
        """Format lots until one fails. Raises FseError for a lot that cannot be written, never SsvError."""
        todo = tuple(lots)
        done: list[Lot] = []
        for rank, lot in enumerate(todo):
            try:
                done.append(self.format(lot, code))
            except SsvError as error:
                return SeriesReport(tuple(done), todo[rank:], error, broken=self._session is None)
        return SeriesReport(tuple(done))
