"""The billing software of one scenario, its practice, and the front end that it sends to.

All of it is made when it is first needed, from the cards of the bench and the laboratory's keys, and dies with the
scenario. Sheets are made of what the SSV functions read and signed by the cards in the reader, whatever the target.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Several
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import holidays
from cryptography import x509

from conformance.bench.apcv import ApcvBench
from conformance.bench.base import Bench
from conformance.bench.cards import SeatedCard
from conformance.bench.virtual import VirtualBench
from conformance.bench.workstation import SOFTWARE, Workstation
from conformance.model import CardChoice
from simulator.fse.body_certificates import BodyIdentity, body_identity
from simulator.fse.errors import FseError
from simulator.fse.files import profile_named
from simulator.fse.lots import signed_content
from simulator.fse.making import Care, invoice_from, laboratory_settings
from simulator.fse.model import (
    Arl,
    Invoice,
    Lot,
    Person,
    Rsp,
    SecuredInvoice,
    SecuringMode,
    Signer,
    TransportFile,
)
from simulator.fse.practice import Practice, Sending
from simulator.fse.pricing import ActRequest
from simulator.fse.records import WIDTH, records
from simulator.fse.rules import Facts, Finding, blocks, examine
from simulator.fse.securing import Anchors, Batch, SecuringDesk, Verifier, lacking
from simulator.fse.store import Deadlines, Rules, Sequence, Store
from simulator.fse.store.deadlines import civil_day
from simulator.fse.transport import InProcessTransport, SmtpTransport, Transport, Weather
from simulator.middleware.apcv import Call
from simulator.middleware.ssv import Answer
from simulator.middleware.ssv.line import PS, Line
from simulator.middleware.ssv.professional import ProfessionalCard
from simulator.personalisation.authority import Branch, Level
from simulator.personalisation.profiles import Validity
from simulator.personalisation.vitale.authority import VitaleAuthority
from simulator.services.frontal import Frontal, Parameters, decode_return, encode_return
from simulator.services.frontal.faults import Trouble
from simulator.zones import named

BODY = "000000000"
"""Whose certificate files are sealed for: one front end stands for every body here."""
PRESCRIBER = Person("991000019", "TESTPRESCRIPTEUR", "JEAN", "01")
"""Who prescribes, where a scenario only says that somebody did."""
_SITUATION, _AMC = 2, 109
_LEVELS = (Level.FORT, Level.ELEMENTAIRE)
"""Those whose authorities issue professionals' cards here."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the two functions of a reading gave; ``card`` is the professional's card number, ``test`` its mark."""

    ps: Answer
    vitale: Answer
    card: str = ""
    test: bool | None = None
    phone: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """What came of making a sheet: the sheet and what the rules say of it. A blocked one was given no number."""

    invoice: Invoice
    findings: tuple[Finding, ...]

    @property
    def blocked(self) -> bool:
        """Whether it may not be secured."""
        return blocks(self.findings)


@dataclass(frozen=True, slots=True)
class Order:
    """What the professional asks for: acts and circumstances. ``on`` is the day of the sheet."""

    acts: tuple[ActRequest, ...]
    care: Care
    on: date
    situation: int
    beneficiary: int
    mode: int
    paper: bool
    number: int | None = None
    """The number of a rejected sheet to use again."""


class Wire:
    """The way of files, on which they may be changed by hand: what weather does is up to the transport below.

    ``sent`` are those that were handed over, as they were when they left the practice.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.changes: list[Callable[[TransportFile], TransportFile]] = []
        """What is done to the next file, once."""
        self.sent: list[TransportFile] = []

    def send(self, file: TransportFile) -> None:
        """Hand a file over, changed if that was asked for. Raises TransportError."""
        changes, self.changes = self.changes, []
        changed = file
        for change in changes:
            changed = change(changed)
        self._transport.send(changed)
        self.sent.append(file)

    def receive(self) -> list[bytes]:
        """What has come back."""
        return self._transport.receive()

    def post(self, data: bytes) -> None:
        """Send a return. Raises TransportError."""
        self._transport.post(data)


