"""The PKI over HTTP: revocation lists and delta lists, certificates of authorities, OCSP by GET and POST."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bifente.ground.clock import Clock
from bifente.ground.text import Text
from bifente.simulator.pki.authority import Authority, Branch, CertificateLevel, Pki
from bifente.simulator.services.pki.faults import PkiTrouble
from bifente.simulator.services.pki.register import RevocationRegister
from bifente.simulator.serving.service import Asgi, Declare, Service, ServiceError, to_nobody

LONGEST_REQUEST = 4_096
"""Bytes of an OCSP request: one certificate takes about a hundred."""
OCSP_LIFE = timedelta(hours=1)
LIST_LIFE = timedelta(days=7)
LATE = 30.0
"""Seconds by which a late responder is late: more than anybody waits."""
_LONG_AGO = timedelta(days=60)
_OCSP_TYPE, _CRL_TYPE, _CER_TYPE = "application/ocsp-response", "application/pkix-crl", "application/pkix-cert"


class PkiService(Service):
    """The points that certificates name. ``foreign`` are authorities that bear the same names under other keys."""

    name = "pki"
    title = Text("IGC-Santé de laboratoire (listes, OCSP)", "Laboratory IGC-Santé (lists, OCSP)")
    offered = frozenset(PkiTrouble)

    def __init__(self, pki: Pki, foreign: Pki, clock: Clock, declare: Declare = to_nobody) -> None:
        super().__init__(declare)
        self.pki = pki
        self.register = RevocationRegister()
        self._foreign = foreign
        self._clock = clock

    @cached_property
    def application(self) -> Asgi:
        """Return its ASGI application."""
        served = Starlette(
            routes=[
                Route("/CRL/{name}", self._list, methods=["GET"]),
                Route("/AC TEST/{name}", self._issuer, methods=["GET"]),
                Route("/AC/{name}", self._issuer, methods=["GET"]),
                *(Route(path, self._posted, methods=["POST"]) for path in ("/", "/ocsp", "/ocsp/")),
                Route("/ocsp/{request:path}", self._got, methods=["GET"]),
            ]
        )
        served.router.redirect_slashes = False
        return served

    def state(self) -> Mapping[str, Any]:
        """Return ``revoked``: what is revoked, by authority and serial number, and why."""
        return {
            "revoked": {
                one.stem: {f"{line.serial_number:X}": line.reason.value for line in self.register.lines(one.stem)}
                for one in self._authorities()
                if self.register.lines(one.stem)
            }
        }

    def set_state(self, changes: Mapping[str, Any]) -> None:
        """Revoke: ``{revoked: {<authority>: [<serial number, hexadecimal>, ...]}}``. Raise ServiceError."""
        by_stem = {one.stem: one for one in self._authorities()}
        wanted: list[tuple[Authority, list[int]]] = []
        for key, value in changes.items():
            if key != "revoked" or not isinstance(value, Mapping):
                raise ServiceError(f"{self.name}: no state {key!r} can be set; revoked is a mapping")
            for stem, serials in value.items():
                if stem not in by_stem or not isinstance(serials, Iterable) or isinstance(serials, str):
                    raise ServiceError(f"{self.name}: no authority {stem!r}; there are {', '.join(sorted(by_stem))}")
                wanted.append((by_stem[stem], [_serial_number(self.name, serial) for serial in serials]))
        for authority, serials in wanted:
            self.register.revoke(authority, serials, self._clock.now(), x509.ReasonFlags.unspecified)

    # -- lists ---------------------------------------------------------------------------------------------------------

    async def _list(self, request: Request) -> Response:
        name = request.path_params["name"]
        stem, dot, kind = name.rpartition(".")
        delta = stem.endswith("-delta")
        authority = self._named(stem.removesuffix("-delta"))
        missing = PkiTrouble.DELTA_MISSING if delta else PkiTrouble.CRL_MISSING
        if not dot or kind != "crl" or authority is None or missing in self.troubles:
            return PlainTextResponse("not found", status_code=404)
        if PkiTrouble.CRL_UNREADABLE in self.troubles and not delta:
            return Response(b"<html><body>Maintenance</body></html>", media_type="text/html")
        return Response(self.list_of(authority, delta=delta).public_bytes(Encoding.DER), media_type=_CRL_TYPE)

    def list_of(self, authority: Authority, *, delta: bool = False) -> x509.CertificateRevocationList:
        """Return the list of an authority as it was last published, or the delta list on it."""
        now = self._clock.now()
        if PkiTrouble.CRL_STALE in self.troubles:
            now -= _LONG_AGO
        complete = self.register.published(now, self.register.day)
        signer = self._signer(authority, foreign=PkiTrouble.CRL_FOREIGN in self.troubles)
        lines = self.register.lines(authority.stem)
        if not delta:
            return signer.crl(lines, at=complete, lifetime=LIST_LIFE)
        newer = [line for line in lines if line.start > complete]
        base = int(complete.timestamp()) + (86_400 if PkiTrouble.DELTA_OF_ANOTHER in self.troubles else 0)
        return signer.crl(newer, at=self.register.published(now, self.register.hour), lifetime=LIST_LIFE, base=base)

    async def _issuer(self, request: Request) -> Response:
        stem, _dot, kind = request.path_params["name"].rpartition(".")
        authority = self._named(stem)
        if authority is None or kind != "cer":
            return PlainTextResponse("not found", status_code=404)
        return Response(authority.certificate.public_bytes(Encoding.DER), media_type=_CER_TYPE)

    # -- OCSP ----------------------------------------------------------------------------------------------------------

    async def _posted(self, request: Request) -> Response:
        body = b""
        try:
            async for piece in request.stream():
                body += piece
                if len(body) > LONGEST_REQUEST:
                    return self._failed(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
        except ClientDisconnect:
            return self._failed(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
        return await self._answered(body)

    async def _got(self, request: Request) -> Response:
        raw = request.scope.get("raw_path", b"").partition(b"?")[0].rpartition(b"/ocsp/")[2].decode("latin-1")
        try:
            body = base64.b64decode(unquote(raw), validate=True)[:LONGEST_REQUEST]
        except (binascii.Error, ValueError):
            return self._failed(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
        return await self._answered(body)

    async def _answered(self, body: bytes) -> Response:
        if PkiTrouble.OCSP_DOWN in self.troubles:
            return PlainTextResponse("Service Unavailable", status_code=503)
        if PkiTrouble.OCSP_LATE in self.troubles:
            await run_in_threadpool(self._clock.wait, LATE)
        if PkiTrouble.OCSP_TRY_LATER in self.troubles:
            return self._failed(ocsp.OCSPResponseStatus.TRY_LATER)
        try:
            asked = ocsp.load_der_ocsp_request(body)
            authority = self._issuing(asked)
            nonce = _nonce(asked)
        except (ValueError, NotImplementedError):
            # More than one certificate at once, or no request at all.
            return self._failed(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
        if authority is None:
            return self._failed(ocsp.OCSPResponseStatus.UNAUTHORIZED)
        answer = self._answer(authority, asked, nonce)
        return Response(answer.public_bytes(Encoding.DER), media_type=_OCSP_TYPE)

    def _answer(self, authority: Authority, asked: ocsp.OCSPRequest, nonce: bytes | None) -> ocsp.OCSPResponse:
        now = self._clock.now().replace(microsecond=0)
        serial = asked.serial_number
        if PkiTrouble.OCSP_STALE in self.troubles:
            now -= _LONG_AGO
        line = self.register.found(authority.stem, serial, now)
        status = ocsp.OCSPCertStatus.REVOKED if line is not None else ocsp.OCSPCertStatus.GOOD
        if PkiTrouble.OCSP_UNKNOWN in self.troubles:
            line, status = None, ocsp.OCSPCertStatus.UNKNOWN
        if PkiTrouble.OCSP_OTHER_CERTIFICATE in self.troubles:
            serial += 1
        reason = line.reason if line is not None and line.reason is not x509.ReasonFlags.unspecified else None
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            issuer_name_hash=asked.issuer_name_hash,
            issuer_key_hash=asked.issuer_key_hash,
            serial_number=serial,
            algorithm=asked.hash_algorithm,
            cert_status=status,
            this_update=now,
            next_update=now + OCSP_LIFE,
            revocation_time=line.start if line is not None else None,
            revocation_reason=reason,
        )
        if nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        return self._signer(authority, foreign=PkiTrouble.OCSP_FOREIGN in self.troubles).answer(builder, now)

    @staticmethod
    def _failed(status: ocsp.OCSPResponseStatus) -> Response:
        answer = ocsp.OCSPResponseBuilder.build_unsuccessful(status)
        return Response(answer.public_bytes(Encoding.DER), media_type=_OCSP_TYPE)

    def _issuing(self, asked: ocsp.OCSPRequest) -> Authority | None:
        for one in self._authorities():
            digest = hashes.Hash(asked.hash_algorithm)
            digest.update(_key_bits(one.certificate))
            if digest.finalize() == asked.issuer_key_hash:
                return one
        return None

    # -- authorities ---------------------------------------------------------------------------------------------------

    def _authorities(self) -> list[Authority]:
        found = []
        for level in CertificateLevel:
            found += [self.pki.root(level), *(self.pki.authority(level, branch) for branch in Branch)]
        return found

    def _named(self, stem: str) -> Authority | None:
        return next((one for one in self._authorities() if one.stem == stem), None)

    def _signer(self, authority: Authority, *, foreign: bool) -> Authority:
        if not foreign:
            return authority
        stranger = {
            self._foreign.authority(level, branch).stem: self._foreign.authority(level, branch)
            for level in CertificateLevel
            for branch in Branch
        }
        return stranger.get(authority.stem, authority)


def _serial_number(service: str, said: object) -> int:
    try:
        return int(str(said), 16)
    except ValueError:
        raise ServiceError(f"{service}: no serial number in hexadecimal: {said!r}") from None


def _nonce(asked: ocsp.OCSPRequest) -> bytes | None:
    try:
        return asked.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return None


def _key_bits(certificate: x509.Certificate) -> bytes:
    """Return the bits of the key, as OCSP hashes them: without the algorithm."""
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
