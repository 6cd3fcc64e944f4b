"""The pages of the folder, in French: the file goes to a French body. Nothing in them is anybody's form."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from bifente.conformance.dossier.proofs import ProofState, TestStanding
from bifente.ground.text import held_together
from bifente.reports.clean import printable

if TYPE_CHECKING:
    from bifente.conformance.dossier.folder import Dossier, TestFiles

Slug = Callable[[str], str]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bifente.conformance.dossier"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: printable(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["State"] = ProofState
    return environment


def index_page(dossier: Dossier, slug: Slug) -> str:
    """Return the page that one opens first."""
    return held_together(_environment().get_template("index.html.j2").render(dossier=dossier, slug=slug))


def test_page(dossier: Dossier, standing: TestStanding, files: TestFiles, slug: Slug) -> str:
    """Return the page of one test."""
    rules = dossier.file.catalogue.by_id
    cited = [(one, rules.get(one)) for one in standing.test.requirements]
    page = _environment().get_template("test.html.j2")
    return held_together(page.render(dossier=dossier, it=standing, cited=cited, files=files, slug=slug))


def attestation(dossier: Dossier) -> str:
    """Return the draft of an attestation."""
    return held_together(_environment().get_template("attestation.html.j2").render(dossier=dossier))
