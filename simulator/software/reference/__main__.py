"""``python -m bifente.simulator.software.reference [--fault NAME]... [--driver | ACTION...]``.

Without ``--driver`` the actions are done in turn, a code read from standard input when one is wanted. With it, the
program is driven by the driver protocol: one JSON line for a request, one for an answer.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from bifente.simulator.software.reference.desk import ACTIONS, FAULTS, Desk, UserToldError
from bifente.simulator.software.reference.pcsc import PcscError

VERSION = 1
_WITH_CODE = frozenset({"login", "login-and-sign"})


def main(words: list[str]) -> int:
    """Run, and give the exit code: 0 done, 1 refused, 2 usage."""
    faults = [words[at + 1] for at, word in enumerate(words[:-1]) if word == "--fault"]
    rest = [word for at, word in enumerate(words) if word != "--fault" and (not at or words[at - 1] != "--fault")]
    driven = rest == ["--driver"]
    unknown = [
        *(one for one in faults if one not in FAULTS),
        *(one for one in rest if not driven and one not in ACTIONS),
    ]
    if unknown or not rest:
        sys.stderr.write(f"{__doc__}\nactions: {', '.join(ACTIONS)}\nfaults: {', '.join(FAULTS)}\n")
        return 2
    return _drive(faults) if driven else _do(rest, faults)


def _do(actions: list[str], faults: list[str]) -> int:
    desk = Desk(faults)
    code = 0
    try:
        for action in actions:
            ACTIONS[action](desk, *([sys.stdin.readline().strip()] if action in _WITH_CODE else []))
    except (UserToldError, PcscError):
        code = 1
    _print("\n".join(desk.screen))
    desk.close()
    return code


def _drive(faults: list[str]) -> int:
    desk: Desk | None = None
    for line in sys.stdin:
        asked = json.loads(line)
        told: dict[str, Any] = {"version": VERSION, "ok": True}
        match asked.get("request"):
            case "start":
                desk = Desk(faults)
                told |= {"program": "reference", "actions": list(ACTIONS)}
            case "do" if desk is not None and asked.get("action") in ACTIONS:
                shown = len(desk.screen)
                try:
                    ACTIONS[asked["action"]](desk, *asked.get("with", {}).values())
                except (UserToldError, PcscError) as error:
                    told |= {"ok": False, "error": str(error)}
                told["screen"] = desk.screen[shown:]
            case "screen" if desk is not None:
                told["screen"] = desk.screen
            case "stop":
                if desk is not None:
                    desk.close()
            case _:
                told |= {"ok": False, "error": f"no such request: {asked.get('request')} {asked.get('action', '')}"}
        _print(json.dumps(told))
        if asked.get("request") == "stop":
            return 0
    return 0


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
