"""The SSV functions that format: FormaterFactures and FormaterLot, in the laboratory's formats. No function raises.

Names and call shapes are published; what the zones hold, what the two characters of FormaterFactures mean and how many
lots come of some sheets is not: modelled. A sheet goes in as its canonical form and comes out signed; signed sheets go
in and come out in signed lots, one series for as long as the library is in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bifente.ground.clock import Clock
from bifente.simulator.formats.fse.canonical import parse
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.lots import LotLimits, encode_lot, make_lots, numbers
from bifente.simulator.formats.fse.model import LotKind, SecuredInvoice
from bifente.simulator.formats.fse.securing.codec import decode_secured, encode_secured
from bifente.simulator.formats.fse.securing.modes import WITH_PAPER
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.resources import Resources
from bifente.simulator.middleware.ssv import Answer, Ssv
from bifente.simulator.software.billing.securing.desk import SecuringDesk, lacking
from bifente.simulator.software.billing.series import LotSeries
from bifente.simulator.tarification.deadlines import civil_day

FSE = "1"
"""What FormaterFactures makes: the care sheet alone (modelled)."""
_LIMITS = LotLimits(size=512 * 1024)
"""A lot is one zone out, which a program of the field can hold."""


@dataclass(frozen=True, slots=True)
class FormattedLots:
    """What FormaterLot gives back: a return code, and a zone for each lot that was signed before a refusal."""

    code: int
    zones: tuple[bytes, ...] = ()
    detail: str = ""


class Formatting:
    """The formatting side of one library. Its lots count from 000; a lot that was not signed leaves its number."""

    def __init__(self, ssv: Ssv, resources: Resources, clock: Clock) -> None:
        self._ssv = ssv
        self._resources = resources
        self._clock = clock
        self._names: tuple[str, str] | None = None
        self._series: LotSeries | None = None
        self._last: str | None = None

    def formater_factures(self, ps: str, reader: str, code: str, wanted: str, mode: str, zone: bytes) -> Answer:
        """SSV_FormaterFactures: the sheet with every signature that its securing mode wants.

        ``mode`` is the digit of the mode that the sheet says, F802 for another. A degraded sheet has its paper form.
        """
        if not self._ssv.ready:
            return Answer(SsvCode.NOT_INITIALISED)
        try:
            invoice = parse(zone)
            if wanted != FSE or mode != str(int(invoice.mode)):
                return Answer(SsvCode.BAD_INPUT, detail=f"made {wanted!r} in mode {mode!r}")
            secured = self._desk(ps, reader).secure(invoice, code, paper=invoice.mode in WITH_PAPER)
            return Answer(SsvCode.OK, encode_secured(secured))
        except SsvError as error:
            return Answer(error.code, detail=error.detail)
        except FseError as error:
            return Answer(SsvCode.BAD_INPUT, detail=str(error))

    def formater_lot(self, ps: str, reader: str, code: str, zones: Sequence[bytes]) -> FormattedLots:
        """SSV_FormaterLot: signed sheets in lots, one for each sender and body, signed in one series.

        An empty ``code`` goes on with the series of the calls before; without such a series it is FF21.
        """
        if not self._ssv.ready:
            return FormattedLots(SsvCode.NOT_INITIALISED)
        done: list[bytes] = []
        series = self._series_on(ps, reader)
        try:
            sheets = [_complete(decode_secured(zone)) for zone in zones]
            if not sheets:
                return FormattedLots(SsvCode.BAD_INPUT, detail="no sheet")
            count = numbers(LotKind.FSE, self._last)
            for lot in make_lots(sheets, on=civil_day(self._clock.now()), numbers=count, limits=_LIMITS):
                done.append(encode_lot(series.format(lot, code or None)))
                self._last = lot.number
        except SsvError as error:
            return FormattedLots(error.code, tuple(done), error.detail)
        except FseError as error:
            return FormattedLots(SsvCode.BAD_INPUT, tuple(done), str(error))
        finally:
            series.pause()
        return FormattedLots(SsvCode.OK, tuple(done))

    def end(self) -> None:
        """End the series of lots: the next one needs the holder code. What TermLIB does beside."""
        if self._series is not None:
            self._series.end()
            self._series = None

    def _series_on(self, ps: str, reader: str) -> LotSeries:
        if self._series is None or self._names != (ps, reader):
            self.end()
            self._names, self._series = (ps, reader), LotSeries.at(self._desk(ps, reader))
        return self._series

    def _desk(self, ps: str, reader: str) -> SecuringDesk:
        return SecuringDesk(self._resources, self._clock, ps, reader)


def _complete(sheet: SecuredInvoice) -> SecuredInvoice:
    """The sheet, which has every signature it wants. Raises SsvError."""
    if missing := lacking(sheet):
        raise SsvError(SsvCode.BAD_INPUT, f"a sheet lacks the signature of {', '.join(sorted(missing))}")
    return sheet
