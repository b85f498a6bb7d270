"""Guests that end with the connection that started them, however it ends; and calls that end with it."""

import os
import signal
import subprocess
import sys

import libvirt
import pytest

import emulators
import wire
from definitions import domain_xml, new_uuid
from patience import wait_until

PAUSED_AUTODESTROY = libvirt.VIR_DOMAIN_START_PAUSED | libvirt.VIR_DOMAIN_START_AUTODESTROY

HOLDER = """
import sys, time, libvirt
connection = libvirt.open(sys.argv[1])
domain = connection.createXML(sys.stdin.read(), libvirt.VIR_DOMAIN_START_PAUSED | libvirt.VIR_DOMAIN_START_AUTODESTROY)
print("started", flush=True)
time.sleep(600)
"""


def by_close(client):
    client.call("connect_close")


def by_vanishing(client):
    client.close()


def by_a_frame_that_cannot_be(client):
    client.send(client.frame("connect_get_uri", length=4))
    assert client.ends()


def by_silence(client):
    """It asked to be pinged, and answers nothing."""
    assert client.ends(within_s=60)


WAYS = [by_close, by_vanishing, by_a_frame_that_cannot_be]


def starts(client, xml):
    client.call("domain_create_xml", wire.text(xml) + wire.word(PAUSED_AUTODESTROY))


@pytest.fixture
def client(daemon):
    with wire.Client(daemon.socket_path) as client:
        yield client.greet()


def gone(conn, daemon, uuid):
    wait_until(lambda: daemon.guest_pid(uuid) is None, what="the end of its process")
    wait_until(lambda: not conn.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE), what="the guest's end")


@pytest.mark.parametrize("way", WAYS)
def test_a_transient_guest(daemon, conn, client, way):
    uuid = new_uuid()
    starts(client, domain_xml("mayfly", uuid=uuid))
    assert conn.lookupByName("mayfly").isActive()
    way(client)
    gone(conn, daemon, uuid)
    assert conn.listAllDomains() == []


@pytest.mark.long
def test_a_client_that_answers_no_pings(daemon, conn):
    uuid = new_uuid()
    with wire.Client(daemon.socket_path) as client:
        client.call("auth_list")
        assert client.call("connect_supports_feature", wire.word(10)) == wire.word(1)
        client.call("connect_open", wire.word(1) + wire.text("qemu:///system") + wire.word(0))
        starts(client, domain_xml("mayfly", uuid=uuid))
        by_silence(client)
        gone(conn, daemon, uuid)


def test_a_persistent_guest_stays_defined(daemon, conn, client):
    uuid = new_uuid()
    domain = conn.defineXML(domain_xml("mayfly", uuid=uuid))
    arguments = wire.text("mayfly") + domain.UUID() + wire.word(-1) + wire.word(PAUSED_AUTODESTROY)
    client.call("domain_create_with_flags", arguments)
    assert domain.isActive()
    client.close()
    gone(conn, daemon, uuid)
    assert [other.name() for other in conn.listAllDomains()] == ["mayfly"]
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)


def test_a_client_that_is_killed(daemon, conn):
    uuid = new_uuid()
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, daemon.uri], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    holder.stdin.write(domain_xml("mayfly", uuid=uuid).encode())
    holder.stdin.close()
    assert holder.stdout.readline() == b"started\n"
    assert conn.lookupByName("mayfly").isActive()
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    gone(conn, daemon, uuid)


def test_a_later_life_of_the_guest_is_left_alone(daemon, conn, client):
    domain = conn.defineXML(domain_xml("mayfly"))
    arguments = wire.text("mayfly") + domain.UUID() + wire.word(-1) + wire.word(PAUSED_AUTODESTROY)
    client.call("domain_create_with_flags", arguments)
    domain.destroy()
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    client.close()
    # Whatever its end brings about comes before the answers to another client that ends after it.
    with wire.Client(daemon.socket_path) as other:
        starts(other.greet(), domain_xml("other"))
    wait_until(lambda: len(conn.listAllDomains()) == 1, what="the other guest's end")
    assert domain.isActive()


def test_the_client_vanishes_while_the_guest_starts(daemon, conn, client):
    """Nothing is left of a guest that was to end with its connection."""
    uuid = new_uuid()
    emulator, pipe = emulators.held_back(daemon, f"slow-{uuid[:8]}", uuid)
    client.send(client.frame("domain_create_xml",
                             wire.text(domain_xml("mayfly", uuid=uuid, emulator=emulator))
                             + wire.word(PAUSED_AUTODESTROY)))
    wait_until(lambda: daemon.guest_pid(uuid), what="the emulator's start")
    client.close()
    emulators.let_go(pipe)
    gone(conn, daemon, uuid)
    assert conn.listAllDomains() == []
    conn.createXML(domain_xml("mayfly", uuid=uuid), libvirt.VIR_DOMAIN_START_PAUSED)


@pytest.mark.vireo_only
def test_a_call_that_waits_for_another_ends_with_its_client(daemon, conn, client):
    """It never happens: the guest is not resumed when its start is done."""
    uuid = new_uuid()
    emulator, pipe = emulators.held_back(daemon, f"slow-{uuid[:8]}", uuid)
    domain = conn.defineXML(domain_xml("busy", uuid=uuid, emulator=emulator))
    this = wire.text("busy") + domain.UUID() + wire.word(-1)
    client.send(client.frame("domain_create_with_flags", this + wire.word(libvirt.VIR_DOMAIN_START_PAUSED)))
    wait_until(lambda: daemon.guest_pid(uuid), what="the emulator's start")
    with wire.Client(daemon.socket_path) as waiting:
        waiting.greet()
        waiting.send(waiting.frame("domain_resume", this))
        # Its answer would come after the resume's, did that not wait.
        waiting.call("connect_get_uri")
    emulators.let_go(pipe)
    assert client.answer()
    assert domain.state() == [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER]
    domain.destroy()


def test_the_client_vanishes_while_a_lasting_guest_starts(daemon, conn, client):
    """The start goes on: the guest runs, whole, and can be used."""
    uuid = new_uuid()
    emulator, pipe = emulators.held_back(daemon, f"slow-{uuid[:8]}", uuid)
    client.send(client.frame("domain_create_xml", wire.text(domain_xml("lasting", uuid=uuid, emulator=emulator))
                             + wire.word(libvirt.VIR_DOMAIN_START_PAUSED)))
    wait_until(lambda: daemon.guest_pid(uuid), what="the emulator's start")
    client.close()
    emulators.let_go(pipe)
    wait_until(lambda: [guest.state()[0] for guest in conn.listAllDomains()] == [libvirt.VIR_DOMAIN_PAUSED],
               what="the guest's start")
    domain = conn.lookupByName("lasting")
    domain.resume()
    domain.destroy()
    gone(conn, daemon, uuid)
