"""The e-CPS as a state machine: whatever happens on phones, an approval opens its own login and no other."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from bifente.ground.clock import VirtualClock
from bifente.simulator.services.psc.ecps import (
    Activation,
    EcpsError,
    EcpsPlatform,
    EcpsRefusal,
    Notification,
    NotificationState,
)
from bifente.simulator.services.psc.model import ListedProfessional, laboratory

PEOPLE = {one.id: one for one in laboratory().professionals}
DOCTOR, PHYSIO = PEOPLE["899900000011"], PEOPLE["899900000052"]
PERSON = st.sampled_from([DOCTOR, PHYSIO])
DEVICES = ("telephone-1", "telephone-2", "telephone-3")


def platform(clock: VirtualClock) -> EcpsPlatform:
    keys, codes = itertools.count(), itertools.count(100_000)
    return EcpsPlatform(clock, lambda: f"n{next(keys)}", lambda count: str(next(codes)))


class Phones(RuleBasedStateMachine):
    """Beside the platform, what must be so is kept in the plainest words: who owns a phone, what was approved."""

    logins = Bundle("logins")

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock()
        self.platform = platform(self.clock)
        self.owner: dict[str, str] = {}
        self.approved: dict[str, tuple[str, str]] = {}
        """Notification to (device, number) that approved it."""
        self.made: dict[str, Notification] = {}

    @rule(device=st.sampled_from(DEVICES), one=PERSON, card=st.sampled_from([DOCTOR, PHYSIO]))
    def activate_by_card(self, device: str, one: ListedProfessional, card: ListedProfessional) -> None:
        if one is not card:
            with pytest.raises(EcpsError) as refused:
                self.platform.activate_by_card(device, one, card.id)
            assert refused.value.refusal is EcpsRefusal.OTHER_CARD
            return
        self.platform.activate_by_card(device, one, card.id)
        self.owned(device, one.id)

    @rule(device=st.sampled_from(DEVICES), one=PERSON, right=st.booleans())
    def activate_by_contact(self, device: str, one: ListedProfessional, right: bool) -> None:
        self.owner.pop(device, None)
        phone = self.platform.begin_by_contact(device, one, one.contact.email, one.contact.mobile)
        first, second = phone.secrets
        if right:
            self.platform.finish_by_contact(device, first, second)
            self.owned(device, one.id)
        else:
            with pytest.raises(EcpsError):
                self.platform.finish_by_contact(device, second, first)

    @rule(device=st.sampled_from(DEVICES))
    def lose(self, device: str) -> None:
        self.platform.lose(device)
        self.owner.pop(device, None)

    @rule(target=logins, one=PERSON, number=st.sampled_from(["00", "42", "99"]))
    def log_in(self, one: ListedProfessional, number: str) -> str:
        if one.id not in self.owner.values():
            with pytest.raises(EcpsError):
                self.platform.notify(one.id, "service", number, 120)
            return ""
        made = self.platform.notify(one.id, "service", number, 120)
        assert self.owner[made.device] == one.id
        self.made[made.key] = made
        return made.key

    @rule(key=logins, device=st.sampled_from(DEVICES), number=st.sampled_from(["00", "42", "99"]))
    def accept(self, key: str, device: str, number: str) -> None:
        try:
            self.platform.accept(device, key, number)
        except EcpsError:
            return
        made = self.made[key]
        assert self.owner.get(device) == made.professional, "by the professional's own phone"
        assert number == made.number, "with the number of that login"
        assert key not in self.approved, "once"
        self.approved[key] = (device, number)

    @rule(key=consumes(logins), device=st.sampled_from(DEVICES))
    def refuse(self, key: str, device: str) -> None:
        try:
            self.platform.refuse(device, key)
        except EcpsError:
            return
        assert key not in self.approved
        assert self.owner.get(device) == self.made[key].professional

    @rule(seconds=st.integers(1, 130))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    def owned(self, device: str, owner: str) -> None:
        self.owner = {phone: who for phone, who in self.owner.items() if who != owner}
        self.owner[device] = owner

    @invariant()
    def only_what_was_approved_is_accepted(self) -> None:
        accepted = {key for key, one in self.made.items() if one.answer is NotificationState.ACCEPTED}
        assert accepted == set(self.approved)

    @invariant()
    def one_active_phone_a_professional(self) -> None:
        active = {one.device: one.owner for one in self.platform.phones.values() if one.activation is Activation.ACTIVE}
        assert active == self.owner
        assert len(set(active.values())) == len(active)

    @invariant()
    def phones_show_their_owner_s_logins_alone(self) -> None:
        for device in DEVICES:
            for one in self.platform.pending(device):
                assert one.professional == self.owner.get(device)


TestPhones = Phones.TestCase
TestPhones.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_three_wrong_tries_take_the_codes_away() -> None:
    found = platform(VirtualClock())
    phone = found.begin_by_contact("telephone-1", DOCTOR, DOCTOR.contact.email, DOCTOR.contact.mobile)
    right = phone.secrets
    for _ in range(3):
        with pytest.raises(EcpsError):
            found.finish_by_contact("telephone-1", "000000", "000000")
    with pytest.raises(EcpsError, match="no e-CPS is active"):
        found.finish_by_contact("telephone-1", *right)
