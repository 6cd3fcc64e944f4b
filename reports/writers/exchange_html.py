"""One command and its response on the page, or one message.

Written here and not in the template: nine of ten lines of a report are these, and they are alike, so that what was
written once for one of them serves the others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup, escape

from bifente.ground.text import Lang
from bifente.reports import words
from bifente.reports.clean import printable
from bifente.reports.events import Direction, Exchange, Message

MOST_BYTES = 512
"""Most bytes of one command or response shown on the page; the journal has them all."""
MOST_CHARACTERS = 4_000
"""Most characters of the body of one message shown on the page."""
_REMEMBERED = 4096
"""How many cells are remembered."""

_SEPARATORS = re.compile(r"[\s:]+")
_BYTES = re.compile(r"(?:[0-9A-Fa-f]{2}|••)*")


@dataclass(frozen=True, slots=True)
class Bytes:
    """Hexadecimal as the page shows it: `text` in groups of a byte, `more` bytes left out, status word apart."""

    text: str
    more: int
    sw: str = ""


def shown_bytes(digits: str, sw: str = "") -> Bytes:
    """Return `digits` ready to show; `sw`, when it ends them, is set apart. What is no hexadecimal stays as it is."""
    compact = _SEPARATORS.sub("", digits)
    if not _BYTES.fullmatch(compact):
        return Bytes(digits[: 3 * MOST_BYTES], max(0, len(digits) // 3 - MOST_BYTES))
    compact = compact.upper()
    status = sw.upper() if sw and compact.endswith(sw.upper()) else ""
    pairs = [compact[i : i + 2] for i in range(0, len(compact) - len(status), 2)]
    return Bytes(" ".join(pairs[:MOST_BYTES]), max(0, len(pairs) - MOST_BYTES), _spaced(status))


def _spaced(status: str) -> str:
    return f"{status[:2]} {status[2:]}" if status else ""


def exchange_row(item: Exchange, lang: Lang) -> Markup:
    """Return the lines of `item`: what was sent, what it means, what came back, what that means."""
    said = item.response_text.get(lang)
    row = (
        f'<div class="apdu">\n{_arrow("command", "→", lang)}{_hex(item.command, "", lang)}{_aside(item.slot or "")}\n'
        f"{_meaning(item.command_text.get(lang))}"
        f"{_arrow('response', '←', lang)}{_hex(item.response, item.sw, lang)}"
        f"{_aside(words.duration(item.duration_us, lang))}\n"
        f"{_meaning(said)}</div>"
    )
    return Markup(row)  # noqa: S704 - every value in it went through `_text`


def _text(value: str) -> str:
    """What the template does to every value: harmless to look at, then escaped."""
    return str(escape(printable(value)))


@lru_cache(maxsize=_REMEMBERED)
def _hex(digits: str, sw: str, lang: Lang) -> str:
    found = shown_bytes(digits, sw)
    more = f" <em>… {_text(words.say('bytes_more', lang, count=found.more))}</em>" if found.more else ""
    status = f"{' ' if found.text else ''}<b>{_text(found.sw)}</b>" if found.sw else ""
    return f'<span class="hex">{_text(found.text)}{more}{status}</span>'


@lru_cache(maxsize=_REMEMBERED)
def _aside(text: str) -> str:
    return f'<span class="aside">{_text(text)}</span>'


@lru_cache(maxsize=_REMEMBERED)
def _meaning(text: str) -> str:
    return f'<span class="meaning">{_text(text)}</span>' if text else ""


@lru_cache(maxsize=16)
def _arrow(word: str, sign: str, lang: Lang) -> str:
    return f'<span class="dir" aria-label="{_text(words.say(word, lang))}">{sign}</span>'


def message_row(item: Message, lang: Lang) -> Markup:
    """Return the lines of a message: which way, with whom, what begins it, its headers and its body."""
    sent = item.direction is Direction.SENT
    way = words.say("message_sent" if sent else "message_received", lang)
    headers = "\n".join(f"{name}: {value}" for name, value in item.headers)
    body = item.body
    if body is None and item.sha256:
        body = words.say("body_elsewhere", lang, count=item.size, digest=item.sha256)
    shown = "\n\n".join(part for part in (headers, _cut(body or "")) if part)
    arrow = _arrow("message", "⇢" if sent else "⇠", lang)
    row = (
        f'<div class="apdu message">\n{arrow}<span class="hex"><b>{_text(item.protocol)}</b> {_text(way)} '
        f"{_text(item.peer)}{' · ' if item.line else ''}<b>{_text(item.line)}</b></span>"
        f"{_aside(words.duration(item.duration_us, lang) if item.duration_us else '')}\n"
        f"{_meaning(item.text.get(lang))}"
    )
    if shown:
        size = _text(words.say("octets", lang, count=item.size))
        row += f'<details class="content"><summary>{size}</summary><pre>{_text(shown)}</pre></details>'
    return Markup(row + "</div>")  # noqa: S704 - every value in it went through `_text`


def _cut(body: str) -> str:
    return body if len(body) <= MOST_CHARACTERS else f"{body[:MOST_CHARACTERS]}…"
