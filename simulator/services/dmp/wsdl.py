"""The WSDL that each endpoint serves: its operations, actions and body elements. What is inside the bodies is the
official schemas' to say (sources#dmp-messages): here any content is allowed, but for authorisations and lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lxml import etree

from bifente.simulator.formats.dmp.names import GDP, HL7, PATIENTS, DmpAction
from bifente.simulator.formats.xds.names import QUERY, RS, XDSB

_WSDL, _SOAP12 = "http://schemas.xmlsoap.org/wsdl/", "http://schemas.xmlsoap.org/wsdl/soap12/"
_XSD, _WSAW = "http://www.w3.org/2001/XMLSchema", "http://www.w3.org/2006/05/addressing/wsdl"
_HTTP = "http://schemas.xmlsoap.org/soap/http"

#: The element of each answer's body.
ANSWERS: Mapping[DmpAction, str] = {
    DmpAction.QUERY: f"{{{QUERY}}}AdhocQueryResponse",
    DmpAction.UPDATE: f"{{{RS}}}RegistryResponse",
    DmpAction.PROVIDE: f"{{{RS}}}RegistryResponse",
    DmpAction.RETRIEVE: f"{{{XDSB}}}RetrieveDocumentSetResponse",
    DmpAction.DEMOGRAPHICS: f"{{{HL7}}}PRPA_IN201308UV02",
    DmpAction.REVISE: f"{{{GDP}}}PRPA_IN201314UV02_Response",
    DmpAction.FIND_PATIENT: f"{{{HL7}}}PRPA_IN201306UV02",
    DmpAction.SET_AUTHORISATION: "{urn:si-dmp-habilitations}setAuthorizationResponse",
    DmpAction.LIST_AUTHORISED: "{urn:si-dmp-habilitations}listAuthorizationByPatientResponse",
    DmpAction.LIST_PATIENTS: f"{{{PATIENTS}}}patientListResponse",
}


def wsdl(name: str, location: str, operations: Iterable[tuple[DmpAction, str]]) -> bytes:
    """Return the WSDL 1.1 of one endpoint, its operations given by action and body element."""
    own = f"urn:bifente:dmp:{name}"
    root = etree.Element(
        f"{{{_WSDL}}}definitions",
        {"name": name, "targetNamespace": own},
        nsmap={None: _WSDL, "soap12": _SOAP12, "xsd": _XSD, "wsaw": _WSAW, "tns": own},  # type: ignore[dict-item]
    )
    listed = [(action, asked, ANSWERS[action]) for action, asked in operations]
    _types(root, [element for _action, asked, answered in listed for element in (asked, answered)])
    for action, asked, answered in listed:
        _message(root, f"{action.name}_request", asked)
        _message(root, f"{action.name}_response", answered)
    port = _add(root, _WSDL, "portType", name=f"{name}_PortType")
    for action, asked, _answered in listed:
        operation = _add(port, _WSDL, "operation", name=etree.QName(asked).localname)
        for kind, said in (("input", action.value), ("output", action.answer)):
            end = "request" if kind == "input" else "response"
            _add(operation, _WSDL, kind, message=f"tns:{action.name}_{end}").set(f"{{{_WSAW}}}Action", said)
    binding = _add(root, _WSDL, "binding", name=f"{name}_Binding", type=f"tns:{name}_PortType")
    _add(binding, _SOAP12, "binding", style="document", transport=_HTTP)
    for action, asked, _answered in listed:
        operation = _add(binding, _WSDL, "operation", name=etree.QName(asked).localname)
        _add(operation, _SOAP12, "operation", soapAction=action.value)
        for kind in ("input", "output"):
            _add(_add(operation, _WSDL, kind), _SOAP12, "body", use="literal")
    served = _add(
        _add(root, _WSDL, "service", name=name), _WSDL, "port", name=f"{name}_Port", binding=f"tns:{name}_Binding"
    )
    _add(served, _SOAP12, "address", location=location)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _types(root: etree._Element, elements: Iterable[str]) -> None:
    types = _add(root, _WSDL, "types")
    namespaces = dict.fromkeys(str(etree.QName(one).namespace) for one in elements)
    wanted = dict.fromkeys(elements)
    for namespace in namespaces:
        schema = _add(types, _XSD, "schema", targetNamespace=namespace, elementFormDefault="qualified")
        for one in wanted:
            if etree.QName(one).namespace == namespace:
                element = _add(schema, _XSD, "element", name=str(etree.QName(one).localname))
                kind = _add(element, _XSD, "complexType")
                inside = _add(kind, _XSD, "sequence")
                _add(inside, _XSD, "any", minOccurs="0", maxOccurs="unbounded", processContents="lax")
                _add(kind, _XSD, "anyAttribute", processContents="lax")


def _message(root: etree._Element, name: str, element: str) -> None:
    parts = etree.QName(element)
    message = _add(root, _WSDL, "message", name=name)
    part = etree.SubElement(message, f"{{{_WSDL}}}part", {"name": "body"}, nsmap={"b": str(parts.namespace)})
    part.set("element", f"b:{parts.localname}")


def _add(parent: etree._Element, namespace: str, tag: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{namespace}}}{tag}", attributes)
