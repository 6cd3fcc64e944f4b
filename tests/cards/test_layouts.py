"""What a layout refuses, and how one card may have another than its family."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bifente.simulator.cards.cps3 import engine as cps3
from bifente.simulator.cards.cps4 import engine as cps4
from bifente.simulator.cards.cpx.template import FAMILIES
from bifente.simulator.cards.layout import Layout

TABLES = {"cps3": cps3.TABLES, "cps4": cps4.TABLES}


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_family_has_a_layout_and_its_main_side(family: str) -> None:
    layout = Layout.load(family)
    assert layout.family == family
    assert layout.main == TABLES[family].main
    assert layout.volume("CPS_DATA") == layout.main
    assert layout.is_free("CPS_DATA")
    assert layout.is_modifiable("CPS_DATA")
    assert not layout.is_free("CPS_ACTIVITY_16_PS")
    assert not layout.is_modifiable("CPS_ID_CARD")


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_no_change_is_the_same_layout(family: str) -> None:
    layout = Layout.load(family)
    assert layout.changed({}) is layout
    assert layout.changed({"family": family}) == layout


def test_a_change_says_that_it_is_a_choice() -> None:
    layout = Layout.load("cps3")
    changed = layout.changed({"secrets": {"pin": {"tries": 5}}})
    assert (changed.secrets["pin"].tries, changed.secrets["pin"].fidelity) == (5, "modelled")
    assert changed.secrets["puk"] == layout.secrets["puk"]
    documented = layout.changed({"secrets": {"pin": {"tries": 5, "fidelity": "documented"}}})
    assert documented.secrets["pin"].fidelity == "documented"
    assert layout.secrets["pin"].fidelity == "observed"


def test_files_are_changed_by_name() -> None:
    layout = Layout.load("cps4")
    changed = layout.changed({"volumes": {"chipdoc": [{"name": "EF.AODF", "path": "3F00/0001/7105"}]}})
    assert changed.path("EF.AODF") == bytes.fromhex("3F0000017105")
    assert changed.path("EF.CDF") == layout.path("EF.CDF")
    assert len(changed.paths) == len(layout.paths)


def test_a_folder_moves_with_all_below_it() -> None:
    moved = Layout.load("cps4").moved("3F00/0001", "3F00/5015")
    assert moved.path("CPS_DATA") == bytes.fromhex("3F005015D107")
    assert moved.path("DF.CPS") == bytes.fromhex("3F005015")
    assert moved.path("EF.SN") == bytes.fromhex("3F00D003")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"secrets": {"pin": {"reference": 2}}}, "two secrets have one reference"),
        ({"keys": {"signature": {"mse": 0x20}}}, "two keys have one MSE reference"),
        ({"secrets": {"pin": {"acl": "F3 00"}}}, "asks for 5 conditions, 1 are given"),
        ({"secrets": {"pin": {"acl": "ZZ"}}}, "non-hexadecimal"),
        ({"secrets": {"pin": {"colour": 1}}}, "Extra inputs"),
        ({"secrets": {"pon": {"tries": 1}}}, "Field required"),
        ({"channels": {0: {"application": "cps9"}}}, "no application of a cps4 is named cps9"),
        ({"applications": {"cps9": {"fidelity": "modelled"}}}, "no application of a cps4 is named cps9"),
        ({"volumes": {"chipdoc": [{"name": "EF.CDF", "path": "3F00/0001/7004"}]}}, "two files of chipdoc have one"),
        ({"volumes": {"chipdoc": [{"name": "EF.CDF", "path": "3F00/1"}]}}, "String should match"),
        ({"volumes": {"chipdoc": [{"name": "CPS_DATA", "size": -1}]}}, "greater than or equal to 0"),
        ({"algorithms": []}, ""),
    ],
)
def test_what_no_card_could_be_is_refused(change: dict[str, Any], words: str) -> None:
    layout = Layout.load("cps4")
    if not words:
        assert layout.changed(change).algorithms == ()
        return
    with pytest.raises(ValidationError, match=words):
        layout.changed(change)


def test_a_content_too_long_for_its_file_is_refused() -> None:
    layout = Layout.load("cps4")
    with pytest.raises(ValueError, match="CPS_DATA has 513 bytes; its file holds 512"):
        layout.fill(contents={"CPS_DATA": bytes(513)}, codes={}, keys={})
    assert layout.size("CPS_DATA") == 512
    assert layout.size("EF.SN") is None
