"""A start takes long. Whoever asks meanwhile, be it about this very guest, is answered at once."""

import threading
import xml.etree.ElementTree as ET

import libvirt
import pytest

import emulators
from definitions import domain_xml, new_uuid
from patience import at_once, wait_until


class Start:
    """A start that is held back until let_go()."""

    def __init__(self, daemon, name):
        self.daemon, self.name = daemon, name
        self.uuid = new_uuid()
        emulator, self.pipe = emulators.held_back(daemon, f"slow-{name}-{self.uuid[:8]}", self.uuid)
        self.connection = libvirt.open(daemon.uri)
        self.domain = self.connection.defineXML(domain_xml(name, uuid=self.uuid, emulator=emulator))
        self.problem = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        wait_until(lambda: daemon.guest_pid(self.uuid), what="the emulator's start")

    def _run(self):
        try:
            self.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        except libvirt.libvirtError as problem:
            self.problem = problem

    def let_go(self):
        emulators.let_go(self.pipe)
        self.thread.join(30)
        assert not self.thread.is_alive()


@pytest.fixture
def start(daemon):
    started = []

    def begin(name):
        started.append(Start(daemon, name))
        return started[-1]

    yield begin
    for one in started:
        if one.thread.is_alive():
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
    assert slow.thread.is_alive()
    slow.let_go()
    assert slow.problem is None
    assert domain.state() == [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER]


def test_other_guests_start_meanwhile(conn, start):
    slow = start("slow")
    other = conn.defineXML(domain_xml("quick"))
    other.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    other.destroy()
    assert slow.thread.is_alive()
    slow.let_go()
    assert slow.problem is None


def test_its_name_is_taken_from_the_beginning(conn, start):
    slow = start("slow")
    with pytest.raises(libvirt.libvirtError) as problem:
        at_once(conn.createXML, domain_xml("slow"), libvirt.VIR_DOMAIN_START_PAUSED)
    assert problem.value.get_error_message() == (
        f"operation failed: domain 'slow' already exists with uuid {slow.uuid}")
    slow.let_go()
    assert slow.problem is None
