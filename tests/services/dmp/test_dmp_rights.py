"""The rights matrices, cell by cell, and the column that a caller stands in."""

from __future__ import annotations

from itertools import product

import pytest

from bifente.conformance.requirements import load_catalogue
from bifente.simulator.formats.vihf import AccessPurpose
from bifente.simulator.services.dmp.rights import Calling, DmpGrant, Operation, column, rights

# The official tables once more, in another form than the data: one text per row, columns in order, digits are notes.
DIRECT = """
TD0.0         yyyyyyyyyyyy
TD0.1         yyyyyyyyyyyy
TD0.2         yyyyyyyyyyyy
TD0.3-add     ynnynnnyn1nn
TD0.3-remove  ynnynnnynnnn
TD0.3-mt      nnnnnnnynnnn
TD0.4         yyyyyyyyy23n
TD0.5         nynnynnnnnny
TD0.9         yyyyyyyyyynn
TD1.3a        yyyyyyyyyyyy
TD1.6         ynnynnyynnnn
TD2.1         yyyyyyyyyn44
TD2.2         nnnnnnnnn4nn
TD3.1         yyyyyyyyynnn
TD3.1b        yyyyyyyyy555
TD3.2         yyyyyynyynnn
TD3.2-masked  677677ny7nnn
TD3.2-special yyyyyynyynnn
TD3.3a-mask   ynnynnyynnnn
TD3.3a-unmask 8nn8nn8ynnnn
TD3.3b        ynnynnyynnnn
TD3.3d        8nn8yy8yynnn
TD3.3c        888888888999
"""
AIR = """
TD0.1         yyyyyyyyy
TD0.2         yyyyyyyyy
TD0.3-add     ynnynnyn1
TD0.3-remove  ynnynnynn
TD0.4         yyyyyyyy2
TD0.5         nynnynnnn
TD0.9         yyyyyyyyy
TD1.3a        yyyyyyyyy
TD1.6         ynnynnynn
TD2.1         nnnnnnnnn
TD2.2         nnnnnnnnn
TD3.1         yyyyyyyyn
TD3.1b        yyyyyyyy5
TD3.2         yyyyyyyyn
TD3.2-masked  677677y7n
TD3.2-special yyyyyyyyn
TD3.3a-mask   ynnynnynn
TD3.3a-unmask 8nn8nnynn
TD3.3b        ynnynnynn
TD3.3d        8nnyyyyyn
TD3.3c        888888889
"""
MEANING = {
    "y": DmpGrant.YES,
    "n": DmpGrant.NO,
    "1": DmpGrant.FOR_STRUCTURE,
    "2": DmpGrant.SAME_STRUCTURE,
    "3": DmpGrant.NEW_ONLY,
    "4": DmpGrant.STRUCTURE_LIABLE,
    "5": DmpGrant.TO_DELETE_OR_REPLACE,
    "6": DmpGrant.OWN,
    "7": DmpGrant.IF_ALLOWED_IN_URGENCY,
    "8": DmpGrant.OWN,
    "9": DmpGrant.OF_STRUCTURE,
}


def cells(table: str, columns: str) -> list[tuple[Operation, str, DmpGrant]]:
    rows = [line.split() for line in table.strip().splitlines()]
    names = ["JP" if name == "P" else name for name in columns]
    return [
        (Operation(row), name, MEANING[cell]) for row, given in rows for name, cell in zip(names, given, strict=True)
    ]


@pytest.mark.parametrize(("operation", "name", "grant"), cells(DIRECT, "ABCDEFGHIJKL"))
def test_each_cell_of_the_matrix(operation: Operation, name: str, grant: DmpGrant) -> None:
    assert rights().direct.grant(operation, name) is grant


@pytest.mark.parametrize(("operation", "name", "grant"), cells(AIR, "ABCDEFHIP"))
def test_each_cell_of_the_matrix_under_air(operation: Operation, name: str, grant: DmpGrant) -> None:
    assert rights().air.grant(operation, name) is grant


