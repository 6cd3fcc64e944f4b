"""What two workstations have otherwise, and one made of both."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from bifente.ground.text import Text
from bifente.simulator.workstation import Poste, fact_named

_FILE, _SLOTS = "files.", "slots"
NO_FILE = Text("(pas de fichier)", "(no file)")
ITS_FILE = Text("({count} octets)", "({count} bytes)")


@dataclass(frozen=True, slots=True)
class PosteChange:
    """One thing that the failing workstation has otherwise than the working one; ``key`` is its name in a file."""

    key: str
    title: Text
    failing: Text
    working: Text


@dataclass(frozen=True, slots=True)
class PostePair:
    """A workstation that fails and one that works."""

    failing: Poste
    working: Poste

    def changes(self) -> tuple[PosteChange, ...]:
        """Return what the two have otherwise, as far as both were looked at; configuration files included."""
        unseen = self.unseen()
        facts = (
            PosteChange(one.key, fact_named(one.key).title, Text.same(one.one), Text.same(one.other))
            for one in self.failing.differences(self.working)
            if one.key not in unseen
        )
        return (*facts, *self._files(), *self._slots())

    def unseen(self) -> Mapping[str, str]:
        """Return the facts that nobody looked at on one side or the other, each with why: they cannot be told apart."""
        return {**self.working.unseen, **self.failing.unseen}

    def mixed(self, keys: Collection[str]) -> Poste:
        """Return the working workstation with these things as the failing one has them."""
        facts = {key: self.failing.get(key) for key in keys if not key.startswith(_FILE) and key != _SLOTS}
        files = dict(self.working.files)
        for key in keys:
            if key.startswith(_FILE):
                name = key.removeprefix(_FILE)
                if name in self.failing.files:
                    files[name] = self.failing.files[name]
                else:
                    files.pop(name, None)
        slots = (self.failing if _SLOTS in keys else self.working).slots
        return replace(self.working.changed(facts), files=files, slots=slots)

    def _files(self) -> Iterator[PosteChange]:
        both = self.failing.files, self.working.files
        for name in sorted({*both[0], *both[1]}):
            if both[0].get(name) != both[1].get(name):
                failing, working = (_told(files.get(name)) for files in both)
                yield PosteChange(f"{_FILE}{name}", Text.same(name), failing, working)

    def _slots(self) -> Iterator[PosteChange]:
        both = [", ".join(f"{name}: {card or '-'}" for name, card in one.slots.items()) for one in self._both]
        if both[0] != both[1]:
            failing, working = (Text.same(said or "-") for said in both)
            yield PosteChange(_SLOTS, Text("Fentes vues", "Slots seen"), failing, working)

    @property
    def _both(self) -> tuple[Poste, Poste]:
        return self.failing, self.working


def _told(data: bytes | None) -> Text:
    if data is None:
        return NO_FILE
    return Text(ITS_FILE.fr.format(count=len(data)), ITS_FILE.en.format(count=len(data)))
