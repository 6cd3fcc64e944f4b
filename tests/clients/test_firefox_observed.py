"""Firefox observed as it is: the code typed and the certificate chosen in its own windows, Pro Santé Connect met."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from clients_bench import PIN, opensc_module, tool

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.model import CardChoice
from bifente.conformance.observation.channel.orders import ChannelOrders
from bifente.conformance.observation.observing import Observed, ProgramObservation
from bifente.conformance.observation.standing import Standing, Wanted
from bifente.conformance.observation.story import Story
from bifente.conformance.run.scribe.calls import SUCCESS
from bifente.reports.events import Message
from bifente.reports.verdict import Verdict
from bifente.simulator.pki.keystore import KeyStore
from bifente.simulator.services.psc.service import PscService

pytest.importorskip("PIL")
from browser import HEIGHT, LOOK, Screen

pytestmark = pytest.mark.timeout(300)

PATIENCE = 90.0
ASKS_CODE = "Password Required"
_QUIET = {
    "app.normandy.enabled": "false",
    "browser.aboutwelcome.enabled": "false",
    "browser.preonboarding.enabled": "false",
    "browser.shell.checkDefaultBrowser": "false",
    "browser.startup.homepage_override.mstone": '"ignore"',
    "datareporting.policy.dataSubmissionEnabled": "false",
    "network.captive-portal-service.enabled": "false",
    "security.dialog_enable_delay": "0",
    "security.tls.version.max": "3",  # TLS 1.2: a CPS3 does no PSS
    "termsofuse.bypassNotification": "true",
}


def until(done: Callable[[], bool], what: str) -> None:
    deadline, never = time.monotonic() + PATIENCE, threading.Event()
    while not done():
        assert time.monotonic() < deadline, what
        never.wait(LOOK)


def profile_of(home: Path, environment: dict[str, str], trusted: str) -> Path:
    """A profile whose user entered the card's module and trusts the laboratory."""
    profile = home / "profile"
    profile.mkdir()
    lines = (f'user_pref("{name}", {value});\n' for name, value in _QUIET.items())
    (profile / "user.js").write_text("".join(lines), encoding="utf-8")
    base = f"sql:{profile}"
    for name, *order in (
        ("certutil", "-N", "-d", base, "--empty-password"),
        ("modutil", "-force", "-dbdir", base, "-add", "cards", "-libfile", str(opensc_module())),
        ("certutil", "-A", "-d", base, "-n", "laboratory", "-t", "C,,", "-i", trusted),
    ):
        subprocess.run(
            [tool(name), *order], check=True, stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=60
        )
    return profile


def light(screen: Screen) -> int:
    """The light of the page's last corner, which Firefox shades behind a dialog."""
    return screen.look().convert("L").getpixel((100, HEIGHT - 150))  # type: ignore[return-value]


def _chosen(screen: Screen, main: str, page: int, observation: ProgramObservation) -> bool:
    """Whether the card has signed; the dialog is answered as long as it is there."""
    if light(screen) < 0.7 * page:
        screen.press(main, "Return")
    return any(one.signs for one in observation.story().commands)


def _given_back(story: Story) -> bool:
    """Whether no transaction is open: who is asked to end in the middle of one leaves the card in it."""
    for dialogue in story.dialogues:
        done = [one.call for one in dialogue.moments if one.result == SUCCESS]
        if done.count("SCardBeginTransaction") != done.count("SCardEndTransaction"):
            return False
    return True


def observed(standing: Standing, home: Path) -> Observed:
    service = next(one for one in standing.services.services if isinstance(one, PscService))
    screen = Screen()
    try:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
            "DISPLAY": screen.display,
        }
        profile = profile_of(home, environment, standing.services.settings["psc"]["ca"])
        command = [tool("firefox-esr"), "--no-remote", "--profile", str(profile), f"{service.core.addresses.mtls}/"]
        with ProgramObservation(standing) as observation:
            program = observation.start(command, environment=environment)
            until(lambda: screen.window(ASKS_CODE) is not None, "Firefox asks for the code")
            page, window = light(screen), screen.window(ASKS_CODE)
            assert window is not None
            observation.user_acts("code", code=True)
            screen.press(window, "Return", text=PIN)
            until(lambda: light(screen) < 0.7 * page, "Firefox asks which certificate")
            main = screen.window("Mozilla Firefox")
            assert main is not None
            until(lambda: _chosen(screen, main, page, observation), "the card signs")
            seen = {"until": {"peer": "psc", "protocol": "https"}, "since": 0, "seconds": 60}
            ChannelOrders(standing).carry_out("wait", seen)
            until(lambda: _given_back(observation.story()), "the card is given back")
            program.signal(15)
            assert program.wait(120)
            observation.close()
            return observation.observed()
    finally:
        screen.close()


def test_firefox_shakes_hands_with_the_card(tmp_path_factory: pytest.TempPathFactory) -> None:
    workshop = Workshop(KeyStore())
    cards = {"cps": CardChoice(template="medecin-generaliste")}
    wanted = Wanted(profile="readers/generic-bislot", cards=cards, workshop=workshop, services=("psc",))
    for name in ("firefox-esr", "certutil", "modutil", "Xvfb", "xdotool"):
        tool(name)
    with Standing(wanted) as standing:
        found = observed(standing, tmp_path_factory.mktemp("home"))
    story = found.story
    assert [one.sw for one in story.codes] == [0x9000]
    assert sum(one.signs for one in story.commands) == 1
    assert any("firefox" in name.lower() for name in story.programs.values())
    shaken = [one.event for one in story.moments if isinstance(one.event, Message) and one.event.peer == "psc"]
    assert any("handshake" in one.line for one in shaken)
    assert any(one.line.startswith("GET /") for one in shaken)
    broken = {one.rule.name for one in found.verdicts if one.verdict is Verdict.FAILED}
    # It leaves the card as it was; ended in the middle of a transaction all the same, it leaves it in that.
    assert broken in ({"logged-out-at-the-end"}, {"transactions-are-released"})
