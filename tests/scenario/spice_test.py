"""A SPICE display: its port is chosen, shown and kept, it answers there, and no other display gets it."""

import re
import socket
import struct
import xml.etree.ElementTree as ET

import libvirt
import pytest

from definitions import domain_xml
from errors_test import Refusal

SPICE = "<graphics type='spice' autoport='yes'/>"
VNC = "<graphics type='vnc' autoport='yes'/>"
AGENT = "<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>"


def start(conn, name, devices):
    domain = conn.defineXML(domain_xml(name, devices=devices))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    return domain


def graphics(domain, flags=0, kind="spice"):
    return ET.fromstring(domain.XMLDesc(flags)).find(f"devices/graphics[@type='{kind}']")


def port_of(domain, kind="spice"):
    return int(graphics(domain, kind=kind).get("port"))


def greeting(port):
    """What a SPICE server answers to the first words of a client that asks for its main channel."""
    asked = struct.pack("<IBBIII", 0, 1, 0, 0, 0, 18)
    with socket.create_connection(("127.0.0.1", port), timeout=60) as server:
        server.sendall(b"REDQ" + struct.pack("<III", 2, 2, len(asked)) + asked)
        return server.recv(4)


def test_a_display_and_its_address(conn, virsh):
    domain = start(conn, "seer", SPICE + AGENT)
    port = port_of(domain)
    assert port >= 5900
    assert graphics(domain).get("listen") == "127.0.0.1"
    assert graphics(domain, libvirt.VIR_DOMAIN_XML_INACTIVE).get("port") is None
    assert virsh("domdisplay", "seer") == f"spice://127.0.0.1:{port}"
    assert greeting(port) == b"REDQ"
    assert "<audio id='1' type='spice'/>" in domain.XMLDesc()
    assert "<target type='virtio' name='com.redhat.spice.0' state='disconnected'/>" in domain.XMLDesc()


def test_displays_never_share_a_port(conn):
    first, second, third = (start(conn, name, devices)
                            for name, devices in (("seer-a", SPICE), ("seer-b", SPICE), ("seer-c", VNC)))
    assert len({port_of(first), port_of(second), port_of(third, "vnc")}) == 3


def test_one_display_of_each_kind(conn, virsh):
    domain = start(conn, "janus", SPICE + VNC)
    assert greeting(port_of(domain)) == b"REDQ"
    with socket.create_connection(("127.0.0.1", port_of(domain, "vnc")), timeout=60) as server:
        assert server.recv(4) == b"RFB "
    assert sorted(virsh("domdisplay", "--all", "janus").split()) == [
        f"spice://127.0.0.1:{port_of(domain)}", f"vnc://127.0.0.1:{port_of(domain, 'vnc') - 5900}"]


def test_what_a_display_is_told_to_do(conn):
    told = ("<image compression='quic'/><jpeg compression='never'/><zlib compression='always'/>"
            "<playback compression='off'/><streaming mode='off'/><mouse mode='server'/><clipboard copypaste='no'/>"
            "<filetransfer enable='no'/>")
    domain = start(conn, "seer", f"<graphics type='spice' autoport='yes' defaultMode='insecure'>{told}</graphics>")
    assert re.findall(r"<(?:image|jpeg|zlib|playback|streaming|mouse|clipboard|filetransfer) .*/>",
                      ET.tostring(graphics(domain), "unicode").replace(" />", "/>").replace('"', "'")) == [
        element for element in re.findall(r"<.*?/>", told)]
    assert greeting(port_of(domain)) == b"REDQ"


def test_a_display_that_listens_nowhere(conn, virsh):
    domain = start(conn, "hidden", "<graphics type='spice'/>")
    assert graphics(domain).attrib == {"type": "spice"}
    assert graphics(domain).find("listen").get("type") == "none"
    assert virsh.fails("domdisplay", "hidden") == "error: No graphical display found"


def unsupported(words, domain=libvirt.VIR_FROM_QEMU):
    return libvirt.VIR_ERR_CONFIG_UNSUPPORTED, domain, "unsupported configuration: " + words


def test_a_second_display_of_one_kind(conn):
    domain = conn.defineXML(domain_xml("argus", devices=SPICE + SPICE))
    with Refusal() as refusal:
        domain.create()
    assert refusal.all == unsupported(
        "only 1 graphics device of each type (sdl, vnc, spice, headless, dbus) is supported")


