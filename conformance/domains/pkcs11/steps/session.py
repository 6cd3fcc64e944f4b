"""PKCS#11: the module, its tokens, sessions and codes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from bifente.conformance.bench.module import RunningModule
from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.pkcs11.return_code import NOT_FOUND, ReturnCodeMatcher
from bifente.conformance.expectations import Matcher, ValueMatcher
from bifente.conformance.loading.problems import nearest
from bifente.conformance.scenario.step import Code, ImpossibleStepError, Observation, Observes, Step
from bifente.conformance.targets import cryptoki
from bifente.conformance.targets.cryptoki import text
from bifente.conformance.targets.facets import Facet
from bifente.conformance.targets.pkcs11 import Cryptoki, CryptokiError, ModuleGoneError, NoSuchObjectError
from bifente.ground.text import Text

RV: Mapping[str, Matcher] = {"rv": ReturnCodeMatcher()}
MAIN = "main"

_MECHANISMS = {f"CKM_{name}": number for number, name in cryptoki.MECHANISMS.items()}


def _known_mechanism(value: str) -> str:
    if value not in _MECHANISMS:
        raise ValueError(f"no mechanism is named {value!r}, {nearest(value, _MECHANISMS)}")
    return value


MechanismName = Annotated[
    str, AfterValidator(_known_mechanism), WithJsonSchema({"type": "string", "enum": sorted(_MECHANISMS)})
]
User = Literal["user", "so"]
ObjectClass = Literal["data", "certificate", "public-key", "private-key"]


def mechanism_number(name: str) -> int:
    """The number of a mechanism."""
    return _MECHANISMS[name]


@dataclass(frozen=True, slots=True)
class Token:
    """The module as a step sees it: the token of its slot, through one session."""

    running: RunningModule
    act: Act
    name: str

    @property
    def module(self) -> Cryptoki:
        """The module, initialised."""
        return self.running.cryptoki()

    @property
    def slot(self) -> int:
        """The module's number of the slot."""
        return self.running.number(self.act.role)

    @property
    def key(self) -> str:
        """The session among those of all slots."""
        return f"{self.act.role}/{self.name}"

    @property
    def session(self) -> int:
        """The session's handle. Raises ImpossibleStepError for one that no step opened."""
        try:
            return self.module.sessions[self.key]
        except KeyError:
            raise ImpossibleStepError(
                Text(
                    f"aucune étape n'a ouvert la session {self.name!r} de la fente {self.act.role}",
                    f"no step has opened the session {self.name!r} of slot {self.act.role}",
                )
            ) from None

    def call(self, function: str, **given: Any) -> Mapping[str, Any]:
        """A function on the session that must succeed. Raises CryptokiError."""
        return self.module.ok(function, session=self.session, **given)

    def find(self, **wanted: int | bytes) -> int:
        """The first object with these attributes. Raises NoSuchObjectError."""
        found = self.module.find(self.session, **wanted)
        if not found:
            raise NoSuchObjectError
        return found[0]


class Pkcs11Step(Step, ABC):
    """A step that speaks PKCS#11 to the module under test; it succeeds with CKR_OK."""

    needs = frozenset[type[Facet]]({RunningModule})
    success = ("rv", "CKR_OK")
    observes: ClassVar[Observes] = RV

    session: str = Field(default=MAIN, description="which of the sessions that steps have opened")

    def run(self, act: Act) -> Observation:
        """Do it, every call told; a code that is not CKR_OK is what the step observes."""
        running = act.facet(RunningModule)
        running.tell(lambda called: act.scene.told(act.role, called))
        try:
            return self.use(Token(running, act, self.session))
        except CryptokiError as error:
            return Observation({"rv": cryptoki.result(error.code)})
        except NoSuchObjectError:
            return Observation({"rv": NOT_FOUND})
        except ModuleGoneError as gone:
            running.renew()
            return Observation({"rv": gone.how})

    @abstractmethod
    def use(self, token: Token) -> Observation:
        """Do it. Raises CryptokiError, NoSuchObjectError, ModuleGoneError, ScardError, GuardRefusalError."""


def seen(decoded: tuple[tuple[str, str], ...] = (), **values: Any) -> Observation:
    """What a step that succeeded observed."""
    return Observation({"rv": "CKR_OK", **{key.replace("_", "-"): value for key, value in values.items()}}, decoded)


def done(answer: Mapping[str, Any]) -> Observation:
    """What a function answered, whatever it was."""
    return Observation({"rv": cryptoki.result(answer["rv"])})


