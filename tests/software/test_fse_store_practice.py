"""The practice and its store: states, lots and files, what comes back, and everything that is refused."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securing_bench import AT
from store_bench import BODIES, SENDER, Desk, PowerCut, secured, sheet, sign_lot, with_claim

from bifente.ground.clock import VirtualClock
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.lots import decode_lot
from bifente.simulator.formats.fse.model import (
    Arl,
    ArlKind,
    Lot,
    LotKind,
    Payment,
    PaymentOutcome,
    Rejection,
    Rsp,
    RspLine,
    SecuredInvoice,
    SheetState,
)
from bifente.simulator.formats.fse.numbers import Sequence
from bifente.simulator.formats.fse.returns import encode_return
from bifente.simulator.services.frontal.faults import Trouble
from bifente.simulator.serving.mail import TransportError, TransportFailure
from bifente.simulator.software.billing.store import TRANSITIONS, Move, Store, TaskKind
from bifente.simulator.software.billing.store.database import Database
from bifente.simulator.software.billing.store.schema import MIGRATIONS
from bifente.simulator.software.billing.store.states import after


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# -- states -----------------------------------------------------------------------------------------------------------


def test_a_number_is_recycled_only_after_a_rejection() -> None:
    """SV-FSE-22; sources#care-sheet."""
    back = {state for (state, _), then in TRANSITIONS.items() if then in (SheetState.PENDING, SheetState.VALIDATED)}
    assert back - {SheetState.PENDING} == {SheetState.REJECTED, SheetState.PAYMENT_REJECTED}
    assert [move for state, move in TRANSITIONS if state is SheetState.PAID] == [Move.REVERSE]


@given(st.sampled_from(SheetState), st.sampled_from(Move))
def test_nothing_happens_that_is_not_in_the_table(state: SheetState, move: Move) -> None:
    if (state, move) in TRANSITIONS:
        assert after(state, move, "sheet 1") is TRANSITIONS[state, move]
    else:
        with pytest.raises(FseError, match=f"it is {state.value}: it cannot {move.value}"):
            after(state, move, "sheet 1")


def test_the_way_of_a_sheet(desk: Desk) -> None:
    desk.ready(1, lambda number: sheet(number, payment=Payment.TIERS_PAYANT))
    assert desk.states() == {1: "validated"}
    desk.practice.send()
    assert desk.states() == {1: "sent"}
    desk.practice.receive()
    assert desk.states() == {1: "accepted"}
    desk.pay()
    assert desk.states() == {1: "paid"}
    assert [what for _, _, what, _ in desk.store.history("sheet 1")] == [
        "add", "secure", "send", "accept", "paid", "pay",
    ]  # fmt: skip


# -- sheets -----------------------------------------------------------------------------------------------------------


def test_a_number_must_be_reserved(desk: Desk) -> None:
    with pytest.raises(FseError, match="was not reserved"):
        desk.practice.add(sheet(1))
    assert desk.practice.next_number() == 1
    desk.practice.add(sheet(1))


@pytest.mark.parametrize("until", ["pending", "validated", "sent", "accepted"])
def test_a_number_is_taken_until_its_sheet_is_rejected(desk: Desk, until: str) -> None:
    number = desk.add()
    if until != "pending":
        desk.secure(number)
    if until in ("sent", "accepted"):
        desk.practice.send()
    if until == "accepted":
        desk.practice.receive()
    assert desk.states() == {number: until}
    with pytest.raises(FseError, match=f"taken by a sheet that is {until}"):
        desk.practice.add(sheet(number))


def test_another_sender_has_another_store(desk: Desk) -> None:
    number = desk.practice.next_number()
    ours = sheet(number)
    theirs = replace(ours, professional=replace(ours.professional, billing_id="991000027"))
    with pytest.raises(FseError, match="this is the store of 991000019"):
        desk.practice.add(theirs)


def test_what_is_signed_is_what_was_added(desk: Desk) -> None:
    number = desk.add()
    other = secured(sheet(number, care_path="R"))
    with pytest.raises(FseError, match="is not this sheet"):
        desk.practice.secured(number, other)
    assert desk.states() == {number: "pending"}


def test_a_sheet_is_secured_once(desk: Desk) -> None:
    (number,) = desk.ready()
    with pytest.raises(FseError, match="validated: it cannot secure"):
        desk.secure(number)


