"""What only a CPS4 has beside the directories every family has: EF.DIR in its variants and the CPS2TER objects."""

from __future__ import annotations

from bifente.simulator.cards.cpx import elementary
from bifente.simulator.cards.cpx.business import CardIdentity, HolderName, HolderProfession, Languages
from bifente.simulator.cards.cpx.elementary import ApplicationTemplate
from bifente.simulator.cards.cpx.material import Material, cps2ter_activities
from bifente.simulator.cards.cpx.template import Directory
from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816 import tlv
from bifente.simulator.iso7816.image import Interface

#: An application that a CPS client does not know: PKCS#15 on its own.
_UNKNOWN_AID = bytes.fromhex("A000000063504B43532D3135")
_LABEL = "CPS"


def files(material: Material) -> dict[str, bytes]:
    """The bytes of these files, by their names in the layout."""
    contents, options = material.contents, material.template.options
    # The CPS2TER objects repeat what is known elsewhere on the card: modelled.
    files = {
        "CPS2TER_ATR": material.layout.atr[Interface(options.interface)].named(options.atr),
        "CPS2TER_ID": contents[CardIdentity.NAME],
        "CPS2TER_ICC": contents["EF.SN"],
        "CPS2TER_NAME": contents[HolderName.NAME],
        "CPS2TER_LANG": contents[Languages.NAME],
        "CPS2TER_PSINFO": contents[HolderProfession.NAME],
        "CPS2TER_DIRAMO": b"SPECIMEN",
        **cps2ter_activities(material),
    }
    directory = application_directory(material.layout, options.directory)
    return files if directory is None else {**files, "EF.DIR": directory}


def application_directory(layout: Layout, form: Directory) -> bytes | None:
    """EF.DIR as a client finds, or does not find, the application by it (CARD-CPS4-08); None for a card without it."""
    aid, path = layout.aids["cps"], layout.path("DF.CPS")
    described = b"".join(
        tlv.encode(tag, tlv.encode(0x04, layout.path(file))) for tag, file in ((0x30, "EF.ODF"), (0xA0, "EF.TokenInfo"))
    )
    forms = {
        Directory.PATH: ApplicationTemplate(aid, _LABEL, path),
        Directory.DESCRIBED: ApplicationTemplate(aid, _LABEL, path, described),
        Directory.WITHOUT_PATH: ApplicationTemplate(aid, _LABEL),
        Directory.UNKNOWN_APPLICATION: ApplicationTemplate(_UNKNOWN_AID, _LABEL, path),
    }
    return elementary.directory([forms[form]]) if form in forms else None
