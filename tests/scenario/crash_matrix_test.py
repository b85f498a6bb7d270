"""The crash matrix: the daemon is killed at every fault point along a story, each in a run of its own, and started
again. What was acknowledged is there; what was under way has happened whole or not at all; guests that ran run on,
untouched and taken over; nothing is left that belongs to nobody; and every guest can be started.

In the long run every point of every story is tried each time it is passed; otherwise each name's first and last time.
"""

import contextlib
import os
import signal

import libvirt
import pytest

import daemons
import faults
from conftest import short_folder
from definitions import domain_xml, new_uuid
from patience import wait_until

pytestmark = pytest.mark.vireo_only

PAUSED = libvirt.VIR_DOMAIN_START_PAUSED


@contextlib.contextmanager
def vireo(folder):
    """A daemon that is not started yet; whatever runs on its root ends with the block."""
    daemon = daemons.Vireo(folder)
    try:
        yield daemon
    finally:
        faults.disarm(daemon)
        if daemon.process and not daemon.alive():
            daemon.restart()
        end_all(daemon)
        daemon.close()


class Book:
    """What clients were told: the state that each guest was last acknowledged to be in, and the call under way."""

    def __init__(self, connection):
        self.connection = connection
        self.told = {}  # UUID to (persistent, pid or None, state)
        self.under_way = None

    def call(self, daemon, uuid, verb):
        """One call, and how the guest is after it."""
        self.under_way = uuid
        verb()
        self.note(daemon, uuid)
        self.under_way = None

    def note(self, daemon, uuid):
        """Notes how the guest is now, as the answers just given have it."""
        try:
            domain = self.connection.lookupByUUIDString(uuid)
        except libvirt.libvirtError as problem:
            if problem.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise
            self.told.pop(uuid, None)
            return
        self.told[uuid] = (domain.isPersistent(), daemon.guest_pid(uuid) if domain.isActive() else None,
                           domain.state()[0])


def tell_lives(book, daemon):
    """Definitions and lives of three guests, every verb that changes something durable or outside."""
    conn = book.connection
    uuid, other, mayfly = new_uuid(), new_uuid(), new_uuid()
    steps = [
        (uuid, lambda: conn.defineXML(domain_xml("web", uuid=uuid))),
        (uuid, lambda: conn.lookupByName("web").setAutostart(1)),
        (uuid, lambda: conn.lookupByName("web").setAutostart(0)),
        (uuid, lambda: conn.lookupByName("web").createWithFlags(PAUSED)),
        (mayfly, lambda: conn.createXML(domain_xml("mayfly", uuid=mayfly), PAUSED)),
        (uuid, lambda: conn.lookupByName("web").resume()),
        (uuid, lambda: conn.lookupByName("web").suspend()),
        (uuid, lambda: conn.defineXML(domain_xml("web", uuid=uuid, vcpus=2))),
        (other, lambda: conn.defineXML(domain_xml("other", uuid=other))),
        (other, lambda: conn.lookupByName("other").rename("another")),
        (mayfly, lambda: conn.lookupByName("mayfly").destroy()),
        (uuid, lambda: conn.lookupByName("web").destroy()),
        (other, lambda: conn.lookupByName("another").undefine()),
        (uuid, lambda: conn.lookupByName("web").createWithFlags(PAUSED)),
    ]
    for guest, step in steps:
        book.call(daemon, guest, step)


def check(daemon, book):
    """After the restart: everything that was told is true."""
    connection = libvirt.open(daemon.uri)
    try:
        now = Book(connection)
        for uuid in {*book.told, *([book.under_way] if book.under_way else [])}:
            now.note(daemon, uuid)
        for uuid, told in book.told.items():
            if uuid == book.under_way:
                # Half of what was under way is nothing: a guest that runs has the process that was told, or a new one.
                continue
            assert now.told.get(uuid) == told, f"{uuid}: {now.told.get(uuid)}, and clients were told {told}"
        faults.whole_and_clean(daemon, connection)
        for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_INACTIVE):
            domain.createWithFlags(PAUSED)
        for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
            domain.destroy()
        faults.whole_and_clean(daemon, connection)
    finally:
        connection.close()


