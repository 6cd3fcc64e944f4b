"""The words of the reference page of steps that no step brings itself."""

from __future__ import annotations

from bifente.ground.text import Lang, Text

INTRODUCTION = Text(
    """# Étapes

[English](en/steps.md)

Cette page est écrite par `bifente schema steps` ; le chargeur, le schéma JSON et cette page viennent d'une seule
définition. Les noms d'étapes, d'arguments et de valeurs sont ceux des fichiers.

À côté de son action, une étape peut porter `expect` (ce qui doit être observé), `should` (ce dont l'absence est
tolérée : le verdict est alors « réussi avec remarque »), `artefact` (ce qui est attendu à la place derrière vpcd ou
pcsc-lite, et pourquoi), `capture` (nouveau nom : clé observée), `slot` (quand ce n'est pas celle de la carte
principale) et `title`. Une étape qui ne dit rien de `sw` attend 9000, une qui ne dit rien de `rv` attend CKR_OK. Une
étape qui parle à une carte peut attendre `error`, une erreur PC/SC par son nom, au lieu d'une réponse ;
UNREADABLE_ANSWER est un succès PC/SC sans mot d'état.

Derrière chaque valeur que l'on peut attendre est son genre, ou les mots qu'elle peut être ; ce qu'elle ne peut jamais
être est refusé à la lecture de la suite. Un nombre : `tries-left: 2`, ou un test : `battery: {at-least: 20}`. Vrai ou
faux : `low: false`. Un texte : `sector: SA07`, `reason: {contains: expired}`, `sector: {one-of: [SA07, SA08]}`. Une
liste : `names: [A, B]`, ou un de ses éléments : `names: {contains: A}`. Les groupes d'une zone : `groups: [101, 104]`,
ou `groups: {present: [106], absent: [107], count: {104: 3}}`. Un mot d'état : `sw: 63Cx`, ou l'un de plusieurs :
`sw: [9000, 6282]`. Des octets : `data: 6F 1A *`, `data: {length: 8}`.

Toute étape permet aussi d'attendre :

""",
    """# Steps

[Français](../steps.md)

This page is written by `bifente schema steps`; the loader, the JSON Schema and this page come from one
definition. The names of steps, arguments and values are those of the files.

Beside its action a step may carry `expect` (what must be observed), `should` (what is tolerated when missing: the
verdict is then "passed with remark"), `artefact` (what is expected instead behind vpcd or pcsc-lite, and why),
`capture` (new name: observed key), `slot` (when it is not the main card's) and `title`. A step that says nothing of
`sw` expects 9000, one that says nothing of `rv` expects CKR_OK. A step that speaks to a card may expect `error`, a
PC/SC error by its name, instead of an answer; UNREADABLE_ANSWER is a PC/SC success without a status word.

Behind each value that may be expected stands its kind, or the words that it may be; what it can never be is refused
when the suite is read. A number: `tries-left: 2`, or a test: `battery: {at-least: 20}`. True or false: `low: false`. A
text: `sector: SA07`, `reason: {contains: expired}`, `sector: {one-of: [SA07, SA08]}`. A list: `names: [A, B]`, or
one item of it: `names: {contains: A}`. Groups of a zone: `groups: [101, 104]`, or
`groups: {present: [106], absent: [107], count: {104: 3}}`. A status word: `sw: 63Cx`, or one of several:
`sw: [9000, 6282]`. Bytes: `data: 6F 1A *`, `data: {length: 8}`.

Every step also lets one expect:

""",
)
CIRCUMSTANCES = {
    "before": Text("état de la carte avant l'étape : {}", "state of the card before the step: {}"),
    "after": Text("état de la carte après l'étape, par les mêmes noms", "state of the card after the step, same names"),
    "within": Text("classe de durée : {}", "duration class: {}"),
    "lasts-ms": Text(
        "millisecondes qui passent à l'horloge du banc (demande clock), par exemple {{at-most: 5000}}{}",
        "milliseconds that pass on the bench's own clock (needs clock), e.g. {{at-most: 5000}}{}",
    ),
}
COLON = Text(" : ", ": ")
OR = Text(" ou ", " or ")
REQUIRED = Text("obligatoire", "required")
DEFAULT = Text("par défaut {}", "default {}")
ALONE = Text("peut rester seul :", "may stand alone:")
SECRET = Text("jamais écrit dans un relevé", "never written in a record")
EXPECTABLE = Text("permet d'attendre", "lets one expect")
NEEDS = Text("a besoin de", "needs")

_KINDS = {
    "string": Text("texte", "text"),
    "text": Text("texte", "text"),
    "integer": Text("entier", "whole number"),
    "number": Text("nombre", "number"),
    "boolean": Text("vrai ou faux", "true or false"),
    "truth": Text("vrai ou faux", "true or false"),
    "array": Text("liste", "list"),
    "list": Text("liste", "list"),
    "object": Text("groupe de clés", "mapping"),
    "hexadecimal": Text("hexadécimal", "hexadecimal"),
    "any": Text("n'importe quelle valeur", "any value"),
}


def kind(name: str, lang: Lang) -> str:
    """Return what a kind of value is called; a name that has no word here stays as it is."""
    return _KINDS[name].get(lang) if name in _KINDS else name
