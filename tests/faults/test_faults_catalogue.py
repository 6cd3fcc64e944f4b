"""The catalogue of faults as data, and its search by a customer's words."""

from __future__ import annotations

import copy
from importlib import resources
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.fault import UNREADABLE, FaultError
from bifente.simulator.faults import catalogue, fault, rooms, search
from bifente.simulator.faults.rows import parse
from bifente.simulator.readers import PcscCode

DATA = yaml.load(
    (resources.files("bifente.simulator.readers.faults") / "faults.yaml").read_text(encoding="utf-8"),
    yaml.BaseLoader,  # noqa: S506 - builds texts, lists and mappings only
)
NEEDED = {
    *("card-absent", "card-mute", "card-late", "answer-truncated", "wrong-status-word", "withdrawn-between-commands"),
    *("withdrawn-during-command", "card-unpowered", "reset-by-another-application", "code-blocked"),
    *("code-lost-by-reader", "reader-lost", "exclusivity-held", "galss-versions-mismatch", "two-cps", "slots-swapped"),
    *("test-and-real-mixed", "intermittent-read", "usb-suspend", "micro-cut", "service-stopped", "slow-line"),
}
GALSS = {*range(0x8001, 0x8008), 0x800A, *range(0x800C, 0x8012)}
"""Every code of a broken file or installation (sources#galss-codes)."""


def test_the_faults_of_the_field_are_there() -> None:
    assert catalogue().keys() >= NEEDED
    assert {one.place for one in catalogue().values()} == {place for room in rooms().values() for place in room.places}
    assert {one.room for one in catalogue().values()} == set(rooms())


def test_every_documented_way_of_breaking_galss_is_there() -> None:
    assert {one.codes.galss for one in catalogue().values() if one.id.startswith("galss")} >= GALSS


def test_what_vpcd_shows_is_a_code_or_an_unreadable_answer() -> None:
    for one in catalogue().values():
        for shown in one.artefact.shows if one.artefact is not None else ():
            assert shown == UNREADABLE or shown in PcscCode.__members__
            assert shown != one.codes.pcsc, "what is the same is no artefact"


def changed(**changes: Any) -> dict[str, Any]:
    data = copy.deepcopy(DATA)
    data["faults"] = data["faults"][:1]
    data["faults"][0].update(changes)
    return dict(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "readers: a catalogue of faults is a mapping"),
        ({"faults": {}}, "a catalogue of faults is a mapping"),
        ({"faults": [5]}, "a fault is a mapping, not 5"),
        ({"faults": [{"id": "x"}]}, "fault 'x': the key 'cause' is missing"),
        (changed(more="1"), "unknown key 'more'"),
        (changed(strikes="moon"), "'moon' is none of card, "),
        (changed(mechanism={"kind": "magic"}), "'magic' is none of card, "),
        (changed(mechanism={}), "'kind'"),
        (changed(symptoms=[{"fr": "a"}]), "a sentence has fr and en"),
        (changed(cause={"fr": "a", "en": ""}), "a sentence has fr and en"),
        (changed(fidelity="sure"), "'sure' is none of documented"),
        (changed(expect={"pcsc": "NOPE"}), "'NOPE' is none of"),
        (changed(expect={"galss": "81"}), "four hexadecimal digits, not '81'"),
        (changed(expect={"galss": "zzzz"}), "invalid literal"),
        (changed(expect={"ssv": {"nurse": "F001"}}), "unknown key 'nurse'"),
        (changed(expect={"http": "5x3"}), "an HTTP status has three digits, not '5x3'"),
        (changed(expect={"smoke": "1"}), "unknown key 'smoke'"),
        (changed(vpcd="perfect"), "vpcd is faithful, or a mapping"),
        (changed(vpcd={"shows": "NOPE", "why": {"fr": "a", "en": "b"}}), "'NOPE' is none of"),
        (changed(vpcd={"shows": "REMOVED_CARD"}), "the key 'why' is missing"),
        ({"faults": [DATA["faults"][0], DATA["faults"][0]]}, "two faults bear the id 'card-absent'"),
    ],
)
def test_a_wrong_catalogue_is_refused_with_the_fault_and_the_key(data: Any, said: str) -> None:
    with pytest.raises(FaultError, match=said):
        parse(data, rooms()["readers"])


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(FaultError, match="no fault is named 'smoke'"):
        fault("smoke")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("la lecture tourne puis échoue", "card-mute"),
        ("carte muette à l'insertion", "card-mute-at-reset"),
        ("erreur F101", "reader-lost"),
        ("FF21", "code-lost-by-reader"),
        ("8010001D", "service-stopped"),
        ("NO_SERVICE", "service-stopped"),
        ("SERVICE carte a puce ARRETE", "service-stopped"),
        ("une lecture sur trois", "intermittent-read"),
        ("deux cps", "two-cps"),
        ("batterie vide", "terminal-battery-empty"),
        ("erreur 32774", "galss-library-missing"),
        ("800E", "galss-versions-mismatch"),
        ("usb en veille, il faut débrancher le matin", "usb-suspend"),
        ("reader busy with another software", "exclusivity-held"),
        ("test and real cards", "test-and-real-mixed"),
        ("le frontal ne répond", "front-end-down"),
        ("boîte pleine", "mailbox-full"),
        ("erreur 503", "cloudfsv-unavailable"),
    ],
)
def test_a_customer_s_words_lead_to_the_fault(words: str, found: str) -> None:
    assert found in [one.id for one in search(words)[:3]]


def test_a_code_is_that_code_or_another() -> None:
    assert {one.codes.galss for one in search("8004")} == {0x8004}
    assert search("F1012") == []


@pytest.mark.parametrize("words", ["", "a b", "??", "zzzz qqqq"])
def test_words_that_fit_nothing_find_nothing(words: str) -> None:
    assert search(words) == []


@given(st.text(max_size=200))
def test_any_words_can_be_searched(words: str) -> None:
    found = search(words)
    assert len({one.id for one in found}) == len(found)


def test_facts_are_what_scenarios_write() -> None:
    assert fault("card-mute").facts() == {
        "pcsc": "NOT_TRANSACTED",
        "galss": "0200",
        "ssv-ps": "FF30",
        "ssv-vitale": "F014",
        "shows": [UNREADABLE],
    }
    assert fault("card-late").facts() == {}
