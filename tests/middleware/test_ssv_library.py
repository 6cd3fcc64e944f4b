"""The library around its readings: initialisation, configuration, the reader's clock; and through the GALSS."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from ssv_bench import AT, CPS_SLOT, PIN, TODAY, VITALE_SLOT, Desk, cps, fields, ids, vitale

from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.middleware.galss import GalssServer, SlotName, for_pcsc, generate
from bifente.simulator.middleware.ssv import Answer, Components, Ssv
from bifente.simulator.middleware.ssv.library import Inventory
from bifente.simulator.zones import ZoneError, check_order, encode


def desk() -> Desk:
    return Desk(cps(), vitale("famille-trois"))


def through_galss(at: Desk, application: str = "software") -> Ssv:
    file = generate(for_pcsc([SlotName("cps", CPS_SLOT), SlotName("vitale", VITALE_SLOT)]))
    server = GalssServer(at.access, at.clock, file)
    library = Ssv(server.application(application), at.clock)
    library.init_lib()
    return library


# -- initialisation ---------------------------------------------------------------------------------------------------


def test_nothing_works_before_init_and_nothing_is_touched() -> None:
    at = desk()
    library = at.library()
    for answer in (
        library.lire_config(),
        library.lire_date_lecteur("Log_SV"),
        library.maj_date_lecteur("Log_SV", "20260101000000"),
        library.lire_carte_ps("CPS", "Log_SV", PIN),
        library.lire_droits_vitale("CPS", "Log_SV", PIN, TODAY),
        library.term_lib(),
    ):
        assert answer == Answer(SsvCode.NOT_INITIALISED)
    assert not at.cps_slot.card.state().secrets["pin"].verified


@settings(max_examples=50)
@given(st.lists(st.sampled_from(["init", "term"]), max_size=12))
def test_the_library_is_open_or_it_is_not(calls: list[str]) -> None:
    library = Desk().library()
    ready = False
    for call in calls:
        if call == "init":
            expected = SsvCode.ALREADY_INITIALISED if ready else SsvCode.OK
            assert library.init_lib().code == expected
            ready = True
        else:
            assert library.term_lib().code == (SsvCode.OK if ready else SsvCode.NOT_INITIALISED)
            ready = False


# -- configuration ----------------------------------------------------------------------------------------------------


def test_the_configuration_without_galss() -> None:
    answer = desk().ssv.lire_config()
    assert (answer.code, ids(answer)) == (SsvCode.OK, [60, 62, 64, 64, 67, 67, 3600, 3780])
    assert fields(answer, 60) == [{"ssv-version": "0713", "galss-version": "", "pss-version": ""}]
    assert encode(answer.groups) == answer.zone


def test_the_configuration_with_the_galss() -> None:
    answer = through_galss(desk()).lire_config()
    assert ids(answer) == [60, 62, 63, 64, 64, 3600, 3780]
    assert fields(answer, 60) == [{"ssv-version": "0713", "galss-version": "0345", "pss-version": "0339"}]


def test_versions_are_data() -> None:
    at = desk()
    library = at.library(components=Components.of({"ssv": "0720", "srt": (), "components": ()}))
    library.init_lib()
    answer = library.lire_config()
    assert fields(answer, 60)[0]["ssv-version"] == "0720"
    assert not {3600, 64} & set(ids(answer))
    with pytest.raises(ValidationError):
        Components.of({"ssw": "1"})


def test_only_resources_without_galss_tell_of_their_slots() -> None:
    at = desk()
    assert isinstance(at.resources, Inventory)
    assert not isinstance(GalssServer(at.access, at.clock, b"").application("x"), Inventory)


# -- the reader's clock -----------------------------------------------------------------------------------------------


def test_the_reader_s_clock_is_the_bench_s_until_it_is_set() -> None:
    at = desk()
    assert at.ssv.lire_date_lecteur("Log_SV") == Answer(SsvCode.OK, b"20260303090000")
    assert at.ssv.maj_date_lecteur("Log_SV", "20271231235959").code == SsvCode.OK
    at.clock.advance(2)
    assert at.ssv.lire_date_lecteur("Log_SV").zone == b"20280101000001"
    assert at.ssv.reader_time == AT.replace(year=2028, month=1, day=1, hour=0, minute=0, second=1)


@pytest.mark.parametrize("moment", ["", "2026", "20260230000000", "20260101240000", "20260101006000", "2026010100000x"])
def test_what_is_no_moment_leaves_the_clock(moment: str) -> None:
    at = desk()
    assert at.ssv.maj_date_lecteur("Log_SV", moment).code == SsvCode.BAD_INPUT
    assert at.ssv.reader_time == AT


@settings(max_examples=50)
@given(st.datetimes(), st.integers(0, 10**6))
def test_any_moment_is_kept_and_goes_on(moment: datetime, seconds: int) -> None:
    at = Desk()
    text = f"{moment.year:04}{moment:%m%d%H%M%S}"
    assert at.ssv.maj_date_lecteur("Log_SV", text).code == SsvCode.OK
    assert at.ssv.lire_date_lecteur("Log_SV").zone == text.encode()
    before = at.ssv.reader_time
    at.clock.advance(seconds)
    if before.year < 9999:
        assert at.ssv.reader_time - before == timedelta(seconds=seconds)


def test_a_clock_at_the_end_of_time_stops_and_nothing_is_raised() -> None:
    at = desk()
    at.ssv.maj_date_lecteur("Log_SV", "99991231235959")
    at.clock.advance(10)
    assert at.ssv.lire_date_lecteur("Log_SV").zone == b"99991231235959"
    assert at.holder().code == SsvCode.PS_INVALID


# -- through the GALSS ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", ["assure-seul", "famille-trois", "dix-neuf-beneficiaires", "vitale-1"])
def test_the_galss_gives_the_same_zones(template: str) -> None:
    at = Desk(cps(), vitale(template))
    library = through_galss(at)
    assert library.lire_carte_ps("CPS", "Vitale", PIN) == at.holder()
    assert library.lire_droits_vitale("CPS", "Vitale", PIN, TODAY) == at.rights()
    check_order(at.rights().groups)


def test_an_unknown_resource_is_f101_and_the_code_is_spared() -> None:
    at = desk()
    library = through_galss(at)
    for answer in (
        library.lire_carte_ps("NOBODY", "Vitale", "0000"),
        library.lire_droits_vitale("CPS", "NOBODY", "0000", TODAY),
        library.lire_date_lecteur("NOBODY"),
        library.maj_date_lecteur("NOBODY", "20260101000000"),
    ):
        assert (answer.code, answer.zone) == (SsvCode.UNKNOWN_RESOURCE, b"")
    assert at.cps_slot.card.state().secrets["pin"].tries_left == 3


def test_swapped_cards_are_not_found_by_the_galss() -> None:
    at = Desk(vitale(), cps())
    library = through_galss(at)
    assert library.lire_carte_ps("CPS", "Vitale", PIN).code == SsvCode.PS_INVALID
    assert library.lire_droits_vitale("CPS", "Vitale", PIN, TODAY).code == SsvCode.PS_INVALID
    alone = Desk(None, cps())
    assert through_galss(alone).lire_droits_vitale("CPS", "Vitale", PIN, TODAY).code == SsvCode.VITALE_COMMUNICATION


def test_a_session_is_given_back_whatever_happened() -> None:
    at = desk()
    library = through_galss(at)
    for code in ("0000", "x", PIN):
        library.lire_droits_vitale("CPS", "Vitale", code, TODAY)
    at.vitale_slot.remove()
    assert library.lire_droits_vitale("CPS", "Vitale", PIN, TODAY).code == SsvCode.VITALE_ABSENT
    assert library.lire_carte_ps("CPS", "Vitale", PIN).code == SsvCode.OK


# -- answers ----------------------------------------------------------------------------------------------------------


def test_a_zone_that_is_none_is_told() -> None:
    assert Answer(0).groups == ()
    with pytest.raises(ZoneError):
        _ = Answer(0, b"20260303090000").groups
