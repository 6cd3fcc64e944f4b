"""What a middleware does on a card of each family: the commands behind "sign", "read", "unblock"."""

from bifente.simulator.hosts.base import CardHost, NotOnThisCardError
from bifente.simulator.hosts.families import HOSTS, host_for

__all__ = ["HOSTS", "CardHost", "NotOnThisCardError", "host_for"]
