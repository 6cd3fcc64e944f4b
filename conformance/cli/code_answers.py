"""What is known of a code as people write it, whichever layer gave it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unicodedata import combining, normalize

from bifente.ground.fidelity import Fidelity
from bifente.ground.shipped import shipped
from bifente.ground.text import Lang, Text
from bifente.simulator.faults import EverydayCause, Known, catalogue, everyday_causes, named, pieces
from bifente.simulator.iso7816.status import is_legal, meaning
from bifente.simulator.middleware.return_codes import ReturnCode, http_statuses, readings, return_codes

if TYPE_CHECKING:
    from bifente.simulator.services.frontal.reasons import Reason

_LABELS = {
    "cause": Text(fr="cause :", en="cause:"),
    "remedy": Text(fr="remède :", en="remedy:"),
    "see": Text(fr="voir :", en="see:"),
    "source": Text(fr="source :", en="source:"),
}


@dataclass(frozen=True, slots=True)
class CodeAnswer:
    """One code of one layer: what it means, why it comes, what cures it. None or empty where no source tells."""

    head: str
    layer: str
    meaning: Text
    source: str
    cause: Text | None = None
    remedy: Text | None = None
    see: tuple[str, ...] = ()
    fidelity: Fidelity | None = None

    def lines(self, lang: Lang) -> Iterator[str]:
        """Yield it for people: the head, then one line for each thing known."""
        yield self.head
        yield f"  {self.meaning.get(lang)}"
        for label, said in (("cause", self.cause), ("remedy", self.remedy)):
            if said is not None:
                yield f"  {_LABELS[label].get(lang)} {said.get(lang)}"
        for entry in self.see:
            yield f"  {_LABELS['see'].get(lang)} bifente faults show {entry}"
        rests_on = f" [{self.fidelity.label.get(lang)}]" if self.fidelity else ""
        yield f"  {_LABELS['source'].get(lang)} {self.source}{rests_on}"

    def plain(self, lang: Lang) -> dict[str, Any]:
        """Return it for scripts."""
        return {
            "code": self.head.partition(" [")[0].strip(),
            "layer": self.layer,
            "meaning": self.meaning.get(lang),
            "cause": self.cause.get(lang) if self.cause else None,
            "remedy": self.remedy.get(lang) if self.remedy else None,
            "see": list(self.see),
            "source": f"{self.source} [{self.fidelity}]" if self.fidelity else self.source,
        }


def told_of(said: str) -> Iterator[CodeAnswer]:
    """Yield every layer's answer to a code: the front end's reasons, PC/SC and PKCS#11, the card, the middleware."""
    if reasons := tuple(_reasons_for(said)):
        yield from map(_of_reason, reasons)
        return
    found = [one for word in pieces(said) for one in _of_a_word(word)]
    yield from found or map(_of_reason, _rejected_by(said))


def _of_a_word(word: str) -> Iterator[CodeAnswer]:
    known = (*_of_clients(word), *_of_the_card(word), *_of_middleware(word), *_of_services(word))
    yield from known or _of_entries(word)


def _of_services(word: str) -> Iterator[CodeAnswer]:
    """What the DMP and INSi refuse by this name. Their tables are read as data: a code waits for no service."""
    name = word.lower()
    if name.startswith(("dmp", "xds")):
        for code, row in shipped("bifente.simulator.services.dmp", "errors.yaml")["errors"].items():
            if code.lower() == name:
                yield _refused(code, "dmp", Text(**row["cause"]), row)
    elif "_" in name:
        for row in shipped("bifente.simulator.services.insi", "refusals.yaml")["refusals"]:
            if name in (row["code"].lower(), row["siram"].lower()):
                yield _refused(f"{row['siram']} {row['code']}", "insi", Text(**row["text"]), row)


def _refused(head: str, layer: str, meaning: Text, row: Mapping[str, Any]) -> CodeAnswer:
    rests_on = Fidelity(row["fidelity"])
    return CodeAnswer(f"{head} [{layer}]", layer, meaning, row["source"], None, Text(**row["remedy"]), (), rests_on)


