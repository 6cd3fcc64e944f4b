"""TD0.9: the contextual pages of the web access: who may open which; what a page shows beyond that is left out."""

from __future__ import annotations

from bifente.ground.text import Text
from bifente.simulator.services.dmp.access import check_open, denied
from bifente.simulator.services.dmp.register import DmpRegister

PAGES = {
    "TableauDeBord": "Tableau de bord",
    "DossierPatient": "Dossier du patient",
    "GestionDMPPatient": "Gestion du DMP",
    "Documents": "Documents",
    "ParcoursDeSoins": "Parcours de soins",
    "HistoriqueAcces": "Historique des accès",
    "Parametrages": "Paramétrages",
    "VolontesEtDroits": "Volontés et droits",
    "CarnetVaccination": "Carnet de vaccination",
}
"""The pages by the last part of their address (PDT-INF-527, sources#dmp-messages)."""
DASHBOARD = "TableauDeBord"


def page(register: DmpRegister, name: str, ins: str) -> tuple[str, list[str]]:
    """Return title and lines of a page. Raise DmpRefusalError for what cannot be opened."""
    title = PAGES.get(name)
    if title is None:
        raise denied(Text(f"page {name[:40]!r} inconnue", f"unknown page {name[:40]!r}"))
    if not ins:
        return title, ["Aucun patient : lire une carte Vitale ou choisir dans la liste"]
    record = register.records.get(ins)
    if record is None:
        raise denied(Text("aucun DMP pour cet INS", "no DMP for this INS"))
    if name != DASHBOARD:
        check_open(record)
    return title, ["Test d'existence : DMP " + ("ouvert" if record.open else "fermé")]


def url(base: str, name: str, ins: str = "") -> str:
    """Return the address of a page."""
    return f"{base}/AccesDirect/{name}" + (f"/{ins}" if ins else "")
