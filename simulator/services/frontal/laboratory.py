"""A front end of the laboratory, for whoever has a file and no bench: the answer it would get here.

Its authorities and its key are those of the user's own laboratory keys, by which the virtual cards sign: a file that
was signed elsewhere is answered that nobody here knows who signed it.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from random import Random

from cryptography import x509

from simulator.clock import Clock, WallClock
from simulator.fse.body_certificates import BodyIdentity, body_identity
from simulator.fse.envelope import MAX_FILE
from simulator.fse.errors import FseError
from simulator.fse.files import named, read_file
from simulator.fse.model import Arl
from simulator.fse.securing import Anchors
from simulator.personalisation.authority import Branch, Level, Pki
from simulator.personalisation.keystore import KeySource, KeyStore
from simulator.personalisation.profiles import Validity
from simulator.personalisation.vitale.authority import VitaleAuthority
from simulator.services.frontal.frontal import Frontal
from simulator.services.frontal.ledger import Ledger
from simulator.services.frontal.parameters import Parameters

DEFAULT_BODY = "013490349"
"""The general scheme's laboratory fund, answering where nothing says which body a file is for."""
_VALIDITY = Validity(date(2020, 1, 1), date(2049, 12, 31))
_ENVELOPE = 16_384
"""What an envelope adds at most."""


def anchors(keys: KeySource) -> Anchors:
    """The authorities of the laboratory's cards."""
    pki = Pki(keys)
    persons = tuple(pki.authority(level, Branch.PERSONNES).certificate for level in Level)
    return Anchors(persons, (VitaleAuthority(keys).certificate,))


def identity(body: str, keys: KeySource) -> BodyIdentity:
    """What a body of the laboratory opens files with; files for it are made with its certificate."""
    return body_identity(body, Pki(keys), keys, _VALIDITY)


def laboratory(
    keys: KeySource,
    clock: Clock,
    body: str = DEFAULT_BODY,
    *,
    parameters: Parameters | None = None,
    chance: Random | None = None,
    revocations: tuple[x509.CertificateRevocationList, ...] = (),
    ledger: Ledger | None = None,
) -> Frontal:
    """The front end of a body of the laboratory."""
    own = identity(body, keys)
    return Frontal(
        clock,
        anchors(keys),
        own.key,
        own.certificate,
        parameters,
        chance,
        revocations=revocations,
        ledger=ledger,
    )


def submit_file(path: Path, keys: KeySource | None = None, clock: Clock | None = None) -> list[Arl]:
    """The ARLs that a file of sheets or claims gets from a front end that never saw any other, at this moment.

    ``keys`` defaults to the user's own. The body is the one that the name of the file says, else its header. Raises
    FseError if there is no such file or it is larger than any front end takes.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + _ENVELOPE + 1)
    except OSError as error:
        raise FseError(str(path), error.strerror or "it cannot be read", "check the path") from error
    if len(data) > MAX_FILE + _ENVELOPE:
        raise FseError(str(path), f"it is larger than {MAX_FILE} bytes", "send fewer lots in one file")
    return laboratory(keys or KeyStore(), clock or WallClock(), _body(path, data)).submit(data, path.name)


def _body(path: Path, data: bytes) -> str:
    """The body of the name, else of the header (of a file in clear), else the one by default."""
    try:
        return named(path.name).body
    except FseError:
        pass
    try:
        return read_file(data).head.body
    except FseError:
        return DEFAULT_BODY
