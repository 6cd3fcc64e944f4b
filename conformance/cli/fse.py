"""``bifente fse``: care sheets, lots, files and returns: shown in words, checked, exported, submitted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from bifente.conformance.cli.app import Exit, app, fail, out
from bifente.conformance.cli.options import KeysOption, LangOption, chosen_lang
from bifente.conformance.domains.fse.record_words import (
    ENCODINGS,
    NOT_OURS,
    RECORDS,
    printable,
    record_lines,
    record_plain,
)
from bifente.conformance.domains.fse.sheet_words import MODEL, plain, rejection_words, told
from bifente.conformance.domains.fse.sheets import BillingFile, BillingFileKind, opened, recognised
from bifente.ground.clock import WallClock
from bifente.ground.files import read_file
from bifente.ground.text import Lang, Text
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.files import FileHead, encode_file, file_name
from bifente.simulator.formats.fse.lots import read_lot
from bifente.simulator.formats.fse.model import ArlKind, Invoice, Rejection, SecuredInvoice
from bifente.simulator.formats.fse.records import WIDTH, encoding_of, read_loosely, records, split_records
from bifente.simulator.formats.fse.returns import encode_return
from bifente.simulator.formats.fse.securing.exporting import export
from bifente.simulator.formats.fse.securing.verifying import Verifier
from bifente.simulator.pki.keystore import KeyStore
from bifente.simulator.services.frontal.laboratory import anchors, authorities, identity, laboratory
from bifente.simulator.services.frontal.lot_checks import lot_problems
from bifente.simulator.services.frontal.parameters import FrontalParameters
from bifente.simulator.services.frontal.reasons import reasons

fse = typer.Typer(help="Care sheets, lots, files and returns.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(fse, name="fse")

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A care sheet, a claim, a lot, a file or a return.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
RecordsOption = Annotated[
    bool, typer.Option("--records", help="Its lots as records shaped like those of norm B2, one a line; never sent.")
]
CrlOption = Annotated[
    list[Path] | None, typer.Option("--crl", help="Revocation list of the cards' authorities (DER or PEM); repeatable.")
]
_MAX_INPUT = 66 * 1024 * 1024
_GOOD = Text("bon : aucun motif de refus", "good: nothing to refuse")
_NO_SIGNATURE = Text("rien n'y est signé : la forme est bonne", "nothing is signed in it: its form is good")
_UNSIGNED_CONTENT = "signature-missing"


@fse.command(name="show")
def show_file(
    source: FileArgument,
    as_json: JsonOption = False,
    as_records: RecordsOption = False,
    keys: KeysOption = None,
    lang: LangOption = None,
) -> None:
    """Tell in words what a file holds, whatever it is; exit 2 with the place if it cannot be read.

    With ``--records`` its lots, each as the records of the laboratory that are shaped like those of norm B2. Records
    that somebody else wrote (norm B2, returns) are told as they stand: known fields by name, the rest by its columns.
    """
    data = _read(source)
    if recognised(data) is None and (lines := split_records(data)):
        _show_records(source, lines, encoding_of(data), as_json=as_json, as_records=as_records, lang=lang)
        return
    found = _opened(source, KeyStore(keys), data)
    lots = _records(source, found) if as_records else []
    if as_json:
        told = {"kind": found.kind.value, "sealed": found.sealed, "content": plain(found.value)}
        out.print(_json({**told, "records": lots} if as_records else told), markup=False)
        return
    if as_records:
        for record in chain.from_iterable(lots):
            out.print(record, markup=False)
        return
    language = chosen_lang(lang)
    out.print(f"{source}: {_say(found.kind.words, language)} — {_say(MODEL, language)}", markup=False)
    for line in _lines(found, language):
        out.tell(line)


@fse.command(name="verify")
def verify_file(
    source: FileArgument,
    as_json: JsonOption = False,
    crl: CrlOption = None,
    keys: KeysOption = None,
    lang: LangOption = None,
) -> None:
    """Check the signatures, cards and modes of what a file holds; exit 0 if all is good, 1 if not, 2 if unreadable."""
    store = KeyStore(keys)
    found = _opened(source, store)
    lists = _lists(crl)
    with _known_lists():
        verifier = Verifier(anchors(store), lists)
    problems = tuple(_problems(found, verifier))
    if as_json:
        report = {"kind": found.kind.value, "good": not problems, "problems": [plain(one) for one in problems]}
        out.print(_json(report), markup=False)
    else:
        language = chosen_lang(lang)
        signed = bool(found.sheets or found.lots) or found.kind is BillingFileKind.CONTENT
        good = _GOOD if signed else _NO_SIGNATURE
        words = [_say(rejection_words(one), language) for one in problems] or [_say(good, language)]
        for line in words:
            out.print(f"{source}: {line}", markup=False)
    if problems:
        raise typer.Exit(Exit.FAILED)


@fse.command(name="submit")
def submit_file(
    source: FileArgument,
    returns: Annotated[Path | None, typer.Option("--out", help="Folder for the ARLs as they would come back.")] = None,
    as_json: JsonOption = False,
    crl: CrlOption = None,
    keys: KeysOption = None,
    lang: LangOption = None,
) -> None:
    """Put a file, or a lot, through the front end; exit 0 if every ARL is positive, 1 if one is negative."""
    data = _read(source)
    if not data.strip():
        raise fail(f"{source}: is empty; give a file or a lot", Exit.BAD_INPUT)
    name = source.name
    match recognised(data):
        case BillingFileKind.LOT:
            data, name = _around(source, data)
        case BillingFileKind.FILE | None:
            pass  # whatever it is, the front end answers it
        case other:
            raise fail(f"{source}: a {other.value} is not sent by itself; give a file or a lot", Exit.BAD_INPUT)
    lists = _lists(crl)
    with _known_lists():
        # It never saw another lot of this sender, so that no number comes too early.
        front_end = laboratory(
            KeyStore(keys), WallClock(), parameters=FrontalParameters(missing_lots=999), revocations=lists
        )
    arls = front_end.submit(data, name)
    if returns is not None:
        returns.mkdir(parents=True, exist_ok=True)
        for arl in arls:
            (returns / f"{arl.return_id}.arl").write_bytes(encode_return(arl))
    if as_json:
        out.print(_json([plain(arl) for arl in arls]), markup=False)
    else:
        language = chosen_lang(lang)
        for arl in arls:
            for line in _told(arl, language):
                out.tell(line)
    if any(arl.kind is ArlKind.NEGATIVE for arl in arls) or not arls:
        raise typer.Exit(Exit.FAILED)


@fse.command(name="export")
def export_file(
    source: FileArgument,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the parts, one inside it for each sheet.")],
    keys: KeysOption = None,
) -> None:
    """Take signed sheets apart into content, signatures and certificates that OpenSSL checks by itself."""
    store = KeyStore(keys)
    found = _opened(source, store)
    if not found.sheets:
        raise fail(f"{source}: it holds no secured sheet; give one, a lot or a file of them", Exit.BAD_INPUT)
    above = authorities(store)
    for rank, sheet in enumerate(found.sheets, 1):
        place = folder if len(found.sheets) == 1 else folder / f"{rank:04}"
        try:
            written = export(sheet, place, above)
        except FseError as error:
            raise fail(f"{source}: sheet {rank}: {error}", Exit.BAD_INPUT) from None
        except OSError as error:
            raise fail(f"{error.filename or place}: cannot be written: {error.strerror}", Exit.BAD_INPUT) from None
        for path in written:
            out.print(str(path), markup=False)


@fse.command(name="sample")
def write_sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write into (made if needed).")],
    keys: KeysOption = None,
) -> None:
    """Write a sample of everything that travels: a consultation signed by both cards, its lot, its files, its ARL."""
    # With it come the benches: none of the other commands needs them.
    from bifente.conformance.bench.cards import Workshop
    from bifente.conformance.domains.fse.bench.sample import sample

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in sample(Workshop.default(keys)).items():
            (folder / name).write_bytes(data)
            out.print(str(folder / name), markup=False)
    except OSError as error:
        raise fail(f"{error.filename or folder}: cannot be written: {error.strerror}", Exit.BAD_INPUT) from None


@fse.command(name="certificate")
def body_certificate(keys: KeysOption = None) -> None:
    """Print, as PEM, the certificate that files for the laboratory's front end are encrypted with, and its chain."""
    for certificate in identity(KeyStore(keys)).chain:
        out.print(certificate.public_bytes(Encoding.PEM).decode("ascii"), end="", markup=False)


