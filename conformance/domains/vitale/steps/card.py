"""Vitale cards as a card: their files, what the presence of a professional's card opens, the list of opposed cards.

Each step speaks to the Vitale of the bench, in whatever slot, unless its own slot holds one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from bifente.conformance.bench.cards import SeatedCard
from bifente.conformance.bench.scene import Act
from bifente.conformance.expectations import BytesMatcher, Matcher, TlvMatcher, ValueMatcher
from bifente.conformance.loading.problems import nearest
from bifente.conformance.scenario.step import ANSWER, SUCCESS, SW, CardStep, Hex, Observation, Observes, Step
from bifente.ground.text import Text
from bifente.simulator.cards.cpx.personalise import CERTIFICATE_FILES, PersonalisedCard
from bifente.simulator.cards.families import layout
from bifente.simulator.cards.host import NotOnThisCardError
from bifente.simulator.cards.vitale.opposition import OppositionList, opposition
from bifente.simulator.cards.vitale.personalise import PersonalisedVitale
from bifente.simulator.cards.vitale.template import FAMILIES
from bifente.simulator.cards.vitale1.memory import (
    END,
    FREE,
    PRODUCTION,
    QUARTETS,
    WORD_SIZE,
    MemoryImageError,
    read,
)
from bifente.simulator.cards.vitale2.contents import ContentError, read_holders, read_numbers, read_rights
from bifente.simulator.cards.vitale2.host import VitaleHost, proves
from bifente.simulator.iso7816.apdu import Response
from bifente.simulator.pki.authority import Authority, Publication
from bifente.simulator.pki.certificate_profiles import AUTHENTICATION, Validity
from bifente.simulator.zones import GROUPS, Group, named

_VITALE2 = "vitale2"
_GROUPS = range(101, 112)
_CHALLENGE_SIZE = 16
_ELSEWHERE = "TEST AC ETRANGERE"
_KEY_SIZES = {"short-key": 1016, "long-key": 4104}
_LONGEST_READING = 248
"""Bytes that one command reads off a Vitale 1: what a public client asks for at once."""


def _known_file(name: str) -> str:
    known = layout(_VITALE2).paths
    if name not in known:
        raise ValueError(f"no file is named {name!r}, {nearest(name, known)}")
    return name


VitaleFile = Annotated[
    str,
    AfterValidator(_known_file),
    WithJsonSchema({"type": "string", "enum": sorted(layout(_VITALE2).paths)}),
]


def _field(group: int, field: str) -> str:
    return f"{group}-{field}"


GROUP_FIELDS: tuple[str, ...] = tuple(
    _field(number, field.name) for number in _GROUPS if number in GROUPS for field in GROUPS[number].fields
)
"""The fields of the groups as ``expect`` writes them: a list, one value for each group of that number."""

_GROUPED: Mapping[str, Matcher] = {
    "decodable": ValueMatcher(),
    "groups": ValueMatcher(),
    **{name: ValueMatcher() for name in GROUP_FIELDS},
}


def grouped(groups: tuple[Group, ...]) -> tuple[dict[str, Any], tuple[tuple[str, str], ...]]:
    """The groups as steps let one expect them, and the rows a report shows."""
    values: dict[str, Any] = {"decodable": True, "groups": [group.id for group in groups]}
    rows: list[tuple[str, str]] = []
    for group in groups:
        for field, text in named(group).items():
            values.setdefault(_field(group.id, field), []).append(text)
            if text:
                rows.append((_field(group.id, field), text))
    return values, tuple(rows)


def _meet(act: Act) -> tuple[Act, SeatedCard]:
    """The Vitale of the bench. Raises NotOnThisCardError if there is none."""
    seated = act.bench.seated
    for role in (act.role, *seated):
        if role in seated and seated[role].layout.family in FAMILIES:
            return Act(act.scene, role), seated[role]
    raise NotOnThisCardError(act.card.layout.family, "n'est pas une Vitale", "is no Vitale")


def _host(act: Act) -> VitaleHost:
    at, card = _meet(act)
    host = at.host
    if not isinstance(host, VitaleHost):
        raise NotOnThisCardError(card.layout.family, "ne reconnaît aucune autre carte", "recognises no other card")
    return host


class ReadVitaleFile(CardStep):
    """Read a file of a Vitale 2: whole by its name (SELECT, READ BINARY), or its first bytes by its short identifier in
    the root or in the application VITALE, as the public clients do. Holders, numbers and rights are decoded.
    """

    name: ClassVar[str] = "read-vitale-file"
    title: ClassVar[Text] = Text("Lire un fichier de la Vitale", "Read a file of the Vitale")
    shorthand: ClassVar[str] = "file"
    observes: ClassVar[Observes] = {
        **ANSWER,
        "tlv": TlvMatcher(),
        "holders": ValueMatcher(),
        "first-names": ValueMatcher(),
        "birth-dates": ValueMatcher(),
        "nirs": ValueMatcher(),
        **_GROUPED,
    }

    file: VitaleFile | None = Field(default=None, description="name in the layout of the Vitale 2, e.g. EF.RIGHTS")
    sfi: int | None = Field(default=None, ge=1, le=30, description="short identifier of the file, instead of its name")
    application: Literal["root", "vitale"] = Field(
        default="vitale", description="where the short identifier is looked for"
    )

    @model_validator(mode="after")
    def _one_way(self) -> ReadVitaleFile:
        if (self.file is None) == (self.sfi is None):
            raise ValueError("a file by its name, or by its short identifier (sfi), is expected")
        return self

    def run(self, act: Act) -> Observation:
        """Read it."""
        host, (_at, card) = _host(act), _meet(act)
        if self.file is not None:
            name, response = self.file, host.read(card.path(self.file))
        else:
            name, response = self._known(card), self._by_short_identifier(host, card)
        if response.sw != SUCCESS:
            return Observation.of(response, tlv=response.data)
        values, rows = _contents(name, response.data)
        return Observation({"sw": response.sw, "data": response.data, "tlv": response.data, **values}, rows)

    def _by_short_identifier(self, host: VitaleHost, card: SeatedCard) -> Response:
        chosen = (
            host.select_file(b"\x3f\x00")
            if self.application == "root"
            else host.select_application(card.aid(self.application))
        )
        return host.read_binary(0, 256, self.sfi) if chosen.sw == SUCCESS else chosen

    def _known(self, card: SeatedCard) -> str:
        """The name of the file with this short identifier, empty if there is none."""
        depth = 2 if self.application == "root" else 3
        rules = {rule.path: rule for rule in card.layout.volumes[card.layout.main]}
        return next(
            (rule.name for path, rule in rules.items() if rule.sfi == self.sfi and len(path.split("/")) == depth), ""
        )


def _contents(name: str, data: bytes) -> tuple[dict[str, Any], tuple[tuple[str, str], ...]]:
    try:
        if name == "EF.HOLDERS":
            people = read_holders(data)
            rows = tuple((one.name, f"{one.first_name} {one.born} {one.country}") for one in people)
            return {
                "holders": [one.name for one in people],
                "first-names": [one.first_name for one in people],
                "birth-dates": [one.born for one in people],
                "decodable": True,
            }, rows
        if name == "EF.NIR":
            nirs = read_numbers(data)
            return {"nirs": list(nirs), "decodable": True}, tuple(("NIR", nir) for nir in nirs)
        if name == "EF.RIGHTS":
            return grouped(read_rights(data))
    except ContentError as error:
        return {"decodable": False}, (("decodable", f"false: {error}"),)
    return {}, ()


class ReadVitaleRights(CardStep):
    """Read the rights of a Vitale of either generation: the free groups, and the coverage (106) if the card gives it.
    ``sw`` is the answer to the reading of what is protected; a Vitale 1 has nothing protected to read.
    """

    name: ClassVar[str] = "read-vitale-rights"
    title: ClassVar[Text] = Text("Lire les droits de la Vitale", "Read the rights of the Vitale")
    observes: ClassVar[Observes] = {**SW, **_GROUPED}

    def run(self, act: Act) -> Observation:
        """Read them."""
        at, card = _meet(act)
        try:
            if card.layout.family == _VITALE2:
                host = _host(act)
                free, covered = (host.read(card.path(name)) for name in ("EF.RIGHTS", "EF.COVERAGE"))
                if free.sw != SUCCESS:
                    return Observation({"sw": free.sw})
                sw = covered.sw
                groups = read_rights(free.data, covered.data if sw == SUCCESS else None)
            else:
                sw, groups = SUCCESS, read(_memory(at, FREE, PRODUCTION), _memory(at, PRODUCTION, END))
        except (ContentError, MemoryImageError) as error:
            return Observation({"sw": SUCCESS, "decodable": False}, (("decodable", f"false: {error}"),))
        values, rows = grouped(groups)
        return Observation({"sw": sw, **values}, rows)


def _memory(act: Act, start: int, end: int) -> bytes:
    data = bytearray()
    step = _LONGEST_READING // WORD_SIZE * QUARTETS
    for address in range(start, end, step):
        count = min(step, end - address) // QUARTETS * WORD_SIZE
        answer = act.dialogue.raw(bytes((0xBC, 0xB0, address >> 8, address & 0xFF, count)))
        if answer.sw != SUCCESS:
            raise MemoryImageError(f"the words at {address:04X}h cannot be read: {answer.sw:04X}")
        data += answer.data
    return bytes(data)


class PresentCertificate(CardStep):
    """Give the Vitale the certificate of a professional's card (PSO VERIFY CERTIFICATE), read off that card; ``spoil``
    makes it what no authority of the bench issued.
    """

    name: ClassVar[str] = "present-certificate"
    title: ClassVar[Text] = Text("Présenter un certificat à la Vitale", "Give the Vitale a certificate")
    observes: ClassVar[Observes] = SW

    professional: str = Field(default="cps", description="slot of the professional's card")
    certificate: Literal["authentication", "signature"] = Field(
        default="authentication", description="which certificate of the professional's card is given"
    )
    spoil: Literal["nothing", "signature", "issuer", "authority-keys", "cut", "short-key", "long-key"] = Field(
        default="nothing",
        description="signature: one bit turned; issuer: another authority's name; authority-keys: an authority of the "
        "same name with other keys; cut: its last byte missing; short-key, long-key: well signed, of a key of 1016 or "
        "4104 bits",
    )
    data: Hex | None = Field(default=None, description="these bytes instead of a certificate")

    def run(self, act: Act) -> Observation:
        """Give it."""
        raw = self.data
        if raw is None:
            response = _certificate(act, self.professional, self.certificate)
            if response.sw != SUCCESS:
                return Observation({"sw": response.sw})
            raw = _spoilt(response.data, self.spoil, act, self.professional)
        return Observation({"sw": _host(act).present_certificate(raw).sw})


class ExternalAuthenticate(CardStep):
    """EXTERNAL AUTHENTICATE: the signature of the last challenge of the Vitale, as given."""

    name: ClassVar[str] = "external-authenticate"
    title: ClassVar[Text] = Text("Prouver qui l'on est à la Vitale", "Prove to the Vitale who one is")
    shorthand: ClassVar[str] = "signature"
    observes: ClassVar[Observes] = SW

    signature: Hex = Field(description="bytes sent as the signature")

    def run(self, act: Act) -> Observation:
        """Send it."""
        return Observation({"sw": _host(act).external_authenticate(self.signature).sw})


class AuthenticateCpsToVitale(CardStep):
    """The whole recognition of a professional's card by the Vitale: certificate, challenge, signature by the card's
    ``key``, proof. ``sw`` is the first refusal of either card.
    """

    name: ClassVar[str] = "authenticate-cps-to-vitale"
    title: ClassVar[Text] = Text("Faire reconnaître la CPS par la Vitale", "Have the Vitale recognise the CPS")
    observes: ClassVar[Observes] = SW

    professional: str = Field(default="cps", description="slot of the professional's card")
    certificate: Literal["authentication", "signature"] = Field(
        default="authentication", description="which certificate of the professional's card is given"
    )

    def run(self, act: Act) -> Observation:
        """Have it recognised."""
        certificate = _certificate(act, self.professional, self.certificate)
        if certificate.sw != SUCCESS:
            return Observation({"sw": certificate.sw})
        other = Act(act.scene, self.professional).host
        return Observation({"sw": _host(act).recognise(other, certificate.data).sw})


class AuthenticateVitale(CardStep):
    """INTERNAL AUTHENTICATE: the Vitale signs a fresh challenge; ``genuine`` tells whether it did, with the key of the
    certificate it holds, issued by the laboratory's authority for Vitale cards.
    """

    name: ClassVar[str] = "authenticate-vitale"
    title: ClassVar[Text] = Text("Authentifier la Vitale", "Authenticate the Vitale")
    observes: ClassVar[Observes] = {**ANSWER, "genuine": ValueMatcher()}

    challenge: Hex | None = Field(default=None, description="signed instead of a fresh one of 16 bytes")
    answer: Hex | None = Field(default=None, description="judged instead of the card's: an answer seen before")

    def run(self, act: Act) -> Observation:
        """Ask it to sign."""
        host, (_at, card) = _host(act), _meet(act)
        challenge = self.challenge or act.scene.random.randbytes(_CHALLENGE_SIZE)
        certificate = host.read(card.path("EF.C.ICC"))
        if certificate.sw != SUCCESS:
            return Observation.of(certificate)
        response = host.internal_authenticate(challenge)
        vitale = card.made_as(PersonalisedVitale)
        if response.sw != SUCCESS or vitale is None:
            return Observation.of(response)
        judged = self.answer or response.data
        genuine = proves(certificate.data, vitale.authority.certificate, challenge, judged)
        return Observation.of(response, genuine=genuine)


class CheckOpposition(Step):
    """Look the card up in the list of opposed cards that the laboratory's authority publishes today."""

    name: ClassVar[str] = "check-opposition"
    title: ClassVar[Text] = Text("Consulter la liste d'opposition", "Look into the list of opposed cards")
    observes: ClassVar[Observes] = {"opposed": ValueMatcher(), "list": BytesMatcher()}

    def run(self, act: Act) -> Observation:
        """Fetch the list, check its signature, look."""
        _at, card = _meet(act)
        vitale = card.made_as(PersonalisedVitale)
        if vitale is None:
            raise NotOnThisCardError(card.layout.family, "n'est pas du laboratoire", "is not of the laboratory")
        authority = vitale.authority
        everyone = [made for one in act.bench.seated.values() if (made := one.made_as(PersonalisedVitale)) is not None]
        published = opposition(authority, everyone, act.bench.now())
        found = OppositionList.parse(published, authority.certificate)
        return Observation({"opposed": found.holds(vitale.serial), "list": published})


