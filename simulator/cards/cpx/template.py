"""Card templates: who holds the card, what it says, in which state it is. YAML in, checked data out.

A template says nothing of bytes: ``personalise`` turns it into a card. All that could pass for a real person or place
is refused (BENCH-01, SV-ID-03): numbers must lie in laboratory ranges, names must say TEST or SPECIMEN.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from bifente.ground import identifiers
from bifente.ground.text import Text
from bifente.simulator.cards.cpx.business import (
    MAX_ACTIVITIES,
    MAX_SITUATIONS,
    Activity,
    BillingSituation,
    BusinessObject,
    CardIdentity,
    HolderData,
    HolderName,
    HolderProfession,
    Languages,
)
from bifente.simulator.cards.cpx.description import HolderDataKind, description
from bifente.simulator.cards.families import layout
from bifente.simulator.cards.layout import Layout
from bifente.simulator.cards.template import FidelityNote, Loc
from bifente.simulator.iso7816.image import Interface
from bifente.simulator.pki.authority import AUTHORITY_VALIDITY, CertificateLevel
from bifente.simulator.pki.certificate_profiles import KeyUsageBit


class CardType(StrEnum):
    """The types of the family (SEED-CPS-12)."""

    CPS = "CPS"
    CPF = "CPF"
    CDE = "CDE"
    CDA = "CDA"
    CPE = "CPE"
    CPA = "CPA"


class Lifecycle(StrEnum):
    """The state in which the card is handed out."""

    NEVER_UPDATED = "never-updated"
    UPDATED = "updated"
    DAMAGED_UPDATE = "damaged-update"
    EMPTY_UPDATE = "empty-update"
    PIN_BLOCKED = "pin-blocked"
    PUK_EXHAUSTED = "puk-exhausted"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Mode(StrEnum):
    """How the holder practises in a place."""

    LIBERAL = "liberal"
    SALARIE = "salarie"


class Directory(StrEnum):
    """How EF.DIR leads to the application (CARD-CPS4-08).

    A client finds no token by ``without-path``; without EF.DIR, or with an application it does not know, it looks in
    the folder 5015.
    """

    PATH = "path"
    DESCRIBED = "described"
    WITHOUT_PATH = "without-path"
    UNKNOWN_APPLICATION = "unknown-application"
    ABSENT = "absent"


#: Where PKCS#15 lies on a card whose EF.DIR does not tell.
_DEFAULT_FOLDER = "5015"

#: Code of a practice mode in an activity object (observed).
MODE_CODES: Mapping[Mode, int] = {Mode.LIBERAL: 0, Mode.SALARIE: 1}


@dataclass(frozen=True, slots=True)
class TypeRule:
    """What depends on the type of a card.

    ``code`` is the card type of certificates; ``by_rpps`` says whether the holder is known by an RPPS number, else by
    a structure; ``title`` and ``level`` are what the certificates take unless the template says otherwise.
    """

    code: int
    by_rpps: bool
    title: str | None
    level: CertificateLevel


#: Codes: client code for CPS, CPF, CPE and CPA; a CDA counts as a CDE. Titles and levels: CPS and CPE documented or
#: observed (SEED-PKI-09, SEED-PKI-10), the rest modelled.
TYPES: Mapping[CardType, TypeRule] = {
    CardType.CPS: TypeRule(0, True, None, CertificateLevel.FORT),
    CardType.CPF: TypeRule(1, True, None, CertificateLevel.FORT),
    CardType.CDE: TypeRule(2, False, "Directeur de structure", CertificateLevel.FORT),
    CardType.CDA: TypeRule(2, False, "Directeur adjoint de structure", CertificateLevel.FORT),
    CardType.CPE: TypeRule(2, False, "Carte de service santé ou social", CertificateLevel.ELEMENTAIRE),
    CardType.CPA: TypeRule(3, False, "Personne autorisée", CertificateLevel.ELEMENTAIRE),
}


def _fits(model: type[BusinessObject] | type[BillingSituation], field: str) -> AfterValidator:
    """Refuse what this field of this business object could not hold."""

    def check(value: Any) -> Any:
        model.places()[field].codec.encode(value)
        return value

    return AfterValidator(check)


def _marked(value: str) -> str:
    if "TEST" not in value and "SPECIMEN" not in value:
        raise ValueError(f"{value!r} could be real: put TEST or SPECIMEN in it")
    return value


def _card_number(value: str) -> str:
    if not value.startswith("99"):
        raise ValueError(f"card number {value} could be a real one: a laboratory number begins with 99")
    return value


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CardData(_Model):
    """The card itself. ``serial`` is unique to a template: clients cache files by it (CARD-CPS3-37).

    Without dates the card is in the middle of its three years, counted in whole calendar years from the clock.
    """

    type: CardType
    serial: Annotated[str, Field(pattern=r"^[0-9]{8}$")]
    number: Annotated[str, _fits(CardIdentity, "card_number"), AfterValidator(_card_number)]
    issued: date | None = None
    expires: date | None = None


class CodesData(_Model):
    """Holder code and unblocking code; their lengths are the family's."""

    pin: Annotated[str, Field(pattern=r"^[0-9]+$", repr=False)]
    puk: Annotated[str, Field(pattern=r"^[0-9]+$", repr=False)]


