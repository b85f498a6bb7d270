"""The daemon dies of kill -9. Its guests run on, and the next daemon knows them all."""

import os
import signal
import xml.etree.ElementTree as ET

import libvirt
import pytest

from consoles import Console, boot
from daemons import wait_for_exit
from definitions import SERIAL, domain_xml, linux_xml
from events import Recorder
from patience import wait_until

pytestmark = pytest.mark.usefixtures("own_daemon")


@pytest.fixture
def reborn(daemon):
    """Kills the daemon, starts the next one and connects to it."""
    connections = []

    def kill_and_restart(meanwhile=lambda: None):
        daemon.kill9()
        meanwhile()
        daemon.restart()
        connections.append(libvirt.open(daemon.uri))
        return connections[-1]

    yield kill_and_restart
    for connection in connections:
        connection.close()


def test_definitions_and_autostart_marks(conn, reborn):
    conn.defineXML(domain_xml("marked")).setAutostart(1)
    plain = conn.defineXML(domain_xml("plain"))
    gone = conn.defineXML(domain_xml("gone"))
    gone.undefine()
    before = plain.XMLDesc()
    after = reborn()
    assert sorted(domain.name() for domain in after.listAllDomains()) == ["marked", "plain"]
    assert after.lookupByName("plain").XMLDesc() == before
    assert after.lookupByName("plain").autostart() == 0
    assert after.lookupByName("marked").autostart() == 1


def test_a_definition_is_durable_when_define_has_answered(daemon, conn, reborn):
    for number in range(5):
        conn.defineXML(domain_xml(f"late-{number}"))
    after = reborn()
    assert len(after.listAllDomains()) == 5


def test_running_guests_run_on(daemon, conn, reborn):
    running = conn.defineXML(domain_xml("runner", devices=SERIAL))
    running.create()
    paused = conn.defineXML(domain_xml("sitter", devices=SERIAL))
    paused.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    transient = conn.createXML(domain_xml("mayfly"), libvirt.VIR_DOMAIN_START_PAUSED)
    before = {domain.name(): (domain.ID(), domain.UUIDString(), ET.canonicalize(domain.XMLDesc()),
                              domain.isPersistent(), daemon.guest_pid(domain.UUIDString()))
              for domain in (running, paused, transient)}
    after = reborn()
    found = {domain.name(): (domain.ID(), domain.UUIDString(), ET.canonicalize(domain.XMLDesc()),
                             domain.isPersistent(), daemon.guest_pid(domain.UUIDString()))
             for domain in after.listAllDomains()}
    assert found == before
    assert after.lookupByName("runner").state()[0] == libvirt.VIR_DOMAIN_RUNNING
    assert after.lookupByName("sitter").state()[0] == libvirt.VIR_DOMAIN_PAUSED


def test_they_can_be_managed_on(conn, reborn):
    conn.defineXML(domain_xml("runner")).create()
    after = reborn()
    recorder = Recorder(after)
    domain = after.lookupByName("runner")
    domain.suspend()
    domain.resume()
    domain.destroy()
    recorder.expect("runner", "suspended paused", "resumed unpaused", "stopped destroyed")
    domain.create()
    assert domain.isActive()
    recorder.close()


def test_an_id_from_before_is_never_given_again(conn, reborn):
    domain = conn.defineXML(domain_xml("runner"))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    before = domain.ID()
    domain.destroy()
    stayer = conn.createXML(domain_xml("stayer"), libvirt.VIR_DOMAIN_START_PAUSED)
    assert stayer.ID() > before
    highest = stayer.ID()
    after = reborn()
    domain = after.lookupByName("runner")
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    assert domain.ID() > highest


@pytest.mark.vireo_only
def test_not_even_the_id_of_a_guest_that_ended_before(conn, reborn):
    domain = conn.defineXML(domain_xml("runner"))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    before = domain.ID()
    domain.destroy()
    domain = reborn().lookupByName("runner")
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    assert domain.ID() > before


def test_the_console_works_on(conn, guest_files, reborn):
    domain = conn.defineXML(linux_xml("talker", guest_files))
    boot(conn, domain).close()
    after = reborn()
    recorder = Recorder(after)
    console = Console(after, after.lookupByName("talker"))
    console.shell("echo still $((40+2))")
    console.expect("still 42")
    console.shell("poweroff -f")
    recorder.expect("talker", "shutdown guest", "stopped shutdown")
    recorder.close()


def test_a_guest_that_ended_meanwhile(daemon, conn, reborn):
    kept = conn.defineXML(domain_xml("kept"))
    kept.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    mayfly = conn.createXML(domain_xml("mayfly"), libvirt.VIR_DOMAIN_START_PAUSED)
    pids = [daemon.guest_pid(domain.UUIDString()) for domain in (kept, mayfly)]

    def end_them():
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for pid in pids:
            wait_for_exit(pid)

    after = reborn(meanwhile=end_them)
    wait_until(lambda: len(after.listAllDomains()) == 1, what="the transient guest's end")
    domain = after.lookupByName("kept")
    wait_until(lambda: not domain.isActive(), what="the persistent guest's end")
    assert domain.state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED]
    with pytest.raises(libvirt.libvirtError) as problem:
        after.lookupByName("mayfly")
    assert problem.value.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    assert domain.isActive()


def test_a_paused_guest_stays_paused(conn, reborn):
    domain = conn.defineXML(domain_xml("runner"))
    domain.create()
    domain.suspend()
    after = reborn()
    assert after.lookupByName("runner").state() == [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER]


def test_three_restarts_in_a_row(daemon, conn, reborn):
    domain = conn.defineXML(domain_xml("runner"))
    domain.create()
    number = domain.ID()
    for _ in range(3):
        after = reborn()
        assert after.lookupByID(number).name() == "runner"


def test_an_orderly_stop_leaves_guests_running_too(daemon, conn):
    domain = conn.createXML(domain_xml("mayfly"), libvirt.VIR_DOMAIN_START_PAUSED)
    number, pid = domain.ID(), daemon.guest_pid(domain.UUIDString())
    daemon.stop()
    assert daemon.guest_pid(domain.UUIDString()) == pid
    daemon.restart()
    after = libvirt.open(daemon.uri)
    assert after.lookupByID(number).name() == "mayfly"
    after.close()
