"""What there is to do today: every sheet of which something is awaited has its line, with a reason and a deadline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache

from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.formats.fse.model import SheetState
from bifente.simulator.software.billing.store.rows import ClaimRow, ReturnRow, SheetRow
from bifente.simulator.software.billing.store.store import Store
from bifente.simulator.tarification.deadlines import DeadlineRule, Deadlines
from bifente.simulator.tarification.penalties import penalty


class TaskKind(StrEnum):
    """What is to be done, or awaited (``await-...``)."""

    SECURE = "secure"
    SEND = "send"
    SEND_AGAIN = "send-again"
    RESEND = "resend"
    RESEND_REFUSED = "resend-refused"
    GIVE_UP = "give-up"
    AWAIT_ARL = "await-arl"
    RECTIFY = "rectify"
    AWAIT_PAYMENT = "await-payment"
    CLAIM_PAYMENT = "claim-payment"
    RECTIFY_PAYMENT = "rectify-payment"
    EXAMINE_PAYMENT = "examine-payment"
    SEND_PROOF = "send-proof"
    RETRY_PROOF = "retry-proof"
    PRINT = "print"
    SEND_CLAIM = "send-claim"
    RECTIFY_CLAIM = "rectify-claim"
    EXAMINE = "examine"
    PURGE = "purge"


class Urgency(StrEnum):
    """Whose turn it is: somebody else's, ours until the deadline, ours and too late."""

    WAITING = "waiting"
    DUE = "due"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Task:
    """One line. ``number`` is the sheet (of an ``examine`` line: the rank of the return), ``claim`` and ``file`` what
    else is concerned. ``deadline`` is the last day in time; of a purge, the first day on which it may be done.
    """

    kind: TaskKind
    urgency: Urgency
    deadline: date
    reason: Text
    number: int
    claim: int | None = None
    file: str = ""


_WAITING = frozenset({TaskKind.AWAIT_ARL, TaskKind.AWAIT_PAYMENT})


def work_list(store: Store, deadlines: Deadlines, today: date | None = None) -> tuple[Task, ...]:
    """The lines of the day, the most urgent first: overdue, due, waiting, each by deadline then number."""
    day = today or store.today()
    maker = _Maker(deadlines, day)
    tasks: list[Task] = []
    for sheet in store.open_sheets():
        tasks += maker.of_sheet(sheet)
    for claim in store.open_claims():
        tasks += maker.of_claim(claim)
    tasks += map(maker.of_return, store.returns("refused"))
    tasks += map(maker.of_purge, store.purgeable(last_kept(deadlines, day)))
    order = {Urgency.OVERDUE: 0, Urgency.DUE: 1, Urgency.WAITING: 2}
    return tuple(sorted(tasks, key=lambda task: (order[task.urgency], task.deadline, task.number, task.kind)))


def last_kept(deadlines: Deadlines, today: date) -> date:
    """Sheets closed before this day have been kept for all the days that they must be."""
    return today - timedelta(days=deadlines.rules.retention.days)


