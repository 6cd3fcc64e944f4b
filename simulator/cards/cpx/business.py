"""The business data objects of a CPx card, as typed models: who holds it, where and how they practise.

One model an object; each field says its tag, how it is written, its name in French and English, and what its meaning
rests on. Reading and writing both follow that one declaration (CARD-CPS3-41). Sources: what the issuer's card tool
shows of fed values ("observed"); the rest is a name of ours for a field whose place alone is known ("modelled").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache, lru_cache
from typing import Annotated, Any, ClassVar, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from bifente.simulator.cards.cpx.fields import Byte, Codec, Day, Digits, Hex, Tagged, Texts, Words
from bifente.simulator.iso7816 import tlv

Language = Literal["fr", "en"]

NAME_LENGTH = 27
MAX_DATA = 0x7FFF
MAX_ACTIVITIES = 16
MAX_SITUATIONS = 8

_ONE_BYTE = 0x7F
_TWO_BYTES = 0xFF


class BusinessError(ValueError):
    """The bytes or values cannot be this business data object; the text names the object and the field."""


class _Tree(BaseModel):
    """Fields under one tag."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    TAG: ClassVar[int]
    # The issuer's card tool reads one-byte lengths; only some objects may use 81 xx (observed for E4).
    LONGEST: ClassVar[int] = _ONE_BYTE

    @field_validator("*")
    @classmethod
    def _fits(cls, value: Any, info: Any) -> Any:
        """Refuse at construction what could not be written."""
        place = cls.places().get(info.field_name)
        if place is not None and value is not None:
            place.codec.encode(value)
        return value

    @classmethod
    @cache
    def places(cls) -> Mapping[str, Tagged]:
        """Where each field lies, in writing order."""
        return {
            name: item for name, info in cls.model_fields.items() for item in info.metadata if isinstance(item, Tagged)
        }

    def body(self) -> bytes:
        """The inner objects. Raises BusinessError if a field is missing before another of the same tag."""
        values: dict[int, list[bytes]] = {}
        missing: dict[int, str] = {}
        for name, place in self.places().items():
            value = getattr(self, name)
            if value is None:
                missing.setdefault(place.tag, name)
                continue
            if place.tag in missing:
                raise BusinessError(f"{name} cannot be written without {missing[place.tag]}, which comes before it")
            values.setdefault(place.tag, []).append(place.codec.encode(value))
        return b"".join(tlv.encode(tag, *parts) for tag, parts in values.items())

    @classmethod
    def read(cls, data: bytes) -> Self:
        """The object whose inner objects are ``data``. Raises ValueError."""
        by_tag: dict[int, list[tuple[str, Codec]]] = {}
        for name, place in cls.places().items():
            by_tag.setdefault(place.tag, []).append((name, place.codec))
        values: dict[str, Any] = {}
        for tag, value in _objects(data):
            if tag not in by_tag:
                raise ValueError(f"tag {tag:02X} is unknown here")
            if by_tag[tag][0][0] in values:
                raise ValueError(f"tag {tag:02X} appears twice")
            for name, part in _split(by_tag[tag], value):
                try:
                    values[name] = _codec(by_tag[tag], name).decode(part)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None
        return cls(**values)


