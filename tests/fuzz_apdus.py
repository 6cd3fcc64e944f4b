"""Hostile commands for the cards of all families, as many as one asks for: no test of the suite, run by hand.

``.venv/bin/python tests/fuzz_apdus.py 10000000 [SEED]`` sends that many commands, each family in turn, and prints how
many a second and every alarm: an exception, an answer that is none, a code or content that leaves a card whose code was
not presented, tries that come back without the code. Exit 1 if there was one.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from bifente.simulator.cards.cpx.loading import shipped_templates as professionals
from bifente.simulator.cards.cpx.personalise import personalise as make_professional
from bifente.simulator.cards.families import family_named, make_card
from bifente.simulator.cards.vitale.loading import shipped_vitale as vitales
from bifente.simulator.iso7816.card import Card
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.status import is_legal
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import MemoryKeys

_SELECT = bytes.fromhex("01A4040C088025000001FF0100")  # else nearly all would meet the closed channel of a CPS4
LIFE = 2000
"""Commands after which a card is made anew: its memory would otherwise soon be blocked for good."""
_CLASSES = (0x00, 0x00, 0x00, 0x01, 0x01, 0x10, 0x11, 0xA0, 0xBC)
_INSTRUCTIONS = (0x20, 0x22, 0x24, 0x2A, 0x2C, 0x82, 0x84, 0x88, 0xA4, 0xB0, 0xC0, 0xCA, 0xCB, 0xD6)
_PARAMETERS = tuple(bytes.fromhex("00000102030408090C3F418081869 09A9EA0".replace(" ", "")))
_WORDS = [
    "3F00",
    "0001",
    "0002",
    "2F00",
    "D003",
    "D107",
    "D121",
    "5031",
    "7002",
    "A001",
    "8025000001FF0100",
    "E828BD080F8025000001FF0010",
    "E828BD080F8025000001FF0020",
    "91022890",
    "800142840181",
    "800102840183",
    "830120",
    "4D087006",
]


@dataclass
class Subject:
    """Cards of one kind: how one is made, what it must never give away, its right codes."""

    name: str
    make: Callable[[], Card]
    protected: tuple[bytes, ...] = ()
    codes: tuple[bytes, ...] = ()


def subjects(seed: int) -> Iterator[Subject]:
    """Return one of each family and interface."""
    keys = MemoryKeys()
    pki, at = Pki(keys), date(2026, 3, 3)
    for name, overrides in (
        ("cps3", {}),
        ("cps3 contactless", {"options": {"interface": "contactless"}}),
        ("cps4", {"family": "cps4"}),
        ("cps4 T=1", {"family": "cps4", "options": {"atr": "t1"}}),
    ):
        template = professionals()["medecin-generaliste"]
        made = make_professional(template, keys, at=at, overrides=overrides, pki=pki)
        protected = (made.objects["CPS_ACTIVITY_01_PS"].encode(), made.objects["CPS_SIT_FACT"].encode())
        codes = (template.codes.pin.encode(), template.codes.puk.encode())
        yield Subject(name, lambda m=made: make_card(m.image, random=Random(seed).randbytes), protected, codes)  # type: ignore[misc]
    for name in ("famille-trois", "vitale-1"):
        vitale = vitales()[name]
        family = family_named(vitale.family)
        card = family.personalise.get()(vitale, keys, at=at, pki=pki)
        life = family.card.get()
        yield Subject(vitale.family, lambda c=card, f=life: f(c.image, memory=None, random=Random(seed).randbytes))  # type: ignore[misc]


def command(chance: Random, codes: tuple[bytes, ...]) -> bytes:
    """Return a command: sensible, damaged, or anything."""
    kind = chance.random()
    if kind < 0.1:
        return chance.randbytes(chance.randrange(0, 24))
    body = b""
    what = chance.random()
    if what < 0.4:
        body = b"".join(bytes.fromhex(chance.choice(_WORDS)) for _ in range(chance.randrange(1, 4)))
    elif what < 0.5 and codes:
        body = bytes(chance.choice(b"0123456789") for _ in range(chance.choice((4, 8))))
    elif what < 0.7:
        body = chance.randbytes(chance.choice((1, 2, 8, 20, 32, 254, 255)))
    head = bytes(
        (chance.choice(_CLASSES), chance.choice(_INSTRUCTIONS), chance.choice(_PARAMETERS), chance.choice(_PARAMETERS))
    )
    raw = head + (bytes((len(body),)) + body if body else b"")
    if chance.random() < 0.5:
        raw += bytes((chance.choice((0, 1, 8, 12, 0xE7, chance.randrange(256))),))
    if kind < 0.25:
        damaged = bytearray(raw)
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        raw = bytes(damaged)
    return raw


def tries(card: Card) -> dict[str, int]:
    """Return the tries left of each code; none for a card without codes."""
    if not isinstance(card, SmartCard):
        return {}
    return {name: state.tries_left for name, state in card.memory.state.secrets.items()}


def alarm(subject: Subject, card: Card, raw: bytes) -> str:
    """Send a command and return what is wrong with the answer, nothing if it is well."""
    before = tries(card)
    try:
        answer = card.transmit(raw)
    except Exception as error:
        return f"raised {error!r}"
    if not 2 <= len(answer) <= 65538 or not is_legal(int.from_bytes(answer[-2:], "big")):
        return f"answered {answer.hex()}"
    if (
        subject.protected
        and isinstance(card, SmartCard)
        and not card.secrets.verified
        and any(secret in answer for secret in subject.protected)
    ):
        return "gave away what a code protects"
    after = tries(card)
    if any(after[name] > before[name] for name in after) and answer != b"\x90\x00":
        return "gave tries back"
    return ""


def main(total: int, seed: int) -> int:
    """Send them; return the exit code."""
    alarms: list[str] = []
    everyone = list(subjects(seed))
    print(f"{total:,} commands over {', '.join(one.name for one in everyone)}, seed {seed}", flush=True)
    for number, subject in enumerate(everyone):
        chance, share = Random(seed * 100 + number), total // len(everyone)
        started, card = time.perf_counter(), subject.make()
        for count in range(share):
            if count % LIFE == 0:
                card = subject.make()
                card.transmit(_SELECT)
            raw = command(chance, subject.codes)
            if any(code in raw for code in subject.codes):
                continue  # whoever knows the code is no attacker
            if wrong := alarm(subject, card, raw):
                alarms.append(f"{subject.name}, command {count}: {raw.hex()} {wrong}")
                print("ALARM", alarms[-1], flush=True)
        seconds = time.perf_counter() - started
        print(f"{subject.name:18} {share:>12,} commands {share / seconds:>10,.0f} a second", flush=True)
    print(f"{len(alarms)} alarms", flush=True)
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
