"""What the store believes of a return on payments: the body that was asked, for what was asked of it, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from store_bench import SENDER, Desk, sheet, with_claim

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Invoice, Payment, PaymentOutcome, Rejection, Rsp, RspLine, SheetState
from bifente.simulator.formats.fse.returns import encode_return
from bifente.simulator.software.billing.store import Task, TaskKind, Urgency

BODY, AMC = "013490349", "99999349"
WHY = Rejection("above-due", "more than is due", 1)
PAID = RspLine(1, "amo", PaymentOutcome.PAID, 2100, 2100)
IN_PART = RspLine(1, "amo", PaymentOutcome.PARTLY_PAID, 2100, 1, WHY)
REFUSED = RspLine(1, "amo", PaymentOutcome.REJECTED, 2100, 0, WHY)
INSURER = RspLine(1, "amc", PaymentOutcome.PAID, 900, 900)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.store.close()


def third_party(number: int) -> Invoice:
    return sheet(number, body=BODY, payment=Payment.TIERS_PAYANT)


def claimed(number: int) -> Invoice:
    return with_claim(sheet(number, body=BODY))


def accepted(desk: Desk, made: Invoice, *, claim: bool = False) -> None:
    """Sheet 1 (and claim 1), on their way to a body that has taken them."""
    desk.transport.body.receive = lambda data, name: []  # type: ignore[method-assign]
    if desk.store.sheets() == ():
        desk.practice.next_number()
    desk.practice.add(made)
    desk.secure(1)
    if claim:
        desk.practice.claim(1)
    desk.practice.send()
    desk.store._db.run("UPDATE sheets SET state = 'accepted'")
    desk.store._db.run("UPDATE claims SET state = 'accepted', closed = made")


def told(desk: Desk, *lines: RspLine, body: str = BODY, id: str = "S1") -> list[str]:
    """Take an RSP as it travels; why returns are refused, if any is."""
    total = sum(line.transferred for line in lines)
    rsp = Rsp(SENDER, body, id, desk.store.today(), "VIREMENT 1", lines, total)
    desk.practice.received(encode_return(rsp))
    return [row.reason for row in desk.store.returns("refused")]


def tasks(desk: Desk) -> list[Task]:
    return [task for task in desk.practice.work_list() if task.urgency is not Urgency.WAITING]


class TestWhoIsBelieved:
    @pytest.mark.parametrize(
        ("body", "line", "words"),
        [
            ("999999999", PAID, "nothing of sheet 1 was asked of 999999999 for amo"),
            ("999999999", replace(PAID, asked=999999, paid=999999), "nothing of sheet 1 was asked of 999999999"),
            ("023490349", PAID, "nothing of sheet 1 was asked of 023490349 for amo"),
            (BODY, replace(PAID, payer="who"), "was asked of 013490349 for who"),
            (BODY, replace(PAID, payer=""), "was asked of 013490349 for "),
            (BODY, replace(PAID, asked=999999, paid=999999), "999999 paid of 999999, asked were 2100"),
            (BODY, replace(PAID, asked=2099, paid=2099), "2099 paid of 2099, asked were 2100"),
            (BODY, replace(PAID, asked=2101, paid=2101), "2101 paid of 2101, asked were 2100"),
            (BODY, replace(IN_PART, asked=3000), "1 paid of 3000, asked were 2100"),
            (BODY, replace(REFUSED, asked=0), "0 paid of 0, asked were 2100"),
            (BODY, replace(INSURER, asked=2100, paid=2100), "amc: it tells 2100 paid of 2100, asked were 0"),
            (AMC, INSURER, "nothing of sheet 1 was asked of 99999349 for amc"),
        ],
    )
    def test_what_was_not_asked_is_laid_aside_to_be_examined(
        self, desk: Desk, body: str, line: RspLine, words: str
    ) -> None:
        accepted(desk, third_party(1))
        (reason,) = told(desk, line, body=body)
        assert words in reason
        assert "ask the body what it means" in reason
        assert (desk.states(), desk.store.payments(1)) == ({1: "accepted"}, ())
        assert [task.kind for task in tasks(desk)] == [TaskKind.EXAMINE]

    def test_one_wrong_line_keeps_the_others_from_being_booked(self, desk: Desk) -> None:
        accepted(desk, third_party(1))
        (reason,) = told(desk, PAID, replace(PAID, asked=1, paid=1))
        assert "1 paid of 1" in reason
        assert desk.store.payments(1) == ()

    @pytest.mark.parametrize("paid", [2101, -1])
    def test_more_than_was_asked_and_less_than_nothing_are_not_booked(self, desk: Desk, paid: int) -> None:
        """No decoder of ours lets it through; the store does not count on that."""
        accepted(desk, third_party(1))
        desk.store.keep_return(b"as read by somebody else")
        (row,) = desk.store.returns("new")
        rsp = Rsp(SENDER, BODY, "S1", date(2026, 3, 3), "VIREMENT 1", (replace(PAID, paid=paid),), paid)
        with pytest.raises(FseError, match=f"it tells {paid} paid of 2100, asked were 2100"):
            desk.store.apply_rsp(row.id, rsp)
        assert desk.store.payments(1) == ()

    def test_the_body_is_believed_for_what_was_asked_of_it(self, desk: Desk) -> None:
        accepted(desk, third_party(1))
        assert told(desk, PAID) == []
        assert desk.states() == {1: "paid"}

    def test_the_part_of_a_mutuelle_comes_through_the_amo(self, desk: Desk) -> None:
        accepted(desk, claimed(1))
        assert told(desk, PAID, INSURER) == []
        assert desk.states() == {1: "paid"}


class TestClaims:
    def test_the_insurer_is_believed_for_its_claim(self, desk: Desk) -> None:
        accepted(desk, claimed(1), claim=True)
        assert told(desk, PAID) == []
        assert told(desk, INSURER, body=AMC, id="S2") == []
        assert desk.states() == {1: "paid"}

    @pytest.mark.parametrize(
        ("body", "line", "words"),
        [
            (AMC, replace(INSURER, asked=901, paid=901), "901 paid of 901, asked were 900"),
            (AMC, PAID, "nothing of sheet 1 was asked of 99999349 for amo"),
            (AMC, replace(INSURER, payer="amo"), "nothing of sheet 1 was asked of 99999349 for amo"),
            ("88888349", INSURER, "nothing of sheet 1 was asked of 88888349 for amc"),
        ],
    )
    def test_for_nothing_else(self, desk: Desk, body: str, line: RspLine, words: str) -> None:
        accepted(desk, claimed(1), claim=True)
        (reason,) = told(desk, line, body=body)
        assert words in reason
        assert desk.store.payments(1) == ()

    def test_a_claim_that_only_cancels_asks_for_nothing(self, desk: Desk) -> None:
        accepted(desk, claimed(1), claim=True)
        desk.practice.cancel_claim(1)
        desk.store._db.run("UPDATE claims SET asked = 1 WHERE cancels = 1")
        (reason,) = told(desk, replace(INSURER, asked=1, paid=1), body=AMC)
        assert "asked were 900" in reason


class TestRectified:
    """Another content under the same number: each word is taken for the content that asked it."""

    def rectified(self, desk: Desk, *, sent: bool) -> None:
        accepted(desk, third_party(1))
        assert told(desk, REFUSED) == []
        after = sheet(1, body="023490349", payment=Payment.TIERS_PAYANT)
        if sent:
            accepted(desk, after)
        else:
            desk.practice.add(after)

    def test_a_late_word_of_the_former_body_is_of_the_former_content(self, desk: Desk) -> None:
        self.rectified(desk, sent=True)
        assert told(desk, PAID, id="S2") == []
        assert (desk.states(), desk.store.payments(1)) == ({1: "accepted"}, ())

    def test_the_new_body_pays_the_new_content(self, desk: Desk) -> None:
        self.rectified(desk, sent=True)
        assert told(desk, PAID, body="023490349", id="S2") == []
        assert desk.states() == {1: "paid"}

    def test_the_same_amount_of_the_same_body_is_of_the_new_content(self, desk: Desk) -> None:
        accepted(desk, third_party(1))
        assert told(desk, REFUSED) == []
        accepted(desk, third_party(1))
        assert told(desk, PAID, id="S2") == []
        assert desk.states() == {1: "paid"}

    def test_the_new_body_says_nothing_of_what_it_has_not_got(self, desk: Desk) -> None:
        self.rectified(desk, sent=False)
        (reason,) = told(desk, PAID, body="023490349", id="S2")
        assert "nothing of sheet 1 was asked of 023490349" in reason

    def test_an_amount_of_neither_content(self, desk: Desk) -> None:
        self.rectified(desk, sent=True)
        (reason,) = told(desk, replace(PAID, asked=999999, paid=999999), id="S2")
        assert "asked were 2100" in reason


BACK = replace(PAID, outcome=PaymentOutcome.REVERSED, rejection=WHY)


class TestSaidAfterAPayment:
    @pytest.mark.parametrize(
        ("first", "then", "words"),
        [
            (PAID, PAID, "it was paid already"),
            (PAID, IN_PART, "it was paid already"),
            (PAID, REFUSED, "it is rejected after it was paid"),
            (IN_PART, IN_PART, "it was paid already"),
            (IN_PART, REFUSED, "it is rejected after it was paid"),
            (REFUSED, BACK, "it takes 2100 back, nothing was paid"),
            (PAID, replace(BACK, paid=2000), "it takes 2000 back, 2100 was paid"),
            (IN_PART, BACK, "it takes 2100 back, 1 was paid"),
            (BACK, PAID, "it takes 2100 back, nothing was paid"),
        ],
    )
    def test_it_is_laid_aside_and_on_the_work_list(self, desk: Desk, first: RspLine, then: RspLine, words: str) -> None:
        accepted(desk, third_party(1))
        before = told(desk, first)
        state = desk.store.sheet(1).state
        (why,) = before or told(desk, then, id="S2")
        assert words in why
        assert TaskKind.EXAMINE in {task.kind for task in tasks(desk)}
        assert desk.store.sheet(1).state is state

    def test_one_line_twice_in_one_return_books_nothing(self, desk: Desk) -> None:
        accepted(desk, claimed(1))
        (why,) = told(desk, PAID, INSURER, PAID)
        assert "paid already" in why
        assert desk.store.payments(1) == ()

    def test_what_is_taken_back_is_to_be_rectified_and_may_be_paid_again(self, desk: Desk) -> None:
        accepted(desk, third_party(1))
        told(desk, PAID)
        assert desk.store.sheet(1).closed is not None
        assert told(desk, BACK, id="S2") == []
        row = desk.store.sheet(1)
        assert (row.state, row.closed) == (SheetState.PAYMENT_REJECTED, None)
        assert "above-due" in row.reason
        assert [task.kind for task in tasks(desk)] == [TaskKind.RECTIFY_PAYMENT]
        assert told(desk, PAID, id="S3") == []
        assert desk.store.sheet(1).state is SheetState.PAID
        (why,) = told(desk, PAID, id="S4")
        assert "paid already" in why

    def test_one_payer_taking_back_leaves_what_the_other_paid(self, desk: Desk) -> None:
        accepted(desk, claimed(1))
        told(desk, PAID, INSURER)
        assert told(desk, BACK, id="S2") == []
        assert desk.store.sheet(1).state is SheetState.PAYMENT_REJECTED
        assert told(desk, PAID, id="S3") == []
        assert desk.store.sheet(1).state is SheetState.PAID


class TestInPart:
    def test_it_is_looked_at_once(self, desk: Desk) -> None:
        accepted(desk, third_party(1))
        assert told(desk, IN_PART) == []
        row = desk.store.sheet(1)
        assert (row.state, row.closed) == (SheetState.PAID, None)
        (task,) = tasks(desk)
        assert (task.kind, task.urgency, task.number) == (TaskKind.EXAMINE_PAYMENT, Urgency.DUE, 1)
        assert task.deadline == date(2026, 3, 13)  # eight working days
        assert "in part" in task.reason.en
        assert "amo: 1 / 2100, above-due more than is due" in task.reason.fr
        desk.store.payment_examined(1)
        assert tasks(desk) == []
        assert desk.store.sheet(1).closed == desk.store.today()
        assert [one.examined for one in desk.store.payments(1)] == [desk.store.today()]

    def test_it_becomes_overdue(self, desk: Desk) -> None:
        accepted(desk, third_party(1))
        told(desk, IN_PART)
        desk.days(11)
        assert [task.urgency for task in tasks(desk)] == [Urgency.OVERDUE]

    def test_there_is_nothing_to_examine_twice(self, desk: Desk) -> None:
        accepted(desk, third_party(1))
        told(desk, IN_PART)
        desk.store.payment_examined(1)
        with pytest.raises(FseError, match="no payment in part is to examine"):
            desk.store.payment_examined(1)

    @pytest.mark.parametrize("line", [PAID, REFUSED])
    def test_there_is_nothing_to_examine_in_whole_or_nothing(self, desk: Desk, line: RspLine) -> None:
        accepted(desk, third_party(1))
        told(desk, line)
        with pytest.raises(FseError, match="no payment in part is to examine"):
            desk.store.payment_examined(1)

    def test_the_rest_that_comes_after_all_closes_it(self, desk: Desk) -> None:
        accepted(desk, third_party(1))
        told(desk, IN_PART)
        assert told(desk, PAID, id="S2") == []
        assert tasks(desk) == []
        assert desk.store.sheet(1).closed is not None

    def test_one_line_for_both_payers(self, desk: Desk) -> None:
        accepted(desk, claimed(1))
        told(desk, IN_PART, replace(INSURER, outcome=PaymentOutcome.PARTLY_PAID, paid=899, rejection=WHY))
        (task,) = tasks(desk)
        assert "amo: 1 / 2100" in task.reason.en
        assert "amc: 899 / 900" in task.reason.en
        desk.store.payment_examined(1)
        assert tasks(desk) == []

    def test_its_document_is_awaited_all_the_same(self, desk: Desk) -> None:
        accepted(desk, third_party(1))
        desk.store._db.run("UPDATE sheets SET proof = 'due', proof_since = made")
        told(desk, IN_PART)
        assert {task.kind for task in tasks(desk)} == {TaskKind.EXAMINE_PAYMENT, TaskKind.SEND_PROOF}
        desk.store.set_proof(1, "sent")
        assert desk.store.sheet(1).closed is None
        desk.store.payment_examined(1)
        assert desk.store.sheet(1).closed is not None

    def test_of_one_payer_in_whole_and_another_in_part_it_opens_again(self, desk: Desk) -> None:
        accepted(desk, claimed(1))
        told(desk, PAID, INSURER)
        assert desk.store.sheet(1).closed is not None
        desk.days(3)
        part = replace(INSURER, outcome=PaymentOutcome.PARTLY_PAID, paid=899, rejection=WHY)
        assert told(desk, replace(INSURER, outcome=PaymentOutcome.REVERSED, rejection=WHY), id="S2") == []
        assert told(desk, part, id="S3") == []
        row = desk.store.sheet(1)
        assert (row.state, row.closed) == (SheetState.PAID, None)
        assert [task.kind for task in tasks(desk)] == [TaskKind.EXAMINE_PAYMENT]

    def test_it_is_not_forgotten_before_it_is_examined(self, desk: Desk) -> None:
        accepted(desk, third_party(1))
        told(desk, IN_PART)
        desk.days(200)
        assert desk.practice.purge() == 0
