"""What there is to do, and until when."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from pathlib import Path

import pytest
from securing_bench import AT
from store_bench import Desk, secured, sheet, with_claim

from bifente.simulator.formats.fse.model import Arl, ArlKind, LotKind, Payment, Rejection, SecuringMode, SheetState
from bifente.simulator.services.frontal.faults import Trouble
from bifente.simulator.software.billing.store import Task, TaskKind, Urgency

# -- the work list; AT is Tuesday 3 March 2026 ------------------------------------------------------------------------


def only(desk: Desk, kind: TaskKind, urgency: Urgency, deadline: date) -> Task:
    (task,) = desk.practice.work_list()
    assert (task.kind, task.urgency, task.deadline) == (kind, urgency, deadline)
    assert task.reason.fr != task.reason.en
    assert "{" not in task.reason.fr + task.reason.en
    return task


def direct(number: int) -> object:
    return sheet(number, payment=Payment.DIRECT)


def third_party(number: int) -> object:
    return sheet(number, payment=Payment.TIERS_PAYANT)


@pytest.mark.parametrize(
    ("made", "last", "days"), [(direct, date(2026, 3, 6), 3), (third_party, date(2026, 3, 13), 10)]
)
def test_a_sheet_to_secure_then_to_send(tmp_path: Path, made: object, last: date, days: int) -> None:
    desk = Desk(tmp_path)
    number = desk.add(made)  # type: ignore[arg-type]
    only(desk, TaskKind.SECURE, Urgency.DUE, last)
    desk.secure(number)
    only(desk, TaskKind.SEND, Urgency.DUE, last)
    desk.days(days)
    only(desk, TaskKind.SEND, Urgency.DUE, last)
    desk.days(1)
    only(desk, TaskKind.SEND, Urgency.OVERDUE, last)


def test_a_missing_arl(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.body.frontal.suffer(Trouble.ARL_MISSING)
    desk.ready()
    (name,) = desk.practice.send().sent
    desk.practice.receive()
    assert only(desk, TaskKind.AWAIT_ARL, Urgency.WAITING, date(2026, 3, 4)).file == name
    desk.days(1)
    only(desk, TaskKind.AWAIT_ARL, Urgency.WAITING, date(2026, 3, 4))
    desk.days(1)
    assert "No ARL" in only(desk, TaskKind.RESEND, Urgency.DUE, date(2026, 3, 6)).reason.en
    desk.practice.resend(name)
    desk.practice.receive()
    only(desk, TaskKind.AWAIT_ARL, Urgency.WAITING, date(2026, 3, 6))
    desk.days(4)
    only(desk, TaskKind.GIVE_UP, Urgency.DUE, date(2026, 3, 10))
    desk.store.give_up(name, "no ARL")
    assert "no ARL" in only(desk, TaskKind.PRINT, Urgency.DUE, date(2026, 3, 11)).reason.en
    desk.store.printed(1)
    assert desk.practice.work_list() == ()


def test_a_missing_arl_that_is_never_seen_to(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.body.frontal.suffer(Trouble.ARL_MISSING)
    desk.ready()
    desk.practice.send()
    desk.days(4)
    only(desk, TaskKind.RESEND, Urgency.OVERDUE, date(2026, 3, 6))


def arl(desk: Desk, *rejections: Rejection, number: str = "again", altered: bool = False) -> None:
    """A negative ARL for the only file, or a copy of it, from a body that is another than ours."""
    (file,) = desk.store.files("sent")
    received = hashlib.sha256(file.data + b"!" * altered).hexdigest()
    answer = Arl(
        ArlKind.NEGATIVE, file.name, received, desk.store.sender, file.body, LotKind.FSE, "000", number,
        desk.store.today(), desk.store.today(), rejections,
    )  # fmt: skip
    desk.store.keep_return(number.encode())
    (row,) = desk.store.returns("new")
    desk.store.apply_arl(row.id, answer)


def test_a_rejected_sheet_and_its_neighbour(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.body.frontal.suffer(Trouble.ARL_MISSING)
    desk.ready(2, lambda number: sheet(number, body="013490349"))
    desk.practice.send()
    desk.days(1)
    arl(desk, Rejection("form", "not conforming", 1))
    rectify, again = desk.practice.work_list()
    assert (rectify.kind, rectify.number, rectify.deadline) == (TaskKind.RECTIFY, 1, date(2026, 3, 6))
    assert (again.kind, again.number, again.deadline) == (TaskKind.SEND_AGAIN, 2, date(2026, 3, 6))
    assert "form not conforming" in rectify.reason.fr
    # A rectified sheet keeps the delay of its rejection.
    desk.days(1)
    changed = sheet(1, body="013490349", on=desk.store.today())
    desk.practice.add(changed)
    tasks = {task.number: (task.kind, task.deadline) for task in desk.practice.work_list()}
    assert tasks[1] == (TaskKind.SECURE, date(2026, 3, 6))
    desk.practice.secured(1, secured(changed))
    tasks = {task.number: (task.kind, task.deadline) for task in desk.practice.work_list()}
    assert tasks[1] == (TaskKind.SEND_AGAIN, date(2026, 3, 6))


def test_a_file_that_came_altered(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.body.frontal.suffer(Trouble.ARL_MISSING)
    desk.ready()
    desk.practice.send()
    desk.days(1)
    arl(desk, Rejection("file-unreadable", "unreadable"), altered=True)
    task = only(desk, TaskKind.RESEND_REFUSED, Urgency.DUE, date(2026, 3, 6))
    assert "unreadable" in task.reason.en
    desk.body.frontal.suffer()
    desk.practice.resend(task.file)
    desk.practice.receive()
    assert desk.states() == {1: SheetState.ACCEPTED.value}


def test_a_payment_that_is_awaited_then_claimed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ready(1, third_party)  # type: ignore[arg-type]
    desk.practice.send()
    desk.practice.receive()
    only(desk, TaskKind.AWAIT_PAYMENT, Urgency.WAITING, date(2026, 3, 12))
    desk.days(10)
    only(desk, TaskKind.CLAIM_PAYMENT, Urgency.DUE, date(2026, 3, 16))
    desk.days(4)
    only(desk, TaskKind.CLAIM_PAYMENT, Urgency.OVERDUE, date(2026, 3, 16))
    desk.pay(0)
    assert desk.practice.work_list() == ()


def test_a_payment_is_awaited_from_the_last_acceptance(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ready(1, lambda number: with_claim(sheet(number)))
    desk.practice.send()
    desk.practice.receive()
    desk.days(3)
    desk.practice.claim(1)
    desk.practice.send()
    desk.practice.receive()
    only(desk, TaskKind.AWAIT_PAYMENT, Urgency.WAITING, date(2026, 3, 17))


def test_a_payment_that_is_rejected(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    ended = ((date(2020, 1, 1), date(2026, 1, 31)),)
    desk.ready(1, lambda number: sheet(number, payment=Payment.TIERS_PAYANT, beneficiary__rights=ended))
    desk.practice.send()
    desk.practice.receive()
    desk.pay(6)
    task = only(desk, TaskKind.RECTIFY_PAYMENT, Urgency.DUE, date(2026, 3, 19))
    assert "rights-closed" in task.reason.en
    desk.store.abandon(1, "the patient pays")
    assert desk.practice.work_list() == ()
    assert desk.store.sheet(1).reason


def test_the_document_of_a_degraded_sheet(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ready(1, lambda number: sheet(number, mode=SecuringMode.DEGRADED, payment=Payment.DIRECT))
    desk.practice.send()
    desk.practice.receive()
    only(desk, TaskKind.SEND_PROOF, Urgency.DUE, date(2026, 3, 6))
    desk.store.set_proof(1, "failed")
    only(desk, TaskKind.RETRY_PROOF, Urgency.DUE, date(2026, 3, 10))
    desk.days(2)
    desk.store.set_proof(1, "failed")  # the five days still run from the first failure
    only(desk, TaskKind.RETRY_PROOF, Urgency.DUE, date(2026, 3, 10))
    desk.store.set_proof(1, "sent")
    assert desk.practice.work_list() == ()
    assert desk.store.sheet(1).closed == date(2026, 3, 5)


def test_a_claim_has_its_own_line(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.body.frontal.suffer(Trouble.ARL_MISSING)
    desk.ready(1, lambda number: with_claim(sheet(number)))
    desk.practice.claim(1)
    kinds = {task.kind: task for task in desk.practice.work_list()}
    assert set(kinds) == {TaskKind.SEND, TaskKind.SEND_CLAIM}
    assert kinds[TaskKind.SEND_CLAIM].claim == 1
    assert kinds[TaskKind.SEND_CLAIM].deadline == date(2026, 3, 13)
    desk.practice.send()
    assert [task.kind for task in desk.practice.work_list()] == [TaskKind.AWAIT_ARL] * 2
    desk.days(2)
    assert [task.kind for task in desk.practice.work_list()] == [TaskKind.RESEND] * 2


def test_the_most_urgent_first(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.add(lambda number: sheet(number, payment=Payment.TIERS_PAYANT))
    desk.add(lambda number: sheet(number, payment=Payment.DIRECT))
    assert [task.number for task in desk.practice.work_list()] == [2, 1]
    desk.days(4)
    assert [(task.number, task.urgency) for task in desk.practice.work_list()] == [
        (2, Urgency.OVERDUE),
        (1, Urgency.DUE),
    ]


def test_another_day_can_be_asked_for(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.add()
    (task,) = desk.practice.work_list(AT.date() + timedelta(days=30))
    assert task.urgency is Urgency.OVERDUE


def test_the_double_is_kept_for_ninety_whole_days(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ready(2)
    desk.practice.send()
    desk.practice.receive()
    desk.pay()
    assert {row.closed for row in desk.store.sheets()} == {AT.date()}
    desk.days(84)
    assert desk.store.today() == AT.date() + timedelta(days=90)
    assert desk.practice.work_list() == ()
    assert desk.practice.purge() == 0
    assert desk.store.sheet(1).secured is not None
    desk.days(1)
    tasks = desk.practice.work_list()
    assert [(task.kind, task.urgency, task.number) for task in tasks] == [
        (TaskKind.PURGE, Urgency.DUE, 1),
        (TaskKind.PURGE, Urgency.DUE, 2),
    ]
    assert desk.practice.purge() == 2
    assert desk.practice.purge() == 0
    assert desk.practice.work_list() == ()
    row = desk.store.sheet(1)
    assert (row.content, row.secured, row.state) == (None, None, SheetState.ACCEPTED)
    assert list(desk.store.history("sheet 1"))[-1][2] == "purge"
