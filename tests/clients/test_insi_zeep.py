"""zeep, which nobody here wrote, drives INSi over TLS: by the official WSDL, and by the one that the service serves."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import zeep
from insi_bench import NOW, InsiBench
from lxml import etree
from zeep.exceptions import Fault
from zeep.plugins import HistoryPlugin
from zeep.transports import Transport

from bifente.simulator.pki.authority import Pki
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.tls import ServerIdentity

EXTERNAL = "BIFENTE_EXTERNAL"
"""Names the folder with interface schemas of others; by default ``shared/external`` beside the checkout."""
OFFICIAL = "DESIR_ICIR_EXP_1.5.0.wsdl"
Driver = tuple[zeep.Client, HistoryPlugin, str]
_BINDING = "{http://www.cnamts.fr/webservice}ICIRServiceBinding"


def _official() -> Path:
    beside = [parent / "shared" / "external" for parent in Path(__file__).resolve().parents]
    folders = [Path(os.environ[EXTERNAL])] if EXTERNAL in os.environ else beside
    found = next((one / "insi" for one in folders if (one / "insi" / OFFICIAL).is_file()), None)
    if found is None:
        pytest.skip(f"the official WSDL of INSi is not here: name its folder by {EXTERNAL}")
    return found


@pytest.fixture(scope="module")
def bench(pki: Pki) -> InsiBench:
    return InsiBench(pki)


@pytest.fixture(scope="module")
def served(bench: InsiBench, pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    identity = ServerIdentity.make(pki, pki._keys, datetime.now(UTC))
    trust = tmp_path_factory.mktemp("insi") / "ca.pem"
    trust.write_bytes(identity.trust)
    with LoopbackServer(bench.service.application, identity.context()) as server:
        yield server.url, trust


class _Offline(Transport):
    """Loads what the official WSDL names on the Web from the folder; nothing else leaves the machine."""

    def __init__(self, folder: Path | None, session: requests.Session) -> None:
        super().__init__(session=session)
        self._folder = folder

    def load(self, url: Any) -> bytes:
        if self._folder is not None and str(url).endswith("ws-addr.xsd"):
            return (self._folder / "ws-addr.xsd").read_bytes()
        assert not str(url).startswith("http://"), url
        return bytes(super().load(url))


@pytest.fixture(scope="module", params=["official", "ours"])
def client(request: pytest.FixtureRequest, served: tuple[str, Path]) -> Iterator[Driver]:
    url, trust = served
    session = requests.Session()
    session.verify = str(trust)
    session.trust_env = False
    history = HistoryPlugin(maxlen=40)
    folder = _official() if request.param == "official" else None
    description = str(folder / OFFICIAL) if folder else f"{url}/lps?wsdl"
    yield zeep.Client(description, transport=_Offline(folder, session), plugins=[history]), history, url
    session.close()


@pytest.fixture
def call(client: Driver, bench: InsiBench) -> Callable[..., Any]:
    made, _history, url = client
    service = made.create_service(_BINDING, f"{url}/lps")

    def ask(operation: str, *, idam: str = "BIFENTE-IDAM-01", **fields: Any) -> Any:
        when = NOW.isoformat()
        bam = made.get_element("{urn:siram:bam:ctxbam}ContexteBAM")
        lps = made.get_element("{urn:siram:lps:ctxlps}ContexteLPS")
        message_id = etree.Element("{http://www.w3.org/2005/08/addressing}MessageID")
        message_id.text = "uuid:11111111-2222-4333-8444-555555555555"
        security = etree.Element(
            "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}Security"
        )
        security.append(bench.assertion())
        headers = [
            bam(Id="b", Temps=when, Emetteur="e", COUVERTURE={}, Version="01_02"),
            lps(
                Id="l",
                Temps=when,
                Emetteur="e",
                LPS={"IDAM": {"_value_1": idam, "R": "4"}, "Version": "1", "Instance": "i", "Nom": "zeep"},
                Version="01_00",
            ),
            security,
            message_id,
        ]
        return getattr(service, operation)(**fields, _soapheaders=headers)

    return ask


def _result(answer: Any) -> Any:
    return getattr(answer, "body", answer)


def test_the_search_on_traits(call: Callable[..., Any]) -> None:
    found = _result(
        call(
            "rechercherInsAvecTraitsIdentite",
            NomNaissance="TESTDATES",
            Prenom=["PIERRE-ALAIN"],
            Sexe="M",
            DateNaissance="2009-07-14",
        )
    )
    assert found.CR.CodeCR == "00"
    assert found.INDIVIDU.INSACTIF.IdIndividu.NumIdentifiant == "1091963220013"
    assert found.INDIVIDU.INSACTIF.OID == "1.2.250.1.213.1.4.10"
    assert [str(one.DateFin) for one in found.INDIVIDU.INSHISTO] == ["2019-02-28", "None"]
    assert found.INDIVIDU.TIQ.ListePrenom == "PIERRE-ALAIN MURIEL"


def test_the_search_with_a_vitale(call: Callable[..., Any]) -> None:
    found = _result(
        call(
            "rechercherInsAvecCarteVitale",
            MatriculeOD={"NumIdentifiant": "2841975349011"},
            DateNaissance="2015-08-08",
            RangNaissance="2",
        )
    )
    assert found.INDIVIDU.TIQ.NomNaissance == "TESTJUMEAUX"
    assert found.INDIVIDU.INSACTIF.IdIndividu.NumIdentifiant == "1151975056034"


@pytest.mark.parametrize(("given", "code"), [("JEAN", "02"), ("JACQUES", "01")])
def test_none_and_several(call: Callable[..., Any], given: str, code: str) -> None:
    found = _result(
        call(
            "rechercherInsAvecTraitsIdentite",
            NomNaissance="TESTHOMONYME",
            Prenom=[given],
            Sexe="M",
            DateNaissance="1962-11-30",
        )
    )
    assert (found.CR.CodeCR, found.INDIVIDU) == (code, None)


def test_a_fault_of_the_field(call: Callable[..., Any]) -> None:
    with pytest.raises(Fault) as error:
        call("rechercherInsAvecTraitsIdentite", idam="OTHER", NomNaissance="A")
    told = error.value.detail.find(".//{urn:siram}Erreur")
    assert told.get("code") == "desir_550"
    assert error.value.code.endswith("Sender")


def test_the_answers_are_valid_by_the_official_schema(call: Callable[..., Any], client: Driver) -> None:
    import xmlschema

    schema = xmlschema.XMLSchema(str(_official() / "xsd" / "ServiceIdentiteCertifiee" / "INSi_RESULTAT_INS.xsd"))
    call(
        "rechercherInsAvecTraitsIdentite",
        NomNaissance="TESTDATES",
        Prenom=["PIERRE-ALAIN"],
        Sexe="M",
        DateNaissance="2009-07-14",
    )
    received = (client[1].last_received or {})["envelope"]
    result = received.find(".//{http://www.cnamts.fr/INSiResultat}RESULTAT")
    assert schema.is_valid(etree.tostring(result).decode())
    broken = etree.tostring(result).decode().replace("2009-07-14", "14/07/2009")
    assert not schema.is_valid(broken)
