"""The call shapes of the functions that the library has (sources#ssv-codes), and the header made of them."""

from __future__ import annotations

from collections.abc import Mapping

TEXT, ZONE_OUT, BUFFER = "const char *{}", "void **{0}, size_t *{0}_taille", "char *{}"

FUNCTIONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "SSV_InitLIB": (),
    "SSV_TermLIB": (),
    "SSV_LireConfig": (("zone", ZONE_OUT),),
    "SSV_LireDateLecteur": (("lecteur", TEXT), ("date", BUFFER)),
    "SSV_MajDateLecteur": (("lecteur", TEXT), ("date", TEXT)),
    "SSV_LireCartePS": (("ps", TEXT), ("lecteur", TEXT), ("code", TEXT), ("zone", ZONE_OUT)),
    "SSV_LireDroitsVitale": (("ps", TEXT), ("lecteur", TEXT), ("code", TEXT), ("date", TEXT), ("zone", ZONE_OUT)),
    "SSV_AllouerZoneMem": (("zone", "void **{}"), ("taille", "size_t {}")),
}
"""Name to parameters; every function returns an unsigned 16-bit code. ``SSV_LibererZoneMem`` returns nothing."""


def header() -> str:
    """Return the C header of the library."""
    lines = ["/* Made by Bifente: the SSV functions of the laboratory. No file of the GIE SESAM-Vitale. */"]
    lines += ["#ifndef BIFENTE_SSV_H", "#define BIFENTE_SSV_H", "#include <stddef.h>", "#include <stdint.h>"]
    for name, parameters in FUNCTIONS.items():
        shown = ", ".join(form.format(parameter) for parameter, form in parameters) or "void"
        lines.append(f"uint16_t {name}({shown});")
    return "\n".join([*lines, "void SSV_LibererZoneMem(void *zone);", "#endif", ""])
