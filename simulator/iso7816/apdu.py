"""Command and response APDUs: parse, encode, describe (ISO/IEC 7816-3, 12.1 and 7816-4, 5.1)."""

from __future__ import annotations

from dataclasses import dataclass

from bifente.simulator.iso7816.status import StatusWord

SHORT_NE = 0x100
EXTENDED_NE = 0x10000
MAX_DATA = 0xFFFF


class ApduError(ValueError):
    """The bytes are no APDU, or the values do not fit in one. The message says which rule is broken."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command APDU.

    ``cla``, ``ins``, ``p1`` and ``p2`` are single bytes, ``data`` the body (0 to 65535 bytes), ``ne`` how many bytes
    are expected back: None if no Le was sent, 1 to 256, or up to 65536 in the ``extended`` form.
    """

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    ne: int | None = None
    extended: bool = False

    @classmethod
    def parse(cls, raw: bytes) -> Command:
        """Read an APDU of any of the seven ISO cases, short or extended.

        Five bytes are a header and Le. A T=0 client also sends them for a header and Lc = 00; what the fifth byte is
        depends on the instruction, hence is for the card to say (PCSC-01). Raises ApduError.
        """
        size = len(raw)
        if size < 4:
            raise ApduError(f"an APDU has at least 4 bytes, this one {size}")
        cla, ins, p1, p2 = raw[0], raw[1], raw[2], raw[3]
        if size == 4:
            return cls(cla, ins, p1, p2)
        first = raw[4]
        if size == 5:
            return cls(cla, ins, p1, p2, b"", first or SHORT_NE)
        if first:
            end = 5 + first
            if size == end:
                return cls(cla, ins, p1, p2, raw[5:])
            if size == end + 1:
                return cls(cla, ins, p1, p2, raw[5:end], raw[end] or SHORT_NE)
            raise ApduError(f"Lc says {first} bytes, {size - 5} follow")
        if size == 6:
            raise ApduError("an extended length has 2 bytes after 00, only one follows")
        length = raw[5] << 8 | raw[6]
        if size == 7:
            return cls(cla, ins, p1, p2, b"", length or EXTENDED_NE, extended=True)
        if not length:
            raise ApduError("an extended Lc of zero bytes is no Lc")
        end = 7 + length
        if size == end:
            return cls(cla, ins, p1, p2, raw[7:], extended=True)
        if size == end + 2:
            ne = (raw[end] << 8 | raw[end + 1]) or EXTENDED_NE
            return cls(cla, ins, p1, p2, raw[7:end], ne, extended=True)
        raise ApduError(f"extended Lc says {length} bytes, {size - 7} follow")

    def encode(self) -> bytes:
        """The bytes on the wire; the extended form is used when asked for or when a length needs it.

        Raises ApduError if a value does not fit.
        """
        header = (self.cla, self.ins, self.p1, self.p2)
        if any(not 0 <= value <= 0xFF for value in header):
            raise ApduError(f"CLA, INS, P1 and P2 are single bytes: {header}")
        size, ne = len(self.data), self.ne
        if size > MAX_DATA:
            raise ApduError(f"an APDU carries at most {MAX_DATA} bytes, not {size}")
        if ne is not None and not 1 <= ne <= EXTENDED_NE:
            raise ApduError(f"the expected length is 1 to {EXTENDED_NE} bytes, not {ne}")
        body = b""
        if self.extended or size > 0xFF or (ne or 0) > SHORT_NE:
            if size or ne:
                body = b"\x00" + (size.to_bytes(2, "big") + self.data if size else b"")
            if ne:
                body += (ne & 0xFFFF).to_bytes(2, "big")
        else:
            if size:
                body = bytes((size,)) + self.data
            if ne:
                body += bytes((ne & 0xFF,))
        return bytes(header) + body

    def describe(self) -> str:
        """The command in one line of English. Codes and other secret bodies are never shown, only their length."""
        name = _NAMES.get(self.ins, f"INS {self.ins:02X}")
        parts = [name]
        if detail := _detail(self):
            parts.append(detail)
        if self.cla & 0x10 and self.cla < 0x40:
            parts.append("(chained, more to come)")
        if self.cla & ~0x10:
            parts.append(f"class {self.cla:02X}")
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Response:
    """A response APDU: ``data`` (0 to 65536 bytes) and the status word ``sw`` (16 bits)."""

    data: bytes = b""
    sw: int = StatusWord.SUCCESS

    @classmethod
    def parse(cls, raw: bytes) -> Response:
        """Read a response. Raises ApduError if there is no room for a status word."""
        if len(raw) < 2:
            raise ApduError(f"a response has at least 2 bytes, this one {len(raw)}")
        return cls(raw[:-2], raw[-2] << 8 | raw[-1])

    def encode(self) -> bytes:
        """Data followed by SW1 SW2."""
        return self.data + self.sw.to_bytes(2, "big")


