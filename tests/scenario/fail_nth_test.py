"""Fail the Nth, with real QEMU: each fault point that a start, a create, a destroy or the taking over of guests passes
fails once, in a run of its own. The call then says so or has worked; the host looks as before, or as after; and the
next try works.

The same for all verbs, on simulated guests: tests/core/fail_nth_test.cpp.
"""

import os
import signal

import libvirt
import pytest

import faults
from conftest import short_folder
from crash_matrix_test import vireo
from daemons import wait_for_exit
from definitions import SERIAL, domain_xml, new_uuid

pytestmark = pytest.mark.vireo_only

PAUSED = libvirt.VIR_DOMAIN_START_PAUSED


def devices(folder):
    """A disk and a display, so that an image and a port are claimed, and a channel, which QEMU makes a socket for."""
    (folder / "disk.img").write_bytes(bytes(1 << 20))
    return (SERIAL + f"<disk type='file'><source file='{folder}/disk.img'/><target dev='vda' bus='virtio'/></disk>"
            "<graphics type='vnc' autoport='yes'/>"
            "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>")


class Start:
    def prepare(self, conn, folder):
        self.uuid = new_uuid()
        return conn.defineXML(domain_xml("web", uuid=self.uuid, devices=devices(folder)))

    def act(self, conn):
        conn.lookupByUUIDString(self.uuid).create()

    def undo(self, conn):
        conn.lookupByUUIDString(self.uuid).destroy()


class Create(Start):
    def prepare(self, conn, folder):
        self.uuid = new_uuid()
        self.xml = domain_xml("web", uuid=self.uuid, devices=devices(folder))

    def act(self, conn):
        conn.createXML(self.xml, PAUSED)


class Destroy(Start):
    def prepare(self, conn, folder):
        super().prepare(conn, folder).create()

    def act(self, conn):
        conn.lookupByUUIDString(self.uuid).destroy()

    def undo(self, conn):
        conn.lookupByUUIDString(self.uuid).create()


def points_of(story, folder):
    """Numbers and names of the points that the story's act passes."""
    with vireo(folder) as daemon:
        points = faults.log_of_points(daemon)
        daemon.start()
        conn = libvirt.open(daemon.uri)
        story.prepare(conn, folder)
        before = len(faults.at_rest(points))
        story.act(conn)
        faults.at_rest(points)
        conn.close()
        return list(enumerate(points(), start=1))[before:]


def fail_at(number, story, folder):
    with vireo(folder) as daemon:
        faults.arm(daemon, f"#{number}=fail")
        daemon.start()
        conn = libvirt.open(daemon.uri)
        try:
            story.prepare(conn, folder)
        except libvirt.libvirtError as problem:
            assert "injected fault" in str(problem)
            return  # the order of what goes on side by side differs from time to time
        before = faults.whole_and_clean(daemon, conn)
        try:
            story.act(conn)
        except libvirt.libvirtError as problem:
            assert "injected fault" in str(problem), f"says what has failed: {problem}"
            faults.is_as_before(daemon, before)
            story.act(conn)
        faults.whole(daemon, conn)
        conn.close()
        # What could not be cleared away is left to the next daemon.
        daemon.stop()
        faults.disarm(daemon)
        daemon.start()
        conn = libvirt.open(daemon.uri)
        faults.whole_and_clean(daemon, conn)
        story.undo(conn)
        faults.whole_and_clean(daemon, conn)
        conn.close()


@pytest.mark.parametrize("story", [Start, Create, Destroy])
def test_the_nth_fails(tmp_path_factory, story):
    points = points_of(story(), short_folder(tmp_path_factory))
    print(f"{len(points)} points: {[name for _, name in points]}")
    assert len(points) > 3
    for number, name in points:
        try:
            fail_at(number, story(), short_folder(tmp_path_factory))
        except AssertionError as problem:
            raise AssertionError(f"point {number}, {name}, failed: {problem}") from problem


def restarted_with(what, folder):
    """A daemon leaves a guest that runs and one that ends without it; the next begins with a fault point that fails."""
    with vireo(folder) as daemon:
        daemon.start()
        conn = libvirt.open(daemon.uri)
        kept = conn.createXML(domain_xml("kept", devices=devices(folder)), PAUSED)
        ended = conn.createXML(domain_xml("ended"), PAUSED)
        uuid, number, pid = kept.UUIDString(), kept.ID(), daemon.guest_pid(kept.UUIDString())
        victim = daemon.guest_pid(ended.UUIDString())
        conn.close()
        daemon.stop()
        os.kill(victim, signal.SIGKILL)
        wait_for_exit(victim)

        points = what(daemon)
        try:
            daemon.start()
        except AssertionError as ending:  # it may refuse to start, and then says why
            assert "injected fault" in str(ending)
        else:
            conn = libvirt.open(daemon.uri)
            assert conn.lookupByUUIDString(uuid).ID() == number
            faults.look(daemon)
            conn.close()
            passed = faults.at_rest(points) if points else []
            daemon.stop()
        faults.disarm(daemon)
        daemon.start()
        conn = libvirt.open(daemon.uri)
        survivor = conn.lookupByUUIDString(uuid)
        assert (survivor.ID(), daemon.guest_pid(uuid), survivor.state()[0]) == (number, pid, libvirt.VIR_DOMAIN_PAUSED)
        faults.whole_and_clean(daemon, conn)
        survivor.destroy()
        faults.whole_and_clean(daemon, conn)
        conn.close()
        return passed if points else []


def test_the_nth_of_taking_over_fails(tmp_path_factory):
    points = restarted_with(faults.log_of_points, short_folder(tmp_path_factory))
    print(f"{len(points)} points: {points}")
    assert len(points) > 3
    for number, name in enumerate(points, start=1):
        try:
            restarted_with(lambda daemon, n=number: faults.arm(daemon, f"#{n}=fail"), short_folder(tmp_path_factory))
        except AssertionError as problem:
            raise AssertionError(f"point {number}, {name}, failed: {problem}") from problem
