"""Logs of every kind that is read, written here as the programs write them, of one session made up for the tests."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

Session = Sequence[tuple[str, str]]
"""Commands and responses in hexadecimal."""

ATR = "3BAC00402A001225006480000310009000"
CODE = "7294"
NEW_CODE = "8315"
SURNAME, GIVEN, NUMBER = "Zwenkhofer", "Ulrikée", "899701234567"
NIR = "269054958815780"
SERIAL = "4455667788"
READER = "Lab Reader (1305A4E2) 00 00"


@cache
def certificate() -> bytes:
    """A certificate of a person who is nobody."""
    key = ec.derive_private_key(0x1234567890ABCDEF1234567890ABCDEF, ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.SURNAME, SURNAME),
            x509.NameAttribute(NameOID.GIVEN_NAME, GIVEN),
            x509.NameAttribute(NameOID.COMMON_NAME, NUMBER),
        ]
    )
    day = datetime(2025, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 0x1122334455667788, day, day.replace(year=2027))
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def read_in_parts(content: bytes, size: int) -> list[tuple[str, str]]:
    """READ BINARY after READ BINARY, as a host reads a file."""
    return [
        (f"00B0{at:04X}{len(content[at : at + size]) & 0xFF:02X}", content[at : at + size].hex().upper() + "9000")
        for at in range(0, len(content), size)
    ]


def session() -> list[tuple[str, str]]:
    """A session in which everything that must not stay passes."""
    return [
        ("00A40904043F00D003", "6127"),
        ("00C0000027", "62258002000C8201018302D0038801E0A1128C077BFFFFFFFFFF009C077BFFFFFFFFFF008A01059000"),
        ("00B000000C", f"5A0A8025000001{SERIAL}9000"),
        ("00A40904063F000001A001", "6126"),
        *read_in_parts(certificate(), 100),
        ("0020000100", "63C3"),
        (f"0020000104{CODE.encode().hex()}", "9000"),
        ("00A40904063F000001D111", "9000"),
        ("00B0000020", f"00{SURNAME.upper().encode().hex().upper()}20{NIR.encode().hex().upper()}FFFF9000"),
        (f"0024000108{CODE.encode().hex()}{NEW_CODE.encode().hex()}", "9000"),
        ("00CB3FFF0A4D087006BF810102A080", "6A88"),
        ("00A40904063F000001D199", "6A82"),
    ]


def _spaced(digits: str) -> str:
    return bytes.fromhex(digits).hex(" ").upper() + " "


def pcscd(exchanges: Session, *, thread: str = "", front: str = "") -> bytes:
    """As pcscd 1.9.9 writes."""
    lines = [
        "00000000 pcscdaemon.c:350:main() pcscd set to foreground with debug send to stdout",
        f"00000003 Card ATR: {_spaced(ATR)}",
    ]
    for command, response in exchanges:
        lines += [
            "00000190 winscard_svc.c:361:ContextThread() Received command: TRANSMIT from client 10",
            "00000002 winscard.c:1596:SCardTransmit() Send Protocol: T=0",
            f"00000003 APDU: {_spaced(command)}",
            *([f"00005175 SW: {_spaced(response)}"] if response else []),
            "00000006 winscard_svc.c:694:ContextThread() TRANSMIT for client 10, rv=SCARD_S_SUCCESS",
        ]
    if thread:
        lines = [f"{line[:8]} [{thread}]{line[8:]}" for line in lines]
    return "".join(f"{front}{line}\n" for line in lines).encode()


def _dump(data: bytes, *, padded: bool) -> str:
    lines = []
    for at in range(0, len(data), 16):
        part = data[at : at + 16]
        width = 48 if padded and at else 3 * len(part)
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(part.hex(" ").upper().ljust(width - 1) + " " + text)
    return "\n".join(lines) + "\n"


def opensc(exchanges: Session) -> bytes:
    """As OpenSC 0.23 writes."""
    head = "P:18128; T:0x140586466732096 22:49:33.{:03d} [opensc-pkcs11] "
    text = head.format(0) + f"card.c:1234:match_atr_table: ATR     : {bytes.fromhex(ATR).hex(':')}\n"
    for number, (command, response) in enumerate(exchanges):
        at = head.format(number)
        text += f"{at}reader-pcsc.c:325:pcsc_transmit: reader '{READER}'\n"
        for way, digits in (("Outgoing", command), ("Incoming", response)):
            if digits:
                text += f"{at}reader-pcsc.c:326:pcsc_transmit: \n{way} APDU ({len(digits) // 2} bytes):\n"
                text += _dump(bytes.fromhex(digits), padded=True) + "\n"
    return text.encode()


def opensc_2015(exchanges: Session) -> bytes:
    """As OpenSC 0.15 writes."""
    text = ""
    for command, response in exchanges:
        text += f"0x7fbc7c7aa740 16:26:30.867 [pkcs15-tool] reader-pcsc.c:250:pcsc_transmit: reader '{READER}'\n"
        for way, digits in (("Outgoing", command), ("Incoming", response)):
            if digits:
                text += "0x7fbc7c7aa740 16:26:30.867 [pkcs15-tool] apdu.c:185:sc_apdu_log: \n"
                text += f"{way} APDU data [{len(digits) // 2:5} bytes] =====================================\n"
                text += _dump(bytes.fromhex(digits), padded=True) + 70 * "=" + "\n"
    return text.encode()


def cryptolib(exchanges: Session) -> bytes:
    """As the Cryptolib writes: Windows line ends, the day in words and no year."""
    text = "Mon Sep 14 10:22:46.120 : C_Initialize : debut\n"
    for number, (command, response) in enumerate(exchanges):
        for way, digits in (("Outgoing", command), ("Incoming", response)):
            if digits:
                text += f"Mon Sep 14 10:22:46.{number:03d} : \n{way} APDU data [{len(digits) // 2:5} bytes] ====\n"
                text += _dump(bytes.fromhex(digits), padded=False) + 70 * "=" + "\n"
    return text.replace("\n", "\r\n").encode("latin-1")


def spy_raw(exchanges: Session) -> bytes:
    """As libpcscspy writes."""
    lines = [">|1795992753|342000|SCardConnect", "0x0396B786", READER, "0x2", "0x3", "0x0", "0x0", "0x27414234", "0x1"]
    lines.append("<|1795992753|342252|SCardConnect|Command successful.|0x00000000")
    for command, response in exchanges:
        lines += [
            ">|1795992753|342259|SCardTransmit",
            *("0x27414234", "0x00000001", "0x00000010", f"0x{len(command) // 2:08X}", _spaced(command)),
            *("0x00000001", "0x00000010", f"0x{len(response) // 2:08X}", _spaced(response) if response else "NULL"),
            "<|1795992753|347741|SCardTransmit|Command successful.|0x00000000",
        ]
    lines += [
        ">|1795992753|348874|SCardStatus",
        *("0x27414234", "0x00000800", "0x00000021", "0x0000001D", READER, "0x00010034", "0x00000001", "0x00000011"),
        _spaced(ATR),
        "<|1795992753|348948|SCardStatus|Command successful.|0x00000000",
    ]
    return "".join(f"7F32E55DA780@{line}\n" for line in lines).encode()


def spy_text(exchanges: Session) -> bytes:
    """As pcsc-spy shows."""
    green, off = "\x1b[32m", "\x1b[0m"
    text = f"SCardConnect\n i szReader {READER}\n o phCard 0x27414234 (658588212)\n"
    text += " => Command successful. (SCARD_S_SUCCESS [0x00000000])  [0.000070]\n"
    for command, response in exchanges:
        text += "\x1b[34mSCardTransmit\x1b[0m\n i hCard: 0x27414234\n"
        for way, name, digits in (("i", "bSend", command), ("o", "bRecv", response)):
            size = len(digits) // 2
            text += f" {way} {name}Length 0x{size:08X} ({size})\n {way} {name}Buffer\n"
            for at in range(0, size, 16):
                part = bytes.fromhex(digits)[at : at + 16]
                shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
                text += f"{green} {way}  {at:04X} {part.hex(' ').upper().ljust(47)} {shown}{off}\n"
        text += " => Command successful. (SCARD_S_SUCCESS [0x00000000])  [0.000391]\n"
    return text.encode()


def _packets(exchanges: Session) -> list[bytes]:
    made = []
    for kind, digits in ((1, ATR), *((0, command + response) for command, response in exchanges if response)):
        tap = bytes((2, 4, 4, 0)) + bytes(8) + bytes((kind, 0, 0, 0)) + bytes.fromhex(digits)
        datagram = struct.pack(">HHHH", 4729, 4729, 8 + len(tap), 0) + tap
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0) + bytes(8) + datagram
        made.append(bytes(12) + b"\x08\x00" + ip)
    return made


def pcap(exchanges: Session, *, order: str = "<") -> bytes:
    """A capture as tcpdump saves it."""
    text = struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for number, packet in enumerate(_packets(exchanges)):
        text += struct.pack(f"{order}IIII", 1_700_000_000, number, len(packet), len(packet)) + packet
    return text


def pcapng(exchanges: Session) -> bytes:
    """A capture as Wireshark saves it."""
    text = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    text += struct.pack("<IIHHIHHBxxxHHI", 1, 32, 1, 0, 0, 9, 1, 9, 0, 0, 32)
    for number, packet in enumerate(_packets(exchanges)):
        body = packet + bytes(-len(packet) % 4)
        at = 1_700_000_000_000_000_000 + number
        head = struct.pack("<IIIII", 0, at >> 32, at & 0xFFFFFFFF, len(packet), len(packet))
        size = 12 + len(head) + len(body)
        text += struct.pack("<II", 6, size) + head + body + struct.pack("<I", size)
    return text


def opensc_tool(exchanges: Session) -> bytes:
    """As ``opensc-tool -s`` writes."""
    text = f"Using reader with a card: {READER}\n"
    for command, response in exchanges:
        text += f"Sending: {_spaced(command)}\n"
        if response:
            text += f"Received (SW1=0x{response[-4:-2]}, SW2=0x{response[-2:]})"
            text += ":\n" + _dump(bytes.fromhex(response[:-4]), padded=True) if response[:-4] else "\n"
    return text.encode()


def apdu4j(exchanges: Session) -> bytes:
    """As GlobalPlatformPro and apdu4j write."""
    text = f'SCardConnect("{READER}", T=*) -> T=0, {ATR}\n'
    for command, response in exchanges:
        head, rest = command[:8], command[8:]
        text += f"A>> T=0 (4+{max(0, len(rest) // 2 - 1):04}) {head} {rest[:2]} {rest[2:]}\n"
        if response:
            text += (
                f"A<< ({len(response) // 2 - 2:04}+2) (18ms) {response[:-4]} {response[-4:]}".replace("  ", " ") + "\n"
            )
    return text.encode()


def scriptor(exchanges: Session) -> bytes:
    """As scriptor and gscriptor of pcsc-tools write."""
    text = "Using T=0 protocol\n"
    for command, response in exchanges:
        text += f"> {_spaced(command).strip()}\n" + (f"< {_spaced(response)}: Counter is 2.\n" if response else "")
    return text.encode()


def pyscard(exchanges: Session) -> bytes:
    """As pyscard's ConsoleCardConnectionObserver writes: a status without leading zeros."""
    text = f"connecting to {READER}\n"
    for command, response in exchanges:
        text += f"> {_spaced(command).strip()}\n"
        if response:
            status = f"{int(response[-4:-2], 16):<2X} {int(response[-2:], 16):<2X} "
            text += f"<  {_spaced(response[:-4]).strip() or '[]'} {status}\n"
    return text.encode()


