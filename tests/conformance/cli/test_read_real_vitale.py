"""``bifente read --reader``: a Vitale that is not ours gives what it gives to anyone, and nothing is tried on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from conformance_bench import Lab
from conformance_cli import Cli, Said, apart
from warm import warm

from bifente.conformance.bench import factory
from bifente.conformance.bench.real import RealBench
from bifente.conformance.model import CardChoice
from bifente.conformance.options import RunOptions
from bifente.conformance.targets.base import GuardRefusalError, ScardError
from bifente.conformance.targets.embedded import EmbeddedTarget
from bifente.conformance.targets.facets import Facets
from bifente.ground.clock import WallClock
from bifente.simulator.readers import Reader, Slot

CPS_READER, VITALE_READER = "Somebody's Reader 00 00", "Somebody else's Reader 01 00"
CPS = ("--card", "cps=medecin-generaliste")
EXTERNAL_AUTHENTICATE = 0x82
READING = {0xA4, 0xB0, 0xC0}
CODED = {0x20, 0x24, 0x2C}


class Watched:
    """A card that keeps what reaches it."""

    def __init__(self, card: object) -> None:
        self.card = card
        self.commands: list[bytes] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.card, name)

    def transmit(self, command: bytes) -> bytes:
        self.commands.append(command)
        return self.card.transmit(command)  # type: ignore[attr-defined,no-any-return]

    @property
    def instructions(self) -> set[int]:
        return {command[1] for command in self.commands}


class Desk:
    """Two readers that are not ours, and the command that reads them."""

    def __init__(self, cli: Cli, lab: Lab, patch: pytest.MonkeyPatch) -> None:
        self.cli, self.lab = cli, lab
        reader = Reader.of("Somebody's", [CPS_READER, VITALE_READER], WallClock())
        self.slots: tuple[Slot, ...] = reader.slots
        self.cards: dict[str, Watched] = {}

        class Outside(EmbeddedTarget):
            facets = Facets()

            def __init__(self) -> None:
                super().__init__([reader])

            def close(self) -> None: ...

        patch.setattr(factory, "PcscTarget", Outside)

    def insert(self, template: str, slot: int) -> Watched:
        made = self.lab.workshop.make(CardChoice(template=template), Random(1), at=WallClock().now())
        card = self.cards[template] = Watched(made.card)
        self.slots[slot].insert(card)  # type: ignore[arg-type]
        return card

    def read(self, *arguments: str, lang: str = "en") -> Said:
        return self.cli("read", *arguments, "--lang", lang)


@pytest.fixture
def desk(lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    return Desk(Cli(monkeypatch, capsys), lab, monkeypatch)


def rights(said: Said) -> str:
    return said.out[said.out.index("SSV_LireDroitsVitale") :]


@pytest.mark.parametrize("arguments", [("--reader", VITALE_READER), ("--reader", VITALE_READER, *CPS)])
def test_the_free_groups_of_a_vitale_2_are_read_and_the_rest_is_told(desk: Desk, arguments: tuple[str, ...]) -> None:
    card, other = desk.insert("vitale/famille-trois", 1), desk.insert("medecin-generaliste", 0)
    said = desk.read(*arguments)
    assert said.code == 1
    told = rights(said)
    assert told.startswith("SSV_LireDroitsVitale F001 (61441): read as without a CPS, since group 106 (coverage)")
    assert "(EXTERNAL AUTHENTICATE), which is not tried on a real card" in told.splitlines()[0]
    assert told.count("104 Beneficiary") == 3
    assert "1801975349002" in told
    assert "  106 " not in told
    assert "SSV_LireCartePS not called: the reader that was named holds a Vitale" in said.out
    assert "Somebody's Reader" not in said.out, "no other reader is looked into"
    assert card.instructions == READING
    assert other.commands == []


def test_a_cps_beside_a_vitale_2_is_read_and_the_recognition_is_not_tried(desk: Desk) -> None:
    vitale, cps = desk.insert("vitale/famille-trois", 1), desk.insert("medecin-generaliste", 0)
    said = desk.read("--reader", CPS_READER, *CPS, lang="fr")
    assert said.code == 1
    assert "SSV_LireCartePS 0000 (0): succès" in said.out
    told = rights(said)
    assert told.startswith("SSV_LireDroitsVitale F001 (61441): lue comme sans CPS, car le groupe 106 (couverture)")
    assert told.count("104 Bénéficiaire") == 3
    assert "remède" not in told, "inserting the CPS that is there would not help"
    assert "  106 " not in told
    assert EXTERNAL_AUTHENTICATE not in vitale.instructions
    assert not CODED & vitale.instructions
    assert {command[5:] for command in cps.commands if command[1] == 0x20 and len(command) > 5} == {b"1234"}


@pytest.mark.parametrize("reader", [CPS_READER, VITALE_READER])
def test_nothing_of_a_real_vitale_1_is_read_and_the_reason_is_told(desk: Desk, reader: str) -> None:
    vitale = desk.insert("vitale/vitale-1", 1)
    desk.insert("medecin-generaliste", 0)
    said = desk.read("--reader", reader, *CPS)
    assert said.code == 1
    assert rights(said).strip() == (
        "SSV_LireDroitsVitale nothing is read: a Vitale 1 is read by commands of a class of its own (BC), "
        "which are not sent to a real card"
    )
    assert vitale.commands == []


def test_a_vitale_without_a_test_mark_is_shown_only_when_asked_for_by_its_number(desk: Desk) -> None:
    card = desk.insert("vitale/marquee-reelle", 1)
    for wrong in ((), ("--production-card", "999000013"), ("--production-card", "")):
        said = desk.read("--reader", VITALE_READER, *wrong)
        sentence = said.fails(2, "card 999000014", "type of Vitale card: R", "--production-card 999000014")
        assert "bifente read has no leave" not in sentence
        assert "104 " not in said.out
    said = desk.read("--reader", VITALE_READER, "--production-card", "999000014")
    assert said.code == 1
    assert "104 Beneficiary" in said.out
    assert card.instructions == READING


def test_a_vitale_whose_rights_cannot_be_read_is_a_fault_of_the_card(desk: Desk) -> None:
    card = desk.insert("vitale/famille-trois", 1)
    card.transmit = lambda command: b"\x6f\x00"  # type: ignore[method-assign,assignment]
    told = rights(desk.read("--reader", VITALE_READER))
    assert told.startswith("SSV_LireDroitsVitale F014 ")
    assert "without a CPS" not in told


def test_a_code_that_is_not_the_card_s_still_ends_it_all(desk: Desk) -> None:
    vitale, cps = desk.insert("vitale/famille-trois", 1), desk.insert("medecin-generaliste", 0)
    said = desk.read("--reader", CPS_READER, *CPS, "--code", "0000")
    said.fails(2, "a code that is not the card's is not presented to a real card", "bifente read has no leave for it")
    assert vitale.commands == []
    assert not [command for command in cps.commands if command[1] == 0x20 and len(command) > 5]


@pytest.mark.parametrize(
    ("template", "arguments", "code", "words"),
    [
        ("medecin-generaliste", ("--reader", CPS_READER), 2, "the reader holds no Vitale"),
        ("medecin-generaliste", ("--reader", VITALE_READER), 2, "NO_SMARTCARD"),
        ("medecin-generaliste", ("--reader", "Nope"), 2, "UNKNOWN_READER"),
        (
            "medecin-generaliste",
            ("--reader", CPS_READER, "--card", "vitale=vitale/ald"),
            2,
            "--card cps=TEMPLATE alone",
        ),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    desk: Desk, template: str, arguments: tuple[str, ...], code: int, words: str
) -> None:
    card = desk.insert(template, 0)
    desk.read(*arguments).fails(code, words)
    assert card.commands == []


@pytest.mark.parametrize(("template", "seen"), [("vitale/ald", VITALE_READER), ("infirmier", CPS_READER)])
def test_where_there_is_no_cps_the_other_readers_are_not_there(desk: Desk, lab: Lab, template: str, seen: str) -> None:
    """A Vitale in the reader that was named is alone; else every reader but the one that was named is seen."""
    desk.insert(template, 1)
    other = desk.insert("medecin-generaliste", 0)
    options = RunOptions(paths=(), readers={"cps": VITALE_READER})
    bench = RealBench(options.readers, options, lab.workshop, factory.PcscTarget(), None)
    access = bench.without_cps("cps")
    assert access.readers() == (seen,)
    assert access.wait(seen, present=True, timeout=0)
    hidden = CPS_READER if seen == VITALE_READER else VITALE_READER
    with pytest.raises(ScardError, match="UNKNOWN_READER"):
        access.connect(hidden)
    guarded = access.connect(seen)
    with pytest.raises(GuardRefusalError, match="might change the card"):
        guarded.transmit(bytes.fromhex("0082000010") + bytes(16))
    with pytest.raises(GuardRefusalError, match="a code that is not the card's"):
        guarded.transmit(bytes.fromhex("00200001") + b"\x041234")
    assert other.commands == []


# -- through PC/SC ----------------------------------------------------------------------------------------------------


@pytest.fixture
def foreign(tmp_path: Path, _chain: None) -> Callable[..., Said]:
    """``bifente exec -- bifente read --reader``: the inner one knows nothing of whose cards it meets."""

    def foreign(slot: int, *arguments: str) -> Said:
        inner = ("read", "--reader", f"Bifente Bi-Slot Reader 00 0{slot}", "--lang", "en", *arguments)
        cards = (*CPS, "--card", "vitale=vitale/famille-trois")
        return apart("exec", *cards, "--", *warm(), *inner, cwd=tmp_path)

    return foreign


@pytest.mark.parametrize(("slot", "arguments"), [(1, ()), (0, CPS)])
def test_a_virtual_vitale_met_as_a_real_one(
    foreign: Callable[..., Said], slot: int, arguments: tuple[str, ...]
) -> None:
    said = foreign(slot, *arguments)
    assert (said.code, said.err) == (1, "")
    assert "read as without a CPS" in rights(said)
    assert rights(said).count("104 Beneficiary") == 3
    assert "  106 " not in rights(said)
    assert ("1 Holder of the professional card" in said.out) is (slot == 0)
