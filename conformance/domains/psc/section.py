"""What a suite may say of the provider under ``bench``: who is registered, how long things last."""

from __future__ import annotations

from pydantic import Field

from bifente.conformance.model import Model
from bifente.simulator.services.psc.model import (
    ListedProfessional,
    LocalProvider,
    RegisteredClient,
    Registry,
    laboratory,
)
from bifente.simulator.services.psc.parameters import AcrPolicy, PscParameters, TokenForm


class PscSection(Model):
    """Clients and professionals replace the laboratory's of the same id, or come beside them; lifetimes in seconds."""

    clients: tuple[RegisteredClient, ...] = ()
    professionals: tuple[ListedProfessional, ...] = ()
    providers: tuple[LocalProvider, ...] = ()
    form: TokenForm = Field(default=TokenForm.OF_2026, description="how tokens look: 2023, or 2026")
    acr: AcrPolicy = Field(default=AcrPolicy.LOWER, description="what becomes of a request without eidas1")
    standard_discovery: bool = Field(
        default=False, alias="standard-discovery", description="serve the standard discovery path too"
    )
    exchange_once: bool = Field(
        default=True, alias="exchange-once", description="an access token serves one exchange only"
    )
    access: int = Field(default=120, ge=1, le=86_400, description="life of an access token")
    refresh: int = Field(default=1800, ge=1, le=86_400, description="life of a refresh token")
    api: int = Field(default=3600, ge=1, le=86_400, description="life of a token got by exchange")
    sso_idle: int = Field(default=1800, ge=1, le=86_400, alias="sso-idle", description="idle time that ends a session")
    sso_max: int = Field(default=14_400, ge=1, le=604_800, alias="sso-max", description="longest session")
    ciba: int = Field(default=120, ge=1, le=3600, description="life of a backchannel request")
    interval: int = Field(default=1, ge=1, le=60, description="seconds between two polls")

    def registry(self) -> Registry:
        """Return the laboratory's registry with what is said here."""
        known = laboratory()
        return Registry(
            clients=(*(one for one in known.clients if one.id not in {c.id for c in self.clients}), *self.clients),
            professionals=(
                *(one for one in known.professionals if one.id not in {p.id for p in self.professionals}),
                *self.professionals,
            ),
            providers=(
                *(one for one in known.providers if one.alias not in {p.alias for p in self.providers}),
                *self.providers,
            ),
        )

    def parameters(self) -> PscParameters:
        """Return the provider's parameters."""
        return PscParameters(
            access=self.access,
            refresh=self.refresh,
            api=self.api,
            sso_idle=self.sso_idle,
            sso_max=self.sso_max,
            ciba=self.ciba,
            interval=self.interval,
            form=self.form,
            acr=self.acr,
            standard_discovery=self.standard_discovery,
            exchange_once=self.exchange_once,
        )
