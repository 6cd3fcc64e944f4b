"""The GALSS server: names, sessions, exclusivity, time-outs, and what becomes of PC/SC failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from galss_bench import CPS_NAME, SLOTS, SOUND, VITALE_NAME, Lab
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.galss import GalssInstallation, GalssSystem, SlotName, for_pcsc, for_serial, generate
from bifente.simulator.middleware.galss.model import Configuration
from bifente.simulator.middleware.galss.server import MAX_SESSIONS
from bifente.simulator.middleware.ini import edited
from bifente.simulator.middleware.patience import Patience
from bifente.simulator.readers import PcscCode, ScardError

SELECT = bytes.fromhex("00A4040000")
VERIFY = bytes.fromhex("0020000104 31323334")


def refused(action: Callable[[], object]) -> int:
    with pytest.raises(SsvError) as caught:
        action()
    return caught.value.code


# -- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("CPS", "Vitale"), ("TRANSPA1", "TRANSPA2"), ("CPS", "TRANSPA2"), ("CPS", "CPS")])
def test_names_and_aliases_lead_to_the_two_cards(names: tuple[str, str]) -> None:
    pair = Lab().server.application("lps").pair(*names)
    assert pair.ps().atr.decode() == CPS_NAME
    assert pair.vitale().atr.decode() == VITALE_NAME


@pytest.mark.parametrize("names", [("CPS", "Log_SV"), ("cps", "Vitale"), ("", ""), ("Vitale ", "Vitale")])
def test_a_name_the_file_does_not_have_is_f101(names: tuple[str, str]) -> None:
    assert refused(lambda: Lab().server.application("lps").pair(*names)) == 0xF101


def test_of_two_resources_of_one_name_the_last_of_the_file_is_taken() -> None:
    lab = Lab(edited(SOUND, "CANAL2.PAD1.LAD1", "NomLAD", "CPS"))
    assert lab.server.application("lps").pair("CPS", "TRANSPA2").ps().atr.decode() == VITALE_NAME


def test_two_pads_do_not_go_in_one_call_and_each_serves_alone() -> None:
    lab = Lab(edited(SOUND, "CANAL2.PAD1", "PAD", "1"))
    application = lab.server.application("lps")
    assert refused(lambda: application.pair("CPS", "Vitale")) == SsvCode.UNKNOWN_RESOURCE
    pair = application.pair("CPS", "CPS")
    assert pair.ps().transmit(SELECT)[-2:] == b"\x90\x00"
    assert refused(pair.vitale) == SsvCode.UNKNOWN_RESOURCE


def test_two_serial_lines_are_two_readers_even_with_one_pad() -> None:
    one, other = for_serial(1, bits=64), for_serial(2, bits=64)
    lad = generate(Configuration(one.protocols, (one.channels[0], other.channels[0])))
    lad = edited(lad, "CANAL2.PAD1.LAD3", "NomLAD", "Vitale2")
    lad = edited(lad, "CANAL2.PAD1.LAD3", "NomAlias1", "TRANSPA9")
    lab = Lab(lad, ports={1: {1: CPS_NAME, 2: VITALE_NAME}, 2: {1: CPS_NAME, 2: VITALE_NAME}})
    # The last of the file comes first: CPS is that of COM2, and the Vitale of COM1 is another reader's.
    assert refused(lambda: lab.server.application("lps").pair("CPS", "Vitale")) == 0xF101
    assert lab.server.application("lps").pair("CPS", "Vitale2").vitale().atr.decode() == VITALE_NAME


def test_a_serial_reader_has_three_resources_on_one_line() -> None:
    lab = Lab(generate(for_serial(3, bits=64)), ports={3: {1: CPS_NAME, 2: VITALE_NAME}})
    pair = lab.server.application("lps").pair("CPS", "Log_SV")
    assert (pair.ps().atr.decode(), pair.vitale().atr.decode()) == (CPS_NAME, VITALE_NAME)


def test_nothing_on_the_port_is_800c() -> None:
    lab = Lab(generate(for_serial(3, bits=64)), ports={1: {1: CPS_NAME, 2: VITALE_NAME}})
    assert refused(lab.server.application("lps").pair("CPS", "Log_SV").ps) == SsvCode.GALSS_CHARACTERISTICS


# -- the server and its file ------------------------------------------------------------------------------------------


def test_a_stopped_server_is_not_found_and_frees_what_was_held() -> None:
    lab = Lab()
    pair = lab.server.application("lps").pair("CPS", "Vitale")
    line = pair.ps()
    assert lab.cps.held == 1
    lab.server.stop()
    assert lab.cps.held == 0
    assert refused(lambda: line.transmit(SELECT)) == SsvCode.GALSS_SERVER_NOT_FOUND
    assert refused(pair.vitale) == SsvCode.GALSS_SERVER_NOT_FOUND
    assert refused(lambda: lab.server.application("lps").pair("CPS", "Vitale")) == SsvCode.GALSS_SERVER_NOT_FOUND
    lab.server.start()
    assert refused(lambda: line.transmit(SELECT)) == SsvCode.GALSS_INTERNAL
    lab.server.application("lps").pair("CPS", "Vitale").ps()


def test_a_file_counts_from_the_next_start() -> None:
    lab = Lab()
    lab.server.file = None
    lab.server.application("lps").pair("CPS", "Vitale").release()
    lab.server.start()
    assert refused(lambda: lab.server.application("lps").pair("CPS", "Vitale")) == SsvCode.GALSS_INI_UNREADABLE


def test_a_file_held_open_elsewhere_is_800d() -> None:
    lab = Lab()
    lab.server.file_held = True
    lab.server.application("lps").pair("CPS", "Vitale").release()
    lab.server.start()
    assert refused(lambda: lab.server.application("lps").pair("CPS", "Vitale")) == SsvCode.GALSS_CONFIG_MISSING


@pytest.mark.parametrize(("galss", "pss", "fits"), [((3, 45), (3, 39), True), ((3, 45), (4, 1), False)])
def test_versions_that_do_not_go_together_are_800e(galss: tuple[int, int], pss: tuple[int, int], fits: bool) -> None:
    application = Lab(installation=GalssInstallation(galss=galss, pss=pss)).server.application("lps")
    if fits:
        application.pair("CPS", "Vitale").ps()
    else:
        assert refused(lambda: application.pair("CPS", "Vitale")) == SsvCode.GALSS_VERSIONS


def test_a_32_bit_galss_does_not_load_a_64_bit_library() -> None:
    lab = Lab(installation=GalssInstallation(GalssSystem.WINDOWS, bits=32))
    assert refused(lambda: lab.server.application("lps").pair("CPS", "Vitale")) == SsvCode.GALSS_LIBRARY


# -- sessions and exclusivity -----------------------------------------------------------------------------------------


def test_another_software_waits_ten_tries_then_0004() -> None:
    lab = Lab()
    lab.server.application("lps").pair("CPS", "Vitale").ps()
    other = lab.server.application("amelipro").pair("CPS", "Vitale")
    assert refused(other.ps) == SsvCode.GALSS_HELD_BY_ANOTHER
    assert lab.clock.pauses == [0.5] * 9
    other.vitale()  # the other channel is free


def test_the_same_software_twice_is_0008() -> None:
    lab = Lab()
    lab.server.application("lps").pair("CPS", "Vitale").ps()
    assert refused(lab.server.application("lps").pair("CPS", "Vitale").ps) == SsvCode.GALSS_ALREADY_EXCLUSIVE


@pytest.mark.parametrize("released_after", [1, 5, 9])
def test_a_reader_let_go_in_time_is_had(released_after: int) -> None:
    lab = Lab()
    first = lab.server.application("lps").pair("CPS", "Vitale")
    first.ps()
    lab.clock.after[released_after] = first.release
    lab.server.application("amelipro").pair("CPS", "Vitale").ps()
    assert len(lab.clock.pauses) == released_after


def test_a_session_open_already_is_asked_for_three_times_more() -> None:
    lab = Lab()
    application = lab.server.application("lps")
    first = application.pair("CPS", "Vitale")
    assert refused(lambda: application.pair("CPS", "Vitale")) == SsvCode.GALSS_SESSION_OPEN
    assert len(lab.clock.pauses) == 3
    lab.clock.after[4] = first.release
    application.pair("CPS", "Vitale")


def test_too_many_sessions_are_0002_and_one_closed_makes_room() -> None:
    lab = Lab()
    pairs = [lab.server.application(f"lps-{number}").pair("CPS", "Vitale") for number in range(MAX_SESSIONS)]
    assert refused(lambda: lab.server.application("more").pair("CPS", "Vitale")) == SsvCode.GALSS_TOO_MANY_SESSIONS
    pairs[3].release()
    lab.server.application("more").pair("CPS", "Vitale")


def test_a_released_session_gives_nothing_more_and_releasing_twice_is_harmless() -> None:
    lab = Lab()
    pair = lab.server.application("lps").pair("CPS", "Vitale")
    line = pair.ps()
    pair.release()
    pair.release()
    assert lab.cps.held == 0
    assert refused(pair.ps) == SsvCode.GALSS_INTERNAL
    assert refused(lambda: line.transmit(SELECT)) == SsvCode.GALSS_INTERNAL


def test_a_pc_sc_program_that_lets_go_in_time_is_waited_for() -> None:
    lab = Lab()
    lab.cps.fails("begin", [PcscCode.SHARING_VIOLATION] * 4)
    pair = lab.server.application("lps").pair("CPS", "Vitale")
    pair.ps()
    assert lab.clock.pauses == [0.5] * 4
    assert lab.cps.dialogues == 1  # those that failed are closed
    pair.release()
    assert lab.cps.dialogues == 0
    lab.vitale.fails("connect", [PcscCode.SHARING_VIOLATION] * 10)
    assert refused(lab.server.application("b").pair("CPS", "Vitale").vitale) == SsvCode.GALSS_HELD_BY_ANOTHER


def test_patience_is_the_application_s_own() -> None:
    lab = Lab()
    lab.server.application("lps").pair("CPS", "Vitale").ps()
    hasty = lab.server.application("amelipro", patience=Patience(2, 0.1))
    assert refused(hasty.pair("CPS", "Vitale").ps) == SsvCode.GALSS_HELD_BY_ANOTHER
    assert lab.clock.pauses == [0.1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["ps", "vitale", "release"])), max_size=25))
def test_no_channel_is_ever_held_twice_and_the_end_leaves_none(moves: list[tuple[str, str]]) -> None:
    lab = Lab()
    applications = {name: lab.server.application(name, patience=Patience(1, 0.0)) for name in "abc"}
    pairs: dict[Any, Any] = {}
    holders: dict[str, str] = {}
    for name, move in moves:
        if move == "release":
            if name in pairs:
                pairs.pop(name).release()
            holders = {what: who for what, who in holders.items() if who != name}
            continue
        pair = pairs.get(name) or pairs.setdefault(name, applications[name].pair("CPS", "Vitale"))
        free = holders.get(move, name) == name
        if free:
            getattr(pair, move)()
            holders[move] = name
        else:
            assert refused(getattr(pair, move)) == SsvCode.GALSS_HELD_BY_ANOTHER
        assert lab.cps.held == ("ps" in holders)
        assert lab.vitale.held == ("vitale" in holders)
    for pair in pairs.values():
        pair.release()
    assert lab.cps.held == lab.vitale.held == 0


# -- readers that are not there ---------------------------------------------------------------------------------------


def test_an_absent_reader_costs_its_time_out_at_every_session() -> None:
    lab = Lab(SOUND, CPS_NAME)
    application = lab.server.application("lps")
    pair = application.pair("CPS", "Vitale")
    assert lab.clock.pauses == [15.0]
    pair.ps()
    assert refused(pair.vitale) == SsvCode.GALSS_NO_ANSWER
    pair.release()
    application.pair("CPS", "Vitale").release()
    assert lab.clock.pauses == [15.0, 15.0]


def test_the_time_out_is_the_third_number_of_config() -> None:
    lab = Lab(edited(SOUND, "PROTOCOLE0", "Config", "1000,1,2500"), CPS_NAME)
    lab.server.application("lps").pair("CPS", "Vitale")
    assert lab.clock.pauses == [2.5]


@pytest.mark.parametrize("name", [VITALE_NAME.lower(), VITALE_NAME[:-1] + "1", VITALE_NAME.replace(" ", "")])
def test_a_name_that_is_not_exact_is_an_absent_reader(name: str) -> None:
    lab = Lab(generate(for_pcsc([SLOTS[0], SlotName("vitale", name)])))
    assert refused(lab.server.application("lps").pair("CPS", "Vitale").vitale) == SsvCode.GALSS_NO_ANSWER


def test_a_reader_that_was_there_is_lost_and_serves_again_once_back() -> None:
    lab = Lab()
    application = lab.server.application("lps")
    application.pair("CPS", "Vitale").release()
    lab.vitale.present = False
    pair = application.pair("CPS", "Vitale")
    assert refused(pair.vitale) == SsvCode.UNKNOWN_RESOURCE
    assert lab.clock.pauses == []
    pair.release()
    lab.vitale.present = True
    application.pair("CPS", "Vitale").vitale()


def test_a_stopped_pc_sc_service_is_told_and_leaves_no_session() -> None:
    lab = Lab()
    lab.readers.failure = PcscCode.NO_SERVICE
    application = lab.server.application("lps")
    assert refused(lambda: application.pair("CPS", "Vitale")) == SsvCode.GALSS_PSS_INITIALISATION
    lab.readers.failure = None
    application.pair("CPS", "Vitale")
    assert lab.clock.pauses == []


# -- failures of the line and of the cards ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "of_the_ps", "of_the_vitale"),
    [
        (PcscCode.NO_SMARTCARD, 0xF001, 0xF011),
        (PcscCode.REMOVED_CARD, 0xF001, 0xF011),
        (PcscCode.UNRESPONSIVE_CARD, 0xF004, 0xF014),
        (PcscCode.TIMEOUT, 0x0400, 0x0400),
        (PcscCode.COMM_ERROR, 0x0200, 0x0200),
        (PcscCode.READER_UNAVAILABLE, 0xF101, 0xF101),
        (PcscCode.SERVICE_STOPPED, 0x800A, 0x800A),
        (PcscCode.INVALID_HANDLE, 0x0001, 0x0001),
    ],
)
def test_a_card_that_cannot_be_reached(failure: PcscCode, of_the_ps: int, of_the_vitale: int) -> None:
    lab = Lab()
    lab.cps.fails("connect", [failure])
    lab.vitale.fails("connect", [failure])
    pair = lab.server.application("lps").pair("CPS", "Vitale")
    assert (refused(pair.ps), refused(pair.vitale)) == (of_the_ps, of_the_vitale)
    assert pair.ps().transmit(SELECT) == SELECT + b"\x90\x00"  # and it serves again


@pytest.mark.parametrize("times", [1, 4])
def test_lost_synchronism_is_made_good_up_to_four_times(times: int) -> None:
    lab = Lab()
    line = lab.server.application("lps").pair("CPS", "Vitale").ps()
    lab.cps.fails("transmit", [PcscCode.COMM_ERROR] * times)
    assert line.transmit(SELECT) == SELECT + b"\x90\x00"
    assert lab.cps.sent == [SELECT] * (times + 1)


def test_a_fifth_loss_is_0200() -> None:
    lab = Lab()
    line = lab.server.application("lps").pair("CPS", "Vitale").ps()
    lab.cps.fails("transmit", [PcscCode.NOT_TRANSACTED] * 5)
    assert refused(lambda: line.transmit(SELECT)) == SsvCode.GALSS_PROTOCOL
    assert len(lab.cps.sent) == 5


@pytest.mark.parametrize("instruction", [0x20, 0x24, 0x2C, 0x2A, 0x84, 0x88])
def test_a_code_or_a_key_at_work_is_never_sent_twice(instruction: int) -> None:
    lab = Lab()
    line = lab.server.application("lps").pair("CPS", "Vitale").ps()
    lab.cps.fails("transmit", [PcscCode.COMM_ERROR])
    command = bytes([0, instruction]) + VERIFY[2:]
    assert refused(lambda: line.transmit(command)) == SsvCode.GALSS_PROTOCOL
    assert lab.cps.sent == [command]


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (PcscCode.RESET_CARD, 0x0040),
        (PcscCode.TIMEOUT, 0x0400),
        (PcscCode.READER_UNAVAILABLE, 0xF101),
        (PcscCode.NO_SERVICE, 0x800A),
        (PcscCode.SHARING_VIOLATION, 0x0004),
    ],
)
def test_failures_of_the_reader_within_a_session(failure: PcscCode, code: int) -> None:
    lab = Lab()
    line = lab.server.application("lps").pair("CPS", "Vitale").ps()
    lab.cps.fails("transmit", [failure])
    assert refused(lambda: line.transmit(SELECT)) == code
    assert lab.cps.sent == [SELECT]
    lab.cps.fails("reset", [failure])
    assert refused(lambda: line.reset(cold=False)) == code


@pytest.mark.parametrize("failure", [PcscCode.REMOVED_CARD, PcscCode.NO_SMARTCARD, PcscCode.UNRESPONSIVE_CARD])
def test_failures_of_the_card_stay_what_they_are(failure: PcscCode) -> None:
    lab = Lab()
    line = lab.server.application("lps").pair("CPS", "Vitale").vitale()
    lab.vitale.fails("transmit", [failure])
    with pytest.raises(ScardError) as caught:
        line.transmit(SELECT)
    assert caught.value.code == failure
    lab.vitale.fails("reset", [failure])
    with pytest.raises(ScardError):
        line.reset(cold=True)


def test_a_short_command_goes_through_as_it_is() -> None:
    lab = Lab()
    line = lab.server.application("lps").pair("CPS", "Vitale").ps()
    assert line.transmit(b"") == b"\x90\x00"
    assert line.transmit(b"\x00") == b"\x00\x90\x00"
