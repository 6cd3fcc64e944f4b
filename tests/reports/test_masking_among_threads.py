"""What is remembered of a text while another thread declares: never what the secret was not yet known for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from bifente.reports import secrets as module
from bifente.reports.masking import BYTE_MARK, MARK
from bifente.reports.secrets import Secrets

CODE = "4821"


def elsewhere(work: Callable[[], object]) -> None:
    """Let another thread do it, to its end."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


class Interrupted(Secrets):
    """Another thread is at work just when this one has masked something and not yet remembered it; once."""

    meanwhile: Callable[[], object] | None = None

    def _masked(self, masked: str) -> str:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            elsewhere(meanwhile)
        return masked

    def _mask_text(self, text: str) -> str:
        return self._masked(super()._mask_text(text))

    def _mask_raw(self, digits: str) -> str:
        return self._masked(super()._mask_raw(digits))

    def _mask_string(self, text: str) -> str:
        return self._masked(super()._mask_string(text))


@pytest.mark.parametrize(
    ("mask", "said", "masked"),
    [
        (Secrets.text, f"code {CODE}", f"code {MARK}"),
        (Secrets.raw, "34383231", BYTE_MARK * 4),
        (lambda secrets, said: secrets.event({"text": said})["text"], f"code {CODE}", f"code {MARK}"),
    ],
)
def test_a_text_masked_while_a_secret_is_declared_is_masked_anew(
    mask: Callable[[Secrets, str], str], said: str, masked: str
) -> None:
    secrets = Interrupted()
    secrets.meanwhile = lambda: secrets.declare(CODE)
    assert mask(secrets, said) == said, "it was not known when it was looked for"
    assert mask(secrets, said) == masked
    assert mask(secrets.own(), said) == masked


class Between:
    """Looks for hexadecimal as the module does; before that, something happens elsewhere, once."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self._pattern = module._HEX_WORD
        self._meanwhile: Callable[[], object] | None = meanwhile

    def search(self, text: str) -> Any:
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            elsewhere(meanwhile)
        return self._pattern.search(text)

    def sub(self, *given: Any) -> str:
        return self._pattern.sub(*given)


def test_a_text_harmless_before_a_secret_is_not_so_to_the_next_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Secrets()
    scenarios: list[Secrets] = []

    def a_secret_and_a_scenario() -> None:
        run.declare(CODE)
        scenarios.append(run.own())

    monkeypatch.setattr(module, "_HEX_WORD", Between(a_secret_and_a_scenario))
    assert run.event({"text": f"code {CODE}"}) == {"text": f"code {CODE}"}, "it was not known when it was looked for"
    for secrets in (run, *scenarios, run.own()):
        assert secrets.event({"text": f"code {CODE}"}) == {"text": f"code {MARK}"}


class Parting(Secrets):
    """A scenario begins elsewhere as soon as what its texts are harmless to was looked up; once."""

    parting: Callable[[], object] | None = None

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name in ("_harmless", "_since") and (parting := super().__getattribute__("parting")) is not None:
            self.parting = None
            elsewhere(parting)
        return found


def test_a_scenario_that_begins_meanwhile_lets_nothing_through() -> None:
    run = Parting()
    run.event({"text": f"code {CODE}"})
    run.declare(CODE)
    run.parting = run.own
    assert run.event({"text": f"code {CODE}"}) == {"text": f"code {MARK}"}
    assert run.event({"text": f"code {CODE}"}) == {"text": f"code {MARK}"}
