"""One search as one SOAP call: in process, over loopback, or at a publisher's test platform, the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import httpx

from bifente.ground.clock import Clock
from bifente.ground.french import in_both
from bifente.ground.text import Text
from bifente.simulator.formats.insi import (
    InsiAnswer,
    InsiFormError,
    InsiSender,
    action_of,
    context_blocks,
    read_answer,
    request_element,
)
from bifente.simulator.formats.insi.names import ERROR
from bifente.simulator.formats.insi.requests import Search, operation_of
from bifente.simulator.formats.soap import Addressing, SoapFaultError, built, element, fault_of, qname, received
from bifente.simulator.formats.soap.names import SOAP_TYPE
from bifente.simulator.formats.soap.xml import XmlElement
from bifente.simulator.serving.calling import Caller

PATH = "/lps"
UNREADABLE, UNREACHABLE = "unreadable", "unreachable"


class Credential(Protocol):
    """How a call says who asks. None from ``security``: by the certificate of the connection."""

    def security(self) -> XmlElement | None:
        """Return the assertion, fresh or still good. May raise what a card refuses."""
        ...


class NoAssertion:
    """A structure: its certificate is that of the connection."""

    def security(self) -> XmlElement | None:
        """Return nothing."""
        return None


class InsiCallError(Exception):
    """A call without an answer. ``code`` is the fault's, or ``unreadable``, ``unreachable``; ``http`` may be 0."""

    def __init__(self, code: str, reason: Text, http: int = 0, subcode: str = "", remedy: Text | None = None) -> None:
        self.code = code
        self.reason = reason
        self.http = http
        self.subcode = subcode
        self.remedy = remedy
        super().__init__(f"{code}: {reason.en}")


@dataclass(frozen=True, slots=True)
class InsiCalls:
    """Makes calls. ``identifier`` draws a UUID each time it is asked."""

    caller: Caller
    sender: InsiSender
    clock: Clock
    identifier: Callable[[], str]
    path: str = PATH

    def search(self, search: Search, credential: Credential) -> InsiAnswer:
        """Return the answer. Raise InsiCallError, and what the card of the credential refuses."""
        operation = operation_of(search)
        blocks = [
            *context_blocks(self.sender, self.clock.now(), self.identifier(), self.identifier()),
            *Addressing(action_of(operation), f"uuid:{self.identifier()}").blocks(),
        ]
        assertion = credential.security()
        if assertion is not None:
            blocks.append(element(qname("wsse:Security"), None, [assertion], prefixes=_WSSE))
        data = built(request_element(search), blocks).bytes()
        headers = {"content-type": f'{SOAP_TYPE}; charset=utf-8; action="{action_of(operation)}"'}
        try:
            answer = self.caller.request("POST", self.path, headers=headers, content=data)
        except httpx.HTTPError as error:
            raise InsiCallError(
                UNREACHABLE, Text(f"INSi ne répond pas : {error}", f"INSi does not answer: {error}")
            ) from None
        return _read(answer)


_WSSE = {"wsse": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"}


def _read(answer: httpx.Response) -> InsiAnswer:
    try:
        content = received(answer.headers.get("content-type"), answer.content).envelope.content
    except SoapFaultError as error:
        raise _unreadable(answer, error.reason) from None
    fault = fault_of(content, answer.status_code)
    if fault is not None:
        raise _refused(fault)
    try:
        return read_answer(content)
    except InsiFormError as error:
        raise _unreadable(answer, in_both(error)) from None


def _unreadable(answer: httpx.Response, why: Text) -> InsiCallError:
    return InsiCallError(
        UNREADABLE,
        Text(f"ce n'est pas une réponse d'INSi : {why.fr}", f"this is no answer of INSi: {why.en}"),
        answer.status_code,
    )


def _refused(fault: SoapFaultError) -> InsiCallError:
    """The code of the field where there is one; what our service adds to it is told too."""
    error = next((one for one in fault.detail if one.tag == ERROR), None)
    said = next((one for one in fault.detail if one.tag == "{urn:bifente:insi}Explication"), None)
    texts = [] if said is None else ["".join(str(part) for part in one.itertext()).strip() for one in said]
    subcode = fault.subcodes[0].rpartition("}")[2] if fault.subcodes else ""
    return InsiCallError(
        (error.get("code") or "") if error is not None else fault.code.value,
        fault.reason,
        fault.http,
        subcode,
        Text(texts[0], texts[-1]) if texts else None,
    )
