"""What cannot be made of a care sheet, of its bytes or of the data it should come from."""

from __future__ import annotations


class FseError(ValueError):
    """``place`` says where (a field, a group, a byte, a step), ``reason`` what is wrong there, ``cure`` what to do."""

    def __init__(self, place: str, reason: str, cure: str) -> None:
        self.place = place
        self.reason = reason
        self.cure = cure
        super().__init__(f"{place}: {reason}; {cure}")
