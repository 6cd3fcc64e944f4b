"""The canonical form of a care sheet: the bytes that are signed, as a zone of the SSV interface.

The groups of sources#zone-invoice hold what they are known to hold, our own (from 9000) the rest, and the first one
says that it is a laboratory format. There is one form for a sheet and one sheet for a form: ``parse`` refuses every
byte that ``canonical`` would not write.
"""

from bifente.simulator.formats.fse.canonical.forms import MAX_ACTS, MAX_FORM, MAX_PERIODS
from bifente.simulator.formats.fse.canonical.reading import parse
from bifente.simulator.formats.fse.canonical.writing import canonical

__all__ = ["MAX_ACTS", "MAX_FORM", "MAX_PERIODS", "canonical", "parse"]
