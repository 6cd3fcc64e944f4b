"""``bifente fse``: care sheets, lots, files and returns: shown in words, checked, exported, submitted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography import x509

from conformance.cli.app import Exit, app, fail, out
from conformance.cli.options import KeysOption, LangOption, chosen_lang
from conformance.judgement.sheet_words import MODEL, plain, rejection_words, told
from conformance.judgement.sheets import Kind, Opened, opened, recognised
from reports.text import Lang
from simulator.clock import WallClock
from simulator.fse.body_certificates import BodyIdentity, body_identity
from simulator.fse.errors import FseError
from simulator.fse.files import FILE_GROUP, FileHead, file_name
from simulator.fse.frames import LABEL, frame, group_of
from simulator.fse.lots import read_lot, signed_content
from simulator.fse.model import ArlKind, Invoice, Rejection
from simulator.fse.securing import Anchors, Verifier, export
from simulator.personalisation.authority import Branch, Level, Pki
from simulator.personalisation.keystore import KeyStore
from simulator.personalisation.profiles import Validity
from simulator.personalisation.vitale.authority import VitaleAuthority
from simulator.sentence import Sentence
from simulator.services.frontal import Frontal, Parameters, encode_return
from simulator.services.frontal.reasons import reasons

fse = typer.Typer(help="Care sheets, lots, files and returns.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(fse, name="fse")

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A care sheet, a claim, a lot, a file or a return.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
BodyOption = Annotated[str, typer.Option("--body", help="Body whose key opens envelopes, 9 digits.")]
_BODY = "000000000"
_LEVELS = (Level.FORT, Level.ELEMENTAIRE)
_MAX_INPUT = 66 * 1024 * 1024
_GOOD = Sentence("bon : aucun motif de refus", "good: nothing to refuse")
_NO_SIGNATURE = Sentence("rien n'y est signé : la forme est bonne", "nothing is signed in it: its form is good")
_UNSIGNED_CONTENT = "signature-missing"


@fse.command(name="show")
def show_file(
    source: FileArgument,
    as_json: JsonOption = False,
    body: BodyOption = _BODY,
    keys: KeysOption = None,
    lang: LangOption = None,
) -> None:
    """Tell in words what a file holds, whatever it is; exit 2 with the place if it cannot be read."""
    found = _opened(source, _Laboratory(keys, body))
    if as_json:
        out.print(
            _json({"kind": found.kind.value, "sealed": found.sealed, "content": plain(found.value)}), markup=False
        )
        return
    language = chosen_lang(lang)
    out.print(f"{source}: {_say(found.kind.words, language)} — {_say(MODEL, language)}", markup=False)
    for line in _lines(found, language):
        out.tell(line)


@fse.command(name="verify")
def verify_file(
    source: FileArgument,
    as_json: JsonOption = False,
    body: BodyOption = _BODY,
    keys: KeysOption = None,
    lang: LangOption = None,
) -> None:
    """Check the signatures, cards and modes of what a file holds; exit 0 if all is good, 1 if not, 2 if unreadable."""
    laboratory = _Laboratory(keys, body)
    found = _opened(source, laboratory)
    problems = tuple(_problems(found, laboratory))
    if as_json:
        report = {"kind": found.kind.value, "good": not problems, "problems": [plain(one) for one in problems]}
        out.print(_json(report), markup=False)
    else:
        language = chosen_lang(lang)
        signed = bool(found.sheets or found.lots) or found.kind is Kind.CONTENT
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
    body: BodyOption = _BODY,
    keys: KeysOption = None,
    lang: LangOption = None,
) -> None:
    """Put a file, or a lot, through the front end; exit 0 if every ARL is positive, 1 if one is negative."""
    laboratory = _Laboratory(keys, body)
    data = _read(source)
    name = source.name
    match recognised(data):
        case Kind.LOT:
            data, name = _around(source, data)
        case Kind.FILE | None:
            pass  # whatever it is, the front end answers it
        case other:
            raise fail(f"{source}: a {other.value} is not sent by itself; give a file or a lot", Exit.BAD_INPUT)
    identity = laboratory.identity
    front_end = Frontal(
        laboratory.clock, laboratory.anchors, identity.key, identity.certificate, Parameters(missing_lots=999)
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
    body: BodyOption = _BODY,
    keys: KeysOption = None,
) -> None:
    """Take signed sheets apart into content, signatures and certificates that OpenSSL checks by itself."""
    laboratory = _Laboratory(keys, body)
    found = _opened(source, laboratory)
    if not found.sheets:
        raise fail(f"{source}: it holds no secured sheet; give one, a lot or a file of them", Exit.BAD_INPUT)
    authorities = laboratory.authorities
    for rank, sheet in enumerate(found.sheets, 1):
        place = folder if len(found.sheets) == 1 else folder / f"{rank:04}"
        try:
            written = export(sheet, place, authorities)
        except FseError as error:
            raise fail(f"{source}: sheet {rank}: {error}", Exit.BAD_INPUT) from None
        except OSError as error:
            raise fail(f"{place}: {error.strerror or error}", Exit.BENCH_ERROR) from None
        for path in written:
            out.print(str(path), markup=False)


# -- the laboratory ---------------------------------------------------------------------------------------------------


class _Laboratory:
    """The keys and authorities against which files are judged, made when first needed."""

    def __init__(self, keys: Path | None, body: str) -> None:
        self.clock = WallClock()
        self._keys = KeyStore(keys)
        self._pki = Pki(self._keys)
        self._body = body

    @property
    def anchors(self) -> Anchors:
        """The authorities whose cards sign sheets here."""
        professionals = tuple(self._pki.authority(level, Branch.PERSONNES).certificate for level in _LEVELS)
        return Anchors(professionals, (VitaleAuthority(self._keys).certificate,))

    @property
    def authorities(self) -> Sequence[x509.Certificate]:
        """Every certificate above those of cards, roots included."""
        chains = [self._pki.authority(level, Branch.PERSONNES).chain for level in _LEVELS]
        return [*(one for chain in chains for one in chain), *VitaleAuthority(self._keys).chain]

    @property
    def identity(self) -> BodyIdentity:
        """What the body opens files with."""
        year = self.clock.now().year
        validity = Validity(date(year - 1, 1, 1), date(year + 3, 12, 31))
        return body_identity(self._body, self._pki, self._keys, validity)


def _read(source: Path) -> bytes:
    try:
        with source.open("rb") as file:
            data = file.read(_MAX_INPUT + 1)
    except OSError as error:
        raise fail(f"{source}: cannot be read: {error.strerror}", Exit.BAD_INPUT) from None
    if len(data) > _MAX_INPUT:
        raise fail(f"{source}: is larger than {_MAX_INPUT >> 20} MiB, more than any file; give one", Exit.BAD_INPUT)
    return data


def _opened(source: Path, laboratory: _Laboratory) -> Opened:
    data = _read(source)
    try:
        return opened(data, lambda: (laboratory.identity.key, laboratory.identity.certificate))
    except FseError as error:
        raise fail(f"{source}: {error}", Exit.BAD_INPUT) from None


def _around(source: Path, lot: bytes) -> tuple[bytes, str]:
    """A file in clear around the bytes of a lot, whatever its sheets are worth: the front end says so. And its name."""
    try:
        head = read_lot(lot).head
        name = file_name(FileHead(0, head.sender, head.body, head.on, head.kind), sealed=False)
        sender, body, day, _number = name.partition(".")[0].split("-")
        header = group_of(FILE_GROUP, LABEL, "1", sender, body, head.kind.value, "000", day, "1")
    except FseError as error:
        raise fail(f"{source}: {error}", Exit.BAD_INPUT) from None
    return frame(header) + frame(lot), name


def _problems(found: Opened, laboratory: _Laboratory) -> Iterator[Rejection]:
    """What is wrong with the signatures of a file, and with a sheet that has none."""
    if isinstance(found.value, Invoice):
        label = reasons()[_UNSIGNED_CONTENT].label.fr
        yield Rejection(_UNSIGNED_CONTENT, label, found.value.number, Kind.CONTENT.value)
        return
    verifier, now = Verifier(laboratory.anchors), laboratory.clock.now()
    for sheet in found.sheets:
        yield from verifier.verify(sheet, now)
    for lot in found.lots:
        if lot.signature is None:
            yield Rejection("lot-unsigned", reasons()["lot-unsigned"].label.fr, None, f"lot {lot.number}")
        else:
            yield from verifier.signature_reasons(signed_content(lot), lot.signature, now)


# -- showing ----------------------------------------------------------------------------------------------------------


def _lines(found: Opened, lang: Lang) -> Iterator[str]:
    if found.head is not None:
        head = found.head
        sealed = Sentence("chiffré", "encrypted") if found.sealed else Sentence("en clair", "in clear")
        yield f"{head.number:03}, {head.on}, {head.sender} → {head.body}, {_say(sealed, lang)}"
    for thing in found.value if isinstance(found.value, tuple) else (found.value,):
        yield from _told(thing, lang)


def _told(thing: object, lang: Lang) -> Iterator[str]:
    for depth, label, words in told(thing):
        head = "  " * depth
        yield f"{head}{_say(words, lang)}" if label is None else f"{head}{_say(label, lang):38} {_say(words, lang)}"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=True)


def _say(sentence: Sentence, lang: Lang) -> str:
    return sentence.fr if lang == "fr" else sentence.en
