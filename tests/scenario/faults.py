"""Fault points of the daemon (src/base/fault.hpp): arming them, and seeing what a host has and what was left on it."""

import contextlib
import pathlib
import sqlite3
import time

import libvirt

from cgroups import groups_of
from patience import wait_until


def log_of_points(daemon):
    """Has the daemon, started next, record the points that it passes; returns a function that reads them."""
    log = daemon.root / "points"
    log.unlink(missing_ok=True)
    daemon.environment = {"VIREO_FAULT_LOG": str(log)}
    return lambda: log.read_text().split() if log.exists() else []


def at_rest(points):
    """The points so far, once no more have come for a second: some come after the answers that they belong to."""
    last = points()
    while True:
        time.sleep(1.0)
        if points() == last:
            return last
        last = points()


def arm(daemon, what):
    """Arms the daemon that is started next: "#3=kill", "store.commit:2=fail"."""
    daemon.environment = {"VIREO_FAULT": what}


def disarm(daemon):
    daemon.environment = {}


def emulators_of(daemon):
    """UUID to pid of all QEMU processes that this daemon or an earlier one on its root has started."""
    found = {}
    marker = f"{daemon.root}/run/guests/".encode()
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            environment = (entry / "environ").read_bytes()
            zombie = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            continue
        words = command.split(b"\0")
        if not zombie and b"-uuid" in words and marker in environment:
            found[words[words.index(b"-uuid") + 1].decode()] = int(entry.name)
    return found


def rows_of(daemon):
    """What the database holds."""
    with sqlite3.connect(f"file:{daemon.root}/lib/vireo.db?mode=ro", uri=True) as database:
        runs = database.execute("SELECT name, pid IS NULL FROM runs ORDER BY id").fetchall()
        definitions = database.execute("SELECT name FROM definitions ORDER BY name").fetchall()
    return {"runs": runs, "definitions": [name for name, in definitions]}


def boots_of(daemon):
    """What the database holds of the starts of guests that run: id, and how long they took until they were how far."""
    with sqlite3.connect(f"file:{daemon.root}/lib/vireo.db?mode=ro", uri=True) as database:
        return database.execute("SELECT id, process_us, running_us, up_us FROM boots ORDER BY id").fetchall()


def now(daemon):
    """What of this daemon is on the host."""
    folder = daemon.root / "run/guests"
    return {"processes": sorted(emulators_of(daemon)),
            "folders": sorted(entry.name for entry in folder.iterdir()) if folder.exists() else [],
            "groups": sorted({group.name for group in groups_of(daemon)}),
            **rows_of(daemon)}


def look(daemon):
    """The same once cleaning up has come to rest, to be compared before and after."""
    last = []

    def at_rest():
        last.append(now(daemon))
        return len(last) >= 3 and last[-1] == last[-2] == last[-3]

    wait_until(at_rest, what="the cleaning up")
    return last[-1]


def is_as_before(daemon, before):
    """Nothing was left. Some of the clearing away goes on when the answer has been given."""
    with contextlib.suppress(AssertionError):
        wait_until(lambda: now(daemon) == before)
    assert now(daemon) == before


def whole(daemon, connection):
    """Every emulator is a guest's, and every guest that runs has one. A guest may be ending just now."""
    def fits():
        active = connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)
        return set(emulators_of(daemon)) == {domain.UUIDString() for domain in active}

    wait_until(fits, what="an emulator for each guest that runs, and no other")


def ought(connection):
    """What is on the host of a daemon that has these guests, and whose clearing away has come to its end."""
    active = sorted((domain.ID(), domain.name(), domain.UUIDString())
                    for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE))
    persistent = connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT)
    return {"processes": sorted(uuid for _, _, uuid in active), "folders": sorted(str(number) for number, _, _ in active),
            "runs": [(name, 0) for _, name, _ in active], "definitions": sorted(domain.name() for domain in persistent)}


def whole_and_clean(daemon, connection):
    """Whatever has happened: nothing is left that belongs to no guest. What is on the host then."""
    seen, expected = {}, {}

    def clean():
        nonlocal seen, expected
        expected, seen = ought(connection), now(daemon)
        expected["groups"] = [group for group in seen["groups"]  # a host may have none
                              if group.removeprefix("guest-") in expected["folders"]]
        return seen == expected

    with contextlib.suppress(AssertionError):
        wait_until(clean)
    assert seen == expected
    return seen
