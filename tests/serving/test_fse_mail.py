"""Files to a body and returns back, in process and by mail on the loopback, and what may happen to them on the way."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from random import Random

import pytest
from fse_samples import TODAY, sample_invoice
from hypothesis import given, settings
from hypothesis import strategies as st
from securing_bench import keys, pki

from bifente.ground.clock import VirtualClock
from bifente.simulator.formats.fse.canonical import canonical
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.files import make_file, open_file
from bifente.simulator.formats.fse.lots import make_lots, numbers
from bifente.simulator.formats.fse.model import LotKind, SecuredInvoice, TransportFile
from bifente.simulator.pki.body_certificates import body_identity
from bifente.simulator.pki.certificate_profiles import Validity
from bifente.simulator.serving.mail import (
    InProcessTransport,
    MailDirection,
    Reception,
    SmtpTransport,
    TransportError,
    TransportFailure,
    Weather,
    disturbances,
)
from bifente.simulator.serving.mail import smtp as smtp_module
from bifente.simulator.serving.mail.disturbances import flipped
from bifente.simulator.serving.mail.messages import MailAttachment, MailError, read_mail, write_mail

SENDER, BODY = "991000019", "013490349"
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
Way = InProcessTransport | SmtpTransport


def file(number: int = 1, data: bytes = b"contents") -> TransportFile:
    return TransportFile(number, SENDER, BODY, f"TP00000{SENDER}-{BODY}-20260302-{number:03}.fse", data)


def taken(transport: Way) -> list[bytes]:
    """What is in the mailbox, which is empty then."""
    found = transport.receive()
    transport.delete(len(found))
    return found


class Body:
    """Keeps what it gets, and answers each file with one return."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.refusal: Exception | None = None

    def __call__(self, data: bytes, name: str) -> Iterator[bytes]:
        if self.refusal is not None:
            raise self.refusal
        self.got.append((name, data))
        return iter([b"ARL " + name[-7:-4].encode()])

    @property
    def numbers(self) -> list[int]:
        return [int(name[-7:-4]) for name, _ in self.got]


@contextmanager
def by(kind: str, reception: Reception, weather: Weather | None = None) -> Iterator[Way]:
    if kind == "process":
        yield InProcessTransport(reception, weather)
        return
    clock, pop3 = VirtualClock(NOW), kind == "pop3"
    way = SmtpTransport(reception, sender=SENDER, body=BODY, weather=weather, clock=clock, pop3=pop3)
    with way as transport:
        yield transport


both = pytest.mark.parametrize("kind", ["process", "smtp", "pop3"])


@both
def test_a_file_arrives_as_it_left_and_its_return_comes_back(kind: str) -> None:
    body = Body()
    data = bytes(range(256)) * 300 + b"\r\n.\r\n.\n"
    with by(kind, body) as transport:
        transport.send(file(1, data))
        assert taken(transport) == [b"ARL 001"]
        assert taken(transport) == []
        transport.post(b"RSP")
        assert taken(transport) == [b"RSP"]
    assert body.got == [(file().name, data)]


@both
def test_a_return_stays_in_the_mailbox_until_it_is_deleted(kind: str) -> None:
    with by(kind, Body()) as transport:
        transport.send(file(1))
        assert transport.receive() == transport.receive() == [b"ARL 001"]
        transport.delete(0)
        transport.send(file(2))
        assert transport.receive() == [b"ARL 001", b"ARL 002"]
        transport.delete(1)
        assert transport.receive() == [b"ARL 002"]
        transport.post(b"RSP")  # comes between the look and the deletion
        transport.delete(1)
        assert transport.receive() == [b"RSP"]


@both
@pytest.mark.parametrize("count", [-1, 2, 100])
def test_more_than_there_is_cannot_be_deleted(kind: str, count: int) -> None:
    with by(kind, Body()) as transport:
        transport.send(file(1))
        with pytest.raises(ValueError, match="1 returns are there"):
            transport.delete(count)
        assert transport.receive() == [b"ARL 001"]


@both
def test_a_sealed_file_goes_the_same_way(kind: str) -> None:
    me = body_identity(BODY, pki(), keys(), Validity(TODAY, TODAY))
    lots = make_lots([SecuredInvoice(canonical(sample_invoice()))], on=TODAY, numbers=numbers(LotKind.FSE))
    body = Body()
    with by(kind, body) as transport:
        transport.send(make_file(lots, me.certificate))
    assert open_file(body.got[0][1], me.key, me.certificate) == lots