# -- what is given ----------------------------------------------------------------------------------------------------


def _read(source: Path) -> bytes:
    if source.exists() and not source.is_file():
        raise fail(f"{source}: is no regular file; give one", Exit.BAD_INPUT)
    try:
        data = read_file(source, _MAX_INPUT)
    except OSError as error:
        raise fail(f"{source}: cannot be read: {error.strerror}", Exit.BAD_INPUT) from None
    if len(data) > _MAX_INPUT:
        raise fail(f"{source}: is larger than {_MAX_INPUT >> 20} MiB, more than any file; give one", Exit.BAD_INPUT)
    return data


def _opened(source: Path, store: KeyStore, data: bytes | None = None) -> BillingFile:
    data = _read(source) if data is None else data

    def own_keys() -> tuple[RSAPrivateKey, x509.Certificate]:
        body = identity(store)
        return body.key, body.certificate

    try:
        return opened(data, own_keys)
    except FseError as error:
        raise fail(f"{source}: {error}", Exit.BAD_INPUT) from None


def _lists(paths: Sequence[Path] | None) -> tuple[x509.CertificateRevocationList, ...]:
    return tuple(map(_list, paths or ()))


def _list(path: Path) -> x509.CertificateRevocationList:
    data = _read(path)
    try:
        return (x509.load_pem_x509_crl if data.startswith(b"-----") else x509.load_der_x509_crl)(data)
    except ValueError:
        raise fail(f"{path}: is no revocation list; give one in DER or PEM", Exit.BAD_INPUT) from None


