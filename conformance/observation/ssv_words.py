"""The SSV functions that tell in words: TraduireARL and TraduireFSE, for the laboratory's returns and sheets.

What the field's library writes is not public: the lines are those of ``bifente fse show``, in French, cp1252 with CRLF
(modelled).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Arl
from bifente.simulator.formats.fse.returns import decode_return
from bifente.simulator.formats.fse.securing.codec import decode_secured
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.middleware.ssv import Answer, Ssv


def traduire_arl(ssv: Ssv, zones: Sequence[bytes]) -> Answer:
    """SSV_TraduireARL: every acknowledgement, one after the other; F802 for a zone that is none."""
    if not ssv.ready:
        return Answer(SsvCode.NOT_INITIALISED)
    try:
        answers = [decode_return(zone) for zone in zones]
    except FseError as error:
        return Answer(SsvCode.BAD_INPUT, detail=str(error))
    if not answers or not all(isinstance(answer, Arl) for answer in answers):
        return Answer(SsvCode.BAD_INPUT, detail="no acknowledgement")
    return Answer(SsvCode.OK, _written(line for answer in answers for line in _lines(answer)))


def traduire_fse(ssv: Ssv, zone: bytes) -> Answer:
    """SSV_TraduireFSE: a signed sheet, with its signatures; F802 for a zone that is none."""
    if not ssv.ready:
        return Answer(SsvCode.NOT_INITIALISED)
    try:
        return Answer(SsvCode.OK, _written(_lines(decode_secured(zone))))
    except FseError as error:
        return Answer(SsvCode.BAD_INPUT, detail=str(error))


def _lines(thing: object) -> Iterator[str]:
    from bifente.conformance.domains.fse.sheet_words import told

    for depth, label, words in told(thing):
        yield "  " * depth + (words.fr if label is None else f"{label.fr:38} {words.fr}")


def _written(lines: Iterator[str]) -> bytes:
    from bifente.conformance.domains.fse.sheet_words import MODEL

    return "".join(f"{line}\r\n" for line in (MODEL.fr, *lines)).encode("cp1252", "replace")
