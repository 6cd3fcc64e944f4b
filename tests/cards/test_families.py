"""The register of card families and its descriptors."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
import yaml

from bifente.ground.extensions import ExtensionError, Reference
from bifente.ground.text import Text
from bifente.simulator.cards.families import families, family_named, family_of, layout, state_keys
from bifente.simulator.cards.family import CardFamily
from bifente.simulator.cards.shelf import shelf, template_files
from bifente.simulator.iso7816.image import Interface
from bifente.simulator.middleware.recognition import kind_of

ALL = ("cps3", "cps4", "vitale1", "vitale2")


def references(family: CardFamily) -> dict[str, Reference[object]]:
    values = {one.name: getattr(family, one.name) for one in dataclasses.fields(family)}
    return {name: value for name, value in values.items() if isinstance(value, Reference)}


@pytest.mark.parametrize("name", ALL)
def test_every_reference_leads_somewhere(name: str) -> None:
    found = references(family_named(name))
    assert len(found) >= 12
    assert all(callable(reference.get()) for reference in found.values())


@pytest.mark.parametrize("name", ALL)
def test_its_usual_card_is_taken_for_what_its_descriptor_says(name: str) -> None:
    # The other ATRs of a CPS4 (T=1) are unknown to the tools of the field, as its contactless interface is.
    family = family_named(name)
    assert str(kind_of(family.atrs()[Interface.CONTACT][0])) == family.taken_for


def test_the_state_keys_are_those_of_all_families() -> None:
    keys = state_keys()
    assert set(keys) == {key for name in ALL for key in family_named(name).state}
    assert all(isinstance(words, Text) and words.fr and words.en for words in keys.values())
    # A key that two families share means the same in both.
    for family in families().values():
        assert all(keys[key] == words for key, words in family.state.items())


def test_an_unknown_family_is_named_with_those_that_are_known() -> None:
    for ask in (family_named, layout):
        with pytest.raises(ValueError, match="no card family is named cps5; known: cps3, cps4, vitale1, vitale2"):
            ask("cps5")


def test_whose_a_template_is() -> None:
    assert family_of({"family": "vitale1"}, "vitale2").name == "vitale1"
    assert family_of({}, "vitale2").name == "vitale2"
    assert family_of({"family": "unknown"}).name == "cps3"


def test_the_shelf_tells_what_the_templates_say() -> None:
    told = {one.name: one for one in shelf()}
    assert list(told) == list(template_files())
    for name, (_owner, path) in template_files().items():
        family = family_named(told[name].family)
        template = family.parse.get()(yaml.safe_load(path.read_text(encoding="utf-8")), name)
        assert (template.family, template.title) == (told[name].family, told[name].title)


@pytest.mark.parametrize(
    "place", ["bifente.nowhere:thing", "bifente.simulator.cards.families:nothing", "bifente.simulator.cards.families"]
)
def test_a_reference_that_leads_nowhere_says_so(place: str) -> None:
    with pytest.raises(ExtensionError, match=f"{place} cannot be imported"):
        Reference[object](place).get()


def test_the_descriptors_cost_no_import() -> None:
    asked = (
        "import sys; from bifente.simulator.cards.shelf import shelf; list(shelf()); "
        "print([name for name in sys.modules if name.startswith(('cryptography', 'construct', 'asn1crypto'))])"
    )
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout == "[]\n"
