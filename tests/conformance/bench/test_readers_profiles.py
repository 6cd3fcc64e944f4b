"""The profiles of readers: what they say of a device, and that what they say can be shown."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.factory import BenchPool, _fitting
from bifente.conformance.bench.profiles import ROOT, ReaderProfile, known_profiles, load_profile
from bifente.conformance.bench.virtual import VirtualBench
from bifente.conformance.cli import app
from bifente.conformance.domains.readers.steps.readers import renamed
from bifente.conformance.features import CONTACTLESS, PIN_PAD
from bifente.conformance.loading import InputError
from bifente.conformance.model import CardChoice
from bifente.conformance.options import RunOptions
from bifente.ground.clock import VirtualClock, WallClock
from bifente.simulator.pcsc.readerconf import MAX_ENTRIES, plan

PROFILES = tuple(known_profiles())
FIELD = {
    "readers/olaqin-telium": ["Ingenico 99000001 TL TELIUM 1 0", "Ingenico 99000001 TL TELIUM 2 0"],
    "readers/olaqin-vitalact": ["OLAQIN 90048020 TL VITALACT 1 0", "OLAQIN 90048020 TL VITALACT 2 0"],
    "readers/fei": ["FEI Smart Card CPS 0", "FEI Smart Card CV1 0"],
    "readers/f600": ["F600 F600 Smart Card Reader", "F600 F600 Smart Card Reader 01"],
    "readers/identive-cloud-2700r": [
        "Identive CLOUD 2700 R Smart Card Reader 0",
        "Identive CLOUD 2700 R Smart Card Reader 1",
    ],
}


def profile(name: str) -> ReaderProfile:
    return load_profile(name)[0]


@pytest.mark.parametrize("name", FIELD)
def test_in_process_the_names_are_those_of_the_field(name: str) -> None:
    reader = profile(name).reader(VirtualClock())
    assert [slot.name for slot in reader.slots][:2] == FIELD[name]


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_can_be_shown_by_pcscd(name: str) -> None:
    entries = plan([profile(name).reader(WallClock())])
    assert all(entry.name.isascii() for entry in entries)
    shown = sum(len(entry.slots) for entry in entries)
    assert shown == len(profile(name).slots)


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_says_what_it_rests_on_and_makes_no_assumption(name: str) -> None:
    told = profile(name)
    assert told.profile == name
    assert len(told.source) > 20
    for slot in told.slots:
        for text in (slot.name, *slot.names.values()):
            assert text.isascii()
            assert len(text.encode()) <= 121
    if told.fidelity != "modelled":
        assert all(slot.names for slot in told.slots), "a name that was observed was observed on some system"


def test_roles_of_the_field() -> None:
    assert [slot.role for slot in profile("readers/fei").slots] == ["cps", "vitale", "third", "antenna"]
    assert CONTACTLESS in profile("readers/fei").capabilities
    assert PIN_PAD in profile("readers/generic-pin-pad").capabilities
    assert PIN_PAD not in profile("readers/kapelse-kap-link2").capabilities
    assert profile("readers/kapelse-kap-link2").extended_length is False
    assert profile("readers/olaqin-telium").extended_length is None


def test_two_single_readers_are_two_devices() -> None:
    reader = profile("readers/generic-two-single").reader(VirtualClock())
    assert [device.name for device in reader.devices] == ["Bifente Single Reader A", "Bifente Single Reader B"]
    assert len(plan([reader])) == 2


BROKEN = [
    ({"slots": []}, "slots"),
    ({"device": "Lecteur à fentes"}, "device"),
    ({"device": "x" * 122}, "device"),
    ({"device": " Reader"}, "device"),
    ({"pnp-name": 5}, "pnp-name"),
    ({"usb": {"vendor": "0x29", "product": "0105"}}, "vendor"),
    ({"pin-pad": True}, "pin-pad"),
    ({"slots": [{"role": "cps", "capabilities": ["contact"]}]}, "a slot needs a name"),
    ({"slots": [{"role": "cps", "names": {"beos": "A"}, "capabilities": ["contact"]}]}, "beos"),
    ({"slots": [{"role": "cps", "name": "É", "capabilities": ["contact"]}]}, "name"),
    ({"slots": [{"role": "cps", "name": "A", "capabilities": ["contact"], "protocols": ["T2"]}]}, "T0"),
    ({"slots": [{"role": r, "name": "A", "capabilities": ["contact"]} for r in ("a", "b")]}, "two slots have the name"),
    ({"slots": [{"role": "a", "name": n, "capabilities": ["contact"]} for n in "AB"]}, "two slots have the role"),
    (
        {
            "slots": [
                {"role": "a", "name": "A", "device": "D", "capabilities": ["contact"]},
                {"role": "b", "name": "B", "capabilities": ["contact"]},
            ]
        },
        "either every slot names its device",
    ),
]


@pytest.mark.parametrize(("change", "said"), BROKEN)
def test_a_bad_profile_is_refused_in_words(tmp_path: Path, change: dict[str, object], said: str) -> None:
    data = yaml.safe_load((ROOT / "readers/generic-bislot.yaml").read_text(encoding="utf-8"))
    path = tmp_path / "bad.yaml"
    path.write_text(yaml.safe_dump({**data, **change}), encoding="utf-8")
    with pytest.raises(InputError, match=said):
        load_profile(str(path))


@pytest.mark.parametrize("name", PROFILES)
def test_profiles_show_tells_all(name: str) -> None:
    done = CliRunner().invoke(app, ["profiles", "show", name])
    assert done.exit_code == 0
    said = " ".join(done.output.split())
    told = profile(name)
    for slot in told.slots:
        assert f"{slot.role}: {slot.name} (" in said
        for system, name_there in slot.names.items():
            assert f"{system}: {name_there}" in said
    assert told.device in said
    assert told.fidelity.label.fr in said


# -- other names ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROFILES)
def test_another_index_gives_other_names_still_distinct(name: str) -> None:
    before = [slot.name for slot in profile(name).slots]
    after = renamed(before, None, 7)
    assert not {*before} & {*after}
    assert len({*after}) == len(after)


def test_another_serial() -> None:
    before = ["OLAQIN 90048020 TL VITALACT 1 0", "OLAQIN 90048020 TL VITALACT 2 0"]
    assert renamed(before, "99000002", None) == [
        "OLAQIN 99000002 TL VITALACT 1 0",
        "OLAQIN 99000002 TL VITALACT 2 0",
    ]
    with pytest.raises(ValueError, match="bears no serial"):
        renamed(["FEI Smart Card CPS 0"], "99000002", None)
    assert renamed(before, None, None) == before


# -- the bench ------------------------------------------------------------------------------------------------------


def test_profiles_that_one_pcscd_cannot_show_together_are_shown_in_turn() -> None:
    profiles = {name: profile(name) for name in PROFILES}
    needed = {name: len(plan([one.reader(WallClock())])) for name, one in profiles.items()}
    assert sum(needed.values()) > MAX_ENTRIES
    for wanted in profiles:
        fitting = _fitting(profiles, wanted)
        assert wanted in fitting
        assert sum(needed[name] for name in fitting) <= MAX_ENTRIES


def test_a_scenario_leaves_nothing_behind_on_the_readers() -> None:
    workshop = Workshop.default()
    choices = {"cps": CardChoice(template="medecin-generaliste")}
    with BenchPool(RunOptions(paths=()), workshop) as pool:
        bench = pool.get("readers/olaqin-vitalact")
        assert isinstance(bench, VirtualBench)
        service, reader, before = bench.target.service, bench.device, dict(bench.names)  # type: ignore[attr-defined]
        bench.seat(choices, random.Random(1), destructive=False)
        held = bench.join("cps")
        held.begin()
        service.unplug(reader)
        service.plug(reader, ["Else 0", "Else 1"])
        assert list(bench.names.values()) == ["Else 0", "Else 1"]
        reader.slots[0].reach(False)
        service.stop()
        bench.seat(choices, random.Random(1), destructive=False)
        assert dict(bench.names) == before
        assert bench.connect("cps").atr
