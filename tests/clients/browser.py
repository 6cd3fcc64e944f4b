"""Chromium with a card: a window on a virtual screen, and the hand of the person who sits before it.

The module of the card is entered in the user's NSS database, as the browser's own users do with ``modutil``. The code
is typed into the browser's own window, the certificate is chosen in its own: no policy answers in the person's place.

    with CardBrowser(environment, folder, module, trusted=[root_pem]) as browser:
        browser.codes = ["1234"]
        browser.page.goto("https://localhost:8443/")

``page`` is Playwright's, to be driven as any other; the hand works beside it, in a thread of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from clients_bench import tool
from PIL import Image, ImageGrab

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTH, HEIGHT = 1000, 700
LOOK = 0.15
"""Seconds between two looks at the screen."""
PATIENCE = 40
"""Looks after which a window that still stands is answered again."""

ASKS_CODE, CHOOSES = "Unlock Security Device", "Select a certificate"
"""The titles of the two windows, as Chromium has them in English."""

_QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en-US",
    "--window-position=0,0",
    f"--window-size={WIDTH},{HEIGHT}",
)
_SHADE = 0.4
"""What is left of the light of a page behind a dialog."""

_LAUNCHER = """#!/bin/sh
ulimit -l 0
{without}"$BIFENTE_CHROMIUM" "$@" 2>"$HOME/chromium.stderr"
echo $? >"$HOME/chromium.status"
"""
"""Starts the browser where no memory can be locked, and keeps how it ended.

OpenSC's sc_mem_secure_alloc locks as many pages as it rounds a code up to, and sc_mem_secure_free unlocks the few bytes
of the code: a page of the browser's own allocator stays locked. When that allocator gives it back to the system
(MADV_DONTNEED, EINVAL on a locked page) the browser ends by SIGTRAP, sooner where the machine is busy.
"""
_UNPRIVILEGED, _ROOT = "", "setpriv --bounding-set=-ipc_lock "
"""Root may lock memory whatever the limit says, unless it gives that up."""


def chromium() -> str:
    """The browser's path, or a skip."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if (found := shutil.which(name)) is not None:
            return found
    pytest.skip("needs chromium (apt-get install chromium)")


