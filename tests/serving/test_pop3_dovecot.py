"""Returns of the front end in a Maildir that Dovecot serves by POP3, fetched by the billing software."""

from __future__ import annotations

import mailbox
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Self

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from securing_bench import keys, pki
from store_bench import BODIES, SENDER, Desk, practice, sheet

from bifente.ground.clock import WallClock
from bifente.simulator.formats.fse.model import Payment
from bifente.simulator.formats.fse.returns import encode_return
from bifente.simulator.services.mssante.house import free_port
from bifente.simulator.serving.dovecot import Dovecot, DovecotError, DovecotUser
from bifente.simulator.serving.mail import SmtpTransport, TransportError, TransportFailure
from bifente.simulator.serving.mail.messages import practice_address
from bifente.simulator.serving.mail.pop3_client import Pop3Client
from bifente.simulator.serving.tls import ServerIdentity

USER, PASSWORD = practice_address(SENDER), "secret-of-the-bench"
SETTINGS = """
service pop3-login {
  chroot =
  inet_listener pop3 {
    port = %d
    %s
  }
  inet_listener pop3s {
    port = 0
  }
}
"""
CLEAR = "ssl = no\nauth_mechanisms = plain\ndisable_plaintext_auth = no\n"
TLS = "ssl = required\nssl_cert = <{folder}/server.pem\nssl_key = <{folder}/server.key\nauth_mechanisms = plain\n"


@cache
def identity() -> ServerIdentity:
    return ServerIdentity.make(pki(), keys(), WallClock().now())


@dataclass
class Post:
    """The practice's mailbox: mail is put into its Maildir, and Dovecot gives it by POP3."""

    folder: Path
    tls: bool
    more: str = ""
    """Settings of its own."""

    def __post_init__(self) -> None:
        self.box = mailbox.Maildir(self.folder / "box", create=True)
        self.port = free_port()
        self.server = self.started()

    def started(self) -> Dovecot:
        made = identity()
        user = DovecotUser(self.folder / "box", f"{{PLAIN}}{PASSWORD}")
        files = (
            {"server.pem": b"".join(one.public_bytes(Encoding.PEM) for one in made.chain[:-1]), "server.key": made.key}
            if self.tls
            else {}
        )
        settings = self.more + (TLS if self.tls else CLEAR) + SETTINGS % (self.port, "ssl = yes" if self.tls else "")
        return Dovecot(self.folder / "dovecot", "pop3", {USER: user}, settings, port=self.port, files=files)

    def start(self) -> None:
        """It runs already."""

    def stop(self) -> None:
        """It runs for the next one too."""

    def put(self, mail: bytes) -> None:
        self.box.add(mail)

    def client(self, password: str = PASSWORD) -> Pop3Client:
        context = ssl.create_default_context(cadata=identity().trust.decode()) if self.tls else None
        return Pop3Client("localhost", self.port, USER, password, context)


def made(folder: Path, tls: bool, more: str = "") -> Post:
    try:
        return Post(folder, tls, more)
    except DovecotError as error:
        if "not installed" not in str(error):
            raise
        pytest.skip(f"needs Dovecot's POP3: {error}")


