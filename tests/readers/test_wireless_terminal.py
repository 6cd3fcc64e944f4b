from __future__ import annotations

import itertools
import random
import threading
from typing import Any

import pytest
from wireless_bench import Field

from bifente.simulator.formats.jose import SealError, SealRefusal
from bifente.simulator.formats.jose.seal import SigningKey
from bifente.simulator.readers import LineError, PcscCode, SlotEventKind
from bifente.simulator.readers.wireless import (
    BatteryModel,
    BusyError,
    Pairing,
    Platform,
    RadioLink,
    Refusal,
    SessionEvent,
    Terminal,
    TerminalCondition,
    TerminalParameters,
    TerminalSession,
    TokenRefusedError,
    WeakLink,
)
from bifente.simulator.readers.wireless.claims import ACCESS
from bifente.simulator.readers.wireless.refusals import refusing
from bifente.simulator.readers.wireless.states import TRANSITIONS


def refusal(act: Any, *arguments: Any) -> Refusal:
    with pytest.raises(TokenRefusedError) as error:
        act(*arguments)
    return error.value.reason


@pytest.fixture
def bench() -> Field:
    return Field.make()


def test_every_state_answers_every_event() -> None:
    assert set(TRANSITIONS) == set(itertools.product(TerminalSession, SessionEvent))


def test_every_refusal_has_its_sentence_in_both_languages() -> None:
    for reason in Refusal:
        assert reason.sentence.fr
        assert reason.sentence.en
        assert reason.sentence.fr != reason.sentence.en


# -- the life of a token --------------------------------------------------------------------------------------------


def test_a_token_renewed_at_119_seconds_goes_on(bench: Field) -> None:
    bench.clock.advance(119)
    bench.renew()
    bench.clock.advance(119)
    assert bench.ask() == b"\x90\x00"
    assert bench.terminal.session is TerminalSession.OPEN


@pytest.mark.parametrize("seconds", [120, 121, 3600])
def test_a_token_not_renewed_in_time_ends_the_session(bench: Field, seconds: int) -> None:
    bench.clock.advance(seconds)
    assert bench.terminal.condition is TerminalCondition.NO_SESSION
    assert bench.terminal.session is TerminalSession.LAPSED
    assert not bench.slots["cps"].reachable
    assert bench.slots["cps"].answering is None
    assert not bench.cards["cps"].powered
    assert refusal(bench.platform.renew, bench.token, bench.terminal.id) is Refusal.EXPIRED
    fresh = bench.platform.issue(bench.terminal.id)
    assert refusal(bench.terminal.renew, fresh) is Refusal.TOO_LATE
    # A new authentication is the way out (SEED-TOKEN-04).
    bench.open()
    assert bench.ask() == b"\x90\x00"


def test_the_expiry_strikes_even_if_nobody_looked(bench: Field) -> None:
    bench.ask()
    bench.clock.advance(120)
    with pytest.raises(LineError) as error:
        bench.slots["cps"].exchange(b"\x00\xb0\x00\x00\x00")
    assert error.value.code is PcscCode.READER_UNAVAILABLE
    assert len(bench.cards["cps"].commands) == 1


def test_a_two_hour_consultation_renewed_every_100_seconds_never_drops(bench: Field) -> None:
    lost = []
    for slot in bench.slots.values():
        slot.listen(lambda event: lost.append(event) if event.kind is SlotEventKind.LOST else None)
    for second in range(0, 7200, 10):
        if second and second % 100 == 0:
            bench.renew()
        assert bench.ask("vitale") == b"\x90\x00"
        assert bench.ask("cps") == b"\x90\x00"
        bench.clock.advance(10)
    assert not lost
    assert len(bench.cards["cps"].commands) == 720


def test_a_longer_ttl_is_a_parameter() -> None:
    bench = Field.make(TerminalParameters(ttl=3600))
    bench.clock.advance(3599)
    assert bench.ask() == b"\x90\x00"
    bench.clock.advance(1)
    assert bench.terminal.session is TerminalSession.LAPSED


