"""What the DMP costs: each transaction apart, in the card, in signing, in the service; and as a record grows.

Ratios alone are asserted, absolute figures belong to the machine.
"""

from __future__ import annotations

import itertools
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial

import pytest
from benchmark_tools import sized
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from dmp_bench import DmpLab
from lxml import etree

from bifente.simulator.cards.cps3.host import Cps3Host
from bifente.simulator.cards.dialogue import Dialogue
from bifente.simulator.cards.families import make_card
from bifente.simulator.formats.dmp.habilitations import AuthorisationAction
from bifente.simulator.formats.dmp.names import DmpAction
from bifente.simulator.formats.pdf import make_pdf_a1
from bifente.simulator.formats.xds.model import SubmissionSet
from bifente.simulator.formats.xds.names import DocumentStatus
from bifente.simulator.pki.keystore import KeyStore
from bifente.simulator.services.dmp.documents import StoredDocument
from bifente.simulator.software.lps.chart import PatientChart
from bifente.simulator.software.lps.client import DmpClient, DmpReply, entries_of, find_documents
from bifente.simulator.software.lps.submission import LpsDocument, PreparedSubmission, prepare

TURNS = sized(7, 3)
SIZES = (10, 1_000, sized(100_000, 30_000))
FLAT = sized(10, 4)
"""A search of one day costs so many times more in the largest record than in the smallest, at most: a
hundred thousand documents cost Python's garbage collector its time."""
CONSULTATION = 300
"""A consultation costs so many times its bare cryptography, at most; about 100 when written: half of it the cards."""
MOST = 10
"""A feeding of one page costs so many times a test of existence, at most; about 2.5 when written."""


def median(work: Callable[[], object], turns: int = TURNS) -> float:
    spent = []
    for _ in range(turns):
        start = time.process_time()  # not the wall's: others are at work too
        work()
        spent.append(time.process_time() - start)
    return statistics.median(spent)


@pytest.fixture(scope="module")
def lab() -> DmpLab:
    made = DmpLab(KeyStore(), most_results=1_000_000, largest_document=64 * 1_048_576)
    made.authorise()
    return made


def filled(lab: DmpLab, count: int) -> None:
    """Put so many documents into the record, one each hour of the years before, as the service keeps them."""
    fed = lab.fed()
    lot = lab.record.shelf.sets[fed.set_id]
    numbers = itertools.count(len(lab.record.shelf))
    documents: list[StoredDocument] = []
    while len(lab.record.shelf) + len(documents) < count:
        number = next(numbers)
        moment = f"{2000 + number // 8_760:04}{1 + number % 12:02}{1 + number % 28:02}{number % 24:02}0000"
        entry = replace(
            fed.entry,
            id=f"urn:uuid:{number:032x}",
            unique_id=f"1.2.250.1.999.8.{number}",
            creation_time=moment,
            status=DocumentStatus.APPROVED,
        )
        documents.append(StoredDocument(entry, fed.content, fed.author, fed.structure, fed.registered, fed.set_id))
    extra: SubmissionSet = replace(lot, id=f"urn:uuid:set{count}", unique_id=f"1.2.250.1.999.9.{count}")
    lab.record.shelf.register(extra, documents, ())


def test_transactions_apart(lab: DmpLab, capsys: pytest.CaptureFixture[str]) -> None:
    client, patient = lab.client(), lab.patient
    small, large = make_pdf_a1(), make_pdf_a1(size=5_000_000)
    bare = median(lambda: lab.key.sign(b"x" * 4_000, PKCS1v15(), SHA256()))
    check = lab.key.public_key()
    signature = lab.key.sign(b"x", PKCS1v15(), SHA256())
    verify = median(lambda: check.verify(signature, b"x", PKCS1v15(), SHA256()))
    assertion = median(lambda: client.request(DmpAction.DEMOGRAPHICS, etree.Element("{urn:test}Body"), patient))
    figures = {"signature nue": bare, "vérification nue": verify, "message signé (VIHF)": assertion}
    figures["TD0.2"] = median(lambda: client.existence(patient))
    for name, content in (("1 page", small), ("5 Mo", large)):
        prepared = [lab.prepared(content=content) for _ in range(TURNS)]
        figures[f"préparer {name} (CDA, XAdES)"] = median(partial(lab.prepared, content=content))
        turns = iter(prepared)
        figures[f"TD2.1 {name}"] = median(partial(_next, client, patient, turns))
        last = prepared[-1].unique_id
        figures[f"TD3.2 {name}"] = median(partial(client.fetch, patient, last))
    figures["TD3.1"] = median(lambda: client.search(patient, find_documents(patient)))
    with capsys.disabled():
        print()
        for name, seconds in figures.items():
            print(f"  {name:32} {1000 * seconds:9.2f} ms")
    assert figures["TD2.1 1 page"] <= MOST * figures["TD0.2"]


def _next(client: DmpClient, patient: PatientChart, turns: Iterator[PreparedSubmission]) -> DmpReply:
    return client.feed(patient, next(turns))


