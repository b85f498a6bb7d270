"""The life of a persistent guest, told with virsh: defined, run, paused, reset, rebooted, ended, forgotten."""

import re
import xml.etree.ElementTree as ET

import pytest

from definitions import domain_xml, new_uuid
from patience import wait_until


@pytest.fixture
def uuid():
    return new_uuid()


@pytest.fixture
def guest(virsh, uuid):
    virsh.define(domain_xml("amber", uuid=uuid, vcpus=2))
    return "amber"


def test_define_and_undefine(virsh, uuid):
    path = virsh.file(domain_xml("amber", uuid=uuid))
    assert virsh("define", path) == f"Domain 'amber' defined from {path}"
    assert virsh("list", "--all") == (" Id   Name    State\n"
                                      "------------------------\n"
                                      " -    amber   shut off")
    assert virsh("domuuid", "amber") == uuid
    assert virsh("domname", uuid) == "amber"
    assert virsh("domid", "amber") == "-"
    assert virsh("domstate", "amber") == "shut off"
    assert virsh("domstate", "amber", "--reason") == "shut off (unknown)"
    assert virsh("undefine", "amber") == "Domain 'amber' has been undefined"
    assert virsh("list", "--all") == " Id   Name   State\n--------------------"
    assert virsh.fails("undefine", "amber") == "error: failed to get domain 'amber'"


def test_dominfo_of_a_guest_at_rest(virsh, guest, uuid):
    assert virsh("dominfo", guest) == "\n".join([
        "Id:             -",
        "Name:           amber",
        f"UUID:           {uuid}",
        "OS Type:        hvm",
        "State:          shut off",
        "CPU(s):         2",
        "Max memory:     65536 KiB",
        "Used memory:    65536 KiB",
        "Persistent:     yes",
        "Autostart:      disable",
        "Managed save:   no",
        "Security model: none",
        "Security DOI:   0",
    ])


def test_dominfo_of_a_running_guest(virsh, guest, uuid):
    virsh("start", guest)
    info = virsh("dominfo", guest)
    number = virsh("domid", guest)
    assert re.sub(r"CPU time: +\d+\.\d+s", "CPU time:       0.1s", info) == "\n".join([
        f"Id:             {number}",
        "Name:           amber",
        f"UUID:           {uuid}",
        "OS Type:        hvm",
        "State:          running",
        "CPU(s):         2",
        "CPU time:       0.1s",
        "Max memory:     65536 KiB",
        "Used memory:    65536 KiB",
        "Persistent:     yes",
        "Autostart:      disable",
        "Managed save:   no",
        "Security model: none",
        "Security DOI:   0",
    ])


def test_start_suspend_resume_reset_destroy(virsh, guest, uuid):
    assert virsh("start", guest) == "Domain 'amber' started"
    assert virsh("domstate", guest, "--reason") == "running (booted)"
    number = virsh("domid", guest)
    assert int(number) > 0
    assert virsh.rows() == [(number, "amber", "running")]
    assert virsh("domname", number) == "amber"
    assert virsh("domuuid", number) == uuid

    assert virsh("suspend", guest) == "Domain 'amber' suspended"
    assert virsh("domstate", guest, "--reason") == "paused (user)"
    assert virsh.rows() == [(number, "amber", "paused")]
    assert virsh("suspend", guest) == "Domain 'amber' suspended"

    assert virsh("resume", number) == "Domain '" + number + "' resumed"
    assert virsh("domstate", guest, "--reason") == "running (unpaused)"

    assert virsh("reset", uuid) == f"Domain '{uuid}' was reset"
    assert virsh("domstate", guest, "--reason") == "running (unpaused)"
    assert virsh("domid", guest) == number

    assert virsh("destroy", guest) == "Domain 'amber' destroyed"
    assert virsh("domstate", guest, "--reason") == "shut off (destroyed)"
    assert virsh("domid", guest) == "-"
    assert virsh.rows("--all") == [("-", "amber", "shut off")]


