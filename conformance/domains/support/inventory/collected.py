"""What an inventory collects, and the workstation file that it becomes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from bifente.reports.clean import one_line
from bifente.simulator.workstation import Poste, poste_facts


@dataclass(slots=True)
class PosteInventory:
    """Facts that were seen, facts that could not be with why, configuration files, and details for a reader."""

    name: str
    facts: dict[str, str] = field(default_factory=dict)
    unseen: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Each configuration file by its name: where it lies, and what it holds."""
    slots: dict[str, str] = field(default_factory=dict)
    """Each PC/SC name with the card in it, where every card says what it is."""
    details: list[tuple[str, str]] = field(default_factory=list)

    def tell(self, key: str, value: str) -> None:
        """Keep a fact; a value that the vocabulary does not know is not looked at rather than wrong."""
        if (why := poste_facts()[key].complaint(value)) is not None:
            self.miss(key, f"relevé « {one_line(value)} » : {why}")
            return
        self.unseen.pop(key, None)
        self.facts[key] = value

    def miss(self, key: str, why: str) -> None:
        """Keep that a fact could not be looked at; one that was told stays told."""
        if key not in self.facts:
            self.unseen[key] = one_line(why)[:300]

    def detail(self, heading: str, said: str) -> None:
        """Keep something for a reader that is no fact of a workstation."""
        self.details.append((heading, one_line(said)[:300]))

    def poste(self) -> Poste:
        """Return the workstation."""
        files = {name: data for name, (_place, data) in self.files.items()}
        return Poste(dict(self.facts), dict(self.unseen), files, dict(self.slots), self.name)

    def text(self, files: dict[str, str] | None = None) -> str:
        """Return it as the file that ``bifente diagnose`` reads; ``files``: where configuration files were put."""
        return "\n".join((*self._heading(), self._body(files)))

    def save(self, path: Path) -> tuple[Path, ...]:
        """Write the file, and beside it the configuration files. Return what was written. Raise OSError."""
        beside = {name: path.with_name(f"{path.stem}-{name}") for name in self.files}
        for name, place in beside.items():
            place.write_bytes(self.files[name][1])
        path.write_text(self.text({name: place.name for name, place in beside.items()}), encoding="utf-8")
        return (path, *beside.values())

    def told(self) -> Iterator[str]:
        """Yield the details in lines, each under its heading."""
        last = ""
        for heading, said in self.details:
            if heading != last:
                yield heading
                last = heading
            yield f"  {said}"

    def _heading(self) -> Iterator[str]:
        yield "# Inventaire d'un poste de travail, en lecture seule : bifente diagnose CE-FICHIER l'explique."
        yield from (f"# {line}" for line in self.told())

    def _body(self, files: dict[str, str] | None) -> str:
        groups: dict[str, dict[str, str]] = {}
        for key, fact in poste_facts().items():
            if key in self.facts:
                groups.setdefault(fact.group, {})[key] = self.facts[key]
        body: dict[str, object] = {"poste": self.name, **groups}
        if self.files:
            body["files"] = files or {name: place for name, (place, _data) in self.files.items()}
        if self.slots:
            body["slots"] = dict(self.slots)
        if self.unseen:
            body["unseen"] = {key: self.unseen[key] for key in poste_facts() if key in self.unseen}
        text: str = yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=110)
        # A sign that ends lines elsewhere (U+0085) does not survive as it is.
        return text if yaml.safe_load(text) == body else yaml.safe_dump(body, sort_keys=False, width=110)