@pytest.fixture(scope="module", params=[False, True], ids=["clear", "tls"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    post = made(tmp_path_factory.mktemp("post"), request.param)
    yield post
    post.server.close()


@pytest.fixture
def post(running: Post) -> Post:
    running.box.clear()
    return running


class MailDesk(Desk):
    """A practice whose files go by SMTP and whose returns lie in that mailbox."""

    def __init__(self, folder: Path, post: Post) -> None:
        super().__init__(folder)
        self.way = SmtpTransport(self.body.receive, sender=SENDER, body=BODIES[0], clock=self.clock, pop3=post)
        self.practice = practice(self.store, self.way)

    def __enter__(self) -> Self:
        self.way.__enter__()
        return self

    def __exit__(self, *_error: object) -> None:
        self.way.__exit__(None, None, None)
        self.store.close()


def test_the_billing_software_fetches_its_returns_and_empties_the_mailbox(tmp_path: Path, post: Post) -> None:
    with MailDesk(tmp_path, post) as desk:
        desk.ready(3, lambda number: sheet(number, payment=Payment.TIERS_PAYANT))
        desk.practice.send()
        assert len(post.box) == len(desk.way.receive()) > 0
        assert set(desk.states().values()) == {"sent"}
        desk.practice.receive()
        assert set(desk.states().values()) == {"accepted"}
        assert len(post.box) == 0
        desk.clock.advance(timedelta(days=6).total_seconds())
        for payment in desk.body.frontal.settle():
            desk.way.post(encode_return(payment))
        desk.practice.receive()
        assert set(desk.states().values()) == {"paid"}
        assert desk.practice.receive() == ()


def test_a_return_fetched_twice_is_booked_once(tmp_path: Path, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    with MailDesk(tmp_path, post) as desk:
        desk.ready()
        desk.practice.send()
        with monkeypatch.context() as patch:  # it stops between what it keeps and what it deletes
            patch.setattr(desk.way, "delete", lambda count: None)
            assert len(desk.practice.receive()) == 1
        assert len(post.box) == 1
        assert desk.practice.receive() == ()
        assert desk.states() == {1: "accepted"}
        assert [what for _, _, what, _ in desk.store.history("sheet 1")].count("accept") == 1
        assert len(post.box) == 0


def test_a_return_that_comes_meanwhile_stays(tmp_path: Path, post: Post) -> None:
    with MailDesk(tmp_path, post) as desk:
        desk.way.post(b"one")
        assert desk.way.receive() == [b"one"]
        desk.way.post(b"two\r\n.\r\n..three")
        desk.way.delete(1)
        assert desk.way.receive() == [b"two\r\n.\r\n..three"]
        with pytest.raises(ValueError, match="1 returns are there"):
            desk.way.delete(2)
        assert len(post.box) == 1


def test_a_wrong_password_is_told(post: Post) -> None:
    with pytest.raises(TransportError, match=r"the mailbox does not open: \[AUTH\]") as caught, post.client("wrong"):
        pass
    assert caught.value.failure is TransportFailure.REFUSED


def deletes_too_many(client: Pop3Client) -> None:
    client.delete(1)
    client.delete(2)


def test_an_error_inside_a_dialogue_deletes_nothing(tmp_path: Path, post: Post) -> None:
    with MailDesk(tmp_path, post) as desk:
        desk.way.post(b"one")
        client = post.client()
        with pytest.raises(ValueError, match="cannot be deleted"), client:
            deletes_too_many(client)
        assert desk.way.receive() == [b"one"]


def test_a_server_that_went_away_is_told(tmp_path: Path, post: Post) -> None:
    with MailDesk(tmp_path, post) as desk:
        desk.way.post(b"one")
        post.server.close()
        with pytest.raises(TransportError, match="no mailbox answers") as caught:
            desk.practice.receive()
        assert caught.value.failure is TransportFailure.SERVER_DOWN
        post.server = post.started()
        assert desk.way.receive() == [b"one"]


def test_a_client_without_tls_gets_nothing_where_tls_is_spoken(post: Post) -> None:
    if not post.tls:
        context = ssl.create_default_context(cadata=identity().trust.decode())
        with pytest.raises(TransportError), Pop3Client("localhost", post.port, USER, PASSWORD, context):
            pass
        return
    stranger = ssl.create_default_context()  # trusts no authority of the laboratory
    with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED"):
        Pop3Client("localhost", post.port, USER, PASSWORD, stranger).__enter__()


def test_a_mailbox_that_another_dialogue_has_is_told(tmp_path: Path) -> None:
    # Refused at once: for a lock (pop3_lock_session) Dovecot waits ten seconds.
    post = made(tmp_path, tls=False, more="mail_max_userip_connections = 1\n")
    again = post.client()
    with post.server, post.client():
        with pytest.raises(TransportError, match=r"does not open: \[IN-USE\]") as caught:
            again_and_again(again)
        assert caught.value.failure is TransportFailure.REFUSED


def again_and_again(client: Pop3Client) -> None:
    """Dovecot counts a dialogue a little after it has answered its login."""
    for _ in range(100):
        with client:
            pass
