"""What an observed program says to services of the bench: recorded, masked, judged; faults and settings reach them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.live_services import named
from bifente.conformance.loading import InputError
from bifente.conformance.model import CardChoice
from bifente.conformance.observation.account import account
from bifente.conformance.observation.channel.answers import OrderRefusedError
from bifente.conformance.observation.channel.orders import ChannelOrders
from bifente.conformance.observation.observing import Observed, ProgramObservation
from bifente.conformance.observation.rules.all import RULES
from bifente.conformance.observation.standing import Standing, Wanted
from bifente.conformance.observation.story import Story
from bifente.ground.text import Text
from bifente.reports.events import BenchChange, Call, Direction, Event, Exchange, Message, SeenMovement
from bifente.reports.verdict import Verdict
from bifente.simulator.pki.keystore import KeyStore
from bifente.simulator.services.psc.service import PscService

TOKEN, SWAPPED = "a-token-is-renewed-before-its-end", "nothing-asked-for-a-patient-whose-card-was-swapped"
CLIENT = """
import os, ssl, sys, urllib.request
from bifente.simulator.software.reference.desk import Desk
trust = ssl.create_default_context(cafile=os.environ["BIFENTE_INSI_CA"])
def read():
    desk = Desk()
    desk._read_patient()
    desk.close()
def ask(body):
    request = urllib.request.Request(os.environ["BIFENTE_INSI_URL"], body.encode())
    try:
        urllib.request.urlopen(request, context=trust)
    except urllib.error.HTTPError as error:
        error.read()
for line in sys.stdin:
    read() if line == "read\\n" else ask(line.strip())
    print("done", flush=True)
