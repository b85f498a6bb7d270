"""Whoever listens hears of every turn in a guest's life, once each, in order, with its reason."""

import os
import signal

import libvirt
import pytest

from definitions import domain_xml, new_uuid
from events import Collector, Recorder
from patience import wait_until

PANIC = "<panic model='isa'/>"
# booted() starts a guest paused, opens its console, and resumes it.
BOOTED = ("defined added", "started booted", "suspended paused", "resumed unpaused")


def test_define_and_undefine(conn, recorder):
    uuid = new_uuid()
    domain = conn.defineXML(domain_xml("bell", uuid=uuid))
    conn.defineXML(domain_xml("bell", uuid=uuid, vcpus=2))
    domain.undefine()
    recorder.expect("bell", "defined added", "defined updated", "undefined removed")


def test_start_suspend_resume_destroy(conn, recorder):
    domain = conn.defineXML(domain_xml("bell"))
    recorder.expect("bell", "defined added")
    domain.create()
    recorder.expect("bell", "resumed unpaused", "started booted")
    domain.suspend()
    domain.resume()
    domain.destroy()
    recorder.expect("bell", "suspended paused", "resumed unpaused", "stopped destroyed")


def test_start_paused_and_resume(conn, recorder):
    domain = conn.defineXML(domain_xml("bell"))
    recorder.expect("bell", "defined added")
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    domain.resume()
    recorder.expect("bell", "started booted", "suspended paused", "resumed unpaused")


def test_a_transient_guest(conn, recorder):
    domain = conn.createXML(domain_xml("bell"), libvirt.VIR_DOMAIN_START_PAUSED)
    domain.destroy()
    recorder.expect("bell", "started booted", "suspended paused", "stopped destroyed")


def test_the_guest_turns_itself_off(booted, recorder):
    domain, console = booted("bell")
    recorder.expect("bell", *BOOTED)
    console.shell("poweroff -f")
    recorder.expect("bell", "shutdown guest", "stopped shutdown")
    assert domain.state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN]


def test_the_power_button(booted, recorder):
    domain, _ = booted("bell")
    recorder.expect("bell", *BOOTED)
    domain.shutdown()
    recorder.expect("bell", "shutdown guest", "stopped shutdown")


def test_the_guest_reboots_itself(conn, booted, recorder):
    domain, console = booted("bell")
    recorder.expect("bell", *BOOTED)
    reboots = Collector(conn, libvirt.VIR_DOMAIN_EVENT_ID_REBOOT)
    console.shell("reboot -f")
    console.expect("vireo-guest: hello", 60)
    wait_until(lambda: reboots.heard, what="the event")
    # The firmware may reset once more before it boots.
    assert set(reboots.heard) == {("bell",)}
    assert recorder.of("bell") == []
    assert domain.state() == [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_UNPAUSED]
    reboots.close()


def test_reset_is_a_reboot_too(conn, recorder):
    """The guest is paused: firmware that is reset in the middle of its work resets again by itself."""
    domain = conn.defineXML(domain_xml("bell"))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    recorder.expect("bell", "defined added", "started booted", "suspended paused")
    reboots = Collector(conn, libvirt.VIR_DOMAIN_EVENT_ID_REBOOT)
    domain.reset()
    reboots.expect(("bell",))
    assert domain.state() == [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER]
    assert recorder.of("bell") == []
    reboots.close()


def test_qemu_is_killed(daemon, conn, recorder):
    domain = conn.defineXML(domain_xml("bell"))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    recorder.expect("bell", "defined added", "started booted", "suspended paused")
    os.kill(daemon.guest_pid(domain.UUIDString()), signal.SIGKILL)
    recorder.expect("bell", "stopped failed")
    assert domain.state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED]


def test_events_of_one_guest_only(conn):
    first, second = conn.defineXML(domain_xml("bell")), conn.defineXML(domain_xml("drum"))
    of_first = Recorder(conn, first)
    second.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    first.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    of_first.expect("bell", "started booted", "suspended paused")
    assert of_first.of("drum") == []
    of_first.close()


