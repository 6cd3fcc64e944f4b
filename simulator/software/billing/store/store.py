"""What a practice keeps of its sheets and every change of it: each method is a transaction, or joins its caller's.

Nothing is told to anybody before it is committed; what a crash interrupts has not happened. Numbers are the exception
that keeps the promise: one that was reserved and not used is a hole, never a second use.

| part | module |
| --- | --- |
| the file, the day, the history | ``core`` |
| numbers | ``counting`` |
| states: how they change, what follows | ``life`` |
| sheets, claims | ``sheets``, ``claims`` |
| lots and files | ``outbox`` |
| returns as they came; ARL; RSP | ``returns``, ``acknowledgements``, ``payments`` |
| what is forgotten | ``purging`` |
"""

from __future__ import annotations

from bifente.simulator.software.billing.store.acknowledgements import Acknowledgements
from bifente.simulator.software.billing.store.claims import Claims
from bifente.simulator.software.billing.store.counting import Counting
from bifente.simulator.software.billing.store.payments import Payments
from bifente.simulator.software.billing.store.purging import Purging
from bifente.simulator.software.billing.store.sheets import Sheets


class Store(Counting, Sheets, Claims, Acknowledgements, Payments, Purging):
    """The store of one ``sender`` (AM number, 9 digits) in the file at ``path``, made if it is not there.

    Without ``path`` it is kept in memory. ``factory`` makes the connection. Raises FseError for a file that is no
    store, or the store of another sender.
    """
