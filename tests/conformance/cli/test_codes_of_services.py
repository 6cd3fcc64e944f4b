"""``bifente codes``: refusals of services, names without a number, and finding codes of the field."""

from __future__ import annotations

import pytest
from conformance_cli import Cli


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)


@pytest.mark.parametrize(
    ("code", "head", "said"),
    [
        ("XDSRepositoryBusy", "XDSRepositoryBusy [dmp]", "attendre et renvoyer"),
        ("dmppatientnotfound", "DMPPatientNotFound [dmp]", "INS"),
        ("insi_102", "siram_40 insi_102 [insi]", "ne pas toucher au poste"),
        ("PORT_CONFLICT", "PORT_CONFLICT [workstation]", "bifente faults show port-conflict"),
        ("LIBUSB_ERROR_BUSY", "LIBUSB_ERROR_BUSY [usb]", "bifente faults show reader-taken"),
        ("net::ERR_CERT_REVOKED", "ERR_CERT_REVOKED [browser]", "bifente faults show card-revoked"),
        ("0x8010002C", "8010002C  NO_SUCH_CERTIFICATE [pcsc]", "bifente faults show client-certificate"),
    ],
)
def test_a_name_of_any_layer_is_told(cli: Cli, code: str, head: str, said: str) -> None:
    told = cli("codes", code, "--lang", "fr").ok()
    assert told.startswith(head)
    assert said in told


@pytest.mark.parametrize("code", ["DMPNothingLikeIt", "siram_999", "LIBUSB_ERROR_TEA", "XDS"])
def test_a_name_that_no_table_has_is_refused(cli: Cli, code: str) -> None:
    cli("codes", code).fails(2, code)
