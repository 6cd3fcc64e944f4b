"""Help, errors and reports speak French first: every help has its French, and what changes in a sentence stays."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_group

from bifente.conformance.cli.app import COMMANDS, app
from bifente.conformance.cli.speaking import spoken
from bifente.conformance.loading import Problem
from bifente.conformance.observation.channel.answers import OrderRefusedError, Refused
from bifente.conformance.observation.channel.words import in_words
from bifente.ground.french import EVERYTHING, SHOWN, _Template, in_both, in_french, known, sentences, shown
from bifente.ground.text import Lang

PLAIN = st.text(alphabet="abcxyz0189-_/.", min_size=1, max_size=8)


def helps(command: Any) -> Iterator[str]:
    if command.help:
        yield command.help
    for parameter in command.params:
        if getattr(parameter, "help", None):
            yield parameter.help
    for inner in getattr(command, "commands", {}).values():
        yield from helps(inner)


ROOT = Path(__file__).parents[1]
TOLD = (
    "conformance/cli/*.py",
    "conformance/dossier/**/*.py",
    "conformance/traces/**/*.py",
    "conformance/bisecting/**/*.py",
    "conformance/bench/live_services.py",
    "conformance/domains/*/*.py",
    "conformance/domains/support/**/*.py",
    "conformance/observation/**/*.py",
    "conformance/requirements/*.py",
    "simulator/faults/register.py",
    "simulator/middleware/galss/faults.py",
    "simulator/readers/faults/*.py",
    "simulator/readers/slot.py",
    "simulator/serving/*.py",
    "simulator/services/**/*.py",
    "simulator/middleware/dmpconnect/**/*.py",
)
"""Where errors are born that end a command or refuse an order."""
NEEDED = "MissingPartError"
"""What a fault needs: it is said behind the fault, ``{} needs {}``."""
RAISED = {
    "InputError.at": 1,
    "Problem": 3,
    "fail": 0,
    **dict.fromkeys(("ServingError", "ServiceError", "DovecotError", "ChannelError", "DriverError"), 0),
    **dict.fromkeys(("FaultError", NEEDED, "SlotError"), 0),
}
"""What says them, and which of its arguments is the sentence; a document's ``error`` has it second, the cure third."""


