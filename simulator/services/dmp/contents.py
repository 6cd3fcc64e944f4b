"""What a document itself must be: not too large, a CDA that conforms, of this patient, in a format that is taken."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from bifente.ground.french import in_both
from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.formats.cda import CdaBody, CdaDocument, CdaError, read_cda
from bifente.simulator.formats.pdf import PdfError, pdf_a1_problems
from bifente.simulator.formats.xds.model import DocumentEntry
from bifente.simulator.services.dmp.errors import DmpRefusalError
from bifente.simulator.services.dmp.register import DmpRegister
from bifente.simulator.services.dmp.requester import Requester

_MEBIBYTE = 1_048_576


@cache
def _formats() -> Mapping[str, Any]:
    return shipped(__package__, "formats.yaml")  # type: ignore[no-any-return]


def check_content(register: DmpRegister, requester: Requester, entry: DocumentEntry, content: bytes) -> CdaDocument:
    """Return the document that these bytes are. Raise DmpRefusalError."""
    most = register.parameters.largest_document
    if len(content) > most:
        raise DmpRefusalError(
            "XDSRepositoryOutOfResources",
            Text(
                f"{len(content) / _MEBIBYTE:.1f} Mio, {most / _MEBIBYTE:.1f} au plus",
                f"{len(content) / _MEBIBYTE:.1f} MiB, {most / _MEBIBYTE:.1f} at most",
            ),
            entry.unique_id,
        )
    try:
        document = read_cda(content, register.schema)
    except CdaError as error:
        raise DmpRefusalError("DMPInvalidDocument", str(error), entry.unique_id) from None
    if document.id != entry.unique_id:
        raise DmpRefusalError(
            "DMPInvalidDocument",
            Text(
                f"l'identifiant du CDA {document.id[:80]} n'est pas l'uniqueId {entry.unique_id}",
                f"the id of the CDA {document.id[:80]} is not the uniqueId {entry.unique_id}",
            ),
            entry.unique_id,
        )
    if (requester.oid, requester.patient) not in document.patient_ids:
        raise DmpRefusalError(
            "XDSPatientIdDoesNotMatch",
            Text("l'INS du document n'est pas celui du VIHF", "the INS of the document is not that of the VIHF"),
            entry.unique_id,
        )
    if document.body is not None:
        _check_body(register, entry, document.body)
    return document


def _check_body(register: DmpRegister, entry: DocumentEntry, body: CdaBody) -> None:
    allowed = _formats()["level-1"].get(entry.format_code.code)
    if allowed is None or body.media_type not in allowed:
        raise DmpRefusalError(
            "DMPFormatRefused",
            Text(
                f"formatCode {entry.format_code.code[:60]} et corps {body.media_type[:40]!r}",
                f"formatCode {entry.format_code.code[:60]} and body {body.media_type[:40]!r}",
            ),
            entry.unique_id,
        )
    signs = [bytes.fromhex(one) for one in _formats()["signs"].get(body.media_type, [])]
    if signs and not body.content.startswith(tuple(signs)):
        raise DmpRefusalError(
            "DMPFormatRefused",
            Text(f"le corps n'est pas du {body.media_type}", f"the body is no {body.media_type}"),
            entry.unique_id,
        )
    if body.media_type == "application/pdf":
        try:
            problems = pdf_a1_problems(body.content)
        except PdfError as error:
            raise DmpRefusalError("DMPFormatRefused", in_both(error), entry.unique_id) from None
        if problems and register.parameters.pdf_a:
            raise DmpRefusalError("DMPFormatRefused", Text.same("PDF/A-1: " + "; ".join(problems[:5])), entry.unique_id)
