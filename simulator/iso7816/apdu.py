"""Command and response APDUs: parse, encode, describe (ISO/IEC 7816-3, 12.1 and 7816-4, 5.1)."""

from __future__ import annotations

from dataclasses import dataclass

from bifente.ground.text import Text
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
        numbers = (self.cla, self.ins, self.p1, self.p2)
        try:
            header = bytes(numbers)
        except ValueError:
            raise ApduError(f"CLA, INS, P1 and P2 are single bytes: {numbers}") from None
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
        return header + body

    def describe(self) -> Text:
        """Return the command in one line. Codes and other secret bodies are never shown, only their length."""
        parts = [Text.same(_NAMES.get(self.ins, f"INS {self.ins:02X}")), _detail(self)]
        if self.cla & 0x10 and self.cla < 0x40:
            parts.append(Text("(chaînée, suite à venir)", "(chained, more to come)"))
        if self.cla & ~0x10:
            parts.append(Text(f"classe {self.cla:02X}", f"class {self.cla:02X}"))
        return _spaced(*parts)


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
_NOTHING = Text("", "")
_SELECTIONS = {
    0x00: Text("par identifiant de fichier", "by file identifier"),
    0x01: Text("DF fils", "child DF"),
    0x02: Text("EF du DF courant", "EF under the current DF"),
    0x03: Text("DF parent", "parent DF"),
    0x04: Text("par nom", "by name"),
    0x08: Text("par chemin depuis le MF", "by path from the MF"),
    0x09: Text("par chemin", "by path"),
}
_ANSWERS = {
    0x00: Text("FCI attendu", "FCI wanted"),
    0x04: Text("FCP attendu", "FCP wanted"),
    0x08: Text("FMD attendu", "FMD wanted"),
    0x0C: Text("aucune réponse attendue", "no answer wanted"),
}
_TEMPLATES = {
    0xA4: Text("authentification", "authentication"),
    0xAA: Text("hachage", "hash"),
    0xB4: Text("somme de contrôle", "checksum"),
    0xB6: Text("signature", "signature"),
    0xB8: Text("confidentialité", "confidentiality"),
}
_OPERATIONS = {
    0x9E9A: Text.same("COMPUTE DIGITAL SIGNATURE"),
    0x90A0: Text("HASH (partiel)", "HASH (partial)"),
    0x9080: Text.same("HASH"),
    0x8086: Text.same("DECIPHER"),
    0x00BE: Text.same("VERIFY CERTIFICATE"),
    0x00AE: Text.same("VERIFY CERTIFICATE"),
}


def _spaced(*parts: Text, by: str = " ") -> Text:
    """Join what is not empty."""
    return Text(by.join(part.fr for part in parts if part.fr), by.join(part.en for part in parts if part.en))


def _octets(count: int) -> Text:
    return Text(f"{count} octets", f"{count} bytes")


def _body(command: Command) -> Text:
    return _octets(len(command.data)) if command.data else _NOTHING


def _expected(command: Command) -> Text:
    return _octets(command.ne or 0)


def _select(command: Command) -> Text:
    target = command.data.hex().upper()
    if command.p1 != 0x04:
        target = "/".join(target[i : i + 4] for i in range(0, len(target), 4))
    by = _SELECTIONS.get(command.p1) or Text.same(f"P1 {command.p1:02X}")
    return _spaced(by, Text.same(target), Text.same("-"), _ANSWERS.get(command.p2 & 0x0C, _NOTHING))


def _binary(command: Command) -> Text:
    sfi, offset = "", command.p1 << 8 | command.p2
    if command.p1 & 0x80:
        sfi, offset = f"SFI {command.p1 & 0x1F:02X} ", command.p2
    where = Text(f"{sfi}décalage {offset}", f"{sfi}offset {offset}")
    return _spaced(where, _octets(len(command.data) or command.ne or 0), by=", ")


def _code(command: Command) -> Text:
    reference = Text(f"référence {command.p2:02X}", f"reference {command.p2:02X}")
    return _spaced(reference, _body(command) if command.data else Text("état seul", "status only"), by=", ")


def _environment(command: Command) -> Text:
    verb = {1: "SET", 2: "STORE", 3: "RESTORE", 4: "ERASE"}.get(command.p1 & 0x0F, f"P1 {command.p1:02X}")
    template = _TEMPLATES.get(command.p2) or Text.same(f"{command.p2:02X}")
    return _spaced(Text.same(verb), template, Text.same(command.data.hex().upper()))


def _operation(command: Command) -> Text:
    parameters = command.p1 << 8 | command.p2
    operation = _OPERATIONS.get(parameters) or Text.same(f"{parameters:04X}")
    return _spaced(operation, _body(command) if command.data else Text("sans donnée", "no data"), by=", ")


def _data(command: Command) -> Text:
    return Text.same(f"{command.p1 << 8 | command.p2:04X} {command.data.hex().upper()}".rstrip())


_DETAILS = {
    0x20: _code,
    0x22: _environment,
    0x24: _code,
    0x2A: _operation,
    0x2C: _code,
    0x82: _body,
    0x84: _expected,
    0x88: _body,
    0xA4: _select,
    0xB0: _binary,
    0xC0: _expected,
    0xCA: _data,
    0xCB: _data,
    0xD6: _binary,
}


def _detail(command: Command) -> Text:
    return _DETAILS.get(command.ins, _body)(command)
