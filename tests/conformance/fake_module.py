"""A PKCS#11 module made of Python: quick, obedient, and as wrong as a test wants it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conformance_bench import Lab, Ran, write

from bifente.conformance.bench.module import ModuleInFront, ModuleUnderTest
from bifente.conformance.bench.profiles import load_profile
from bifente.conformance.bench.virtual import VirtualBench
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.run.scenario import run_scenario
from bifente.conformance.scenario.loader import DEFAULT_PROFILE, load_suite
from bifente.conformance.targets.embedded import EmbeddedTarget
from bifente.conformance.targets.pkcs11 import ModuleGoneError
from bifente.ground.clock import VirtualClock

Answers = Mapping[str, Any]


class FakeModule:
    """Knows one token with one private key and some data. ``answers`` replaces what functions answer."""

    def __init__(self, answers: Answers, log: list[tuple[str, Mapping[str, Any]]]) -> None:
        self.answers, self.log = answers, log
        self.logged_in = False
        self.found: list[int] = []

    def load(self) -> FakeModule:
        return self

    def close(self) -> None:
        self.log.append(("closed", {}))

    def ask(self, function: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        self.log.append((function, dict(given)))
        wanted = self.answers.get(function)
        if isinstance(wanted, ModuleGoneError):
            raise wanted
        if isinstance(wanted, int):
            return {"rv": wanted}
        if isinstance(wanted, Mapping):
            return {"rv": 0, **wanted}
        if callable(wanted):
            return dict(wanted(given))
        return {"rv": 0, **self._usual(function, given)}

    def _usual(self, function: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        match function:
            case "C_GetInfo":
                return {"manufacturer": "Nobody", "description": "A fake", "version": "1.0"}
            case "C_GetSlotList":
                return {"slots": [7, 9]}
            case "C_GetSlotInfo":
                name = "Bifente Bi-Slot Reader 00 00" if given["slot"] == 7 else "Bifente Bi-Slot Reader 00 01"
                return {"description": name.ljust(64), "flags": 7}
            case "C_GetTokenInfo":
                texts = {"label": "TEST\0\0", "manufacturer": "ANS  ", "model": "M", "serial": "1"}
                return {**texts, "flags": 0x40D, "shortest": 4, "longest": 4}
            case "C_GetMechanismList":
                return {"mechanisms": [0x250, 0x01, 0x80000042]}
            case "C_GetMechanismInfo":
                return {"shortest": 1024, "longest": 4096, "flags": 0x2800}
            case "C_OpenSession":
                return {"session": 5}
            case "C_GetSessionInfo":
                return {"state": 3, "flags": 6}
            case "C_FindObjectsInit":
                self.found = [11, 12]
            case "C_FindObjects":
                found, self.found = self.found, []
                return {"objects": found}
            case "C_GetAttributeValue":
                return {"data": b"CPS_DATA\0".hex()}
            case "C_Sign" | "C_Encrypt" | "C_Decrypt" | "C_Digest" | "C_SignFinal" | "C_DigestFinal":
                return {"data": "00" * 256}
            case "C_GenerateRandom":
                return {"data": "5a" * given["length"]}
        return {}


class FakeLab:
    """Runs suites in process against a fake module, on the bench's own cards."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.log: list[tuple[str, Mapping[str, Any]]] = []

    def bench(self, answers: Answers | None = None, **more: Any) -> VirtualBench:
        profile = load_profile(DEFAULT_PROFILE)[0]
        clock = VirtualClock(datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0))
        reader = profile.reader(clock)
        workshop = self._lab.workshop
        target = EmbeddedTarget([reader])
        name_of = target.service.name_of
        inner = VirtualBench(profile, reader, target, workshop, name_of, clock, restore=target.restore)
        module = ModuleUnderTest(lambda: FakeModule(answers or {}, self.log))  # type: ignore[arg-type,return-value]
        names = {model.role: slot.name for model, slot in zip(profile.slots, reader.slots, strict=True)}
        inner.attachments.append(ModuleInFront(inner, module, lambda: names, **more))
        return inner

    def run(self, folder: Path, text: str, answers: Answers | None = None, bench: VirtualBench | None = None) -> Ran:
        bench = bench or self.bench(answers)
        ran = Ran()
        for plan in load_suite(write(folder, text), load_catalogue()).scenarios:
            name = plan.id.partition("/")[2]
            ran.verdicts[name] = run_scenario(plan, bench, seed=1, command=(), emit=ran.events.append)
        return ran

    def functions(self) -> list[str]:
        """What the module was asked for, the guard's own questions included."""
        return [function for function, _given in self.log]
