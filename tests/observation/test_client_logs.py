"""Tokens in the logs of a software are found by file and line; what only looks like one is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.conformance.observation.client_logs import logged_secrets

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl_-AB"
CODE = "q5ZT1v-code_de_session0"


@pytest.mark.parametrize(
    "line",
    [
        f"Authorization: Bearer {TOKEN}",
        f'{{"access_token":"{TOKEN}","expires_in":120}}',
        f"GET /retour?state=abc&code={CODE}&iss=https://x",
        f"token <{TOKEN}>.",
        f"réponse: {CODE}.",
        f"/callback/{CODE}",
    ],
)
def test_wherever_it_stands(tmp_path: Path, line: str) -> None:
    (tmp_path / "sub").mkdir()
    path = tmp_path / "sub" / "lgc.log"
    path.write_text(f"rien ici\n{line}\n{line}\n", encoding="utf-8")
    (tmp_path / "other.log").write_text("une connexion a réussi\n", encoding="utf-8")
    (found,) = logged_secrets([tmp_path], {TOKEN, CODE})
    assert (found.path, found.line, found.times) == (path, 2, 2)
    assert TOKEN not in found.text.fr
    assert "PSC-60" in found.text.fr


@pytest.mark.parametrize("line", [TOKEN[:-1], CODE + "x", "Bearer …", "1234", "code=1234", CODE[::-1]])
def test_what_is_none_is_left(tmp_path: Path, line: str) -> None:
    (tmp_path / "lgc.log").write_text(line, encoding="utf-8")
    assert list(logged_secrets([tmp_path / "lgc.log"], {TOKEN, CODE, "1234"})) == []


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text(TOKEN, encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert [one.path.name for one in logged_secrets([tmp_path], {TOKEN})] == ["real"]


@settings(max_examples=20)
@given(noise=st.binary(max_size=200), secret=st.from_regex(r"[A-Za-z0-9_-]{12,40}", fullmatch=True))
def test_between_quotes_in_any_noise(noise: bytes, secret: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("logs") / "x.log"
    path.write_bytes(noise + b'\n"' + secret.encode() + b'"\n' + noise)
    assert [one.path for one in logged_secrets([path], {secret})] == [path]
