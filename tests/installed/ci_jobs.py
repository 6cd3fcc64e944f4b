"""The shell steps and the artefacts that the files of docs/ci name, as the services that read them would find them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Job:
    """Steps in order, each with the shell that runs it, and the files kept at the end, by patterns."""

    shell: tuple[str, ...]
    steps: tuple[str, ...]
    kept: tuple[str, ...]


def github(path: Path) -> Job:
    steps = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]["banc"]["steps"]
    uploads = [step["with"]["path"] for step in steps if step.get("uses", "").startswith("actions/upload-artifact@")]
    shell = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
    return Job(shell, tuple(step["run"] for step in steps if "run" in step), tuple("\n".join(uploads).split()))


def gitlab(path: Path) -> Job:
    jobs = [job for name, job in yaml.safe_load(path.read_text(encoding="utf-8")).items() if not name.startswith(".")]
    kept = []
    for job in jobs:
        kept += [*job["artifacts"].get("paths", ()), job["artifacts"].get("reports", {}).get("junit")]
    steps = tuple(line for job in jobs for line in job["script"])
    return Job(("sh", "-e", "-c"), steps, tuple(filter(None, kept)))


def jenkins(path: Path) -> Job:
    text = path.read_text(encoding="utf-8")
    kept = re.findall(r"(?:testResults|artifacts): '([^']+)'", text)
    steps = re.findall(r"\bsh '''(.*?)'''", text, re.DOTALL)
    assert len(steps) == len(re.findall(r"\bsh\b", text)), "a step that the test does not see"
    return Job(("sh", "-xe", "-c"), tuple(steps), tuple(re.split(r",\s*", ", ".join(kept))))


def container_steps(path: Path) -> list[str]:
    """The RUN lines of a Containerfile, those that follow joined."""
    joined = re.sub(r"\\\n\s*", " ", path.read_text(encoding="utf-8"))
    return [line.removeprefix("RUN ").strip() for line in joined.splitlines() if line.startswith("RUN ")]


def packages(step: str) -> set[str]:
    """The Debian packages that a step installs."""
    found = re.search(r"apt-get install (.*?)(?:&&|$)", step, re.DOTALL | re.MULTILINE)
    return set() if found is None else {word for word in shlex.split(found[1]) if not word.startswith("-")}