def test_the_old_form_of_registration(conn):
    """Without a callback id, as clients did before there were any."""
    heard = []
    callback = lambda _conn, domain, event, detail, _opaque: heard.append((domain.name(), event, detail))
    conn.domainEventRegister(callback, None)
    domain = conn.defineXML(domain_xml("bell"))
    domain.undefine()
    wait_until(lambda: len(heard) == 2)
    conn.domainEventDeregister(callback)
    assert heard == [("bell", libvirt.VIR_DOMAIN_EVENT_DEFINED, libvirt.VIR_DOMAIN_EVENT_DEFINED_ADDED),
                     ("bell", libvirt.VIR_DOMAIN_EVENT_UNDEFINED, libvirt.VIR_DOMAIN_EVENT_UNDEFINED_REMOVED)]


def test_no_more_after_deregistration(daemon, conn, recorder):
    other = libvirt.open(daemon.uri)
    leaver = Recorder(other)
    leaver.close()
    conn.defineXML(domain_xml("bell"))
    recorder.expect("bell", "defined added")
    assert leaver.heard == []
    other.close()


def test_events_of_all_kinds_can_be_asked_for(conn):
    """virt-manager and others register for whatever exists."""
    handles = []
    ids = sorted(value for key, value in vars(libvirt).items() if key.startswith("VIR_DOMAIN_EVENT_ID_"))
    assert len(ids) > 20
    for event_id in ids:
        handles.append(conn.domainEventRegisterAny(None, event_id, lambda *_: None, None))
    assert len(set(handles)) == len(ids)
    for handle in handles:
        conn.domainEventDeregisterAny(handle)


def hears_of_updates(terminal, conn, domain):
    """virsh does not say when it has registered, so the guest is defined anew until virsh reports that."""
    def update():
        conn.defineXML(domain.XMLDesc())
        return "event 'lifecycle' for domain 'bell': Defined Updated" in terminal.text
    wait_until(update, what="virsh event's registration")


def test_virsh_event_all_loop(virsh, on_terminal, conn):
    terminal = on_terminal("event", "--all", "--loop", "--timeout", "300")
    domain = conn.defineXML(domain_xml("bell"))
    hears_of_updates(terminal, conn, domain)
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    terminal.expect("event 'lifecycle' for domain 'bell': Started Booted\r\n")
    terminal.expect("event 'lifecycle' for domain 'bell': Suspended Paused\r\n")
    domain.resume()
    terminal.expect("event 'lifecycle' for domain 'bell': Resumed Unpaused\r\n")
    domain.reset()
    terminal.expect("event 'reboot' for domain 'bell'\r\n")
    domain.destroy()
    terminal.expect("event 'lifecycle' for domain 'bell': Stopped Destroyed\r\n")
    domain.undefine()
    terminal.expect("event 'lifecycle' for domain 'bell': Undefined Removed\r\n")
    terminal.send("\x03")
    assert terminal.wait() == 0
    assert "events received: " in terminal.text


@pytest.mark.parametrize("on_crash, expected, state", [
    ("destroy", ["crashed panicked", "stopped crashed"],
     [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED]),
    ("preserve", ["crashed panicked"], [libvirt.VIR_DOMAIN_CRASHED, libvirt.VIR_DOMAIN_CRASHED_PANICKED]),
])
def test_the_guest_panics(booted, recorder, virsh, on_crash, expected, state):
    domain, console = booted("bell", devices=PANIC, extra=f"<on_crash>{on_crash}</on_crash>")
    recorder.expect("bell", *BOOTED)
    console.shell("echo c > /proc/sysrq-trigger")
    recorder.expect("bell", *expected)
    assert domain.state() == state
    if on_crash == "preserve":
        assert virsh("domstate", "bell", "--reason") == "crashed (panicked)"
        assert virsh.rows() == [(str(domain.ID()), "bell", "crashed")]
    else:
        assert virsh("domstate", "bell", "--reason") == "shut off (crashed)"


def test_a_panic_that_restarts_the_guest(booted, recorder, virsh):
    domain, console = booted("bell", devices=PANIC, extra="<on_crash>restart</on_crash>")
    recorder.expect("bell", *BOOTED)
    console.shell("echo c > /proc/sysrq-trigger")
    console.expect("vireo-guest: hello", 60)
    # libvirtd tells of QEMU's pause now before, now after it tells of the panic, or not at all.
    wait_until(lambda: "resumed unpaused" in recorder.of("bell"))
    assert [what for what in recorder.of("bell") if what != "suspended paused"] == [
        "crashed panicked", "resumed unpaused"]
    assert domain.state() == [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_CRASHED]