@pytest.mark.parametrize("number", [0, 7])
def test_no_such_sheet(desk: Desk, number: int) -> None:
    for use in (desk.store.sheet, desk.practice.invoice, desk.practice.claim, desk.store.printed):
        with pytest.raises(FseError, match="there is none"):
            use(number)


# -- lots and files ---------------------------------------------------------------------------------------------------


def test_one_lot_and_one_file_a_body(desk: Desk) -> None:
    """SEED-FSE-04, SV-FSE-04."""
    desk.ready(7)
    sending = desk.practice.send()
    assert len(sending.sent) == len(BODIES)
    assert [number for _, number in desk.body.lots()] == ["000", "001", "002"]
    assert desk.body.carried() == list(range(1, 8))


def test_claims_have_lots_of_their_own(desk: Desk) -> None:
    """SEED-FSE-14."""
    desk.ready(2, lambda number: with_claim(sheet(number, body="013490349")))
    desk.practice.claim(1)
    desk.practice.claim(2)
    sending = desk.practice.send()
    assert desk.body.lots() == [("fse", "000"), ("dre", "ZZZ")]
    assert len(sending.sent) == 2
    desk.practice.receive()
    desk.pay()
    assert set(desk.states().values()) == {"paid"}
    assert {one.payer: one.paid for one in desk.store.payments(1)} == {"amo": 2100, "amc": 900}


def test_a_claim_waits_for_its_sheet(desk: Desk) -> None:
    number = desk.add(lambda number: with_claim(sheet(number)))
    desk.practice.claim(number)
    assert desk.practice.send().sent == ()
    desk.secure(number)
    assert len(desk.practice.send().sent) == 2


def test_one_claim_stands_beside_a_sheet(desk: Desk) -> None:
    desk.ready(1, lambda number: with_claim(sheet(number)))
    first = desk.practice.claim(1)
    with pytest.raises(FseError, match="claim 1 stands for sheet 1"):
        desk.practice.claim(1)
    with pytest.raises(FseError, match="only what was sent is cancelled"):
        desk.practice.cancel_claim(first.number)
    desk.practice.send()
    cancel = desk.practice.cancel_claim(first.number)
    assert (cancel.cancels, cancel.number) == (1, 2)  # what was refused gave its number back with its transaction
    with pytest.raises(FseError, match="cancelled already"):
        desk.practice.cancel_claim(first.number)
    assert desk.practice.claim(1).number == 3


def test_a_sheet_without_complementary_has_no_claim(desk: Desk) -> None:
    desk.ready()
    with pytest.raises(FseError, match="no complementary insurer"):
        desk.practice.claim(1)


def test_a_card_that_fails_leaves_the_lots_to_sign(desk: Desk, tmp_path: Path) -> None:
    desk.ready(6)
    signed: list[Lot] = []

    def fails_at_the_second(lot: Lot) -> Lot:
        if signed:
            raise RuntimeError("F003")
        signed.append(lot)
        return sign_lot(lot)

    desk.practice._sign_lot = fails_at_the_second
    with pytest.raises(RuntimeError, match="F003"):
        desk.practice.send()
    assert set(desk.states().values()) == {"validated"}
    assert [(lot.number, lot.signed) for lot in desk.store.lots_without_file()] == [
        ("000", True), ("001", False), ("002", False),
    ]  # fmt: skip
    desk.practice._sign_lot = sign_lot
    assert len(desk.practice.send().sent) == 3
    assert [number for _, number in desk.body.lots()] == ["000", "001", "002"]


def test_a_body_that_is_down_keeps_its_files_waiting(desk: Desk) -> None:
    desk.ready(1, lambda number: sheet(number, body="013490349"))
    desk.transport.down = TransportError(TransportFailure.SERVER_DOWN, "down", 421)
    (failed,) = desk.practice.send().failed
    assert desk.states() == {1: "validated"}
    desk.ready(1, lambda number: sheet(number, body="013490349"))
    sending = desk.practice.send()
    assert (sending.sent, len(sending.failed)) == ((), 1)  # the second one is not tried before the first
    desk.transport.down = None
    sent = desk.practice.send().sent
    assert sent[0] == failed[0]
    assert [number for _, number in desk.body.lots()] == ["000", "001"]