class _Maker:
    def __init__(self, deadlines: Deadlines, today: date) -> None:
        self._deadlines = deadlines
        self._after = deadlines.after
        self._rules = deadlines.rules
        self._today = today

    def of_sheet(self, sheet: SheetRow) -> Iterator[Task]:
        match sheet.state:
            case SheetState.PENDING:
                # A rectified sheet has the delay of what was rejected, not a new one of its own.
                deadline = self._retry(sheet.retry_since) if sheet.retry_since else self._first_sending(sheet)
                yield self._task(TaskKind.SECURE, deadline, sheet)
            case SheetState.VALIDATED if sheet.retry_since:
                yield self._task(TaskKind.SEND_AGAIN, self._retry(sheet.retry_since), sheet)
            case SheetState.VALIDATED:
                yield self._task(TaskKind.SEND, self._first_sending(sheet), sheet)
            case SheetState.SENT:
                yield self._of_sent(sheet)
            case SheetState.ACCEPTED if sheet.third_party:
                # The complementary part is not awaited before its claim is accepted, nothing before the paper left.
                sent = sheet.last_sent or sheet.since
                paper = sheet.proof_since if sheet.proof else None
                begun = max(sent, sheet.claimed or sent, paper or sent)
                deadline = self._after(begun, self._rules.payment)
                if self._today <= deadline:
                    yield self._task(TaskKind.AWAIT_PAYMENT, deadline, sheet)
                else:
                    owed = penalty(sheet.amo + sheet.amc, begun, self._today, self._deadlines)
                    claim_by = self._after(deadline, self._rules.claim_payment)
                    yield self._made(
                        TaskKind.CLAIM_PAYMENT,
                        claim_by,
                        sheet.number,
                        file=sheet.file,
                        body=sheet.body,
                        penalty=f"{owed // 100},{owed % 100:02} EUR",
                    )
            case SheetState.REJECTED:
                yield self._task(TaskKind.RECTIFY, self._retry(sheet.since), sheet)
            case SheetState.PAYMENT_REJECTED:
                deadline = self._after(sheet.since, self._rules.payment_rejection)
                yield self._task(TaskKind.RECTIFY_PAYMENT, deadline, sheet)
            case SheetState.PAID if sheet.short:
                deadline = self._after(sheet.since, self._rules.payment_rejection)
                yield self._made(TaskKind.EXAMINE_PAYMENT, deadline, sheet.number, reason=sheet.short)
            case SheetState.PAPER:
                yield self._task(TaskKind.PRINT, self._after(sheet.since, self._rules.paper), sheet)
            case _:
                pass  # only its document is awaited
        if sheet.proof and sheet.proof_since and sheet.proof != "sent":
            kind = TaskKind.RETRY_PROOF if sheet.proof == "failed" else TaskKind.SEND_PROOF
            rule = self._rules.proof if sheet.proof == "failed" else self._sending_rule(sheet)
            yield self._task(kind, self._after(sheet.proof_since, rule), sheet)

    def of_claim(self, claim: ClaimRow) -> Iterator[Task]:
        if claim.state is SheetState.REJECTED:
            yield self._claim_task(TaskKind.RECTIFY_CLAIM, self._retry(claim.since), claim)
        elif claim.state is SheetState.SENT:
            assert claim.first_sent is not None  # noqa: S101 - what is sent is in a file that was
            kind, deadline = self._acknowledgement(claim.first_sent, claim.last_sent, claim.refused)
            yield self._claim_task(kind, deadline, claim)
        elif claim.state is SheetState.VALIDATED:
            deadline = (
                self._retry(claim.since) if claim.reason else self._after(claim.made, self._rules.send_third_party)
            )
            yield self._claim_task(TaskKind.SEND_CLAIM, deadline, claim)

    def of_return(self, row: ReturnRow) -> Task:
        deadline = self._after(row.received, self._rules.retransmit)
        return self._made(TaskKind.EXAMINE, deadline, row.id, reason=row.reason)

    def of_purge(self, sheet: SheetRow) -> Task:
        assert sheet.closed is not None  # noqa: S101 - the question asks for nothing else
        first = sheet.closed + timedelta(days=self._rules.retention.days + 1)
        sentence = _sentence(TaskKind.PURGE, number=sheet.number)
        return Task(TaskKind.PURGE, Urgency.DUE, first, sentence, sheet.number)

    def _of_sent(self, sheet: SheetRow) -> Task:
        assert sheet.first_sent is not None  # noqa: S101 - what is sent is in a file that was
        kind, deadline = self._acknowledgement(sheet.first_sent, sheet.last_sent, sheet.refused)
        reason = sheet.refusal or sheet.reason
        return self._made(kind, deadline, sheet.number, file=sheet.file, reason=reason)

    def _acknowledgement(self, first: date, last: date | None, refused: date | None) -> tuple[TaskKind, date]:
        last = last or first
        if refused is not None:
            return TaskKind.RESEND_REFUSED, self._retry(refused)
        awaited = self._after(last, self._rules.acknowledge)
        if self._today <= awaited:
            return TaskKind.AWAIT_ARL, awaited
        again_by = self._retry(self._after(first, self._rules.acknowledge))
        # Sent again already: the delay to do so is used, whatever is left of it.
        return (TaskKind.GIVE_UP if last > first else TaskKind.RESEND), max(again_by, self._retry(awaited))

    def _retry(self, since: date) -> date:
        return self._after(since, self._rules.retransmit)

    def _sending_rule(self, sheet: SheetRow) -> DeadlineRule:
        return self._rules.send_third_party if sheet.third_party else self._rules.send_direct

    def _first_sending(self, sheet: SheetRow) -> date:
        return self._after(sheet.made, self._sending_rule(sheet))

    def _task(self, kind: TaskKind, deadline: date, sheet: SheetRow) -> Task:
        return self._made(kind, deadline, sheet.number, file=sheet.file, reason=sheet.reason, body=sheet.body)

    def _claim_task(self, kind: TaskKind, deadline: date, claim: ClaimRow) -> Task:
        return self._made(kind, deadline, claim.sheet, claim=claim.number, file=claim.file, reason=claim.reason)

    def _made(self, kind: TaskKind, deadline: date, number: int, *, claim: int | None = None, **words: str) -> Task:
        in_time = Urgency.WAITING if kind in _WAITING else Urgency.DUE
        urgency = Urgency.OVERDUE if self._today > deadline else in_time
        sentence = _sentence(kind, number=number, claim=claim, **words)
        return Task(kind, urgency, deadline, sentence, number, claim, words.get("file", ""))


@cache
def _sentences() -> Mapping[TaskKind, tuple[str, str]]:
    data = shipped(__package__, "worklist.yaml")
    return {kind: (data[kind.value]["fr"], data[kind.value]["en"]) for kind in TaskKind}


def _sentence(kind: TaskKind, **words: object) -> Text:
    fr, en = _sentences()[kind]
    return Text(fr.format(**words), en.format(**words))