class ModuleInformation(Pkcs11Step):
    """C_GetInfo: what the module says of itself."""

    name: ClassVar[str] = "p11-info"
    title: ClassVar[Text] = Text("Interroger le module", "Ask the module who it is")
    observes: ClassVar[Observes] = {**RV, **dict.fromkeys(("manufacturer", "description", "version"), ValueMatcher())}

    def use(self, token: Token) -> Observation:
        """Ask."""
        info = token.module.info()
        return seen(manufacturer=info.manufacturer, description=info.description, version=info.version)


class RestartModule(Pkcs11Step):
    """C_Finalize, then C_Initialize: what an application does that ends and starts again. Sessions are gone."""

    name: ClassVar[str] = "p11-restart"
    title: ClassVar[Text] = Text("Relancer le module", "Start the module again")

    def use(self, token: Token) -> Observation:
        """Do both."""
        module = token.module
        module.stop()
        module.start()
        return seen()


class Slots(Pkcs11Step):
    """C_GetSlotList: how many slots hold a token, and whether this step's slot does (``present``).

    ``readers``: in how many readers those slots are, by C_GetSlotInfo. A module may show each application of a card as
    a token of its own.
    """

    name: ClassVar[str] = "p11-slots"
    title: ClassVar[Text] = Text("Lister les fentes", "List the slots")
    observes: ClassVar[Observes] = {
        **RV,
        "count": ValueMatcher(),
        "present": ValueMatcher(),
        "readers": ValueMatcher(),
    }

    def use(self, token: Token) -> Observation:
        """List them."""
        with_token = token.module.ok("C_GetSlotList", present=True)["slots"]
        readers = {token.module.ok("C_GetSlotInfo", slot=slot)["description"] for slot in with_token}
        return seen(count=len(with_token), present=token.slot in with_token, readers=len(readers))


def _pin_state(flags: list[str], prefix: str) -> str:
    """The tries of a code as the flags tell them: ``full``, ``low``, ``final`` or ``locked``."""
    for flag, word in (("PIN_LOCKED", "locked"), ("PIN_FINAL_TRY", "final"), ("PIN_COUNT_LOW", "low")):
        if f"{prefix}_{flag}" in flags:
            return word
    return "full"


class TokenInformation(Pkcs11Step):
    """C_GetTokenInfo: the token's texts, its flags in words, and what they say of the tries of both codes.

    ``user-pin`` and ``so-pin`` are ``full``, ``low``, ``final`` (one try left) or ``locked``.
    """

    name: ClassVar[str] = "p11-token"
    title: ClassVar[Text] = Text("Lire l'état du jeton", "Read the state of the token")
    observes: ClassVar[Observes] = {
        **RV,
        **dict.fromkeys(
            ("label", "manufacturer", "model", "serial", "flags", "user-pin", "so-pin", "pin-lengths"), ValueMatcher()
        ),
    }

    def use(self, token: Token) -> Observation:
        """Read it."""
        found = token.module.ok("C_GetTokenInfo", slot=token.slot)
        texts = {name: text(found[name]) for name in ("label", "manufacturer", "model", "serial")}
        flags = cryptoki.flags(found["flags"])
        return seen(
            decoded=(*texts.items(), ("flags", ", ".join(flags))),
            **texts,
            flags=flags,
            user_pin=_pin_state(flags, "USER"),
            so_pin=_pin_state(flags, "SO"),
            pin_lengths=[found["shortest"], found["longest"]],
        )


class Mechanisms(Pkcs11Step):
    """C_GetMechanismList: the mechanisms offered for the token, by name and in the order of their numbers."""

    name: ClassVar[str] = "p11-mechanisms"
    title: ClassVar[Text] = Text("Lister les mécanismes", "List the mechanisms")
    observes: ClassVar[Observes] = {**RV, "mechanisms": ValueMatcher()}

    def use(self, token: Token) -> Observation:
        """List them."""
        found = token.module.ok("C_GetMechanismList", slot=token.slot)["mechanisms"]
        return seen(mechanisms=[cryptoki.mechanism(number) for number in sorted(found)])


