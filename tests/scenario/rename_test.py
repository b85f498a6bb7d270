"""A guest that is shut off can be renamed: its old name is free at once, and everything else of it stays."""

import libvirt
import pytest

from definitions import domain_xml, new_uuid


def refused(call, *arguments):
    with pytest.raises(libvirt.libvirtError) as problem:
        call(*arguments)
    return problem.value.get_error_code(), problem.value.get_error_domain(), problem.value.get_error_message()


@pytest.fixture
def amber(conn):
    return conn.defineXML(domain_xml("amber"))


def test_rename_with_virsh(virsh, amber):
    assert virsh("domrename", "amber", "coral") == "Domain successfully renamed"
    assert virsh.names("--all") == ["coral"]
    assert virsh("domuuid", "coral") == amber.UUIDString()
    assert virsh.fails("domstate", "amber") == "error: failed to get domain 'amber'"
    assert "<name>coral</name>" in virsh("dumpxml", "coral")
    assert virsh.fails("domrename", "coral", "coral") == (
        "error: Requested operation is not valid: Can't rename domain to itself")


def test_everything_but_the_name_stays(conn):
    domain = conn.defineXML(domain_xml("amber", vcpus=2, extra="<title>as it was</title>"))
    domain.setAutostart(1)
    before = domain.XMLDesc()
    assert domain.rename("coral") == 0
    after = conn.lookupByName("coral")
    assert after.XMLDesc() == before.replace("<name>amber</name>", "<name>coral</name>")
    assert after.autostart() == 1
    assert after.isPersistent()
    assert domain.name() == "coral"


def test_events(conn, recorder, amber):
    amber.rename("coral")
    recorder.expect("amber", "defined added", "undefined renamed")
    recorder.expect("coral", "defined renamed")


def test_the_old_name_is_free_and_the_new_one_taken(conn, amber):
    amber.rename("coral")
    second = conn.defineXML(domain_xml("amber"))
    assert second.UUIDString() != amber.UUIDString()
    assert refused(conn.defineXML, domain_xml("coral")) == (
        libvirt.VIR_ERR_OPERATION_FAILED, libvirt.VIR_FROM_DOMAIN,
        f"operation failed: domain 'coral' already exists with uuid {amber.UUIDString()}")
    assert refused(conn.defineXML, domain_xml("third", uuid=amber.UUIDString())) == (
        libvirt.VIR_ERR_OPERATION_FAILED, libvirt.VIR_FROM_DOMAIN,
        f"operation failed: domain 'coral' is already defined with uuid {amber.UUIDString()}")
    assert sorted(domain.name() for domain in conn.listAllDomains()) == ["amber", "coral"]


def test_a_renamed_guest_starts_under_its_new_name(conn, amber):
    amber.rename("coral")
    domain = conn.lookupByName("coral")
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    assert conn.lookupByID(domain.ID()).name() == "coral"
    assert refused(domain.rename, "dusk") == (
        libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_FROM_QEMU,
        "Requested operation is not valid: cannot rename active domain")
    domain.destroy()
    assert domain.rename("amber") == 0


def test_a_name_that_is_taken(conn, amber):
    conn.defineXML(domain_xml("beryl"))
    assert refused(amber.rename, "beryl") == (
        libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_FROM_DOMAIN,
        "Requested operation is not valid: domain with name 'beryl' already exists")
    assert refused(amber.rename, "amber") == (
        libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_FROM_DOMAIN,
        "Requested operation is not valid: Can't rename domain to itself")


def test_a_transient_guest(conn):
    domain = conn.createXML(domain_xml("amber"), libvirt.VIR_DOMAIN_START_PAUSED)
    assert refused(domain.rename, "coral") == (
        libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_FROM_QEMU,
        "Requested operation is not valid: cannot rename active domain")


def test_what_is_no_name(conn, amber):
    assert refused(amber.rename, "a/b") == (
        libvirt.VIR_ERR_XML_ERROR, libvirt.VIR_FROM_QEMU, "XML error: name a/b cannot contain '/'")
    assert refused(amber.rename, "coral", 1)[0] == libvirt.VIR_ERR_INVALID_ARG
    assert amber.name() == "amber"


def test_a_guest_that_has_gone(conn):
    uuid = new_uuid()
    domain = conn.defineXML(domain_xml("amber", uuid=uuid))
    conn.lookupByName("amber").undefine()
    assert refused(domain.rename, "coral") == (
        libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_FROM_QEMU,
        f"Domain not found: no domain with matching uuid '{uuid}' (amber)")


def test_the_new_name_outlives_the_daemon(own_daemon):
    connection = libvirt.open(own_daemon.uri)
    uuid = connection.defineXML(domain_xml("amber")).UUIDString()
    connection.lookupByName("amber").rename("coral")
    connection.close()
    own_daemon.kill9()
    own_daemon.start()
    connection = libvirt.open(own_daemon.uri)
    assert [(domain.name(), domain.UUIDString()) for domain in connection.listAllDomains()] == [("coral", uuid)]
    connection.close()