def _of_entries(word: str) -> Iterator[CodeAnswer]:
    """What bears a name that no table of codes has: a finding of the field's tools, a word of a service."""
    from bifente.conformance.domains.support.known_causes import searched  # a known code need not wait for it

    for one in searched():
        names = one.said_codes if isinstance(one, EverydayCause) else (one.codes.word or "",)
        if word.lower() in (name.lower() for name in names) and not word.isdecimal():
            yield CodeAnswer(
                f"{word} [{one.place}]",
                str(one.place),
                one.symptoms[0],
                one.source,
                one.cause,
                one.remedy,
                (one.id,),
                Fidelity(one.fidelity),
            )


def _of_clients(word: str) -> Iterator[CodeAnswer]:
    for code in named(word):
        first = _entry(code.leads[0]) if code.leads else None
        yield CodeAnswer(
            head=f"{'' if code.number is None else f'{code.number:08X}  '}{code.name} [{code.layer}]",
            layer=code.layer,
            meaning=code.meaning,
            source=code.source,
            cause=first.cause if first else None,
            remedy=first.remedy if first else None,
            see=code.leads,
        )


def _entry(identifier: str) -> Known:
    causes = everyday_causes()
    return causes[identifier] if identifier in causes else catalogue()[identifier]


def _of_the_card(word: str) -> Iterator[CodeAnswer]:
    if not re.fullmatch(r"(0x)?[69][0-9A-Fa-f]{3}", word):
        return
    sw = int(word, 16)
    if not is_legal(sw):
        return
    borne: list[Known] = [one for one in everyday_causes().values() if f"{sw:04X}" in one.said_codes]
    borne += [one for one in catalogue().values() if one.codes.sw == sw]
    first = borne[0] if borne else None
    yield CodeAnswer(
        head=f"{sw:04X}  [SW, ISO 7816-4]",
        layer="card",
        meaning=meaning(sw),
        source="sources#iso-7816",
        cause=first.cause if first else None,
        remedy=first.remedy if first else None,
        see=tuple(one.id for one in borne),
    )


def _of_middleware(word: str) -> Iterator[CodeAnswer]:
    try:
        numbers = readings(word)
    except ValueError:
        return
    found = [return_codes()[number] for number in numbers if number in return_codes()]
    if word.isdecimal() and int(word) in http_statuses():
        found.append(http_statuses()[int(word)])
    yield from map(_of_return_code, found)


def _of_return_code(one: ReturnCode) -> CodeAnswer:
    number = f"HTTP {one.code:6}" if one.id.startswith("http-") else f"{one.hex} {one.code:6}"
    head = f"{number.strip()}  {one.id} [{one.layer}]"
    return CodeAnswer(
        head, str(one.layer), one.meaning, one.source, one.cause, one.remedy, fidelity=Fidelity(one.fidelity)
    )


def _of_reason(reason: Reason) -> CodeAnswer:
    head = " ".join(filter(None, (reason.field, reason.code, f"[{reason.level}, {reason.effect}]")))
    return CodeAnswer(head, "front-end", reason.label, reason.source, fidelity=Fidelity(reason.fidelity))


def _rejected_by(said: str) -> Iterator[Reason]:
    """The reasons that the field tells by this reject code: 4015, 0250 050."""
    digits = "".join(pieces(said))
    if digits.isdecimal():
        yield from (one for one in front_end_reasons().values() if (one.field or "").replace(" ", "") == digits)


def _reasons_for(words: str) -> Iterator[Reason]:
    """The reason of this code, else those in whose code and labels every word stands, accents left out."""
    wanted = _plain(words).replace("-", " ").split()
    if not any(word.isalpha() and len(word) > 2 for word in wanted) or "_" in words:
        return  # a number of some kind, or a name of another layer
    if words in front_end_reasons():
        yield front_end_reasons()[words]
        return
    for reason in front_end_reasons().values():
        text = _plain(f"{reason.code} {reason.label.fr} {reason.label.en}")
        if all(word in text for word in wanted):
            yield reason


def front_end_reasons() -> Mapping[str, Reason]:
    """Return the reasons of the front end by their code."""
    # With it comes all of the front end: half a second that a return code need not wait for.
    from bifente.simulator.services.frontal.reasons import reasons

    return reasons()


def _plain(text: str) -> str:
    return "".join(letter for letter in normalize("NFD", text.casefold()) if not combining(letter))
