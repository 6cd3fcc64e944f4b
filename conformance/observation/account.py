"""An account of a program that a person reads: what it did, in at most twelve lines, then what rules it broke."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from bifente.conformance.observation.facts import Fact
from bifente.conformance.observation.story import Moment, Story
from bifente.conformance.observation.verdicts import RuleVerdict
from bifente.conformance.run.scribe.calls import SUCCESS
from bifente.ground.text import Lang, Text
from bifente.reports.events import Call, Exchange
from bifente.reports.verdict import Verdict
from bifente.simulator.iso7816.status import meaning

_KINDS = {
    0xA4: Text("sélections", "selections"),
    0xB0: Text("lectures", "readings"),
    0xC0: Text("GET RESPONSE", "GET RESPONSE"),
    0xCB: Text("GET DATA", "GET DATA"),
    0x20: Text("VERIFY", "VERIFY"),
    0x22: Text("MSE", "MSE"),
    0x2A: Text("PSO", "PSO"),
    0x88: Text("INTERNAL AUTHENTICATE", "INTERNAL AUTHENTICATE"),
    0xD6: Text("écritures", "writings"),
}
_OTHERS = Text("autres", "others")
_MOST_WORDS = 6


def account(story: Story, lang: Lang) -> list[str]:
    """Return what the program did, in figures: twelve lines at most."""
    told = (
        _program(story),
        _service(story),
        _connections(story),
        _commands(story),
        _codes(story),
        _signatures(story),
        _refusals(story),
        _times(story),
        _world(story),
        _leaving(story),
        _module(story),
        _services(story),
    )
    return [line.get(lang) for line in told if line is not None]


def findings(verdicts: Sequence[RuleVerdict], lang: Lang) -> Iterator[str]:
    """Yield the rules that were broken, each with what shows it and what helps; then how many held."""
    broken = [one for one in verdicts if one.verdict is Verdict.FAILED]
    for one in broken:
        rule = one.rule
        yield f"✗ {rule.title.get(lang)}  [{rule.name}; {', '.join(rule.requirements)}; {rule.fidelity.value}]"
        for breach in (one.breaches or ())[:3]:
            seen = ", ".join(map(str, breach.evidence))
            where = Text(f"évènements {seen}", f"events {seen}").get(lang)
            yield f"    {breach.said.get(lang)}" + (f"  ({where})" if seen else "")
        if (more := len(one.breaches or ()) - 3) > 0:
            yield Text(f"    et {more} fois encore", f"    and {more} times more").get(lang)
        yield f"    {rule.why.get(lang)}"
        yield f"    → {rule.cure.get(lang)}"
    held = sum(one.verdict is Verdict.PASSED for one in verdicts)
    silent = sum(one.verdict is Verdict.NOT_RUN for one in verdicts)
    yield Text(
        f"{len(broken)} règle(s) enfreinte(s), {held} tenue(s), {silent} sans objet (rien ne s'est produit)",
        f"{len(broken)} rule(s) broken, {held} held, {silent} without an object (nothing happened)",
    ).get(lang)


def _program(story: Story) -> Text | None:
    names = {call.client: call.arguments.get("program", "?") for call in story.facts(Fact.STARTED)}
    ends = {call.client: call.result for call in story.facts(Fact.ENDED)}
    said = "; ".join(f"{name}: {ends.get(pid, '…')}" for pid, name in names.items()) or "?"
    others = sorted({name for pid, name in story.programs.items() if pid not in names})
    fr, en = (f", par {' et '.join(others)}", f", through {' and '.join(others)}") if others else ("", "")
    return Text(f"Programme {said}, {story.duration:.1f} s{fr}", f"Program {said}, {story.duration:.1f} s{en}")


def _calls(story: Story, *names: str) -> list[Moment]:
    return [one for one in story.moments if one.call in names]


def _service(story: Story) -> Text:
    contexts = len(_calls(story, "SCardEstablishContext"))
    if not contexts:
        return Text("N'a pas parlé au service PC/SC", "Did not speak to the PC/SC service")
    looks, waits = len(_calls(story, "SCardListReaders")), _calls(story, "SCardGetStatusChange")
    waited = sum(one.event.duration_us for one in waits if isinstance(one.event, Call)) / 1_000_000
    waiting = f"{len(waits)} ({waited:.1f} s)"
    return Text(
        f"Service PC/SC : contextes {contexts}, regards aux lecteurs {looks}, attentes {waiting}",
        f"PC/SC service: contexts {contexts}, looks at the readers {looks}, waits {waiting}",
    )


def _connections(story: Story) -> Text | None:
    if not story.dialogues:
        failed = Counter(one.result for one in _calls(story, "SCardConnect"))
        said = _counted(failed.items())
        return Text(f"Aucune carte atteinte ({said})", f"No card reached ({said})") if failed else None
    shares = Counter((one.slot, one.share) for one in story.dialogues)
    said = ", ".join(f"{slot} {share} ×{count}" for (slot, share), count in shares.items())
    held = _transactions(story)
    return Text(f"Connexions aux cartes : {said} ; {held.fr}", f"Connections to cards: {said}; {held.en}")


def _transactions(story: Story) -> Text:
    begun = [one for one in _calls(story, "SCardBeginTransaction") if one.result == SUCCESS]
    if not begun:
        return Text("aucune transaction", "no transaction")
    longest = 0.0
    for one in begun:
        end = next(
            (end for end in story.moments if end.seq > one.seq and end.client == one.client and "End" in end.call), None
        )
        longest = max(longest, end.at - one.at if end is not None else story.duration - one.at)
    ended = len([one for one in _calls(story, "SCardEndTransaction") if one.result == SUCCESS])
    return Text(
        f"transactions {len(begun)} ouvertes, {ended} rendues, la plus longue {longest:.2f} s",
        f"transactions {len(begun)} begun, {ended} ended, the longest {longest:.2f} s",
    )


def _commands(story: Story) -> Text | None:
    if not story.commands:
        return None
    slots = Counter(one.slot for one in story.commands)
    kinds = Counter(_KINDS.get(one.instruction or 0, _OTHERS) for one in story.commands)
    where = _counted(slots.items())

    def said(lang: Lang) -> str:
        return ", ".join(f"{count} {kind.get(lang)}" for kind, count in kinds.most_common(_MOST_WORDS))

    total = len(story.commands)
    return Text(f"Commandes : {total} ({where}) : {said('fr')}", f"Commands: {total} ({where}): {said('en')}")


def _codes(story: Story) -> Text | None:
    if not story.commands:
        return None
    accepted = sum(one.sw == 0x9000 for one in story.codes)
    refused = sum(one.refused_code for one in story.codes)
    asked = sum(one.asks_tries and one.instruction == 0x20 for one in story.commands)
    return Text(
        f"Code : présenté {len(story.codes)} fois, accepté {accepted}, refusé {refused} ; compteur lu {asked} fois",
        f"Code: presented {len(story.codes)} times, accepted {accepted}, refused {refused}; counter read {asked} times",
    )


def _signatures(story: Story) -> Text | None:
    signed = [one for one in story.commands if one.signs]
    if not signed:
        return None
    done = sum(one.sw is not None and one.sw >> 8 in (0x90, 0x61) for one in signed)
    return Text(
        f"Clés : {len(signed)} opération(s) (PSO, INTERNAL AUTHENTICATE), {done} accordée(s)",
        f"Keys: {len(signed)} operation(s) (PSO, INTERNAL AUTHENTICATE), {done} granted",
    )


def _refusals(story: Story) -> Text | None:
    refused = [one for one in story.commands if not (one.asks_tries and one.sw is not None and one.sw >> 4 == 0x63C)]
    words = Counter(one.sw for one in refused if one.sw is not None and one.sw >> 8 not in (0x90, 0x61))
    silent = sum(one.sw is None for one in story.commands)
    if not words and not silent:
        return None

    def said(lang: Lang) -> str:
        told = [
            f"{sw:04X} ×{count} ({Text(meaning(sw).fr, meaning(sw).en).get(lang)})"
            for sw, count in words.most_common(_MOST_WORDS)
        ]
        failed = Counter(one.result or "vide" for one in story.commands if one.sw is None)
        return ", ".join([*told, *(f"{name} ×{count}" for name, count in failed.items())])

    return Text(f"Refus et silences : {said('fr')}", f"Refusals and silences: {said('en')}")


def _times(story: Story) -> Text | None:
    times = [one.event.duration_us / 1000 for one in story.commands if isinstance(one.event, Exchange)]
    if not times:
        return None
    return Text(
        f"Temps d'une commande : médiane {median(times):.2f} ms, la plus longue {max(times):.1f} ms",
        f"Time of a command: median {median(times):.2f} ms, the longest {max(times):.1f} ms",
    )


def _world(story: Story) -> Text | None:
    moves = Counter(f"{one.slot} {one.event.movement}" for one in story.moments if one.moved)  # type: ignore[union-attr]
    return Text(f"Mouvements : {_counted(moves.items())}", f"Movements: {_counted(moves.items())}") if moves else None


def _leaving(story: Story) -> Text | None:
    left = Counter(
        one.event.arguments.get("disposition", "?")
        for one in _calls(story, "SCardDisconnect")
        if isinstance(one.event, Call)
    )
    open_still = [
        call.slot
        for call in story.facts(Fact.CARD)
        if call.arguments.get("when") == "end" and call.answer.get("pin-verified") == "true"
    ]
    if not left and not open_still:
        return None
    fr = f" ; code encore ouvert : {', '.join(map(str, open_still))}" if open_still else ""
    en = f"; code still open: {', '.join(map(str, open_still))}" if open_still else ""
    said = _counted(left.items())
    return Text(f"Cartes quittées : {said or 'aucune'}{fr}", f"Cards left: {said or 'none'}{en}")


def _module(story: Story) -> Text | None:
    called = Counter(one.call for one in story.moments if one.call.startswith("C_"))
    refused = Counter(
        f"{one.call} {one.result}" for one in story.moments if one.call.startswith("C_") and one.result != "CKR_OK"
    )
    if not called:
        return None
    said = ", ".join(f"{name} ×{count}" for name, count in called.most_common(_MOST_WORDS))
    also = f" ; {_counted(refused.items())}" if refused else ""
    return Text(f"PKCS#11 : {called.total()} appels ({said}){also}", f"PKCS#11: {called.total()} calls ({said}){also}")


def _services(story: Story) -> Text | None:
    asked = Counter(one.request.peer for one in story.moments if one.request is not None)
    if not asked:
        return None
    answers = [one.response for one in story.moments if one.response is not None]
    refused = Counter(f"{one.peer} {one.line[:3]}" for one in answers if one.line[:1] in ("4", "5"))
    fr = f" ; refus {_counted(refused.items())}" if refused else ""
    en = f"; refusals {_counted(refused.items())}" if refused else ""
    return Text(f"Téléservices : {_counted(asked.items())}{fr}", f"Teleservices: {_counted(asked.items())}{en}")


def _counted(pairs: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} ×{count}" for name, count in pairs)
