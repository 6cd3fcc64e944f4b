"""A trace played as a card, sent again as a host, compared, exported: with what it told, and never a code."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trace_logs import ATR, CODE, session, written
from warm import warm

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.live import Device
from bifente.conformance.loading import InputError
from bifente.conformance.model import CardChoice
from bifente.conformance.options import RunOptions
from bifente.conformance.targets.guard import may_reach_a_real_card
from bifente.conformance.traces.comparing import MOST_COMPARED, DifferenceKind, differences
from bifente.conformance.traces.digits import agrees, filled
from bifente.conformance.traces.gsmtap_file import write_capture
from bifente.conformance.traces.host import Replayer
from bifente.conformance.traces.keeping import import_trace
from bifente.conformance.traces.played_card import PlayedCard
from bifente.conformance.traces.seen import SeenApdu
from bifente.conformance.traces.sources import gsmtap, journal
from bifente.conformance.traces.suite import drafted
from bifente.conformance.traces.trace import MOST, Trace, load_trace
from bifente.ground.clock import VirtualClock
from bifente.simulator.pcsc.own.service import OwnPcsc


def seen(*exchanges: tuple[str, str]) -> list[SeenApdu]:
    return [SeenApdu(command, response, place) for place, (command, response) in enumerate(exchanges, 1)]


def card(*exchanges: tuple[str, str]) -> PlayedCard:
    return PlayedCard(Trace(seen(*exchanges)), bytes.fromhex(ATR))


def ask(played: PlayedCard, command: str) -> str:
    return played.transmit(bytes.fromhex(command)).hex().upper()


@pytest.fixture(name="kept")
def kept_(tmp_path: Path) -> Path:
    import_trace(written(tmp_path, "pcscd"), tmp_path / "kept.jsonl", clock=VirtualClock())
    return tmp_path / "kept.jsonl"


def test_software_that_does_the_same_gets_the_same_with_any_code(kept: Path) -> None:
    trace = load_trace(kept)
    assert trace.atr == ATR
    played = PlayedCard(trace, bytes.fromhex(ATR))
    other = CODE.encode().hex(), b"0000".hex()
    for command, response in session():
        answer = ask(played, command.replace(*other))
        assert answer[-4:] == response[-4:]
        assert len(answer) == len(response)
    assert played.played.answered == set(range(len(session())))
    assert not played.played.strayed


SELECTED = [
    ("00A4000002AAAA", "9000"),
    ("00B0000002", "AAAA9000"),
    ("00A4000002BBBB", "9000"),
    ("00B0000002", "BBBB9000"),
]


def test_what_is_read_is_that_of_what_is_selected() -> None:
    played = card(*SELECTED)
    for name in ("BBBB", "AAAA", "BBBB"):
        assert ask(played, f"00A4000002{name}") == "9000"
        assert ask(played, "00B0000002") == f"{name}9000"


def test_a_refused_selection_leaves_the_other_selected() -> None:
    played = card(SELECTED[0], ("00A4000002CCCC", "6A82"), SELECTED[1])
    assert ask(played, "00A4000002AAAA") == "9000"
    assert ask(played, "00A4000002CCCC") == "6A82"
    assert ask(played, "00B0000002") == "AAAA9000"


def test_a_reset_deselects() -> None:
    played = card(*SELECTED)
    ask(played, "00A4000002AAAA")
    assert played.reset() == bytes.fromhex(ATR)
    assert ask(played, "00B0000002") == "6F00"


def test_what_was_answered_in_turn_is_answered_in_turn() -> None:
    played = card(("0020000100", "63C3"), ("0020000104303030FF", "63C2"), ("0020000100", "63C2"))
    assert [ask(played, "0020000100") for _ in range(3)] == ["63C3", "63C2", "63C2"]


def test_get_response_follows_its_command() -> None:
    played = card(
        ("00CA000100", "6102"), ("00C0000002", "11119000"), ("00CA000200", "6102"), ("00C0000002", "22229000")
    )
    ask(played, "00CA000200")
    assert ask(played, "00C0000002") == "22229000"
    ask(played, "00CA000100")
    assert ask(played, "00C0000002") == "11119000"


def test_what_is_drawn_anew_is_answered_by_what_was() -> None:
    played = card(("0088000004AABBCCDD", "11223344" + "9000"))
    assert ask(played, "008800000401020304") == "112233449000"
    # Another length, or another key, is another thing.
    assert ask(played, "00880000050102030405") == "6F00"
    assert ask(played, "008800010401020304") == "6F00"


def test_what_the_trace_has_not_is_told_without_its_code() -> None:
    played = card(*SELECTED)
    assert ask(played, f"0020000104{CODE.encode().hex()}") == "6F00"
    assert ask(played, "00") == "6F00"
    [(after, told), _other] = played.played.strayed
    assert after == -1
    assert CODE.encode().hex() not in told.lower()


def test_a_command_without_an_answer_gets_an_error() -> None:
    assert ask(card(("00B0000002", "")), "00B0000002") == "6F00"


@given(st.lists(st.binary(max_size=9), max_size=30))
@settings(max_examples=40, deadline=None)
def test_any_bytes_are_answered(commands: list[bytes]) -> None:
    played = card(*SELECTED)
    assert all(len(played.transmit(command)) >= 2 for command in commands)
    assert played.played.asked == len(commands)


# -- as a host --------------------------------------------------------------------------------------------------------

CODES = [f"00{ins}0001{body}" for ins in ("20", "24", "26", "28", "2C") for body in ("0431323334", "08" + "31" * 8)]
CHANGES = ["00D600000141", "00DA000001FF", "00E4000000", "80F0000000", "00", "0044000000"]


@pytest.mark.parametrize("command", [*CODES, *CHANGES, "8020000104" + "31" * 4, "1020000104" + "31" * 4])
def test_nothing_that_could_harm_a_real_card_is_sent_to_one(command: str) -> None:
    assert not may_reach_a_real_card(bytes.fromhex(command))
    steps, left = drafted(seen((command, "9000")), real=True)
    assert not steps
    assert left[0].why.fr
    assert left[0].why.en


def test_a_masked_code_is_left_out_for_a_real_card_and_said_to_be_one() -> None:
    steps, [left] = drafted(seen(("0020000104••••••••", "9000")), real=True)
    assert not steps
    assert "code" in left.why.fr
    assert "code" in left.why.en


@pytest.mark.parametrize("command", ["0020000100", "00A40000023F00", "00B0000010", "00CA000100", "0084000008"])
def test_what_reads_is_sent_to_a_real_card(command: str) -> None:
    [step], left = drafted(seen((command, "9000")), real=True)
    assert command in step.line
    assert not left


def test_the_code_that_was_right_is_that_of_the_card_and_one_that_was_wrong_is_not() -> None:
    steps, left = drafted(
        seen(("0020000104••••••••", "9000"), ("0020000104••••••••", "63C2"), ("0024000108" + 8 * "••", "9000")),
        real=False,
    )
    assert "$card.code" in steps[0].line
    assert not steps[0].destructive
    assert "0000" in steps[1].line
    assert steps[1].destructive
    assert left[0].number == 2


@pytest.mark.parametrize(("response", "wrong"), [("6F00", False), ("", False), ("6983", True), ("63C0", True)])
def test_a_code_is_wrong_only_where_the_card_said_so(response: str, wrong: bool) -> None:
    [step], _left = drafted(seen(("0020000104••••••••", response)), real=False)
    assert step.destructive is wrong


def test_a_session_is_sent_again_to_a_virtual_card(workshop: Workshop) -> None:
    exchanges = seen(
        ("00A40404088025000001FF0100", "9000"),
        ("0020000100", "63C3"),
        ("0020000104••••••••", "9000"),
        ("0020000100", "9000"),
        ("00A4000C02FFFF", "9000"),
        ("0020000104••••••••", "63C2"),
    )
    with replayer(exchanges, workshop) as sending:
        replayed = sending.send()
        assert [one.response for one in replayed.sent][:4] == ["9000", "63C3", "9000", "9000"]
        # The trace says 9000: here there is no such file.
        assert replayed.sent[4].response == "6A82"
        assert replayed.stopped is None
        # Each time to a card as it was at first.
        assert [one.response for one in sending.send().sent] == [one.response for one in replayed.sent]


def replayer(exchanges: list[SeenApdu], workshop: Workshop, *faults: str) -> Replayer:
    return Replayer(
        exchanges,
        cards={"cps": "medecin-generaliste"},
        profile="readers/generic-bislot",
        workshop=workshop,
        options=RunOptions(paths=()),
        faults=faults,
    )


def test_a_card_that_breaks_off_ends_the_replay_and_says_so(workshop: Workshop) -> None:
    exchanges = seen(("0020000100", "63C3"), ("0020000100", "63C3"))
    with replayer(exchanges, workshop, "card-mute") as sending:
        replayed = sending.send()
    assert replayed.sent[-1].error
    assert len(replayed.sent) <= 2


@pytest.mark.parametrize("fault", ["no-such-fault", "{fault: card-mute, at: nowhere}"])
def test_a_fault_that_is_none_is_refused(workshop: Workshop, fault: str) -> None:
    with pytest.raises(InputError):
        replayer(seen(("0020000100", "63C3")), workshop, fault)


# -- compared ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "kinds"),
    [
        (SELECTED, []),
        ([*SELECTED[:3], ("00B0000002", "6982")], [DifferenceKind.STATUS]),
        ([*SELECTED[:3], ("00B0000002", "CCCC9000")], [DifferenceKind.DATA]),
        ([*SELECTED[:3], ("00B0000002", "••••9000")], []),
        (SELECTED[:2], [DifferenceKind.ONLY_FIRST] * 2),
        ([("0084000008", "9000"), *SELECTED], [DifferenceKind.ONLY_SECOND]),
    ],
)
def test_what_differs_is_told_and_nothing_else(second: list[tuple[str, str]], kinds: list[DifferenceKind]) -> None:
    assert [one.kind for one in differences(seen(*SELECTED), seen(*second))] == kinds


def test_what_is_drawn_is_compared_by_its_status_alone() -> None:
    first, second = seen(("0088000001AA", "BB9000")), seen(("0088000001CC", "DD9000"))
    assert differences(first, second) == []
    assert differences(first, seen(("0088000001CC", "6982")))[0].kind is DifferenceKind.STATUS


def test_traces_that_are_too_long_to_compare_are_refused() -> None:
    with pytest.raises(InputError, match=str(MOST_COMPARED)):
        differences(seen(SELECTED[0]) * (MOST_COMPARED + 1), seen(SELECTED[0]))


# -- kept files --------------------------------------------------------------------------------------------------------


def test_a_log_is_not_taken_for_a_kept_trace(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="trace import"):
        load_trace(written(tmp_path, "pcscd"))


def test_a_slot_that_is_not_there_is_refused(kept: Path) -> None:
    with pytest.raises(InputError, match="no slot"):
        load_trace(kept, "vitale")


def test_a_damaged_trace_names_the_line(kept: Path) -> None:
    lines = kept.read_bytes().splitlines(True)
    kept.write_bytes(b"".join([*lines[:4], b'{"seq":4,"event":"exchange","command":7}\n', *lines[5:]]))
    with pytest.raises(InputError) as refused:
        load_trace(kept)
    assert refused.value.problems[0].line == 5
    assert refused.value.problems[0].cure


@pytest.mark.parametrize("command", ["zz", "00A", "00A4•"])
def test_a_trace_that_was_altered_is_refused_with_its_line(kept: Path, command: str) -> None:
    text = kept.read_text()
    kept.write_text(text.replace('"00A40904043F00D003"', f'"{command}"'))
    with pytest.raises(InputError, match="hexadecimal") as refused:
        load_trace(kept)
    assert "00A40904043F00D003" in text.splitlines()[refused.value.problems[0].line - 1]


def test_no_code_reaches_a_card_behind_a_reader_even_from_a_trace_that_holds_it(
    kept: Path, workshop: Workshop, tmp_path: Path
) -> None:
    kept.write_text(kept.read_text().replace(8 * "•", CODE.encode().hex()))
    assert any(CODE.encode().hex() in one.command for one in load_trace(kept).exchanges)
    device = Device.assemble("readers/generic-bislot", {"cps": CardChoice(template="medecin-generaliste")}, workshop)
    reached: list[str] = []
    with OwnPcsc.start([device.reader], observer=lambda one: reached.append(one.command.hex().upper())) as service:
        done = subprocess.run(
            [*warm(), "trace", "replay", str(kept), "--reader", service.reader_names[0], "--lang", "en"],
            env={**os.environ, **service.environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    device.close()
    assert "never presented to a real card" in done.stdout, done.stderr
    assert "00A40904043F00D003" in reached
    assert [one for one in reached if one[2:4] in ("20", "24")] == ["0020000100"]


def test_no_more_is_held_than_a_bound(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bifente.conformance.traces.trace.MOST", 3)
    with pytest.raises(InputError, match="more than 3"):
        load_trace(kept)
    assert MOST > 3


def test_an_exported_capture_reads_back_as_the_trace(kept: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace.pcap"
    with path.open("wb") as file:
        count, left = write_capture(journal.read(kept), file)
    back = [one for one in gsmtap.read(path) if isinstance(one, SeenApdu)]
    ours = load_trace(kept).exchanges
    assert (count, left) == (len(ours) + 1, 0)
    for one, two in zip(ours, back, strict=True):
        assert agrees(one.command, two.command)
        assert filled(one.response, 0).hex().upper() == two.response


@given(
    ins=st.sampled_from([0x20, 0xA4, 0xB0, 0xCA, 0xCB, 0x88, 0xD6, 0x2A]),
    data=st.binary(max_size=255),
    answer=st.binary(max_size=256),
)
@settings(max_examples=60, deadline=None)
def test_a_packet_is_cut_where_the_command_ends(ins: int, data: bytes, answer: bytes) -> None:
    reads = ins in (0xB0, 0xCA)
    command = bytes((0, ins, 0, 0)) + (bytes((len(answer) & 0xFF,)) if reads else bytes((len(data),)) + data)
    response = (answer if reads else b"") + b"\x90\x00"
    assert gsmtap.split(command + response) == (command, response)
    assert gsmtap.split(command[:3]) is None
