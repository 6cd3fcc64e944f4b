"""A record within a record: what passed between two orders, in a directory of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from bifente.conformance.observation.channel.answers import OrderRefusedError, Refused
from bifente.conformance.observation.pictures import SCREENSHOT
from bifente.ground.text import Lang, Text
from bifente.reports.events import Call, Event, RunFinished, RunStarted, to_dict
from bifente.reports.journal import FILE_NAME
from bifente.reports.render import FORMATS, RenderError, render


@dataclass(frozen=True, slots=True)
class RecordTaken:
    """One that was begun: ``first`` is the number of its first event, ``directory`` that of the bench's own record."""

    out: Path
    first: int
    directory: Path

    def write(self, events: Sequence[Event], lang: Lang) -> tuple[Path, ...]:
        """Write journal and reports, and return the files. Raise OrderRefusedError where they cannot be written.

        Events are as the bench's own journal has them, masked; only their numbers begin anew.
        """
        start = events[0]
        assert isinstance(start, RunStarted)  # noqa: S101 - a journal begins with it
        between = [one for one in events[self.first :] if not isinstance(one, RunStarted | RunFinished)]
        last = between[-1].time if between else start.time
        kept = [start, *between, RunFinished(time=last)]
        journal = self.out / FILE_NAME
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            with journal.open("x", encoding="utf-8") as file:
                for number, event in enumerate(kept):
                    file.write(json.dumps(to_dict(replace(event, seq=number)), ensure_ascii=False) + "\n")
            for one in between:
                if isinstance(one, Call) and one.function == SCREENSHOT:
                    picture = self.out / one.answer["file"]
                    picture.parent.mkdir(exist_ok=True)
                    shutil.copyfile(self.directory / one.answer["file"], picture)
            return (journal, *render(journal, FORMATS, self.out, lang))
        except FileExistsError:
            why = Text(f"{self.out} contient déjà un relevé", f"{self.out} already holds a record")
            raise OrderRefusedError(Refused.IMPOSSIBLE, why) from None
        except (OSError, RenderError) as error:
            raise OrderRefusedError(Refused.IMPOSSIBLE, Text.same(f"{self.out}: {error}")) from None
