"""Why a sheet is not secured, beyond what the cards themselves refuse. Each has the return code that goes best with it.

Which code the field gives for these is not public, so that the choice is modelled: a card that is not the one expected
counts as withdrawn (F015) or unusable (F004), a sheet that does not fit as bad input (F802), and what no code is known
for as unspecified (FFFF).
"""

from __future__ import annotations

from enum import StrEnum

from bifente.ground.text import Text
from bifente.simulator.middleware.codes import SsvCode, SsvError


class SecuringRefusal(StrEnum):
    """What was refused."""

    VITALE_SUBSTITUTED = "vitale-substituted"
    CPS_SUBSTITUTED = "cps-substituted"
    NO_RIGHT_TO_SIGN = "no-right-to-sign"
    TEST_AND_REAL = "test-and-real"
    VITALE_CANNOT_SIGN = "vitale-cannot-sign"
    APCV_CANNOT_SIGN = "apcv-cannot-sign"
    NOT_IN_THIS_MODE = "not-in-this-mode"
    CONTENT_CHANGED = "content-changed"
    ALREADY_SIGNED = "already-signed"
    CONTENT_UNREADABLE = "content-unreadable"
    PAPER_NEEDED = "paper-needed"

    @property
    def code(self) -> SsvCode:
        """The return code that tells it."""
        return _TOLD[self][0]

    @property
    def sentence(self) -> Text:
        """In words, with the cure."""
        return _TOLD[self][1]


_TOLD = {
    SecuringRefusal.VITALE_SUBSTITUTED: (
        SsvCode.VITALE_WITHDRAWN,
        Text(
            "la carte Vitale présentée n'est pas celle dont les droits ont fait la feuille ; remettre la première",
            "the Vitale presented is not the one whose rights made the sheet; put the first one back",
        ),
    ),
    SecuringRefusal.CPS_SUBSTITUTED: (
        SsvCode.PS_INVALID,
        Text(
            "la CPS présentée n'est pas celle du professionnel de la feuille ; remettre la sienne",
            "the CPS presented is not the one of the sheet's professional; put that one back",
        ),
    ),
    SecuringRefusal.NO_RIGHT_TO_SIGN: (
        SsvCode.PS_INVALID,
        Text(
            "la situation de facturation de la CPS ne permet pas de signer ; choisir une situation qui le permet",
            "the billing situation of the CPS may not sign this; choose one that may",
        ),
    ),
    SecuringRefusal.TEST_AND_REAL: (
        SsvCode.TEST_AND_REAL,
        Text(
            "une carte est de test et l'autre, ou la feuille, est réelle ; ne pas les mêler",
            "one card is a test card and the other, or the sheet, is real; do not mix them",
        ),
    ),
    SecuringRefusal.VITALE_CANNOT_SIGN: (
        SsvCode.UNSPECIFIED,
        Text(
            "une Vitale 1 ne signe pas ; faire la feuille en mode dégradé",
            "a Vitale 1 cannot sign; make the sheet in degraded mode",
        ),
    ),
    SecuringRefusal.APCV_CANNOT_SIGN: (
        SsvCode.UNSPECIFIED,
        Text(
            "l'apCV ne signe pas dans ce laboratoire ; faire la feuille en mode dégradé ou SESAM sans Vitale",
            "the apCV does not sign in this laboratory; make the sheet degraded or without Vitale",
        ),
    ),
    SecuringRefusal.NOT_IN_THIS_MODE: (
        SsvCode.BAD_INPUT,
        Text(
            "le mode de sécurisation de la feuille ne veut pas de cette signature ; changer de mode",
            "the securing mode of the sheet wants no such signature; change the mode",
        ),
    ),
    SecuringRefusal.CONTENT_CHANGED: (
        SsvCode.BAD_INPUT,
        Text(
            "la feuille a changé depuis la première signature ; la refaire",
            "the sheet has changed since the first signature; make it anew",
        ),
    ),
    SecuringRefusal.ALREADY_SIGNED: (
        SsvCode.BAD_INPUT,
        Text("cette signature est déjà faite ; ne rien faire", "this signature is already made; nothing to do"),
    ),
    SecuringRefusal.CONTENT_UNREADABLE: (
        SsvCode.BAD_INPUT,
        Text(
            "le contenu n'est pas une feuille sous sa forme canonique ; la refaire",
            "the content is no sheet in its canonical form; make it anew",
        ),
    ),
    SecuringRefusal.PAPER_NEEDED: (
        SsvCode.BAD_INPUT,
        Text(
            "une feuille dégradée part avec une feuille papier signée, et elle seule ; la faire signer",
            "a degraded sheet goes with a signed paper form, and no other does; have it signed",
        ),
    ),
}


class SecuringError(SsvError):
    """A sheet that is not secured: ``refusal`` says why, ``code`` is its return code."""

    def __init__(self, refusal: SecuringRefusal, detail: str = "") -> None:
        super().__init__(refusal.code, detail or refusal.sentence.en)
        self.refusal = refusal
