"""The practice's memory: sheets, claims, lots, files, returns, their history in one SQLite file; and the deadlines."""

from bifente.simulator.fse.store.database import Database
from bifente.simulator.fse.store.deadlines import Deadlines, Rules
from bifente.simulator.fse.store.numbers import Sequence
from bifente.simulator.fse.store.rows import ClaimRow, FileRow, LotRow, Payment, ReturnRow, SheetRow
from bifente.simulator.fse.store.states import TRANSITIONS, Move
from bifente.simulator.fse.store.store import Store
from bifente.simulator.fse.store.worklist import Task, TaskKind, Urgency, work_list

__all__ = [
    "TRANSITIONS",
    "ClaimRow",
    "Database",
    "Deadlines",
    "FileRow",
    "LotRow",
    "Move",
    "Payment",
    "ReturnRow",
    "Rules",
    "Sequence",
    "SheetRow",
    "Store",
    "Task",
    "TaskKind",
    "Urgency",
    "work_list",
]
