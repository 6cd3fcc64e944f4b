"""What PKCS#15 says on the cards of a family, as data (``<family>/description.yaml``): labels, flags, usages, order.

Paths, code lengths and references are not here: they come from the layout, so that there is one place to change them.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bifente.ground.identifiers import luhn_key
from bifente.ground.shipped import shipped
from bifente.simulator.cards.cpx.elementary import ISSUER
from bifente.simulator.cards.families import family_named
from bifente.simulator.cards.layout import HexBytes

Flags = tuple[str, ...]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TokenDescription(_Model):
    """EF.TokenInfo. In the label ``{number}`` stands for the card number; ``algorithms``: whether it lists those of the
    card, or the operations whose algorithms it lists; ``dated``: it tells the last update.
    """

    manufacturer: str
    label: str
    flags: Flags
    algorithms: bool | Flags
    dated: bool
    last_update: Literal["explicit", "implicit"]


class CodeObject(_Model):
    """One entry of EF.AODF. ``guardian`` is the id of the code that unblocks this one."""

    secret: str
    id: int
    label: str
    pin_flags: Flags
    flags: Flags = ()
    guardian: int | None = None
    pad: HexBytes | None = None


class KeyFiles(_Model):
    """What PKCS#15 says of one key pair, and the names of its files in the layout.

    ``private_path`` names where the private key is said to lie, nowhere if empty; ``free``: no code opens it.
    """

    key: str
    id_suffix: int
    private_label: str
    private_flags: Flags
    usage: Flags
    public_label: str
    public_usage: Flags
    public_file: str
    certificate_label: str
    certificate_file: str
    operations: Flags = ()
    private_path: str = ""
    free: bool = False


class ContactlessToken(_Model):
    """The token of its own that a card shows without contact. ``suffix`` ends the names of its files in the layout."""

    suffix: str
    token: TokenDescription
    directories: Flags
    data_objects: Flags
    keys: tuple[KeyFiles, ...]


class HolderDataKind(StrEnum):
    """How a card holds CPS_DATA."""

    ABSENT = "absent"
    FIXED = "fixed"
    MODIFIABLE = "modifiable"


class Serial(_Model):
    """How EF.SN follows from the serial number of a template.

    ``shift`` moves its last six digits, so that the same template gives cards of different numbers in two families:
    clients cache files by it (CARD-CPS4-33). ``check``: its last byte holds a Luhn digit, else 0.
    """

    shift: Annotated[int, Field(ge=0, lt=1_000_000)] = 0
    check: bool = False

    def number(self, serial: str) -> str:
        """The eight digits on the card."""
        return f"{serial[:2]}{(int(serial[2:]) + self.shift) % 1_000_000:06}"

    def key(self, number: str) -> str:
        """The digit that follows them."""
        return luhn_key(ISSUER + number) if self.check else "0"


class Description(_Model):
    """A family seen by personalisation.

    ``application`` names the AID that key identifiers begin with; ``directories`` are in the order of EF.ODF;
    ``empty_flags``: an object without flags says so; ``language`` is the form of CPS_LANG_PS. ``options`` and
    ``lifecycles`` of templates are those that cards of the family may have. ``public_keys``: a card has a directory of
    public keys unless its template says otherwise; ``holder_data``: the same of CPS_DATA.
    """

    family: str
    application: str
    serial: Serial
    token: TokenDescription
    directories: Flags
    empty_flags: bool
    private_key_access: Flags
    private_key_native: bool
    public_key_reference: bool
    codes: tuple[CodeObject, ...]
    keys: tuple[KeyFiles, ...]
    language: Literal["object", "preference"]
    public_keys: bool
    holder_data: HolderDataKind
    options: Flags
    lifecycles: Flags
    contactless: ContactlessToken | None = None

    @property
    def key_pairs(self) -> tuple[KeyFiles, ...]:
        """Those of all tokens of the card."""
        return (*self.keys, *(self.contactless.keys if self.contactless else ()))

    @property
    def user(self) -> bytes:
        """The id by which objects name the code that opens them: the first one, since a client looks no further."""
        return bytes([self.codes[0].id])


@cache
def description(family: str) -> Description:
    """Return the description of a family. Raise ValueError for an unknown one."""
    return Description.model_validate(shipped(family_named(family).package, "description.yaml"))