class ProfessionData(_Model):
    """A profession: its code (10 = physician) and how the certificate's title says it."""

    code: Annotated[int, Field(ge=1, le=99)]
    title: str


class CardHolder(_Model):
    """The person. Known by ``rpps``, or by ``employee_number`` in the template's structure; without names the card is
    non-nominative and takes a ``pseudonym``.
    """

    rpps: Annotated[str, AfterValidator(identifiers.RPPS.check)] | None = None
    employee_number: Annotated[str, Field(pattern=r"^[0-9A-Z]{1,12}$")] | None = None
    pseudonym: Annotated[str, AfterValidator(_marked), Field(max_length=64)] | None = None
    civility: Annotated[int, _fits(HolderName, "civility")] | None = None
    family_name: Annotated[str, _fits(HolderName, "family_name"), AfterValidator(_marked)] | None = None
    birth_name: Annotated[str, _fits(HolderName, "birth_name"), AfterValidator(_marked)] | None = None
    given_names: Annotated[tuple[str, ...], _fits(HolderName, "given_names")] | None = None
    practice_name: Annotated[str, _fits(HolderProfession, "practice_name"), AfterValidator(_marked)] | None = None
    title: str | None = None
    profession: ProfessionData | None = None
    speciality: Annotated[str, Field(pattern=r"^[A-Z]{2,3}[0-9]{2}$")] | None = None

    @property
    def nominative(self) -> bool:
        """Whether the card names its holder."""
        return self.family_name is not None


class StructureData(_Model):
    """The structure a card belongs to: type digit and number, legal name, department as certificates write it."""

    id: Annotated[str, AfterValidator(identifiers.check_structure_id)]
    name: Annotated[str, AfterValidator(_marked), Field(max_length=64)]
    department: str = "Paris (75)"


class ActivityData(_Model):
    """One exercise situation; ``number`` is that of its file, and numbers may have holes."""

    number: Annotated[int, Field(ge=1, le=MAX_ACTIVITIES)]
    mode: Mode
    structure: Annotated[str, _fits(Activity, "structure"), AfterValidator(_marked)]
    structure_id: Annotated[str, AfterValidator(identifiers.check_structure_id)]
    sector: Annotated[str, _fits(Activity, "sector")]
    speciality_codes: Annotated[str, _fits(Activity, "speciality_codes")] | None = None
    code_82: Annotated[str, _fits(Activity, "code_82")] | None = None
    code_83: Annotated[str, _fits(Activity, "code_83")] | None = None


class BillingData(_Model):
    """One billing situation."""

    number: Annotated[int, Field(ge=1, le=MAX_SITUATIONS)]
    billing_id: Annotated[str, AfterValidator(identifiers.BILLING.check)]
    code_82: Annotated[str, _fits(BillingSituation, "code_82")] | None = None
    code_83: Annotated[str, _fits(BillingSituation, "code_83")] | None = None
    signing_rights: Annotated[int, _fits(BillingSituation, "signing_rights")] | None = None


class Certificate(_Model):
    """One certificate: its days of validity, both or neither, and its keyUsage if not the usual one (PKI-02)."""

    start: date | None = None
    end: date | None = None
    key_usage: tuple[KeyUsageBit, ...] | None = None


class Certificates(_Model):
    """Both certificates. ``key_size`` is in bits; clients know no other sizes (CARD-CPS3-42)."""

    level: Literal["elementaire", "standard", "fort"] | None = None
    key_size: Literal[1024, 2048] = 2048
    signature: Certificate = Certificate()
    authentication: Certificate = Certificate()


