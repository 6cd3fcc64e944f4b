"""The folder: pages, evidence by test code, records as they are, and the digests of it all."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from bifente.conformance.dossier.pages import attestation, index_page, test_page
from bifente.conformance.dossier.product import ProductFile, slug, why_not
from bifente.conformance.dossier.proofs import (
    KeptRecord,
    ProductProof,
    ProofState,
    TestStanding,
    proofs_of,
    standing_of,
)
from bifente.conformance.dossier.traces import events_of, lines
from bifente.conformance.loading import InputError
from bifente.conformance.observation.pictures import SCREENSHOT
from bifente.conformance.observation.verdicts import SUITE
from bifente.reports.events import Call, to_dict
from bifente.reports.journal import FILE_NAME

MANIFEST, DIGESTS = "dossier.json", "empreintes.sha256"
PIECES = "pieces"
"""What the editor adds by hand, for each test; never touched."""

_KEPT = (FILE_NAME, "report.html", "captures")
_README = (
    "Vos propres pièces pour ce test : copies d'écran, rapport de schematron, courrier.\n"
    "Le banc les cite avec leur empreinte et n'en juge rien. Il ne touche pas à ce dossier.\n"
)


@dataclass(slots=True)
class TestFiles:
    """What the folder holds of one test, by paths relative to its page."""

    __test__ = False

    traces: list[str] = field(default_factory=list)
    captures: list[str] = field(default_factory=list)
    pieces: list[tuple[str, str]] = field(default_factory=list)
    """File and SHA-256."""


@dataclass(frozen=True, slots=True)
class Dossier:
    """How a product stands, test by test, and the records that say so."""

    file: ProductFile
    records: Sequence[KeptRecord]
    standings: Sequence[TestStanding]
    on: date

    @classmethod
    def of(cls, file: ProductFile, records: Sequence[KeptRecord], on: date) -> Dossier:
        """Return it from the records given."""
        proofs = proofs_of(records)
        standings = [standing_of(test, why_not(file.product, test), proofs) for test in file.tests]
        return cls(file, records, standings, on)

    def count(self, state: ProofState) -> int:
        """How many tests stand so."""
        return sum(one.state is state for one in self.standings)

    @property
    def counting(self) -> list[KeptRecord]:
        """The records of this product."""
        return [one for one in self.records if not one.why_out]

    def plain(self) -> dict[str, Any]:
        """Return it as JSON values."""
        product = self.file.product
        return {
            "dossier": 1,
            "product": product.model_dump(exclude={"catalogues"}),
            "date": self.on.isoformat(),
            "approval": False,
            "counts": {state.value: self.count(state) for state in ProofState},
            "tests": [
                {
                    "code": one.test.code,
                    "title": one.test.title,
                    "scheme": one.test.scheme,
                    "state": one.state.value,
                    "why-not": one.why_not,
                    "requirements": list(one.test.requirements),
                    "lacking": list(one.lacking),
                    "folder": f"tests/{slug(one.test.code)}" if one.state is not ProofState.OUT else None,
                    "scenarios": [
                        {
                            "scenario": proof.scenario.id,
                            "verdict": proof.scenario.verdict.value,
                            "fidelity": proof.scenario.fidelity.value,
                            "record": proof.record.id,
                        }
                        for proof in one.proofs
                    ],
                }
                for one in self.standings
            ],
            "records": [
                {"record": one.id, "counts": not one.why_out, "why-out": one.why_out.fr if one.why_out else ""}
                for one in self.records
            ],
        }


def write(dossier: Dossier, out: Path) -> list[Path]:
    """Write the folder, or write it anew, and return its files. Raise InputError for a folder of something else.

    What an earlier writing left goes; what the editor put under ``pieces`` stays, and so does any other file of his.
    """
    _clear(out)
    files = _Files(out)
    # First of all: a writing that is interrupted leaves a folder that is ours.
    (out / MANIFEST).write_text(json.dumps({"dossier": 1, "files": {}}) + "\n", encoding="utf-8")
    for record in dossier.counting:
        _record(record, files)
    for standing in dossier.standings:
        if standing.state is not ProofState.OUT:
            _test(dossier, standing, files)
    files.write("index.html", index_page(dossier, slug))
    files.write("attestation-brouillon.html", attestation(dossier))
    plain = dossier.plain()
    digests = {path: hashlib.sha256((out / path).read_bytes()).hexdigest() for path in files.written}
    files.write(MANIFEST, json.dumps({**plain, "files": digests}, indent=2, ensure_ascii=False) + "\n")
    told = {**digests, **dict(_pieces(out)), MANIFEST: hashlib.sha256((out / MANIFEST).read_bytes()).hexdigest()}
    files.write(DIGESTS, "".join(f"{digest}  {path}\n" for path, digest in sorted(told.items())))
    return [out / path for path in files.written]


class _Files:
    """What is written below a folder, by relative path."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.written: list[str] = []

    def write(self, path: str, text: str) -> None:
        """Write a text."""
        self._place(path).write_text(text, encoding="utf-8")

    def copy(self, source: Path, path: str) -> None:
        """Copy a file."""
        shutil.copyfile(source, self._place(path))

    def _place(self, path: str) -> Path:
        place = self.out / path
        place.parent.mkdir(parents=True, exist_ok=True)
        self.written.append(path)
        return place


