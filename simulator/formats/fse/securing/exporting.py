"""A secured sheet taken apart into files that OpenSSL checks by itself, with the lines to do it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import CardSignature, SecuredInvoice
from bifente.simulator.formats.fse.securing.rsa import certificate_of

_MOMENT = "%Y%m%d%H%M%S"
_HEAD = """\
BIFENTE LABORATOIRE
Feuille de soins du laboratoire : forme modélisée, aucun format réel n'est reproduit.
Laboratory care sheet: a modelled form, no real format is reproduced.

"""
_LINES = """\
# {who}
openssl x509 -in {who}.pem -noout -pubkey > {who}.pub
openssl dgst -sha256 -verify {who}.pub -signature {who}.sig content.bin
openssl verify -CAfile ca.pem -attime {seconds} {who}.pem

"""


def export(secured: SecuredInvoice, folder: Path, authorities: Iterable[x509.Certificate] = ()) -> tuple[Path, ...]:
    """Write ``content.bin``, ``insured.sig`` and ``.pem``, ``professional.sig`` and ``.pem``, ``ca.pem`` (the
    ``authorities`` given, roots included) and ``VERIFY.txt`` into a folder, which is made if need be.

    Gives what was written. Raises FseError for a certificate that is none, OSError if it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {"content.bin": secured.content}
    files["ca.pem"] = b"".join(authority.public_bytes(Encoding.PEM) for authority in authorities)
    lines = _HEAD
    for signature in (secured.insured, secured.professional):
        if signature is not None:
            who = str(signature.signer)
            files[f"{who}.sig"] = signature.value
            files[f"{who}.pem"] = _certificate(signature).public_bytes(Encoding.PEM)
            lines += _LINES.format(who=who, seconds=_seconds(signature))
    files["VERIFY.txt"] = lines.encode("utf-8")
    written = []
    for name, data in files.items():
        path = folder / name
        path.write_bytes(data)
        written.append(path)
    return tuple(written)


def _certificate(signature: CardSignature) -> x509.Certificate:
    found = certificate_of(signature.certificate)
    if found is None:
        raise FseError(str(signature.signer), "the certificate is no X.509 certificate of an RSA key", "sign anew")
    return found[0]


def _seconds(signature: CardSignature) -> int:
    try:
        moment = datetime.strptime(signature.moment, _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        raise FseError(str(signature.signer), f"{signature.moment!r} is no moment", "sign anew") from None
    return int(moment.timestamp())