# ISO/IEC 7816-4, table 4, and -8.
_NAMES = {
    0x0E: "ERASE BINARY",
    0x20: "VERIFY",
    0x22: "MANAGE SECURITY ENVIRONMENT",
    0x24: "CHANGE REFERENCE DATA",
    0x2A: "PERFORM SECURITY OPERATION",
    0x2C: "RESET RETRY COUNTER",
    0x46: "GENERATE ASYMMETRIC KEY PAIR",
    0x70: "MANAGE CHANNEL",
    0x82: "EXTERNAL AUTHENTICATE",
    0x84: "GET CHALLENGE",
    0x86: "GENERAL AUTHENTICATE",
    0x88: "INTERNAL AUTHENTICATE",
    0xA4: "SELECT",
    0xB0: "READ BINARY",
    0xB2: "READ RECORD",
    0xC0: "GET RESPONSE",
    0xCA: "GET DATA",
    0xCB: "GET DATA",
    0xD0: "WRITE BINARY",
    0xD6: "UPDATE BINARY",
    0xDA: "PUT DATA",
    0xDB: "PUT DATA",
    0xE0: "CREATE FILE",
    0xE4: "DELETE FILE",
}
_SELECTIONS = {
    0x00: "by file identifier",
    0x01: "child DF",
    0x02: "EF under the current DF",
    0x03: "parent DF",
    0x04: "by name",
    0x08: "by path from the MF",
    0x09: "by path",
}
_ANSWERS = {0x00: "FCI wanted", 0x04: "FCP wanted", 0x08: "FMD wanted", 0x0C: "no answer wanted"}
_TEMPLATES = {0xA4: "authentication", 0xAA: "hash", 0xB4: "checksum", 0xB6: "signature", 0xB8: "confidentiality"}
_OPERATIONS = {
    0x9E9A: "COMPUTE DIGITAL SIGNATURE",
    0x90A0: "HASH (partial)",
    0x9080: "HASH",
    0x8086: "DECIPHER",
    0x00BE: "VERIFY CERTIFICATE",
    0x00AE: "VERIFY CERTIFICATE",
}


def _body(command: Command) -> str:
    return f"{len(command.data)} bytes" if command.data else ""


def _select(command: Command) -> str:
    target = command.data.hex().upper()
    if command.p1 != 0x04:
        target = "/".join(target[i : i + 4] for i in range(0, len(target), 4))
    words = (_SELECTIONS.get(command.p1, f"P1 {command.p1:02X}"), target, "-", _ANSWERS.get(command.p2 & 0x0C, ""))
    return " ".join(word for word in words if word)


def _binary(command: Command) -> str:
    if command.p1 & 0x80:
        where = f"SFI {command.p1 & 0x1F:02X} offset {command.p2}"
    else:
        where = f"offset {command.p1 << 8 | command.p2}"
    count = len(command.data) or command.ne or 0
    return f"{where}, {count} bytes"


def _code(command: Command) -> str:
    return f"reference {command.p2:02X}, {_body(command) or 'status only'}"


def _environment(command: Command) -> str:
    verb = {1: "SET", 2: "STORE", 3: "RESTORE", 4: "ERASE"}.get(command.p1 & 0x0F, f"P1 {command.p1:02X}")
    return f"{verb} {_TEMPLATES.get(command.p2, f'{command.p2:02X}')} {command.data.hex().upper()}".rstrip()


def _operation(command: Command) -> str:
    parameters = command.p1 << 8 | command.p2
    return f"{_OPERATIONS.get(parameters, f'{parameters:04X}')}, {_body(command) or 'no data'}"


def _data(command: Command) -> str:
    return f"{command.p1 << 8 | command.p2:04X} {command.data.hex().upper()}".rstrip()


_DETAILS = {
    0x20: _code,
    0x22: _environment,
    0x24: _code,
    0x2A: _operation,
    0x2C: _code,
    0x82: _body,
    0x84: lambda command: f"{command.ne or 0} bytes",
    0x88: _body,
    0xA4: _select,
    0xB0: _binary,
    0xC0: lambda command: f"{command.ne or 0} bytes",
    0xCA: _data,
    0xCB: _data,
    0xD6: _binary,
}


def _detail(command: Command) -> str:
    return _DETAILS.get(command.ins, _body)(command)
