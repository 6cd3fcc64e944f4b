"""What a care sheet is made of: values that travel, no rule. Amounts are in cents of euro."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import IntEnum, StrEnum


class SecuringMode(IntEnum):
    """How a sheet is secured (SV-FSE-21)."""

    NOT_SECURED = 0
    WITHOUT_VITALE = 1
    VISIT = 2
    SECURED = 3
    DESYNCHRONISED = 4
    DEGRADED = 5


class Nomenclature(StrEnum):
    """Where the code of an act comes from."""

    NGAP = "ngap"
    CCAM = "ccam"


class Insurance(StrEnum):
    """The nature of insurance of a sheet."""

    MALADIE = "maladie"
    MATERNITE = "maternite"
    AT_MP = "at-mp"


class Payment(StrEnum):
    """Who is paid: the insured, who has paid the professional, or the professional."""

    DIRECT = "direct"
    TIERS_PAYANT = "tiers-payant"


class Proof(StrEnum):
    """What shows the rights of the beneficiary (sources#care-sheet: AMO proof)."""

    NONE = "none"
    DOCUMENT = "document"
    ONLINE = "online"
    VITALE = "vitale"


@dataclass(frozen=True, slots=True)
class Person:
    """A professional named on a sheet: ``billing_id`` is the 9-digit AM number, its key included."""

    billing_id: str
    name: str
    first_name: str
    specialty: str = ""


@dataclass(frozen=True, slots=True)
class BillingStructure:
    """Where a professional works, as on the CPS: the type of its identifier, the identifier, its key (may be empty)."""

    kind: str
    number: str
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Professional:
    """Who makes the sheet, from the CPS: the situation d'exercice is the one of ``situation``."""

    billing_id: str
    name: str
    first_name: str
    rpps: str
    situation: int
    specialty: str
    convention: str
    tariff_zone: str
    ik_zone: str
    agreements: tuple[str, str, str]
    card_number: str
    may_sign_invoice: bool
    may_sign_lot: bool
    test: bool
    salaried: bool = False
    structure: BillingStructure | None = None


@dataclass(frozen=True, slots=True)
class Complementary:
    """A complementary insurer (AMC): identifiers as on the Vitale (group 109), or of a mutuelle (group 107)."""

    id: str
    member: str
    indicator: str
    mutuelle: bool


@dataclass(frozen=True, slots=True)
class CareBeneficiary:
    """Who was cared for, from the Vitale or the apCV. ``birth`` is 8 digits YYYYMMDD, maybe of a lunar month.
    ``certified_nir`` has its key, or is empty; ``coverage`` is the ALD code and the situation code of the card.
    """

    nir: str
    nir_key: str
    name: str
    first_name: str
    birth: str
    rank: int
    quality: int
    regime: str
    caisse: str
    centre: str
    card_serial: str
    certified_nir: str = ""
    exoneration: str = "0"
    alsace_moselle: bool = False
    c2s: bool = False
    ald: bool = False
    rights: tuple[tuple[date, date | None], ...] = ()
    complementary: Complementary | None = None
    apcv: bool = False
    test: bool = True
    coverage: str = ""


@dataclass(frozen=True, slots=True)
class CareAct:
    """One act: its unit price (``base``) and its ``amount`` asked; ``rate`` is the part of the base that the AMO pays,
    percent. The base of reimbursement of the whole line is ``amounts.reimbursable``. ``association`` (0: none) and
    ``modifiers`` (letters) are a CCAM act's; its unit price has them in it.
    """

    nomenclature: Nomenclature
    code: str
    on: date
    quantity: int
    coefficient: Decimal
    base: int
    amount: int
    rate: int
    association: int = 0
    modifiers: str = ""


@dataclass(frozen=True, slots=True)
class PayerShare:
    """What is asked of one payer, in cents."""

    asked: int


@dataclass(frozen=True, slots=True)
class WorkAccident:
    """The accident at work or occupational disease of an AT/MP sheet."""

    on: date
    number: str


@dataclass(frozen=True, slots=True)
class Invoice:
    """A care sheet before it is secured. ``number`` is 1 to 999,999,999; ``body`` is the destination body, 9 digits
    régime + caisse + centre of who receives it; ``care_path`` a letter of sources#care-sheet (T, N, R, O ...).
    ``rectifies`` is the number of the sheet that this one replaces.
    """

    number: int
    on: date
    mode: SecuringMode
    professional: Professional
    beneficiary: CareBeneficiary
    insurance: Insurance
    payment: Payment
    proof: Proof
    care_path: str
    acts: tuple[CareAct, ...]
    amo: PayerShare
    amc: PayerShare
    body: str
    prescriber: Person | None = None
    prescribed_on: date | None = None
    substitute: Person | None = None
    accident: WorkAccident | None = None
    pregnancy_on: date | None = None
    rectifies: int | None = None

    @property
    def total(self) -> int:
        """What the patient owes in all, in cents."""
        return sum(act.amount for act in self.acts)

    @property
    def patient(self) -> int:
        """What the patient pays at the desk, in cents: everything, less what third parties are asked to pay."""
        return self.total - (self.amo.asked + self.amc.asked if self.payment is Payment.TIERS_PAYANT else 0)


class Signer(StrEnum):
    """Whose signature it is."""

    INSURED = "insured"
    PROFESSIONAL = "professional"


@dataclass(frozen=True, slots=True)
class CardSignature:
    """A signature over the canonical form of a sheet: RSA PKCS#1 v1.5 with SHA-256 under ``certificate`` (DER).

    ``moment`` is 14 digits, UTC, told by the workstation: it is not signed.
    """

    signer: Signer
    certificate: bytes
    value: bytes
    moment: str


@dataclass(frozen=True, slots=True)
class SecuredInvoice:
    """A sheet with the signatures its mode wants. ``content`` is the canonical form: what was signed, byte for byte.

    ``paper``: a form signed by the insured goes along on paper, as proof of a degraded sheet (SV-FSE-03).
    """

    content: bytes
    insured: CardSignature | None = None
    professional: CardSignature | None = None
    paper: bool = False


@dataclass(frozen=True, slots=True)
class Dre:
    """A claim for the complementary insurer, beside the sheet ``invoice`` or cancelling an earlier claim."""

    number: int
    invoice: int
    on: date
    amc: Complementary
    asked: int
    cancels: int | None = None


class LotKind(StrEnum):
    """What a lot carries: each kind has its own counter."""

    FSE = "fse"
    DRE = "dre"


@dataclass(frozen=True, slots=True)
class Lot:
    """Sheets (or claims) of one sender for one destination body. ``number``: 3 digits for FSE, from ``000``; 3
    alphanumerics for DRE, from ``ZZZ`` down (sources#care-sheet).
    """

    kind: LotKind
    number: str
    sender: str
    body: str
    on: date
    invoices: tuple[SecuredInvoice, ...] = ()
    dres: tuple[Dre, ...] = ()
    signature: CardSignature | None = None


@dataclass(frozen=True, slots=True)
class TransportFile:
    """A file on its way: a CMS EnvelopedData for the body, or the plain lots in the profile without encryption.

    ``number`` is 3 digits; ``name`` is unique for a sender.
    """

    number: int
    sender: str
    body: str
    name: str
    data: bytes


class ArlKind(StrEnum):
    """An acknowledgement (ARL) is positive or negative."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why something was rejected: a code of the catalogue of reasons, its words, and the sheet if it is one."""

    code: str
    label: str
    invoice: int | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Arl:
    """The logical acknowledgement of a lot (SV-FSE-24): ``return_id`` is unique for the body.

    ``received`` is the SHA-256 of the file as it came to the body, 64 characters of lower-case hexadecimal: it says
    which copy is answered, the one that was sent or one that changed on its way. ``lot`` is empty if the body could not
    tell what the file carries.
    """

    kind: ArlKind
    file: str
    received: str
    sender: str
    body: str
    lot_kind: LotKind
    lot: str
    return_id: str
    lot_on: date
    on: date
    rejections: tuple[Rejection, ...] = ()


class PaymentOutcome(StrEnum):
    """What an RSP says of a sheet."""

    PAID = "paid"
    PARTLY_PAID = "partly-paid"
    REJECTED = "rejected"
    REVERSED = "reversed"
    """What was paid is taken back: the line tells how much, and the total of its transfer leaves it out."""


@dataclass(frozen=True, slots=True)
class RspLine:
    """What became of one sheet for one payer: ``paid`` of ``asked`` cents, or so much of them taken back."""

    invoice: int
    payer: str
    outcome: PaymentOutcome
    asked: int
    paid: int
    rejection: Rejection | None = None

    @property
    def transferred(self) -> int:
        """What comes with the transfer, in cents."""
        return 0 if self.outcome is PaymentOutcome.REVERSED else self.paid


@dataclass(frozen=True, slots=True)
class Rsp:
    """A rejet/signalement/paiement return: the lines of one transfer, and the total that closes it."""

    sender: str
    body: str
    return_id: str
    on: date
    transfer: str
    lines: tuple[RspLine, ...]
    total: int


class SheetState(StrEnum):
    """The life of a sheet at the practice (SV-FSE-22)."""

    PENDING = "pending"
    VALIDATED = "validated"
    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PAID = "paid"
    PAYMENT_REJECTED = "payment-rejected"
    PAPER = "paper"
    """Given up electronically: a paper duplicate was made (SV-FSE-09)."""