def _certificate(act: Act, role: str, which: str) -> Response:
    other = Act(act.scene, role)
    return other.host.read(other.card.path(CERTIFICATE_FILES[which]))


def _spoilt(raw: bytes, how: str, act: Act, role: str) -> bytes:
    if how == "signature":
        return raw[:-1] + bytes((raw[-1] ^ 1,))
    if how == "cut":
        return raw[:-1]
    if how == "nothing":
        return raw
    made = act.bench.seated[role].made_as(PersonalisedCard)
    if made is None:
        raise NotOnThisCardError(
            act.bench.seated[role].layout.family, "n'est pas du laboratoire", "is not of the bench"
        )
    try:
        own = x509.load_der_x509_certificate(raw)
    except ValueError:
        return raw  # what was read is no certificate: there is nothing to spoil, and the Vitale judges it as it is
    key = own.public_key()
    assert isinstance(key, RSAPublicKey)  # noqa: S101 - the laboratory issues RSA only
    # A key of the card itself serves as the other authority's: any would do, and this one makes the run repeatable.
    forger = Authority(_ELSEWHERE, made.authority.stem, made.image.keys[0].private_key, None, Publication())
    if how == "authority-keys":
        forger.name = made.authority.name
    if how in _KEY_SIZES:
        # Nobody has the private key, and nobody needs it: the certificate must be refused before any proof.
        modulus = act.scene.random.getrandbits(_KEY_SIZES[how]) | 1 << _KEY_SIZES[how] - 1 | 1
        key, forger = RSAPublicNumbers(65537, modulus).public_key(), made.authority
    forged = forger.issue(
        subject=own.subject,
        public_key=key,
        validity=Validity(own.not_valid_before_utc.date(), own.not_valid_after_utc.date()),
        profile=AUTHENTICATION,
        private_extensions=[
            extension.value for extension in own.extensions if isinstance(extension.value, x509.UnrecognizedExtension)
        ],
    )
    return forged.public_bytes(Encoding.DER)
