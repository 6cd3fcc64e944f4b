"""A corpus of mistakes: the files, and the commands that are given them. Each is the user's: exit code 2."""

from __future__ import annotations

from pathlib import Path

_STEPS = """suite: my.s
title: {fr: T, en: T}
fidelity: modelled
bench:
  cards: {cps: medecin-generaliste}
scenarios:
  - id: a
    title: {fr: T, en: T}
    steps:
"""


def _suite(*steps: str) -> str:
    return _STEPS + "".join(f"      - {step}\n" for step in steps)


_GOOD = _suite("read: EF.SN")
FILES: dict[str, str | bytes] = {
    "empty.yaml": "",
    "broken.yaml": "a: [1,\n b: }",
    "list.yaml": "- 1\n- 2\n",
    "tabs.yaml": "suite: x\n\ttitle: y\n",
    "twice.yaml": "suite: x\nsuite: y\n",
    "alias.yaml": "a: &x 1\nb: *x\n",
    "bytes.yaml": b"\x00\xff\xfe\x80",
    "latin.yaml": "suite: \xe9".encode("latin-1"),
    "good.yaml": _GOOD,
    "reference.yaml": _suite("verify-code: $card.codes"),
    "step.yaml": _suite("verify-kode: '1234'"),
    "argument.yaml": _suite("verify-code: {kode: 1}"),
    "expected.yaml": _suite("read: EF.SN\n        expect: {session: expired}"),
    "state.yaml": _suite("read: EF.SN\n        expect: {after: {pin-tries: trois}}"),
    "file.yaml": _suite("read: EF.NADA"),
    "hex.yaml": _suite("transmit: 00 A4 0"),
    "fault.yaml": _suite("inject-fault: card-mutt"),
    "stage.yaml": _suite("use: nobody"),
    "capture.yaml": _suite("read: EF.SN\n        capture: {x: nada}"),
    "unset.yaml": _suite("verify-code: $nada"),
    "bytes-condition.yaml": _suite("read: EF.SN\n        expect: {data: {lenght: 3}}"),
    "matrix.yaml": _GOOD + "    matrix: {a: 3}\n",
    "requirement.yaml": _GOOD + "    requirements: [NOPE-1]\n",
    "slot.yaml": _GOOD.replace("cps:", "cpx:"),
    "profile.yaml": _GOOD.replace("bench:\n", "bench:\n  profile: readers/nobody\n"),
    "template.yaml": _GOOD.replace("medecin-generaliste", "nobody"),
    "override.yaml": _GOOD.replace("medecin-generaliste", "{template: medecin-generaliste, kode: 3}"),
    "lifecycle.yaml": _GOOD.replace("medecin-generaliste", "{template: medecin-generaliste, lifecycle: dead}"),
    "section.yaml": _GOOD.replace("bench:\n", "bench:\n  psc: {clients: 3}\n  nothing: 3\n"),
    "fidelity.yaml": _GOOD.replace("modelled", "sure"),
    "no-scenario.yaml": "suite: x\ntitle: T\nfidelity: modelled\nbench: {cards: {cps: medecin-generaliste}}\n",
    "card.yaml": "family: cps9\n",
    "card-2.yaml": "family: cps3\nid: x\nextends: nobody\n",
    "vitale.yaml": "family: vitale\nid: x\n",
    "reader.yaml": "id: x\n",
    "reader-2.yaml": "extends: readers/generic-bislot\nslots: 3\n",
    "poste.yaml": "os: windows-95\n",
    "poste-2.yaml": "poste: cabinet\nsystem: {os: windows-95}\nnothing: 3\n",
    "product.yaml": "name: 3\n",
    "section-of-psc.yaml": "psc: 3\n",
    "galss.bin": b"\xff\x00[",
    "noise.bin": bytes(range(128, 192)),
    "zeros.bin": bytes(64),
    "line.bin": b"nothing\n",
    "empty.bin": b"",
    "zone.hex": "zz",
    "values.json": "{",
    "crl.pem": "x",
    "trace.txt": "hello\n",
    "run/journal.jsonl": "nothing\n",
    "run-2/journal.jsonl": '{"seq":0,"event":"run-started"}\n',
    "folder/x": "",
}

