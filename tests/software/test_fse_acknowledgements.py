"""An ARL says which bytes it answers: those that were sent decide, a copy that changed on its way decides nothing."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from securing_bench import AT
from store_bench import SENDER, Body, Desk, SwiftConnection, practice, secured, sheet, with_claim

from bifente.ground.clock import VirtualClock
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import (
    Arl,
    ArlKind,
    LotKind,
    Payment,
    PaymentOutcome,
    Rejection,
    Rsp,
    RspLine,
    SheetState,
    TransportFile,
)
from bifente.simulator.services.frontal.parameters import FrontalParameters
from bifente.simulator.software.billing.store import FileRow, Store, Task, TaskKind

BODY = "013490349"
REASONS = (
    Rejection("file-unreadable", "unreadable"),
    Rejection("file-name-reused", "name taken"),
    Rejection("lot-repeated", "number taken"),
    Rejection("altered", "altered", 1),
    Rejection("content-altered", "altered", 1),
)
"""What a body may say of a copy that changed."""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def ours(number: int) -> object:
    return sheet(number, body=BODY)


def sent(desk: Desk, count: int = 1) -> FileRow:
    """Sheets in one lot of one file, on their way to a body that hears nothing."""
    desk.transport.body.receive = lambda data, name: []  # type: ignore[method-assign]
    desk.ready(count, ours)  # type: ignore[arg-type]
    (name,) = desk.practice.send().sent
    return desk.store.file(name)


def about(desk: Desk, copy_of: FileRow, /, *rejections: Rejection, data: bytes | None = None, **changes: object) -> Arl:
    """An ARL about the file, or about these bytes under its name."""
    arl = Arl(
        kind=ArlKind.NEGATIVE if rejections else ArlKind.POSITIVE,
        file=copy_of.name,
        received=hashlib.sha256(copy_of.data if data is None else data).hexdigest(),
        sender=SENDER,
        body=copy_of.body,
        lot_kind=LotKind.FSE,
        lot="000",
        return_id="R1",
        lot_on=AT.date(),
        on=desk.store.today(),
        rejections=rejections,
    )
    return replace(arl, **changes)  # type: ignore[arg-type]


def apply(desk: Desk, answer: Arl | Rsp) -> str:
    """Apply a return; what became of it."""
    desk.store.keep_return(repr(answer).encode())
    (row,) = desk.store.returns("new")
    apply_one = desk.store.apply_arl if isinstance(answer, Arl) else desk.store.apply_rsp
    apply_one(row.id, answer)  # type: ignore[arg-type]
    return str(desk.store._db.value("SELECT state FROM returns WHERE id = ?", row.id))


def tables(desk: Desk) -> list[list[tuple[object, ...]]]:
    """All that an ARL could change, but the returns and the history themselves."""
    names = ("files", "lots", "sheets", "claims", "members", "payments")
    return [[tuple(row) for row in desk.store._db.rows(f"SELECT * FROM {name}")] for name in names]  # noqa: S608


def tasks(desk: Desk) -> list[TaskKind]:
    return [task.kind for task in desk.practice.work_list()]


# -- another copy -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.code)
def test_a_copy_that_changed_is_only_sent_again(desk: Desk, reason: Rejection) -> None:
    file = sent(desk, 2)
    assert apply(desk, about(desk, file, reason, data=file.data[:-1])) == "applied"
    assert desk.states() == {1: "sent", 2: "sent"}
    assert tasks(desk) == [TaskKind.RESEND_REFUSED] * 2
    (first, _) = desk.practice.work_list()
    assert f"{reason.code} {reason.label}" in first.reason.en
    assert list(desk.store.history(f"file {file.name}"))[-1][2:] == ("refused", f"{reason.code} {reason.label}")
    del desk.transport.body.receive  # type: ignore[attr-defined]
    desk.practice.resend(file.name)
    assert tasks(desk) == [TaskKind.AWAIT_ARL] * 2
    desk.practice.receive()
    assert desk.states() == {1: "accepted", 2: "accepted"}
    assert desk.body.lots() == [("fse", "000")]


@pytest.mark.parametrize(
    "changes",
    [{"lot": ""}, {"lot": "777"}, {"sender": "991000027"}, {"body": "999999999"}, {"lot_kind": LotKind.DRE}],
    ids=str,
)
def test_what_a_copy_that_changed_says_of_itself_does_not_count(desk: Desk, changes: dict[str, object]) -> None:
    file = sent(desk)
    assert apply(desk, about(desk, file, REASONS[0], data=b"noise", **changes)) == "applied"
    assert (desk.states(), tasks(desk)) == ({1: "sent"}, [TaskKind.RESEND_REFUSED])


def test_a_file_that_is_not_handed_over_yet_goes_as_it_is(desk: Desk) -> None:
    """The machine stopped between the sending and its note, and what was sent changed on its way."""
    desk.ready(1, ours)  # type: ignore[arg-type]
    desk.practice.make_lots()
    (file,) = desk.store.files("ready")
    assert apply(desk, about(desk, file, REASONS[3], data=b"noise")) == "applied"
    assert (desk.states(), tasks(desk)) == ({1: "validated"}, [TaskKind.SEND])
    assert desk.practice.send().sent == (file.name,)
    desk.practice.receive()
    assert desk.states() == {1: "accepted"}


def accepted(desk: Desk, file: FileRow) -> None:
    apply(desk, about(desk, file, return_id="R0"))


def rejected(desk: Desk, file: FileRow) -> None:
    apply(desk, about(desk, file, Rejection("form", "not conforming", 1), return_id="R0"))


def going_again(desk: Desk, file: FileRow) -> None:
    apply(desk, about(desk, file, Rejection("lot-ahead", "too early"), return_id="R0"))
    desk.practice.send()


def given_up(desk: Desk, file: FileRow) -> None:
    desk.store.give_up(file.name, "no ARL")


def printed(desk: Desk, file: FileRow) -> None:
    given_up(desk, file)
    desk.store.printed(1)


def purged(desk: Desk, file: FileRow) -> None:
    accepted(desk, file)
    desk.days(91)
    assert desk.practice.purge() == 1
    with pytest.raises(FseError, match="it was purged"):
        desk.store.file(file.name)


OVER = [accepted, rejected, going_again, given_up, printed, purged]


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.code)
@pytest.mark.parametrize("how", OVER)
def test_of_a_file_that_is_over_a_copy_that_changed_does_nothing(desk: Desk, how: object, reason: Rejection) -> None:
    file = sent(desk)
    how(desk, file)  # type: ignore[operator]
    before = tables(desk)
    assert apply(desk, about(desk, file, reason, data=b"noise")) == "again"
    assert tables(desk) == before
    assert TaskKind.EXAMINE not in tasks(desk)
    told = list(desk.store.history("return R1"))[-1][3]
    assert told.startswith(f"a copy changed on its way; file {file.name} is ")


@pytest.mark.parametrize("how", [lambda desk, file: None, *OVER])
def test_other_bytes_that_are_accepted_are_for_somebody_to_look_at(desk: Desk, how: object) -> None:
    file = sent(desk)
    how(desk, file)  # type: ignore[operator]
    before = tables(desk)
    with pytest.raises(FseError, match="accepts other bytes") as caught:
        apply(desk, about(desk, file, data=b"noise"))
    assert caught.value.place == f"ARL R1, fse lot 000 of file {file.name}"
    assert hashlib.sha256(b"noise").hexdigest() in caught.value.reason
    assert hashlib.sha256(file.data).hexdigest() in caught.value.reason
    assert "before anything of this file goes out again" in caught.value.cure
    assert tables(desk) == before


def test_a_copy_of_an_unknown_file_is_no_copy(desk: Desk) -> None:
    file = sent(desk)
    for data in (None, b"noise"):
        with pytest.raises(FseError, match="no such lot"):
            apply(desk, about(desk, file, REASONS[0], data=data, file="other"))
        (row,) = desk.store.returns("new")
        desk.store.refuse_return(row.id, "no such lot")
    assert desk.states() == {1: "sent"}


# -- the very bytes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["file-unreadable", "file-not-encrypted", "file-name-reused"])
def test_the_very_bytes_refused_as_a_whole_go_out_in_another_lot(desk: Desk, code: str) -> None:
    file = sent(desk, 2)
    assert apply(desk, about(desk, file, Rejection(code, "refused"))) == "applied"
    assert desk.states() == {1: "validated", 2: "validated"}
    assert tasks(desk) == [TaskKind.SEND_AGAIN] * 2
    with pytest.raises(FseError, match="answered"):
        desk.practice.resend(file.name)
    (again,) = desk.practice.send().sent
    assert again != file.name


@pytest.mark.parametrize("how", [given_up, printed])
def test_the_very_bytes_refused_after_they_were_given_up_are_on_paper_anyway(desk: Desk, how: object) -> None:
    file = sent(desk)
    how(desk, file)  # type: ignore[operator]
    before = tables(desk)
    assert apply(desk, about(desk, file, Rejection("form", "not conforming", 1))) == "again"
    assert tables(desk) == before


def test_the_very_bytes_that_the_body_cannot_tell_the_lots_of(desk: Desk) -> None:
    """An envelope for somebody else: the ARL names no lot, so it is about all of the file."""
    desk.transport.body.receive = lambda data, name: []  # type: ignore[method-assign]
    desk.ready(1, ours)  # type: ignore[arg-type]
    desk.practice._group()
    desk.ready(1, ours)  # type: ignore[arg-type]
    (name,) = desk.practice.send().sent
    file = desk.store.file(name)
    with pytest.raises(FseError, match="no such lot"):
        apply(desk, about(desk, file, lot=""))  # nothing is accepted without its name
    desk.store.refuse_return(desk.store.returns("new")[0].id, "no such lot")
    unreadable = about(desk, file, REASONS[0], lot="", return_id="R2")
    assert apply(desk, unreadable) == "applied"
    assert desk.states() == {1: "validated", 2: "validated"}
    assert apply(desk, replace(unreadable, return_id="R3")) == "again"
    assert desk.practice.send().sent


def test_a_file_in_clear_goes_again_in_another_one(tmp_path: Path) -> None:
    desk, ledger = Desk(tmp_path), tmp_path / "ledger.db"
    desk.transport.body = Body(desk.clock, FrontalParameters(encrypted_only=True), ledger)
    desk.ready(2, ours)  # type: ignore[arg-type]
    desk.practice.send()
    desk.practice.receive()
    assert tasks(desk) == [TaskKind.SEND_AGAIN] * 2
    assert "file-not-encrypted" in desk.practice.work_list()[0].reason.en
    desk.transport.body = Body(desk.clock, FrontalParameters(encrypted_only=False), ledger)
    desk.practice.send()
    desk.practice.receive()
    assert desk.states() == {1: "accepted", 2: "accepted"}
    assert desk.store.returns("refused") == ()


def test_a_claim_in_a_copy_that_changed_stays_sent_too(desk: Desk) -> None:
    desk.transport.body.receive = lambda data, name: []  # type: ignore[method-assign]
    desk.ready(1, lambda number: with_claim(sheet(number, body=BODY)))
    desk.practice.claim(1)
    desk.practice.send()
    (file,) = (file for file in desk.store.files("sent") if file.name.endswith(".dre"))
    lot = {"lot_kind": LotKind.DRE, "lot": "ZZZ"}
    assert apply(desk, about(desk, file, REASONS[3], data=b"noise", **lot)) == "applied"
    assert (desk.store.claim(1).state, set(tasks(desk))) == (
        SheetState.SENT,
        {TaskKind.AWAIT_ARL, TaskKind.RESEND_REFUSED},
    )
    assert apply(desk, about(desk, file, return_id="R2", **lot)) == "applied"
    assert desk.store.claim(1).state is SheetState.ACCEPTED


def test_a_claim_that_is_rejected_is_made_again(desk: Desk) -> None:
    desk.transport.body.receive = lambda data, name: []  # type: ignore[method-assign]
    desk.ready(1, lambda number: with_claim(sheet(number, body=BODY)))
    desk.practice.claim(1)
    desk.practice.send()
    (file,) = (file for file in desk.store.files("sent") if file.name.endswith(".dre"))
    refused = about(desk, file, Rejection("form", "not conforming", 1), lot_kind=LotKind.DRE, lot="ZZZ")
    assert apply(desk, refused) == "applied"
    assert (desk.store.claim(1).state, desk.states()) == (SheetState.REJECTED, {1: "sent"})
    assert set(tasks(desk)) == {TaskKind.AWAIT_ARL, TaskKind.RECTIFY_CLAIM}
    assert desk.practice.claim(1).number == 2
    assert set(tasks(desk)) == {TaskKind.AWAIT_ARL, TaskKind.SEND_CLAIM}
    assert len(desk.practice.send().sent) == 1


def test_a_claim_that_was_given_up_is_over_whatever_its_number_says_of_a_sheet(desk: Desk) -> None:
    """Claim 1 is of sheet 2; sheet 1 is on paper and not printed, so that it could still be accepted."""
    desk.transport.body.receive = lambda data, name: []  # type: ignore[method-assign]
    bodies = {1: BODY, 2: "023490349"}
    desk.ready(2, lambda number: with_claim(sheet(number, body=bodies[number])))
    assert desk.practice.claim(2).number == 1
    desk.practice.send()
    claims, first, _second = sorted(desk.store.files("sent"), key=lambda file: (".fse" in file.name, file.body))
    for file in (first, claims):
        desk.store.give_up(file.name, "no ARL")
    lot = {"lot": "ZZZ", "lot_kind": LotKind.DRE, "body": claims.body}
    with pytest.raises(FseError, match="given-up before"):
        apply(desk, about(desk, claims, **lot))
    assert desk.store.claim(1).state is SheetState.PAPER
    desk.store.refuse_return(desk.store.returns("new")[0].id, "examined")
    assert apply(desk, about(desk, first, return_id="R2")) == "applied"
    assert desk.store.sheet(1).state is SheetState.ACCEPTED


def test_a_file_whose_claim_is_awaited_while_its_sheet_is_forgotten(desk: Desk) -> None:
    """Its bytes are purged with the sheet; an ARL about a copy still does nothing that it should not."""
    desk.transport.body.receive = lambda data, name: []  # type: ignore[method-assign]
    desk.ready(1, lambda number: with_claim(sheet(number, body=BODY)))
    desk.practice.claim(1)
    desk.practice.send()
    sheets, claims = sorted(desk.store.files("sent"), key=lambda file: file.name.endswith(".dre"))
    apply(desk, about(desk, sheets))
    lines = tuple(RspLine(1, payer, PaymentOutcome.PAID, due, due) for payer, due in (("amo", 2100), ("amc", 900)))
    apply(desk, Rsp(SENDER, BODY, "S1", desk.store.today(), "VIREMENT 1", lines, 3000))
    desk.days(91)
    assert desk.practice.purge() == 1
    lot = {"lot_kind": LotKind.DRE, "lot": "ZZZ"}
    assert apply(desk, about(desk, claims, REASONS[3], data=b"noise", return_id="R2", **lot)) == "applied"
    assert desk.store.claim(1).state is SheetState.SENT
    assert apply(desk, about(desk, claims, return_id="R3", **lot)) == "applied"
    assert desk.store.claim(1).state is SheetState.ACCEPTED


# -- in any order -----------------------------------------------------------------------------------------------------


class Hand:
    """A way on which each message waits until somebody carries it, changes it or loses it, in any order."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.out: list[TransportFile] = []
        self.back: list[bytes] = []
        self.inbox: list[bytes] = []

    def send(self, file: TransportFile) -> None:
        self.out.append(file)

    def receive(self) -> list[bytes]:
        return list(self.inbox)

    def delete(self, count: int) -> None:
        del self.inbox[:count]

    def post(self, data: bytes) -> None:
        self.inbox.append(data)

    def carry(self, which: int, altered: int | None = None) -> None:
        """A copy comes to the body, with one bit changed where ``altered`` says, in thousandths of it."""
        if not self.out:
            return
        file = self.out[which % len(self.out)]
        data = bytearray(file.data)
        if altered is not None:
            data[altered * len(data) // 1000] ^= 1 << which % 8
        self.back += self.body.receive(bytes(data), file.name)


class Orders:
    """A practice of two sheets in one file, of one lot or two, whose user does what the work list says."""

    def __init__(self, folder: Path, lots: int = 1) -> None:
        self.clock = VirtualClock(AT)
        self.body = Body(self.clock)
        self.hand = Hand(self.body)
        self.store = Store(folder / "practice.db", self.clock, SENDER, factory=SwiftConnection)
        self.practice = practice(self.store, self.hand)
        for _ in range(2):
            number = self.practice.next_number()
            self.practice.add(sheet(number, body=BODY, payment=Payment.DIRECT))
            self.practice.secured(number, secured(self.practice.invoice(number)))
            if lots == 2:
                self.practice._group()
        self.practice.send()

    def do(self, what: str, number: int) -> None:
        back = self.hand.back
        match what:
            case "good copy":
                self.hand.carry(number)
            case "altered copy":
                self.hand.carry(number, number)
            case "answer" if back:
                self.hand.inbox.append(back.pop(number % len(back)))
                self.practice.receive()
            case "answer twice" if back:
                self.hand.inbox.append(back[number % len(back)])
                self.practice.receive()
            case "answer lost" if back:
                back.pop(number % len(back))
            case "evening":
                self.clock.advance(86_400 * (number % 4))
                self.evening()

    def evening(self) -> None:
        for task in self.practice.work_list():
            self.see_to(task)
        self.practice.send()

    def see_to(self, task: Task) -> None:
        again = (TaskKind.RESEND, TaskKind.RESEND_REFUSED, TaskKind.GIVE_UP)
        if task.kind in again and self.store.file(task.file).state == "sent":
            self.practice.resend(task.file)
        assert task.kind in (*again, TaskKind.AWAIT_ARL, TaskKind.SEND, TaskKind.SEND_AGAIN), task

    def end(self) -> None:
        """From now on nothing more goes wrong, but nothing that is still on its way is taken back."""
        for _ in range(3):
            while self.hand.back:
                self.do("answer", 0)
            self.clock.advance(86_400 * 3)
            self.evening()
            for which in range(len(self.hand.out)):
                self.hand.carry(which)
        while self.hand.back:
            self.do("answer", 0)


EVENTS = ["good copy", "altered copy", "answer", "answer twice", "answer lost", "evening"]


def check(orders: Orders, lots: int = 1) -> None:
    arls = [answer for answer in orders.body.frontal.returns(SENDER) if isinstance(answer, Arl)]
    assert [arl.lot for arl in arls if arl.kind is ArlKind.POSITIVE] == ["000", "001"][:lots]
    codes = {one.code for arl in arls for one in arl.rejections}
    assert not codes & {"duplicate", "lot-repeated"}
    assert {file.name for file in orders.hand.out} == {orders.hand.out[0].name}
    assert {row.state for row in orders.store.sheets()} == {SheetState.ACCEPTED}
    accepts = [what for _, _, what, _ in orders.store.history() if what == "accept"]
    assert len(accepts) == 2
    assert orders.store.returns("refused") == ()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lots=st.sampled_from([1, 2]), events=st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 999)), max_size=14)
)
def test_copies_and_answers_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, lots: int, events: list[tuple[str, int]]
) -> None:
    orders = Orders(tmp_path_factory.mktemp("orders"), lots)
    for what, number in events:
        orders.do(what, number)
    orders.end()
    check(orders, lots)
    orders.store.close()


@pytest.mark.parametrize("lots", [1, 2])
def test_the_late_answer_to_an_altered_copy(tmp_path: Path, lots: int) -> None:
    """It comes after the good copy was accepted, and before the practice knows that."""
    orders = Orders(tmp_path, lots)
    orders.do("altered copy", 300)
    orders.do("evening", 3)
    orders.do("good copy", 0)
    assert len(orders.hand.back) == 2 * lots
    for _ in range(lots):
        orders.do("answer", 0)
    assert {row.state for row in orders.store.sheets()} == {SheetState.SENT}
    orders.do("evening", 0)
    for _ in range(lots):
        orders.do("answer", 0)
    assert {row.state for row in orders.store.sheets()} == {SheetState.ACCEPTED}
    orders.end()
    check(orders, lots)


def test_the_check_can_fail_too(tmp_path: Path) -> None:
    orders = Orders(tmp_path)
    orders.do("good copy", 0)
    file = orders.hand.out[0]
    orders.body.receive(file.data, f"copy of {file.name}")
    orders.end()
    with pytest.raises(AssertionError):
        check(orders)
