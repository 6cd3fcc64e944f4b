"""PKCS#11: what lies on a token; and functions that no other step calls."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from bifente.conformance.domains.card.steps.business import FIELD_NAMES, decode
from bifente.conformance.domains.pkcs11.steps.session import RV, ObjectClass, Pkcs11Step, Token, done, seen
from bifente.conformance.expectations import BytesMatcher, TlvMatcher, ValueMatcher
from bifente.conformance.scenario.step import Hex, Observation, Observes
from bifente.conformance.targets import cryptoki
from bifente.conformance.targets.pkcs11 import CryptokiError
from bifente.ground.text import Text
from bifente.simulator.cards.cpx.personalise import PersonalisedCard

Attribute = Literal[
    "CKA_CLASS",
    "CKA_TOKEN",
    "CKA_PRIVATE",
    "CKA_LABEL",
    "CKA_VALUE",
    "CKA_ID",
    "CKA_SENSITIVE",
    "CKA_ENCRYPT",
    "CKA_DECRYPT",
    "CKA_SIGN",
    "CKA_VERIFY",
    "CKA_MODULUS",
    "CKA_PUBLIC_EXPONENT",
    "CKA_PRIVATE_EXPONENT",
    "CKA_PRIME_1",
    "CKA_EXTRACTABLE",
    "CKA_NEVER_EXTRACTABLE",
    "CKA_MODIFIABLE",
]


def _wanted(kind: str | None, label: str | None) -> dict[str, int | bytes]:
    found: dict[str, int | bytes] = {}
    if kind is not None:
        found["CKA_CLASS"] = cryptoki.CLASSES[kind]
    if label is not None:
        found["CKA_LABEL"] = label.encode()
    return found


class Objects(Pkcs11Step):
    """C_FindObjects: the objects of a class, of a label, or all; ``handle`` is the first one's."""

    name: ClassVar[str] = "p11-objects"
    title: ClassVar[Text] = Text("Chercher des objets", "Search for objects")
    observes: ClassVar[Observes] = {**RV, **dict.fromkeys(("count", "labels", "handle"), ValueMatcher())}

    kind: ObjectClass | None = Field(default=None, alias="class", description="class of the object")
    label: str | None = Field(default=None, description="label of the object")

    def use(self, token: Token) -> Observation:
        """Search, and read their labels."""
        found = token.module.find(token.session, **_wanted(self.kind, self.label))
        labels = sorted(label for handle in found if (label := _label(token, handle)) is not None)
        first = {"handle": found[0]} if found else {}
        return seen(decoded=(("labels", ", ".join(labels)),), count=len(found), labels=labels, **first)


def _label(token: Token, handle: int) -> str | None:
    """The label of an object, if it has one: not every kind does."""
    try:
        return cryptoki.text(token.module.attribute(token.session, handle, "CKA_LABEL").decode(errors="replace"))
    except CryptokiError:
        return None


class ReadObject(Pkcs11Step):
    """C_GetAttributeValue of CKA_VALUE: what a data object or a certificate holds; a business object is decoded.

    ``as-stored``: whether it is, byte for byte, what the bench personalised the card with; absent for a real card.
    """

    name: ClassVar[str] = "p11-read"
    title: ClassVar[Text] = Text("Lire un objet par le module", "Read an object through the module")
    shorthand: ClassVar[str] = "object"
    observes: ClassVar[Observes] = {
        **RV,
        "data": BytesMatcher(),
        "tlv": TlvMatcher(),
        "as-stored": ValueMatcher(),
        **dict.fromkeys(FIELD_NAMES, ValueMatcher()),
    }

    label: str = Field(alias="object", description="its label, e.g. CPS_ACTIVITY_01_PS")
    kind: ObjectClass = Field(default="data", alias="class", description="class of the object")

    def use(self, token: Token) -> Observation:
        """Read it."""
        handle = token.find(**_wanted(self.kind, self.label))
        data = token.module.attribute(token.session, handle, "CKA_VALUE")
        fields, decoded = decode(self.label, data)
        made = token.act.card.made_as(PersonalisedCard)
        stored = {"as-stored": made.objects[self.label].encode() == data} if made and self.label in made.objects else {}
        return Observation({"rv": "CKR_OK", "data": data, "tlv": data, **stored, **fields}, decoded)


