"""How long guests take to be up: what `vireo boots` and `vireo phases` tell, and what counts as up."""

import json
import re

import libvirt
import libvirt_qemu
import pytest

import faults
from consoles import Console
from definitions import SERIAL, domain_xml, linux_xml
from patience import wait_until

pytestmark = pytest.mark.vireo_only

GREETING = "hello from vireo-guest"
FIGURES = ("count", "mean_us", "median_us", "p99_us", "worst_us", "total_us")


def says_up(text=None, attributes=None):
    attributes = attributes or f"console='{text}'"
    return ("<metadata><vireo:guest xmlns:vireo='urn:vireo:guest:1'>"
            f"<vireo:up {attributes}/></vireo:guest></metadata>")


def storm_of(vireo):
    return json.loads(vireo("boots", "--json"))["storm"]


def boot_of(vireo, name):
    """Of the last start of that guest in the storm."""
    return [guest for guest in storm_of(vireo)["guests"] if guest["name"] == name][-1]


def test_a_guest_is_up_once_its_console_says_so(conn, vireo, virsh, guest_files):
    domain = conn.defineXML(linux_xml("talker", guest_files, extra=says_up(GREETING)))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)  # a quick guest could say so before it is looked at
    silent = boot_of(vireo, "talker")
    assert silent["up_us"] is None and silent["up_by"] is None
    domain.resume()
    running = boot_of(vireo, "talker")
    assert 0 < running["process_us"] < running["running_us"]
    wait_until(lambda: boot_of(vireo, "talker")["up_us"], timeout_s=60, what="the greeting")
    up = boot_of(vireo, "talker")
    assert up["up_by"] == "console" and up["up_us"] > up["running_us"] == running["running_us"]
    assert up["id"] == domain.ID() and up["uuid"] == domain.UUIDString()
    storm = storm_of(vireo)
    assert storm["up"]["count"] >= 1 and storm["up"]["worst_us"] >= up["up_us"]
    text = vireo("boots")
    assert re.search(r"^up +\d+ ", text, re.M)
    assert re.search(r"^%d +talker .* console  started paused$" % domain.ID(), text, re.M)
    assert re.search(r"^until up: ", vireo("trace", "talker"), re.M)
    # The console is everybody's as before, and the definition keeps its metadata.
    assert "urn:vireo:guest:1" in domain.XMLDesc()
    assert domain.XMLDesc().count("logfile") == 0
    # It does not come up once more when it says so again in the same life.
    again = boot_of(vireo, "talker")
    assert again == up


def test_what_is_watched_takes_no_room_for_ever(conn, vireo, daemon, booted):
    domain, console = booted("chatterbox", extra=says_up("vireo-guest#"))
    wait_until(lambda: boot_of(vireo, "chatterbox")["up_us"], what="the prompt")
    copy = daemon.root / f"run/guests/{domain.ID()}/console.log"
    console.shell("i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done; "
                  "echo enough-$((1+1))")
    console.expect("enough-2", 60)
    assert copy.stat().st_size > 100_000
    wait_until(lambda: copy.stat().st_blocks * 512 <= 16384, timeout_s=60, what="the copy to be emptied")


def test_the_agent_says_that_a_guest_is_up(conn, vireo, booted):
    channel = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
    _, console = booted("agent", devices=channel)
    assert boot_of(vireo, "agent")["up_by"] is None
    console.shell("sleep 1000 < /dev/vport0p1 & echo opened-$((1+1))")
    console.expect("opened-2")
    wait_until(lambda: boot_of(vireo, "agent")["up_us"], what="the channel to be opened")
    assert boot_of(vireo, "agent")["up_by"] == "agent"


def test_the_first_packet_says_that_a_guest_is_up(conn, vireo, daemon, booted):
    nic = "<interface type='user'><model type='virtio'/></interface>"
    domain, console = booted("sender", devices=nic, extra=says_up(attributes="network='yes'"))
    assert boot_of(vireo, "sender")["up_by"] is None
    console.shell("ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; ping -c 1 10.0.2.2; echo pinged-$((1+1))")
    console.expect("pinged-2")
    wait_until(lambda: boot_of(vireo, "sender")["up_us"], what="the packet")
    assert boot_of(vireo, "sender")["up_by"] == "network"
    # From then on nothing is copied any more.
    objects = '{"execute": "qom-list", "arguments": {"path": "/objects"}}'

    def filters():
        answer = json.loads(libvirt_qemu.qemuMonitorCommand(domain, objects, 0))
        return [entry["name"] for entry in answer["return"] if entry["name"] == "firstpacket"]

    wait_until(lambda: filters() == [], what="the end of the copying")
    copy = daemon.root / f"run/guests/{domain.ID()}/packet.log"
    size = copy.stat().st_size
    console.shell("ping -c 1 10.0.2.2; echo again-$((1+1))")
    console.expect("again-2")
    assert copy.stat().st_size == size


