"""A start fails. QEMU's own last words reach the caller, nothing is left behind, and the next start succeeds."""

import libvirt
import pytest

import emulators
from definitions import domain_xml, new_uuid

LAST_WORDS = "qemu-system-x86_64: the flux capacitor is empty"


@pytest.fixture
def broken(daemon, conn, recorder):
    """A guest whose emulator gives up as long as a file is there. Returns the guest and the file."""
    uuid = new_uuid()
    flaw = daemon.root / f"flaw-{uuid[:8]}"
    flaw.touch()
    emulator = emulators.script(daemon, f"broken-{uuid[:8]}",
                                f'if [ -e {flaw} ]; then echo "{LAST_WORDS}" >&2; exit 1; fi', uuid)
    domain = conn.defineXML(domain_xml("broken", uuid=uuid, emulator=emulator))
    recorder.expect("broken", "defined added")
    return domain, flaw


def test_the_caller_reads_what_qemu_said(broken, virsh):
    domain, _ = broken
    with pytest.raises(libvirt.libvirtError) as problem:
        domain.create()
    assert problem.value.get_error_code() == libvirt.VIR_ERR_INTERNAL_ERROR
    assert problem.value.get_error_domain() == libvirt.VIR_FROM_QEMU
    assert LAST_WORDS in problem.value.get_error_message()
    complaint = virsh.fails("start", "broken")
    assert complaint.startswith("error: Failed to start domain 'broken'\nerror: internal error: ")
    assert LAST_WORDS in complaint


def test_state_and_events(broken, recorder):
    domain, _ = broken
    with pytest.raises(libvirt.libvirtError):
        domain.create()
    assert domain.state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_FAILED]
    assert domain.ID() == -1
    # It never ran, so it never stopped: the next thing to be heard of is what happens next.
    domain.undefine()
    recorder.expect("broken", "undefined removed")


def test_it_can_be_started_once_the_cause_is_gone(broken):
    domain, flaw = broken
    with pytest.raises(libvirt.libvirtError):
        domain.create()
    flaw.unlink()
    domain.create()
    assert domain.state() == [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED]


def test_a_transient_guest_leaves_its_name_free(broken, conn):
    domain, flaw = broken
    xml = domain.XMLDesc()
    domain.undefine()
    with pytest.raises(libvirt.libvirtError) as problem:
        conn.createXML(xml)
    assert LAST_WORDS in problem.value.get_error_message()
    assert conn.listAllDomains() == []
    flaw.unlink()
    assert conn.createXML(xml).isActive()
