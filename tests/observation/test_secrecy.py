"""No code in clear anywhere: an observation with unusual codes, looked for in every byte that it left and printed."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warm import warm

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.model import CardChoice
from bifente.conformance.observation.facts import CodePlace, Fact
from bifente.conformance.observation.observing import ProgramObservation
from bifente.conformance.observation.secrecy import SecretSearch, descendants
from bifente.conformance.observation.standing import Standing, Wanted
from bifente.reports.events import Call
from bifente.reports.secrets import Secrets
from bifente.simulator.pki.keystore import KeyStore

PIN, PUK = "7391", "60482715"
TRACE = (
    'echo "trace: VERIFY 00 20 00 01 04 37 33 39 31"; echo "code 7391 typed" >&2; echo pin=7391 > "$TMPDIR/app.log";'
    " opensc-tool -r 0 -s 00A4040C0DE828BD080F8025000001FF0010 -s 00200001043{}"
)


def test_codes_are_nowhere_in_clear(tmp_path: Path) -> None:
    out, remembered = tmp_path / "record", tmp_path / "cards"
    card = f"cps=medecin-generaliste+codes.pin={PIN}+codes.puk={PUK}"
    script = TRACE.replace("043{}", "04" + PIN.encode().hex())
    done = subprocess.run(
        [
            *warm(),
            *("observe", "--lang", "en", "--card", card, "--out", str(out), "--watch", str(tmp_path / "none")),
            *("--", "sh", "-c", script),
        ],
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 1, done.stdout
    said = done.stdout.decode()
    assert "code refused" not in said
    assert "Code: presented 1 times, accepted 1" in said
    for rule in ("no-code-in-output", "no-code-in-file"):
        assert f"[{rule};" in said, said
    assert "app.log" in said
    looked = 0
    forms = [PIN.encode(), PUK.encode(), PIN.encode().hex().encode(), b"37 33 39 31", PIN.encode("utf-16-le")]
    for content in [done.stdout, done.stderr, *(path.read_bytes() for path in out.rglob("*") if path.is_file())]:
        looked += 1
        for form in forms:
            for found in re.finditer(re.escape(form), content, re.IGNORECASE):
                around = content[max(0, found.start() - 1) : found.end() + 1]
                inside = around[:1].isalnum() and around[-1:].isalnum()
                assert inside, (form, content[max(0, found.start() - 80) :][:160])
    assert looked >= 8
    assert not remembered.exists()
    assert list(tmp_path.glob("bifente-*")) == []


@pytest.mark.parametrize("forks", [False, True], ids=["the-program-itself", "a-child"])
def test_a_process_is_looked_at_again_once_it_is_another_program(tmp_path: Path, forks: bool) -> None:
    # The code comes by standard input, and stands in the arguments only after execve.
    becomes = "read code; exec sh -c 'read _' helper --pin \"$code\""
    script = f"({becomes}); :" if forks else becomes
    choice = CardChoice(template="medecin-generaliste")
    workshop = Workshop(KeyStore(tmp_path))
    with (
        Standing(Wanted(profile="readers/generic-bislot", cards={"cps": choice}, workshop=workshop)) as stood,
        ProgramObservation(stood, patience=0.5) as observation,
    ):
        program = observation.start(["sh", "-c", script], piped=True)
        while forks and not list(descendants(program.pid)):
            pass
        observation.look()
        assert not places(observation)
        program.stdin.write(b"1234\n")
        program.stdin.flush()
        while not places(observation):
            observation.look()
        program.stdin.close()
        observation.close()
        assert places(observation) == ["--pin"]


def places(observation: ProgramObservation) -> list[str]:
    """Where codes were found in arguments."""
    events = (moment.event for moment in observation.story().moments)
    calls = [one for one in events if isinstance(one, Call) and one.function == Fact.CODE]
    return [one.arguments["where"] for one in calls if one.arguments["place"] == CodePlace.ARGUMENTS]


@given(st.binary(max_size=60), st.binary(max_size=60), st.sampled_from(["plain", "hex", "wide"]))
def test_a_code_is_found_in_each_form_as_a_word(before: bytes, after: bytes, form: str) -> None:
    search = SecretSearch([PIN], Secrets(secrets=[PIN]))
    said = {"plain": PIN.encode(), "hex": PIN.encode().hex().encode(), "wide": PIN.encode("utf-16-le")}[form]
    assert search.finds(before + b" \0 " + said + b" \0 " + after)


@pytest.mark.parametrize("said", [b"", b"17391", b"73910", b"a7391", b"7391b", b"7 3 9 1"])
def test_longer_numbers_are_no_code(said: bytes) -> None:
    assert not SecretSearch([PIN], Secrets(secrets=[PIN])).finds(said)
