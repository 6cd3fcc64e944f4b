"""The zones of the SSV interface: groups of positional fields, and what each group and field means."""

from bifente.simulator.zones.catalogue import GROUPS, ORDERS, FieldKind, FieldType, GroupType
from bifente.simulator.zones.codec import Group, decode, encode
from bifente.simulator.zones.errors import ZoneError
from bifente.simulator.zones.naming import bytes_of, fault, make, named, names, text_of, unnamed
from bifente.simulator.zones.order import OrderError, check_order

__all__ = [
    "GROUPS",
    "ORDERS",
    "FieldKind",
    "FieldType",
    "Group",
    "GroupType",
    "OrderError",
    "ZoneError",
    "bytes_of",
    "check_order",
    "decode",
    "encode",
    "fault",
    "make",
    "named",
    "names",
    "text_of",
    "unnamed",
]
