"""The life of a transient guest: it exists only as long as it runs."""

import libvirt
import pytest

from consoles import boot
from definitions import domain_xml, linux_xml


@pytest.fixture
def path(virsh):
    return virsh.file(domain_xml("mayfly"))


def test_create_and_destroy(virsh, path):
    assert virsh("create", path) == f"Domain 'mayfly' created from {path}"
    assert virsh("domstate", "mayfly", "--reason") == "running (booted)"
    assert "Persistent:     no" in virsh("dominfo", "mayfly").splitlines()
    assert virsh.names("--transient") == ["mayfly"]
    assert virsh.names("--persistent", "--all") == []
    assert virsh("destroy", "mayfly") == "Domain 'mayfly' destroyed"
    assert virsh.names("--all") == []
    assert virsh.fails("dominfo", "mayfly") == "error: failed to get domain 'mayfly'"


def test_create_paused(virsh, path):
    assert virsh("create", path, "--paused") == f"Domain 'mayfly' created from {path}"
    assert virsh("domstate", "mayfly", "--reason") == "paused (user)"
    virsh("resume", "mayfly")
    assert virsh("domstate", "mayfly", "--reason") == "running (unpaused)"


def test_it_can_be_neither_undefined_nor_marked(virsh, path):
    virsh("create", path, "--paused")
    assert virsh.fails("undefine", "mayfly") == (
        "error: Failed to undefine domain 'mayfly'\n"
        "error: Requested operation is not valid: cannot undefine transient domain")
    assert virsh.fails("autostart", "mayfly") == (
        "error: Failed to mark domain 'mayfly' as autostarted\n"
        "error: Requested operation is not valid: cannot set autostart for transient domain")


def test_define_makes_it_persistent(virsh, path):
    virsh("create", path, "--paused")
    virsh("define", path)
    assert "Persistent:     yes" in virsh("dominfo", "mayfly").splitlines()
    virsh("destroy", "mayfly")
    assert virsh.rows("--all") == [("-", "mayfly", "shut off")]


def test_it_vanishes_when_the_guest_turns_itself_off(conn, guest_files, recorder):
    domain = conn.createXML(linux_xml("mayfly", guest_files), libvirt.VIR_DOMAIN_START_PAUSED)
    console = boot(conn, domain)
    recorder.expect("mayfly", "started booted", "suspended paused", "resumed unpaused")
    console.shell("poweroff -f")
    recorder.expect("mayfly", "shutdown guest", "stopped shutdown")
    with pytest.raises(libvirt.libvirtError) as problem:
        conn.lookupByName("mayfly")
    assert problem.value.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN


def test_autodestroy_ends_it_with_its_connection(daemon, conn, recorder):
    creator = libvirt.open(daemon.uri)
    creator.createXML(domain_xml("mayfly"), libvirt.VIR_DOMAIN_START_PAUSED | libvirt.VIR_DOMAIN_START_AUTODESTROY)
    assert conn.lookupByName("mayfly").isActive()
    creator.close()
    recorder.expect("mayfly", "started booted", "suspended paused", "stopped destroyed")
    assert conn.listAllDomains() == []