@contextmanager
def _known_lists() -> Iterator[None]:
    """A list of an unknown authority is said in one sentence: it would look as if nobody were revoked."""
    try:
        yield
    except ValueError as error:
        raise fail(f"--crl: {error}; give the lists of the authorities under --keys", Exit.BAD_INPUT) from None


def _around(source: Path, lot: bytes) -> tuple[bytes, str]:
    """A file in clear around the bytes of a lot, whatever its sheets are worth: the front end says so. And its name."""
    try:
        head = read_lot(lot).head
        around = FileHead(0, head.sender, head.body, head.on, head.kind)
        return encode_file(around, [lot]), file_name(around, sealed=False)
    except FseError as error:
        raise fail(f"{source}: {error}", Exit.BAD_INPUT) from None


def _problems(found: BillingFile, verifier: Verifier) -> Iterator[Rejection]:
    """What is wrong with the signatures of a file, and with a sheet that has none."""
    if isinstance(found.value, Invoice):
        label = reasons()[_UNSIGNED_CONTENT].label.fr
        yield Rejection(_UNSIGNED_CONTENT, label, found.value.number, BillingFileKind.CONTENT.value)
        return
    now = WallClock().now()
    if isinstance(found.value, SecuredInvoice):
        yield from verifier.verify(found.value, now)
    for lot in found.lots:
        yield from lot_problems(lot, verifier, now)


# -- records of others ------------------------------------------------------------------------------------------------


def _show_records(
    source: Path, lines: Sequence[str], encoding: str, *, as_json: bool, as_records: bool, lang: LangOption
) -> None:
    found = read_loosely(lines)
    if as_json:
        out.print(
            _json({"kind": "records", "encoding": encoding, "records": [record_plain(one) for one in found]}),
            markup=False,
        )
        return
    if as_records:
        for line in lines:
            out.print(printable(line), markup=False)
        return
    language = chosen_lang(lang)
    written = f", {ENCODINGS[encoding]}" if encoding in ENCODINGS else ""
    head = f"{_say(RECORDS, language)} ({len(lines)}{written}) — {_say(NOT_OURS, language)}"
    out.print(f"{source}: {head}", markup=False)
    for record in found:
        for words in record_lines(record):
            out.tell(_say(words, language))


# -- as records -------------------------------------------------------------------------------------------------------


def _records(source: Path, found: BillingFile) -> list[list[str]]:
    """The records of each lot."""
    if not found.lots:
        raise fail(f"{source}: it holds no lot; give a lot, or a file of them", Exit.BAD_INPUT)
    try:
        lots = [records(lot).decode("ascii") for lot in found.lots]
    except FseError as error:
        raise fail(f"{source}: it cannot be told as records: {error}", Exit.BAD_INPUT) from None
    return [[lot[at : at + WIDTH] for at in range(0, len(lot), WIDTH)] for lot in lots]


# -- showing ----------------------------------------------------------------------------------------------------------


def _lines(found: BillingFile, lang: Lang) -> Iterator[str]:
    if found.head is not None:
        head = found.head
        sealed = Text("chiffré", "encrypted") if found.sealed else Text("en clair", "in clear")
        yield f"{head.number:03}, {head.on}, {head.sender} → {head.body}, {_say(sealed, lang)}"
    for thing in found.value if isinstance(found.value, tuple) else (found.value,):
        yield from _told(thing, lang)


def _told(thing: object, lang: Lang) -> Iterator[str]:
    for depth, label, words in told(thing):
        head = "  " * depth
        yield f"{head}{_say(words, lang)}" if label is None else f"{head}{_say(label, lang):38} {_say(words, lang)}"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=True)


def _say(sentence: Text, lang: Lang) -> str:
    return sentence.fr if lang == "fr" else sentence.en
