"""A code that a program prints or keeps in another form is found, and masked in the record all the same."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.conformance.observation.facts import Fact
from bifente.conformance.observation.rules.all import RULES
from bifente.conformance.observation.secrecy import SecretSearch
from bifente.conformance.observation.story import Story
from bifente.reports.events import Call, Event, Exchange
from bifente.reports.secrets import Secrets

CODE = "7391"
FORMS = [
    "pin=7391",
    "-> 00 20 00 01 04 37 33 39 31",
    "00-20-00-01-04-37-33-39-31",
    "{0x00, 0x20, 0x00, 0x01, 0x04, 0x37, 0x33, 0x39, 0x31}",
    "[0, 32, 0, 1, 4, 55, 51, 57, 49]",
    "[0,32,0,1,4,55,51,57,49]",
    "cred=NzM5MQ==",
]
INNOCENT = ["17391", "73910", "55, 51, 57, 490", "155,51,57,49", "xNzM5MQ==", "37:33:39:32", "2073-91-01"]


@pytest.mark.parametrize("form", FORMS)
def test_a_code_is_found_and_masked_in_the_forms_of_careless_logs(form: str) -> None:
    secrets = Secrets(secrets=[CODE])
    search = SecretSearch([CODE], secrets)
    assert search.finds(form.encode())
    masked = search.masked(form)
    assert "•" in masked
    assert not search.finds(masked.encode())


@pytest.mark.parametrize("form", INNOCENT)
def test_other_numbers_are_let_alone(form: str) -> None:
    search = SecretSearch([CODE], Secrets(secrets=[CODE]))
    assert not search.finds(form.encode())
    assert search.masked(form) == form


@given(code=st.from_regex(r"[0-9]{4,8}", fullmatch=True), around=st.sampled_from(["", " ", "[", "=", '"']))
@settings(max_examples=30, deadline=None)
def test_any_code_is_masked_in_any_form(code: str, around: str) -> None:
    secrets = Secrets(secrets=[code])
    raw = code.encode()
    for form in (raw.hex("-"), raw.hex(" "), ", ".join(map(str, raw)), b64encode(raw).decode(), raw.hex()):
        masked = secrets.text(f"{around}{form} .")
        assert form not in masked, (code, form)


def told(*presented: tuple[str, str, str], programs: tuple[str, ...] = ("1",)) -> list[str]:
    """The breaches of the rule on repeated codes: each code with the process, the status word and the second."""
    day = "2026-01-01T00:00:{}+00:00"
    story: list[Event] = [
        Call(seq=place, time=day.format("00.000"), client=pid, function=Fact.STARTED, result="running")
        for place, pid in enumerate(programs, 1)
    ]
    story += [
        Exchange(
            seq=place,
            time=day.format(second),
            slot="cps",
            client=f"{pid}/1",
            command="0020000104••••••••",
            response=sw,
            sw=sw,
        )
        for place, (pid, sw, second) in enumerate(presented, len(story) + 1)
    ]
    return [one.said.fr for one in RULES["no-code-again-after-a-refusal"].judge(Story(story)) or ()]


def test_a_code_repeated_by_programs_that_one_program_starts_is_repeated() -> None:
    twice = (("7", "63C2", "01.000"), ("8", "63C1", "01.300"))
    assert len(told(*twice)) == 1
    # Two programs of which none started the other, and a hand that had the time to type.
    assert told(*twice, programs=("7", "8")) == []
    assert told(("7", "63C2", "01.000"), ("8", "63C1", "04.000")) == []
    assert told(("7", "9000", "01.000"), ("8", "63C2", "01.300")) == []