"""


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    workshop = Workshop(KeyStore())
    cards = {"cps": CardChoice(template="medecin-generaliste"), "vitale": CardChoice(template="vitale/ald")}
    with Standing(
        Wanted(profile="readers/generic-bislot", cards=cards, workshop=workshop, services=("insi",))
    ) as stood:
        yield stood


def observed(standing: Standing, lines: Sequence[str], template: str | None = None) -> Observed:
    """What came of the client doing this; another Vitale comes in after the first line."""
    orders = ChannelOrders(standing)
    orders.carry_out("put", {"slot": "vitale", "template": "vitale/ald"})
    with ProgramObservation(standing) as observation:
        program = observation.start([sys.executable, "-P", "-c", CLIENT], piped=True)
        for number, line in enumerate(lines):
            program.stdin.write(f"{line}\n".encode())
            program.stdin.flush()
            assert program.stdout.readline() == b"done\n"
            if number == 0 and template is not None:
                orders.carry_out("put", {"slot": "vitale", "template": template})
        program.stdin.close()
        assert program.wait(120)
        observation.close()
        return observation.observed()


def verdict(found: Observed, rule: str) -> Verdict:
    return next(one.verdict for one in found.verdicts if one.rule.name == rule)


def test_what_is_said_to_a_service_is_recorded_and_masked(standing: Standing) -> None:
    found = observed(standing, ["read", "<a>bonjour 1234</a>"])
    (request,) = [one.request for one in found.story.moments if one.request is not None]
    (answer,) = [one.response for one in found.story.moments if one.response is not None]
    assert (request.peer, request.line, answer.line[:3]) == ("insi", "POST /lps", "415")
    assert request.body == "<a>bonjour ••••</a>"
    assert verdict(found, "no-code-in-message") is Verdict.FAILED
    assert verdict(found, SWAPPED) is Verdict.NOT_RUN
    assert "1234" not in Path(standing.record.journal).read_text(encoding="utf-8")
    assert any(line == "Teleservices: insi ×1; refusals insi 415 ×1" for line in account(found.story, "en"))
    assert len(account(found.story, "fr")) <= 12


def test_another_card_comes_before_the_request(standing: Standing) -> None:
    found = observed(standing, ["read", "<a/>"], "vitale/famille-trois")
    assert verdict(found, SWAPPED) is Verdict.FAILED
    assert verdict(found, "no-code-in-message") is Verdict.PASSED


def test_another_card_that_is_read_again_is_no_finding(standing: Standing) -> None:
    assert verdict(observed(standing, ["read", "read", "<a/>"], "vitale/famille-trois"), SWAPPED) is Verdict.PASSED


def test_settings_are_variables_and_one_file_and_told_by_the_channel(standing: Standing) -> None:
    environment = standing.environment
    told = json.loads(Path(environment["BIFENTE_SERVICES"]).read_text(encoding="utf-8"))
    assert told["insi"]["url"] == environment["BIFENTE_INSI_URL"]
    state = ChannelOrders(standing).carry_out("state", {}).plain("state")["services"]["insi"]
    assert state["settings"]["url"] == environment["BIFENTE_INSI_URL"]
    json.dumps(state)


def test_a_fault_from_the_channel_strikes_the_service_that_is_served(standing: Standing) -> None:
    (service,) = standing.services.services
    orders = ChannelOrders(standing)
    fault = sorted(service.offered)[0]
    orders.carry_out("inject", {"fault": fault})
    assert service.troubles == {fault}
    orders.carry_out("clear", {})
    assert service.troubles == frozenset()
    with pytest.raises(OrderRefusedError):
        orders.carry_out("inject", {"fault": "no-such-fault"})


def test_a_fault_of_a_service_that_is_not_served_would_strike_nobody(standing: Standing) -> None:
    fault = sorted(PscService.offered)[0]
    with pytest.raises(OrderRefusedError, match="--services psc"):
        ChannelOrders(standing).carry_out("inject", {"fault": fault})


def test_a_service_that_is_none_is_refused_with_the_near_one() -> None:
    assert named("psc, insi") == ["psc", "insi"]
    assert named(None) == []
    with pytest.raises(InputError, match="did you mean 'insi'"):
        named("psc,insy")


# -- the rules on told events -----------------------------------------------------------------------------------------


def told(*events: Event) -> Story:
    return Story([replace(one, seq=at, time="2026-01-01T00:00:00.000Z") for at, one in enumerate(events)])


def request(peer: str = "psc", *, bearer: bool = True) -> Message:
    headers = (("authorization", "Bearer ••••"),) if bearer else ()
    return Message(protocol="https", peer=peer, direction=Direction.SENT, line="GET /userinfo", headers=headers)


def answer(line: str, peer: str = "psc", body: str = "") -> Message:
    return Message(protocol="https", peer=peer, direction=Direction.RECEIVED, line=line, body=body)


ENDED = answer("401 Unauthorized", body='{"error":"invalid_token"}')


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([request(), answer("200 OK"), request(), ENDED], Verdict.FAILED),
        ([request(), answer("200 OK"), request(), answer("200 OK")], Verdict.PASSED),
        ([request(), answer("200 OK"), request(), answer("403 Forbidden")], Verdict.PASSED),
        ([request(), ENDED], Verdict.NOT_RUN),
        ([request(), answer("200 OK"), request("insi"), answer("401", "insi", "expired")], Verdict.PASSED),
        ([request(bearer=False), answer("200 OK"), request(bearer=False), ENDED], Verdict.NOT_RUN),
        ([], Verdict.NOT_RUN),
    ],
)
def test_a_token_that_worked_is_not_used_past_its_end(events: Sequence[Event], expected: Verdict) -> None:
    breaches = RULES[TOKEN].judge(told(*events))
    found = Verdict.NOT_RUN if breaches is None else Verdict.FAILED if breaches else Verdict.PASSED
    assert found is expected


READ = Exchange(slot="vitale", client="7/1", command="00B0830010", response="9000", sw="9000")
SIGN = Exchange(slot="vitale", client="7/1", command="002A9E9A00", response="6100", sw="6100")
CONTEXT = Call(function="SCardEstablishContext", client="7", result="SCARD_S_SUCCESS")


def moved(how: SeenMovement, slot: str = "vitale") -> BenchChange:
    return BenchChange(slot=slot, what=Text.same("moved"), movement=how)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([READ, moved(SeenMovement.REPLACED), request("insi")], Verdict.FAILED),
        ([READ, moved(SeenMovement.REMOVED), moved(SeenMovement.INSERTED), request("insi")], Verdict.FAILED),
        ([READ, moved(SeenMovement.REPLACED), READ, request("insi")], Verdict.PASSED),
        ([READ, moved(SeenMovement.REPLACED), READ], Verdict.PASSED),
        ([READ, moved(SeenMovement.REMOVED), request("insi")], Verdict.NOT_RUN),  # the patient took it back
        ([READ, moved(SeenMovement.REPLACED), request("dmp")], Verdict.NOT_RUN),  # a queue may go on for another
        ([READ, moved(SeenMovement.INSERTED, "cps"), request("insi")], Verdict.NOT_RUN),
        ([READ, SIGN, moved(SeenMovement.REPLACED), request("insi")], Verdict.NOT_RUN),  # the professional's
        ([moved(SeenMovement.INSERTED), READ, request("insi")], Verdict.NOT_RUN),
    ],
)
def test_another_card_means_another_choice_of_patient(events: Sequence[Event], expected: Verdict) -> None:
    breaches = RULES[SWAPPED].judge(told(CONTEXT, *events))
    found = Verdict.NOT_RUN if breaches is None else Verdict.FAILED if breaches else Verdict.PASSED
    assert found is expected