class Options(_Model):
    """What cards may do either way; not every family has every option.

    ``pin_consumed_by_signature``: each signature spends the code (unknown of real cards, CARD-CPS3-62: modelled).
    ``atr`` names one of the family's other ATRs. ``folder`` is the identifier of the application's folder, by default
    that of the layout, or 5015 if EF.DIR does not lead to it. ``dated``: EF.TokenInfo tells the last update.
    ``include_pukdf``: a directory of public keys, ``cps_data``: how CPS_DATA is there, both as the family has them by
    default.
    """

    include_pukdf: bool | None = None
    cps_data: HolderDataKind | None = None
    pin_consumed_by_signature: bool = False
    interface: Literal["contact", "contactless"] = "contact"
    atr: str | None = None
    directory: Directory = Directory.PATH
    folder: Annotated[str, Field(pattern=r"^[0-9A-F]{4}$")] | None = None
    dated: bool = False


FAMILIES = ("cps3", "cps4")
"""The families of cards that these templates make."""


class Template(_Model):
    """A card before it is made. Obtain one from ``parse_template``, which checks more than the model can.

    ``layout`` replaces values of the family's layout for this card alone: whatever is a guess there can be another.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Text
    fidelity: FidelityNote
    family: Literal["cps3", "cps4"]
    card: CardData
    codes: CodesData
    holder: CardHolder
    structure: StructureData | None = None
    activities: tuple[ActivityData, ...] = ()
    billing: Annotated[tuple[BillingData, ...], Field(max_length=MAX_SITUATIONS)] = ()
    language: Annotated[str, _fits(Languages, "language")] = "fr"
    certificates: Certificates = Certificates()
    lifecycle: Lifecycle = Lifecycle.NEVER_UPDATED
    options: Options = Options()
    layout: Mapping[str, Any] = {}

    @property
    def rule(self) -> TypeRule:
        """What the type of the card implies."""
        return TYPES[self.card.type]

    @property
    def level(self) -> CertificateLevel:
        """The level of the authority that certifies the card."""
        named = self.certificates.level
        return CertificateLevel[named.upper()] if named else self.rule.level

    @property
    def certificate_title(self) -> str:
        """The title of the certificates: the holder's own, else the profession, else that of the card type."""
        profession = self.holder.profession
        return self.holder.title or (profession.title if profession else None) or self.rule.title or self.card.type

    @property
    def with_public_keys(self) -> bool:
        """Whether the card has a directory of public keys."""
        given = self.options.include_pukdf
        return description(self.family).public_keys if given is None else given

    @property
    def holder_data(self) -> HolderDataKind:
        """How the card holds CPS_DATA."""
        return self.options.cps_data or description(self.family).holder_data

    @property
    def national_id(self) -> str:
        """The holder's national id: 8 + RPPS, or type digit + structure + ``/`` + number in it (PKI-10)."""
        if self.holder.rpps is not None:
            return f"8{self.holder.rpps}"
        if self.structure is None:
            raise ValueError(f"{self.id} has neither an RPPS nor a structure")
        # Type of the person's id by type of the structure's: 3 is in client code, 5 and 6 are modelled.
        kind = {"1": "3", "3": "5", "4": "6"}[self.structure.id[0]]
        return f"{kind}{self.structure.id[1:]}/{self.holder.employee_number}"


def layout_of(template: Template) -> Layout:
    """The layout of this very card: its family's, changed as the template says. Raises ValidationError."""
    base, options = layout(template.family), template.options
    folder = options.folder
    if folder is None and options.directory in (Directory.ABSENT, Directory.UNKNOWN_APPLICATION):
        folder = _DEFAULT_FOLDER
    if folder is not None:
        home = "/".join(f"{part:04X}" for part in base.paths["EF.ODF"][:-1])
        base = base.moved(home, f"{home[:-4]}{folder}")
    if template.holder_data is HolderDataKind.FIXED:
        base = base.changed({"volumes": {base.main: [{"name": HolderData.NAME, "rule": "fixed"}]}})
    return base.changed(template.layout)


def cross_checks(template: Template) -> Iterator[tuple[Loc, str]]:
    """What concerns several fields at once: (where, what is wrong)."""
    yield from _family(template)
    try:
        rules = layout_of(template)
    except ValidationError as error:
        for fault in error.errors():
            yield ("layout", *fault["loc"]), fault["msg"].removeprefix("Value error, ")
    else:
        yield from _codes(template, rules)
    yield from _holder(template)
    for field in ("activities", "billing"):
        yield from _numbers(field, [item.number for item in getattr(template, field)])
    yield from _dates(template)