def test_the_same_file_again_is_the_same_bytes(desk: Desk) -> None:
    desk.body.frontal.suffer(Trouble.ARL_MISSING)
    desk.ready()
    (name,) = desk.practice.send().sent
    desk.body.frontal.suffer()
    assert desk.practice.resend(name).sent == (name,)
    assert desk.transport.sent[0] == desk.transport.sent[1]
    desk.practice.receive()
    assert desk.states() == {1: "accepted"}
    with pytest.raises(FseError, match="only a file that waits"):
        desk.practice.resend(name)
    with pytest.raises(FseError, match="there is none"):
        desk.practice.resend("other")


def test_a_file_that_was_given_up_never_goes_again(desk: Desk) -> None:
    """SV-FSE-09."""
    desk.ready()
    desk.transport.down = TransportError(TransportFailure.SERVER_DOWN, "down", 421)
    ((name, _),) = desk.practice.send().failed
    with pytest.raises(FseError, match=f"file {name} carries it"):
        desk.store.paper(1, "down for good")
    assert desk.store.give_up(name, "down for good") == (1,)
    desk.transport.down = None
    assert desk.practice.send().sent == ()
    with pytest.raises(FseError, match="given-up"):
        desk.practice.resend(name)
    with pytest.raises(FseError, match="given-up"):
        desk.store.give_up(name, "again")
    desk.store.printed(1)
    with pytest.raises(FseError, match="no paper is awaited"):
        desk.store.printed(1)
    assert desk.states() == {1: "paper"}


def test_a_late_arl_takes_back_a_paper_that_is_not_printed(desk: Desk) -> None:
    desk.transport.keeps_returns = True
    desk.ready(2, lambda number: sheet(number, payment=Payment.DIRECT))
    for name in desk.practice.send().sent:
        desk.store.give_up(name, "no ARL")
    desk.store.printed(2)
    for answer in desk.body.frontal.returns():
        desk.practice.received(encode_return(answer))
    assert desk.states() == {1: "accepted", 2: "paper"}
    (task,) = desk.practice.work_list()
    assert task.kind is TaskKind.EXAMINE
    assert "given-up before" in task.reason.en
    desk.store.examined(task.number)
    assert desk.practice.work_list() == ()


# -- returns ----------------------------------------------------------------------------------------------------------


def an_arl(desk: Desk, *rejections: Rejection, **changes: object) -> Arl:
    (file,) = desk.store.files("sent", "ready")
    today = desk.store.today()
    kind = ArlKind.NEGATIVE if rejections else ArlKind.POSITIVE
    received = hashlib.sha256(file.data).hexdigest()
    arl = Arl(kind, file.name, received, SENDER, file.body, LotKind.FSE, "000", "R1", today, today, rejections)
    return replace(arl, **changes)  # type: ignore[arg-type]


def apply_arl(desk: Desk, *rejections: Rejection, **changes: object) -> None:
    arl = an_arl(desk, *rejections, **changes)
    apply(desk, arl)


def apply(desk: Desk, answer: Arl | Rsp) -> None:
    desk.store.keep_return(repr(answer).encode())
    (row,) = desk.store.returns("new")
    apply_one = desk.store.apply_arl if isinstance(answer, Arl) else desk.store.apply_rsp
    apply_one(row.id, answer)  # type: ignore[arg-type]


def silent(desk: Desk, count: int = 1, **changes: object) -> None:
    """Sheets on their way to a body that hears nothing."""
    desk.transport.body.receive = lambda data, name: []  # type: ignore[method-assign]
    desk.ready(count, lambda number: sheet(number, **{"body": "013490349", **changes}))
    desk.practice.send()


@pytest.mark.parametrize(
    "changes",
    [{"lot": "001"}, {"file": "other"}, {"body": "023490349"}, {"sender": "991000027"}, {"lot_kind": LotKind.DRE}],
)
def test_an_arl_of_something_else(desk: Desk, changes: dict[str, object]) -> None:
    silent(desk)
    with pytest.raises(FseError, match="no such lot"):
        apply_arl(desk, **changes)
    assert desk.states() == {1: "sent"}