def test_a_paused_guest_has_a_process_and_does_not_run(conn, vireo):
    domain = conn.defineXML(domain_xml("sleeper"))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    boot = boot_of(vireo, "sleeper")
    assert boot["paused"] and boot["process_us"] > 0 and boot["running_us"] is None
    assert "started paused" in vireo("boots")
    domain.resume()
    resumed = boot_of(vireo, "sleeper")
    assert resumed["running_us"] > boot["process_us"] == resumed["process_us"]
    domain.suspend()
    domain.resume()
    assert boot_of(vireo, "sleeper") == resumed


def test_a_text_that_no_console_can_print_is_refused(conn):
    domain = conn.defineXML(domain_xml("mute", extra=says_up(GREETING)))
    with pytest.raises(libvirt.libvirtError, match="has none; add a <serial>"):
        domain.create()
    deaf = conn.defineXML(domain_xml("deaf", extra=says_up(attributes="network='yes'")))
    with pytest.raises(libvirt.libvirtError, match="no network; add an <interface>"):
        deaf.create()
    with pytest.raises(libvirt.libvirtError, match="of <up> "):
        conn.defineXML(domain_xml("wrong", devices=SERIAL, extra=says_up("")))


def test_storms_and_phases_are_summed_up(own_daemon, conn, vireo):
    assert storm_of(vireo) is None and "no guest yet" in vireo("boots")
    assert json.loads(vireo("phases", "--json"))["launches"] == 0
    names = [f"g{i}" for i in range(4)]
    for name in names:
        conn.defineXML(domain_xml(name)).create()
    bad = conn.defineXML(domain_xml("bad", devices="<disk type='file'><source file='/nowhere/disk.img'/>"
                                                   "<target dev='vda' bus='virtio'/></disk>"))
    with pytest.raises(libvirt.libvirtError):
        bad.create()
    storm = storm_of(vireo)
    assert [guest["name"] for guest in storm["guests"]] == [*names, "bad"]
    assert (storm["starts"], storm["failed"], storm["under_way"]) == (5, 1, 0)
    assert [guest["failed"] for guest in storm["guests"]] == [False] * 4 + [True]
    for until in ("process", "running"):
        values = sorted(guest[f"{until}_us"] for guest in storm["guests"][:4])
        assert [storm[until][figure] for figure in FIGURES[:5]] == \
            [4, sum(values) // 4, values[1], values[3], values[3]]
        # From the first call until the last guest was that far: the calls came one after the other.
        assert storm[until]["total_us"] > sum(values[:3])
    assert storm["up"] is None
    assert re.search(r"^up +0 +- ", vireo("boots"), re.M)

    phases = json.loads(vireo("phases", "--json"))
    assert (phases["launches"], phases["failed"], phases["kept"]) == (4, 1, 4)
    by_name = {phase["name"]: phase for phase in phases["phases"]}
    order = ["lane", "claim", "persist", "label", "admission", "spawn", "handshake", "persist#2", "continue", "publish"]
    assert [name for name in by_name if name in order] == order
    assert all(phase["count"] == 4 for phase in by_name.values())
    assert by_name["claim"]["failed"] == 1 and sum(phase["failed"] for phase in by_name.values()) == 1
    assert sum(phase["total_us"] for phase in by_name.values()) == phases["launch"]["total_us"]
    table = [line.split() for line in vireo("phases").splitlines()[2:]]
    assert table[0][:2] == ["PHASE", "COUNT"] and table[-1][:2] == ["(all)", "4"]
    assert [row[0] for row in table[1:-1]] == list(by_name)


def test_times_outlive_the_daemon(own_daemon, vireo, guest_files):
    conn = libvirt.open(own_daemon.uri)
    conn.defineXML(linux_xml("early", guest_files, extra=says_up(GREETING))).create()
    conn.defineXML(linux_xml("late", guest_files, extra=says_up("up-42"))).create()
    conn.defineXML(domain_xml("paused")).createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    wait_until(lambda: boot_of(vireo, "early")["up_us"], timeout_s=60, what="the greeting")
    before = {name: boot_of(vireo, name) for name in ("early", "late", "paused")}
    conn.close()
    # Nobody waits for times to be written down, so they are a moment after they are told.
    told = sorted((before[name]["id"], before[name]["process_us"], before[name]["running_us"], before[name]["up_us"])
                  for name in before)
    wait_until(lambda: faults.boots_of(own_daemon) == told, what="the times in the database")
    own_daemon.kill9()
    own_daemon.restart()

    def boot(name):
        return json.loads(vireo("trace", name, "--json"))["boot"]

    assert {name: boot(name) for name in before} == before
    conn = libvirt.open(own_daemon.uri)
    conn.lookupByName("paused").resume()
    assert boot("paused")["running_us"] > before["paused"]["process_us"]
    # And what is up only now counts from the call that an earlier daemon was asked.
    console = Console(conn, conn.lookupByName("late"))
    console.coax("\n", "vireo-guest#")
    console.shell("echo up-$((40+2))")
    wait_until(lambda: boot("late")["up_us"], what="the text")
    assert boot("late")["up_us"] > boot("late")["running_us"] == before["late"]["running_us"]
    console.close()
    conn.close()