def test_fractions_of_a_second_count() -> None:
    bench = Field.make(session=False)
    bench.clock.advance(0.9)
    bench.platform.pair(bench.terminal.id)
    bench.open()
    bench.clock.advance(119.5)
    assert bench.terminal.session is TerminalSession.OPEN
    bench.clock.advance(0.51)
    assert bench.terminal.session is TerminalSession.LAPSED


def test_an_older_token_opens_nothing_once_renewed(bench: Field) -> None:
    first = bench.token
    bench.renew()
    assert refusal(bench.platform.renew, first, bench.terminal.id) is Refusal.REPLAYED
    assert refusal(bench.terminal.open, first) is Refusal.REPLAYED
    assert refusal(bench.terminal.renew, first) is Refusal.REPLAYED
    assert refusal(bench.terminal.authorise, first) is Refusal.REPLAYED
    bench.terminal.authorise(bench.token)
    # Neither does the one in use open a second session.
    assert refusal(bench.terminal.open, bench.token) is Refusal.REPLAYED


def test_a_token_of_another_session_does_not_renew_this_one(bench: Field) -> None:
    other = bench.platform.issue(bench.terminal.id)
    assert refusal(bench.terminal.renew, other) is Refusal.OTHER_SESSION
    assert refusal(bench.terminal.authorise, other) is Refusal.OTHER_SESSION
    bench.terminal.open(other)
    bench.terminal.authorise(other)
    assert refusal(bench.terminal.authorise, bench.token) is Refusal.REPLAYED


def test_a_closed_session_is_not_renewed(bench: Field) -> None:
    fresh = bench.platform.renew(bench.token, bench.terminal.id)
    bench.terminal.close()
    assert bench.terminal.session is TerminalSession.CLOSED
    assert not bench.slots["vitale"].reachable
    assert refusal(bench.terminal.renew, fresh) is Refusal.NO_SESSION
    assert refusal(bench.terminal.authorise, fresh) is Refusal.NO_SESSION


# -- clocks that disagree -------------------------------------------------------------------------------------------


def test_a_terminal_ahead_of_the_workstation_lapses_early(bench: Field) -> None:
    bench.terminal.skew = 30
    bench.clock.advance(89)
    assert bench.terminal.session is TerminalSession.OPEN
    bench.clock.advance(1)
    assert bench.terminal.session is TerminalSession.LAPSED
    # The workstation thinks it is in time, and gets a token: the terminal knows better.
    fresh = bench.platform.renew(bench.token, bench.terminal.id)
    assert refusal(bench.terminal.renew, fresh) is Refusal.TOO_LATE


def test_a_terminal_far_ahead_takes_no_token_at_all(bench: Field) -> None:
    bench.terminal.skew = 121
    assert bench.terminal.session is TerminalSession.LAPSED
    assert refusal(bench.terminal.open, bench.platform.issue(bench.terminal.id)) is Refusal.EXPIRED


@pytest.mark.parametrize(("behind", "taken"), [(3, True), (5, True), (6, False), (30, False)])
def test_a_terminal_behind_takes_a_token_within_its_leeway(bench: Field, behind: int, taken: bool) -> None:
    bench.terminal.skew = -behind
    token = bench.platform.issue(bench.terminal.id)
    if taken:
        bench.terminal.open(token)
        assert bench.ask() == b"\x90\x00"
    else:
        assert refusal(bench.terminal.open, token) is Refusal.NOT_YET


def test_a_leeway_never_prolongs_a_token(bench: Field) -> None:
    bench.terminal.skew = -4
    bench.clock.advance(121)
    # By its own clock the terminal has three seconds left; the platform renews nothing that is over.
    assert bench.terminal.session is TerminalSession.OPEN
    assert refusal(bench.platform.renew, bench.token, bench.terminal.id) is Refusal.EXPIRED


# -- whose token it is ----------------------------------------------------------------------------------------------


def test_the_token_of_another_terminal_opens_nothing(bench: Field) -> None:
    other = Terminal({}, bench.platform, random.Random(2))
    assert other.id != bench.terminal.id
    bench.platform.pair(other.id)
    token = bench.platform.issue(other.id)
    assert refusal(bench.terminal.open, token) is Refusal.OTHER_TERMINAL
    assert refusal(bench.terminal.renew, token) is Refusal.OTHER_TERMINAL
    assert refusal(bench.terminal.authorise, token) is Refusal.OTHER_TERMINAL
    assert refusal(bench.platform.renew, token, bench.terminal.id) is Refusal.OTHER_TERMINAL
    other.open(token)


