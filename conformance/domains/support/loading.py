"""Libraries of a workstation as its programs load them: there or not, of their word length or not, allowed or not."""

from __future__ import annotations

from dataclasses import dataclass, field

from bifente.conformance.domains.support.stopping import JourneyStoppedError

BOTH = frozenset({32, 64})


@dataclass(slots=True)
class LoadableLibrary:
    """One library: the word lengths it comes in; ``refusal`` is what the system says if it will not have it loaded."""

    present: bool = True
    bits: frozenset[int] = field(default=BOTH)
    refusal: str = ""
    code: str = "LIBRARY_ARCHITECTURE"
    """What a program of another word length is told."""

    def load(self, name: str, bits: int) -> None:
        """Load it into a program. Raise JourneyStoppedError."""
        if not self.present:
            raise JourneyStoppedError(name, "LIBRARY_MISSING", f"the library of {name} is not on this workstation")
        if self.refusal:
            raise JourneyStoppedError(name, self.refusal, f"the system refuses to load {name}")
        if bits not in self.bits:
            has = " and ".join(str(one) for one in sorted(self.bits))
            raise JourneyStoppedError(
                name, self.code, f"a {bits}-bit program cannot load {name}, which is there in {has} bits"
            )
