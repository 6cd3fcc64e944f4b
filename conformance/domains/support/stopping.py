"""How a journey stops, and which component is told to have failed by the code that it gave."""

from __future__ import annotations

from bifente.conformance.domains.support.journeys import JourneyFailure, JourneyStep
from bifente.simulator.middleware.codes import SsvCode, SsvError

_GALSS, _TABLES, _FORMATTING = range(0x8000, 0x8100), range(0xF600, 0xF700), range(0xF800, 0xF900)
_CPS = frozenset({0xF001, 0xF002, 0xF003, 0xF004, 0xFF21, 0xFF30})
_VITALE = frozenset({0xF011, 0xF014, 0xF015})


class JourneyStoppedError(Exception):
    """A step of a journey did not go through."""

    def __init__(self, component: str, code: str, detail: str) -> None:
        self.component, self.code, self.detail = component, code, detail
        super().__init__(f"{component}: {code}: {detail}")

    def at(self, step: JourneyStep) -> JourneyFailure:
        """Return it as the failure of a step."""
        return JourneyFailure(step, self.component, self.code, self.detail)


def stopped_by(error: SsvError) -> JourneyStoppedError:
    """Return what a return code of the SSV or the GALSS stops, and whom it blames."""
    return JourneyStoppedError(_component(int(error.code)), f"{int(error.code):04X}", error.detail or str(error))


def code_of(written: str) -> JourneyStoppedError | None:
    """Return what a code in four hexadecimal digits stops, None for what is no such code."""
    try:
        code = SsvCode(int(written, 16))
    except ValueError:
        return None
    return stopped_by(SsvError(code))


def _component(code: int) -> str:
    if code in _CPS:
        return "cps"
    if code in _VITALE:
        return "vitale"
    if code in _TABLES:
        return "fsv"
    if code < 0x1000 or code in _GALSS:
        return "galss"
    return "fsv" if code in _FORMATTING else "reader"