def test_the_token_of_another_platform_opens_nothing(bench: Field) -> None:
    key = SigningKey.es256("laboratory-terminal-1")
    other = Platform(bench.clock, bench.platform.parameters, random.Random(1), key)
    assert other.enrol() == bench.terminal.id, "the same identifier, drawn from the same seed"
    other.pair(bench.terminal.id)
    assert refusal(bench.terminal.open, other.issue(bench.terminal.id)) is Refusal.SIGNATURE


GOOD = {"iss": "bifente-laboratory", "aud": "bifente-terminal", "sid": "s", "jti": "j", "pairing": 1}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"iss": "elsewhere"}, Refusal.ISSUER),
        ({"aud": "elsewhere"}, Refusal.AUDIENCE),
        ({"aud": ["bifente-terminal"]}, Refusal.CLAIMS),
        ({"sub": "0000"}, Refusal.OTHER_TERMINAL),
        ({"sub": None}, Refusal.CLAIMS),
        ({"sid": ""}, Refusal.CLAIMS),
        ({"jti": 7}, Refusal.CLAIMS),
        ({"jti": "x" * 129}, Refusal.CLAIMS),
        ({"pairing": 2}, Refusal.OTHER_PAIRING),
        ({"pairing": True}, Refusal.CLAIMS),
        ({"pairing": "1"}, Refusal.CLAIMS),
        ({"life": 121}, Refusal.LIFETIME),
        ({"life": 0}, Refusal.LIFETIME),
        ({"life": -5}, Refusal.LIFETIME),
        ({"iat": "now"}, Refusal.CLAIMS),
        ({"exp": None}, Refusal.CLAIMS),
        ({"exp": True}, Refusal.CLAIMS),
        ({"exp": float("nan")}, Refusal.CLAIMS),
        ({"exp": float("inf")}, Refusal.CLAIMS),
        ({"exp": 10**400}, Refusal.CLAIMS),
        ({"late": 6}, Refusal.NOT_YET),
        ({"late": -120}, Refusal.EXPIRED),
    ],
    ids=str,
)
def test_each_claim_is_verified(change: dict[str, Any], reason: Refusal | None) -> None:
    key = SigningKey.es256("k")
    bench = Field.make(session=False)
    platform = Platform(bench.clock, TerminalParameters(), random.Random(3), key)
    terminal = Terminal(bench.slots, platform, random.Random(3))
    platform.pair(terminal.id)
    change = dict(change)
    issued = int(bench.clock.now().timestamp()) + change.pop("late", 0)
    claims = {**GOOD, "sub": terminal.id, "iat": issued, "exp": issued + change.pop("life", 120), **change}
    token = ACCESS.close(claims, key.key, "k")
    if reason is None:
        terminal.open(token)
    else:
        assert refusal(terminal.open, token) is reason
        assert terminal.session is TerminalSession.CLOSED