def test_every_start_has_a_new_id(virsh, guest):
    virsh("start", guest, "--paused")
    first = int(virsh("domid", guest))
    virsh("destroy", guest)
    virsh("start", guest, "--paused")
    assert int(virsh("domid", guest)) > first


def test_start_paused(virsh, guest):
    assert virsh("start", guest, "--paused") == "Domain 'amber' started"
    assert virsh("domstate", guest, "--reason") == "paused (user)"
    assert virsh("resume", guest) == "Domain 'amber' resumed"


def test_autostart_on_and_off(virsh, guest):
    assert virsh("autostart", guest) == "Domain 'amber' marked as autostarted"
    assert "Autostart:      enable" in virsh("dominfo", guest)
    assert virsh.names("--all", "--autostart") == ["amber"]
    assert virsh("autostart", guest, "--disable") == "Domain 'amber' unmarked as autostarted"
    assert virsh.names("--all", "--autostart") == []


def test_undefine_of_a_running_guest_makes_it_transient(virsh, guest):
    virsh("start", guest, "--paused")
    assert virsh("undefine", guest) == "Domain 'amber' has been undefined"
    assert "Persistent:     no" in virsh("dominfo", guest)
    assert virsh.names("--transient") == ["amber"]
    virsh("destroy", guest)
    assert virsh.fails("domstate", guest) == "error: failed to get domain 'amber'"


def test_dumpxml_live_and_inactive(virsh, uuid):
    virsh.define(domain_xml("amber", uuid=uuid, devices="<serial type='pty'/>"))
    at_rest = virsh("dumpxml", "amber")
    assert virsh("dumpxml", "amber", "--inactive") == at_rest
    assert ET.fromstring(at_rest).get("id") is None
    virsh("start", "amber", "--paused")
    live = ET.fromstring(virsh("dumpxml", "amber"))
    assert live.get("id") == virsh("domid", "amber")
    assert live.find("devices/serial/source").get("path").startswith("/dev/pts/")
    assert live.find("devices/serial/alias").get("name") == "serial0"
    assert virsh("dumpxml", "amber", "--inactive") == at_rest


def test_a_new_definition_waits_for_the_next_start(virsh, guest, uuid):
    virsh("start", guest, "--paused")
    virsh.define(domain_xml("amber", uuid=uuid, vcpus=1, memory_mib=80))
    live = ET.fromstring(virsh("dumpxml", guest))
    kept = ET.fromstring(virsh("dumpxml", guest, "--inactive"))
    assert (live.findtext("vcpu"), kept.findtext("vcpu")) == ("2", "1")
    assert (live.findtext("memory"), kept.findtext("memory")) == ("65536", "81920")
    virsh("destroy", guest)
    assert ET.fromstring(virsh("dumpxml", guest)).findtext("vcpu") == "1"


def test_reboot_and_shutdown_by_the_guest_itself(virsh, booted):
    domain, console = booted("amber")
    number = domain.ID()
    console.shell("reboot -f")
    console.expect("vireo-guest: hello", 60)
    assert domain.ID() == number
    assert virsh("domstate", "amber", "--reason") == "running (unpaused)"
    console.shell("poweroff -f")
    wait_until(lambda: not domain.isActive())
    assert virsh("domstate", "amber", "--reason") == "shut off (shutdown)"


def test_shutdown_presses_the_power_button(virsh, booted):
    domain, console = booted("amber")
    assert virsh("shutdown", "amber") == "Domain 'amber' is being shutdown"
    console.expect("vireo-guest: power button")
    wait_until(lambda: not domain.isActive())
    assert virsh("domstate", "amber", "--reason") == "shut off (shutdown)"


def test_reboot_by_virsh(virsh, booted):
    domain, console = booted("amber")
    number = domain.ID()
    assert virsh("reboot", "amber") == "Domain 'amber' is being rebooted"
    console.expect("vireo-guest: power button")
    console.expect("vireo-guest: hello", 60)
    assert domain.ID() == number
    assert virsh("domstate", "amber") == "running"