def test_a_display_with_two_addresses(conn):
    domain = conn.defineXML(domain_xml("argus", devices="<graphics type='spice' autoport='yes'><listen type='address'/>"
                                                        "<listen type='address' address='0.0.0.0'/></graphics>"))
    with Refusal() as refusal:
        domain.create()
    assert refusal.all == unsupported("QEMU does not support multiple listens for one graphics device.")


@pytest.mark.parametrize("devices, refused", [
    (AGENT + VNC, unsupported("chardev 'spicevmc' not supported without spice graphics")),
    ("<audio id='1' type='spice'/>" + VNC, unsupported("Spice audio is not supported without spice graphics")),
    ("<serial type='spicevmc'/>" + SPICE,
     unsupported("spicevmc device type only supports virtio", libvirt.VIR_FROM_DOMAIN)),
    ("<graphics type='spice' autoport='yes'><image/></graphics>",
     (libvirt.VIR_ERR_XML_ERROR, libvirt.VIR_FROM_XML,
      "XML error: Missing required attribute 'compression' in element 'image'")),
    ("<graphics type='spice' autoport='yes'><mouse mode='cat'/></graphics>",
     (libvirt.VIR_ERR_XML_ERROR, libvirt.VIR_FROM_XML,
      "XML error: Invalid value for attribute 'mode' in element 'mouse': 'cat'.")),
])
def test_what_cannot_be(conn, devices, refused):
    with Refusal() as refusal:
        conn.defineXML(domain_xml("blind", devices=devices))
    assert refusal.all == refused


@pytest.mark.vireo_only
@pytest.mark.parametrize("devices, words", [
    ("<graphics type='spice' autoport='yes' passwd='sesame'/>", "attribute 'passwd' of element <graphics>"),
    ("<graphics type='spice' port='5901' tlsPort='5902'/>", "attribute 'tlsPort' of element <graphics>"),
    ("<graphics type='spice' autoport='yes' defaultMode='secure'/>", "defaultMode='secure' of element <graphics>"),
    ("<graphics type='spice' autoport='yes'><gl enable='yes'/></graphics>", "enable='yes' of element <gl>"),
    ("<graphics type='spice' autoport='yes'><channel name='main' mode='any'/></graphics>", "element <channel>"),
    (SPICE + "<redirdev bus='usb' type='spicevmc'/>", "element <redirdev>"),
])
def test_what_is_not_honoured_is_refused_by_name(conn, devices, words):
    with Refusal() as refusal:
        conn.defineXML(domain_xml("blind", devices=devices))
    assert words in refusal.message
    assert "is not supported by Vireo yet; remove it from domain 'blind'" in refusal.message


@pytest.mark.vireo_only
def test_a_port_that_another_guest_has(conn):
    port = port_of(start(conn, "holder", SPICE))
    second = conn.defineXML(domain_xml("second", devices=f"<graphics type='spice' port='{port}'/>"))
    with Refusal() as refusal:
        second.create()
    assert refusal.all == unsupported(
        f"SPICE port {port} is used by guest 'holder'; choose another port or autoport='yes'")
    third = conn.defineXML(domain_xml("third", devices=f"<graphics type='vnc' port='{port}'/>"))
    with Refusal() as refusal:
        third.create()
    assert refusal.message.endswith(f"VNC port {port} is used by guest 'holder'; choose another port or autoport='yes'")
    conn.lookupByName("holder").destroy()
    second.create()
    assert port_of(second) == port


def test_a_port_is_kept_while_no_daemon_runs(own_daemon, conn):
    port = port_of(start(conn, "seer", SPICE))
    own_daemon.kill9()
    assert greeting(port) == b"REDQ"
    own_daemon.restart()
    after = libvirt.open(own_daemon.uri)
    assert port_of(after.lookupByName("seer")) == port
    assert port_of(start(after, "other", SPICE)) != port
    after.close()


# libvirtd learns of the port again a while after it has begun to take calls.
@pytest.mark.vireo_only
def test_a_port_stays_claimed_while_no_daemon_runs(own_daemon, conn):
    port = port_of(start(conn, "seer", SPICE))
    own_daemon.kill9()
    own_daemon.restart()
    after = libvirt.open(own_daemon.uri)
    late = after.defineXML(domain_xml("late", devices=f"<graphics type='spice' port='{port}'/>"))
    with Refusal() as refusal:
        late.create()
    assert refusal.all == unsupported(
        f"SPICE port {port} is used by guest 'seer'; choose another port or autoport='yes'")
    after.close()
