"""Every rule that is shipped."""

from __future__ import annotations

from collections.abc import Mapping

from bifente.conformance.observation.rules import codes, line, reading, secrecy, services, sharing
from bifente.conformance.observation.rules.rule import Rule

RULES: Mapping[str, Rule] = {
    rule.name: rule for module in (codes, sharing, line, reading, services, secrecy) for rule in module.RULES
}
"""By name, in the order in which an account tells them."""
