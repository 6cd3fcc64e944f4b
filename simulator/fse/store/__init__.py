"""The practice's memory: sheets, claims, lots, files, returns, their history in one SQLite file; and the deadlines."""

from simulator.fse.store.database import Database
from simulator.fse.store.deadlines import Deadlines, Rules
from simulator.fse.store.numbers import Sequence
from simulator.fse.store.rows import ClaimRow, FileRow, LotRow, Payment, ReturnRow, SheetRow
from simulator.fse.store.states import TRANSITIONS, Move
from simulator.fse.store.store import Store
from simulator.fse.store.worklist import Task, TaskKind, Urgency, work_list

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
