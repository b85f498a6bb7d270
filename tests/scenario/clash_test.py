"""Two guests never share a name or a UUID; who comes second is told so, in libvirt's own words."""

import libvirt
import pytest

from definitions import domain_xml, new_uuid


def refused(call, *arguments):
    with pytest.raises(libvirt.libvirtError) as problem:
        call(*arguments)
    return problem.value.get_error_code(), problem.value.get_error_domain(), problem.value.get_error_message()


@pytest.fixture(params=["at rest", "running"])
def holder(request, conn):
    domain = conn.defineXML(domain_xml("holder"))
    if request.param == "running":
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    return domain


def test_define_with_a_name_that_is_taken(conn, holder):
    assert refused(conn.defineXML, domain_xml("holder")) == (
        libvirt.VIR_ERR_OPERATION_FAILED, libvirt.VIR_FROM_DOMAIN,
        f"operation failed: domain 'holder' already exists with uuid {holder.UUIDString()}")


def test_create_with_a_name_that_is_taken(conn, holder):
    assert refused(conn.createXML, domain_xml("holder"), libvirt.VIR_DOMAIN_START_PAUSED) == (
        libvirt.VIR_ERR_OPERATION_FAILED, libvirt.VIR_FROM_DOMAIN,
        f"operation failed: domain 'holder' already exists with uuid {holder.UUIDString()}")


def test_define_with_a_uuid_that_is_taken(conn, holder):
    uuid = holder.UUIDString()
    assert refused(conn.defineXML, domain_xml("second", uuid=uuid)) == (
        libvirt.VIR_ERR_OPERATION_FAILED, libvirt.VIR_FROM_DOMAIN,
        f"operation failed: domain 'holder' is already defined with uuid {uuid}")


def test_create_with_a_uuid_that_is_taken(conn, holder):
    uuid = holder.UUIDString()
    assert refused(conn.createXML, domain_xml("second", uuid=uuid), libvirt.VIR_DOMAIN_START_PAUSED) == (
        libvirt.VIR_ERR_OPERATION_FAILED, libvirt.VIR_FROM_DOMAIN,
        f"operation failed: domain 'holder' is already defined with uuid {uuid}")


def test_define_of_the_same_guest_again_is_no_clash(conn, holder):
    again = conn.defineXML(domain_xml("holder", uuid=holder.UUIDString(), vcpus=2))
    assert again.UUIDString() == holder.UUIDString()
    assert [domain.name() for domain in conn.listAllDomains()] == ["holder"]


def test_create_of_a_defined_guest_at_rest_starts_it(conn):
    uuid = new_uuid()
    conn.defineXML(domain_xml("holder", uuid=uuid))
    domain = conn.createXML(domain_xml("holder", uuid=uuid, vcpus=2), libvirt.VIR_DOMAIN_START_PAUSED)
    assert domain.isPersistent()
    assert domain.info()[3] == 2
    domain.destroy()
    assert conn.lookupByName("holder").info()[3] == 1


def test_create_of_a_running_guest(conn, virsh):
    xml = domain_xml("holder")
    conn.defineXML(xml).createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    assert refused(conn.createXML, xml, 0) == (
        libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_FROM_DOMAIN,
        "Requested operation is not valid: domain 'holder' is already active")
    path = virsh.file(xml)
    assert virsh.fails("create", path) == (
        f"error: Failed to create domain from {path}\n"
        "error: Requested operation is not valid: domain 'holder' is already active")


def test_virsh_tells_of_a_clash(virsh):
    first, second = new_uuid(), new_uuid()
    virsh.define(domain_xml("holder", uuid=first))
    path = virsh.file(domain_xml("holder", uuid=second), "second.xml")
    assert virsh.fails("define", path) == (
        f"error: Failed to define domain from {path}\n"
        f"error: operation failed: domain 'holder' already exists with uuid {first}")
