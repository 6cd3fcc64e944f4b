"""The SSV functions that read: LireConfig, LireDateLecteur, MajDateLecteur, LireCartePS, LireDroitsVitale."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from cryptography import x509

from bifente.ground.clock import Clock
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.resources import Pair, Resources
from bifente.simulator.middleware.ssv.answer import Answer
from bifente.simulator.middleware.ssv.components import Components
from bifente.simulator.middleware.ssv.line import PS, VITALE, Line
from bifente.simulator.middleware.ssv.meeting import vitale_on
from bifente.simulator.middleware.ssv.professional import ProfessionalCard
from bifente.simulator.middleware.ssv.vitale import VitaleCard
from bifente.simulator.zones import Group, encode

_MUTUELLE, _AMC = 107, 109
_DAY, _MOMENT = "%Y%m%d", "%Y%m%d%H%M%S"


@runtime_checkable
class Inventory(Protocol):
    """Resources that can tell of their readers: a group 61 or 67 each. Those without a GALSS do."""

    def inventory(self) -> tuple[Group, ...]:
        """The groups. Raises SsvError."""
        ...


class Ssv:
    """The library of one workstation. No function raises: whatever happens is the return code of its answer.

    The reader's clock is the bench's with an offset that MajDateLecteur sets; it decides which cards are in force.
    Nothing public tells what the functions do first: cards are met before any code is presented, so that a missing
    Vitale costs no try. ``random`` gives the challenges of the two cards' recognition, ``anchors`` are the authorities
    that Vitale cards must come from; without any, a Vitale proves only that it holds the key of its certificate.
    ``preparation`` is what InitLIB finds of its settings and tables, as a return code.
    """

    def __init__(
        self,
        resources: Resources,
        clock: Clock,
        *,
        components: Components | None = None,
        random: Callable[[int], bytes] = secrets.token_bytes,
        anchors: Iterable[x509.Certificate] = (),
        preparation: Callable[[], int] = lambda: SsvCode.OK,
    ) -> None:
        self._resources = resources
        self._clock = clock
        self._components = components or Components.shipped()
        self._random = random
        self._anchors = tuple(anchors)
        self._preparation = preparation
        self._ready = False
        self._offset = timedelta()

    # -- the library ---------------------------------------------------------------------------------------------------

    def init_lib(self) -> Answer:
        """SSV_InitLIB: F670 the second time, and what ``preparation`` makes of sesam.ini (F610 to F6F2)."""
        if self._ready:
            return Answer(SsvCode.ALREADY_INITIALISED)
        code = self._preparation()
        self._ready = code == SsvCode.OK
        return Answer(code)

    def term_lib(self) -> Answer:
        """SSV_TermLIB: F600 unless InitLIB was called."""
        if not self._ready:
            return Answer(SsvCode.NOT_INITIALISED)
        self._ready = False
        return Answer(SsvCode.OK)

    @property
    def ready(self) -> bool:
        """Whether InitLIB was called, and TermLIB was not."""
        return self._ready

    # -- configuration and clock ---------------------------------------------------------------------------------------

    def lire_config(self) -> Answer:
        """SSV_LireConfig: groups 60 to 64, 67 for each PC/SC slot, 3600 and 3780."""
        return self._answer(self._configuration)

    def lire_date_lecteur(self, reader: str) -> Answer:
        """SSV_LireDateLecteur: the zone is the reader's date and time, 14 digits YYYYMMDDHHMMSS (modelled)."""
        return self._answer(lambda: self._date_of(reader))

    def maj_date_lecteur(self, reader: str, moment: str) -> Answer:
        """SSV_MajDateLecteur: set it. Raises nothing; F802 for what is no date."""
        return self._answer(lambda: self._set_date(reader, moment))

    @property
    def reader_time(self) -> datetime:
        """What the reader's clock shows; it stops at the end of the year 9999."""
        now = self._clock.now()
        try:
            return now + self._offset
        except OverflowError:
            return datetime.max.replace(tzinfo=now.tzinfo)

    # -- the cards -----------------------------------------------------------------------------------------------------

    def lire_carte_ps(self, ps: str, reader: str, code: str) -> Answer:
        """SSV_LireCartePS: group 1, then a group 2 for each situation."""
        return self._answer(lambda: self._professional_zone(ps, reader, code))

    def lire_droits_vitale(self, ps: str, reader: str, code: str, consultation: str) -> Answer:
        """SSV_LireDroitsVitale: groups 101 to 111. Without a professional's card: F001, and all but group 106.

        ``consultation`` is YYYYMMDD: checked (F802), and kept on no card; the rights come whole, whatever their dates.
        """
        return self._answer(lambda: self._rights_zone(ps, reader, code, consultation))

    # ------------------------------------------------------------------------------------------------------------------

    def _answer(self, function: Callable[[], Answer]) -> Answer:
        if not self._ready:
            return Answer(SsvCode.NOT_INITIALISED)
        try:
            return function()
        except SsvError as error:
            return Answer(error.code, detail=error.detail)

    def _configuration(self) -> Answer:
        resources = self._resources
        direct = isinstance(resources, Inventory)
        devices = resources.inventory() if isinstance(resources, Inventory) else ()
        return Answer(SsvCode.OK, encode(self._components.groups(with_galss=not direct, devices=devices)))

    def _date_of(self, reader: str) -> Answer:
        self._check_reader(reader)
        moment = self.reader_time
        # strftime leaves years below 1000 short.
        return Answer(SsvCode.OK, f"{moment.year:04}{moment:%m%d%H%M%S}".encode("ascii"))

    def _set_date(self, reader: str, moment: str) -> Answer:
        wanted = _parsed(moment, 14, _MOMENT)
        self._check_reader(reader)
        self._offset = wanted.replace(tzinfo=self._clock.now().tzinfo) - self._clock.now()
        return Answer(SsvCode.OK)

    def _check_reader(self, reader: str) -> None:
        self._resources.pair(reader, reader).release()

    def _professional_zone(self, ps: str, reader: str, code: str) -> Answer:
        with self._pair(ps, reader) as pair:
            card = self._professional(pair)
            self._presented(card, code)
            return Answer(SsvCode.OK, encode(card.groups()))

    def _rights_zone(self, ps: str, reader: str, code: str, consultation: str) -> Answer:
        _parsed(consultation, 8, _DAY)
        with self._pair(ps, reader) as pair:
            # Both cards are met before a code is presented: a Vitale that is not there costs no try.
            professional = self._professional_if_there(pair)
            vitale = vitale_on(Line(pair.vitale(), VITALE, self._clock), self._random, self._anchors)
            alone = professional is None or not self._opened(vitale, professional, code)
            groups = vitale.groups()
        zone = encode(groups)
        if alone:
            return Answer(SsvCode.PS_ABSENT, zone, "administrative data only")
        both = {_MUTUELLE, _AMC} <= {group.id for group in groups}
        return Answer(SsvCode.BOTH_COMPLEMENTARIES if both else SsvCode.OK, zone)

    @contextmanager
    def _pair(self, ps: str, reader: str) -> Iterator[Pair]:
        pair = self._resources.pair(ps, reader)
        try:
            yield pair
        finally:
            pair.release()

    def _professional(self, pair: Pair) -> ProfessionalCard:
        return ProfessionalCard(Line(pair.ps(), PS, self._clock))

    def _professional_if_there(self, pair: Pair) -> ProfessionalCard | None:
        try:
            return self._professional(pair)
        except SsvError as error:
            if error.code != SsvCode.PS_ABSENT:
                raise
            return None

    def _presented(self, card: ProfessionalCard, code: str) -> None:
        card.check_in_force(self.reader_time.date())
        card.present(code)
        card.check_domain()

    def _opened(self, vitale: VitaleCard, professional: ProfessionalCard, code: str) -> bool:
        """Open the Vitale to the professional; False if that card went away meanwhile."""
        try:
            self._presented(professional, code)
            if professional.test != vitale.test:
                raise SsvError(SsvCode.TEST_AND_REAL, "one card is a test card, the other is not")
            vitale.open_to(professional)
        except SsvError as error:
            if error.code != SsvCode.PS_ABSENT:
                raise
            return False
        return True


def _parsed(text: str, digits: int, form: str) -> datetime:
    """A moment written in digits. Raises SsvError (F802)."""
    try:
        if not re.fullmatch(rf"[0-9]{{{digits}}}", text):
            raise ValueError
        return datetime.strptime(text, form)
    except ValueError:
        raise SsvError(SsvCode.BAD_INPUT, f"{text!r} is no date of {digits} digits") from None