def scdaemon(exchanges: Session) -> bytes:
    """As GnuPG's scdaemon writes with debug 2048."""
    front = "2022-01-03 22:30:31 scdaemon[18990] "
    text = f"{front}detected reader '{READER}'\n"
    for command, response in exchanges:
        text += f"{front}DBG: send apdu: c=00 i=A4\n{front}DBG:  raw apdu: {command}\n"
        if response:
            text += f"{front}DBG:  response: sw={response[-4:]}  datalen={len(response) // 2 - 2}\n"
            text += f"{front}DBG:      dump: {response[:-4]}\n" if response[:-4] else ""
    return text.encode()


def android(exchanges: Session) -> bytes:
    """As the NFC service of Android writes."""
    text, front = "", "10-16 13:33:50.087   724 18659 D "
    for command, response in exchanges:
        for way, digits in (("NxpNciX : len = {:3} => ", command), ("NxpNciR : len = {:3} <= ", response)):
            if digits:
                size = len(digits) // 2
                text += f"{front}{way.format(size + 3)}0000{size:02X}{digits}\n"
    return text.encode()


def libccid(exchanges: Session) -> bytes:
    """As pcscd without --apdu and libccid with LIBCCID_ifdLogLevel=0x000F write."""
    text = f"00000000 pcscdaemon.c:350:main() foreground\n00000003 Card ATR: {_spaced(ATR)}\n"
    for sequence, (command, response) in enumerate(exchanges):
        for way, digits in (("->", command), ("<-", response)):
            if digits:
                raw = _ccid(0x6F if way == "->" else 0x80, bytes.fromhex(digits), sequence)
                text += f"00000032 {way} 000000 {raw.hex(' ').upper()} \n"
    return text.encode()


