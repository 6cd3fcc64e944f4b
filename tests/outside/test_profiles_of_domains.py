"""Reader profiles that a domain's package brings: found by name, and what is wrong with them is one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bifente.conformance.bench import profiles
from bifente.conformance.domain import Domain, DomainError
from bifente.conformance.loading import InputError
from bifente.ground.text import Text

PROFILE = """profile: readers/desk
title: {fr: Lecteur du guichet, en: Desk reader}
fidelity: modelled
source: a reader that a test made up
device: Desk
slots: [{role: cps, name: Desk 0, capabilities: [contact]}]
"""
Bring = Callable[..., None]


@pytest.fixture
def bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bring]:
    monkeypatch.syspath_prepend(tmp_path)

    def packages(**names: str) -> None:
        for package, name in names.items():
            folder = tmp_path / package / "readers"
            folder.mkdir(parents=True)
            # No package is imported for its data: this one could not be.
            (tmp_path / package / "__init__.py").write_text("raise RuntimeError('imported')")
            if name:
                (folder / f"{name}.yaml").write_text(PROFILE)
        made = tuple(Domain(name=package, title=Text("D", "D"), profiles=(package,)) for package in names)
        monkeypatch.setattr(profiles, "domains", lambda: made)
        profiles._shelf.cache_clear()
        profiles.load_profile.cache_clear()

    yield packages
    monkeypatch.undo()
    profiles._shelf.cache_clear()
    profiles.load_profile.cache_clear()


def test_it_is_found_by_its_name_beside_ours(bring: Bring) -> None:
    bring(own_desk="desk")
    assert list(profiles.known_profiles())[-1] == "readers/desk"
    assert "readers/generic-bislot" in profiles.known_profiles()
    assert profiles.load_profile("readers/desk")[0].device == "Desk"
    with pytest.raises(InputError, match="did you mean 'readers/desk'"):
        profiles.load_profile("readers/deks")


@pytest.mark.parametrize(
    ("packages", "told"),
    [
        ({"own_desk": "generic-bislot"}, "two packages bring the profile 'readers/generic-bislot': .*own_desk"),
        ({"own_desk": "desk", "own_other": "desk"}, "two packages bring the profile 'readers/desk'"),
        ({"own_desk": ""}, r"the domain 'own_desk': own_desk has no reader profile, readers/\*\.yaml"),
    ],
)
def test_what_is_wrong_with_it_is_one_sentence(bring: Bring, packages: dict[str, str], told: str) -> None:
    bring(**packages)
    with pytest.raises(DomainError, match=told):
        list(profiles.known_profiles())


def test_a_package_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, bring: Bring) -> None:
    bring()
    gone = Domain(name="gone", title=Text("D", "D"), profiles=("own_gone.away",))
    monkeypatch.setattr(profiles, "domains", lambda: (gone,))
    with pytest.raises(DomainError, match=r"the domain 'gone': own_gone\.away"):
        list(profiles.known_profiles())
