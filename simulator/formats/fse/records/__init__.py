"""Lots as fixed-width records shaped like those of norm B2, as far as that is public: see ``layouts.yaml``."""

from bifente.simulator.formats.fse.records.layouts import LAYOUTS, WIDTH, FieldLayout, RecordLayout
from bifente.simulator.formats.fse.records.lenient import (
    LooseField,
    LooseRecord,
    encoding_of,
    read_loosely,
    split_records,
)
from bifente.simulator.formats.fse.records.lots import LotRecords, read_records, records, records_of, write_records
from bifente.simulator.formats.fse.records.record import Record, RecordError

__all__ = [
    "LAYOUTS",
    "WIDTH",
    "FieldLayout",
    "LooseField",
    "LooseRecord",
    "LotRecords",
    "Record",
    "RecordError",
    "RecordLayout",
    "encoding_of",
    "read_loosely",
    "read_records",
    "records",
    "records_of",
    "split_records",
    "write_records",
]