def test_an_arl_that_comes_again(desk: Desk) -> None:
    silent(desk)
    arl = an_arl(desk)
    apply(desk, arl)
    apply(desk, replace(arl, on=date(2026, 3, 4)))  # the same return id
    apply(desk, replace(arl, return_id="R2"))  # another one, of the same lot
    assert desk.states() == {1: "accepted"}
    assert len([what for _, _, what, _ in desk.store.history("sheet 1") if what == "accept"]) == 1


def test_an_arl_that_contradicts(desk: Desk) -> None:
    silent(desk)
    arl = an_arl(desk, Rejection("form", "not conforming", 1), return_id="R2")
    apply_arl(desk)
    with pytest.raises(FseError, match="it is rejected, the lot was accepted before"):
        apply(desk, arl)
    assert desk.states() == {1: "accepted"}


def test_an_arl_that_comes_before_the_sending_is_known(desk: Desk) -> None:
    """The machine stopped between the sending and its note: the ARL tells that it was sent."""
    desk.ready()
    desk.practice.make_lots()
    assert desk.states() == {1: "validated"}
    (file,) = desk.store.files("ready")
    apply_arl(desk, body=file.body)
    assert desk.states() == {1: "accepted"}
    assert desk.practice.send().sent == ()


def test_a_negative_arl_names_what_is_wrong(desk: Desk) -> None:
    """SV-FSE-11, SV-FSE-24: the lot is rejected; what it does not name goes out again, in another lot."""
    silent(desk, 3)
    apply_arl(desk, Rejection("form", "not conforming", 2, "group 1110"))
    assert desk.states() == {1: "validated", 2: "rejected", 3: "validated"}
    assert desk.store.sheet(2).reason == "form not conforming"
    desk.practice.send()
    assert len(desk.store.files("sent")) == 1
    assert desk.states() == {1: "sent", 2: "rejected", 3: "sent"}
    lots = [decode_lot(row["data"]) for row in desk.store._db.rows("SELECT data FROM lots")]
    assert [lot.number for lot in lots] == ["000", "001"]


def test_a_rectified_sheet_has_the_same_number(desk: Desk) -> None:
    silent(desk)
    apply_arl(desk, Rejection("form", "not conforming", 1))
    desk.practice.add(sheet(1, body="013490349", care_path="R"))
    row = desk.store.sheet(1)
    assert (row.state, row.generation, row.secured) == (SheetState.PENDING, 2, None)
    desk.secure(1)
    desk.practice.send()
    assert desk.states() == {1: "sent"}


def rsp(desk: Desk, *lines: RspLine, **changes: object) -> Rsp:
    total = sum(line.paid for line in lines)
    made = Rsp(SENDER, "013490349", "S1", desk.store.today(), "VIREMENT 1", lines, total)
    return replace(made, **changes)  # type: ignore[arg-type]


PAID = RspLine(1, "amo", PaymentOutcome.PAID, 2100, 2100)
REFUSED = RspLine(1, "amo", PaymentOutcome.REJECTED, 2100, 0, Rejection("rights-closed", "rights closed", 1))


def test_payments_before_the_arl_wait_for_it(desk: Desk) -> None:
    silent(desk, payment=Payment.TIERS_PAYANT)
    apply(desk, rsp(desk, PAID))
    assert desk.states() == {1: "sent"}
    apply_arl(desk)
    assert desk.states() == {1: "paid"}


def test_an_rsp_is_applied_once(desk: Desk) -> None:
    silent(desk, payment=Payment.TIERS_PAYANT)
    apply_arl(desk)
    apply(desk, rsp(desk, PAID))
    apply(desk, rsp(desk, PAID, transfer="VIREMENT 2"))
    assert len(desk.store._db.rows("SELECT * FROM payments")) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"total": 2101}, "its total is 2101, its lines pay 2100"),
        ({"sender": "991000027"}, "it is for 991000027"),
        ({"lines": (PAID, replace(PAID, invoice=9)), "total": 4200}, "sheet 9 was never made here"),
    ],
)
def test_an_rsp_that_is_refused_changes_nothing(desk: Desk, changes: dict[str, object], words: str) -> None:
    silent(desk, payment=Payment.TIERS_PAYANT)
    apply_arl(desk)
    with pytest.raises(FseError, match=words):
        apply(desk, rsp(desk, PAID, **changes))
    assert desk.store.payments(1) == ()
    assert desk.states() == {1: "accepted"}


