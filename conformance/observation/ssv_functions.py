"""The SSV functions by their published names, as one program calls them: texts, then zones, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bifente.conformance.observation.ssv_words import traduire_arl, traduire_fse
from bifente.ground.clock import Clock
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.middleware.resources import Resources
from bifente.simulator.middleware.ssv import Answer, Ssv
from bifente.simulator.software.billing.formatting import FormattedLots, Formatting

MOST_ZONES = 256
"""How many zones a call takes or gives (ours)."""
TRACE_MODES = ("w", "a")


class SsvProgram:
    """What one program has of the library: its own state, its own series of lots."""

    def __init__(self, resources: Resources, clock: Clock) -> None:
        self.ssv = Ssv(resources, clock)
        self.formatting = Formatting(self.ssv, resources, clock)

    def term_lib(self) -> Answer:
        """SSV_TermLIB, and the end of the series of lots."""
        self.formatting.end()
        return self.ssv.term_lib()


@dataclass(frozen=True, slots=True)
class _Function:
    texts: int
    zones: range
    call: Callable[[SsvProgram, Sequence[str], Sequence[bytes]], Answer | FormattedLots]


_NONE, _ONE, _SEVERAL = range(1), range(1, 2), range(1, MOST_ZONES + 1)


def _factures(on: SsvProgram, texts: Sequence[str], zones: Sequence[bytes]) -> Answer:
    ps, reader, code, wanted, mode = texts
    return on.formatting.formater_factures(ps, reader, code, wanted, mode, zones[0])


def _lots(on: SsvProgram, texts: Sequence[str], zones: Sequence[bytes]) -> FormattedLots:
    ps, reader, code = texts
    return on.formatting.formater_lot(ps, reader, code, zones)


def _trace(file: str, mode: str, module: str, level: str) -> Answer:
    """SSV_InitTrace, whose file the library writes itself: what it asks for is judged here and stands in the record."""
    asked = file and mode in TRACE_MODES and module.isdecimal() and level.isdecimal()
    return Answer(SsvCode.OK if asked else SsvCode.BAD_INPUT)


FUNCTIONS: Mapping[str, _Function] = {
    "SSV_InitLIB": _Function(0, _NONE, lambda on, _, __: on.ssv.init_lib()),
    "SSV_TermLIB": _Function(0, _NONE, lambda on, _, __: on.term_lib()),
    "SSV_LireConfig": _Function(0, _NONE, lambda on, _, __: on.ssv.lire_config()),
    "SSV_LireDateLecteur": _Function(1, _NONE, lambda on, texts, _: on.ssv.lire_date_lecteur(*texts)),
    "SSV_MajDateLecteur": _Function(2, _NONE, lambda on, texts, _: on.ssv.maj_date_lecteur(*texts)),
    "SSV_LireCartePS": _Function(3, _NONE, lambda on, texts, _: on.ssv.lire_carte_ps(*texts)),
    "SSV_LireDroitsVitale": _Function(4, _NONE, lambda on, texts, _: on.ssv.lire_droits_vitale(*texts)),
    "SSV_FormaterFactures": _Function(5, _ONE, _factures),
    "SSV_FormaterLot": _Function(3, _SEVERAL, _lots),
    "SSV_TraduireARL": _Function(0, _SEVERAL, lambda on, _, zones: traduire_arl(on.ssv, zones)),
    "SSV_TraduireFSE": _Function(0, _ONE, lambda on, _, zones: traduire_fse(on.ssv, zones[0])),
    "SSV_InitTrace": _Function(4, _NONE, lambda _, texts, __: _trace(*texts)),
}
"""By name. A holder code is the third text where there is one."""


def answered(program: SsvProgram, name: str, parts: Sequence[bytes]) -> tuple[int, tuple[bytes, ...]]:
    """Return the code and the zones of one call; F802 for a function or a number of arguments that is none."""
    function = FUNCTIONS.get(name)
    if function is None or len(parts) - function.texts not in function.zones:
        return SsvCode.BAD_INPUT, ()
    texts = [part.decode("latin-1") for part in parts[: function.texts]]
    answer = function.call(program, texts, parts[function.texts :])
    if isinstance(answer, FormattedLots):
        return answer.code, answer.zones
    return answer.code, (answer.zone,) if answer.zone else ()
