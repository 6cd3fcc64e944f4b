"""The language of helps and errors: one seam, before any option is read, whatever the command."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import typer

from bifente.ground.french import in_lang, locale_lang

if TYPE_CHECKING:
    from bifente.ground.text import Lang

OPTION = "--lang"
_Formatter: Any = typer.Context.formatter_class
_USAGE = {"fr": "Usage : ", "en": "Usage: "}
_KINDS = {
    "str": {"fr": "texte", "en": "text"},
    "int": {"fr": "entier", "en": "number"},
    "float": {"fr": "nombre", "en": "number"},
    "path": {"fr": "chemin", "en": "path"},
    "Path": {"fr": "chemin", "en": "path"},
}
_KIND = re.compile(rf"<(?:list\[)?({'|'.join(_KINDS)})\]?(?: range)?>")
_RAW = (
    (re.compile(r"Value error, "), ""),
    (re.compile(r"Input should be a valid integer[^.]*"), "a whole number is expected"),
    (re.compile(r"Input should be a valid number[^.]*"), "a number is expected"),
    (re.compile(r"Input should be greater than or equal to (\S+)"), r"a number of at least \1 is expected"),
    (re.compile(r"Input should be less than or equal to (\S+)"), r"a number of at most \1 is expected"),
    (re.compile(r"'[^']*' is not one of (.*?)\.?$"), r"one of \1 is expected"),
)
"""What the library says of a value, and how we say it."""


def spoken() -> Lang:
    """Return the language that the command line asks for, wherever ``--lang`` stands in it, else the locale's."""
    arguments = sys.argv[1:]
    arguments = arguments[: arguments.index("--")] if "--" in arguments else arguments
    asked = [value for name, value in pairwise(arguments) if name == OPTION]
    asked += [one.partition("=")[2] for one in arguments if one.startswith(f"{OPTION}=")]
    lang = asked[-1] if asked else None
    return "fr" if lang == "fr" else "en" if lang == "en" else locale_lang()


def say(text: str) -> str:
    """Return an English sentence of the code in the language spoken."""
    return in_lang(text, spoken())


def words(error: BaseException) -> str:
    """Return what an error says: in its own two languages where it has them."""
    from bifente.ground.text import Text

    lang = spoken()
    cause = error.__cause__
    if cause is not None and str(cause) == str(error):
        error = cause
    if callable(own := getattr(error, "say", None)):
        return str(own(lang))
    for name in ("why", "text", "sentence"):
        if isinstance(found := getattr(error, name, None), Text) and str(error) == found.en:
            return found.get(lang)
    return in_lang(str(error), lang)


class _SpokenFormatter(_Formatter):  # type: ignore[misc]
    """A help in the language spoken. The code is English; its French stands in ``ground/french/help.json``."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, _USAGE[spoken()] if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        super().write_heading(say(heading) + (" " if spoken() == "fr" else ""))

    def write_text(self, text: str) -> None:
        super().write_text(say(text))

    def write_dl(self, rows: Sequence[tuple[str, str]], **options: Any) -> None:
        super().write_dl([(_named(name), _row(said)) for name, said in rows], **options)


def _named(name: str) -> str:
    """An option with the kind of its value as a user calls it, not as Python does."""
    return _KIND.sub(lambda found: f"<{_KINDS[found[1]][spoken()]}>", name)


def _row(said: str) -> str:
    """The help of one option: the sentence, and what stands in brackets behind it."""
    text, bracket, extra = said.partition("  [")
    if spoken() == "fr":
        for english, french in (("default: ", "par défaut : "), ("required", "obligatoire")):
            extra = extra.replace(english, french)
    return say(text) + bracket + extra


class SpokenContext(typer.Context):
    """A context whose help is in the language spoken."""

    formatter_class = _SpokenFormatter


def speaking(command: Any) -> Any:
    """Return a command whose helps, and those of its own commands, are in the language spoken."""
    command.context_class = SpokenContext
    if command.help:  # where commands are listed: whole, not cut in the middle of a word
        command.short_help = say(command.help).split("\n\n")[0].strip()
    inner: Iterable[Any] = getattr(command, "commands", {}).values()
    for one in inner:
        speaking(one)
    return command


_TELLING = 4
"""Letters that a word has before it tells something of a help."""


def _meant(option: str, params: Iterable[Any]) -> str:
    """The options that an unknown one may mean: spelt nearly so, else told by its very word.

    The library's own guess takes any that begin alike: --seconds was to be --record or --services, and never --for.
    """
    from bifente.conformance.loading.problems import near_word

    word = option.lstrip("-")
    named = {name.lstrip("-"): name for one in params for name in (*one.opts, *one.secondary_opts) if name[:2] == "--"}
    if near := near_word(word, named):
        return f" Did you mean {near}?"
    said = re.compile(rf"\b{re.escape(word)}s?\b", re.IGNORECASE)
    told = (one for one in params if getattr(one, "help", None) and one.opts[0][:2] == "--")
    by_word = [one.opts[0] for one in told if said.search(f"{one.name} {one.help} {say(one.help)}")]
    return f" (Possible options: {', '.join(by_word[:2])})" if len(word) >= _TELLING and by_word else ""


def usage(error: Any) -> str:
    """Return what is wrong with the usage of a command, and where its help is."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "bifente"
    cure = say(f"Try '{path} --help' for help.")
    message = str(error.format_message())
    if (option := getattr(error, "option_name", None)) is not None and context is not None and "option" in message:
        message = f"No such option: {option}{_meant(option, context.command.params)}"
    for raw, ours in _RAW:
        message = raw.sub(ours, message)
    said = say(message)
    return f"{said}{'' if said.endswith(('.', '?')) else '.'} {cure}"