def test_a_card_taken_out_while_its_command_is_on_the_way_hears_nothing(
    bench: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot, card, honest = bench.slots["cps"], bench.cards["cps"], bench.clock.wait
    slot.power_on()
    bench.terminal.set_link(RadioLink.WEAK, weak=WeakLink(lost=0.0, late=1.0, delay=0.8))
    monkeypatch.setattr(bench.clock, "wait", lambda seconds: (honest(seconds), slot.remove()))
    with pytest.raises(LineError) as error:
        slot.exchange(b"\x00\xb0\x00\x00\x00")
    assert error.value.code is PcscCode.REMOVED_CARD
    assert card.commands == []


def test_slots_stand_as_the_terminal_does_however_slow_a_thread_is(bench: Field) -> None:
    """One hand loses the link and is held up just before the slot follows; another brings it back meanwhile."""
    slot, follow = bench.slots["cps"], bench.slots["cps"].reach

    def held_up(reachable: bool) -> None:
        if not reachable:
            back = threading.Thread(target=bench.terminal.set_link, args=(RadioLink.UP,))
            back.start()
            back.join()
        follow(reachable)

    slot.reach = held_up  # type: ignore[method-assign]
    bench.terminal.set_link(RadioLink.LOST)
    assert bench.terminal.link is RadioLink.UP
    assert [one.reachable for one in bench.slots.values()] == [True, True]
    assert bench.ask() == b"\x90\x00"


# -- pairing --------------------------------------------------------------------------------------------------------


def test_a_terminal_that_is_not_paired_gives_nothing() -> None:
    bench = Field.make(session=False)
    assert bench.terminal.condition is TerminalCondition.UNPAIRED
    assert not bench.slots["cps"].reachable
    assert refusal(bench.platform.issue, bench.terminal.id) is Refusal.NOT_PAIRED
    assert refusal(bench.platform.issue, "a terminal nobody enrolled") is Refusal.NOT_PAIRED


@pytest.mark.parametrize(("revoked", "reason"), [(False, Refusal.NOT_PAIRED), (True, Refusal.REVOKED)])
def test_a_pairing_undone_ends_the_session_at_once(bench: Field, revoked: bool, reason: Refusal) -> None:
    bench.ask()
    bench.terminal.remember_code("1234", bench.terminal.occasion)
    bench.platform.unpair(bench.terminal.id, revoked=revoked)
    with pytest.raises(LineError):
        bench.slots["cps"].exchange(b"\x00\xb0\x00\x00\x00")
    assert bench.terminal.condition is TerminalCondition.UNPAIRED
    assert bench.terminal.pairing is (Pairing.REVOKED if revoked else Pairing.NONE)
    assert bench.terminal.code is None
    for act in (bench.terminal.open, bench.terminal.renew, bench.terminal.authorise):
        assert refusal(act, bench.token) is reason
    assert refusal(bench.platform.issue, bench.terminal.id) is reason
    assert refusal(bench.platform.renew, bench.token, bench.terminal.id) is reason


def test_a_token_of_an_earlier_pairing_is_worthless(bench: Field) -> None:
    kept = bench.platform.issue(bench.terminal.id)
    bench.platform.unpair(bench.terminal.id)
    bench.platform.pair(bench.terminal.id)
    assert refusal(bench.terminal.open, kept) is Refusal.OTHER_PAIRING
    bench.open()
    assert bench.ask() == b"\x90\x00"


# -- link -----------------------------------------------------------------------------------------------------------


def test_a_lost_link_cuts_the_cards_and_the_session_waits_for_it(bench: Field) -> None:
    bench.ask()
    bench.terminal.set_link(RadioLink.LOST)
    assert bench.terminal.condition is TerminalCondition.OUT_OF_RANGE
    assert not bench.slots["cps"].reachable
    assert not bench.cards["cps"].powered, "the card lost its power with the link"
    assert refusal(bench.terminal.renew, bench.platform.renew(bench.token, bench.terminal.id)) is Refusal.OFFLINE
    bench.clock.advance(60)
    bench.terminal.set_link(RadioLink.UP)
    assert bench.terminal.condition is TerminalCondition.READY
    assert bench.ask() == b"\x90\x00"


def test_a_link_lost_for_too_long_comes_back_without_session(bench: Field) -> None:
    bench.terminal.set_link(RadioLink.LOST)
    bench.clock.advance(121)
    bench.terminal.set_link(RadioLink.UP)
    assert bench.terminal.condition is TerminalCondition.NO_SESSION
    assert not bench.slots["cps"].reachable


def test_a_weak_link_loses_as_many_exchanges_as_it_is_told_to(bench: Field) -> None:
    bench.ask()
    bench.terminal.set_link(RadioLink.WEAK, weak=WeakLink(lost=0, late=0), losses=2)
    for _ in range(2):
        with pytest.raises(LineError) as error:
            bench.ask()
        assert error.value.code is PcscCode.NOT_TRANSACTED
    assert bench.ask() == b"\x90\x00"
    assert bench.slots["cps"].reachable, "weak is not gone"


def test_a_weak_link_loses_its_share_and_the_same_ones_under_the_same_seed() -> None:
    def fates(seed: int) -> tuple[list[bool], int]:
        bench = Field.make(TerminalParameters(ttl=1e6, battery=BatteryModel(1e6, 10**9)), seed=seed)
        bench.ask()
        bench.terminal.set_link(RadioLink.WEAK, weak=WeakLink(lost=0.25, late=0))
        heard = []
        for _ in range(2000):
            try:
                bench.ask()
                heard.append(True)
            except LineError:
                heard.append(False)
        return heard, len(bench.cards["cps"].commands) - 1

    heard, reached = fates(5)
    assert 400 < heard.count(False) < 600
    # Half of what was lost had reached the card: only its answer went.
    assert 180 < reached - heard.count(True) < 320
    assert fates(5)[0] == heard
    assert fates(6)[0] != heard


def test_a_weak_link_takes_its_time(bench: Field) -> None:
    bench.ask()
    bench.terminal.set_link(RadioLink.WEAK, weak=WeakLink(lost=0, late=1, delay=2.5))
    before = bench.clock.monotonic()
    for _ in range(4):
        bench.ask()
    assert bench.clock.monotonic() - before == 10


def test_a_strong_link_draws_nothing(bench: Field) -> None:
    before = bench.clock.monotonic()
    for _ in range(500):
        assert bench.ask() == b"\x90\x00"
    assert bench.clock.monotonic() == before


def test_something_may_happen_between_two_exchanges(bench: Field) -> None:
    bench.ask()
    bench.terminal.after_exchanges(2, lambda: bench.terminal.set_link(RadioLink.LOST))
    assert [bench.ask() for _ in range(2)] == [b"\x90\x00"] * 2
    with pytest.raises(LineError):
        bench.slots["cps"].exchange(b"\x00\xb0\x00\x00\x00")
    assert len(bench.cards["cps"].commands) == 3


def test_a_renewal_in_the_middle_of_a_slow_reading_saves_it(bench: Field) -> None:
    bench.ask()
    bench.clock.advance(115)
    bench.terminal.set_link(RadioLink.WEAK, weak=WeakLink(lost=0, late=1, delay=1))
    bench.terminal.after_exchanges(3, lambda: bench.renew())
    for _ in range(10):
        assert bench.ask() == b"\x90\x00"


def test_without_it_the_reading_is_cut(bench: Field) -> None:
    bench.ask()
    bench.clock.advance(115)
    bench.terminal.set_link(RadioLink.WEAK, weak=WeakLink(lost=0, late=1, delay=1))
    # The last one began in time: it is answered.
    assert [bench.ask() for _ in range(5)] == [b"\x90\x00"] * 5
    with pytest.raises(LineError):
        bench.slots["cps"].exchange(b"\x00\xb0\x00\x00\x00")


# -- battery --------------------------------------------------------------------------------------------------------


def test_the_battery_falls_with_time_and_warns() -> None:
    bench = Field.make(TerminalParameters(ttl=1e6, battery=BatteryModel(hours=10, exchanges=10**9, low=15)))
    bench.clock.advance(5 * 3600)
    assert bench.terminal.battery == pytest.approx(50)
    assert not bench.terminal.battery_low
    bench.clock.advance(3.5 * 3600)
    assert bench.terminal.battery_low
    assert bench.ask() == b"\x90\x00"
    bench.clock.advance(1.5 * 3600)
    assert bench.terminal.battery == 0
    assert not bench.terminal.battery_low
    assert bench.terminal.condition is TerminalCondition.OFF


def test_the_battery_falls_with_use() -> None:
    bench = Field.make(TerminalParameters(battery=BatteryModel(hours=1e9, exchanges=100)))
    bench.ask()
    for _ in range(49):
        bench.ask()
    assert bench.terminal.battery == pytest.approx(49, abs=0.01)
    for _ in range(49):
        bench.ask()
    assert bench.terminal.battery == pytest.approx(0, abs=0.01)
    with pytest.raises(LineError):
        bench.slots["cps"].exchange(b"\x00\xb0\x00\x00\x00")
    assert bench.terminal.condition is TerminalCondition.OFF


def test_an_empty_battery_takes_session_and_code_with_it(bench: Field) -> None:
    bench.terminal.remember_code("1234", bench.terminal.occasion)
    bench.terminal.charge(0)
    assert bench.terminal.condition is TerminalCondition.OFF
    assert not bench.slots["cps"].reachable
    assert refusal(bench.terminal.open, bench.platform.issue(bench.terminal.id)) is Refusal.OFFLINE
    bench.terminal.charge(80)
    assert bench.terminal.condition is TerminalCondition.NO_SESSION
    assert bench.terminal.code is None
    bench.open()
    assert bench.ask() == b"\x90\x00"


@pytest.mark.parametrize("percent", [-1, 100.5])
def test_a_battery_holds_no_other_level(bench: Field, percent: float) -> None:
    with pytest.raises(ValueError, match="0 to 100"):
        bench.terminal.charge(percent)


# -- the holder code ------------------------------------------------------------------------------------------------


def test_the_code_is_kept_for_the_session(bench: Field) -> None:
    bench.terminal.remember_code("1234", bench.terminal.occasion)
    bench.clock.advance(100)
    bench.renew()
    assert bench.terminal.code == "1234"
    bench.slots["vitale"].remove()
    assert bench.terminal.code == "1234", "the patient's card has nothing to do with it"


@pytest.mark.parametrize(
    "loss",
    [
        lambda bench: bench.terminal.forget_code(),
        lambda bench: bench.slots["cps"].remove(),
        lambda bench: bench.clock.advance(120),
        lambda bench: bench.open(),
        lambda bench: bench.terminal.close(),
    ],
)
def test_the_code_is_lost(bench: Field, loss: Any) -> None:
    bench.terminal.remember_code("1234", bench.terminal.occasion)
    loss(bench)
    assert bench.terminal.code is None


def test_no_code_is_kept_out_of_session() -> None:
    bench = Field.make(session=False)
    bench.terminal.remember_code("1234", bench.terminal.occasion)
    assert bench.terminal.code is None


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda bench: bench.slots["cps"].remove(),
        lambda bench: bench.slots["cps"].insert(bench.slots["cps"].remove()),
        lambda bench: bench.slots["cps"].replace(bench.cards["vitale"]),
        lambda bench: (bench.terminal.close(), bench.open()),
    ],
    ids=["card-out", "out-and-in", "another-card", "another-session"],
)
def test_a_code_is_not_kept_for_another_card_or_session_than_it_was_verified_in(bench: Field, meanwhile: Any) -> None:
    verified = bench.terminal.occasion
    meanwhile(bench)
    bench.terminal.remember_code("1234", verified)
    assert bench.terminal.code is None


