"""A sample of everything that travels, for whoever wants to see the bytes: one consultation, signed by both cards."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.factory import BenchPool
from bifente.conformance.bench.scene import Scene
from bifente.conformance.domains.fse.bench.bench import FseBench
from bifente.conformance.model import CardChoice
from bifente.conformance.options import RunOptions
from bifente.simulator.formats.fse.files import make_file
from bifente.simulator.formats.fse.lots import encode_lot
from bifente.simulator.formats.fse.model import Payment
from bifente.simulator.formats.fse.returns import encode_return
from bifente.simulator.formats.fse.securing.codec import encode_secured
from bifente.simulator.software.billing.making import Care
from bifente.simulator.software.billing.ordering import Order
from bifente.simulator.tarification.requests import ActRequest

_PROFILE = "readers/generic-bislot"
_CARDS = {"cps": "medecin-generaliste", "vitale": "vitale/assure-seul"}
_CODE = "1234"
_SECURED = 3


def sample(workshop: Workshop) -> Mapping[str, bytes]:
    """The sheet's content, the secured sheet, its lot, the file in clear and in an envelope, and the ARL, by file name.

    Of yesterday, so that it is not of a moment to come for whoever judges it by the clock of the machine.
    """
    with BenchPool(RunOptions(paths=()), workshop, (_PROFILE,)) as pool:
        bench, chance = pool.get(_PROFILE), random.Random(1)  # noqa: S311 - a dice for a bench
        cards = {slot: CardChoice(template=name) for slot, name in _CARDS.items()}
        bench.seat(cards, chance, destructive=True, day=datetime.now(UTC).date() - timedelta(days=1))
        scene = Scene(bench, chance, lambda role, told: None, lambda role, what: None)
        try:
            fse, care = scene.part(FseBench), Care(payment=Payment.TIERS_PAYANT, care_path="T")
            fse.software.read(_CODE)
            today = fse.days.today
            made = fse.software.make(Order((ActRequest("G", today),), care, today, 1, 1, _SECURED, paper=False))
            sheet = fse.software.sign(made.invoice.number, _CODE)
            (lot,) = fse.software.office.make_lots(_CODE)
            fse.software.office.send()
            (sealed,) = fse.post.wire.sent
            (arl,) = fse.receive()
            clear = make_file([lot], number=sealed.number, on=today)
            return {
                "sheet.content": sheet.content,
                "sheet.secured": encode_secured(sheet),
                f"lot-{lot.number}": encode_lot(lot),
                clear.name: clear.data,
                sealed.name: sealed.data,
                f"{arl.return_id}.arl": encode_return(arl),
            }
        finally:
            scene.close()