@both
def test_lost_on_its_way_out_or_back(kind: str) -> None:
    body, weather = Body(), Weather()
    weather.ask("lost")
    weather.ask("lost", MailDirection.BACK)
    with by(kind, body, weather) as transport:
        transport.send(file(1))
        assert (taken(transport), body.numbers) == ([], [])
        transport.send(file(2))
        assert (taken(transport), body.numbers) == ([], [2])
        transport.send(file(3))
        assert taken(transport) == [b"ARL 003"]
    assert weather.log == [(MailDirection.OUT, "lost"), (MailDirection.BACK, "lost")]


@both
def test_duplicated(kind: str) -> None:
    body, weather = Body(), Weather()
    weather.ask("duplicated")
    weather.ask("duplicated", MailDirection.BACK, after=2)
    with by(kind, body, weather) as transport:
        transport.send(file(1))
        assert taken(transport) == [b"ARL 001"] * 2
        transport.send(file(2))
        assert taken(transport) == [b"ARL 002"] * 2
    assert body.numbers == [1, 1, 2]


@both
def test_altered_by_one_bit(kind: str) -> None:
    body, weather = Body(), Weather(Random(5))
    weather.ask("altered-in-transit")
    data = bytes(1000)
    with by(kind, body, weather) as transport:
        transport.send(file(1, data))
    name, arrived = body.got[0]
    assert name == file().name
    assert len(arrived) == len(data)
    assert sum(byte.bit_count() for byte in arrived) == 1


@both
def test_an_altered_file_of_lots_is_never_taken_for_the_original(kind: str) -> None:
    me = body_identity(BODY, pki(), keys(), Validity(TODAY, TODAY))
    lots = make_lots([SecuredInvoice(canonical(sample_invoice()))], on=TODAY, numbers=numbers(LotKind.FSE))
    body, weather = Body(), Weather(Random(1))
    weather.ask("altered-in-transit", times=20)
    with by(kind, body, weather) as transport:
        for _ in range(20):
            transport.send(make_file(lots, me.certificate))
    for _, data in body.got:
        with pytest.raises(FseError):
            open_file(data, me.key, me.certificate)


@both
def test_reordered_it_comes_after_the_next(kind: str) -> None:
    body, weather = Body(), Weather()
    weather.ask("reordered")
    with by(kind, body, weather) as transport:
        transport.send(file(1))
        assert taken(transport) == []
        transport.send(file(2))
        assert taken(transport) == [b"ARL 002", b"ARL 001"]
        weather.ask("reordered")
        transport.send(file(3))
        transport.flush()
        assert taken(transport) == [b"ARL 003"]
    assert body.numbers == [2, 1, 3]


@both
@pytest.mark.parametrize(
    ("name", "failure", "reply", "lasting"),
    [
        ("mailbox-full", TransportFailure.MAILBOX_FULL, 452, False),
        ("mailbox-over-quota", TransportFailure.MAILBOX_FULL, 552, True),
        ("server-down", TransportFailure.SERVER_DOWN, 0, False),
    ],
)
def test_refused_and_sent_again(kind: str, name: str, failure: TransportFailure, reply: int, lasting: bool) -> None:
    body, weather = Body(), Weather()
    weather.ask(name, times=2)
    with by(kind, body, weather) as transport:
        for _ in range(2):
            with pytest.raises(TransportError) as caught:
                transport.send(file())
            assert (caught.value.failure, caught.value.reply, caught.value.lasting) == (failure, reply, lasting)
        assert body.got == []
        transport.send(file())
        assert taken(transport) == [b"ARL 001"]


@both
@pytest.mark.parametrize("name", ["mailbox-full", "mailbox-over-quota", "server-down"])
def test_a_return_that_is_refused_is_not_lost(kind: str, name: str) -> None:
    body, weather = Body(), Weather()
    weather.ask(name, MailDirection.BACK, times=2)
    with by(kind, body, weather) as transport:
        transport.send(file())
        assert taken(transport) == []
        assert taken(transport) == [b"ARL 001"]
        assert taken(transport) == []


@both
@pytest.mark.parametrize(
    ("refusal", "reply"),
    [
        (TransportError(TransportFailure.MAILBOX_FULL, "full"), 452),
        (TransportError(TransportFailure.MAILBOX_FULL, "over quota", 552), 552),
        (TransportError(TransportFailure.SERVER_DOWN, "closed"), 421),
        (TransportError(TransportFailure.REFUSED, "no"), 554),
    ],
)
def test_the_body_itself_refuses(kind: str, refusal: TransportError, reply: int) -> None:
    body = Body()
    body.refusal = refusal
    with by(kind, body) as transport:
        with pytest.raises(TransportError) as caught:
            transport.send(file())
        assert caught.value.failure is refusal.failure
        if kind == "smtp":
            assert caught.value.reply == reply
        body.refusal = None
        transport.send(file())
        assert taken(transport) == [b"ARL 001"]


