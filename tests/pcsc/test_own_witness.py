"""The name by which a client of the service is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from bifente.simulator.pcsc.own.witness import program_of


@pytest.mark.parametrize(
    ("comm", "words", "name"),
    [
        ("scdaemon", ["/usr/lib/gnupg/scdaemon", "--multi-server"], "scdaemon"),
        ("ssh-pkcs11-help", ["/usr/lib/openssh/ssh-pkcs11-helper"], "ssh-pkcs11-helper"),
        # A script: its name is that of the file, behind the interpreter.
        ("smartcard-ident", ["/usr/bin/python3", "/opt/bin/smartcard-identifier"], "smartcard-identifier"),
        # It says another name of itself: the kernel's is kept.
        ("a-name-of-fifte", ["nothing-like-it"], "a-name-of-fifte"),
        ("fifteen-letters", [], "fifteen-letters"),
    ],
)
def test_a_name_that_the_kernel_cuts_is_told_whole(tmp_path: Path, comm: str, words: list[str], name: str) -> None:
    (tmp_path / "comm").write_text(f"{comm}\n", encoding="utf-8")
    (tmp_path / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))
    assert program_of(tmp_path) == name


def test_one_that_has_gone_has_none(tmp_path: Path) -> None:
    assert program_of(tmp_path / "4242") == ""


def test_without_its_arguments_it_keeps_the_kernels(tmp_path: Path) -> None:
    (tmp_path / "comm").write_text("fifteen-letters\n", encoding="utf-8")
    assert program_of(tmp_path) == "fifteen-letters"