def test_a_payment_after_a_refusal(desk: Desk) -> None:
    silent(desk, payment=Payment.TIERS_PAYANT)
    apply_arl(desk)
    apply(desk, rsp(desk, REFUSED))
    assert desk.states() == {1: "payment-rejected"}
    assert desk.store.sheet(1).reason == "amo: rights-closed rights closed"
    apply(desk, rsp(desk, PAID, return_id="S2"))
    assert desk.states() == {1: "paid"}


def test_what_was_said_of_the_sheet_before_is_not_said_of_the_new_one(desk: Desk) -> None:
    silent(desk, payment=Payment.TIERS_PAYANT)
    apply_arl(desk)
    apply(desk, rsp(desk, REFUSED))
    desk.practice.add(sheet(1, body="013490349", payment=Payment.TIERS_PAYANT, care_path="R"))
    apply(desk, rsp(desk, PAID, return_id="S2"))
    assert desk.store.payments(1) == ()
    assert desk.states() == {1: "pending"}


def test_a_refused_direct_sheet_opens_again(desk: Desk) -> None:
    silent(desk, payment=Payment.DIRECT)
    apply_arl(desk)
    assert desk.store.sheet(1).closed is not None
    apply(desk, rsp(desk, REFUSED))
    row = desk.store.sheet(1)
    assert (row.state, row.closed) == (SheetState.PAYMENT_REJECTED, None)


def test_half_of_the_payers_is_not_all(desk: Desk) -> None:
    desk.transport.body.receive = lambda data, name: []  # type: ignore[method-assign]
    desk.ready(1, lambda number: with_claim(sheet(number, body="013490349")))
    desk.practice.send()
    apply_arl(desk)
    apply(desk, rsp(desk, PAID))
    assert desk.states() == {1: "accepted"}
    apply(desk, rsp(desk, RspLine(1, "amc", PaymentOutcome.PAID, 900, 900), return_id="S2"))
    assert desk.states() == {1: "paid"}


@pytest.mark.parametrize("data", [b"", b"not a return", b"\x00" * 500])
def test_what_cannot_be_read_is_kept_to_be_examined(desk: Desk, data: bytes) -> None:
    assert desk.practice.received(data) == ()
    (task,) = desk.practice.work_list()
    assert task.kind is TaskKind.EXAMINE
    assert desk.store.returns("refused")[0].data == data
    desk.store.examined(task.number)
    with pytest.raises(FseError, match="not one to examine"):
        desk.store.examined(task.number)


def test_what_became_of_a_return_does_not_change(desk: Desk) -> None:
    desk.practice.received(b"not a return")
    (row,) = desk.store.returns("refused")
    with pytest.raises(FseError, match="not a new one"):
        desk.store.refuse_return(row.id, "once more")
    assert desk.store.returns("refused") == (row,)


def test_returns_left_by_a_crash_are_applied_at_the_next_receiving(desk: Desk) -> None:
    desk.ready()
    desk.practice.send()
    for data in desk.transport.receive():
        desk.store.keep_return(data)
    assert desk.states() == {1: "sent"}
    desk.practice.receive()
    assert desk.states() == {1: "accepted"}


def paid_on_its_way(desk: Desk) -> None:
    """Sheet 3 is accepted, and its payment, which the body says once only, is in the mailbox."""
    desk.ready(3)
    desk.practice.send()
    desk.practice.receive()
    desk.days(6)
    for answer in desk.body.frontal.settle():
        desk.transport.post(encode_return(answer))
    assert desk.transport.inbox
    assert desk.states()[3] == "accepted"


def stopped(*_: object) -> None:
    """In place of an operation before which the process stops."""
    raise PowerCut


def payments_told(desk: Desk) -> list[str]:
    return [what for _, _, what, _ in desk.store.history("sheet 3") if what == "paid"]