# -- one call at a time, and the end --------------------------------------------------------------------------------


def test_one_call_at_a_time(bench: Field) -> None:
    with bench.terminal.serving(), pytest.raises(BusyError), bench.terminal.serving():
        pass
    with bench.terminal.serving():
        pass


def test_detached_it_leaves_plain_slots(bench: Field) -> None:
    bench.terminal.set_link(RadioLink.LOST)
    bench.terminal.detach()
    assert bench.slots["cps"].reachable
    assert bench.slots["cps"].interference is None
    assert bench.ask() == b"\x90\x00"


def test_a_renewal_out_of_range_costs_nothing(bench: Field) -> None:
    bench.terminal.set_link(RadioLink.LOST)
    assert refusal(bench.renew) is Refusal.OFFLINE
    bench.terminal.set_link(RadioLink.UP)
    bench.clock.advance(119)
    bench.renew()
    assert bench.ask() == b"\x90\x00"


@pytest.mark.parametrize("reason", list(SealRefusal))
def test_what_is_wrong_with_a_seal_is_a_refusal_of_the_token_in_the_same_words(reason: SealRefusal) -> None:
    with pytest.raises(TokenRefusedError, match="what was met") as error, refusing():
        raise SealError(reason, "what was met")
    assert (error.value.reason.value, error.value.reason.sentence) == (reason.value, reason.sentence)
