"""What an editor says of his product: whom it serves, what it does, what it is to be approved for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import Field

from bifente.conformance.loading import Document, InputError, Problem, load_document, nearest, validate
from bifente.conformance.model import Model
from bifente.conformance.requirements import (
    Catalogue,
    OwnCatalogue,
    TestCode,
    load_catalogue,
    load_own,
    with_own,
)

SHIPPED = Path(__file__).with_name("tests.yaml")
"""The test codes that come with the bench."""

AXES: Mapping[str, tuple[str, ...]] = {
    "professions": (
        *("medecin", "chirurgien-dentiste", "sage-femme", "pharmacien", "biologiste", "infirmier"),
        *("kinesitherapeute", "orthophoniste", "orthoptiste", "pedicure-podologue", "structure"),
    ),
    "schemes": ("dmp", "insi", "segur", "psc", "sesam-vitale"),
    "transactions": (
        *("TD0.1", "TD0.2", "TD0.3", "TD0.4", "TD0.5", "TD0.9", "TD0.10", "TD1.1", "TD1.3", "TD1.4", "TD1.6"),
        *("TD2.1", "TD2.1b", "TD2.2", "TD3.1", "TD3.1b", "TD3.2", "TD3.3", "INSi-vitale", "INSi-traits"),
    ),
    "authentications": ("cps", "ecps", "psc", "structure", "air"),
}
"""What a product may say on each axis, beside what test codes of an editor's own name."""


class Product(Model):
    """A product, one version of it."""

    product: str = Field(min_length=1, max_length=80, description="its name, as records have it")
    version: str = Field(min_length=1, max_length=40)
    editor: str = Field(min_length=1, max_length=120)
    professions: list[str] = Field(min_length=1)
    schemes: list[str] = Field(min_length=1, description="what it is to be approved for")
    transactions: list[str] = Field(default_factory=list)
    authentications: list[str] = Field(min_length=1)
    catalogues: list[str] = Field(default_factory=list, description="own requirements and test codes, YAML or CSV")

    @property
    def name(self) -> str:
        """Name and version, as a record tells what was under test."""
        return f"{self.product} {self.version}"


@dataclass(frozen=True, slots=True)
class ProductFile:
    """A product, the tests that may concern it, and the requirements that they rest on."""

    product: Product
    tests: tuple[TestCode, ...]
    own: tuple[OwnCatalogue, ...]
    catalogue: Catalogue


def load_product(path: Path) -> ProductFile:
    """Read the file of a product and the catalogues that it names. Raise InputError."""
    document = load_document(path)
    product = validate(Product, document.data, document)
    assert product is not None  # noqa: S101 - nothing was ignored
    own = tuple(load_own(path.parent / name) for name in product.catalogues)
    catalogue = with_own(load_catalogue(), own)
    tests = (*shipped_tests(), *(test for one in own for test in one.model.tests))
    _check_codes(document, tests)
    for one in own:
        _check_requirements(one, catalogue)
    _check_words(document, product, tests)
    return ProductFile(product, tests, own, catalogue)


@cache
def shipped_tests() -> tuple[TestCode, ...]:
    """Return the test codes that come with the bench."""
    return tuple(load_own(SHIPPED).model.tests)


def slug(code: str) -> str:
    """Return a test code, or another id, as the name of a folder or file."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", code).strip(".-") or "test"


def why_not(product: Product, test: TestCode) -> str:
    """Return why a test does not apply to a product, in French; nothing where it does."""
    asked = {
        "dispositif": ([test.scheme] if test.scheme else [], product.schemes),
        "profession": (test.professions, product.professions),
        "transaction": (test.transactions, product.transactions),
        "authentification": (test.authentications, product.authentications),
    }
    lacking = [f"{axis} {' ou '.join(of)}" for axis, (of, has) in asked.items() if of and not {*of} & {*has}]
    return f"la fiche du produit ne dit pas : {', '.join(lacking)}" if lacking else ""


def _check_codes(document: Document, tests: Iterable[TestCode]) -> None:
    seen: dict[str, str] = {}
    for test in tests:
        folder = slug(test.code).lower()
        if folder in seen:
            message = f"the tests {seen[folder]!r} and {test.code!r} would have one folder"
            raise document.error(("catalogues",), message, "keep one of them")
        seen[folder] = test.code


def _check_words(document: Document, product: Product, tests: Iterable[TestCode]) -> None:
    """A word nobody knows would leave tests out without a word."""
    tests = list(tests)
    problems = []
    for axis, words in AXES.items():
        named = {one.scheme for one in tests} if axis == "schemes" else {w for one in tests for w in getattr(one, axis)}
        for index, word in enumerate(getattr(product, axis)):
            if word not in {*words, *named}:
                line, column = document.place((axis, index))
                cure = nearest(word, {*words, *named} - {""})
                message = f"{axis}: no test and no list has {word!r}"
                problems.append(Problem(str(document.path), line, column, message, cure))
    if problems:
        raise InputError(problems)


def _check_requirements(own: OwnCatalogue, catalogue: Catalogue) -> None:
    for index, test in enumerate(own.model.tests):
        for cited in test.requirements:
            if cited not in catalogue:
                raise own.document.error(
                    ("tests", index, "requirements"),
                    f"the test {test.code} rests on {cited!r}, which no catalogue has",
                    nearest(cited, catalogue),
                )


EXAMPLE = """\
# La fiche d'un produit, pour : bifente dossier {name} RELEVÉS... --out dossier
product: MonLogiciel
version: "4.2"
editor: Mon entreprise
# medecin, chirurgien-dentiste, sage-femme, pharmacien, infirmier, kinesitherapeute, structure ...
professions: [medecin]
# ce pour quoi il est présenté : dmp, insi, segur, psc, sesam-vitale
schemes: [insi, segur]
# TD0.1 ... TD3.3, INSi-vitale, INSi-traits
transactions: [INSi-vitale]
# cps, ecps, psc, structure, air
authentications: [cps]
# vos exigences et vos codes de test, YAML ou CSV, à côté de ce fichier :
# catalogues: [mes-tests.csv]
"""
"""A file to begin with."""