@pytest.mark.parametrize("where", ["transport.delete", "store.keep_return", "practice._apply", "store.apply_rsp"])
def test_a_return_is_not_lost_nor_applied_twice_where_receiving_stops(
    desk: Desk, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid_on_its_way(desk)
    target, name = where.split(".")
    with monkeypatch.context() as patch:
        patch.setattr(getattr(desk, target), name, stopped)
        with pytest.raises(PowerCut):
            desk.practice.receive()
    assert desk.states()[3] == "accepted"
    desk.practice.receive()
    assert desk.states()[3] == "paid"
    desk.practice.receive()
    assert desk.transport.inbox == []
    assert payments_told(desk) == ["paid"]
    assert desk.store.returns("refused") == ()


def test_the_mailbox_is_emptied_only_of_what_is_committed(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid_on_its_way(desk)
    seen: list[int] = []

    def look(count: int) -> None:
        with sqlite3.connect(tmp_path / "practice.db") as other:
            kept = {data for (data,) in other.execute("SELECT data FROM returns")}
        assert set(desk.transport.inbox[:count]) <= kept
        seen.append(count)

    monkeypatch.setattr(desk.transport, "delete", look)
    desk.practice.receive()
    assert seen == [1]


def test_what_arrives_while_returns_are_kept_stays_for_the_next_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid_on_its_way(desk)
    keep = desk.store.keep_return

    def kept(data: bytes) -> bool:
        desk.transport.post(b"another")
        return keep(data)

    monkeypatch.setattr(desk.store, "keep_return", kept)
    desk.practice.receive()
    assert desk.transport.inbox == [b"another"]
    assert desk.states()[3] == "paid"


# -- the file ---------------------------------------------------------------------------------------------------------


def test_what_is_committed_is_on_the_disk(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db")
    assert database.value("PRAGMA journal_mode") == "wal"
    assert database.value("PRAGMA synchronous") == 2  # FULL
    assert database.value("PRAGMA foreign_keys") == 1
    assert database.value("PRAGMA user_version") == len(MIGRATIONS)
    database.close()
    assert [found.name for found in tmp_path.iterdir()] == ["a.db"]  # one file again


def test_a_store_of_somebody_else(tmp_path: Path) -> None:
    clock = VirtualClock(AT)
    Store(tmp_path / "a.db", clock, SENDER).close()
    with pytest.raises(FseError, match="the store of sender 991000019"):
        Store(tmp_path / "a.db", clock, "991000027")


@pytest.mark.parametrize("what", ["text", "other database", "newer"])
def test_a_file_that_is_no_store(tmp_path: Path, what: str) -> None:
    path = tmp_path / "a.db"
    if what == "text":
        path.write_bytes(b"not a database at all" * 100)
    elif what == "other database":
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE t (a)")
        other.close()
    else:
        Store(path, VirtualClock(AT), SENDER).close()
        other = sqlite3.connect(path)
        other.execute("PRAGMA user_version = 99")
        other.close()
    before = path.read_bytes()
    with pytest.raises(FseError, match=r"no store|version 99"):
        Store(path, VirtualClock(AT), SENDER)
    assert path.read_bytes() == before


def test_a_member_cannot_be_in_two_lots(desk: Desk) -> None:
    desk.ready()
    desk.practice.make_lots()
    rank = desk.store.reserve(Sequence.LOT_FSE)
    with pytest.raises(FseError, match="fse 1 is not to be sent"):
        desk.store.add_lot(LotKind.FSE, rank, "001", "013490349", b"x", [1])


def test_an_unsigned_sheet_that_was_forgotten_is_refused_by_the_body(desk: Desk) -> None:
    number = desk.add()
    content = secured(desk.practice.invoice(number)).content
    desk.practice.secured(number, SecuredInvoice(content))
    desk.practice.send()
    desk.practice.receive()
    assert desk.states() == {number: "rejected"}
    assert "signature-missing" in desk.store.sheet(number).reason


def test_what_is_asked_every_day_reads_no_whole_table(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    rows = Database.rows

    def told(self: Database, statement: str, *values: object) -> list[sqlite3.Row]:
        asked.extend(row["detail"] for row in rows(self, "EXPLAIN QUERY PLAN " + statement, *values))
        return rows(self, statement, *values)

    monkeypatch.setattr(Database, "rows", told)
    desk.practice.work_list()
    desk.practice.send()
    desk.practice.receive()
    desk.practice.purge()
    assert len(asked) > 10
    assert [plan for plan in asked if plan.startswith("SCAN") and "USING INDEX" not in plan] == []
