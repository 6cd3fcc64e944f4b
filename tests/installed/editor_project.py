"""What an editor's checkout holds, as the jobs of docs/ci expect it: suites, a program, a test."""

from __future__ import annotations

SUITE = """
suite: editeur.lecture
title: {fr: Lecture d'une CPS, en: Reading a CPS}
fidelity: observed
bench:
  cards: {cps: medecin-generaliste}

scenarios:
  - id: activity-behind-the-code
    title: {fr: La situation d'exercice se lit après le code, en: The practice is read after the code}
    requirements: [CARD-CPS3-16]
    steps:
      - select-application: cpx-ias
      - read: CPS_ACTIVITY_01_PS
        expect: {sw: 6982}
      - verify-code: $card.code
      - read: CPS_ACTIVITY_01_PS
        expect: {sector: SA07}
"""

PROGRAM = """
import sys

from smartcard.System import readers

SELECT_CPS = bytes.fromhex("00A4040C088025000001FF0100")


def main() -> int:
    for reader in readers():
        connection = reader.createConnection()
        try:
            connection.connect()
        except Exception as error:
            print(f"{reader}: {error}")
            continue
        _data, sw1, sw2 = connection.transmit(list(SELECT_CPS))
        print(f"{reader}: {sw1:02X}{sw2:02X}")
        if (sw1, sw2) == (0x90, 0x00):
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
"""

TEST = """
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parent.parent / "logiciel.py"


def test_the_program_finds_the_card(bench):
    done = subprocess.run([sys.executable, PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert bench.name("cps") in done.stdout
"""

FILES = {"banc/lecture.yaml": SUITE, "logiciel.py": PROGRAM, "tests/test_editor_program.py": TEST}
