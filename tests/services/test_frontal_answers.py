"""How ARL come back: once and the same for the same file, late, never; a front end that is down; one started again."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from frontal_bench import NOW, Bench, third_party
from securing_bench import anchors, keys

from bifente.ground.clock import VirtualClock
from bifente.simulator.faults import catalogue
from bifente.simulator.formats.fse.files import make_file
from bifente.simulator.formats.fse.model import Arl, ArlKind
from bifente.simulator.formats.fse.returns import decode_return
from bifente.simulator.services.frontal.faults import Trouble
from bifente.simulator.services.frontal.frontal import Frontal
from bifente.simulator.services.frontal.laboratory import identity, laboratory
from bifente.simulator.services.frontal.ledger import Ledger
from bifente.simulator.services.frontal.parameters import FrontalParameters
from bifente.simulator.serving.mail import TransportError, TransportFailure

BODY = "013490349"


def codes(arl: Arl) -> list[str]:
    return [reason.code for reason in arl.rejections]


class TestTheSameFile:
    def test_is_answered_with_the_same_arl_and_counted_once(self) -> None:
        bench = Bench()
        file = bench.file(bench.lot(bench.secured(1, **third_party())))
        first = bench.frontal.submit(*file)
        bench.pass_days(1)
        assert bench.frontal.submit(*file) == first
        assert first[0].kind is ArlKind.POSITIVE
        bench.pass_days(10)
        assert [len(rsp.lines) for rsp in bench.frontal.settle()] == [1]

    def test_a_refused_file_is_answered_with_the_same_arl(self) -> None:
        bench = Bench()
        file = bench.file(bench.lot(bench.secured(1, body="023490349")))
        assert bench.frontal.submit(*file) == bench.frontal.submit(*file)

    def test_other_bytes_under_its_name_are_refused(self) -> None:
        bench = Bench()
        data, name = bench.file(bench.lot(bench.secured(1)))
        other, _name = bench.file(bench.lot(bench.secured(2), number="001"))
        bench.frontal.submit(data, name)
        (arl,) = bench.frontal.submit(other, name)
        assert (codes(arl), arl.lot) == (["file-name-reused"], "001")
        assert bench.frontal.submit(other, name) == [arl]
        assert codes(bench.submit(bench.lot(bench.secured(2), number="001"))[0]) == []

    def test_after_an_altered_copy_the_good_one_is_taken(self) -> None:
        bench = Bench()
        data, name = bench.file(bench.lot(bench.secured(1)))
        (bad,) = bench.frontal.submit(data[:-1], name)
        (good,) = bench.frontal.submit(data, name)
        assert (codes(bad), good.kind) == (["file-unreadable"], ArlKind.POSITIVE)
        assert bench.frontal.submit(data[:-1], name) == [bad]

    def test_after_a_copy_with_an_altered_sheet_the_good_one_is_taken(self) -> None:
        bench = Bench()
        data, name = bench.file(bench.lot(bench.secured(1)))
        at = data.index(b"TESTASSURE")
        (bad,) = bench.frontal.submit(data[:at] + b"R" + data[at + 1 :], name)
        (good,) = bench.frontal.submit(data, name)
        assert (codes(bad), good.kind) == (["altered"], ArlKind.POSITIVE)

    def test_an_arl_says_which_bytes_it_answers(self) -> None:
        bench = Bench()
        data, name = bench.file(bench.lot(bench.secured(1)), bench.lot(bench.secured(2), number="001"))
        other, _name = bench.file(bench.lot(bench.secured(3), number="002"))
        at = data.index(b"TESTASSURE")
        copies = {
            "file-unreadable": data[:-1],
            "altered": data[:at] + b"R" + data[at + 1 :],
            "": data,
            "file-name-reused": other,
        }
        for code, copy in copies.items():
            arls = bench.frontal.submit(copy, name)
            assert {arl.received for arl in arls} == {hashlib.sha256(copy).hexdigest()}
            assert codes(arls[0]) == ([code] if code else [])
        assert bench.frontal.submit(data, name)[0].received == hashlib.sha256(data).hexdigest()

    def test_another_name_with_the_same_bytes_is_another_file(self) -> None:
        bench = Bench()
        data, name = bench.file(bench.lot(bench.secured(1)))
        bench.frontal.submit(data, name)
        (arl,) = bench.frontal.submit(data, f"copy of {name}")
        assert {"lot-repeated", "duplicate"} == set(codes(arl))


class TestDelivery:
    def test_a_missing_arl_comes_when_the_file_is_sent_again(self) -> None:
        bench = Bench()
        bench.frontal.suffer(Trouble.ARL_MISSING)
        file = bench.file(bench.lot(bench.secured(1)))
        assert bench.frontal.submit(*file) == []
        bench.pass_days(30)
        assert bench.frontal.due() == []
        bench.frontal.suffer()
        (arl,) = bench.frontal.submit(*file)
        assert (arl.kind, arl.on) == (ArlKind.POSITIVE, NOW.date())

    def test_a_late_arl_comes_after_its_delay_and_once(self) -> None:
        bench = Bench(FrontalParameters(arl_delay=timedelta(days=4)))
        bench.frontal.suffer(Trouble.ARL_LATE)
        assert bench.submit(bench.lot(bench.secured(1))) == []
        bench.pass_days(3.9)
        assert bench.frontal.due() == []
        assert bench.frontal.due(NOW + timedelta(days=3)) == []
        bench.pass_days(0.2)
        (arl,) = bench.frontal.due()
        assert arl.kind is ArlKind.POSITIVE
        assert bench.frontal.due() == []

    @pytest.mark.parametrize(
        ("parameters", "at_once", "later"),
        [
            (FrontalParameters(), 40, 0),
            (FrontalParameters(arl_lost=1), 0, 0),
            (FrontalParameters(arl_late=1), 0, 40),
            (FrontalParameters(arl_lost=0.3, arl_late=0.3), 17, 13),
        ],
    )
    def test_parts_are_drawn_from_the_seed(self, parameters: FrontalParameters, at_once: int, later: int) -> None:
        def month() -> tuple[list[Arl], list[Arl]]:
            bench = Bench(parameters, seed=7)
            sheets = [bench.secured(rank + 1, **third_party()) for rank in range(40)]
            now = [arl for rank in range(40) for arl in bench.submit(bench.lot(sheets[rank], number=f"{rank:03}"))]
            bench.pass_days(5)
            return now, bench.frontal.due()

        first, second = month(), month()
        assert first == second
        assert (len(first[0]), len(first[1])) == (at_once, later)

    @pytest.mark.parametrize(
        ("trouble", "failure"),
        [(Trouble.DOWN, TransportFailure.SERVER_DOWN), (Trouble.MAILBOX_FULL, TransportFailure.MAILBOX_FULL)],
    )
    def test_a_front_end_that_takes_nothing_remembers_nothing(
        self, trouble: Trouble, failure: TransportFailure
    ) -> None:
        bench = Bench()
        bench.frontal.suffer(trouble)
        file = bench.file(bench.lot(bench.secured(1)))
        with pytest.raises(TransportError) as caught:
            bench.frontal.submit(*file)
        assert (caught.value.failure, caught.value.lasting) == (failure, False)
        assert bench.frontal.returns() == []
        bench.frontal.suffer()
        assert [arl.kind for arl in bench.frontal.submit(*file)] == [ArlKind.POSITIVE]

    def test_what_travels_is_the_arl_in_bytes(self) -> None:
        bench = Bench()
        data, name = bench.file(bench.lot(bench.secured(1)))
        (travels,) = bench.frontal.receive(data, name)
        assert [decode_return(travels)] == bench.frontal.submit(data, name) == bench.frontal.returns("991000019")
        assert bench.frontal.returns("991000027") == []

    def test_files_may_come_from_several_threads(self) -> None:
        bench = Bench()
        files = [bench.file(bench.lot(bench.secured(rank + 1), number=f"{rank:03}")) for rank in range(12)]
        with ThreadPoolExecutor(4) as pool:
            arls = [arl for (arl,) in pool.map(lambda file: bench.frontal.submit(*file), files)]
        assert [arl.kind for arl in arls] == [ArlKind.POSITIVE] * 12
        assert len({arl.return_id for arl in arls}) == 12

    def test_an_envelope_can_be_demanded(self) -> None:
        strict = FrontalParameters(encrypted_only=True)
        frontal = laboratory(keys(), VirtualClock(NOW), BODY, parameters=strict)
        bench = Bench()
        lot = bench.lot(bench.secured(1))
        assert codes(frontal.submit(*bench.file(lot))[0]) == ["file-not-encrypted"]
        made = make_file([lot], identity(keys(), BODY).certificate)
        assert codes(frontal.submit(made.data, made.name)[0]) == []

    def test_an_envelope_for_another_body_is_not_opened(self) -> None:
        bench = Bench()
        made = make_file([bench.lot(bench.secured(1))], identity(keys(), BODY).certificate)
        (arl,) = laboratory(keys(), VirtualClock(NOW), "023490349").submit(made.data, made.name)
        assert (codes(arl), arl.lot, arl.sender) == (["file-other-key"], "", "991000019")


class TestStartedAgain:
    def front(self, path: Path, clock: VirtualClock, parameters: FrontalParameters | None = None) -> Frontal:
        return Frontal(clock, anchors(), parameters=parameters, chance=Random(1), ledger=Ledger(path))

    def test_it_knows_files_lots_and_numbers_and_pays_what_it_owes(self, tmp_path: Path) -> None:
        bench, clock, path = Bench(), VirtualClock(NOW), tmp_path / "ledger.sqlite"
        file = bench.file(bench.lot(bench.secured(1, **third_party())))
        first = self.front(path, clock).submit(*file)
        again = self.front(path, clock)
        assert again.submit(*file) == first
        (arl,) = again.submit(*bench.file(bench.lot(bench.secured(1))))
        assert set(codes(arl)) == {"lot-repeated", "duplicate"}
        assert arl.return_id != first[0].return_id
        clock.advance(6 * 86400)
        (rsp,) = self.front(path, clock).settle()
        assert rsp.total == 2100
        assert self.front(path, clock).settle() == []
        assert self.front(path, clock).returns() == [*first, arl, rsp]

    def test_late_arls_still_come(self, tmp_path: Path) -> None:
        bench, clock, path = Bench(), VirtualClock(NOW), tmp_path / "ledger.sqlite"
        late = FrontalParameters(arl_late=1)
        assert self.front(path, clock, late).submit(*bench.file(bench.lot(bench.secured(1)))) == []
        clock.advance(5 * 86400)
        assert len(self.front(path, clock).due()) == 1

    def test_what_fails_in_the_middle_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        bench, clock, path = Bench(), VirtualClock(NOW), tmp_path / "ledger.sqlite"
        frontal = self.front(path, clock)
        file = bench.file(bench.lot(bench.secured(1)), bench.lot(bench.secured(2), number="001"))
        with monkeypatch.context() as patch:
            real, seen = Ledger.add_return, []

            def fails(self: Ledger, *args: object) -> None:
                seen.append(args)
                if len(seen) == 2:
                    raise OSError("power cut")
                real(self, *args)  # type: ignore[arg-type]

            patch.setattr(Ledger, "add_return", fails)
            with pytest.raises(OSError, match="power cut"):
                frontal.submit(*file)
        assert frontal.returns() == []
        assert [arl.kind for arl in self.front(path, clock).submit(*file)] == [ArlKind.POSITIVE] * 2

    @pytest.mark.parametrize("content", [b"not a ledger at all" * 100, b""])
    def test_a_file_that_is_no_ledger_is_refused(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "other"
        path.write_bytes(content)
        if content:
            with pytest.raises(ValueError, match="no ledger of a front end"):
                Ledger(path)
        else:
            Ledger(path).close()

    def test_a_database_of_another_is_refused(self, tmp_path: Path) -> None:
        import sqlite3

        path = tmp_path / "other.sqlite"
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE mine (x)")
        other.commit()
        with pytest.raises(ValueError, match="no ledger of this version"):
            Ledger(path)


class TestParameters:
    @pytest.mark.parametrize(
        "wrong", [{"arl_late": 1.1}, {"arl_lost": -0.1}, {"missing_lots": -1}, {"reduction": 0}, {"reduction": 100}]
    )
    def test_impossible_ones_are_refused(self, wrong: dict[str, float]) -> None:
        with pytest.raises(ValueError, match=r"part from 0 to 1|missing_lots"):
            FrontalParameters(**wrong)  # type: ignore[arg-type]


class TestFaults:
    def test_every_trouble_is_in_the_catalogue(self) -> None:
        assert {one.id for one in catalogue().values() if one.room == "frontal"} == set(Trouble)
