"""What a guest says on its serial console reaches whoever looks, and what is typed there reaches the guest."""

import re
import xml.etree.ElementTree as ET

import libvirt
import pytest

from consoles import Console
from definitions import domain_xml, linux_xml, SERIAL

VNC = "<graphics type='vnc' autoport='yes'/><video><model type='vga'/></video>"


def test_hello_through_virsh_start_console(virsh, on_terminal, guest_files):
    virsh.define(linux_xml("talker", guest_files))
    terminal = on_terminal("start", "talker", "--console")
    terminal.expect("Domain 'talker' started")
    terminal.expect("Connected to domain 'talker'")
    terminal.expect(r"Escape character is \^\] \(Ctrl \+ \]\)")
    terminal.expect(r"vireo-guest# ", 60)
    terminal.send("echo sum is $((40+2))\n")
    terminal.expect("sum is 42")
    terminal.send("\x1d")
    assert terminal.wait() == 0
    assert virsh("domstate", "talker") == "running"


def test_virsh_console_ends_with_its_guest(booted, on_terminal):
    _, console = booted("talker")
    console.close()
    terminal = on_terminal("console", "talker")
    terminal.expect("Connected to domain 'talker'")
    # virsh throws away what was typed before it has set the terminal up.
    terminal.coax("\n", "vireo-guest# ")
    terminal.send("poweroff -f\n")
    assert terminal.wait() == 0


def test_a_shell_through_a_stream(booted):
    _, console = booted("talker")
    console.shell("echo $((6*7)) > /answer; cat /answer")
    console.expect("\n42\r\n")


def test_a_second_console_is_refused_unless_forced(conn, virsh):
    domain = conn.defineXML(domain_xml("talker", devices=SERIAL))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    first = Console(conn, domain, flags=libvirt.VIR_DOMAIN_CONSOLE_SAFE)
    with pytest.raises(libvirt.libvirtError) as problem:
        domain.openConsole(None, conn.newStream(0), 0)
    assert problem.value.get_error_code() == libvirt.VIR_ERR_OPERATION_FAILED
    assert problem.value.get_error_message() == "operation failed: Active console session exists for this domain"
    second = Console(conn, domain, flags=libvirt.VIR_DOMAIN_CONSOLE_FORCE)
    first.expect_end()
    second.close()
    first.close()


def test_a_console_by_the_alias_of_its_device(conn):
    domain = conn.defineXML(domain_xml("talker", devices=SERIAL))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    Console(conn, domain, device="serial0").close()
    with pytest.raises(libvirt.libvirtError) as problem:
        domain.openConsole("nosuch0", conn.newStream(0), 0)
    assert problem.value.get_error_code() == libvirt.VIR_ERR_INTERNAL_ERROR
    assert problem.value.get_error_message() == "internal error: cannot find character device nosuch0"


def test_a_guest_without_console(conn, virsh):
    domain = conn.defineXML(domain_xml("mute"))
    with pytest.raises(libvirt.libvirtError) as problem:
        domain.openConsole(None, conn.newStream(0), 0)
    assert problem.value.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID
    assert problem.value.get_error_message() == "Requested operation is not valid: domain is not running"
    assert virsh.fails("console", "mute") == "error: The domain is not running"
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    with pytest.raises(libvirt.libvirtError) as problem:
        domain.openConsole(None, conn.newStream(0), 0)
    assert problem.value.get_error_code() == libvirt.VIR_ERR_INTERNAL_ERROR
    assert problem.value.get_error_message() == "internal error: cannot find character device <null>"
    assert virsh.fails("ttyconsole", "mute") == ""


def test_ttyconsole_names_the_pseudo_terminal(virsh):
    virsh.define(domain_xml("talker", devices=SERIAL))
    assert virsh.fails("ttyconsole", "talker") == ""
    virsh("start", "talker", "--paused")
    path = virsh("ttyconsole", "talker")
    assert re.fullmatch(r"/dev/pts/\d+", path)
    live = ET.fromstring(virsh("dumpxml", "talker"))
    assert live.find("devices/console").get("tty") == path
    assert live.find("devices/console/source").get("path") == path


def test_vncdisplay_names_the_display(virsh):
    virsh.define(domain_xml("seer", devices=VNC))
    assert virsh.fails("vncdisplay", "seer") == "error: Domain is not running"
    virsh("start", "seer", "--paused")
    display = virsh("vncdisplay", "seer")
    assert re.fullmatch(r"127\.0\.0\.1:\d+", display)
    graphics = ET.fromstring(virsh("dumpxml", "seer")).find("devices/graphics")
    assert int(graphics.get("port")) == 5900 + int(display.split(":")[1])
    assert ET.fromstring(virsh("dumpxml", "seer", "--inactive")).find("devices/graphics").get("port") == "-1"


def test_two_displays_never_share_a_port(virsh):
    for name in ("seer-a", "seer-b"):
        virsh.define(domain_xml(name, devices=VNC))
        virsh("start", name, "--paused")
    assert virsh("vncdisplay", "seer-a") != virsh("vncdisplay", "seer-b")


def test_vncdisplay_of_a_guest_without_graphics(virsh):
    virsh.define(domain_xml("mute"))
    virsh("start", "mute", "--paused")
    assert virsh.fails("vncdisplay", "mute") == "error: Failed to get VNC port. Is this domain using VNC?"
