"""TD2.1, TD2.1b, TD2.2: documents sent, kept until they are, sent again without doubles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.dmp.steps.base import ANSWERED, NONE, UNREACHABLE, DmpStep, DmpTold
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import ImpossibleStepError, Message, Observes
from bifente.ground.text import Text
from bifente.simulator.formats.pdf import make_pdf_a1
from bifente.simulator.formats.xds.model import Confidentiality
from bifente.simulator.software.lps.outbox import OutboxState
from bifente.simulator.software.lps.submission import LpsDocument, PreparedSubmission, prepare

if TYPE_CHECKING:
    from bifente.conformance.domains.dmp.bench import DmpBench

_TYPES = {
    "pdf": "application/pdf",
    "text": "text/plain",
    "rtf": "text/rtf",
    "jpeg": "image/jpeg",
    "tiff": "image/tiff",
    "word": "application/msword",
}
_BEGINNINGS = {
    "rtf": rb"{\rtf1 note}",
    "jpeg": b"\xff\xd8\xff\xe0 jpeg",
    "tiff": b"II*\0 tiff",
    "text": b"Note.\n",
    "word": b"\xd0\xcf\x11\xe0 doc",
}
_HIDDEN = {
    "professionals": Confidentiality.MASKED,
    "patient": Confidentiality.HIDDEN_FROM_PATIENT,
    "representatives": Confidentiality.HIDDEN_FROM_REPRESENTATIVES,
}
_OTHER_FORMATS = {"not-archival": "plain", "broken-pdf": "broken"}


class DmpFeed(DmpStep):
    """Make a document, sign its set with the card, and send it: TD2.1, TD2.2 by a CPE, TD2.1b where it replaces one."""

    name: ClassVar[str] = "dmp-feed"
    title: ClassVar[Text] = Text("Alimenter le DMP (TD2.1)", "Feed the DMP (TD2.1)")
    shorthand: ClassVar[str] = "format"
    observes: ClassVar[Observes] = {
        **ANSWERED,
        **{name: ValueMatcher() for name in ("document", "documents", "kept", "size")},
    }

    format: Literal["pdf", "text", "rtf", "jpeg", "tiff", "word", "not-archival", "broken-pdf"] = Field(
        default="pdf", description="what the file is; the last two are PDF that are no PDF/A-1, or no PDF"
    )
    content: Message | None = Field(default=None, description="its bytes, made up by default")
    kib: int = Field(default=0, ge=0, le=65_536, description="at least so large, in KiB: a PDF")
    title_: str = Field(default="Compte rendu", alias="title", max_length=200, description="its title")
    hide: list[Literal["professionals", "patient", "representatives"]] = Field(
        default_factory=list, max_length=3, description="whom it is not shown to"
    )
    replace: bool = Field(default=False, description="replace the document that is looked at")
    replaces_other: bool = Field(
        default=False, description="let the CDA name another document than the metadata replace"
    )
    code: str = Field(default="11488-4", max_length=20, description="LOINC code of its type")
    class_code: str = Field(default="10", max_length=4, description="class code; 90 is for documents of the patient")
    wrong_ins: Literal["vihf", "metadata", "document"] | None = Field(
        default=None, description="put the INS of another patient of the bench into one of the three places"
    )
    damage: Literal["no-author", "no-patient", "bad-date", "wrong-id", "no-body"] | None = Field(
        default=None, description="damage the CDA before its set is signed"
    )
    metadata: (
        Literal[
            "no-type",
            "two-sets",
            "no-signature",
            "unknown-confidentiality",
            "other-author",
            "wrong-hash",
            "same-unique-id",
        ]
        | None
    ) = Field(default=None, description="damage the metadata")
    again: bool = Field(default=False, description="send the submission that was made last once more, as it is")
    queue: bool = Field(default=False, description="through the outbox: what is not answered stays there")

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Send it."""
        client = bench.client
        before = self._count(bench)
        if self.again:
            if bench.made is None:
                raise ImpossibleStepError(Text("rien n'a encore été envoyé", "nothing was sent yet"))
            prepared = bench.made
        else:
            bench.patient.check_feeding()
            prepared = self._prepared(bench)
        bench.made = prepared
        if self.queue:
            bench.patient.check_feeding()
            bench.outbox.keep(bench.patient.ins.written, prepared)
            bench.tampering = client.tampering
            told = bench.send_waiting()
            reply = told[-1][1] if told else None
            if told and reply is None:
                return DmpTold(
                    {
                        "code": UNREACHABLE,
                        "kept": True,
                        "document": prepared.unique_id,
                        "documents": self._count(bench) - before,
                    }
                )
        else:
            if self.wrong_ins == "vihf":
                other = _other(bench)
                client.tampering.vihf = lambda vihf: _with_patient(vihf, other)
            reply = client.feed(bench.patient, prepared)
        if reply is not None and reply.ok:
            bench.sent = prepared
        return DmpTold(
            {
                "document": prepared.unique_id,
                "documents": self._count(bench) - before,
                "kept": any(one.state is OutboxState.WAITING for one in bench.outbox.all()) if self.queue else False,
                "size": max(len(one) for one in prepared.contents.values()),
            },
            reply,
        )

    def _count(self, bench: DmpBench) -> int:
        return 0 if bench.section.url else sum(len(record.shelf) // 2 for record in bench.service.register.everyone())

    def _prepared(self, bench: DmpBench) -> PreparedSubmission:
        from bifente.conformance.domains.dmp.damaging import damaged_cda, damaged_submission

        replaced = bench.entry if self.replace or self.replaces_other else None
        if (self.replace or self.replaces_other) and replaced is None:
            raise ImpossibleStepError(
                Text("aucun document n'est choisi : dmp-search", "no document is chosen: dmp-search")
            )
        document = LpsDocument(
            _TYPES["pdf"] if self.format in _OTHER_FORMATS else _TYPES[self.format],
            self._content(),
            title=self.title_,
            code=self.code,
            class_code=self.class_code,
            visibility=frozenset(_HIDDEN[one] for one in self.hide),
            replaces=None
            if replaced is None
            else ("1.2.3.4" if self.replaces_other else replaced.unique_id, replaced.id),
        )
        number, now = bench.number(), bench.clock.now()
        other = _other(bench) if self.wrong_ins in ("metadata", "document") else None
        args: dict[str, Any] = {
            "other_in_cda": other if self.wrong_ins == "document" else None,
            "other_in_metadata": other if self.wrong_ins == "metadata" else None,
        }
        if self.damage is not None:
            first = prepare(bench.user, bench.patient, document, number, now, **args)
            from dataclasses import replace

            document = replace(document, cda=damaged_cda(self.damage, first.contents["Document01"]))
        made = prepare(bench.user, bench.patient, document, number, now, **args)
        return made if self.metadata is None else damaged_submission(self.metadata, made)

    def _content(self) -> bytes:
        if self.content is not None:
            return self.content
        if self.format == "pdf":
            return make_pdf_a1(self.title_, self.kib * 1024)
        if self.format == "not-archival":
            return make_pdf_a1(self.title_).replace(b"GTS_PDFA1", b"GTS_OTHER")
        if self.format == "broken-pdf":
            return make_pdf_a1(self.title_)[:700]
        return _BEGINNINGS[self.format]


class DmpSendWaiting(DmpStep):
    """Send what waits in the outbox, as the user who is at work now."""

    name: ClassVar[str] = "dmp-send-waiting"
    title: ClassVar[Text] = Text("Envoyer ce qui attend", "Send what waits")
    observes: ClassVar[Observes] = {
        **ANSWERED,
        **{name: ValueMatcher() for name in ("tried", "waiting", "sent", "refused", "documents")},
    }

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Send it."""
        told = bench.send_waiting()
        states = [one.state for one in bench.outbox.all()]
        last = told[-1][1] if told else None
        code = UNREACHABLE if told and last is None else (last.code if last and not last.ok else NONE) or NONE
        return DmpTold(
            {
                "code": code,
                "http": int(last.http) if last else None,
                "reason": last.reason if last else None,
                "tried": len(told),
                "waiting": states.count(OutboxState.WAITING),
                "sent": states.count(OutboxState.SENT),
                "refused": states.count(OutboxState.REFUSED),
                "documents": len(bench.record.shelf) // 2,
            }
        )


def _other(bench: DmpBench) -> Any:
    others = [one for one in bench.charts.values() if one is not bench.patient]
    if not others:
        raise ImpossibleStepError(Text("un second patient est nécessaire", "a second patient is needed in bench.dmp"))
    return others[0].ins


def _with_patient(vihf: Any, other: Any) -> Any:
    from dataclasses import replace

    return replace(vihf, patient=other.written)
