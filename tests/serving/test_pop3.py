"""The practice's mailbox by POP3, as the standard library's client and curl see it."""

from __future__ import annotations

import poplib
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bifente.simulator.serving.mail import pop3
from bifente.simulator.serving.mail.base import TransportError, TransportFailure
from bifente.simulator.serving.mail.mailbox import Mailbox
from bifente.simulator.serving.mail.messages import MailAttachment, write_mail
from bifente.simulator.serving.mail.pop3 import Pop3Server
from bifente.simulator.serving.mail.pop3_client import Pop3Client

USER, PASSWORD = "991000019@cabinet.invalid", "secret-of-the-bench"
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def mail(data: bytes) -> bytes:
    return write_mail("b@organisme.invalid", USER, MailAttachment("retour.dat", data), NOW, "id")


@pytest.fixture
def server() -> Iterator[Pop3Server]:
    box = Mailbox()
    for data in (b"one", b"two\r\n.\r\n..three"):
        box.put(mail(data))
    made = Pop3Server(box, USER, PASSWORD)
    made.start()
    yield made
    made.stop()


def client(server: Pop3Server, user: str = USER, password: str = PASSWORD) -> Pop3Client:
    return Pop3Client("127.0.0.1", server.port, user, password)


def logged_in(server: Pop3Server) -> poplib.POP3:
    box = poplib.POP3("127.0.0.1", server.port, timeout=60)
    box.user(USER)
    box.pass_(PASSWORD)
    return box


def test_what_is_there_comes_in_its_order_and_stays(server: Pop3Server) -> None:
    for _ in range(2):
        with client(server) as box:
            assert box.content() == [b"one", b"two\r\n.\r\n..three"]


class Overtaken(tuple[int, ...]):
    """Places of a mailbox; while they are looked through, the thread of a mail server brings a mail."""

    box: Mailbox
    coming: threading.Thread | None = None

    def __contains__(self, place: object) -> bool:
        if self.coming is None:
            self.coming = threading.Thread(target=self.box.put, args=(b"late",))
            self.coming.start()
            self.coming.join(0.1)  # whoever does not wait for its turn has put it in by now
        return super().__contains__(place)


def test_a_mail_that_comes_while_others_are_taken_out_is_kept() -> None:
    places = Overtaken((0,))
    places.box = Mailbox()
    for data in (b"one", b"two"):
        places.box.put(data)
    places.box.remove(places)
    assert places.coming is not None
    places.coming.join()
    assert places.box.content() == [b"two", b"late"]


def test_what_is_deleted_is_gone_once_the_client_quits(server: Pop3Server) -> None:
    with client(server) as box:
        box.delete(1)
        server.mailbox.put(mail(b"new"))
    with client(server) as box:
        assert box.content() == [b"two\r\n.\r\n..three", b"new"]
        with pytest.raises(ValueError, match="2 returns are there"):
            box.delete(3)


def test_who_goes_away_without_quitting_deletes_nothing(server: Pop3Server) -> None:
    box = logged_in(server)
    box.dele(1)
    box.close()
    assert server.turn.acquire(timeout=60)
    server.turn.release()
    assert len(server.mailbox.content()) == 2


def test_a_reset_takes_deletions_back(server: Pop3Server) -> None:
    box = logged_in(server)
    box.dele(1)
    assert box.stat()[0] == 1
    with pytest.raises(poplib.error_proto):
        box.retr(1)
    box.rset()
    assert box.stat()[0] == 2
    assert len({line.split()[1] for line in box.uidl()[1]}) == 2
    box.quit()
    assert len(server.mailbox.content()) == 2


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("other", PASSWORD), (USER, "")])
def test_a_stranger_is_not_let_in(server: Pop3Server, user: str, password: str) -> None:
    with pytest.raises(TransportError), client(server, user, password):
        pass


def test_one_dialogue_at_a_time_has_the_mailbox(server: Pop3Server) -> None:
    box = logged_in(server)
    with pytest.raises(TransportError, match="IN-USE"), client(server):
        pass
    box.quit()


@pytest.mark.parametrize("said", [b"STAT\r\n", b"RETR 1\r\n", b"DELE 1\r\n", b"\xff\r\n", b"X" * 400, b"LIST 99\r\n"])
def test_before_it_is_let_in_nobody_learns_anything(server: Pop3Server, said: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        line.recv(100)
        line.sendall(said)
        line.shutdown(socket.SHUT_WR)
        assert b"one" not in line.recv(1000)
    assert len(server.mailbox.content()) == 2


def test_no_server_is_said_so(server: Pop3Server) -> None:
    server.stop()
    with pytest.raises(TransportError, match="no mailbox answers"), client(server):
        pass


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("USER", "does not open"),
        ("STAT", "cannot be fetched"),
        ("RETR", "cannot be fetched"),
        ("QUIT", "was not left in order"),
    ],
)
def test_a_server_that_goes_away_in_a_dialogue_is_said_so(
    server: Pop3Server, monkeypatch: pytest.MonkeyPatch, verb: str, words: str
) -> None:
    commands = pop3._BEFORE if verb == "USER" else pop3._AFTER
    monkeypatch.setitem(commands, verb, lambda dialogue, argument: False)  # type: ignore[arg-type]
    with pytest.raises(TransportError, match=words) as caught, client(server) as box:
        box.content()
    assert caught.value.failure is TransportFailure.SERVER_DOWN


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_reads_it_too(server: Pop3Server) -> None:
    url = f"pop3://127.0.0.1:{server.port}/1"
    command = ["curl", "--silent", "--noproxy", "*", "--max-time", "5", "--user", f"{USER}:{PASSWORD}", url]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode == 1:
        pytest.skip("this curl has no POP3")
    assert done.stdout == mail(b"one")