class MechanismInformation(Pkcs11Step):
    """C_GetMechanismInfo: the key sizes of one mechanism, in bits."""

    name: ClassVar[str] = "p11-mechanism"
    title: ClassVar[Text] = Text("Interroger un mécanisme", "Ask about a mechanism")
    shorthand: ClassVar[str] = "mechanism"
    observes: ClassVar[Observes] = {**RV, "shortest-key": ValueMatcher(), "longest-key": ValueMatcher()}

    mechanism: MechanismName = Field(description="name of the mechanism")

    def use(self, token: Token) -> Observation:
        """Ask."""
        kind = mechanism_number(self.mechanism)
        found = token.module.ok("C_GetMechanismInfo", slot=token.slot, mechanism=kind)
        return seen(shortest_key=found["shortest"], longest_key=found["longest"])


class OpenSession(Pkcs11Step):
    """C_OpenSession: open a session with the token, read-write unless told otherwise."""

    name: ClassVar[str] = "p11-open-session"
    title: ClassVar[Text] = Text("Ouvrir une session", "Open a session")
    shorthand: ClassVar[str] = "session"

    mode: Literal["read-write", "read-only"] = Field(default="read-write", description="what the session may do")

    def use(self, token: Token) -> Observation:
        """Open it."""
        token.module.open(token.key, token.slot, writable=self.mode == "read-write")
        return seen()


class CloseSession(Pkcs11Step):
    """C_CloseSession. The handle is kept, so that its use afterwards can be tried."""

    name: ClassVar[str] = "p11-close-session"
    title: ClassVar[Text] = Text("Fermer une session", "Close a session")
    shorthand: ClassVar[str] = "session"

    def use(self, token: Token) -> Observation:
        """Close it."""
        token.call("C_CloseSession")
        return seen()


class CloseAllSessions(Pkcs11Step):
    """C_CloseAllSessions of the token."""

    name: ClassVar[str] = "p11-close-all-sessions"
    title: ClassVar[Text] = Text("Fermer toutes les sessions", "Close all sessions")

    def use(self, token: Token) -> Observation:
        """Close them."""
        token.module.ok("C_CloseAllSessions", slot=token.slot)
        return seen()


class SessionInformation(Pkcs11Step):
    """C_GetSessionInfo: the state of a session, such as RW_USER_FUNCTIONS."""

    name: ClassVar[str] = "p11-session"
    title: ClassVar[Text] = Text("Lire l'état d'une session", "Read the state of a session")
    shorthand: ClassVar[str] = "session"
    observes: ClassVar[Observes] = {**RV, "state": ValueMatcher()}

    def use(self, token: Token) -> Observation:
        """Read it."""
        state = token.call("C_GetSessionInfo")["state"]
        known = 0 <= state < len(cryptoki.STATES)
        return seen(state=cryptoki.STATES[state] if known else str(state))


class Login(Pkcs11Step):
    """C_Login: the holder code as user, the unblocking code as security officer (so)."""

    name: ClassVar[str] = "p11-login"
    title: ClassVar[Text] = Text("Présenter un code au module", "Give a code to the module")
    shorthand: ClassVar[str] = "code"

    code: Code = Field(description="what is presented; never written in a record")
    user: User = Field(default="user", alias="as", description="who logs in")

    def use(self, token: Token) -> Observation:
        """Give it."""
        return done(
            token.module.call(
                "C_Login", session=token.session, user=cryptoki.USERS[self.user], pin=self.code.encode().hex()
            )
        )


class Logout(Pkcs11Step):
    """C_Logout."""

    name: ClassVar[str] = "p11-logout"
    title: ClassVar[Text] = Text("Se déconnecter", "Log out")

    def use(self, token: Token) -> Observation:
        """Log out."""
        return done(token.module.call("C_Logout", session=token.session))


class SetPin(Pkcs11Step):
    """C_SetPIN: change the code, the old one given."""

    name: ClassVar[str] = "p11-set-pin"
    title: ClassVar[Text] = Text("Changer le code par le module", "Change the code through the module")

    old: Code = Field(description="the value until now")
    new: Code = Field(description="the value from now on")

    def use(self, token: Token) -> Observation:
        """Change it."""
        codes = {"old": self.old.encode().hex(), "new": self.new.encode().hex()}
        return done(token.module.call("C_SetPIN", session=token.session, **codes))


class InitPin(Pkcs11Step):
    """C_InitPIN: give the holder a new code, as security officer."""

    name: ClassVar[str] = "p11-init-pin"
    title: ClassVar[Text] = Text("Réarmer le code par le module", "Reset the code through the module")
    shorthand: ClassVar[str] = "new"

    new: Code = Field(description="the value from now on")

    def use(self, token: Token) -> Observation:
        """Give it."""
        return done(token.module.call("C_InitPIN", session=token.session, pin=self.new.encode().hex()))