def _clear(out: Path) -> None:
    manifest = out / MANIFEST
    try:
        if not manifest.is_file():
            if out.is_dir() and any(out.iterdir()):
                raise InputError.at(
                    str(out), f"is a folder of something else: it has no {MANIFEST}", cure="name another"
                )
            out.mkdir(parents=True, exist_ok=True)
            return
        told = json.loads(manifest.read_text(encoding="utf-8"))
        before = [*told["files"], MANIFEST, DIGESTS]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError.at(str(manifest), f"is no dossier that can be written anew: {error}") from None
    for path in before:
        place = (out / str(path)).resolve()
        if place.is_relative_to(out.resolve()) and place.is_file() and PIECES not in place.parts:
            place.unlink()
            _prune(place.parent, out.resolve())


def _prune(folder: Path, out: Path) -> None:
    """Remove folders that are empty now."""
    while folder != out and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _record(record: KeptRecord, files: _Files) -> None:
    """The record as it is: whoever doubts a page reads it there."""
    for name in _KEPT:
        source = record.folder / name
        if source.is_file():
            files.copy(source, f"releves/{slug(record.id)}/{name}")
        elif source.is_dir():
            for picture in sorted(source.glob("*.png")):
                files.copy(picture, f"releves/{slug(record.id)}/{name}/{picture.name}")


def _test(dossier: Dossier, standing: TestStanding, files: _Files) -> None:
    folder = f"tests/{slug(standing.test.code)}"
    found = TestFiles()
    for proof in standing.proofs:
        _traces(proof, folder, found, files)
    pieces = files.out / folder / PIECES
    if not pieces.is_dir():
        pieces.mkdir(parents=True)
        (pieces / "LISEZ-MOI.txt").write_text(_README, encoding="utf-8")
    found.pieces += [
        (f"{PIECES}/{path.relative_to(pieces).as_posix()}", hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(pieces.rglob("*"))
        if path.is_file() and path.name != "LISEZ-MOI.txt"
    ]
    files.write(f"{folder}/index.html", test_page(dossier, standing, found, slug))


def _traces(proof: ProductProof, folder: str, found: TestFiles, files: _Files) -> None:
    scenario, record = proof.scenario, proof.record
    # A rule is judged over the whole record, which is beside: its own events would tell nothing.
    events = events_of(record.folder / FILE_NAME, None if scenario.start.suite == SUITE else scenario.id)
    name = slug(scenario.id.replace("/", "__"))
    path = f"traces/{name}.txt"
    files.write(f"{folder}/{path}", "".join(f"{line}\n" for line in lines(scenario, events)))
    found.traces.append(path)
    path = f"traces/{name}.jsonl"
    files.write(f"{folder}/{path}", "".join(json.dumps(to_dict(one), ensure_ascii=False) + "\n" for one in events))
    found.traces.append(path)
    for event in events:
        if isinstance(event, Call) and event.function == SCREENSHOT and (file := event.answer.get("file")):
            source = record.folder / file
            if source.is_file() and source.resolve().is_relative_to(record.folder.resolve()):
                path = f"captures/{slug(record.id)}-{source.name}"
                if path not in found.captures:
                    files.copy(source, f"{folder}/{path}")
                    found.captures.append(path)


def _pieces(out: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(out.glob(f"tests/*/{PIECES}/**/*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(out).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()
