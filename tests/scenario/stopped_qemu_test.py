"""One QEMU hangs. Nobody who asks about guests, this one or others, has to wait for it."""

import time
import xml.etree.ElementTree as ET

import libvirt
import pytest

from daemons import stopped
from definitions import domain_xml
from patience import at_once, meanwhile


@pytest.fixture
def hung(daemon, conn):
    """Three running guests, of which one's QEMU is stopped by a signal."""
    guests = {name: conn.defineXML(domain_xml(name)) for name in ("before", "hung", "after")}
    for domain in guests.values():
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    with stopped(daemon.guest_pid(guests["hung"].UUIDString())):
        yield guests


def test_reads_of_all_guests_answer_at_once(daemon, hung):
    connection = libvirt.open(daemon.uri)
    assert len(at_once(connection.listAllDomains)) == 3
    for name in hung:
        domain = at_once(connection.lookupByName, name)
        assert at_once(connection.lookupByUUIDString, domain.UUIDString()).name() == name
        assert at_once(connection.lookupByID, domain.ID()).name() == name
        assert at_once(domain.state) == [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER]
        assert at_once(domain.info)[0] == libvirt.VIR_DOMAIN_PAUSED
        assert at_once(domain.isActive) == 1
        assert ET.fromstring(at_once(domain.XMLDesc)).findtext("name") == name
    connection.close()


def test_virsh_answers_at_once(virsh, hung):
    assert at_once(virsh.names) == ["after", "before", "hung"]
    for name in hung:
        assert "State:          paused" in at_once(virsh, "dominfo", name)
        assert at_once(virsh, "domstate", name) == "paused"
        assert at_once(virsh, "dumpxml", name)


def test_other_guests_can_be_changed(daemon, hung):
    for name in ("before", "after"):
        at_once(hung[name].resume)
        at_once(hung[name].suspend)


def test_the_hung_guest_can_be_destroyed(conn, hung, recorder):
    hung["hung"].destroy()
    recorder.expect("hung", "stopped destroyed")
    assert hung["hung"].state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED]
    hung["hung"].createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    assert hung["hung"].isActive()


def test_reads_while_somebody_waits_for_the_hung_guest(daemon, conn, hung):
    """A resume waits for the monitor that hangs. Reads of that very guest answer, and destroy ends the waiting."""
    other = libvirt.open(daemon.uri)
    waiting = meanwhile(other.lookupByName("hung").resume)
    # Long enough for the call to have reached the monitor, and it must not have come back.
    time.sleep(0.5)
    assert not waiting.done()
    for name in hung:
        domain = at_once(conn.lookupByName, name)
        assert at_once(domain.isActive) == 1
        assert at_once(domain.info)[0] == libvirt.VIR_DOMAIN_PAUSED
        assert at_once(domain.XMLDesc)
    assert len(at_once(conn.listAllDomains)) == 3
    hung["hung"].destroy()
    assert isinstance(waiting.exception(60), libvirt.libvirtError)
    other.close()


def test_a_balloon_makes_no_difference(daemon, conn):
    """dominfo tells the balloon's size, which only the monitor knows anew: the last known one has to do."""
    domain = conn.defineXML(domain_xml("hung").replace("<memballoon model='none'/>", "<memballoon model='virtio'/>"))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    with stopped(daemon.guest_pid(domain.UUIDString())):
        for _ in range(3):
            assert at_once(domain.info)[0] == libvirt.VIR_DOMAIN_PAUSED
            assert at_once(domain.XMLDesc)
