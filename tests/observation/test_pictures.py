"""Screenshots are evidence: of a real display, or made by a driver; told with their digest, refused in words."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.model import CardChoice
from bifente.conformance.observation.channel.answers import OrderRefusedError
from bifente.conformance.observation.channel.orders import ChannelOrders
from bifente.conformance.observation.driver import Driver, DriverError
from bifente.conformance.observation.observing import ProgramObservation
from bifente.conformance.observation.pictures import PictureError, keep, of_display, of_driver
from bifente.conformance.observation.standing import Standing, Wanted
from bifente.reports.events import Call
from bifente.simulator.pki.keystore import KeyStore

DRIVER = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)["request"]
    told = {"ok": True}
    if asked == "screen":
        told["image"] = sys.argv[1]
    print(json.dumps(told), flush=True)
    if asked == "stop":
        break
"""


def png(colour: str = "red") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (4, 3), colour).save(made, "PNG")
    return made.getvalue()


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    workshop = Workshop(KeyStore())
    cards = {"cps": CardChoice(template="medecin-generaliste")}
    with Standing(Wanted(profile="readers/generic-bislot", cards=cards, workshop=workshop)) as stood:
        yield stood


@pytest.fixture
def display() -> Iterator[str]:
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb (apt-get install xvfb)")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "64x48x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as process:
        os.close(writing)
        with os.fdopen(reading) as told:
            yield f":{told.readline().strip()}"
        process.terminate()


def pictures(standing: Standing) -> list[Call]:
    return [event for event in standing.events() if isinstance(event, Call) and event.function == "screenshot"]


def test_a_picture_has_a_number_a_name_and_its_digest(tmp_path: Path) -> None:
    first, second = keep(tmp_path, "avant / après", png()), keep(tmp_path, "../../etc", png("blue"))
    assert [one.answer["file"] for one in (first, second)] == ["captures/001-avant-après.png", "captures/002-etc.png"]
    for told, content in ((first, png()), (second, png("blue"))):
        assert (tmp_path / told.answer["file"]).read_bytes() == content
        assert told.answer["sha256"] == hashlib.sha256(content).hexdigest()


def test_what_is_no_png_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    os.mkfifo(tmp_path / "pipe.png")
    for name in ("text.png", "none.png", "pipe.png", "."):
        with pytest.raises(PictureError):
            of_driver(tmp_path / name)


def test_without_a_display_the_cure_is_told(monkeypatch: pytest.MonkeyPatch, standing: Standing) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(PictureError, match="xvfb-run"):
        of_display()
    with pytest.raises(OrderRefusedError, match="does not answer"):
        ChannelOrders(standing).carry_out("screenshot", {"display": ":65000"})
    with pytest.raises(OrderRefusedError):
        ChannelOrders(standing).carry_out("screenshot", {"display": "; rm"})


def test_a_display_is_kept_by_an_order(display: str, standing: Standing, tmp_path: Path) -> None:
    orders = ChannelOrders(standing)
    orders.carry_out("record", {"do": "start", "out": str(tmp_path / "taken")})
    kept = orders.carry_out("screenshot", {"of": "accueil", "display": display}).given
    orders.carry_out("record", {"do": "stop"})
    with Image.open(kept["file"]) as picture:
        assert picture.size == (64, 48)
    told = pictures(standing)[-1]
    assert told.arguments == {"name": "accueil"}
    assert hashlib.sha256((standing.record.directory / told.answer["file"]).read_bytes()).hexdigest() == kept["sha256"]
    assert (tmp_path / "taken" / told.answer["file"]).is_file()


def test_the_picture_of_a_driver_is_kept(standing: Standing, tmp_path: Path) -> None:
    path = tmp_path / "ecran.png"
    path.write_bytes(png())
    before = len(pictures(standing))
    with ProgramObservation(standing) as observation:
        driver = Driver(observation, [sys.executable, "-c", DRIVER, str(path)])
        driver.start()
        driver.screen()
        path.write_bytes(b"no picture")
        with pytest.raises(DriverError, match="picture"):
            driver.screen()
        driver.stop()
    assert len(pictures(standing)) == before + 1