class FseBench:
    """One practice and one front end. ``chance`` draws what is drawn."""

    def __init__(self, bench: Bench, workstation: Workstation, apcv: ApcvBench, chance: random.Random) -> None:
        self._bench = bench
        self._workstation = workstation
        self._apcv = apcv
        self._chance = chance
        self._met: dict[str, SeatedCard] = {}
        self._stack = ExitStack()
        self._practice: Practice | None = None
        self._code = ""
        self.lots: list[Lot] = []
        """Those that were signed last."""
        self.weather = Weather(random.Random(chance.getrandbits(64)))  # noqa: S311 - a dice for a bench
        self.mail = False
        """Whether files go by mail (SMTP on the loopback) instead of in process."""
        self.reading: Reading | None = None
        self.made: dict[int, Invoice] = {}
        """Every sheet as it was made last, by its number."""
        self.secured: dict[int, SecuredInvoice] = {}
        """Every sheet as far as it is signed."""
        self.parameters = Parameters()
        self.rules = Rules.default()
        self.profile = "1.40"

    # -- the day ------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The bench's time, in UTC."""
        return self._bench.now()

    @property
    def today(self) -> date:
        """The day in France."""
        return civil_day(self._bench.now())

    def working_days(self, count: int) -> date:
        """The ``count``-th working day after today, counted here and not by the practice."""
        calendar = holidays.country_holidays("FR")
        day = self.today
        while count > 0:
            day += timedelta(days=1)
            count -= calendar.is_working_day(day)
        return day

    def day_before_a_holiday(self) -> date:
        """The next working day whose morrow is a public holiday in the week."""
        calendar = holidays.country_holidays("FR")
        day = self.today + timedelta(days=1)
        while not (calendar.is_working_day(day) and (day + timedelta(1)) in calendar and day.weekday() < 4):
            day += timedelta(days=1)
        return day

    def wait_until(self, day: date) -> None:
        """Let time pass until nine o'clock (UTC) of a day to come."""
        now = self._bench.now()
        seconds = (datetime(day.year, day.month, day.day, 9, tzinfo=now.tzinfo) - now).total_seconds()
        if seconds > 0:
            self._bench.advance(int(seconds))

    # -- cards --------------------------------------------------------------------------------------------------------

    def read(self, code: str, *, phone: bool = False) -> Reading:
        """Read both cards by the SSV functions; what was read before is forgotten."""
        library = self._workstation.ssv(SOFTWARE)
        library.init_lib()
        ps, reader = self._workstation.resource_names()
        self.reading = None
        answer = library.lire_carte_ps(ps, reader, code)
        call = Call(ps, reader, code, f"{self.today:%Y%m%d}")
        desk = self._apcv.desk(SOFTWARE)
        rights = (
            desk.read_phone(self._apcv.software(SOFTWARE), call, invoice=None)
            if phone
            else desk.read_card(library, call)
        )
        if answer.code:
            return Reading(answer, rights, phone=phone)
        number, test = self._identity()
        reading = Reading(answer, rights, number, test, phone)
        if not rights.code:
            self.reading = reading
        return reading

    def _identity(self) -> tuple[str, bool]:
        pair = self._workstation.resources(SOFTWARE).pair(*self._workstation.resource_names())
        try:
            card = ProfessionalCard(Line(pair.ps(), PS, self._bench.clock))
            return card.identity.card_number or "", card.test
        finally:
            pair.release()

    def _seated(self) -> Several[SeatedCard]:
        """Every card that was in a slot of the scenario so far: authorities know them all."""
        for card in self._bench.seated.values():
            self._met[str(card.facts.get("serial", id(card)))] = card
        return tuple(self._met.values())

    @property
    def anchors(self) -> Anchors:
        """The laboratory's authorities, of professionals' cards and of Vitale cards."""
        pki = self._bench.workshop.pki
        professionals = tuple(pki.authority(level, Branch.PERSONNES).certificate for level in _LEVELS)
        return Anchors(professionals, (VitaleAuthority(self._bench.workshop.keys).certificate,))

    @property
    def revocations(self) -> tuple[x509.CertificateRevocationList, ...]:
        """The lists that these authorities publish now, of the cards that were met here."""
        now = self._bench.now()
        lists = []
        for card in self._seated():
            one = card.personalised or card.vitale
            if one is not None:
                lists.append(one.authority.crl(one.revocations, at=now))
        return tuple(lists)

    @property
    def verifier(self) -> Verifier:
        """Checks sheets as a relying party does now."""
        return Verifier(self.anchors, self.revocations)

    def desk(self) -> SecuringDesk:
        """The signing side of the workstation."""
        ps, reader = self._workstation.resource_names()
        return SecuringDesk(
            self._workstation.resources(SOFTWARE),
            self._bench.clock,
            ps,
            reader,
            self.anchors.insured,
            self._chance.randbytes,
        )

    # -- sheets -------------------------------------------------------------------------------------------------------

    def make(self, order: Order) -> Made:
        """A sheet of what was read; it takes a number unless a rule blocks it. Raises FseError."""
        reading = self.reading
        if reading is None:
            raise FseError("cards", "they were not read", "read both cards first")
        trial = self._invoice(reading, order, order.number or 1)
        findings = examine(trial, self._facts(reading, order))
        if blocks(findings):
            return Made(trial, findings)
        practice = self._practice_of(trial.professional.billing_id)
        number = order.number or practice.next_number()
        invoice = replace(trial, number=number)
        practice.add(invoice)
        self.made[number] = invoice
        self.secured.pop(number, None)
        return Made(invoice, findings)

    def _invoice(self, reading: Reading, order: Order, number: int) -> Invoice:
        billing = self._billing(reading.ps, order.situation)
        return invoice_from(
            reading.ps.zone,
            reading.vitale.zone,
            order.acts,
            number=number,
            on=order.on,
            situation=order.situation,
            who=order.beneficiary,
            care=order.care,
            settings=laboratory_settings(billing) if billing else None,
            mode=SecuringMode(order.mode),
            card_number=reading.card,
            test=reading.test,
            apcv=reading.phone,
        )

    @staticmethod
    def _billing(ps: Answer, situation: int) -> str:
        found = [named(group) for group in ps.groups if group.id == _SITUATION]
        own = [fields for fields in found if fields["logical-number"] == str(situation)]
        return own[0]["billing-id"] + own[0]["billing-id-key"] if own else ""

    def _facts(self, reading: Reading, order: Order) -> Facts:
        card = named(reading.vitale.groups[0])
        end = card["validity-end"]
        opposed = {one.vitale.serial for one in self._seated() if one.vitale is not None and one.vitale.opposed}
        return Facts(
            today=self.today,
            vitale_serial=card["serial-number"],
            vitale_ends=date(int(end[:4]), int(end[4:6]), int(end[6:8])) if end.strip("0") else None,
            vitale_opposed=card["serial-number"] in opposed,
            paper=order.paper,
        )

    def sheet(self, number: int | None) -> Invoice:
        """A sheet that was made here, by default the last one. Raises FseError."""
        wanted = number if number is not None else next(reversed(self.made), None)
        if wanted is None or wanted not in self.made:
            raise FseError(f"sheet {wanted or 'last'}", "it was not made here", "make one first")
        return self.made[wanted]

    def sign(
        self, number: int | None, code: str, *, whose: Signer | None = None, paper: bool = False
    ) -> SecuredInvoice:
        """Every signature that the mode of a sheet wants, or that of one signer. Raises SsvError, FseError."""
        invoice = self.sheet(number)
        begun = self.secured.get(invoice.number)
        if begun is not None:
            done = self.desk().complete(begun, code, invoice)
        elif whose is not None:
            done = self.desk().begin(invoice, code, whose)
        else:
            done = self.desk().secure(invoice, code, paper=paper)
        self._keep(invoice.number, done)
        return done

    def sign_all(self, code: str, blocked_after: int | None = None) -> Batch:
        """Every sheet that no card has signed, the code presented once; what was done before a refusal is kept.

        After ``blocked_after`` sheets somebody spends the last tries of the professional's code.
        """
        waiting = [sheet for number, sheet in self.made.items() if number not in self.secured]
        batch = self.desk().secure_all(self._blocking(waiting, blocked_after), code)
        for sheet, done in zip(waiting, batch.done, strict=False):
            self._keep(sheet.number, done)
        return batch

    def _blocking(self, sheets: Several[Invoice], after: int | None) -> Iterator[Invoice]:
        for rank, sheet in enumerate(sheets):
            if rank == after:
                self._block()
            yield sheet

    def _block(self) -> None:
        """Present a wrong code to the professional's card, under the reader, until no try is left."""
        seated = next(card for card in self._bench.seated.values() if card.personalised is not None)
        rule = seated.layout.secrets["pin"]
        wrong = bytes([0x00, 0x20, 0x00, rule.reference, rule.min]) + b"0" * rule.min
        while (seated.state() or {})["pin-tries"]:
            seated.card.transmit(wrong)

    def _keep(self, number: int, secured: SecuredInvoice) -> None:
        self.secured[number] = secured
        if not lacking(secured):
            self.practice.secured(number, secured)

    # -- the practice, the front end, and the way between them --------------------------------------------------------

    @property
    def practice(self) -> Practice:
        """The practice of the scenario's professional. Raises FseError before a sheet was made."""
        if self._practice is None:
            raise FseError("practice", "no sheet was made yet", "make one first")
        return self._practice

    @property
    def store(self) -> Store:
        """What the practice remembers. Raises FseError before a sheet was made."""
        return self.practice.store

    @property
    def wire(self) -> Wire:
        """The way of its files. Raises FseError before a sheet was made."""
        _ = self.practice
        return self._wire

    def _practice_of(self, sender: str) -> Practice:
        if self._practice is None:
            # In memory where the system has such a folder: nothing here is to outlive the scenario.
            memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
            folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="bifente-fse-", dir=memory))
            self._store = Store(Path(folder) / "practice.sqlite", self._bench.clock, sender)
            self._stack.callback(self._store.close)
            self._wire = Wire(self._transport(sender))
            profile = profile_named(self.profile)
            self._practice = Practice(
                self._store,
                self._wire,
                sign_lot=self._sign_lot,
                read_return=decode_return,
                recipient=lambda body: self.body.certificate if profile.encrypted else None,
                profile=self.profile,
                deadlines=Deadlines(self.rules),
            )
        elif self.store.sender != sender:
            raise FseError("practice", f"it is that of {self.store.sender}, not of {sender}", "open another one")
        return self._practice

    def _transport(self, sender: str) -> Transport:
        if self.mail:
            return self._stack.enter_context(
                SmtpTransport(self._reception, sender=sender, body=BODY, weather=self.weather, clock=self._bench.clock)
            )
        return InProcessTransport(self._reception, self.weather)

    @cached_property
    def body(self) -> BodyIdentity:
        """What the front end opens files with."""
        day = self.today
        validity = Validity(date(day.year - 1, 1, 1), date(day.year + 3, 12, 31))
        return body_identity(BODY, self._bench.workshop.pki, self._bench.workshop.keys, validity)

    @cached_property
    def frontal(self) -> Frontal:
        """The front end, which believes the laboratory's authorities as they are when it is first asked."""
        return Frontal(
            self._bench.clock,
            self.anchors,
            self.body.key,
            self.body.certificate,
            self.parameters,
            self._chance,
            revocations=self.revocations,
        )

    def _reception(self, data: bytes, name: str) -> Iterable[bytes]:
        self.frontal.renew(self.revocations)
        return [encode_return(arl) for arl in self.frontal.submit(data, name)]

    def _sign_lot(self, lot: Lot) -> Lot:
        if not self._code:
            raise FseError(f"lot {lot.number}", "it is not signed", "make the lots with the holder code first")
        signature = self.desk().sign_lot(signed_content(lot), self._code, self._situation(lot))
        signed = replace(lot, signature=signature)
        self.lots.append(signed)
        return signed

    def _situation(self, lot: Lot) -> int | None:
        """The situation under which a lot is sent: the one of the practice's billing number."""
        found = {
            sheet.professional.situation for sheet in self.made.values() if sheet.professional.billing_id == lot.sender
        }
        return next(iter(found), None)

    def make_lots(self, code: str) -> tuple[Lot, ...]:
        """Put everything that is ready into lots, sign them, put them into files; gives those signed now.

        Raises SsvError, FseError: what was signed before stays so.
        """
        self._code, self.lots = code, []
        try:
            self.practice.make_lots()
            return tuple(self.lots)
        finally:
            self._code = ""

    def send(self) -> Sending:
        """Hand over what is in files. Raises FseError where a lot is still to be signed."""
        return self.practice.send()

    def resend(self) -> Sending:
        """Hand the last file that was handed over once more, as it is. Raises FseError."""
        if not self.wire.sent:
            raise FseError("file", "none was sent yet", "send one first")
        return self.practice.resend(self.wire.sent[-1].name)

    def use_up_lots(self, count: int) -> None:
        """Use up numbers of lots, as by lots that never reached the body."""
        for _ in range(count):
            self.practice.store.reserve(Sequence.LOT_FSE)

    @staticmethod
    def records(lot: Lot) -> list[tuple[str, int]]:
        """The records of a lot: their type and how many characters they have."""
        data = records(lot)
        lines = [data[at : at + WIDTH] for at in range(0, len(data), WIDTH)]
        return [(line[:3].decode("ascii").strip(), len(line)) for line in lines]

    # -- the front end ------------------------------------------------------------------------------------------------

    def set_front_end(self, given: Mapping[str, Any]) -> None:
        """Other parameters. Raises FseError once the front end is in use."""
        if "frontal" in self.__dict__:
            raise FseError("front end", "it is in use", "set it up before the first file is sent")
        self.parameters = replace(self.parameters, **given)

    def trouble(self, name: str | None) -> None:
        """One trouble of the front end, or none."""
        self.frontal.troubles.clear()
        if name is not None:
            self.frontal.troubles.add(Trouble(name))

    def members(self) -> frozenset[str]:
        """The member numbers of the complementary insurers on the Vitale cards of the bench."""
        return frozenset(
            fields.get("member-number", "")
            for card in self._seated()
            if card.vitale is not None
            for fields in (named(group) for group in card.vitale.groups if group.id == _AMC)
        )

    def receive(self, *, settle: bool = False) -> tuple[Arl | Rsp, ...]:
        """What has come back by now, applied; ``settle``: the front end first sends what it says of payments by now."""
        practice = self.practice
        owed: list[Arl | Rsp] = [*self.frontal.due(), *(self.frontal.settle() if settle else ())]
        for answer in owed:
            self.wire.post(encode_return(answer))
        return practice.receive()

    def answered(self) -> list[str]:
        """Every reason of rejection that the front end gave so far, each once, whoever it answered."""
        arls = [one for one in self.frontal.returns() if isinstance(one, Arl)]
        return list(dict.fromkeys(rejection.code for arl in arls for rejection in arl.rejections))

    def act_at_desk(self, what: str, sheet: int | None, claim: int) -> int:
        """One act of the desk; gives how many sheets or claims it was about. Raises FseError."""
        practice, store = self.practice, self.practice.store
        number = self.sheet(sheet).number
        match what:
            case "give-up":
                store.paper(number, "given up at the desk")
            case "give-up-file":
                return len(store.give_up(store.sheet(number).file, "given up at the desk"))
            case "printed":
                store.printed(number)
            case "document-sent" | "document-failed":
                store.set_proof(number, what.removeprefix("document-"))
            case "purge":
                return practice.purge()
            case "claim":
                return practice.claim(number).number
            case _:
                return practice.cancel_claim(claim).number
        return 1

    def present(self, role: str, choice: CardChoice) -> None:
        """Take the card of a slot out and put another in."""
        bench = self._bench
        _ = self._seated()
        assert isinstance(bench, VirtualBench)  # noqa: S101 - the steps that ask for it need a virtual reader
        bench.put(role, choice, self._chance)

    def close(self) -> None:
        """Forget the practice and close the mail servers."""
        self._stack.close()