MISTAKES = """
run nobody.yaml
run empty.yaml
run broken.yaml
run list.yaml
run tabs.yaml
run twice.yaml
run alias.yaml
run bytes.yaml
run latin.yaml
run folder
run reference.yaml
run step.yaml
run argument.yaml
run expected.yaml
run state.yaml
run file.yaml
run hex.yaml
run fault.yaml
run stage.yaml
run capture.yaml
run unset.yaml
run bytes-condition.yaml
run matrix.yaml
run requirement.yaml
run slot.yaml
run profile.yaml
run template.yaml
run override.yaml
run lifecycle.yaml
run section.yaml
run fidelity.yaml
run no-scenario.yaml
run good.yaml --out new --profile nobody
run good.yaml --out new --profile reader.yaml
run good.yaml --out new --profile reader-2.yaml
run good.yaml --out new --reader x --card medecin-generaliste
run good.yaml --out new/a/b --reader x
run good.yaml --out folder --reader x
run good.yaml --out new --target pkcs11 --module noise.bin
run good.yaml --out new --target pkcs11 --module nobody.so
run good.yaml --out new --target pkcs11
run good.yaml --card medecin-generaliste
run good.yaml --reader x --card vitale=vitale/ald
run good.yaml --reader x --reader y
run good.yaml --reader x --workers 2
run good.yaml --formats pdf
run good.yaml --select nothing
run good.yaml --seed x
run good.yaml --workers 0
run good.yaml --of run
run good.yaml --failed
run good.yaml --failed --of run
run good.yaml --out new --against run
run good.yaml --out new --against zeros.bin
run good.yaml --out zeros.bin
run good.yaml --out zeros.bin/sub
run good.yaml --out run
run good.yaml --out new --keys zeros.bin
run good.yaml --lang de
run good.yaml --nope
run --target tcp
report nobody
report run
report run-2
report zeros.bin
report empty.bin
report run-2 --formats pdf
diff run nobody
diff run run
diff run-2 run-2
diff noise.bin noise.bin
diff run
read --card nobody
read --card vital=medecin-generaliste
read --card cps=medecin-generaliste+family=cps9
read --card cps=medecin-generaliste+lifecycle=dead
read --card cps=medecin-generaliste+nope=12
read --card cps=
read --card cps=a --card cps=b
read --card card.yaml
read --card card-2.yaml
read --card vitale.yaml
read --profile nobody
read --date hier
faults show nobody
diagnose
diagnose nobody.yaml
diagnose poste.yaml
diagnose poste-2.yaml
diagnose list.yaml
diagnose empty.yaml
diagnose folder
reproduce zzzzqq
reproduce 777 --html zeros.bin/y
galss check folder
galss make --profile nobody --out new/x.ini
bisect a b
bisect poste.yaml nobody.yaml
bisect poste.yaml
bisect poste.yaml poste.yaml --journey x
zone decode nobody
zone decode zone.hex
zone decode empty.bin
zone encode values.json
zone encode good.yaml --out nowhere/zone
fse show nobody
fse show empty.bin
fse show line.bin
fse show folder
fse verify line.bin
fse submit empty.bin
fse submit nobody
fse submit line.bin --crl nobody
fse submit line.bin --crl crl.pem
fse export line.bin new
fse export nobody new
up --out new --profile nobody
up --out new --card nobody
up --out new --card vital=medecin-generaliste
up --out new --card cps=medecin-generaliste+code=12
up --for x
up --out new --services nobody
up --port 3
up --bench good.yaml
up --out new --services psc --bench section-of-psc.yaml
up --out new --services psc --bench nobody
up --out new --services psc --port 99999
up --out new --vpcd h:x
up --out new --remember zeros.bin
up --out run --for 0
up --out zeros.bin --for 0
exec
exec --out new -- nobody-program
exec --out new -- ./zeros.bin
exec --out new --card nobody -- true
observe --out new -- nobody-program
observe --out new --services nobody -- true
observe --out new --watch zeros.bin -- true
serve --services psc --record new --client-logs nobody
trace show nobody
trace show trace.txt
trace show empty.bin
trace show folder
trace import trace.txt --out new/x.jsonl
trace replay trace.txt
trace minimise nobody --out new.yaml
trace record new/x.jsonl -- true
dossier nobody
dossier product.yaml --out new
dossier list.yaml --out new
dossier good.yaml nobody --out new
ssv nope
serve --services nobody --record new
serve --services psc --record new --bench section-of-psc.yaml
serve --services psc --record new --out zeros.bin
serve --record new --profile nobody
serve --record new --profile readers/generic-bislot
serve --record new --card nobody
serve --record new --out zeros.bin
serve --record zeros.bin --for 0
serve --port 99999
serve --seconds 3
cards show nobody
cards show card.yaml
cards show card-2.yaml
cards show vitale.yaml
cards show broken.yaml
cards make nobody --out new
cards make medecin-generaliste --out zeros.bin
cards nope
profiles show nobody
profiles show reader.yaml
profiles show reader-2.yaml
requirements nobody
requirements --show NOPE
schema nobody
nobody
rn
--nope
""".strip().splitlines()


def lay_out(folder: Path) -> None:
    """Write the files of the corpus."""
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