def test_the_card_apart(capsys: pytest.CaptureFixture[str]) -> None:
    from bifente.conformance.bench.cards import Workshop
    from bifente.conformance.model import CardChoice

    workshop = Workshop.default()
    made = workshop.personalised(CardChoice(template="medecin-generaliste"), date(2026, 3, 2))
    card = make_card(made.image, random=random.Random(1).randbytes)

    class Wire:
        atr = card.atr
        seconds = 0.0

        def transmit(self, command: bytes) -> bytes:
            start = time.process_time()
            answer: bytes = card.transmit(command)
            self.seconds += time.process_time() - start
            return answer

        def reset(self, *, cold: bool) -> bytes:
            return bytes(card.power_on())

        def disconnect(self) -> None:
            card.power_off()

    card.power_on()
    wire = Wire()
    host = Cps3Host(Dialogue(wire, lambda told: None), made.layout)  # type: ignore[arg-type]
    assert host.open().sw == 0x9000
    assert host.verify(made.layout.secrets["pin"].reference, b"1234").sw == 0x9000
    wire.seconds = 0.0
    whole = median(lambda: host.sign("signature", "sha256", b"x" * 4_000))
    with capsys.disabled():
        print(f"\n  signature : {1000 * whole:.2f} ms, dont la carte {1000 * wire.seconds / TURNS:.2f} ms")
    assert wire.seconds / TURNS <= whole * 1.5


def test_searches_as_a_record_grows(lab: DmpLab, capsys: pytest.CaptureFixture[str]) -> None:
    client, patient = lab.client(), lab.patient
    day, kind, none = dict[int, float](), dict[int, float](), dict[int, float]()
    for size in SIZES:
        filled(lab, size)
        one_day = find_documents(
            patient, more={"CreationTimeFrom": ("20260302000000",), "CreationTimeTo": ("20260303000000",)}
        )
        found = entries_of(client.search(patient, one_day))
        assert found
        day[size] = median(partial(client.search, patient, one_day)) / len(found)
        lab.fed(code=f"1{size}-0")
        for code, figures, count in ((f"1{size}-0", kind, 1), ("99999-9", none, 0)):
            by_type = find_documents(patient, more={"TypeCode": (code,)})
            assert len(entries_of(client.search(patient, by_type))) == count
            figures[size] = median(partial(client.search, patient, by_type))
    with capsys.disabled():
        print("\n  documents    un jour, par document    par type, un trouvé    par type, aucun")
        for size in SIZES:
            told = [1000 * figures[size] for figures in (day, kind, none)]
            print("  {:9} {:20.3f} ms {:19.2f} ms {:15.2f} ms".format(size, *told))
    for figures in (day, kind, none):
        assert figures[SIZES[-1]] <= FLAT * figures[SIZES[0]]


def test_one_consultation_beside_its_bare_cryptography(capsys: pytest.CaptureFixture[str]) -> None:
    """From the card to the document: its code, existence, authorisation, feeding, search, fetching."""
    from bifente.conformance.bench.cards import Workshop
    from bifente.conformance.bench.live import Device
    from bifente.conformance.bench.scene import Act, Scene
    from bifente.conformance.domains.dmp.bench import DmpBench
    from bifente.conformance.model import CardChoice

    device = Device.assemble(
        "readers/generic-bislot", {"cps": CardChoice(template="medecin-generaliste")}, Workshop.default()
    )
    cards: list[float] = []

    def told(role: str, what: object) -> None:
        cards.append(getattr(what, "seconds", 0.0))

    scene = Scene(device.bench, random.Random(1), told, lambda role, what: None)  # type: ignore[arg-type]
    act, bench = Act(scene, "cps"), scene.part(DmpBench)
    bench.service.register.parameters = replace(bench.service.register.parameters, fed_per_second=1_000)
    pdf = make_pdf_a1()

    def consult() -> None:
        assert act.host.open().sw == 0x9000
        assert act.host.verify(act.card.layout.secrets["pin"].reference, b"1234").sw == 0x9000
        user = bench.connect_card(act, "signature", None)
        client, patient = bench.client, bench.patient
        patient.consents = True
        assert client.existence(patient)[0].ok
        assert client.authorise(patient, AuthorisationAction.ADD).ok
        prepared = prepare(user, patient, LpsDocument("application/pdf", pdf), bench.number(), bench.clock.now())
        assert client.feed(patient, prepared).ok
        assert entries_of(client.search(patient, find_documents(patient)))
        assert client.fetch(patient, prepared.unique_id).files[prepared.unique_id]

    consult()
    cards.clear()
    whole = median(consult)
    in_cards = sum(cards) / TURNS
    key = KeyStore().key("card/tests/signature")
    signature = key.sign(b"x", PKCS1v15(), SHA256())
    # Six signatures of the card (five assertions, one set), and of each its certificate's own to verify.
    signing = 6 * median(lambda: key.sign(b"x" * 4_000, PKCS1v15(), SHA256()))
    verifying = 12 * median(lambda: key.public_key().verify(signature, b"x", PKCS1v15(), SHA256()))
    scene.close()
    device.close()
    with capsys.disabled():
        print(
            f"\n  une consultation : {1000 * whole:.1f} ms, dont cartes {1000 * in_cards:.1f} ms ; "
            f"sa cryptographie nue : {1000 * (signing + verifying):.1f} ms (6 signatures, 12 vérifications)"
        )
    assert whole <= CONSULTATION * (signing + verifying)