class Screen:
    """A virtual X screen of its own, which no other program of the machine is shown on."""

    def __init__(self) -> None:
        ours, theirs = os.pipe()
        command = [tool("Xvfb"), "-displayfd", str(theirs), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp"]
        self._process = subprocess.Popen(command, pass_fds=[theirs], stderr=subprocess.DEVNULL)
        os.close(theirs)
        with os.fdopen(ours) as told:
            number = told.readline().strip()
        assert number, "Xvfb did not start"
        self.display = f":{number}"
        self._xdotool = tool("xdotool")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()

    def hands(self, *order: str) -> str:
        """Let xdotool do something; what it says."""
        environment = {"PATH": os.environ.get("PATH", os.defpath), "DISPLAY": self.display}
        done = subprocess.run([self._xdotool, *order], capture_output=True, text=True, env=environment, check=False)
        return done.stdout

    def window(self, title: str) -> str | None:
        """The window of a title, if it shows."""
        found = self.hands("search", "--onlyvisible", "--name", title).split()
        return found[0] if found else None

    def press(self, window: str, *keys: str, text: str = "") -> None:
        """Type a text, then keys, into a window."""
        typed = ("type", "--delay", "5", text) if text else ()
        self.hands("windowfocus", "--sync", window, *typed)
        self.hands("windowfocus", "--sync", window, "key", *keys)

    def look(self) -> Image.Image:
        """What the screen shows."""
        return ImageGrab.grab(xdisplay=self.display)


class CardBrowser:
    """A Chromium whose certificates are those of the cards that ``module`` finds. A context manager.

    ``environment`` is what a client of the bench is given (PCSCLITE_CSOCK_NAME); ``folder`` becomes its home;
    ``trusted`` are PEM files of the authorities whose servers it trusts.
    """

    def __init__(
        self, environment: Mapping[str, str], folder: Path, module: Path, *, trusted: Sequence[Path] = ()
    ) -> None:
        self._sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
        self._executable = chromium()
        self._folder = folder
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            **environment,
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / ".config"),
            "XDG_CACHE_HOME": str(folder / ".cache"),
            # No session bus: the browser has nobody to ask there.
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
        }
        self.codes: list[str] = []
        """The codes the person still knows: one is typed each time one is asked for, then the window is closed."""
        self.row: int | None = 0
        """The certificate the person chooses, from the first one shown; None for nobody's: the window is closed."""
        self.seen: list[str] = []
        """The titles of the windows that were answered."""
        self.asked: list[Image.Image] = []
        """What the screen showed at each."""
        self._over = threading.Event()
        self._started: list[Any] = []
        try:
            self._enter(module, trusted)
            self._start()
        except BaseException:
            self.close()
            raise

    def _enter(self, module: Path, trusted: Sequence[Path]) -> None:
        store = self._folder / ".pki" / "nssdb"
        store.mkdir(parents=True)
        base = f"sql:{store}"
        self._tool("certutil", "-N", "-d", base, "--empty-password")
        self._tool("modutil", "-force", "-dbdir", base, "-add", "cards", "-libfile", str(module))
        for number, root in enumerate(trusted):
            self._tool("certutil", "-A", "-d", base, "-n", f"trusted {number}", "-t", "C,,", "-i", str(root))

    def _tool(self, name: str, *order: str) -> None:
        command = [tool(name), *order]
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self._environment,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"

    def _start(self) -> None:
        self.screen = Screen()
        self._started.append(self.screen.close)
        playwright = self._sync_playwright().start()
        self._started.append(playwright.stop)
        # Chromium's sandbox needs a namespace, which root and the containers of pipelines have not; the card is asked
        # by the browser's main process, which is in no sandbox anyway.
        self.context = playwright.chromium.launch_persistent_context(
            str(self._folder / "profile"),
            executable_path=str(self._launcher()),
            headless=False,
            chromium_sandbox=False,
            args=list(_QUIET),
            env={**self._environment, "DISPLAY": self.screen.display, "BIFENTE_CHROMIUM": self._executable},
            no_viewport=True,
        )
        self._started.append(self.context.close)
        self.page: Page = self.context.pages[0]
        hand = threading.Thread(target=self._watch, name="hand", daemon=True)
        hand.start()
        self._started.append(lambda: (self._over.set(), hand.join()))

    def _launcher(self) -> Path:
        path = self._folder / "chromium.sh"
        path.write_text(_LAUNCHER.format(without=_UNPRIVILEGED if os.geteuid() else _ROOT), encoding="ascii")
        path.chmod(0o700)
        return path

    def close(self) -> None:
        """Close the browser and its screen. A browser that did not end of its own will fails the test."""
        while self._started:
            self._started.pop()()
        status = self._folder / "chromium.status"
        if status.is_file() and (ended := status.read_text(encoding="ascii").strip()) != "0":
            said = (self._folder / "chromium.stderr").read_text(encoding="utf-8", errors="replace")
            pytest.fail(f"Chromium ended by itself, status {ended} (128 + signal):\n{said[-2000:]}")

    def __enter__(self) -> CardBrowser:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self.screen.look().save(self._folder / "screen.png")
        self.close()

    # -- the hand -----------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        light = self._light()
        while not self._over.wait(LOOK):
            if (window := self.screen.window(ASKS_CODE)) is not None:
                self._give_code(window)
                continue
            now = self._light()
            # The brightest it ever was: a look in the middle of the shade's coming would be taken for a darker page.
            light = max(light, now)
            if light and now <= (_SHADE + 0.02) * light:
                self._choose(now)

    def _give_code(self, window: str) -> None:
        self._note(ASKS_CODE)
        code = self.codes.pop(0) if self.codes else None

        def answer() -> None:
            if code is None:
                self.screen.press(window, "Escape")
            else:
                self.screen.press(window, "ctrl+a")
                self.screen.press(window, "Return", text=code)

        self._answered(answer, lambda: self.screen.window(ASKS_CODE) != window)

    def _choose(self, shaded: int) -> None:
        self._note(CHOOSES)

        def answer() -> None:
            if (window := self.screen.window("Chromium")) is not None:
                self.screen.press(window, *(["Escape"] if self.row is None else ["Down"] * self.row + ["Return"]))

        self._answered(answer, lambda: self._light() > shaded)

    def _note(self, title: str) -> None:
        self.asked.append(self.screen.look())
        self.seen.append(title)

    def _answered(self, answer: Callable[[], None], done: Callable[[], bool]) -> None:
        """Answer a window, and once more where it still stands: keys pressed before it listens are lost."""
        while not self._over.is_set():
            answer()
            for _look in range(PATIENCE):
                if done() or self._over.wait(LOOK):
                    return

    def _light(self) -> int:
        """The light of the page's last corner, which a dialog leaves free and shades."""
        return self.screen.look().convert("L").tobytes()[(HEIGHT - 20) * WIDTH + WIDTH // 10]