class BusinessObject(_Tree):
    """One object of the card. ``NAME`` is its label on the card, ``{:02}`` standing for the number of a series."""

    NAME: ClassVar[str]

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the bytes of a file; zeros after the object are its unused end. Raises BusinessError."""
        try:
            return cls._decoded(bytes(data))
        except ValidationError as error:
            raise BusinessError(f"{cls.NAME}: {explain(error)}") from error
        except ValueError as error:
            raise BusinessError(f"{cls.NAME}: {error}") from error

    @classmethod
    @lru_cache(maxsize=1024)
    def _decoded(cls, data: bytes) -> Self:
        # Nothing changes once read, and a software reads the same cards for each sheet.
        tag, value = next(_objects(data), (None, b""))
        if tag is None:
            raise ValueError("the file is empty")
        if tag != cls.TAG:
            raise ValueError(f"tag {tag:02X} found, {cls.TAG:02X} expected")
        return cls.read(value)

    def encode(self) -> bytes:
        """The bytes of the file. Raises BusinessError if the fields together are too long for one object."""
        try:
            body = self.body()
        except BusinessError as error:
            raise BusinessError(f"{self.NAME}: {error}") from error
        if len(body) > self.LONGEST:
            raise BusinessError(f"{self.NAME}: its fields take {len(body)} bytes; {self.LONGEST} fit, shorten a text")
        return tlv.encode(self.TAG, body)

    def rows(self, language: Language = "en") -> list[tuple[str, str]]:
        """(label, value) of every field present, for people."""
        return list(_rows(self, language))


class CardIdentity(BusinessObject):
    """CPS_ID_CARD: which card it is."""

    NAME = "CPS_ID_CARD"
    TAG = 0xE3

    issuer: Annotated[str | None, Tagged(0x80, Digits(1, 11), "Émetteur", "Issuer", "modelled")] = None
    card_number: Annotated[str | None, Tagged(0x81, Digits(10, 10), "Numéro de carte", "Card number", "observed")] = (
        None
    )
    card_type: Annotated[str | None, Tagged(0x82, Hex(2), "Type de carte", "Card type", "modelled")] = None
    issue_date: Annotated[date | None, Tagged(0x83, Day(), "Émise le", "Issued on", "observed")] = None
    expiry_date: Annotated[date | None, Tagged(0x84, Day(), "Expire le", "Expires on", "observed")] = None


class HolderName(BusinessObject):
    """CPS_NAME_PS: the holder's names. Which name is in 81 and which in 82 is ours."""

    NAME = "CPS_NAME_PS"
    TAG = 0xE4
    LONGEST = _TWO_BYTES

    civility: Annotated[int | None, Tagged(0x80, Byte(), "Civilité", "Civility", "observed")] = None
    family_name: Annotated[str | None, Tagged(0x81, Words(NAME_LENGTH), "Nom", "Family name", "modelled")] = None
    birth_name: Annotated[
        str | None, Tagged(0x82, Words(NAME_LENGTH), "Nom de naissance", "Birth name", "modelled")
    ] = None
    given_names: Annotated[
        tuple[str, ...] | None, Tagged(0x83, Texts(3, NAME_LENGTH), "Prénoms", "Given names", "modelled")
    ] = None
    given_name: Annotated[
        str | None, Tagged(0x84, Words(NAME_LENGTH), "Prénom affiché", "Given name shown", "observed")
    ] = None


class HolderProfession(BusinessObject):
    """CPS_INFO_PS: the holder's profession. The speciality comes last: clients read the last four characters."""

    NAME = "CPS_INFO_PS"
    TAG = 0xED

    profession: Annotated[str | None, Tagged(0x80, Digits(2, 2), "Profession", "Profession", "modelled")] = None
    flags: Annotated[int | None, Tagged(0x80, Byte(), "Indicateurs", "Flags", "modelled")] = None
    national_id: Annotated[
        str | None, Tagged(0x81, Words(NAME_LENGTH), "Identifiant national", "National id", "observed")
    ] = None
    code_82: Annotated[int | None, Tagged(0x82, Byte(), "Code 82", "Code 82", "modelled")] = None
    code_83: Annotated[int | None, Tagged(0x83, Byte(), "Code 83", "Code 83", "modelled")] = None
    practice_name: Annotated[
        str | None, Tagged(0x84, Words(NAME_LENGTH), "Nom d'exercice", "Practice name", "observed")
    ] = None
    speciality: Annotated[
        str | None,
        Tagged(
            0x85,
            Words(4, lambda text: _match(text, "four characters", r".{4}")),
            "Spécialité",
            "Speciality",
            "observed",
        ),
    ] = None


