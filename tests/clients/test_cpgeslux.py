"""CPS-Gestion, the card tool that comes with the Cryptolib, unmodified: what it shows of a CPS3 and of a CPS4.

It is run when it lies where its package puts it beside the library that ``BIFENTE_CRYPTOLIB`` names. It is the one
client at hand that reads the business objects of a card.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients_bench import PATIENCE, PIN, shared_object
from cryptolib_tools import Cryptolib, needs_cryptolib

needs_cryptolib()


RIGHT, DOWN, TAB, ENTER = "\x1b[C", "\x1b[B", "\t", "\r"
DICTIONARY = "etc/opt/santesocial/CPS/DICO-FR.GIP"


class Screen:
    """A program in a terminal of its own: what it writes, without the moves of the cursor."""

    def __init__(self, command: list[str | Path], environment: dict[str, str]) -> None:
        self._terminal, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self._process = subprocess.Popen(
            command, stdin=inside, stdout=inside, stderr=inside, env=environment, start_new_session=True
        )
        os.close(inside)
        self._seen = b""

    def until(self, *texts: str) -> str:
        """All that was written since the last key, once each of ``texts`` is there."""
        deadline = time.monotonic() + PATIENCE
        while True:
            written = re.sub(rb"\x1b[\[(][0-9;?]*[A-Za-z]", b"", self._seen).decode("latin-1")
            if all(text in written for text in texts):
                return written
            left = deadline - time.monotonic()
            assert left > 0, f"{texts} not in {written}"
            if select.select([self._terminal], [], [], left)[0]:
                try:
                    self._seen += os.read(self._terminal, 65536)
                except OSError:  # the program has ended
                    pytest.fail(f"ended with {self._process.wait()} before {texts}: {written}")

    def press(self, keys: str, *texts: str) -> str:
        self._seen = b""
        os.write(self._terminal, keys.encode())
        return self.until(*texts)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)


@pytest.fixture
def screen(cryptolib: Cryptolib, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Screen]:
    bench, library = cryptolib.bench, cryptolib.library
    program = library.parent.parent / "bin/cpgeslux"
    dictionary = library.parents[4] / DICTIONARY
    for path in (program, dictionary):
        if not path.is_file():
            pytest.skip(f"needs CPS-Gestion where its package puts it: no {path.name} beside the Cryptolib")
    # Two situations, as many as it shows at once.
    first, second, _ = (item.model_dump(exclude_none=True) for item in cryptolib.make().made.template.activities)
    cryptolib.seat(activities=[first, {**second, "number": request.param}], billing=[])
    shutil.copy(dictionary, bench.folder / DICTIONARY)
    # It loads both by names that Debian does not give to libraries.
    (tmp_path / "libncurses.so").symlink_to(shared_object("ncurses", "libncurses6", "*/libncurses.so.6"))
    (tmp_path / "libcps3_pkcs11_lux.so.0").symlink_to(library)
    environment = {**bench.environment, "TERM": "linux", "LD_LIBRARY_PATH": str(tmp_path)}
    screen = Screen([*bench.behind, program], environment)
    yield screen
    screen.close()


@pytest.mark.parametrize("screen", [2, 5], indirect=True, ids=["situations 1 and 2", "situations 1 and 5"])
def test_it_shows_the_card(cryptolib: Cryptolib, screen: Screen) -> None:
    bench, made = cryptolib.bench, cryptolib.bench.seated.made
    facts, holder = made.facts(), made.template.holder
    # Each family has a line of its own about the card.
    date = (
        f"émise le {facts['issue_date']:%d/%m/%Y}"
        if cryptolib.family.name == "cps3"
        else f"expire fin {facts['expiry_date']:%m/%Y}"
    )
    given_name = (holder.given_names or ("",))[0]
    screen.until(f"Madame {facts['practice_name']} {given_name}", f"8 {holder.rpps}", date, "Afficher")
    screen.press(RIGHT, "Services CPS")
    screen.press(ENTER, "Lecture situations")
    assert not bench.commands(cryptolib.family.verify), "nothing of that needs the code"
    screen.press(DOWN, "Lectures & Enregistrements")
    screen.press(DOWN, "Lecture situations")
    screen.press(ENTER, "Code porteur (reste 3 tentative(s))")
    screen.press(PIN, "****")
    screen.press(TAB, "Ok")
    first, last = made.template.activities
    name = f"Nom d'exercice : {facts['practice_name']}"
    shown = screen.press(ENTER, first.structure, f"Id Cabinet RPPS {first.structure_id[1:]}", "Sortie : <Echap>")
    for text in (name, "Qualifié en Médecine Générale", "Exercice Libéral", "Cabinet individuel"):
        assert text in shown
    # A fault of this client: it stops at the first number that is missing.
    for text in (last.structure, f"FINESS {last.structure_id[1:]}", "Exercice Salarié", "Etablissement public"):
        assert (text in shown) == (last.number == 2)
    assert bench.answers(cryptolib.family.verify) == ["9000"]
    print(f"{cryptolib.family.name}: {len(bench.commands())} APDU")
