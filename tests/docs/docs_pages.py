"""A page of Markdown, taken apart: what must be the same in two languages, and where its links lead."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Names that a reader replaces by his own are words of his language; so is the title that a suite gives itself.
_PLACEHOLDERS = {
    "votre-logiciel": "your-software",
    "mon-logiciel": "my-software",
    "leur-logiciel": "their-software",
    "ma-suite": "my-suite",
    "ma-carte": "my-card",
    "ma-plateforme": "my-platform",
    "moi": "mine",
    "mon-releve": "my-record",
    "mon_logiciel": "my_software",
    "mon-lgc": "my-lgc",
    "mon-serveur": "my-server",
    "ses arguments": "its arguments",
    "en-panne": "broken",
    "qui-marche": "working",
    "FICHIER": "FILE",
    "DOSSIER": "FOLDER",
    "MODELE": "TEMPLATE",
    "NOM": "NAME",
}
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"(?:^|\s+)#(?: .*)?$", re.MULTILINE)
_TITLE = re.compile(r"^( *title:) [^{\n]+$", re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
_LINK = re.compile(r"!?\[((?:[^\]\[]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_NUMBER = re.compile(r"\d+(?:[.,\u202f\u00a0 ]\d{3}(?!\d))*(?:[.,]\d+)*")


@dataclass(frozen=True)
class MarkdownPage:
    """One page."""

    path: Path

    @cached_property
    def text(self) -> str:
        """All of it, as it lies there."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """What is no code block."""
        return _FENCE.sub("", self.text)

    @property
    def code(self) -> list[tuple[str, str]]:
        """The code blocks with their language, without comments: those are words."""
        return [(language, _plain(block)) for language, block in _FENCE.findall(self.text)]

    @property
    def spans(self) -> set[str]:
        """What the prose sets as code."""
        return {" ".join(_replaced(span).split()) for span in _SPAN.findall(self.prose)}

    @property
    def outline(self) -> list[int]:
        """The level of each heading."""
        return [len(marks) for marks, _ in _HEADING.findall(self.prose)]

    @property
    def rows(self) -> list[int]:
        """How many cells each row of the tables has."""
        lines = (line.strip() for line in self.prose.splitlines())
        return [len(re.findall(r"(?<!\\)\|", line)) for line in lines if line.startswith("|")]

    @property
    def figures(self) -> Counter[str]:
        """Every number of the prose, however the language writes it, but for those of code and of addresses."""
        told = _SPAN.sub("", _LINK.sub(r"\1", self.prose))
        return Counter(re.sub(r"\D", "", number) for number in _NUMBER.findall(told))

    @property
    def links(self) -> list[str]:
        """Where its links lead."""
        return [address for _, address in _LINK.findall(self.prose)]

    @property
    def anchors(self) -> set[str]:
        """What an address may name after its #."""
        return {_anchor(title) for _, title in _HEADING.findall(self.prose)}

    @property
    def targets(self) -> list[tuple[Path, str]]:
        """The files and anchors of this repository that its links lead to."""
        inner = [address for address in self.links if not re.match(r"[a-z]+:", address)]
        split = [address.partition("#") for address in inner]
        return [((self.path.parent / file).resolve() if file else self.path, anchor) for file, _, anchor in split]


def _anchor(title: str) -> str:
    bare = _LINK.sub(r"\1", title).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", bare).replace(" ", "-")


def _plain(block: str) -> str:
    lines = _replaced(_TITLE.sub(r"\1 ...", _COMMENT.sub("", block))).splitlines()
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _replaced(code: str) -> str:
    for french, english in _PLACEHOLDERS.items():
        code = re.sub(rf"(?<![\w-]){french}(?![\w])", english, code)
    return code
