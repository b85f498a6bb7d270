"""A guest's title, description and applications' own elements, as clients ask for them."""

import libvirt
import pytest

from definitions import domain_xml

NOTE = "http://example.org/note"
TEXTS = f"""<title>The front</title><description>Serves pages</description>
<metadata><n:note xmlns:n='{NOTE}'>keep</n:note></metadata>"""


@pytest.fixture
def told(virsh):
    virsh.define(domain_xml("front", extra=TEXTS))
    return "front"


def test_list_shows_titles(virsh, told):
    assert virsh("list", "--all", "--title").splitlines()[2].split(None, 3) == ["-", told, "shut", "off   The front"]


def test_desc(virsh, told):
    assert virsh("desc", told) == "Serves pages"
    assert virsh("desc", told, "--title") == "The front"


def test_an_applications_element(conn, told):
    domain = conn.lookupByName(told)
    assert domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, NOTE) == "<note>keep</note>"


def test_what_is_not_there_is_said_so(conn):
    domain = conn.defineXML(domain_xml("mute"))
    for kind in (libvirt.VIR_DOMAIN_METADATA_TITLE, libvirt.VIR_DOMAIN_METADATA_DESCRIPTION):
        with pytest.raises(libvirt.libvirtError) as missing:
            domain.metadata(kind, None)
        assert missing.value.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN_METADATA
        assert missing.value.get_error_message() == "metadata not found: Requested metadata element is not present"


def test_what_is_set_is_kept(virsh, conn, daemon, told):
    domain = conn.lookupByName(told)
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, "The back", None, None)
    assert virsh("desc", told, "--title") == "The back"
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "<pair><left/>&amp;<x:y xmlns:x='urn:x'/></pair>", "p", "urn:p")
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "<note a='1'><b/></note>", "m", NOTE)
    assert domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, NOTE) == '<note a="1">\n  <b/>\n</note>'
    assert domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "urn:p") == (
        '<pair><left/>&amp;<x:y xmlns:x="urn:x"/></pair>')
    assert f"""  <metadata>
    <p:pair xmlns:p="urn:p"><p:left/>&amp;<x:y xmlns:x="urn:x"/></p:pair>
    <m:note xmlns:m="{NOTE}" a="1">
      <m:b/>
    </m:note>
  </metadata>
""" in domain.XMLDesc()
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, None, None, NOTE)
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, None, None, "urn:p")
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, None, None, "urn:nobody")
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, None, None, None)
    assert "<metadata>" not in domain.XMLDesc() and "<description>" not in domain.XMLDesc()
    with pytest.raises(libvirt.libvirtError) as broken:
        domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "<a>", "p", "urn:p")
    assert broken.value.get_error_code() == libvirt.VIR_ERR_XML_DETAIL


def test_live_and_kept_metadata_are_two(own_daemon, virsh):
    connection = libvirt.open(own_daemon.uri)
    domain = connection.defineXML(domain_xml("front", extra=TEXTS))
    live, config = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG
    title = libvirt.VIR_DOMAIN_METADATA_TITLE
    with pytest.raises(libvirt.libvirtError) as at_rest:
        domain.setMetadata(title, "x", None, None, live)
    assert at_rest.value.get_error_message() == "Requested operation is not valid: domain is not running"
    domain.create()
    domain.setMetadata(title, "now", None, None)
    domain.setMetadata(title, "then", None, None, config)
    assert [domain.metadata(title, None, flags) for flags in (0, live, config)] == ["now", "now", "then"]
    domain.setMetadata(title, "both", None, None, live | config)
    domain.setMetadata(title, "now", None, None, live)
    connection.close()
    # Both outlive the daemon.
    own_daemon.kill9()
    own_daemon.restart()
    connection = libvirt.open(own_daemon.uri)
    domain = connection.lookupByName("front")
    assert [domain.metadata(title, None, flags) for flags in (live, config)] == ["now", "both"]
    domain.undefine()
    with pytest.raises(libvirt.libvirtError) as transient:
        domain.setMetadata(title, "x", None, None, config)
    assert transient.value.get_error_message() == (
        "Requested operation is not valid: transient domains do not have any persistent config")
    domain.destroy()
    connection.close()