class ReadAttribute(Pkcs11Step):
    """C_GetAttributeValue of one attribute; ``value`` is true or false where the attribute is, its text for a label."""

    name: ClassVar[str] = "p11-attribute"
    title: ClassVar[Text] = Text("Lire un attribut", "Read an attribute")
    observes: ClassVar[Observes] = {**RV, "data": BytesMatcher(), "value": ValueMatcher()}

    label: str = Field(alias="object", description="the object's label")
    kind: ObjectClass = Field(default="data", alias="class", description="class of the object")
    attribute: Attribute = Field(description="name of the attribute")

    def use(self, token: Token) -> Observation:
        """Read it."""
        handle = token.find(**_wanted(self.kind, self.label))
        data = token.module.attribute(token.session, handle, self.attribute)
        values: dict[str, Any] = {"data": data}
        if self.attribute in cryptoki.TRUTHS:
            values["value"] = any(data)
        elif self.attribute == "CKA_LABEL":
            values["value"] = cryptoki.text(data.decode(errors="replace"))
        return seen(**values)


class WriteObject(Pkcs11Step):
    """C_SetAttributeValue: write an object, or try another of its attributes."""

    name: ClassVar[str] = "p11-write"
    title: ClassVar[Text] = Text("Écrire un objet par le module", "Write an object through the module")

    label: str = Field(alias="object", description="its label, e.g. CPS_DATA")
    data: Hex = Field(description="bytes, in hexadecimal")
    attribute: Attribute = Field(default="CKA_VALUE", description="name of the attribute")

    def use(self, token: Token) -> Observation:
        """Write it."""
        handle = token.find(**_wanted("data", self.label))
        kind = cryptoki.ATTRIBUTES[self.attribute]
        return done(
            token.module.call(
                "C_SetAttributeValue", session=token.session, object=handle, type=kind, value=self.data.hex()
            )
        )


_ON_AN_OBJECT = frozenset({"C_DestroyObject", "C_WrapKey", "C_UnwrapKey", "C_DeriveKey", "C_DigestKey"})
_WITH_DATA = {"C_SeedRandom": "00" * 8, "C_EncryptUpdate": "00" * 8}


class CallFunction(Pkcs11Step):
    """Call a function with plain arguments, to see whether the module has it at all.

    C_InitToken is given the label ``TEST`` and an empty code; functions on an object or a key are given ``object``.
    """

    name: ClassVar[str] = "p11-call"
    title: ClassVar[Text] = Text("Appeler une fonction", "Call a function")
    shorthand: ClassVar[str] = "function"

    function: Literal[
        "C_InitToken",
        "C_CreateObject",
        "C_DestroyObject",
        "C_GenerateKey",
        "C_GenerateKeyPair",
        "C_WrapKey",
        "C_UnwrapKey",
        "C_DeriveKey",
        "C_DigestKey",
        "C_SeedRandom",
        "C_EncryptUpdate",
        "C_EncryptFinal",
    ] = Field(description="function of the module")
    label: str = Field(default="CPS_DATA", alias="object", description="label of the object")

    def use(self, token: Token) -> Observation:
        """Call it."""
        if self.function == "C_InitToken":
            return done(token.module.call(self.function, slot=token.slot, pin="", label="TEST"))
        given: dict[str, Any] = {"session": token.session}
        if self.function in _ON_AN_OBJECT:
            given["object"] = token.find(**_wanted(None, self.label))
        if self.function in _WITH_DATA:
            given["data"] = _WITH_DATA[self.function]
        if self.function == "C_CreateObject":
            given["label"] = "TEST"
        return done(token.module.call(self.function, **given))