def test_nothing_is_left_out_and_what_is_ours_says_so() -> None:
    told = {operation for operation, _name, _grant in cells(DIRECT, "ABCDEFGHIJKL")}
    ours = {operation for matrix, operation in rights().modelled if matrix == "direct"}
    assert told | ours == {*Operation}
    assert told & ours == set()
    assert ours == {Operation.CHANGE_DATA, Operation.CLOSE}


@pytest.mark.parametrize(
    ("calling", "mode", "treating", "air", "wanted"),
    [
        (Calling.PROFESSIONAL, AccessPurpose.NORMAL, False, False, "A"),
        (Calling.PROFESSIONAL, AccessPurpose.REGULATION, False, False, "B"),
        (Calling.PROFESSIONAL, AccessPurpose.EMERGENCY, False, False, "C"),
        (Calling.PHYSICIAN, AccessPurpose.NORMAL, False, False, "D"),
        (Calling.PHYSICIAN, AccessPurpose.REGULATION, False, False, "E"),
        (Calling.PHYSICIAN, AccessPurpose.EMERGENCY, False, False, "F"),
        (Calling.PHYSICIAN, AccessPurpose.NORMAL, True, False, "H"),
        (Calling.PHYSICIAN, AccessPurpose.EMERGENCY, True, False, "I"),
        (Calling.PHYSICIAN, AccessPurpose.REGULATION, True, False, "E"),
        (Calling.OCCUPATIONAL, AccessPurpose.NORMAL, True, False, "G"),
        (Calling.OCCUPATIONAL, AccessPurpose.EMERGENCY, False, False, "G"),
        (Calling.OCCUPATIONAL, AccessPurpose.NORMAL, False, True, None),
        (Calling.EMPLOYEE, AccessPurpose.NORMAL, False, False, "J"),
        (Calling.EMPLOYEE, AccessPurpose.NORMAL, False, True, "JP"),
        (Calling.EMPLOYEE, AccessPurpose.EMERGENCY, False, False, None),
        (Calling.EMPLOYEE, AccessPurpose.REGULATION, False, True, None),
        (Calling.STRUCTURE, AccessPurpose.NORMAL, False, False, "K"),
        (Calling.STRUCTURE, AccessPurpose.REGULATION, False, False, "L"),
        (Calling.STRUCTURE, AccessPurpose.EMERGENCY, False, False, None),
        (Calling.STRUCTURE, AccessPurpose.NORMAL, False, True, None),
    ],
)
def test_column(calling: Calling, mode: AccessPurpose, treating: bool, air: bool, wanted: str | None) -> None:
    assert column(calling, mode, treating=treating, air=air) == wanted


@pytest.mark.parametrize(("mode", "treating", "air"), list(product(AccessPurpose, (True, False), (True, False))))
def test_a_card_without_a_column_may_do_nothing(mode: AccessPurpose, treating: bool, air: bool) -> None:
    where = column(Calling.OTHER, mode, treating=treating, air=air)
    assert where is None
    assert {rights().matrix(air=air).grant(operation, where) for operation in Operation} == {DmpGrant.NO}


@pytest.mark.parametrize(("calling", "mode", "treating"), list(product(Calling, AccessPurpose, (True, False))))
def test_only_a_treating_physician_may_more_than_another(calling: Calling, mode: AccessPurpose, treating: bool) -> None:
    """Being the treating doctor of a record moves physicians alone."""
    where = column(calling, mode, treating=treating, air=False)
    assert (where == column(calling, mode, treating=False, air=False)) or (
        calling is Calling.PHYSICIAN and treating and where in ("H", "I")
    )


def test_where_a_founding_text_differs_the_matrix_rules_and_it_is_told() -> None:
    known = load_catalogue()
    masking = next(one for one in rights().differences if one.operation is Operation.MASK)
    assert rights().direct.grant(Operation.MASK, "A") is DmpGrant.YES
    assert "matrice" in masking.what.fr
    assert {one.seed for one in rights().differences} <= set(known)
