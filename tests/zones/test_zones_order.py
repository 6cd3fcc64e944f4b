from __future__ import annotations

import pytest

from bifente.simulator.zones import Group, OrderError, check_order


def zone(*numbers: int) -> list[Group]:
    return [Group(number, ()) for number in numbers]


@pytest.mark.parametrize(
    "numbers",
    [
        (101, 104),
        (101, 102, 104),
        (101, 102, 103, 104),
        (101, 103, 104),
        (101, 102, 104, 105, 106, 107, 108, 109, 111),
        (101, 102, 104, 105, 105, 105, 106, 106, 106, 106, 106, 106, 106, 107, 108, 108, 108, 104, 109, 104, 111),
        (101, 102, *(104,) * 19),
        (101, 102, *(104, 105, 106, 106, 106) * 19),
    ],
)
def test_orders_that_a_card_may_have(numbers: tuple[int, ...]) -> None:
    check_order(zone(*numbers))


@pytest.mark.parametrize(
    ("numbers", "index", "words"),
    [
        ((), 0, "group 101 .Insured. was expected here"),
        ((104,), 0, "group 101 .Insured. was expected here"),
        ((102, 101, 104), 0, "group 101"),
        ((101,), 1, "group 104 .Beneficiary. was expected here"),
        ((101, 102), 2, "group 104"),
        ((101, 101, 104), 1, "group 104"),
        ((101, 103, 102, 104), 2, "group 104"),
        ((101, 102, 104, 102), 3, "group 102 .* is misplaced or one too many"),
        ((101, 102, 104, 106, 105), 4, "group 105"),
        ((101, 102, 104, 108), 3, "group 108"),
        ((101, 102, 104, 107, 107), 4, "group 107"),
        ((101, 102, 104, 109, 107), 4, "group 107"),
        ((101, 102, 104, 111, 109), 4, "group 109"),
        ((101, 102, 104, 109, 109), 4, "group 109"),
        ((101, 102, 105, 104), 2, "group 104 .* was expected here"),
        ((101, 102, 104, 105, 105, 105, 105), 6, "group 105"),
        ((101, 102, 104, *(106,) * 8), 10, "group 106"),
        ((101, 102, 104, 107, *(108,) * 4), 7, "group 108"),
        ((101, 102, *(104,) * 20), 21, "group 104"),
        ((101, 102, 104, 9999), 3, "group 9999 is misplaced or one too many; the order is 101, .102., .103., .104"),
    ],
)
def test_orders_that_no_card_has(numbers: tuple[int, ...], index: int, words: str) -> None:
    with pytest.raises(OrderError, match=f"^group at rank {index}: .*{words}") as caught:
        check_order(zone(*numbers))
    assert caught.value.index == index


def test_the_order_of_a_professional_card() -> None:
    check_order(zone(1, 2, 2, 2), "carte-ps")
    for numbers in ((1,), (2,), (1, 1, 2), (2, 1), (1, 2, 101)):
        with pytest.raises(OrderError):
            check_order(zone(*numbers), "carte-ps")
