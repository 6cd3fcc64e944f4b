"""An editor's own catalogue beside ours: requirements and test codes, from his YAML or his CSV."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from bifente.conformance.loading import MAX_BYTES, Document, InputError, load_document, nearest, validate
from bifente.conformance.loading.document import Location, Places, place_number
from bifente.conformance.model import Model, Sentence
from bifente.conformance.requirements.catalogue import Catalogue, RequirementModel, RequirementSet
from bifente.ground.files import read_file
from bifente.ground.text import Text

Reference = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./ -]{0,63}$")]
"""How an editor, or a body that tests him, calls a requirement or a test: ``EX_2.1-1260``, ``LGC.DMP/UX.10.01``."""

MOST_ROWS = 20_000
"""Most rows of a CSV."""


class OwnRequirement(RequirementModel):
    """A requirement of an editor's: his id and his words; of software unless he says otherwise."""

    id: Reference
    level: Literal["must", "should", "may", "info"] = "must"
    actor: Literal["card", "reader", "middleware", "software", "service", "bench"] = "software"


class TestCode(Model):
    """A test that a body asks for, by its code. Where it names professions and so on, it applies to those alone."""

    __test__ = False

    code: Reference
    title: str = Field(min_length=1)
    scheme: str = Field(default="", description="what is approved by it: dmp, insi ...")
    professions: list[str] = Field(default_factory=list)
    transactions: list[str] = Field(default_factory=list)
    authentications: list[str] = Field(default_factory=list)
    requirements: list[Reference] = Field(default_factory=list, description="what must hold for it to pass")
    evidence: str = Field(default="", description="what is to be handed over")
    source: str = ""


class OwnCatalogueModel(Model):
    """The file."""

    title: Sentence | None = None
    source: Sentence | None = None
    confidence: Literal["documented", "observed", "modelled"] = "modelled"
    requirements: list[OwnRequirement] = Field(default_factory=list)
    tests: list[TestCode] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OwnCatalogue:
    """What one file brings. A test code may be cited by a scenario as a requirement is."""

    document: Document
    model: OwnCatalogueModel

    @property
    def group(self) -> RequirementSet:
        """The set that its requirements, and its test codes, form in a record."""
        name = self.document.path.stem
        tests = [OwnRequirement(id=one.code, text=Text.same(one.title), level="info") for one in self.model.tests]
        return RequirementSet.model_construct(
            set=name,
            title=self.model.title or Text.same(name),
            source=self.model.source or Text.same(self.document.path.name),
            confidence=self.model.confidence,
            requirements=[*self.model.requirements, *tests],
        )


def load_own(path: Path) -> OwnCatalogue:
    """Read a file, CSV by its suffix, else YAML. Raise InputError."""
    document = _read_csv(path) if path.suffix.lower() in (".csv", ".tsv") else load_document(path)
    model = validate(OwnCatalogueModel, document.data, document)
    assert model is not None  # noqa: S101 - nothing was ignored
    if not model.requirements and not model.tests:
        raise InputError.at(str(path), "holds no requirement and no test")
    return OwnCatalogue(document, model)


def with_own(catalogue: Catalogue, own: Iterable[OwnCatalogue]) -> Catalogue:
    """Return a catalogue with those of an editor added. Raise InputError for an id that is there already."""
    by_id = dict(catalogue.by_id)
    for one in own:
        group, of = one.group, len(one.model.requirements)
        for index, rule in enumerate(group.requirements):
            if rule.id in by_id:
                at: Location = ("requirements", index, "id") if index < of else ("tests", index - of, "code")
                raise one.document.error(at, f"the id {rule.id} is used already", "give it another")
            by_id[rule.id] = (group, rule)
    return Catalogue(catalogue.document, by_id)


# -- CSV --------------------------------------------------------------------------------------------------------------

_COLUMNS: Mapping[str, str] = {
    **dict.fromkeys(("code", "test", "code test", "n° test", "numéro"), "code"),
    **dict.fromkeys(("id", "exigence", "requirement", "référence"), "id"),
    **dict.fromkeys(("title", "titre", "intitulé", "libellé"), "title"),
    **dict.fromkeys(("text", "texte", "énoncé"), "text"),
    **dict.fromkeys(("scheme", "dispositif"), "scheme"),
    **dict.fromkeys(("professions", "profession"), "professions"),
    **dict.fromkeys(("transactions", "transaction"), "transactions"),
    **dict.fromkeys(("authentications", "authentification", "authentifications"), "authentications"),
    **dict.fromkeys(("requirements", "exigences"), "requirements"),
    **dict.fromkeys(("evidence", "preuve", "preuves"), "evidence"),
    **{name: name for name in ("source", "level", "actor", "note")},
    **{"niveau": "level", "acteur": "actor"},
}
_LISTS = frozenset({"professions", "transactions", "authentications", "requirements"})
_TEST, _RULE = frozenset(TestCode.model_fields), frozenset(OwnRequirement.model_fields)


def _read_csv(path: Path) -> Document:
    """Return a CSV as the YAML it stands for: a row with a code is a test, a row with an id a requirement."""
    try:
        raw = read_file(path, MAX_BYTES)
    except OSError as error:
        raise InputError.at(str(path), f"cannot be read: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise InputError.at(str(path), f"is larger than {MAX_BYTES // 1024} KiB")
    rows = _rows(path, _decoded(raw))
    head = next(rows, (1, []))[1]
    names = [_column(path, word) for word in head]
    if not {"code", "id"} & set(names):
        raise InputError.at(str(path), "has no column code (tests) or id (requirements)", line=1, column=1)
    if len({*names}) != len(names):
        raise InputError.at(str(path), "names one column twice", line=1, column=1)
    kind: Literal["tests", "requirements"] = "tests" if "code" in names else "requirements"
    known = _TEST if kind == "tests" else _RULE
    if strange := [word for word, name in zip(head, names, strict=True) if name not in known]:
        raise InputError.at(str(path), f"a list of {kind} has no column {strange[0]!r}", line=1, column=1)
    found: list[dict[str, Any]] = []
    places: list[Places] = []
    for line, cells in rows:
        if not any(cells):
            continue
        if len(found) >= MOST_ROWS:
            raise InputError.at(str(path), f"holds more than {MOST_ROWS} rows", line=line, column=1)
        if len(cells) > len(names):
            raise InputError.at(
                str(path), "has more cells than columns", line=line, column=1, cure="quote what holds a separator"
            )
        places.append(place_number(line, 1))
        given = {name: cell for name, cell in zip(names, cells, strict=False) if cell}
        found.append({name: _list(cell) if name in _LISTS else cell for name, cell in given.items()})
    top = place_number(1, 1)
    return Document(path, {kind: found}, (top, (kind,), ((top, None, tuple(places)),)), hashlib.sha256(raw).hexdigest())


def _decoded(raw: bytes) -> str:
    """UTF-8, or what a French spreadsheet writes."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    first = text.partition("\n")[0]
    separator = max(";,\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise InputError.at(str(path), f"is no CSV: {error}", line=reader.line_num, column=1) from None


def _column(path: Path, word: str) -> str:
    found = _COLUMNS.get(word.lower())
    if found is None:
        raise InputError.at(
            str(path), f"no column is called {word!r}", line=1, column=1, cure=nearest(word.lower(), _COLUMNS)
        )
    return found


def _list(cell: str) -> Sequence[str]:
    return [part.strip() for part in re.split(r"[,;|\n]+", cell) if part.strip()]
