"""Words that travel: one sentence in the languages of the bench."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

Lang: TypeAlias = Literal["fr", "en"]
"""A language a report can be written in."""

LANGS: tuple[Lang, ...] = ("fr", "en")
"""Every language, the default one first."""


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence in French and in English. An empty side falls back on the other one."""

    fr: str
    en: str

    # As pydantic has it, which what only reads a text does not wait for.
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def get(self, lang: Lang) -> str:
        """Return the sentence in `lang`, or in the other language when that side is empty."""
        return (self.fr or self.en) if lang == "fr" else (self.en or self.fr)

    def __str__(self) -> str:
        """Return the English sentence, for logs and exceptions."""
        return self.en

    @classmethod
    def of(cls, form: str, *parts: Text | object) -> Text:
        """Return a form such as `{} ({})` filled in each language, a text by its side, anything else as it is."""
        french = (part.fr if isinstance(part, Text) else part for part in parts)
        return cls(form.format(*french), form.format(*(part.en if isinstance(part, Text) else part for part in parts)))

    @classmethod
    def same(cls, words: str) -> Text:
        """Return a text that reads alike in both languages (a name, a hex string, a foreign error message)."""
        return cls(words, words)


_BESIDE_A_SIGN = re.compile(r" (?=[;:!?»])|(?<=«) ")


def held_together(page: str) -> str:
    """Return a French HTML page of which no line begins with a sign that belongs to what stands before it."""
    head, body, rest = page.partition("<body")
    return head + body + _BESIDE_A_SIGN.sub("\u00a0", rest)
