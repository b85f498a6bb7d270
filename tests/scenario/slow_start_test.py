"""A start takes long. Whoever asks meanwhile, be it about this very guest, is answered at once."""

import xml.etree.ElementTree as ET

import libvirt
import pytest

import emulators
from definitions import domain_xml, new_uuid
from patience import at_once, meanwhile, wait_until


class Start:
    """A start that is held back until let_go()."""

    def __init__(self, daemon, name):
        self.daemon, self.name = daemon, name
        self.uuid = new_uuid()
        emulator, self.pipe = emulators.held_back(daemon, f"slow-{name}-{self.uuid[:8]}", self.uuid)
        self.connection = libvirt.open(daemon.uri)
        self.domain = self.connection.defineXML(domain_xml(name, uuid=self.uuid, emulator=emulator))
        self.under_way = meanwhile(self.domain.createWithFlags, libvirt.VIR_DOMAIN_START_PAUSED)
        wait_until(lambda: daemon.guest_pid(self.uuid), what="the emulator's start")

    def let_go(self):
        emulators.let_go(self.pipe)
        self.under_way.result(60)


@pytest.fixture
def start(daemon):
    started = []

    def begin(name):
        started.append(Start(daemon, name))
        return started[-1]

    yield begin
    for one in started:
        if not one.under_way.done():
            one.let_go()
        one.connection.close()


def test_reads_of_the_guest_that_starts(conn, virsh, start):
    slow = start("slow")
    domain = at_once(conn.lookupByName, "slow")
    assert at_once(conn.lookupByUUIDString, slow.uuid).name() == "slow"
    assert [other.name() for other in at_once(conn.listAllDomains)] == ["slow"]
    assert at_once(domain.state)
    assert at_once(domain.info)
    assert ET.fromstring(at_once(domain.XMLDesc)).findtext("name") == "slow"
    assert ET.fromstring(at_once(domain.XMLDesc, libvirt.VIR_DOMAIN_XML_INACTIVE)).findtext("name") == "slow"
    assert "Name:           slow" in at_once(virsh, "dominfo", "slow")
    assert at_once(virsh.names, "--all") == ["slow"]
    assert not slow.under_way.done()
    slow.let_go()
    assert domain.state() == [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER]


def test_other_guests_start_meanwhile(conn, start):
    slow = start("slow")
    other = conn.defineXML(domain_xml("quick"))
    other.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    other.destroy()
    assert not slow.under_way.done()
    slow.let_go()


def test_its_name_is_taken_from_the_beginning(conn, start):
    slow = start("slow")
    with pytest.raises(libvirt.libvirtError) as problem:
        at_once(conn.createXML, domain_xml("slow"), libvirt.VIR_DOMAIN_START_PAUSED)
    assert problem.value.get_error_message() == (
        f"operation failed: domain 'slow' already exists with uuid {slow.uuid}")
    slow.let_go()
