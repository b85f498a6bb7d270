"""Nothing that a definition asks for is dropped in silence: it is honoured, or refused by its name."""

import xml.etree.ElementTree as ET

import libvirt
import pytest

from definitions import domain_xml

DEVICES = {
    "hostdev": "<hostdev mode='subsystem' type='pci' managed='yes'>"
               "<source><address domain='0' bus='6' slot='2' function='0'/></source></hostdev>",
    "tpm": "<tpm model='tpm-tis'><backend type='emulator' version='2.0'/></tpm>",
    "filesystem": "<filesystem type='mount'><source dir='/srv'/><target dir='srv'/></filesystem>",
    "shmem": "<shmem name='pool'><size unit='M'>4</size></shmem>",
    "vsock": "<vsock model='virtio'><cid auto='yes'/></vsock>",
    "smartcard": "<smartcard mode='host'/>",
}
SECTIONS = {
    "numatune": "<numatune><memory mode='strict' nodeset='0'/></numatune>",
    "blkiotune": "<blkiotune><weight>800</weight></blkiotune>",
    "launchSecurity": "<launchSecurity type='s390-pv'/>",
    "idmap": "<idmap><uid start='0' target='1000' count='10'/><gid start='0' target='1000' count='10'/></idmap>",
}


def refused(conn, xml, element):
    with pytest.raises(libvirt.libvirtError) as problem:
        conn.defineXML(xml)
    assert problem.value.get_error_code() == libvirt.VIR_ERR_CONFIG_UNSUPPORTED
    assert element in problem.value.get_error_message()
    assert conn.listAllDomains() == []


@pytest.mark.vireo_only
@pytest.mark.parametrize("element", DEVICES)
def test_a_device_that_is_not_honoured_yet(conn, element):
    refused(conn, domain_xml("picky", devices=DEVICES[element]), element)


@pytest.mark.vireo_only
@pytest.mark.parametrize("element", SECTIONS)
def test_a_section_that_is_not_honoured_yet(conn, element):
    refused(conn, domain_xml("picky", extra=SECTIONS[element]), element)


def test_what_libvirt_does_not_know_is_ignored(conn):
    domain = conn.defineXML(domain_xml("picky", devices="<teleporter/>", extra="<mood>good</mood>"))
    assert "teleporter" not in domain.XMLDesc()
    assert "mood" not in domain.XMLDesc()


def test_metadata_of_others_is_kept(conn):
    note = "<metadata><a:note xmlns:a='http://example.org/a' color='red'><a:text>keep me</a:text></a:note></metadata>"
    domain = conn.defineXML(domain_xml("picky", extra=note))
    kept = ET.fromstring(domain.XMLDesc()).find("metadata/{http://example.org/a}note")
    assert kept.get("color") == "red"
    assert kept.findtext("{http://example.org/a}text") == "keep me"
