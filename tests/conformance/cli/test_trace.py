"""What ``up --trace`` prints of an exchange: in the language asked for, no secret in it."""

from __future__ import annotations

import pytest

from bifente.conformance.cli.live import trace_lines
from bifente.ground.text import LANGS, Lang
from bifente.reports.secrets import Secrets
from bifente.simulator.pcsc.bridge import BridgedExchange, ExchangeKind

WORDS = {"fr": "(pas une APDU)", "en": "(no APDU)"}


def apdu(command: str, response: str) -> BridgedExchange:
    return BridgedExchange("cps", ExchangeKind.APDU, bytes.fromhex(command), bytes.fromhex(response), 0.0)


@pytest.mark.parametrize("lang", LANGS)
def test_the_trace_speaks_the_language_asked_for(lang: Lang) -> None:
    sent, received = trace_lines(apdu("00", "6A82"), Secrets(), lang)
    assert sent == f"[cps] > 00  {WORDS[lang]}"
    other = trace_lines(apdu("00", "6A82"), Secrets(), "en" if lang == "fr" else "fr")
    assert received.partition("  ")[2] != other[1].partition("  ")[2]


def test_what_was_declared_or_learnt_is_masked_in_both_ways() -> None:
    secrets = Secrets(secrets=["75318642"])
    code = b"75318642".hex()
    sent, received = trace_lines(apdu(f"00CB00000A{code}0000", f"{code}9000"), secrets, "fr")
    assert "37 35 33 31" not in sent + received
    assert received.startswith("[cps] < •• •• •• •• •• •• •• •• 90 00")
    new = b"86421357".hex()
    trace_lines(apdu(f"0024000110{code}{new}", "9000"), secrets, "fr")
    assert "38 36 34 32" not in trace_lines(apdu("00B0000008", f"{new}9000"), secrets, "fr")[1]
