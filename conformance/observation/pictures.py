"""Screenshots kept with the evidence: of a display, or a picture that a driver made of its program.

A picture is kept as it is: nobody can mask a code in it.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import time
from pathlib import Path

from bifente.conformance.targets.pkcs11 import Called
from bifente.ground.files import read_file
from bifente.ground.text import Text

FOLDER = "captures"
"""Of the directory of a record."""

SCREENSHOT = "screenshot"
"""The call by which a record tells of a picture: ``answer`` has its file, relative to the record, and its SHA-256."""

_LONGEST = 32 << 20
_PNG = b"\x89PNG\r\n\x1a\n"
_MOST = 10_000


class PictureError(Exception):
    """No picture was taken; the text says why."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


def of_display(display: str | None = None) -> bytes:
    """Return what an X display shows, as PNG; that of ``DISPLAY`` unless one is named. Raise PictureError."""
    shown = display or os.environ.get("DISPLAY", "")
    if not shown:
        raise PictureError(
            Text(
                "aucun affichage : DISPLAY n'est pas défini (xvfb-run -a bifente observe ...)",
                "no display: DISPLAY is not set (xvfb-run -a bifente observe ...)",
            )
        )
    # Here, not above: no other order should wait for it.
    from PIL import ImageGrab

    try:
        picture = ImageGrab.grab(xdisplay=shown)
    except (OSError, ValueError) as error:
        raise PictureError(
            Text(f"l'affichage {shown} ne répond pas : {error}", f"the display {shown} does not answer: {error}")
        ) from None
    made = io.BytesIO()
    picture.save(made, "PNG")
    return made.getvalue()


def of_driver(path: Path) -> bytes:
    """Return a picture that a driver made, PNG. Raise PictureError."""
    try:
        png = read_file(path, _LONGEST)
    except (OSError, ValueError) as error:
        raise PictureError(Text(f"{path} ne peut être lu : {error}", f"{path} cannot be read: {error}")) from None
    if not png.startswith(_PNG) or len(png) > _LONGEST:
        raise PictureError(Text(f"{path} n'est pas un PNG de 32 Mio au plus", f"{path} is no PNG of 32 MiB at most"))
    return png


def keep(evidence: Path, name: str, png: bytes) -> Called:
    """Write a picture beside a record, and return what the record is told. Raise PictureError."""
    began = time.perf_counter()
    word = re.sub(r"[^\w-]+", "-", name).strip("-")[:60] or "ecran"
    folder = evidence / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _new(folder, word, png)
    except OSError as error:
        raise PictureError(Text.same(f"{folder}: {error.strerror}")) from None
    answer = {
        "file": f"{FOLDER}/{file.name}",
        "sha256": hashlib.sha256(png).hexdigest(),
        "size": str(len(png)),
    }
    return Called(SCREENSHOT, {"name": name}, "kept", answer, time.perf_counter() - began)


def _new(folder: Path, word: str, png: bytes) -> Path:
    """Write a file under the next number that is free: several processes may have one folder."""
    for number in range(1, _MOST):
        path = folder / f"{number:03}-{word}.png"
        if any(folder.glob(f"{number:03}-*")):
            continue
        try:
            with path.open("xb") as file:
                file.write(png)
        except FileExistsError:
            continue
        return path
    raise OSError(0, f"holds {_MOST} pictures")
