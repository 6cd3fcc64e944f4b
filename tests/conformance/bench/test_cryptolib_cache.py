"""A cache of the Cryptolib that is another card's is told, with what clears it; the card's own is not."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conformance_bench import Lab
from cryptography.hazmat.primitives.ciphers import Cipher

from bifente.conformance.bench import cryptolib_cache
from bifente.conformance.bench.cryptolib_cache import CFB, TripleDES, cached_serials, stale_files, warnings
from bifente.conformance.model import CardChoice
from bifente.simulator.cards.cpx.personalise import PersonalisedCard

PLACE = "0001A002"
"""Where a CPS3 has the certificate of its authentication key."""


def made(lab: Lab) -> PersonalisedCard:
    card = lab.workshop.personalised(CardChoice(template="infirmier"), datetime.now(UTC).date())
    assert isinstance(card, PersonalisedCard)
    return card


def keep(folder: Path, serial: str, data: bytes, *, digest: bytes | None = None, place: str = PLACE) -> Path:
    """Write a file as the module keeps it: its own name, its driver, the digest, the data; DES by the serial."""
    path = folder / f"{serial}_{place}"
    key = bytes(byte if byte.bit_count() % 2 else byte ^ 1 for byte in hashlib.sha256(serial.encode()).digest()[:8])
    encryptor = Cipher(TripleDES(key * 3), CFB(key)).encryptor()
    plain = str(path).encode() + b"cps3" + (digest or hashlib.sha256(data).digest()) + data
    path.write_bytes(encryptor.update(plain) + encryptor.finalize())
    return path


def own(card: PersonalisedCard) -> bytes:
    from bifente.simulator.cards.files import volumes

    return next(content for name, content in volumes(card.image).items() if "/A002-" in name)


def test_a_certificate_of_another_card_is_told_with_its_cure(lab: Lab, tmp_path: Path) -> None:
    card = made(lab)
    path = keep(tmp_path, str(card.serial), b"another certificate")
    assert stale_files(card, tmp_path) == (path,)
    (said,) = warnings([card, object()], tmp_path)
    for text in (said.fr, said.en):
        assert f"rm {tmp_path}/{card.serial}_*" in text


def test_what_is_the_card_s_own_is_not_told(lab: Lab, tmp_path: Path) -> None:
    card = made(lab)
    keep(tmp_path, str(card.serial), own(card))
    keep(tmp_path, "99999999", b"of another serial")
    assert stale_files(card, tmp_path) == ()
    assert list(warnings([card], tmp_path)) == []
    assert cached_serials(tmp_path) == {str(card.serial), "99999999"}


@pytest.mark.parametrize("damage", ["digest", "noise", "header"])
def test_what_the_module_itself_would_not_trust_is_no_matter(lab: Lab, tmp_path: Path, damage: str) -> None:
    card = made(lab)
    path = keep(tmp_path, str(card.serial), b"another", digest=b"\x00" * 32 if damage == "digest" else None)
    if damage == "noise":
        path.write_bytes(b"\xff" * 80)
    if damage == "header":
        path.rename(tmp_path / f"{card.serial}_s_{PLACE}")
    assert stale_files(card, tmp_path) == ()


def test_without_a_cache_nothing_is_said(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cryptolib_cache, "_FOLDERS", {"linux": str(tmp_path / "none")})
    assert cryptolib_cache.folder() is None
    assert list(warnings([made(lab)])) == []
