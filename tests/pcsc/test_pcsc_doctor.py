from __future__ import annotations

from ipaddress import IPv4Address, ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.pcsc import detectors, discovery, doctor
from bifente.simulator.pcsc.detectors import LinkVerdict, listening
from bifente.simulator.pcsc.echo import ECHO_ATR
from bifente.simulator.pcsc.errors import CURES, Link, PcscdError
from bifente.simulator.pcsc.readerconf import SystemEntry, parse

DRIVER = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:8C7B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1064 1 0 100 0 0 10 0
   1: 0100007F:0277 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1065 1 0 100 0 0 10 0
   2: 0100007F:8C7C 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 1066 1 0 100 0 0 10 0
"""
TCP6 = """  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000
   1: 00000000000000000000000001000000:0019 00000000000000000000000000000000:0000 0A 00000000:00000000
   2: 0000000000000000FFFF00000100007F:001A 00000000000000000000000000000000:0000 0A 00000000:00000000
"""


def entry(name: str, port: int | None, driver: str = DRIVER) -> SystemEntry:
    return SystemEntry("file", name, driver, port)


def assert_trouble(finding: detectors.LinkFinding, verdict: LinkVerdict) -> None:
    assert finding.verdict is verdict
    assert finding.cure is not None
    assert finding.cure.fr
    assert finding.cure.en
    assert finding.sentence.fr != finding.sentence.en


def test_a_healthy_latency_is_good() -> None:
    finding = detectors.judge_latency([0.0001] * 49 + [0.5])
    assert finding.verdict is LinkVerdict.OK
    assert finding.measure == "0.100 ms"


@pytest.mark.parametrize("delay", [0.0402, 0.044, 0.088])
def test_the_delayed_acknowledgement_is_named(delay: float) -> None:
    finding = detectors.judge_latency([0.0001, delay, delay])
    assert_trouble(finding, LinkVerdict.WARNING)
    assert "Nagle" in finding.sentence.en
    assert finding.cure is not None
    assert "TCP_QUICKACK" in finding.cure.fr


@pytest.mark.parametrize("delay", [0.0021, 0.5])
def test_another_slowness_is_not_called_nagle(delay: float) -> None:
    finding = detectors.judge_latency([delay])
    assert_trouble(finding, LinkVerdict.WARNING)
    assert "Nagle" not in finding.sentence.en


def test_no_measure_is_not_a_success() -> None:
    assert_trouble(detectors.judge_latency([]), LinkVerdict.FAILED)


def test_poll() -> None:
    assert detectors.judge_poll(0.39).verdict is LinkVerdict.OK
    assert_trouble(detectors.judge_poll(1.5), LinkVerdict.WARNING)


def test_atr_and_answer() -> None:
    assert detectors.judge_atr(ECHO_ATR, ECHO_ATR).verdict is LinkVerdict.OK
    assert_trouble(detectors.judge_atr(ECHO_ATR, b"\x3b\x00"), LinkVerdict.FAILED)
    assert detectors.judge_apdu(b"\x90\x00", b"\x90\x00").verdict is LinkVerdict.OK
    assert_trouble(detectors.judge_apdu(b"\x90\x00", b""), LinkVerdict.FAILED)


def test_listed() -> None:
    assert detectors.judge_listed(["A 00 00"], ["B 00 00", "A 00 00"]).verdict is LinkVerdict.OK
    assert detectors.judge_listed(["A 00 00"], ["B 00 00"]).verdict is LinkVerdict.FAILED


def test_two_entries_that_share_a_file_are_detected(tmp_path: Path) -> None:
    driver, copy = tmp_path / "libifdvpcd.so.0.8", tmp_path / "libifdvpcd-2.so"
    driver.write_bytes(b"code")
    copy.write_bytes(b"code")
    link = tmp_path / "libifdvpcd.so"
    link.symlink_to(driver)
    assert_trouble(
        detectors.judge_shared_drivers([entry("A", 10, str(driver)), entry("B", 12, str(link))]), LinkVerdict.FAILED
    )
    healthy = detectors.judge_shared_drivers([entry("A", 10, str(driver)), entry("B", 12, str(copy))])
    assert healthy.verdict is LinkVerdict.OK


def test_drivers_that_are_not_vpcd_may_be_shared() -> None:
    serial = "/usr/lib/pcsc/drivers/serial/libccidtwin.so"
    assert detectors.judge_shared_drivers([entry("A", 1, serial), entry("B", 1, serial)]).verdict is LinkVerdict.OK


def test_ports_that_overlap_are_detected() -> None:
    first = entry("A", 10, "/a/vpcd.so")
    assert_trouble(detectors.judge_shared_drivers([entry("B", 11, "/b/vpcd.so"), first]), LinkVerdict.FAILED)
    assert detectors.judge_shared_drivers([entry("B", 12, "/b/vpcd.so"), first]).verdict is LinkVerdict.OK


def test_listening_addresses_are_read() -> None:
    assert listening(TCP, "little") == ((IPv4Address(0), 0x8C7B), (ip_address("127.0.0.1"), 0x277))
    assert listening(TCP6, "little") == (
        (ip_address("::"), 0x16),
        (ip_address("::1"), 0x19),
        (ip_address("127.0.0.1"), 0x1A),
    )
    assert listening("0: 7F000001:0277 0:0 0A", "big") == ((ip_address("127.0.0.1"), 0x277),)


@given(st.text(max_size=300))
def test_any_table_is_read(text: str) -> None:
    listening(text)
    listening(f"0: {text} 00000000:0000 0A 0")


def test_exposure() -> None:
    ports = detectors.vpcd_ports(parse(f'FRIENDLYNAME "V"\nLIBPATH {DRIVER}\nCHANNELID 0x8C7B\n'))
    assert ports == {0x8C7B, 0x8C7C}
    finding = detectors.judge_exposure(listening(TCP, "little"), ports)
    assert_trouble(finding, LinkVerdict.WARNING)
    assert finding.measure == "35963"
    on_loopback = TCP.replace("00000000:8C7B", "0100007F:8C7B")
    assert detectors.judge_exposure(listening(on_loopback, "little"), ports).verdict is LinkVerdict.OK


def test_a_machine_without_entries_is_watched_on_debian_s_ports() -> None:
    assert detectors.vpcd_ports([]) == {35963, 35964}


def test_system_pcscd_is_information() -> None:
    sentences = {detectors.judge_system_pcscd(*given).sentence.en for given in (([12], True), ([], True), ([], False))}
    assert len(sentences) == 3
    assert detectors.judge_system_pcscd([12], True).verdict is LinkVerdict.OK


def test_what_a_killed_bench_left_is_found() -> None:
    lines = {
        10: ["python3", "-I", "-S", "/x/agent.py", "5", "99"],
        11: ["python3", "-I", "-S", "/x/agent.py", "5", "1"],
        12: ["vi", "/x/agent.py"],
    }
    orphans = detectors.orphan_agents(lines, "/x/agent.py", lambda pid: pid == 1)
    assert orphans == [10]
    finding = detectors.judge_stale([Path("/tmp/d")], orphans)  # noqa: S108
    assert_trouble(finding, LinkVerdict.WARNING)
    assert finding.cure is not None
    assert finding.cure.en == "Clean up: rm -r /tmp/d && kill 10"
    assert detectors.judge_stale([], []).verdict is LinkVerdict.OK


HEALTHY = {"poll": 0.2, "atr": ECHO_ATR.hex(), "response": "0102039000", "seconds": [0.0001]}


@pytest.mark.parametrize("broken_at", [0, 1, 2, 3, 4])
def test_after_the_link_that_broke_the_others_are_skipped(broken_at: int) -> None:
    said = dict(list(HEALTHY.items())[:broken_at])
    findings = list(doctor.judge_probe(said, "trouble"))
    verdicts = [finding.verdict for finding in findings]
    assert verdicts == ([LinkVerdict.OK] * broken_at + [LinkVerdict.FAILED] + [LinkVerdict.SKIPPED] * 3)[:4]
    assert all("trouble" in finding.sentence.en for finding in findings if finding.verdict is LinkVerdict.FAILED)


def test_a_wrong_atr_and_answer_are_seen() -> None:
    findings = list(doctor.judge_probe({**HEALTHY, "atr": "3b00", "response": "6f00"}, ""))
    assert [finding.verdict for finding in findings] == [
        LinkVerdict.OK,
        LinkVerdict.FAILED,
        LinkVerdict.FAILED,
        LinkVerdict.OK,
    ]


def test_without_pcscd_the_chain_is_skipped_and_the_cure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_pcscd", lambda: discovery.find_pcscd("/nowhere"))
    monkeypatch.setattr(doctor, "try_namespaces", lambda: None)
    findings = {finding.link: finding for finding in doctor.diagnose()}
    assert_trouble(findings[Link.PCSCD_BINARY], LinkVerdict.FAILED)
    assert "apt-get install pcscd vsmartcard-vpcd" in str(findings[Link.PCSCD_BINARY].cure)
    for link in (Link.PRIVATE_PCSCD, Link.READER_LISTED, Link.PORT, Link.CARD_CONNECTED, Link.POLL, Link.LATENCY):
        assert findings[link].verdict is LinkVerdict.SKIPPED
        assert "pcscd-binary" in findings[link].sentence.fr
    assert Link.STALE in findings


def test_a_refused_namespace_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_pcscd", lambda: discovery.find_pcscd("/nowhere"))
    refusal = PcscdError(Link.MOUNT_NAMESPACE, "EPERM")
    monkeypatch.setattr(doctor, "try_namespaces", lambda: refusal)
    findings = {finding.link: finding for finding in doctor.diagnose()}
    assert findings[Link.USER_NAMESPACE].verdict is LinkVerdict.OK
    assert_trouble_same_words(findings[Link.MOUNT_NAMESPACE])
    assert findings[Link.NETWORK_NAMESPACE].verdict is LinkVerdict.SKIPPED


def assert_trouble_same_words(finding: detectors.LinkFinding) -> None:
    assert finding.verdict is LinkVerdict.FAILED
    assert finding.cure == CURES[finding.link]
    assert "EPERM" in finding.sentence.en


def test_a_missing_pyscard_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(doctor.importlib, "import_module", missing)
    finding = doctor._pyscard()
    assert_trouble(finding, LinkVerdict.FAILED)


def test_the_machine_s_files_are_read(tmp_path: Path) -> None:
    conf, proc = tmp_path / "conf", tmp_path / "proc"
    conf.mkdir()
    (proc / "net").mkdir(parents=True)
    (proc / "self/ns").mkdir(parents=True)
    (proc / "self/ns/mnt").symlink_to("mnt:[1]")
    for pid, name, namespace in ((7, "pcscd", "mnt:[1]"), (8, "pcscd", "mnt:[2]"), (9, "cat", "mnt:[1]")):
        (proc / str(pid) / "ns").mkdir(parents=True)
        (proc / str(pid) / "comm").write_text(name + "\n")
        (proc / str(pid) / "ns/mnt").symlink_to(namespace)
    (proc / "net/tcp").write_text(TCP)
    for name in ("a", "b"):
        (conf / name).write_text(f'FRIENDLYNAME "{name}"\nLIBPATH {DRIVER}\nCHANNELID 0x8C7B\n')
    findings = {finding.link: finding for finding in doctor.machine(conf, proc)}
    assert findings[Link.SHARED_DRIVER].verdict is LinkVerdict.FAILED
    assert findings[Link.EXPOSURE].verdict is LinkVerdict.WARNING
    assert findings[Link.SYSTEM_PCSCD].measure == "7"


def test_version_is_read() -> None:
    text = "pcsc-lite version 2.3.3.\nEnabled features: Linux polkit usbdropdir=/a ipcdir=/run/pcscd filter\n"
    pcscd = discovery.parse_version(Path("/p"), text)
    assert (pcscd.version, pcscd.usb_driver_directory) == ("2.3.3", Path("/a"))
    assert "polkit" in pcscd.features
    assert discovery.parse_version(Path("/p"), "").version == "unknown"


def test_a_missing_driver_is_told(tmp_path: Path) -> None:
    with pytest.raises(PcscdError, match="apt-get install") as caught:
        discovery.find_driver((tmp_path,))
    assert caught.value.link is Link.VPCD_DRIVER
    (tmp_path / "libifdvpcd.so.0.8").write_bytes(b"driver")
    found = discovery.find_driver((tmp_path,))
    assert discovery.driver_version(found).startswith("sha256:")


def test_our_own_service_needs_nothing_of_the_machine(pyscard: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_pcscd", lambda: discovery.find_pcscd("/nowhere"))
    findings = list(doctor.diagnose(doctor.ServiceKind.OWN))
    assert [finding.link for finding in findings] == [
        *(Link.PYSCARD, Link.OWN_SERVICE, Link.POLL, Link.ATR, Link.APDU, Link.LATENCY)
    ]
    assert doctor.usable(findings)
    assert not doctor.usable([*findings, detectors.broken(PcscdError(Link.OWN_SERVICE, "stopped"))])


def test_our_own_service_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    findings = {finding.link: finding for finding in doctor.diagnose(doctor.ServiceKind.OWN)}
    assert findings[Link.RUN_DIRECTORY].verdict is LinkVerdict.FAILED
    assert findings[Link.RUN_DIRECTORY].cure is not None
    assert findings[Link.LATENCY].verdict is LinkVerdict.SKIPPED
