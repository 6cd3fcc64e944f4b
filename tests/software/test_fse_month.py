"""A month of a practice under everything that goes wrong, on a virtual clock: it ends balanced, and comes again alike.

The user does each evening what the work list says, nothing else; ``BIFENTE_MONTHS=20`` plays so many months more.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import pytest
from securing_bench import AT
from store_bench import SENDER, Body, SwiftConnection, practice, secured, sheet, with_claim

from bifente.ground.clock import VirtualClock
from bifente.simulator.formats.fse.model import Arl, Invoice, Payment, SecuredInvoice, SecuringMode, SheetState
from bifente.simulator.formats.fse.returns import encode_return
from bifente.simulator.services.frontal.faults import Trouble
from bifente.simulator.services.frontal.parameters import FrontalParameters
from bifente.simulator.serving.mail import TransportError
from bifente.simulator.serving.mail.disturbances import MailDirection, Weather
from bifente.simulator.serving.mail.in_process import InProcessTransport
from bifente.simulator.software.billing.store import Store, Task, TaskKind, Urgency

MONTHS = int(os.environ.get("BIFENTE_MONTHS", "0"))
DAYS, SHEETS_A_DAY = 30, 25 if MONTHS else 12
REPLAYED = 8
"""Days of the replay in an ordinary run; all of them with ``BIFENTE_MONTHS``."""
RATES = {
    "lost": 0.06,
    "duplicated": 0.05,
    "altered-in-transit": 0.06,
    "reordered": 0.06,
    "mailbox-full": 0.04,
    "server-down": 0.04,
}


class Month:
    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = Random(seed)
        self.clock = VirtualClock(AT)
        parameters = FrontalParameters(arl_late=0.06, arl_lost=0.06, rejected=0.03, partly_paid=0.03)
        self.body = Body(self.clock, parameters)
        self.body.chance.seed(seed)
        self.weather = Weather(Random(seed + 1), RATES)
        self.transport = InProcessTransport(self.body.receive, self.weather)
        self.store = Store(folder / "practice.db", self.clock, SENDER, factory=SwiftConnection)
        self.practice = practice(self.store, self.transport)
        self.made: dict[int, Invoice] = {}
        self.done: Counter[TaskKind] = Counter()
        self.late: list[Task] = []
        self.ask = False
        self.digests: list[str] = []
        """Of the whole history, each evening."""

    def play(self, days: int = DAYS) -> None:
        for day in range(days):
            self._body_works(day)
            self.practice.receive()
            for _ in range(SHEETS_A_DAY):
                self._see_a_patient()
            for _ in range(2):  # after the sending something may be left to do
                for task in self.practice.work_list():
                    self._do(task)
                self._send()
            self._ask_again()
            self._last_moment()
            self.late += [task for task in self.practice.work_list() if task.urgency is Urgency.OVERDUE]
            self.digests.append(self.digest())
            self.clock.advance(86_400)

    def _body_works(self, day: int) -> None:
        self.body.frontal.suffer(*([Trouble.DOWN] if self.chance.random() < 0.1 and day < DAYS - 2 else []))
        for answer in [*self.body.frontal.due(), *self.body.frontal.settle()]:
            with suppress(TransportError):  # the practice will ask for it
                self.transport.post(encode_return(answer))

    def _ask_again(self) -> None:
        """Ask the body for all it said: what is known does nothing."""
        if self.ask:
            for answer in self.body.frontal.returns(SENDER):
                self.practice.received(encode_return(answer))
        self.ask = False

    def _see_a_patient(self) -> None:
        number = self.practice.next_number()
        kind = self.chance.random()
        made = sheet(number, self.store.today())
        if kind < 0.15:
            made = with_claim(made)
        elif kind < 0.2:
            ended = ((date(2020, 1, 1), date(2026, 1, 31)),)
            made = replace(made, payment=Payment.TIERS_PAYANT, beneficiary=replace(made.beneficiary, rights=ended))
        elif kind < 0.25:
            made = replace(made, mode=SecuringMode.DEGRADED)
        self.made[number] = made
        self.practice.add(made)
        if self.chance.random() < 0.9:
            self._secure(number)  # or this evening, from the work list
        if kind < 0.15:
            self.practice.claim(number)

    def _secure(self, number: int) -> None:
        full = secured(self.practice.invoice(number))
        forgotten = self.chance.random() < 0.004 and self.store.sheet(number).generation == 1
        self.practice.secured(number, SecuredInvoice(full.content, paper=full.paper) if forgotten else full)

    def _send(self) -> None:
        self.practice.send()
        self.practice.receive()

    def _do(self, task: Task) -> None:
        number, store = task.number, self.store
        if task.urgency is Urgency.WAITING:
            return
        self.done[task.kind] += 1
        match task.kind:
            case TaskKind.SECURE:
                self._secure(number)
            case TaskKind.RECTIFY:
                self._rectify(number)
            case TaskKind.RECTIFY_PAYMENT if "rights-closed" in task.reason.en and self.chance.random() < 0.7:
                self._rectify(number)
            case TaskKind.RECTIFY_PAYMENT:
                store.abandon(number, task.reason.en)
            case TaskKind.RESEND | TaskKind.RESEND_REFUSED | TaskKind.GIVE_UP:
                self._again(task)
            case TaskKind.PRINT:
                store.printed(number)
            case TaskKind.SEND_PROOF | TaskKind.RETRY_PROOF:
                failed = self.chance.random() < 0.2
                store.set_proof(number, "failed" if failed else "sent")
                if not failed:
                    self.body.frontal.paper_arrived(SENDER, number)
            case TaskKind.EXAMINE_PAYMENT:
                store.payment_examined(number)
            case TaskKind.CLAIM_PAYMENT | TaskKind.EXAMINE:
                self.ask = True
                if task.kind is TaskKind.EXAMINE:
                    store.examined(number)
            case TaskKind.SEND | TaskKind.SEND_AGAIN | TaskKind.SEND_CLAIM:
                pass  # this evening's sending
            case _:
                raise AssertionError(task)

    def _again(self, task: Task) -> None:
        file = self.store.file(task.file)
        if file.state != "sent":
            return  # done with another sheet of it
        if task.kind is TaskKind.GIVE_UP and self.store.today() >= task.deadline:
            self.store.give_up(task.file, "no ARL")
        elif file.last_sent != self.store.today() or task.kind is TaskKind.RESEND_REFUSED:
            self.practice.resend(task.file)
            self.practice.receive()

    def _rectify(self, number: int) -> None:
        before = self.made[number]
        rights = ((date(2020, 1, 1), None),)
        after = replace(before, on=self.store.today(), beneficiary=replace(before.beneficiary, rights=rights))
        self.made[number] = after
        self.practice.add(after)
        self._secure(number)

    def _last_moment(self) -> None:
        """What could not be sent on its last day goes on paper."""
        today = self.store.today()
        for task in self.practice.work_list():
            unsent = task.kind in (TaskKind.SEND, TaskKind.SEND_AGAIN, TaskKind.SEND_CLAIM) and task.file
            if unsent and task.deadline <= today and self.store.file(task.file).state == "ready":
                self.store.give_up(task.file, "could not be sent")
        for task in self.practice.work_list():
            if task.kind is TaskKind.PRINT:
                self.store.printed(task.number)

    # -- what came of it ----------------------------------------------------------------------------------------------

    def digest(self) -> str:
        return hashlib.sha256(repr(list(self.store.history())).encode()).hexdigest()

    def unbalanced(self) -> list[int]:
        """The sheets that are neither paid, nor rejected with a reason, nor on the work list before their deadline."""
        listed = {
            task.number
            for task in self.practice.work_list()
            if task.kind is not TaskKind.EXAMINE and task.urgency is not Urgency.OVERDUE
        }
        return [row.number for row in self.store.sheets() if not self._over(row.number) and row.number not in listed]

    def sent_twice(self) -> list[str]:
        """What only comes of sending something twice: the body knows it already, or contradicts itself."""
        arls = [answer for answer in self.body.frontal.returns(SENDER) if isinstance(answer, Arl)]
        known = [f"{arl.return_id} {one.code} {one.place}" for arl in arls for one in arl.rejections]
        told = [detail for _, _, what, detail in self.store.history() if what == "refused"]
        return [one for one in known if "duplicate" in one or "lot-repeated" in one] + [
            one for one in told if any(word in one for word in ("was accepted", "was rejected", "other bytes"))
        ]

    def _over(self, number: int) -> bool:
        row = self.store.sheet(number)
        match row.state:
            case SheetState.PAID:
                said = self.store.payments(number)
                whole = all(one.paid == one.asked or (one.paid and one.examined) for one in said)
                return bool(said) and whole and row.closed is not None
            case SheetState.ACCEPTED:
                return row.closed is not None and not row.third_party
            case SheetState.PAYMENT_REJECTED:
                return row.closed is not None and bool(row.reason)
            case SheetState.PAPER:
                return row.closed is not None and bool(row.reason)
            case _:
                return False


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Month:
    month = Month(tmp_path_factory.mktemp("month"), 1)
    month.play()
    return month


def test_it_ends_balanced(first: Month) -> None:
    assert len(first.store.sheets()) == DAYS * SHEETS_A_DAY
    assert first.unbalanced() == []


def test_nothing_was_late(first: Month) -> None:
    assert first.late == []


def test_everything_went_wrong_at_least_once(first: Month) -> None:
    happened = {name for _, name in first.weather.log}
    assert happened == set(RATES)
    assert {
        TaskKind.RESEND,
        TaskKind.RESEND_REFUSED,
        TaskKind.RECTIFY,
        TaskKind.RECTIFY_PAYMENT,
        TaskKind.EXAMINE_PAYMENT,
        TaskKind.EXAMINE,
        TaskKind.SEND_PROOF,
    } <= set(first.done)
    assert {SheetState.PAID, SheetState.ACCEPTED, SheetState.PAYMENT_REJECTED} <= {
        row.state for row in first.store.sheets()
    }


def test_every_return_that_changed_on_its_way_was_had_again(first: Month) -> None:
    """None was believed, each was asked for again: what the body said is what is applied, or was known already."""
    altered = [way for way, name in first.weather.log if name == "altered-in-transit" and way is MailDirection.BACK]
    laid_aside = first.store._db.rows("SELECT data FROM returns WHERE state IN ('refused', 'examined')")
    assert len(laid_aside) >= len(altered) > 0
    said = {encode_return(answer): answer for answer in first.body.frontal.returns(SENDER)}
    kept = first.store._db.rows("SELECT data FROM returns WHERE state IN ('applied', 'again')")
    assert {row["data"] for row in kept} <= set(said)
    ids = {row["return_id"] for row in first.store._db.rows("SELECT return_id FROM returns WHERE state = 'applied'")}
    for row in laid_aside:
        if row["data"] not in said:
            (true,) = (answer for data, answer in said.items() if _one_bit(data, row["data"]))
            assert true.return_id in ids or isinstance(true, Arl)


def _one_bit(one: bytes, other: bytes) -> bool:
    """Whether they differ in one bit."""
    return len(one) == len(other) and (int.from_bytes(one) ^ int.from_bytes(other)).bit_count() == 1


def test_nothing_was_ever_sent_twice(first: Month) -> None:
    assert first.sent_twice() == []


def test_a_sheet_sent_twice_would_be_seen(tmp_path: Path) -> None:
    month = Month(tmp_path, 1)
    month.play(1)
    ((name, versions), *_) = month.body.seen.items()
    (data,) = versions
    month.body.receive(data, f"again-{name}")
    assert any("duplicate" in one for one in month.sent_twice())


def test_both_sides_agree_on_the_money(first: Month) -> None:
    told = {
        (line.invoice, line.payer): line.paid
        for answer in first.body.frontal.returns(SENDER)
        if hasattr(answer, "lines")
        for line in answer.lines
    }
    for row in first.store.sheets():
        if row.state is SheetState.PAID:
            for one in first.store.payments(row.number):
                assert told[row.number, one.payer] == one.paid


def test_the_same_seed_gives_the_same_month(first: Month, tmp_path: Path) -> None:
    days = DAYS if MONTHS else REPLAYED
    again = Month(tmp_path, 1)
    again.play(days)
    assert again.digests == first.digests[:days]


def test_another_seed_gives_another_month(first: Month, tmp_path: Path) -> None:
    other = Month(tmp_path, 2)
    other.play(2)
    assert other.digests[1] != first.digests[1]


@pytest.mark.timeout(max(900, 40 * MONTHS))
def test_more_months(tmp_path: Path) -> None:
    for seed in range(3, 3 + MONTHS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        month = Month(folder, seed)
        month.play()
        assert (seed, month.unbalanced(), month.late, month.sent_twice()) == (seed, [], [], [])
