"""French typography of the pages."""

from __future__ import annotations

from bifente.ground.text import held_together


def test_no_line_of_a_french_page_begins_with_a_sign() -> None:
    page = "<head><style>p : a</style></head><body>« un mot » : deux ; trois ! http://a:b</body>"
    told = held_together(page)
    assert "<style>p : a</style>" in told
    assert "«\u00a0un mot\u00a0»\u00a0: deux\u00a0; trois\u00a0! http://a:b" in told
    assert held_together("no body ; here") == "no body ; here"
