"""The file of a patient: two axes, four statuses, and the one door by which an INS leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bifente.ground.clock import VirtualClock
from bifente.simulator.formats.insi import InsiAnswer, InsiCode, InsTraits
from bifente.simulator.services.insi.population import laboratory
from bifente.simulator.software.identity.patient import PatientFile, documents
from bifente.simulator.software.identity.status import (
    Axes,
    IdentityError,
    IdentityMark,
    IdentityRefusal,
    TrustStatus,
)
from bifente.simulator.software.identity.traits import StrictTraits, capitals, completed

ALICE = laboratory()["simple"].answer
TRAITS = StrictTraits("Testins", ("Alice",), "F", "1980-03-12")
CLOCK = VirtualClock(datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
HIGH = sorted(name for name, one in documents().items() if one.high)
LOW = sorted(name for name, one in documents().items() if not one.high)


class FileMachine(RuleBasedStateMachine):
    """Whatever is done in whatever order, the status is that of the two axes, and nothing leaves but qualified."""

    def __init__(self) -> None:
        super().__init__()
        self.file = PatientFile(TRAITS, CLOCK)
        self.fetched = self.checked = False
        self.marks: set[IdentityMark] = set()

    @property
    def locked(self) -> bool:
        return any(mark.locks for mark in self.marks)

    @rule()
    def fetch(self) -> None:
        if self.locked:
            with pytest.raises(IdentityError):
                self.file.take(ALICE, "a")
            return
        self.file.edit("a", name="TESTINS", given=("ALICE",), birth_place="")
        self.file.take(ALICE, "a")
        self.fetched = True

    @rule(document=st.sampled_from(HIGH + LOW))
    def check(self, document: str) -> None:
        if self.locked or document in LOW:
            with pytest.raises(IdentityError):
                self.file.check_document(document, "a")
            return
        self.file.check_document(document, "a")
        self.checked = True

    @rule()
    def attest(self) -> None:
        if self.locked or not self.fetched:
            with pytest.raises(IdentityError):
                self.file.attest("a")
            return
        self.file.attest("a")
        self.checked = True

    @rule(mark=st.sampled_from(IdentityMark))
    def mark(self, mark: IdentityMark) -> None:
        together = self.marks | {mark}
        if len(together) > 1 and together != {IdentityMark.DOUTEUSE, IdentityMark.HOMONYME}:
            with pytest.raises(IdentityError):
                self.file.mark(mark, "a")
            return
        self.file.mark(mark, "a")
        self.marks.add(mark)
        if mark.locks:
            self.fetched = self.checked = False

    @precondition(lambda self: self.marks)
    @rule()
    def unmark(self) -> None:
        self.file.unmark(self.marks.pop(), "a")

    @rule()
    def edit(self) -> None:
        self.file.edit("a", sex="M" if self.file.traits.sex == "F" else "F")
        self.file.edit("a", sex="F")
        self.fetched = False

    @rule()
    def withdraw(self) -> None:
        self.file.withdraw_check("a")
        self.checked = False

    @rule()
    def drop(self) -> None:
        self.file.withdraw_ins("a")
        self.fetched = False

    @invariant()
    def status_is_that_of_the_axes(self) -> None:
        expected = {
            (False, False): TrustStatus.PROVISOIRE,
            (True, False): TrustStatus.RECUPEREE,
            (False, True): TrustStatus.VALIDEE,
            (True, True): TrustStatus.QUALIFIEE,
        }[self.fetched, self.checked]
        assert self.file.status is (TrustStatus.PROVISOIRE if self.locked else expected)
        assert self.file.axes.marks == self.marks

    @invariant()
    def only_a_qualified_one_leaves(self) -> None:
        if self.fetched and self.checked and not self.locked:
            assert self.file.outgoing().number == "2801975056001"
            return
        with pytest.raises(IdentityError) as error:
            self.file.outgoing()
        assert error.value.refusal is IdentityRefusal.NOT_QUALIFIED

    @invariant()
    def every_change_is_traced(self) -> None:
        assert self.file.traces[0].action == "created"
        assert all(one.author for one in self.file.traces[1:])


TestFileMachine = FileMachine.TestCase
TestFileMachine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("Éloïse", "ELOISE"),
        ("œuvre", "OEUVRE"),
        ("d’Àrtois", "D'ARTOIS"),
        ("  de   la  Tour ", "DE LA TOUR"),
        ("Straße", "STRASSE"),
        ("ÆGIR", "AEGIR"),
    ],
)
def test_names_leave_in_plain_capitals(typed: str, asked: str) -> None:
    assert capitals(typed) == asked


@pytest.mark.parametrize(
    ("typed", "date"),
    [
        ("1980-03-00", "1980-03-01"),
        ("1980-00-12", "1980-01-12"),
        ("1980-00-00", "1980-12-31"),
        ("1980-03-12", "1980-03-12"),
        ("12/03/1980", "12/03/1980"),
    ],
)
def test_birth_dates_are_completed_by_rule(typed: str, date: str) -> None:
    assert completed(typed) == date


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, ()),
        ({"name": "OTHER"}, ("name",)),
        ({"first": "", "given": "ALICE MARIE"}, ()),
        ({"first": "", "given": "MARIE ALICE"}, ("given",)),
        ({"sex": "M"}, ("sex",)),
        ({"birth_date": "1980-03-13"}, ("birth-date",)),
        ({"birth_place": "69123"}, ("birth-place",)),
    ],
)
def test_traits_are_compared(change: dict[str, str], found: tuple[str, ...]) -> None:
    official = replace(InsTraits("TESTINS", "ALICE", "ALICE", "F", "1980-03-12", "75056"), **change)
    assert replace(TRAITS, birth_place="75056").differences(official) == found


def test_hyphens_count_as_spaces_in_given_names() -> None:
    own = replace(TRAITS, given=("Anne-Marie",))
    assert own.differences(InsTraits("TESTINS", "", "ANNE MARIE LOUISE", "F", "1980-03-12")) == ()


def test_a_date_of_no_calendar_agrees_by_its_year() -> None:
    own = replace(TRAITS, birth_date="1980-19-14")
    assert own.differences(InsTraits("TESTINS", "ALICE", "ALICE", "F", "1980-12-31")) == ()
    assert own.differences(InsTraits("TESTINS", "ALICE", "ALICE", "F", "1981-12-31")) == ("birth-date",)


def test_a_validated_identity_without_any_place_is_not_qualified_by_insi() -> None:
    file = PatientFile(TRAITS, CLOCK)
    file.check_document("cni", "a")
    assert ALICE.traits is not None
    nowhere = replace(ALICE, traits=replace(ALICE.traits, birth_place=""))
    with pytest.raises(IdentityError) as error:
        file.take(nowhere, "a")
    assert error.value.refusal is IdentityRefusal.UNKNOWN_PLACE
    assert file.status is TrustStatus.VALIDEE


@pytest.mark.parametrize("code", [InsiCode.NONE, InsiCode.SEVERAL])
def test_no_answer_no_ins(code: InsiCode) -> None:
    file = PatientFile(TRAITS, CLOCK)
    with pytest.raises(IdentityError):
        file.take(InsiAnswer(code), "a")
    assert file.status is TrustStatus.PROVISOIRE


def test_every_refusal_is_said_in_both_languages() -> None:
    for refusal in IdentityRefusal:
        assert refusal.sentence.fr != refusal.sentence.en


def test_a_lock_drops_both_axes_for_good() -> None:
    axes = Axes(True, True).with_mark(IdentityMark.DOUTEUSE)
    assert axes.without_mark(IdentityMark.DOUTEUSE) == Axes()
