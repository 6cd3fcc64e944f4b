"""What every step of the DMP shares: how it is done and told, what may be expected of an answer."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.dmp.bench import DmpBench
from bifente.conformance.domains.dmp.signers import CardRefusedError
from bifente.conformance.expectations import Matcher, ValueMatcher
from bifente.conformance.scenario.step import Decoded, Observation, Step, kebab
from bifente.conformance.targets.pkcs11 import Called
from bifente.ground.text import Text
from bifente.simulator.services.dmp.errors import error_table
from bifente.simulator.software.lps.chart import ConsentError
from bifente.simulator.software.lps.client import DmpReply, UnreachableError

NONE = "none"
UNREACHABLE = "unreachable"
ANSWERED: Mapping[str, Matcher] = {"http": ValueMatcher(), "code": ValueMatcher(), "reason": ValueMatcher()}
"""Of a transaction: HTTP status, the code of the refusal (``none`` without one), what is wrong and what to do.

``local-...`` is what the software itself refuses, ``card-....`` what the card answered, ``unreachable`` no answer.
"""


@dataclass(frozen=True, slots=True)
class DmpTold:
    """What a step saw; ``reply`` is the answer of the service, None where it asked nothing."""

    values: Mapping[str, Any] = field(default_factory=dict)
    reply: DmpReply | None = None


class DmpStep(Step, ABC):
    """A step of the software; the record keeps it as a call with its answer, the messages beside it."""

    success: ClassVar[tuple[str, str] | None] = ("code", NONE)

    def run(self, act: Act) -> Observation:
        """Do it; a refusal, a card that does not sign and a line that is cut are what it saw."""
        start = time.perf_counter()
        bench = act.scene.part(DmpBench)
        try:
            told = self.do(act, bench)
            values = {**_answered(told.reply), **told.values}
        except ConsentError as refused:
            values = {"http": None, "code": f"local-{refused.rule}", "reason": refused.text.fr}
        except CardRefusedError as refused:
            values = {"http": None, "code": f"card-{refused.sw:04X}", "reason": str(refused)}
        except UnreachableError as error:
            values = {"http": None, "code": UNREACHABLE, "reason": str(error)}
        seconds = time.perf_counter() - start
        banner = bench.clients[-1].access.banner if bench.clients else None
        decoded = _decoded(values)
        if banner is not None:
            decoded = (("affiché", banner), *decoded)
        said = {key: str(value) for key, value in values.items() if key in ("http", "code") and value is not None}
        arguments = {kebab(name): str(getattr(self, name)) for name in sorted(self.model_fields_set)}
        act.scene.told(
            act.role, Called(self.name, arguments, str(values.get("code", NONE)), said, seconds, self.secrets())
        )
        return Observation({key: values.get(key) for key in self.observes}, decoded)

    @abstractmethod
    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Do it. Raise ConsentError, CardRefusedError, UnreachableError, ImpossibleStepError, ScardError."""


def _answered(reply: DmpReply | None) -> dict[str, Any]:
    if reply is None:
        return {"http": None, "code": NONE, "reason": None}
    return {"http": int(reply.http), "code": reply.code or NONE, "reason": reply.reason or None}


def _decoded(values: Mapping[str, Any]) -> Decoded:
    code, reason = values.get("code"), values.get("reason")
    if code in (None, NONE):
        return ()
    told: list[tuple[str, str | Text]] = [("code", str(code))]
    if reason:
        told.append(("raison", str(reason)))
    row = error_table().get(str(code))
    if row is not None:
        told += [("cause", row.cause), ("remède", row.remedy)]
    return tuple(told)