def _family(template: Template) -> Iterator[tuple[Loc, str]]:
    rules, described, options = layout(template.family), description(template.family), template.options
    card = f"a {template.family.upper()}"
    for name, field in Options.model_fields.items():
        if name not in described.options and getattr(options, name) != field.default:
            yield ("options", name), f"{card} has no such option; it takes {', '.join(described.options)}"
    others = rules.atr[Interface(options.interface)].others if options.interface in rules.atr else {}
    if "atr" in described.options and options.atr is not None and options.atr not in others:
        yield ("options", "atr"), f"{card} has no ATR named {options.atr}; known: {', '.join(others)}"
    if template.lifecycle not in described.lifecycles:
        yield ("lifecycle",), f"{card} is never {template.lifecycle}; it may be {', '.join(described.lifecycles)}"
    if template.certificates.key_size not in rules.key_sizes:
        sizes = " or ".join(map(str, rules.key_sizes))
        yield ("certificates", "key_size"), f"{card} has keys of {sizes} bits"


def _codes(template: Template, rules: Layout) -> Iterator[tuple[Loc, str]]:
    for name, rule in rules.secrets.items():
        if name not in CodesData.model_fields:
            yield ("layout", "secrets", name), "no template gives a value to this code"
            continue
        given = len(getattr(template.codes, name))
        if not rule.min <= given <= rule.max:
            takes = str(rule.max) if rule.min == rule.max else f"{rule.min} to {rule.max}"
            yield ("codes", name), f"{given} digits given, a {template.family.upper()} takes {takes}"


def _holder(template: Template) -> Iterator[tuple[Loc, str]]:
    holder, kind = template.holder, template.card.type
    if template.rule.by_rpps:
        needed: dict[Loc, object] = {
            ("holder", "rpps"): holder.rpps,
            ("holder", "family_name"): holder.family_name,
            ("holder", "given_names"): holder.given_names,
            ("holder", "profession"): holder.profession,
        }
        refused: dict[Loc, object] = {
            ("holder", "employee_number"): holder.employee_number,
            ("holder", "pseudonym"): holder.pseudonym,
        }
    else:
        needed = {("structure",): template.structure, ("holder", "employee_number"): holder.employee_number}
        refused = {("holder", "rpps"): holder.rpps}
        if holder.nominative:
            needed[("holder", "given_names")] = holder.given_names
            refused[("holder", "pseudonym")] = holder.pseudonym
        else:
            needed[("holder", "pseudonym")] = holder.pseudonym
            refused[("holder", "given_names")] = holder.given_names
            if holder.employee_number and not _is_anonymous_number(holder.employee_number):
                yield (
                    ("holder", "employee_number"),
                    "a card without names takes CPET and four digits, such as CPET0001",
                )
    for loc, value in needed.items():
        if value is None:
            yield loc, f"is missing: this {kind} needs it"
    for loc, value in refused.items():
        if value is not None:
            yield loc, f"this {kind} takes none: remove it"


def _is_anonymous_number(number: str) -> bool:
    return number.startswith("CPET") and len(number) == 8 and number[4:].isdigit()


def _numbers(field: str, numbers: list[int]) -> Iterator[tuple[Loc, str]]:
    for index, number in enumerate(numbers):
        if number in numbers[:index]:
            yield (field, index, "number"), f"{number} is already taken by {field}.{numbers.index(number)}"


def _dates(template: Template) -> Iterator[tuple[Loc, str]]:
    card, signed, proved = template.card, template.certificates.signature, template.certificates.authentication
    periods: list[tuple[Loc, str, date | None, str, date | None]] = [
        (("card",), "issued", card.issued, "expires", card.expires),
        (("certificates", "signature"), "start", signed.start, "end", signed.end),
        (("certificates", "authentication"), "start", proved.start, "end", proved.end),
    ]
    for loc, first, start, last, end in periods:
        if start is None and end is None:
            continue
        if template.lifecycle is Lifecycle.EXPIRED:
            yield loc, f"an expired card takes its dates from the clock: remove {first} and {last}"
        elif start is None or end is None:
            yield (*loc, first if start is None else last), "is missing: give both dates or neither"
        elif end < start:
            yield (*loc, last), f"{end} is before {first} {start}"
        elif not AUTHORITY_VALIDITY.start <= start <= end <= AUTHORITY_VALIDITY.end:
            bounds = AUTHORITY_VALIDITY
            yield (
                (*loc, last),
                f"{start} to {end} is not within the laboratory authorities' {bounds.start} to {bounds.end}",
            )
