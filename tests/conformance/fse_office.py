"""A practice for the tests of care sheets: cards in a reader, sheets really signed, files as they leave."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from conformance_bench import Lab

from bifente.conformance.bench.scene import Scene
from bifente.conformance.domains.fse.bench import FseBench
from bifente.conformance.model import CardChoice
from bifente.simulator.formats.fse.lots import encode_lot
from bifente.simulator.formats.fse.model import Lot, Payment, SecuredInvoice, TransportFile
from bifente.simulator.formats.fse.securing.codec import encode_secured
from bifente.simulator.software.billing.making import Care
from bifente.simulator.software.billing.ordering import Made, Order
from bifente.simulator.tarification.requests import ActRequest

CODE = "1234"
PROFILE = "readers/generic-bislot"


@dataclass(slots=True)
class Office:
    """One scene whose desk makes consultations."""

    scene: Scene

    @classmethod
    def open(cls, lab: Lab, **templates: str) -> Office:
        """With these cards, by slot."""
        bench = lab.pool.get(PROFILE)
        chosen = {"cps": "medecin-generaliste", "vitale": "vitale/assure-seul", **templates}
        chance = random.Random(1)
        cards = {slot: CardChoice(template=name) for slot, name in chosen.items()}
        # Yesterday: what is signed here is judged by the machine's clock, which may not be at nine o'clock yet.
        bench.seat(cards, chance, destructive=True, day=datetime.now(UTC).date() - timedelta(days=1))
        return cls(Scene(bench, chance, lambda role, told: None, lambda role, what: None))

    @property
    def fse(self) -> FseBench:
        return self.scene.part(FseBench)

    @property
    def today(self) -> date:
        return self.fse.days.today

    def consult(self, *, mode: int = 3, payment: Payment = Payment.DIRECT) -> Made:
        """A consultation, not signed."""
        self.fse.software.read(CODE)
        care = Care(payment=payment, care_path="T")
        return self.fse.software.make(Order((ActRequest("G", self.today),), care, self.today, 1, 1, mode, mode == 5))

    def secured(self, *, mode: int = 3, payment: Payment = Payment.DIRECT) -> SecuredInvoice:
        """A consultation, signed as its mode wants."""
        made = self.consult(mode=mode, payment=payment)
        return self.fse.software.sign(made.invoice.number, CODE, paper=mode == 5)

    def lot(self) -> Lot:
        """The lot of what is secured."""
        (lot,) = self.fse.software.office.make_lots(CODE)
        return lot

    def file(self) -> TransportFile:
        """The file of what is secured, as it leaves."""
        self.fse.software.office.make_lots(CODE)
        self.fse.software.office.send()
        return self.fse.post.wire.sent[-1]

    def written(self, folder: Path) -> dict[str, Path]:
        """A sheet, a lot and a file on the disk."""
        sheet = self.secured(payment=Payment.TIERS_PAYANT)
        lot = self.lot()
        self.fse.software.office.send()
        file = self.fse.post.wire.sent[-1]
        things = {
            "sheet": encode_secured(sheet),
            "lot": encode_lot(lot),
            "content": sheet.content,
            file.name: file.data,
        }
        paths = {}
        for name, data in things.items():
            paths[name if name in ("sheet", "lot", "content") else "file"] = folder / name
            (folder / name).write_bytes(data)
        return paths

    def close(self) -> None:
        self.scene.close()
