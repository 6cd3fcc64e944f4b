"""What the known software says to its users, read from the profiles without the bench: a desk's search waits for none.

The profiles themselves are checked where they are used (``software``).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from bifente.conformance.domains.support.said import could_say
from bifente.ground.shipped import texts
from bifente.ground.text import Text

_FOLDER = Path(__file__).resolve().parents[3] / "vendor_profiles" / "software"


@cache
def spoken_texts() -> tuple[Text, ...]:
    """Return every text that a profile shows for something in particular: what is shown for anything says nothing."""
    rows = (row for path in sorted(_FOLDER.glob("*.yaml")) for row in texts(path.read_text("utf-8"))["texts"])
    return tuple(Text(**row["text"]) for row in rows if "components" in row or "codes" in row)


def is_spoken(said: str) -> bool:
    """Whether some software says these words."""
    return any(could_say(text, said) for text in spoken_texts())
