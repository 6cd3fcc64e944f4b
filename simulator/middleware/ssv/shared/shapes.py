"""The call shapes of the functions that the library has (sources#ssv-codes), and the header made of them."""

from __future__ import annotations

from collections.abc import Mapping

TEXT, ZONE_OUT, BUFFER = "const char *{}", "void **{0}, size_t *{0}_taille", "char *{}"
CHARACTER, NUMBER, LEVEL = "char {}", "uint16_t {}", "uint8_t {}"
ZONE_IN = "const void *{0}, size_t {0}_taille"
ZONES_IN = "int16_t {0}_nombre, void *const {0}[], const size_t {0}_taille[]"
ZONES_OUT = "int16_t *{0}_nombre, void *{0}[], size_t {0}_taille[]"
_CARDS = (("ps", TEXT), ("lecteur", TEXT), ("code", TEXT))

FUNCTIONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "SSV_InitLIB": (),
    "SSV_TermLIB": (),
    "SSV_LireConfig": (("zone", ZONE_OUT),),
    "SSV_LireDateLecteur": (("lecteur", TEXT), ("date", BUFFER)),
    "SSV_MajDateLecteur": (("lecteur", TEXT), ("date", TEXT)),
    "SSV_LireCartePS": (*_CARDS, ("zone", ZONE_OUT)),
    "SSV_LireDroitsVitale": (*_CARDS, ("date", TEXT), ("zone", ZONE_OUT)),
    "SSV_FormaterFactures": (
        *_CARDS,
        ("a_creer", CHARACTER),
        ("mode", CHARACTER),
        ("entree", ZONE_IN),
        ("sortie", ZONE_OUT),
    ),
    "SSV_FormaterLot": (*_CARDS, ("entree", ZONES_IN), ("sortie", ZONES_OUT)),
    "SSV_TraduireARL": (("entree", ZONES_IN), ("sortie", ZONE_OUT)),
    "SSV_TraduireFSE": (("entree", ZONE_IN), ("sortie", ZONE_OUT)),
    "SSV_InitTrace": (("fichier", TEXT), ("ouverture", TEXT), ("module", NUMBER), ("niveau", LEVEL)),
    "SSV_AllouerZoneMem": (("zone", "void **{}"), ("taille", "size_t {}")),
}
"""Name to parameters; every function returns an unsigned 16-bit code. ``SSV_LibererZoneMem`` returns nothing."""

MODELLED: Mapping[str, str] = {
    "SSV_FormaterFactures": "a_creer is '1', mode the digit that the sheet says; zones are those of the laboratory",
    "SSV_FormaterLot": "code NULL or empty goes on with a series; sortie has room for as many zones as entree has",
    "SSV_TraduireARL": "returns of the laboratory; lines of French, cp1252, CRLF",
    "SSV_TraduireFSE": "a signed sheet of the laboratory; lines of French, cp1252, CRLF",
    "SSV_InitTrace": 'ouverture is "w" or "a"; niveau 0 ends the trace, another tells each call; module is not used',
}
"""What no public source says of a function, and how it is here."""


def header() -> str:
    """Return the C header of the library."""
    lines = ["/* Made by Bifente: the SSV functions of the laboratory. No file of the GIE SESAM-Vitale. */"]
    lines += ["#ifndef BIFENTE_SSV_H", "#define BIFENTE_SSV_H", "#include <stddef.h>", "#include <stdint.h>"]
    for name, parameters in FUNCTIONS.items():
        shown = ", ".join(form.format(parameter) for parameter, form in parameters) or "void"
        if name in MODELLED:
            lines.append(f"/* Modelled: {MODELLED[name]}. */")
        lines.append(f"uint16_t {name}({shown});")
    return "\n".join([*lines, "void SSV_LibererZoneMem(void *zone);", "#endif", ""])