def _ccid(kind: int, data: bytes, sequence: int) -> bytes:
    return struct.pack("<BIBB3x", kind, len(data), 0, sequence & 0xFF) + data


def usbpcap(exchanges: Session, *, blocks: bool = False) -> bytes:
    """As USBPcap on Windows saves it; ``blocks``: by T=1, long ones chained."""
    text = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 249)
    made = [(0x62, b"", 2), (0x80, bytes.fromhex(ATR), 0x82)]
    for command, response in exchanges:
        for kind, digits, endpoint in ((0x6F, command, 2), (0x80, response, 0x82)):
            data = bytes.fromhex(digits)
            parts = [data[at : at + 32] for at in range(0, len(data), 32)] if blocks else [data] * bool(data)
            for number, part in enumerate(parts):
                made.append((kind, _block(part, more=number < len(parts) - 1) if blocks else part, endpoint))
    for sequence, (kind, data, endpoint) in enumerate(made):
        raw = _ccid(kind, data, sequence)
        packet = struct.pack("<HQIHBHHBBI", 27, 1, 0, 9, 0, 1, 5, endpoint, 3, len(raw)) + raw
        text += struct.pack("<IIII", 1_700_000_000, sequence, len(packet), len(packet)) + packet
    return text


def _block(data: bytes, *, more: bool) -> bytes:
    block, checked = bytes((0, 0x20 if more else 0, len(data))) + data, 0
    for byte in block:
        checked ^= byte
    return block + bytes((checked,))


WRITERS: dict[str, Callable[[Session], bytes]] = {
    "pcscd": pcscd,
    "opensc": opensc,
    "opensc-2015": opensc_2015,
    "cryptolib": cryptolib,
    "pcsc-spy-raw": spy_raw,
    "pcsc-spy": spy_text,
    "pcap": pcap,
    "pcapng": pcapng,
    "opensc-tool": opensc_tool,
    "apdu4j": apdu4j,
    "scriptor": scriptor,
    "pyscard": pyscard,
    "scdaemon": scdaemon,
    "android": android,
    "libccid": libccid,
    "usbpcap": usbpcap,
}


def written(folder: Path, kind: str, exchanges: Session | None = None) -> Path:
    """The log of a session, in a file."""
    path = folder / f"{kind}.log"
    path.write_bytes(WRITERS[kind](session() if exchanges is None else exchanges))
    return path
