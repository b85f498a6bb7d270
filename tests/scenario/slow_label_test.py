"""A host that labels files slowly. Guests that start at the same moment wait for their own labels and for nobody
else's, and whoever looks up or lists meanwhile is answered at once."""

import threading
import time

import libvirt
import pytest

import faults
from contention_test import lane_of
from definitions import domain_xml
from patience import meanwhile, wait_until

pytestmark = pytest.mark.vireo_only
GUESTS = 16
LABEL_S = 8.0


def define(conn, count):
    return [conn.defineXML(domain_xml(f"slow-{number}", memory_mib=32)) for number in range(count)]


def start_all(daemon, names):
    """Starts them at the same moment, each on a connection of its own; returns how long that took, and what failed."""
    problems = []
    connections = [libvirt.open(daemon.uri) for _ in names]
    together = threading.Barrier(len(names) + 1)

    def start(connection, name):
        together.wait()
        try:
            connection.lookupByName(name).createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        except libvirt.libvirtError as problem:
            problems.append((name, str(problem)))

    threads = [threading.Thread(target=start, args=pair) for pair in zip(connections, names)]
    for thread in threads:
        thread.start()
    together.wait()
    began = time.monotonic()
    for thread in threads:
        thread.join(120)
    took_s = time.monotonic() - began
    for connection in connections:
        connection.close()
    return took_s, problems


class Reader:
    """Looks guests up and lists them, again and again, and keeps the longest that an answer took."""

    def __init__(self, daemon, name):
        self.connection, self.name = libvirt.open(daemon.uri), name
        self.longest_s, self.answers, self.over = 0.0, 0, False
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.over:
            for ask in (lambda: self.connection.lookupByName(self.name).info(), self.connection.listAllDomains):
                began = time.monotonic()
                ask()
                self.longest_s = max(self.longest_s, time.monotonic() - began)
                self.answers += 1
            time.sleep(0.002)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        self.connection.close()


def storm(daemon, names):
    with Reader(daemon, names[0]) as reader:
        took_s, problems = start_all(daemon, names)
    assert problems == []
    conn = libvirt.open(daemon.uri)
    try:
        assert sorted(domain.name() for domain in conn.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)) == \
            sorted(names)
        for name in names:
            conn.lookupByName(name).destroy()
    finally:
        conn.close()
    return took_s, reader


def with_slow_labels(daemon, seconds):
    daemon.stop()
    faults.arm(daemon, f"security.label=delay:{int(seconds * 1000)}")
    daemon.start()


def test_sixteen_starts_take_one_label_longer(own_daemon):
    conn = libvirt.open(own_daemon.uri)
    names = [domain.name() for domain in define(conn, GUESTS)]
    conn.close()
    storm(own_daemon, names)  # what is read and asked for the first time is so now
    plain_s, _ = storm(own_daemon, names)
    with_slow_labels(own_daemon, LABEL_S)
    slow_s, reader = storm(own_daemon, names)
    print(f"\n{GUESTS} starts: {plain_s:.2f} s; with labels that take {LABEL_S} s: {slow_s:.2f} s; "
          f"longest of {reader.answers} reads meanwhile: {reader.longest_s * 1000:.1f} ms")
    assert slow_s >= LABEL_S, "nothing was delayed"
    # One after the other would be 16 labels more, in the places that admission has 4; another label's time is the
    # machine's.
    assert slow_s - plain_s < 2 * LABEL_S
    assert reader.answers > 20
    assert reader.longest_s < LABEL_S / 2, "a read waited for a label"
    faults.disarm(own_daemon)


def test_a_start_is_given_up_while_it_waits_for_its_label(own_daemon):
    with_slow_labels(own_daemon, LABEL_S)
    conn = libvirt.open(own_daemon.uri)
    domain, = define(conn, 1)
    other = libvirt.open(own_daemon.uri)
    began = time.monotonic()
    starting = meanwhile(other.lookupByName(domain.name()).create)
    wait_until(lambda: lane_of(own_daemon, domain.name())[0], what="the start")
    domain.destroy()
    problem = starting.exception(30)
    assert time.monotonic() - began < 0.9 * LABEL_S, "destroying it waited for the label"
    assert str(problem) == f"operation failed: domain '{domain.name()}' was destroyed while it was being started"
    other.close()
    assert not domain.isActive()
    conn.close()
    faults.disarm(own_daemon)
    own_daemon.stop()
    own_daemon.start()
    conn = libvirt.open(own_daemon.uri)
    domain = conn.lookupByName(domain.name())
    domain.create()
    faults.whole_and_clean(own_daemon, conn)
    conn.close()
