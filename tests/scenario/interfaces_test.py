"""A guest's network card behind a device of the host: made and taken away with the guest, or there before it."""

import contextlib
import os
import re
import subprocess

import libvirt
import pytest

from definitions import domain_xml
from errors_test import Refusal
from patience import wait_until


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def devices():
    return set(os.listdir("/sys/class/net"))


@contextlib.contextmanager
def device(name, *how):
    ip(*how)
    try:
        yield name
    finally:
        ip("link", "del", name)


@pytest.fixture
def bridge():
    name = f"vtb{os.getpid()}"
    with device(name, "link", "add", name, "type", "bridge"):
        yield name


@pytest.fixture
def tap():
    name = f"vtt{os.getpid()}"
    with device(name, "tuntap", "add", "dev", name, "mode", "tap"):
        yield name


def behind_bridge(name):
    return f"<interface type='bridge'><source bridge='{name}'/><model type='virtio'/></interface>"


def target_of(domain):
    return re.search(r"<target dev='(\S+)'/>\s*<model", domain.XMLDesc()).group(1)


def test_a_card_in_a_bridge(conn, virsh, bridge):
    before = devices()
    domain = conn.createXML(domain_xml("bridged", devices=behind_bridge(bridge)))
    target = target_of(domain)
    assert re.fullmatch(r"vnet\d+", target) and devices() - before == {target}
    assert os.path.basename(os.readlink(f"/sys/class/net/{target}/master")) == bridge
    with open(f"/sys/class/net/{target}/address", encoding="ascii") as file:
        assert file.read().strip() == "fe" + re.search(r"mac address='52(\S+)'", domain.XMLDesc()).group(1)
    assert re.search(rf"{target} +bridge +{bridge} +virtio", virsh("domiflist", "bridged"))
    stats = conn.domainListGetStats([domain], libvirt.VIR_DOMAIN_STATS_INTERFACE)[0][1]
    assert stats["net.count"] == 1 and stats["net.0.name"] == target and stats["net.0.tx.bytes"] == 0
    domain.destroy()
    wait_until(lambda: devices() == before, what="the device's end")


def test_the_name_is_as_asked_and_vnet_names_are_given_anew(conn):
    name = f"vtn{os.getpid()}"
    domain = conn.defineXML(domain_xml("named", devices=f"<interface type='ethernet'><target dev='{name}'/></interface>"
                                                        "<interface type='ethernet'><target dev='vnet77'/></interface>"))
    assert f"<target dev='{name}'/>" in domain.XMLDesc() and "vnet77" not in domain.XMLDesc()
    domain.create()
    assert name in devices()
    domain.destroy()


def test_a_device_that_is_there_already_stays_as_it_is(conn, tap):
    with open(f"/sys/class/net/{tap}/address", encoding="ascii") as file:
        address = file.read()
    domain = conn.createXML(domain_xml(
        "ready", devices=f"<interface type='ethernet'><target dev='{tap}' managed='no'/></interface>"))
    assert f"<target dev='{tap}' managed='no'/>" in domain.XMLDesc()
    domain.destroy()
    with open(f"/sys/class/net/{tap}/address", encoding="ascii") as file:
        assert file.read() == address


def test_a_guest_that_has_a_device_already(conn, tap):
    wanted = f"<interface type='ethernet'><target dev='{tap}' managed='no'/></interface>"
    conn.createXML(domain_xml("first", devices=wanted))
    with Refusal() as refusal:
        conn.createXML(domain_xml("second", devices=wanted))
    assert tap in refusal.message and "Device or resource busy" in refusal.message
    assert [d.name() for d in conn.listAllDomains()] == ["first"]


@pytest.mark.vireo_only
def test_who_cannot_have_a_device_is_told_what_to_do(conn, tap, bridge):
    conn.createXML(domain_xml("first", devices=f"<interface type='ethernet'><target dev='{tap}'/></interface>"))
    for taken, told in [(tap, "another guest or program has it"), (bridge, "is no TAP device")]:
        with Refusal() as refusal:
            conn.createXML(domain_xml("second", devices=f"<interface type='ethernet'><target dev='{taken}'/></interface>"))
        assert f"Unable to create tap device {taken}; " in refusal.message and told in refusal.message
        assert "choose another <target dev='...'/>" in refusal.message


def test_what_is_not_there(conn):
    before = devices()
    for wanted, told in [(behind_bridge("nosuchbr"), "nosuchbr"),
                         ("<interface type='ethernet'><target dev='nosuchtap' managed='no'/></interface>",
                          "target managed='no' but specified dev"),
                         ("<interface type='ethernet'><target managed='no'/></interface>",
                          "target dev must be supplied when managed='no'")]:
        with Refusal() as refusal:
            conn.createXML(domain_xml("lost", devices=wanted))
        assert told in refusal.message
    assert devices() == before


def test_a_device_outlives_the_daemon_with_its_guest(own_daemon, bridge):
    conn = libvirt.open(own_daemon.uri)
    target = target_of(conn.createXML(domain_xml("bridged", devices=behind_bridge(bridge))))
    conn.close()
    own_daemon.kill9()
    own_daemon.restart()
    conn = libvirt.open(own_daemon.uri)
    domain = conn.lookupByName("bridged")
    assert target_of(domain) == target and target in devices()
    stats = conn.domainListGetStats([domain], libvirt.VIR_DOMAIN_STATS_INTERFACE)[0][1]
    assert stats["net.0.name"] == target
    domain.destroy()
    wait_until(lambda: target not in devices(), what="the device's end")
    conn.close()