@both
def test_a_bug_of_the_body_is_not_taken_for_a_refusal(kind: str) -> None:
    body = Body()
    body.refusal = ZeroDivisionError("bug")
    with by(kind, body) as transport:
        with pytest.raises(ZeroDivisionError):
            transport.send(file())
        body.refusal = None
        transport.send(file())


# -- chance -----------------------------------------------------------------------------------------------------------


RATES = dict.fromkeys(disturbances(), 0.1)


def life(
    kind: str, seed: int
) -> tuple[list[tuple[MailDirection, str]], list[tuple[str, bytes]], list[bytes], list[str]]:
    body, weather = Body(), Weather(Random(seed), RATES)
    returns: list[bytes] = []
    failures: list[str] = []
    with by(kind, body, weather) as transport:
        for number in range(25):
            try:
                transport.send(file(number))
            except TransportError as error:
                failures.append(error.failure)
            returns += taken(transport)
    return weather.log, body.got, returns, failures


def test_the_same_seed_gives_the_same_life_by_either_way() -> None:
    assert life("process", 3) == life("process", 3) == life("smtp", 3)
    assert life("process", 3) != life("process", 4)
    assert {name for _, name in life("process", 3)[0] + life("process", 4)[0]} == set(disturbances())


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(sorted(disturbances())), max_size=10))
def test_nothing_is_made_up(seed: int, asked: list[str]) -> None:
    """Whatever happens, what arrives was sent (but for one bit), at most twice, and what was refused did not arrive."""
    body, weather = Body(), Weather(Random(seed))
    transport = InProcessTransport(body, weather)
    for name in asked:
        weather.ask(name)
    handed = []
    for number in range(12):
        try:
            transport.send(file(number))
        except TransportError:
            continue
        handed.append(number)
    transport.flush()
    assert set(body.numbers) <= set(handed)
    assert all(body.numbers.count(number) <= 2 for number in handed)
    lost = asked.count("lost")
    assert len(set(handed) - set(body.numbers)) == lost


@pytest.mark.parametrize("rates", [{"lost": -0.1}, {"lost": 0.6, "duplicated": 0.6}, {"rain": 0.1}])
def test_rates_are_probabilities(rates: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"rates|rain"):
        Weather(Random(1), rates)


def test_only_what_is_known_can_be_asked_for() -> None:
    with pytest.raises(ValueError, match="rain"):
        Weather().ask("rain")


def test_each_disturbance_says_what_is_seen_and_what_helps() -> None:
    assert len(disturbances()) == 7
    for item in disturbances().values():
        for sentence in (item.symptom, item.cause, item.remedy):
            assert sentence.fr
            assert sentence.en
            assert sentence.fr != sentence.en


@given(st.binary(max_size=50), st.integers())
def test_a_flip_is_one_bit(data: bytes, seed: int) -> None:
    found = flipped(data, Random(seed))
    assert len(found) == len(data)
    assert sum((one ^ other).bit_count() for one, other in zip(found, data, strict=True)) == min(1, len(data))


# -- the servers ------------------------------------------------------------------------------------------------------


def test_the_servers_listen_on_the_loopback_alone_and_go() -> None:
    with SmtpTransport(Body(), sender=SENDER, body=BODY) as transport:
        ports = transport.body_server.port, transport.practice_server.port
        assert len(set(ports)) == 2
        for port in ports:
            with socket.create_connection(("127.0.0.1", port), 5) as line:
                assert line.recv(1024).startswith(b"220 ")
        listening = transport.body_server._controller._socket.getsockname()  # type: ignore[union-attr]
        assert listening[0] == "127.0.0.1"
    for port in ports:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), 5)


def test_nobody_listens_any_more() -> None:
    with SmtpTransport(Body(), sender=SENDER, body=BODY) as transport:
        transport.body_server.stop()
        with pytest.raises(TransportError) as caught:
            transport.send(file())
        assert caught.value.failure is TransportFailure.SERVER_DOWN


def test_a_server_that_is_down_is_not_the_one_that_has_its_port_meanwhile() -> None:
    body, weather = Body(), Weather()
    weather.ask("server-down")
    with SmtpTransport(body, sender=SENDER, body=BODY, weather=weather) as transport, ExitStack() as others:
        honest = transport.body_server.stop

        def stop() -> None:
            honest()
            others.enter_context(socket.create_server(("127.0.0.1", transport.body_server.port)))

        transport.body_server.stop = stop  # type: ignore[method-assign]
        with pytest.raises(TransportError, match=r"no mail server answers: .*refused"):
            transport.send(file())
        transport.body_server.stop = honest  # type: ignore[method-assign]
        transport.send(file())
    assert [name for name, _data in body.got] == [file().name]


def client(transport: SmtpTransport) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", transport.body_server.port, local_hostname="localhost", timeout=60)