class Activity(BusinessObject):
    """CPS_ACTIVITY_nn_PS: one exercise situation (SEED-CPS-09). Numbers of a card may have holes."""

    NAME = "CPS_ACTIVITY_{:02}_PS"
    TAG = 0xEE

    mode: Annotated[int | None, Tagged(0x80, Byte(), "Mode d'exercice", "Practice mode", "observed")] = None
    mode_detail: Annotated[
        int | None, Tagged(0x80, Byte(), "Mode d'exercice, suite", "Practice mode, second byte", "modelled")
    ] = None
    speciality_codes: Annotated[
        str | None, Tagged(0x81, Hex(8), "Codes spécialité ADELI", "ADELI speciality codes", "observed")
    ] = None
    code_82: Annotated[str | None, Tagged(0x82, Words(8), "Code 82", "Code 82", "modelled")] = None
    code_83: Annotated[str | None, Tagged(0x83, Words(2), "Code 83", "Code 83", "modelled")] = None
    structure: Annotated[str | None, Tagged(0x84, Words(64), "Structure", "Structure", "observed")] = None
    structure_id: Annotated[
        str | None,
        Tagged(
            0x85,
            Words(20, lambda text: _structure_id(text)),
            "Identifiant de structure",
            "Structure id",
            "observed",
        ),
    ] = None
    sector: Annotated[
        str | None,
        Tagged(
            0x86,
            Words(4, lambda text: _match(text, "SA and two digits", r"SA\d\d")),
            "Secteur d'activité",
            "Sector",
            "observed",
        ),
    ] = None


class BillingSituation(_Tree):
    """One line of CPS_SIT_FACT. A card tool parsed it without error and showed nothing of it."""

    TAG = 0xA0

    number: Annotated[int | None, Tagged(0x80, Byte(), "Situation n°", "Situation", "modelled")] = None
    billing_id: Annotated[
        str | None, Tagged(0x81, Digits(9, 10), "Numéro de facturation", "Billing number", "modelled")
    ] = None
    code_82: Annotated[str | None, Tagged(0x82, Digits(6, 6), "Code 82", "Code 82", "modelled")] = None
    code_83: Annotated[str | None, Tagged(0x83, Digits(6, 6), "Code 83", "Code 83", "modelled")] = None
    signing_rights: Annotated[int | None, Tagged(0x84, Byte(), "Droits de signature", "Signing rights", "modelled")] = (
        None
    )


class Billing(BusinessObject):
    """CPS_SIT_FACT: the billing situations (SEED-CPS-10), in the CPS2ter part of the card."""

    NAME = "CPS_SIT_FACT"
    TAG = 0xE0
    LONGEST = _TWO_BYTES

    situations: tuple[BillingSituation, ...] = ()

    @field_validator("situations")
    @classmethod
    def _few(cls, value: tuple[BillingSituation, ...]) -> tuple[BillingSituation, ...]:
        if len(value) > MAX_SITUATIONS:
            raise ValueError(f"{len(value)} billing situations given; a card holds {MAX_SITUATIONS}")
        return value

    def body(self) -> bytes:
        """The situations, one A0 each."""
        return b"".join(tlv.encode(BillingSituation.TAG, item.body()) for item in self.situations)

    @classmethod
    def read(cls, data: bytes) -> Self:
        """The situations in ``data``. Raises ValueError."""
        situations = []
        for tag, value in _objects(data):
            if tag != BillingSituation.TAG:
                raise ValueError(f"tag {tag:02X} found, {BillingSituation.TAG:02X} expected")
            situations.append(BillingSituation.read(value))
        return cls(situations=tuple(situations))


class Languages(BusinessObject):
    """CPS_LANG_PS: the holder's language. Its real content is unknown; all of it is modelled, in two forms."""

    NAME = "CPS_LANG_PS"
    TAG = 0xE5

    language: Annotated[
        str | None,
        Tagged(
            0x80,
            Words(8, lambda text: _match(text, "codes of two letters", r"([a-z]{2})+")),
            "Langue",
            "Language",
            "modelled",
        ),
    ] = None

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the bytes of a file in either form. Raises BusinessError."""
        if cls is Languages and data.startswith(LanguagePreference.HEAD):
            return cast(Self, LanguagePreference.decode(data))
        return super().decode(data)


class LanguagePreference(Languages):
    """The same as ISO/IEC 7816-6 writes it: ``5F 2D``, length, codes of two letters."""

    HEAD: ClassVar[bytes] = b"\x5f\x2d"

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the bytes of a file. Raises BusinessError."""
        text = data[3 : 3 + data[2]] if len(data) > 2 else b""
        if not data.startswith(cls.HEAD) or not text or len(text) != data[2] or any(data[3 + data[2] :]):
            raise BusinessError(f"{cls.NAME}: no language preference 5F2D")
        try:
            return cls(language=text.decode("latin-1"))
        except ValidationError as error:
            raise BusinessError(f"{cls.NAME}: {explain(error)}") from error

    def encode(self) -> bytes:
        """The bytes of the file."""
        return tlv.encode(0x5F2D, (self.language or "").encode("ascii"))


