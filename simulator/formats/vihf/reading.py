"""A VIHF read back from its assertion: what is there, not yet whether it is right."""

from __future__ import annotations

from bifente.simulator.formats.saml.model import CodedValue, SamlAssertion
from bifente.simulator.formats.vihf import names
from bifente.simulator.formats.vihf.model import Vihf, VihfRole, VihfSoftware
from bifente.simulator.formats.vihf.refusals import VihfError, VihfRefusal
from bifente.simulator.formats.vihf.rules import VihfRules


def read_vihf(assertion: SamlAssertion, rules: VihfRules | None = None) -> Vihf:
    """Return what an assertion says as a VIHF. Raise VihfError for an attribute said twice, or not in its form."""
    rules = rules or VihfRules()
    _check_once(assertion, rules)
    said = _Said(assertion)
    how = assertion.authentication
    if how is None:
        raise VihfError(VihfRefusal.CONTEXT, "no AuthnStatement")
    return Vihf(
        id=assertion.id,
        issued=assertion.issued,
        issuer=assertion.issuer,
        subject=assertion.subject,
        structure=said.text(names.STRUCTURE),
        sector=said.text(names.SECTOR),
        roles=tuple(
            VihfRole(one.code, one.system, one.display, one.system_name) for one in said.coded(names.ROLE, "Role")
        ),
        software=VihfSoftware(
            said.text(names.LPS_ID),
            said.text(names.LPS_NAME),
            said.text(names.LPS_VERSION),
            said.text(names.LPS_HOMOLOGATION),
        ),
        patient=said.text(names.PATIENT),
        mode=assertion.text(*rules.mode_names),
        purpose=said.code(names.PURPOSE, "PurposeOfUse", names.ACCESS_PURPOSES, VihfRefusal.PURPOSE),
        reason=said.text(names.REASON),
        subject_name=said.text(names.SUBJECT_ID),
        confidentiality=said.confidentiality(),
        authenticated=how.instant,
        context_class=how.context_class,
        declaration=how.declaration,
        resource=said.text(names.RESOURCE),
        version=said.text(names.VERSION),
    )


class _Said:
    """The attributes, by name."""

    def __init__(self, assertion: SamlAssertion) -> None:
        self._values = {one.name: one.values for one in assertion.attributes}

    def text(self, name: str) -> str:
        values = self._values.get(name, ())
        if len(values) > 1 or any(isinstance(one, CodedValue) for one in values):
            raise VihfError(VihfRefusal.ATTRIBUTE, name)
        return str(values[0]) if values else ""

    def coded(self, name: str, element: str) -> list[CodedValue]:
        values = self._values.get(name, ())
        found = [one for one in values if isinstance(one, CodedValue) and one.element == element]
        if len(found) != len(values):
            raise VihfError(VihfRefusal.ATTRIBUTE, name)
        return found

    def code(self, name: str, element: str, system: str, refusal: VihfRefusal) -> str:
        found = self.coded(name, element)
        if len(found) > 1:
            raise VihfError(VihfRefusal.ATTRIBUTE, name)
        if found and found[0].system != system:
            raise VihfError(refusal, f"codeSystem {found[0].system[:40]}")
        return found[0].code if found else ""

    def confidentiality(self) -> str:
        """A coded value, or the code alone as a text: only one builder was seen (DMP-FIELD)."""
        values = self._values.get(names.CONFIDENTIALITY, ())
        if len(values) > 1:
            raise VihfError(VihfRefusal.ATTRIBUTE, names.CONFIDENTIALITY)
        if not values:
            return ""
        return values[0].code if isinstance(values[0], CodedValue) else values[0]


def _check_once(assertion: SamlAssertion, rules: VihfRules) -> None:
    seen: set[str] = set()
    for one in assertion.attributes:
        name = names.MODE if one.name in rules.mode_names else one.name
        if name in seen:
            raise VihfError(VihfRefusal.ATTRIBUTE, f"{name} is there twice")
        seen.add(name)