def test_a_server_has_one_mailbox() -> None:
    body = Body()
    with SmtpTransport(body, sender=SENDER, body=BODY) as transport, client(transport) as mail:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
            mail.sendmail("a@b.invalid", ["other@organisme.invalid"], b"x")
        assert caught.value.recipients["other@organisme.invalid"][0] == 550
    assert body.got == []


@pytest.mark.parametrize("data", [b"", b"Subject: x\r\n\r\nno attachment\r\n", b"\xff\xfe\x00", b"a" * 900 + b"\r\n"])
def test_a_mail_without_a_file_is_refused_and_the_server_goes_on(data: bytes) -> None:
    body = Body()
    with SmtpTransport(body, sender=SENDER, body=BODY) as transport:
        with client(transport) as mail, pytest.raises(smtplib.SMTPDataError) as caught:
            mail.sendmail("a@b.invalid", [transport.body_server.mailbox], data)
        assert caught.value.smtp_code == 554
        transport.send(file())
    assert body.numbers == [1]


def test_a_mail_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_module, "MAX_MAIL", 20_000)
    body = Body()
    with SmtpTransport(body, sender=SENDER, body=BODY) as transport:
        with pytest.raises(TransportError) as caught:
            transport.send(file(1, bytes(30_000)))
        assert (caught.value.failure, caught.value.lasting) == (TransportFailure.TOO_LARGE, True)
        with client(transport) as mail, pytest.raises(smtplib.SMTPException) as refused:
            mail.sendmail("a@b.invalid", [transport.body_server.mailbox], b"Subject: x\r\n\r\n" + b"a\r\n" * 10_000)
        assert "552" in str(refused.value)
        transport.send(file(2))
    assert body.numbers == [2]


# -- mails ------------------------------------------------------------------------------------------------------------


def mail(data: bytes = b"contents", name: str = "x.fse") -> bytes:
    return write_mail("a@b.invalid", "c@d.invalid", MailAttachment(name, data), NOW, "id")


@given(st.binary(max_size=400), st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", fullmatch=True))
def test_a_mail_gives_its_file_back(data: bytes, name: str) -> None:
    assert read_mail(mail(data, name)) == MailAttachment(name, data)


def test_the_same_mail_twice_is_the_same() -> None:
    assert mail() == mail()
    assert b"BIFENTE LABORATOIRE" in mail()
    assert b"application/pkcs7-mime" in mail(bytes.fromhex("30800609 2A864886F70D010703"))


@pytest.mark.parametrize("name", ["", "../x", "a/b", "x" * 129, "é", "a b", ".x", "x\r\nBcc: y"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(MailError, match="name"):
        mail(name=name)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'filename="x.fse"', b'filename="../x.fse"'),
        (b'filename="x.fse"', b""),
        (b"base64", b"base65"),
        (b"base64", b"7bit"),
        (b"attachment", b"inline"),
        (b"=-bifente-id--", b""),
        (b"Y29udGVudHM=", b"Y29udGVudHM"),
        (b"Y29udGVudHM=", b"Y29!!HM="),
        (b"octet-stream", b'octet-stream; boundary="y"'),
        (b"\r\n\r\n", b"\r\n"),
        (b"application/octet-stream", b"multipart/mixed"),
    ],
)
def test_a_mail_that_is_not_sound(old: bytes, new: bytes) -> None:
    data = mail()
    assert old in data
    with pytest.raises(MailError):
        read_mail(data.replace(old, new))


def test_two_attachments_are_one_too_many() -> None:
    data = mail()
    part = data[data.rindex(b"--=-bifente-id\r\n") : data.rindex(b"--=-bifente-id--")]
    with pytest.raises(MailError, match="2 attachments"):
        read_mail(data.replace(b"--=-bifente-id--", part + b"--=-bifente-id--"))
    with pytest.raises(MailError, match="parts"):
        read_mail(data.replace(b"--=-bifente-id--", part * 4 + b"--=-bifente-id--"))


def test_parts_inside_parts_are_refused() -> None:
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(3000))
    with pytest.raises(MailError, match="parts inside"):
        read_mail(nested)


def test_headers_without_end_are_refused() -> None:
    with pytest.raises(MailError, match="headers"):
        read_mail(b"X: y\r\n" * 5000 + b"\r\n" + mail())


@given(st.binary(max_size=300))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(MailError):
        read_mail(data)


@given(st.data())
def test_a_changed_mail_is_refused_or_gives_a_file(data: st.DataObject) -> None:
    raw = bytearray(mail(b"contents" * 20))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read_mail(bytes(raw))
    except MailError:
        return
    assert isinstance(found.data, bytes)
    assert 0 < len(found.name) <= 128