class HolderData(BaseModel):
    """CPS_DATA: free bytes the holder may write, as many as its file holds (the size is the layout's)."""

    NAME: ClassVar[str] = "CPS_DATA"

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    content: bytes = b""

    @field_validator("content")
    @classmethod
    def _fits(cls, value: bytes) -> bytes:
        if len(value) > MAX_DATA:
            raise ValueError(f"{len(value)} bytes given; CPS_DATA holds at most {MAX_DATA}")
        return value

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the bytes of the file. Raises BusinessError if they are too many."""
        try:
            return cls(content=data)
        except ValidationError as error:
            raise BusinessError(f"{cls.NAME}: {explain(error)}") from error

    def encode(self) -> bytes:
        """The bytes of the file."""
        return self.content

    def rows(self, language: Language = "en") -> list[tuple[str, str]]:
        """(label, value), for people."""
        return [("Données" if language == "fr" else "Data", self.content.hex().upper())]


_MODELS: tuple[type[BusinessObject] | type[HolderData], ...] = (
    HolderData,
    CardIdentity,
    HolderName,
    Languages,
    HolderProfession,
    Activity,
    Billing,
)
#: The model of every business object by its name on the card.
OBJECTS: Mapping[str, type[BusinessObject] | type[HolderData]] = {
    model.NAME.format(number): model for model in _MODELS for number in range(1, MAX_ACTIVITIES + 1)
}


def decode(name: str, data: bytes) -> BusinessObject | HolderData:
    """The business object called ``name`` on the card. Raises BusinessError (unknown name, malformed bytes)."""
    model = OBJECTS.get(name)
    if model is None:
        raise BusinessError(f"{name} is no business object whose content is known")
    try:
        return model.decode(data)
    except BusinessError as error:
        raise BusinessError(str(error).replace(model.NAME, name)) from error


def explain(error: ValidationError) -> str:
    """The faults of a model in one line: ``field: what is wrong; field: ...``."""
    return "; ".join(
        f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].removeprefix('Value error, ')}" for fault in error.errors()
    )


def _rows(tree: _Tree, language: Language) -> Iterator[tuple[str, str]]:
    places = tree.places()
    for name in type(tree).model_fields:
        value = getattr(tree, name)
        if name in places and value is not None:
            text = " ".join(value) if isinstance(value, tuple) else str(value)
            yield places[name].label(language), text
        elif isinstance(value, tuple):
            for item in value:
                yield from _rows(item, language)


def _objects(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, value) of each object, up to a tag 00: these lists are ended by it, which general BER-TLV does not know."""
    position = 0
    while position < len(data) and data[position]:
        header = data[position : position + 3]
        if len(header) < 2:
            raise ValueError(f"length missing at byte {position}")
        start, length = position + 2, header[1]
        if length == 0x81 and len(header) == 3:
            start, length = position + 3, header[2]
        elif length > _ONE_BYTE:
            raise ValueError(f"length {length:02X} at byte {position + 1} has a form these objects do not use")
        if start + length > len(data):
            raise ValueError(f"tag {header[0]:02X} announces {length} bytes, {len(data) - start} are left")
        yield header[0], data[start : start + length]
        position = start + length


def _split(fields: list[tuple[str, Codec]], value: bytes) -> Iterator[tuple[str, bytes]]:
    """Share the value of a tag among the fields that follow each other in it; later ones may be absent."""
    for index, (name, codec) in enumerate(fields):
        last = index == len(fields) - 1
        size = len(value) if last or codec.size is None else codec.size
        if index and not value:
            return
        yield name, value[:size]
        value = value[size:]


def _codec(fields: list[tuple[str, Codec]], name: str) -> Codec:
    return dict(fields)[name]


def _match(value: str, words: str, pattern: str) -> None:
    if not re.fullmatch(pattern, value, re.ASCII):
        raise ValueError(f"{value!r} must be {words}")


def _structure_id(value: str) -> None:
    """Shape only: cards read from outside may hold any structure; templates check the number itself."""
    lengths = {"1": 10, "3": 15, "4": 15}
    expected = lengths.get(value[:1])
    if expected is not None and len(value) != expected:
        raise ValueError(f"{value!r} has {len(value)} characters; type {value[0]} takes {expected}")
