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
