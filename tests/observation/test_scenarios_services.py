"""A suite whose software meets services on this machine: what it says is seen, its record names the product."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from conformance_cli import apart

from bifente.reports.events import Call, Message, RunStarted
from bifente.reports.journal import read_journal

DRIVER = """
import json, os, ssl, sys, urllib.request
for line in sys.stdin:
    asked, told = json.loads(line), {"ok": True}
    if asked["request"] == "do":
        trust = ssl.create_default_context(cafile=os.environ["BIFENTE_INSI_CA"])
        body = asked["with"]["says"].encode()
        try:
            urllib.request.urlopen(urllib.request.Request(os.environ["BIFENTE_INSI_URL"], body), context=trust)
        except urllib.error.HTTPError as error:
            told["screen"] = [str(error.code)]
    if asked["request"] == "screen":
        told["image"] = os.environ["PICTURE"]
    print(json.dumps(told), flush=True)
    if asked["request"] == "stop":
        break
"""

SUITE = """
suite: mine.insi
title: {fr: Le mien, en: Mine}
fidelity: modelled
bench:
  cards: {cps: medecin-generaliste}
  software:
    name: Mine
    version: "1.0"
    command: [PYTHON, DRIVER]
    driver: true
    services: [insi]
    environment: {PICTURE: IMAGE}
scenarios:
  - id: asks
    title: {fr: Demande, en: Asks}
    steps:
      - start-software:
      - user: {does: ask, with: {says: "<a>1234</a>"}}
        expect: {screen: "415"}
      - seen: {only: {peer: insi, protocol: https, text: "<a>"}}
        expect: {count: 1}
      - keep-screen: accueil
      - rules:
        expect: {count: 1, broken: [no-code-in-message]}
"""


def test_a_scenario_sees_what_its_software_says_to_a_service(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (2, 2)).save(tmp_path / "ecran.png")
    (tmp_path / "driver.py").write_text(DRIVER, encoding="utf-8")
    text = SUITE.replace("PYTHON", json.dumps(sys.executable)).replace("DRIVER", str(tmp_path / "driver.py"))
    (tmp_path / "suite.yaml").write_text(text.replace("IMAGE", str(tmp_path / "ecran.png")), encoding="utf-8")
    said = apart("run", "suite.yaml", "--target", "pcsc", "--lang", "en", "--out", tmp_path / "out", cwd=tmp_path)
    assert said.code == 0, said.out + said.err
    events = read_journal(tmp_path / "out" / "journal.jsonl").events
    assert isinstance(events[0], RunStarted)
    assert events[0].product == "Mine 1.0"
    asked = [one for one in events if isinstance(one, Message) and one.peer == "insi" and one.line.startswith("POST")]
    assert [one.body for one in asked] == ["<a>••••</a>"]
    (kept,) = [one for one in events if isinstance(one, Call) and one.function == "screenshot"]
    assert (tmp_path / "out" / kept.answer["file"]).is_file()
    assert kept.scenario == "mine.insi/asks"