def tell_until_killed(daemon):
    """Tells the story to a daemon that may be killed while it listens; the book of what it has answered. Some points are
    passed after the answer that belongs to them: all may have been answered, and the daemon be gone nevertheless."""
    connection = libvirt.open(daemon.uri)
    book = Book(connection)
    try:
        tell_lives(book, daemon)
    except libvirt.libvirtError:
        wait_until(lambda: not daemon.alive(), what="an answer, and it was an error: the daemon's end")
    finally:
        connection.close()
    return book


def points_of_the_story(folder):
    """The points that the story passes, each with its number among all that the daemon passes."""
    with vireo(folder) as daemon:
        points = faults.log_of_points(daemon)
        daemon.start()
        at_start = len(faults.at_rest(points))
        book = tell_until_killed(daemon)
        assert book.under_way is None and daemon.alive()
        return list(enumerate(faults.at_rest(points), start=1))[at_start:]


def end_all(daemon):
    connection = libvirt.open(daemon.uri)
    for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
        domain.destroy()
    connection.close()


def first_and_last(numbered):
    """For each name the first and the last number."""
    first, last = {}, {}
    for number, name in numbered:
        first.setdefault(name, number)
        last[name] = number
    return sorted({*first.values(), *last.values()})


def killed_at(number, folder):
    with vireo(folder) as daemon:
        faults.arm(daemon, f"#{number}=kill")
        daemon.start()
        book = tell_until_killed(daemon)
        if daemon.alive():  # the order of what goes on side by side differs from time to time
            daemon.kill9()
        faults.disarm(daemon)
        daemon.restart()
        check(daemon, book)


def leave_behind(daemon):
    """A daemon dies and leaves all that one can: definitions, guests that run, one that ends without it, a start that it
    did not finish."""
    faults.arm(daemon, "store.save_process:5=kill")  # the first is the test driver's own guest
    daemon.start()
    connection = libvirt.open(daemon.uri)
    book = Book(connection)
    runner, mayfly, ended, unfinished = (new_uuid() for _ in range(4))
    book.call(daemon, runner, lambda: connection.defineXML(domain_xml("runner", uuid=runner)).create())
    book.call(daemon, mayfly, lambda: connection.createXML(domain_xml("mayfly", uuid=mayfly), PAUSED))
    book.call(daemon, ended, lambda: connection.createXML(domain_xml("ended", uuid=ended), PAUSED))
    connection.defineXML(domain_xml("unfinished", uuid=unfinished))
    with pytest.raises(libvirt.libvirtError):
        book.call(daemon, unfinished, lambda: connection.lookupByName("unfinished").create())
    connection.close()
    wait_until(lambda: not daemon.alive(), what="the daemon's end")
    pid = faults.emulators_of(daemon)[ended]
    os.kill(pid, signal.SIGKILL)
    daemons.wait_for_exit(pid)
    del book.told[ended]
    return book


def points_of_taking_over(folder):
    with vireo(folder) as daemon:
        leave_behind(daemon)
        points = faults.log_of_points(daemon)
        daemon.start()
        return list(enumerate(faults.at_rest(points), start=1))


def killed_while_taking_over_at(number, folder):
    with vireo(folder) as daemon:
        book = leave_behind(daemon)
        faults.arm(daemon, f"#{number}=kill")
        with contextlib.suppress(AssertionError):  # it may end before it listens
            daemon.start()
            wait_until(lambda: not daemon.alive(), timeout_s=2)  # or the point is not passed this time
        if daemon.alive():
            daemon.kill9()
        faults.disarm(daemon)
        daemon.restart()
        check(daemon, book)


def try_all(points, killed, folder, every):
    """Kills at every point, or at each name's first and last."""
    numbers = [number for number, _ in points] if every else first_and_last(points)
    names = dict(points)
    assert len(numbers) > 5, f"the story passes {names} only"
    print(f"killed at {len(numbers)} of {len(points)} points: {sorted(set(names.values()))}")
    for number in numbers:
        try:
            killed(number, folder())
        except AssertionError as problem:
            raise AssertionError(f"killed at point {number}, {names[number]}: {problem}") from problem


@pytest.fixture
def folder(tmp_path_factory):
    return lambda: short_folder(tmp_path_factory)


EACH = pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.long)],
                               ids=["first-and-last", "every-point"])


@EACH
def test_killed_along_the_lives_of_guests(folder, every):
    try_all(points_of_the_story(folder()), killed_at, folder, every)


@EACH
def test_killed_while_it_takes_guests_over(folder, every):
    try_all(points_of_taking_over(folder()), killed_while_taking_over_at, folder, every)
