"""``sesam.ini`` written, cp1252 with CRLF."""

from __future__ import annotations

from bifente.simulator.middleware import ini
from bifente.simulator.middleware.patience import Patience
from bifente.simulator.middleware.sesam.model import Sesam


def usual(version: str = "1.40.14") -> Sesam:
    """The settings of a workstation whose FSV has this version.

    The folder of a version is as observed, the names of the folders inside it are ours, but ``conf``.
    """
    root = f"C:\\ProgramData\\santesocial\\fsv\\{version}"
    return Sesam(
        work=f"{root}\\travail",
        tables=f"{root}\\tables\\ssv",
        srt_tables=f"{root}\\tables\\srt",
        srt_changes=f"{root}\\tables\\modifications",
        sts_tables=f"{root}\\tables\\sts",
        common_tables=f"{root}\\tables",
        trace_settings=f"{root}\\conf",
    )


def generate(sesam: Sesam) -> bytes:
    """The file. Raises ValueError for a text that cannot stand in one."""
    return ini.write(
        {
            "COMMUN": _written(
                RepertoireTravail=sesam.work,
                RepertoireTable=sesam.common_tables,
                ActivationTracesLog4c="1" if sesam.traces else "0",
                RepertoireConfigTrace=sesam.trace_settings,
            ),
            "SSV": {
                **_written(RepertoireTable=sesam.tables),
                **_patience("exclusivite", sesam.exclusivity),
                **_patience("exclusivitePCSC", sesam.exclusivity_pcsc),
                **_patience("accesfichier", sesam.file_access),
            },
            "MGC": _written(RepertoireConfigTrace=sesam.trace_settings),
            "SRT": _written(RepertoireTable=sesam.srt_tables, repertoiremodification=sesam.srt_changes),
            "STS": _written(RepertoireTable=sesam.sts_tables),
        }
    )


def _written(**entries: str) -> dict[str, str]:
    return {key: value for key, value in entries.items() if value}


def _patience(what: str, patience: Patience) -> dict[str, str]:
    return {f"tempo{what}": str(round(patience.pause * 1000)), f"repetition{what}": str(patience.tries)}