def written(node: ast.expr) -> Iterator[str]:
    """The sentences that an expression may be, ``{}`` for what changes."""
    match node:
        case ast.Constant(str(text)):
            yield text
        case ast.JoinedStr(parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
        case ast.IfExp():
            yield from written(node.body)
            yield from written(node.orelse)


def told(source: str) -> Iterator[str]:
    """Every sentence and cure of an error that a module says by itself."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        at = 1 if name.endswith("document.error") else RAISED.get(name)
        if at is not None:
            cures = [*node.args[at + 1 : at + 2], *(one.value for one in node.keywords if one.arg == "cure")]
            for said in (*node.args[at : at + 1], *cures):
                for sentence in written(said):
                    yield f"{{}} needs {sentence}" if name == NEEDED else sentence


PRINTED = {"out.print", "out.tell", "err.print", "err.tell"}
SAME = {"bifente", "dossier", "runs", "out", "export", "service", "note", "ATR"}
"""Words that a command prints alike in both languages."""


def printed_plainly(source: str) -> set[str]:
    """The words that a module prints as they stand there, whatever the language."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    texts = (text for node in calls if ast.unparse(node.func) in PRINTED for text in node.args)
    texts = (text for text in texts if isinstance(text, ast.Constant | ast.JoinedStr))  # no choice of a language
    return {word for text in texts for said in written(text) for word in re.findall("[A-Za-zÀ-ÿ]{3,}", said)} - SAME


def has_french(sentence: str) -> bool:
    """Whole, behind a place or a name, or piece by piece; commands and examples are the same in both."""
    places = r"(\{\}|[\w-]+): "
    rest = re.sub(f"^{places}", "", sentence)
    said = [piece for piece in rest.split("; ") if " " in piece and re.search("[a-z]{2}", piece)]
    same = ("bifente ", "poste: ")
    return known(sentence) or known(rest) or all(known(one) or one.startswith(same) for one in said)


def test_every_error_of_a_command_or_a_service_has_its_french() -> None:
    files = {path for pattern in TOLD for path in ROOT.glob(pattern)}
    found = {(sentence, path.name) for path in files for sentence in told(path.read_text(encoding="utf-8"))}
    assert len(found) > 150
    missing = sorted(
        f"{name}: {sentence}" for sentence, name in found if sentence != "{} needs {}" and not has_french(sentence)
    )
    assert missing == [], "put them into src/bifente/ground/french/errors.json"


REASONS = frozenset(
    {
        *("FseError", "RecordError", "LotError", "SecuredFormatError", "EnvelopeError", "OtherRecipientError"),
        *("SecuringError", "SsvError", "ZoneError", "OrderError", "TransportError", "MailError", "OppositionError"),
        *("CardMemoryError", "MemoryHeldError", "MemoryImageError", "BusinessError", "Pkcs15Error", "ContentError"),
        *("ApduError", "AtrError", "FcpError", "AccessRuleError", "HashingError", "RsaError", "ImageError"),
        *("JournalError", "ListingError", "PosteError", "CryptolibError", "JourneyStoppedError", "FetchError"),
        *("MetadataError", "InsiFormError", "SamlError", "VihfError", "DomainError", "ExtensionError", "FaultError"),
        *("SlotError", "CatalogueError", "MissingPartError"),
    }
)
"""What tells why something that was read, made or asked for is refused: place, reason and cure."""


def refused(source: str) -> Iterator[str]:
    """Every sentence that a module gives such an error."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and ast.unparse(node.exc.func) in REASONS:
            for argument in (*node.exc.args, *(one.value for one in node.exc.keywords)):
                for sentence in written(argument):
                    if re.search("[a-z]{2} [a-z]{2}", sentence):
                        yield f"{{}} needs {sentence}" if ast.unparse(node.exc.func) == NEEDED else sentence


def test_every_reason_why_something_is_refused_has_its_french() -> None:
    files = [path for top in ("simulator", "conformance", "reports") for path in (ROOT / top).rglob("*.py")]
    found = {(sentence, path.name) for path in files for sentence in refused(path.read_text(encoding="utf-8"))}
    assert len(found) > 600
    missing = sorted(f"{name}: {sentence}" for sentence, name in found if not has_french(sentence))
    assert missing == [], "put them into src/bifente/ground/french/reasons.json"


def test_a_reason_without_french_is_found() -> None:
    (said,) = refused('raise FseError(place, f"{number} was never heard of by anybody", CURE)')
    assert not has_french(said)


@pytest.mark.parametrize("path", sorted((ROOT / "conformance" / "cli").glob("*.py")), ids=lambda path: path.stem)
def test_what_a_command_prints_has_both_languages(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert printed_plainly(source) == set(), "say(...), or a Text"
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    alone = (node.args[0] for node in calls if ast.unparse(node.func) == "say" and len(node.args) == 1)
    said = {text for argument in alone for text in written(argument)}
    assert {text for text in said if in_french(text) == text} == set()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('out.print(f"{path}: {count} files")', {"files"}),
        ('err.print("Ctrl-C stops", markup=False)', {"Ctrl", "stops"}),
        ('err.print("Ctrl-C arrête" if lang == "fr" else "Ctrl-C stops")', set()),
        ('out.tell(say("Ctrl-C stops"))', set()),
        ('err.print(f"bifente: {say(message)}")', set()),
    ],
)
def test_what_is_printed_in_one_language_is_found(line: str, words: set[str]) -> None:
    assert printed_plainly(line) == words


@pytest.mark.parametrize(
    "line",
    [
        'raise InputError.at(str(path), "nobody said so yet")',
        'raise InputError.at("--card", "unknown key {}", cure=f"try {one} of these")',
        'raise fail(f"{path}: nobody said {word!r} yet; choose another", Exit.BAD_INPUT)',
        'raise ServiceError("unknown key {}" if one else "and this neither")',
        'raise ServingError(f"port {port} was never heard of")',
        'raise MissingPartError("a thing that nobody has")',
    ],
)
def test_an_error_without_french_is_found(line: str) -> None:
    assert not all(has_french(sentence) for sentence in told(line))


@pytest.mark.parametrize(
    ("english", "french"),
    [
        (
            "no exchange can be read; first, at 3: an APDU of 9 bytes",
            "aucun échange ne peut être lu ; le premier, en 3 : une APDU de 9 octets",
        ),
        ("byte 4: the header of the capture is cut", "octet 4 : l'en-tête de la capture est coupé"),
        ("radio-mute needs a wireless terminal", "radio-mute a besoin d'un terminal sans fil"),
        ("psc: no professional 'x' is registered", "psc : aucun professionnel 'x' n'est inscrit"),
        ("pki: no serial number in hexadecimal: 'x'", "pki : pas un numéro de série en hexadécimal : 'x'"),
        (
            "--vpcd h:x: a port is a number from 1 to 65535",
            "--vpcd h:x : un port est un nombre de 1 à 65535",
        ),
    ],
)
def test_a_reason_inside_an_error_is_in_its_language(english: str, french: str) -> None:
    assert in_french(english) == french


def test_a_refused_order_is_in_one_language() -> None:
    refused = OrderRefusedError(Refused.UNKNOWN, in_both(ValueError("no fault is named 'x'")), "did you mean 'y'?")
    assert in_words(refused.plain("inject"), "fr") == ["bifente: aucune panne ne s'appelle 'x' (vouliez-vous 'y' ?)"]
    assert in_words(refused.plain("inject"), "en") == ["bifente: no fault is named 'x' (did you mean 'y'?)"]


@pytest.mark.parametrize(("lang", "empty"), [("fr", "vide"), ("en", "empty")])
def test_an_empty_slot_is_told_in_the_language_asked(lang: Lang, empty: str) -> None:
    slots = {"cps": {"name": "A 00 00", "template": "cpa"}, "vitale": {"name": "A 00 01", "template": None}}
    told = in_words({"ok": True, "order": "state", "slots": slots, "faults": []}, lang)
    assert told == ["cps      A 00 00  [cpa]", f"vitale   A 00 01  [{empty}]"]


def test_every_help_has_its_french() -> None:
    group: Any = get_group(app)
    group.get_command(None, "none-of-them")  # imports them all
    said = {" ".join(text.split()) for text in helps(group)} | {does for _module, does in COMMANDS.values()}
    # A help that is filled in (Reports to write, out of ...) is known by its form.
    missing = sorted(text for text in said if not known(text) and in_french(text) == text)
    assert missing == [], "put them into src/bifente/ground/french/help.json"


@pytest.mark.parametrize("files", [EVERYTHING, SHOWN])
def test_what_changes_in_a_sentence_is_in_both_languages(files: tuple[str, ...]) -> None:
    for english, french in sentences(files).items():
        assert english.count("{}") == french.count("{}"), english
        assert french.strip()


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("unknown key 'kode'", "clé inconnue 'kode'"),
        ("verify-code: unknown key 'kode'", "verify-code : clé inconnue 'kode'"),
        ("a.yaml:3:5: unknown key 'x' (did you mean 'y'?)", "a.yaml:3:5: clé inconnue 'x' (vouliez-vous 'y' ?)"),
        ("code: a text is expected, not 3", "code : un texte est attendu, et non 3"),
        ("nobody has put this into French", "nobody has put this into French"),
    ],
)
def test_an_error_is_said_in_french(english: str, french: str) -> None:
    assert in_french(english) == french


def test_a_problem_keeps_its_place() -> None:
    problem = Problem("a.yaml", 3, 5, "unknown key 'x'", "did you mean 'y'?")
    assert problem.say("fr") == "a.yaml:3:5: clé inconnue 'x' (vouliez-vous 'y' ?)"
    assert problem.say("en") == str(problem) == "a.yaml:3:5: unknown key 'x' (did you mean 'y'?)"


@given(
    st.sampled_from(sorted(text for text in sentences(EVERYTHING) if "{}" in text)),
    st.lists(PLAIN, min_size=9, max_size=9),
)
def test_nothing_that_changes_is_lost(form: str, parts: list[str]) -> None:
    filled = form
    given_parts = parts[: form.count("{}")]
    for part in given_parts:
        filled = filled.replace("{}", part, 1)
    said = in_french(filled)
    for part in given_parts:
        assert part in said


@given(st.text(max_size=200))
def test_any_text_is_said_somehow(text: str) -> None:
    assert isinstance(in_french(text), str)
    assert shown(text, "en") == text


def test_what_a_matcher_shows_is_in_the_language_of_the_report() -> None:
    assert shown("9000 or 6282", "fr") == "9000 ou 6282"
    assert shown("101, 104; missing: 106", "fr") == "101, 104 ; il manque : 106"
    assert shown("6F 1A (2 bytes)", "fr") == "6F 1A (2 octets)"


@pytest.mark.parametrize(
    ("arguments", "locale", "lang"),
    [
        (["run"], "C.UTF-8", "fr"),
        (["run"], "en_US.UTF-8", "en"),
        (["run", "--lang", "fr"], "en_US.UTF-8", "fr"),
        (["--lang=en", "run"], "fr_FR.UTF-8", "en"),
        (["run", "--lang", "de"], "C.UTF-8", "fr"),
        (["exec", "--", "mine", "--lang", "en"], "C.UTF-8", "fr"),
    ],
)
def test_the_language_is_known_before_any_option_is_read(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], locale: str, lang: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["bifente", *arguments])
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", locale)
    assert spoken() == lang


@pytest.mark.parametrize(("lang", "said"), [("fr", "Valider un modèle"), ("en", "Validate a template")])
def test_a_command_of_a_group_is_listed_whole_in_the_language_spoken(
    monkeypatch: pytest.MonkeyPatch, lang: str, said: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["bifente", "--lang", lang, "cards", "--help"])
    group: Any = get_group(app)
    show = group.get_command(None, "cards").commands["show"]
    assert show.get_short_help_str(45).startswith(said)
    assert not show.get_short_help_str(20).endswith("...")


TEMPLATES = sorted(english for english in sentences(EVERYTHING) if "{}" in english)


@given(data=st.data())
def test_a_template_is_filled_as_a_lazy_pattern_would_fill_it(data: st.DataObject) -> None:
    english = data.draw(st.sampled_from(TEMPLATES))
    first, *pieces = english.split("{}")
    filling = st.text(max_size=6) | st.sampled_from(["", ": ", "\n", *pieces, english])
    text = first + "".join(data.draw(filling) + piece for piece in pieces)
    text = text[: data.draw(st.integers(0, len(text)))] if data.draw(st.booleans()) else text
    found = re.compile(re.escape(english).replace(re.escape("{}"), "(.*?)"), re.DOTALL).fullmatch(text)
    assert _Template(english, "").parts(text) == (None if found is None else list(found.groups()))
