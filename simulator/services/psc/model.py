"""Who is known to the provider, as data: clients as they were registered, professionals as the directory has them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bifente.ground.shipped import shipped

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, RSAKey

Words = Annotated[str, Field(min_length=1, max_length=200)]
Digits = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) else value),
    Field(max_length=64, json_schema_extra={"type": ["string", "integer"]}),
]
Uri = Annotated[str, Field(pattern=r"^https?://[^\s#]+$", max_length=500)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=lambda name: name.replace("_", "-"))


class Space(StrEnum):
    """The two spaces of the provider: the trust space takes a certificate only (sources#psc-documentation)."""

    COMMUNAUTAIRE = "communautaire"
    CONFIANCE = "confiance"


class RegisteredClient(_Model):
    """A client as it was registered: it proves itself by its secret, the certificate of ``subject``, or assertions."""

    id: Name
    name: Words = Field(default="Logiciel du laboratoire", description="what the pages and the phone call it")
    secret: str | None = Field(default=None, min_length=8, max_length=200, description="client secret")
    subject: str | None = Field(
        default=None, max_length=500, description="common name of its organisation's client certificate"
    )
    authentication: Literal["client_secret_jwt", "private_key_jwt"] | None = Field(
        default=None, description="assertions that it signs, instead of its secret or its certificate"
    )
    keys: tuple[str | dict[str, Any], ...] = Field(
        default=(), max_length=10, description="its public keys, PEM or JWK; without any the bench makes it one"
    )
    space: Space = Field(default=Space.COMMUNAUTAIRE, description="confiance takes a certificate only")
    redirect_uris: tuple[Uri, ...] = Field(default=(), description="matched exactly, each character")
    post_logout_redirect_uris: tuple[Uri, ...] = Field(default=(), description="matched exactly")
    ciba: bool = Field(default=False, description="whether CIBA was enabled at registration")
    pkce: Literal["optional", "required"] = Field(default="optional", description="whether S256 is asked of it")
    id_token: Literal["RS256", "HS256"] = Field(default="RS256", description="how its ID tokens are signed")
    userinfo: Literal["json", "jwt"] = Field(default="json", description="how it gets the user's information")
    bound: bool = Field(default=False, description="whether its access tokens are bound to its certificate")

    @property
    def key_name(self) -> str:
        """Return the name of the key that the bench makes for a client that signs and that brought none."""
        return f"psc/client/{self.id}"

    @model_validator(mode="after")
    def _can_prove_itself(self) -> RegisteredClient:
        if self.authentication == "client_secret_jwt" and self.secret is None:
            raise ValueError("client_secret_jwt signs with the secret: give the client one (secret)")
        if self.keys and self.authentication != "private_key_jwt":
            raise ValueError(
                "keys are those of private_key_jwt: say authentication: private_key_jwt, or leave them out"
            )
        for key in self.keys:
            public_key(key)
        if self.secret is None and self.subject is None and self.authentication is None:
            raise ValueError("a client has a secret, or the subject of a certificate, or signs (private_key_jwt)")
        if self.space is Space.CONFIANCE and self.authentication is not None:
            raise ValueError("a client of the trust space (confiance) proves itself by its certificate alone")
        if self.space is Space.CONFIANCE and self.subject is None:
            raise ValueError("a client of the trust space (confiance) has the subject of a certificate")
        return self


def public_key(said: str | Mapping[str, Any]) -> RSAKey | ECKey:
    """Return the public key of a PEM or a JWK. Raise ValueError for anything else."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, RSAKey

    cure = "a key is the public one, PEM (-----BEGIN PUBLIC KEY-----) or JWK, RSA or on a NIST curve"
    try:
        if isinstance(said, str):
            pem = load_pem_public_key(said.encode())
            if isinstance(pem, RSAPublicKey):
                return RSAKey.import_key(pem)
            if isinstance(pem, EllipticCurvePublicKey):
                return ECKey.import_key(pem)
            raise ValueError(cure)
        if "d" in said:
            raise ValueError(f"that is a private key, which stays with the client: {cure}")
        if said.get("kty") not in ("RSA", "EC"):
            raise ValueError(cure)
        return (RSAKey if said["kty"] == "RSA" else ECKey).import_key(dict(said))
    except (JoseError, UnsupportedAlgorithm, TypeError, KeyError, AttributeError):
        raise ValueError(cure) from None
    except ValueError as error:
        raise ValueError(str(error) if cure in str(error) else cure) from None


class ExerciseActivity(_Model):
    """One activity of an exercise: where and how the professional works."""

    mode: Literal["L", "S", "B"] = Field(default="L", description="codeModeExercice: liberal, salaried, volunteer")
    sector: Name = Field(default="SA07", description="codeSecteurDactivite")
    role: Digits = Field(default="", description="codeRole")
    kind: Name = Field(default="GENR01", description="codeGenreActivite")
    structure: Words = Field(description="raisonSocialeSite")
    structure_id: Name = Field(description="identifiantTechniqueDeLaStructure, R and a number or F and a FINESS")
    former_id: Digits = Field(default="", description="ancienIdentifiantDeLaStructure: 4 + RPPS + rank, or 1 + FINESS")
    finess: Digits = ""
    siret: Digits = ""
    department: Digits = "75"
    postcode: Digits = "75001"
    town: Digits = "75101"


class ContactData(_Model):
    """What the directory has to reach a professional by: both are needed to activate an e-CPS without a card."""

    email: str = Field(default="", max_length=200)
    mobile: Digits = ""


class ListedProfessional(_Model):
    """A professional of the directory, or a person who can authenticate without being in it (``listed: false``)."""

    id: Name = Field(description="national id: 8 and the RPPS number, or that of a test identity, ANS2023...")
    psi: str = Field(default="", max_length=64, description="PSISubjectNameID; empty until PSI was activated")
    civility: Words = Field(default="DR", description="codeCiviliteDexercice")
    family_name: Words
    given_name: Words
    profession: Digits = Field(default="10", description="codeProfession, 10 is a physician")
    speciality: Name = Field(default="SM26", description="codeSavoirFaire")
    situations: tuple[ExerciseActivity, ...] = ()
    listed: bool = Field(default=True, description="whether the directory has a record of the professional")
    contact: ContactData = ContactData()

    @property
    def origin(self) -> str:
        """Where the identifier comes from: RPPS, or EDIT for the test identities of publishers."""
        return "RPPS" if self.id.isdecimal() else "EDIT"


class LocalProvider(_Model):
    """An establishment's own identity provider, to which a login may be delegated."""

    alias: Name = Field(description="kc_idp_hint")
    name: Words
    tenant: Name = Field(description="tid of its ID tokens")
    accounts: dict[Name, Words] = Field(default_factory=dict, description="account (oid) to the name shown")


class Registry(_Model):
    """All that is registered."""

    clients: tuple[RegisteredClient, ...] = ()
    professionals: tuple[ListedProfessional, ...] = ()
    providers: tuple[LocalProvider, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> Registry:
        keys = (
            [one.id for one in self.clients],
            [one.id for one in self.professionals],
            [p.alias for p in self.providers],
        )
        for found in keys:
            if twice := sorted({key for key in found if found.count(key) > 1}):
                raise ValueError(f"{twice[0]!r} is registered twice")
        return self

    def client(self, identifier: str) -> RegisteredClient | None:
        """Return a client by its id."""
        return next((one for one in self.clients if one.id == identifier), None)

    def professional(self, identifier: str) -> ListedProfessional | None:
        """Return a professional by the national id; the RPPS number without its leading 8 is taken too."""
        wanted = {identifier, f"8{identifier}"} if len(identifier) == 11 else {identifier}
        return next((one for one in self.professionals if one.id in wanted), None)

    def provider(self, alias: str) -> LocalProvider | None:
        """Return a local identity provider by its alias."""
        return next((one for one in self.providers if one.alias == alias), None)


@cache
def laboratory() -> Registry:
    """Return who is registered unless somebody says otherwise."""
    return Registry.model_validate(shipped(__package__, "laboratory.yaml"))
