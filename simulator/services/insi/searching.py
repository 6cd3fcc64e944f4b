"""The two searches, and what may be asked of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from bifente.ground.identifiers import nir_key
from bifente.ground.text import Text
from bifente.simulator.formats.insi import InsiAnswer, InsiCode, InsMatricule, TraitSearch, VitaleSearch
from bifente.simulator.services.insi.population import InsiPerson, Population
from bifente.simulator.services.insi.refusals import InsiRefusedError

_LETTERS = re.compile(r"[A-Z' -]+")
_WRONG_IN_A_NAME = re.compile(r"^[ -]|[ ]$|  |''| '|' |---")
_WRONG_IN_A_GIVEN_NAME = re.compile(r"--|[-']$")
_NUMBER = re.compile(r"[1-478]\d{4}(?:\d\d|2[AB])\d{6}", re.ASCII)
_KEY = re.compile(r"\d\d", re.ASCII)
_PLACE = re.compile(r"\d[0-9AB]\d{3}", re.ASCII)
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_COMPACT_DAY = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_RANK = re.compile(r"[1-9]", re.ASCII)


def by_traits(search: TraitSearch, people: Population) -> InsiAnswer:
    """Return who has these traits, names to the letter. Raise InsiRefusedError for what may not be asked."""
    _check_traits(search)
    asked = " ".join(search.given).split(" ")
    found = [
        one
        for one in people
        if one.name == search.name
        and one.sex == search.sex
        and one.birth_date == search.birth_date
        and search.birth_place in ("", one.birth_place)
        and search.matricule in (None, one.active.matricule)
        and _has(one, asked)
    ]
    return _answer(found)


def by_vitale(search: VitaleSearch, people: Population) -> InsiAnswer:
    """Return who a Vitale says this is. Raise InsiRefusedError for what may not be asked."""
    _check_vitale(search)
    if search.individual is not None:
        number = search.individual.number
        return _answer([one for one in people if one.active.matricule.number == number and _born(one, search)])
    assert search.insured is not None  # noqa: S101 - the check saw to it
    number = search.insured.number
    found = [one for one in people if number in (one.insured, one.active.matricule.number) and _born(one, search)]
    if len(found) > 1 and search.birth_rank:
        found = [one for one in found if one.rank in ("", search.birth_rank)]
    return _answer(found)


def _has(person: InsiPerson, asked: list[str]) -> bool:
    """Whether these given names, in order, are the first or all of those registered."""
    registered = " ".join(person.given).split(" ")
    return asked == registered or (not person.all_given and asked == registered[:1])


def _born(person: InsiPerson, search: VitaleSearch) -> bool:
    """Whether the date of the card is the person's; of one that is no day of the calendar, the year."""
    found = _DAY.fullmatch(search.birth_date) or _COMPACT_DAY.fullmatch(search.birth_date)
    if found is None:
        return not search.birth_date
    year, month, day = found.groups()
    try:
        return date(int(year), int(month), int(day)).isoformat() == person.birth_date
    except ValueError:
        return person.birth_date.startswith(year)


def _answer(found: Iterable[InsiPerson]) -> InsiAnswer:
    everyone = list(found)
    if len(everyone) == 1:
        return everyone[0].answer
    return InsiAnswer(InsiCode.SEVERAL if everyone else InsiCode.NONE)


def _check_traits(search: TraitSearch) -> None:
    said = (
        ("NomNaissance", search.name),
        ("Prenom", " ".join(search.given)),
        ("Sexe", search.sex),
        ("DateNaissance", search.birth_date),
    )
    for name, value in said:
        if not value:
            raise InsiRefusedError("missing-trait", Text(f"{name} est absent", f"{name} is missing"))
    _check_name("NomNaissance", search.name)
    for given in search.given:
        _check_name("Prenom", given)
        if _WRONG_IN_A_GIVEN_NAME.search(given):
            raise _characters("Prenom")
    if search.sex not in ("M", "F"):
        raise _value("Sexe")
    if not _is_day(search.birth_date):
        raise _value("DateNaissance")
    if search.birth_place and not _PLACE.fullmatch(search.birth_place):
        raise _value("LieuNaissance")
    if search.matricule is not None:
        _check_matricule("NumIdentifiant", search.matricule)


def _check_vitale(search: VitaleSearch) -> None:
    if search.individual is None and search.insured is None:
        raise InsiRefusedError(
            "missing-trait",
            Text("MatriculeIndividu ou MatriculeOD est attendu", "MatriculeIndividu or MatriculeOD is expected"),
        )
    for name, held in (("MatriculeIndividu", search.individual), ("MatriculeOD", search.insured)):
        if held is not None:
            _check_matricule(name, held)
    if search.individual is None and not search.birth_date:
        raise InsiRefusedError("missing-trait", Text("DateNaissance est absente", "DateNaissance is missing"))
    if search.name:
        _check_name("NomNaissance", search.name)
    if search.birth_date and not (_DAY.fullmatch(search.birth_date) or _COMPACT_DAY.fullmatch(search.birth_date)):
        raise _value("DateNaissance")
    if search.birth_rank and not _RANK.fullmatch(search.birth_rank):
        raise _value("RangNaissance")


def _check_name(place: str, text: str) -> None:
    if not _LETTERS.fullmatch(text) or _WRONG_IN_A_NAME.search(text):
        raise _characters(place)


def _check_matricule(place: str, held: InsMatricule) -> None:
    if not _NUMBER.fullmatch(held.number) or (held.key and not _KEY.fullmatch(held.key)):
        raise _value(place)
    if held.key and nir_key(held.number) != held.key:
        raise _value(f"{place}/Cle")


def _is_day(text: str) -> bool:
    found = _DAY.fullmatch(text)
    if found is None:
        return False
    try:
        date(*(int(part) for part in found.groups()))
    except ValueError:
        return False
    return True


def _characters(place: str) -> InsiRefusedError:
    return InsiRefusedError("characters", Text.same(place))


def _value(place: str) -> InsiRefusedError:
    return InsiRefusedError("bad-value", Text.same(place))
