"""The practice's memory: sheets, claims, lots, files, returns, their history in one SQLite file."""

from bifente.simulator.software.billing.store.database import Database
from bifente.simulator.software.billing.store.rows import ClaimRow, FileRow, LotRow, PaymentRow, ReturnRow, SheetRow
from bifente.simulator.software.billing.store.states import TRANSITIONS, Move
from bifente.simulator.software.billing.store.store import Store
from bifente.simulator.software.billing.store.worklist import Task, TaskKind, Urgency, work_list

__all__ = [
    "TRANSITIONS",
    "ClaimRow",
    "Database",
    "FileRow",
    "LotRow",
    "Move",
    "PaymentRow",
    "ReturnRow",
    "SheetRow",
    "Store",
    "Task",
    "TaskKind",
    "Urgency",
    "work_list",
]
