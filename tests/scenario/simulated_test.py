"""The simulated hypervisor on the same socket: guests for trying out programs, without any QEMU."""

import libvirt
import pytest

from commands import Virsh
from events import Recorder


@pytest.fixture
def uri(daemon):
    return f"test+unix:///default?socket={daemon.socket_path}"


@pytest.fixture
def simulated(uri, tmp_path):
    return Virsh(uri, tmp_path)


XML = """<domain type='test'><name>pretender</name><memory>65536</memory><os><type>hvm</type></os></domain>"""


def test_it_begins_with_one_guest(simulated):
    assert simulated("list") == (" Id   Name   State\n"
                                 "----------------------\n"
                                 " 1    test   running")
    assert "UUID:           6695eb01-f6a4-8304-79aa-97f2502e193f" in simulated("dominfo", "test")


def test_python_sees_a_host_of_its_own(uri):
    connection = libvirt.open(uri)
    assert connection.getType() == "TEST"
    assert [domain.name() for domain in connection.listAllDomains()] == ["test"]
    connection.close()


def test_define_start_suspend_resume_destroy_undefine(simulated):
    # Each connection of libvirt's own has a host of its own, so all happens in one virsh.
    path = simulated.file(XML)
    done = simulated(f"define {path}; start pretender; domstate pretender; suspend pretender; domstate pretender; "
                     "resume pretender; destroy pretender; domstate pretender --reason; undefine pretender; "
                     "list --all --name")
    assert [line for line in done.splitlines() if line] == [
        f"Domain 'pretender' defined from {path}",
        "Domain 'pretender' started",
        "running",
        "Domain 'pretender' suspended",
        "paused",
        "Domain 'pretender' resumed",
        "Domain 'pretender' destroyed",
        "shut off (destroyed)",
        "Domain 'pretender' has been undefined",
        "test",
    ]


def test_it_shares_no_guest_with_qemu(simulated, virsh, conn):
    assert "test" in simulated.names("--all")
    assert virsh.names("--all") == []


def test_events(uri):
    connection = libvirt.open(uri)
    recorder = Recorder(connection)
    domain = connection.defineXML(XML)
    domain.create()
    domain.suspend()
    domain.resume()
    domain.destroy()
    domain.undefine()
    recorder.expect("pretender", "defined added", "started booted", "suspended paused", "resumed unpaused",
                    "stopped destroyed", "undefined removed")
    recorder.close()
    connection.close()
