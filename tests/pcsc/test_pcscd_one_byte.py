"""One byte from a client wedges no slot: the exchange ends, and the slot serves again by itself.

vpcd cannot tell some bytes from its own controls: behind our own service each is a command like any other.
"""

from __future__ import annotations

import pytest
from pcsc_tools import PATIENCE, Client, ScriptedCard, new_reader

from bifente.simulator.pcsc import PrivatePcscd
from bifente.simulator.pcsc.bridge import OneByteCommandError
from bifente.simulator.pcsc.discovery import Installation
from bifente.simulator.pcsc.echo import ECHO_ATR
from bifente.simulator.pcsc.own.service import OwnPcsc


@pytest.mark.parametrize("byte", ["00", "01", "02", "03", "04", "60"])
def test_a_command_of_one_byte_reaches_the_card_behind_our_own_service(byte: str, pyscard: None) -> None:
    reader = new_reader("Lecteur")
    reader.slots[0].insert(ScriptedCard(answer=bytes.fromhex("6700")))
    with OwnPcsc.start([reader]) as own, Client(own.environment) as client:
        name = own.reader_names[0]
        assert client.ask(do="connect", reader=name)["code"] == 0
        assert client.ask(do="transmit", reader=name, command=byte)["response"] == "6700"
        assert not own.defects


def test_04_is_answered_with_the_atr_by_vpcd(installation: Installation) -> None:
    """Its card is asked for the ATR in just that way, and cannot know who asks: an artefact of the driver."""
    reader = new_reader("Lecteur")
    reader.slots[0].insert(ScriptedCard(answer=bytes.fromhex("6700")))
    with PrivatePcscd.start([reader], installation=installation) as pcscd, Client(pcscd.environment) as client:
        name = pcscd.reader_names[0]
        assert client.ask(do="wait", states={name: "present"}, timeout=PATIENCE)["code"] == 0
        assert client.ask(do="connect", reader=name)["code"] == 0
        assert client.ask(do="transmit", reader=name, command="04")["response"] == ECHO_ATR.hex()
        assert client.ask(do="transmit", reader=name, command="03")["response"] == "6700"


def test_a_command_of_one_byte_ends_and_the_slot_serves_again(installation: Installation) -> None:
    reader = new_reader("Lecteur")
    reader.slots[0].insert(ScriptedCard())
    with PrivatePcscd.start([reader], installation=installation) as pcscd, Client(pcscd.environment) as client:
        (name, *_others) = pcscd.reader_names
        whole = {"do": "transmit", "reader": name, "command": "00DA000001AA"}
        assert client.ask(do="wait", states={name: "present"}, timeout=PATIENCE)["code"] == 0
        assert client.ask(do="connect", reader=name)["code"] == 0
        assert client.ask(**whole)["response"].endswith("9000")
        assert client.ask(do="disconnect", reader=name)["code"] == 0
        # Cut from the power, as after every last client: the silence that follows is no command.
        assert client.ask(do="wait", states={name: "empty"}, timeout=7)["code"] != 0
        assert not pcscd.defects
        assert client.ask(do="connect", reader=name)["code"] == 0
        for count, byte in enumerate(("00", "01", "02"), 1):
            client.ask(do="transmit", reader=name, command=byte)
            assert [type(defect.error) for defect in pcscd.defects] == [OneByteCommandError] * count
            client.ask(do="disconnect", reader=name)
            assert pcscd.bridges[0].wait_connected(PATIENCE)
            assert client.ask(do="wait", states={name: "present"}, timeout=PATIENCE)["code"] == 0
            assert client.ask(do="connect", reader=name)["code"] == 0
            assert client.ask(**whole)["response"].endswith("9000")
