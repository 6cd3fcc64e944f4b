"""Who is known to the provider, as data: clients as they were registered, professionals as the directory has them."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bifente.ground.shipped import shipped

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
    """A client as it was registered. Without ``secret`` it proves itself by the certificate of ``subject``."""

    id: Name
    name: Words = Field(default="Logiciel du laboratoire", description="what the pages and the phone call it")
    secret: str | None = Field(default=None, min_length=8, max_length=200, description="client secret")
    subject: str | None = Field(
        default=None, max_length=500, description="common name of its organisation's client certificate"
    )
    space: Space = Field(default=Space.COMMUNAUTAIRE, description="confiance takes a certificate only")
    redirect_uris: tuple[Uri, ...] = Field(default=(), description="matched exactly, each character")
    post_logout_redirect_uris: tuple[Uri, ...] = Field(default=(), description="matched exactly")
    ciba: bool = Field(default=False, description="whether CIBA was enabled at registration")
    pkce: Literal["optional", "required"] = Field(default="optional", description="whether S256 is asked of it")
    id_token: Literal["RS256", "HS256"] = Field(default="RS256", description="how its ID tokens are signed")
    userinfo: Literal["json", "jwt"] = Field(default="json", description="how it gets the user's information")
    bound: bool = Field(default=False, description="whether its access tokens are bound to its certificate")

    @model_validator(mode="after")
    def _can_prove_itself(self) -> RegisteredClient:
        if self.secret is None and self.subject is None:
            raise ValueError("a client has a secret, or the subject of a certificate")
        if self.space is Space.CONFIANCE and self.subject is None:
            raise ValueError("a client of the trust space (confiance) has the subject of a certificate")
        return self


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
