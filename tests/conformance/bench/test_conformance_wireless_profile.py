from __future__ import annotations

from pathlib import Path

import pytest

from bifente.conformance.bench.profiles import ReaderProfile, load_profile
from bifente.conformance.domains.wireless.bench import parameters
from bifente.conformance.domains.wireless.profile import WirelessProfile
from bifente.conformance.features import CONTACT, SECOND_SLOT
from bifente.conformance.loading import InputError
from bifente.ground.fidelity import Fidelity

SHIPPED = "readers/olaqin-like-wireless"


def profile_with(folder: Path, section: str) -> ReaderProfile:
    path = folder / "p.yaml"
    path.write_text(
        "profile: readers/p\ntitle: {fr: Un, en: One}\nfidelity: modelled\nsource: none\ndevice: P\n"
        f"slots: [{{role: cps, name: P 0, capabilities: [contact]}}]\nwireless: {section}\n",
        encoding="utf-8",
    )
    return load_profile(str(path))[0]


def test_the_shipped_one_says_that_it_is_modelled_and_bears_no_vendor_s_name() -> None:
    profile = load_profile(SHIPPED)[0]
    assert profile.fidelity is Fidelity.MODELLED
    section = profile.section(WirelessProfile)
    assert section is not None
    assert section.fidelity is Fidelity.MODELLED
    assert {"wireless", SECOND_SLOT, CONTACT} <= profile.capabilities
    assert all("olaqin" not in slot.name.lower() for slot in profile.slots)
    assert parameters(section).ttl == 120


def test_a_reader_on_a_wire_is_not_wireless() -> None:
    assert "wireless" not in load_profile("readers/generic-bislot")[0].capabilities


def test_its_numbers_are_parameters(tmp_path: Path) -> None:
    section = "{fidelity: modelled, source: us, ttl: 60, leeway: 0, battery: {hours: 1, low: 5}, weak: {lost: 1}}"
    profile = profile_with(tmp_path, section)
    wireless = profile.section(WirelessProfile)
    assert wireless is not None
    made = parameters(wireless)
    assert (made.ttl, made.leeway, made.battery.hours, made.battery.low, made.weak.lost) == (60, 0, 1, 5, 1)
    assert made.battery.exchanges == 20_000


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("{}", "fidelity"),
        ("{fidelity: modelled}", "source"),
        ("{fidelity: guessed, source: x}", "fidelity"),
        ("{fidelity: modelled, source: x, ttl: 0}", "ttl"),
        ("{fidelity: modelled, source: x, leeway: -1}", "leeway"),
        ("{fidelity: modelled, source: x, battery: {low: 101}}", "low"),
        ("{fidelity: modelled, source: x, battery: {exchanges: 0}}", "exchanges"),
        ("{fidelity: modelled, source: x, weak: {lost: 2}}", "lost"),
        ("{fidelity: modelled, source: x, wifi: true}", "wifi"),
    ],
)
def test_a_section_that_cannot_be_is_refused(tmp_path: Path, section: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        profile_with(tmp_path, section)
    assert said in str(error.value.problems[0])
