"""What a definition says of a device takes effect, and what the guest does with it is known."""

import json
import re

import libvirt

from definitions import domain_xml
from errors_test import Refusal
from events import Collector
from patience import wait_until

AGENT = "org.qemu.guest_agent.0"
CHANNELS = (f"<channel type='unix'><target type='virtio' name='{AGENT}'/></channel>"
            "<channel type='unix'><target type='virtio' name='com.example.0'/></channel>")
BALLOON = "<memballoon model='virtio'><stats period='7'/></memballoon>"
CONNECTED = libvirt.VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED
DISCONNECTED = libvirt.VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED
STARTED = libvirt.VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_DOMAIN_STARTED
CHANNEL = libvirt.VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL


def channel_states(domain):
    return re.findall(r"<target type='virtio' name='\S+' state='(\w+)'/>", domain.XMLDesc())


def open_port(console):
    """In the guest: a program opens the first channel, and `kill $!` closes it."""
    console.shell("sleep 10000 < /dev/$(cd /sys/class/virtio-ports; grep -l agent */name | cut -d/ -f1) &")


def test_a_link_that_is_down(booted):
    _, console = booted("plug", devices="<interface type='user'><model type='virtio'/><link state='down'/></interface>"
                                        "<interface type='user'><model type='virtio'/></interface>")
    console.shell("for n in 0 1; do ip link set eth$n up; done; echo carriers $(cat /sys/class/net/eth[01]/carrier)")
    console.expect(r"carriers 0 1\r")


def test_the_balloon(conn, booted):
    changes = Collector(conn, libvirt.VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE)
    domain, _ = booted("airy", balloon=BALLOON, extra="<currentMemory unit='MiB'>80</currentMemory>")
    wait_until(lambda: domain.info()[1:3] == [96 * 1024, 80 * 1024], what="the balloon's inflation")
    assert "<currentMemory unit='KiB'>81920</currentMemory>" in domain.XMLDesc()
    wait_until(lambda: changes.heard and changes.heard[-1] == ("airy", 81920), what="the event")
    changes.close()


def test_the_balloon_before_the_guest_has_a_driver(conn, virsh):
    domain = conn.defineXML(domain_xml("airy", balloon=BALLOON, extra="<currentMemory unit='MiB'>32</currentMemory>"))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    assert domain.info()[1:3] == [65536, 65536]
    assert "<currentMemory unit='KiB'>32768</currentMemory>" in domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    asked = {"execute": "qom-get", "arguments": {"path": "/machine/peripheral/balloon0",
                                                 "property": "guest-stats-polling-interval"}}
    assert json.loads(virsh("qemu-monitor-command", "airy", json.dumps(asked)))["return"] == 7


def test_a_channel_and_the_agent_in_it(conn, booted):
    agent = Collector(conn, libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE)
    domain, console = booted("spoken", devices=CHANNELS)
    agent.expect(("spoken", DISCONNECTED, STARTED))
    assert channel_states(domain) == ["disconnected", "disconnected"]
    open_port(console)
    agent.expect(("spoken", DISCONNECTED, STARTED), ("spoken", CONNECTED, CHANNEL))
    assert channel_states(domain) == ["connected", "disconnected"]
    console.shell("kill $!")
    agent.expect(("spoken", DISCONNECTED, STARTED), ("spoken", CONNECTED, CHANNEL), ("spoken", DISCONNECTED, CHANNEL))
    assert channel_states(domain) == ["disconnected", "disconnected"]
    agent.close()


def test_a_channel_and_a_balloon_that_change_while_no_daemon_runs(own_daemon, conn, booted):
    domain, console = booted("spoken", devices=CHANNELS, balloon=BALLOON,
                             extra="<currentMemory unit='MiB'>80</currentMemory>")
    wait_until(lambda: domain.info()[2] == 80 * 1024, what="the balloon's inflation")
    open_port(console)
    wait_until(lambda: channel_states(domain) == ["connected", "disconnected"], what="the channel's opening")
    own_daemon.kill9()
    own_daemon.restart()
    after = libvirt.open(own_daemon.uri)
    again = after.lookupByName("spoken")
    wait_until(lambda: channel_states(again) == ["connected", "disconnected"], what="the news of the channel")
    wait_until(lambda: again.info()[1:3] == [96 * 1024, 80 * 1024], what="the news of the balloon")
    after.close()


def test_a_second_screen(conn):
    domain = conn.defineXML(domain_xml("argus", devices="<graphics type='vnc'/><graphics type='vnc'/>"))
    with Refusal() as refusal:
        domain.create()
    assert refusal.all == (
        libvirt.VIR_ERR_CONFIG_UNSUPPORTED, libvirt.VIR_FROM_QEMU, "unsupported configuration: "
        "only 1 graphics device of each type (sdl, vnc, spice, headless, dbus) is supported")


INVALID = ("XML document failed to validate against schema: Unable to validate doc against "
           "/usr/share/libvirt/schemas/domain.rng\nElement domain has extra content: mood\n")


def test_validation(conn, virsh):
    strange, good = domain_xml("strict", extra="<mood>good</mood>"), domain_xml("strict")
    with Refusal() as refusal:
        conn.defineXMLFlags(strange, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
    assert refusal.all == (libvirt.VIR_ERR_XML_INVALID_SCHEMA, libvirt.VIR_FROM_XML, INVALID)
    with Refusal() as refusal:
        conn.createXML(strange, libvirt.VIR_DOMAIN_START_VALIDATE)
    assert refusal.all == (libvirt.VIR_ERR_XML_INVALID_SCHEMA, libvirt.VIR_FROM_XML, INVALID)
    assert conn.listAllDomains() == []
    virsh("define", "--validate", virsh.file(good))
    assert virsh.names("--all") == ["strict"]
    conn.lookupByName("strict").undefine()
    conn.createXML(good, libvirt.VIR_DOMAIN_START_VALIDATE | libvirt.VIR_DOMAIN_START_PAUSED).destroy()
