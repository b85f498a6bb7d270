"""Fault points of the daemon (src/base/fault.hpp): arming them, and seeing what a host has and what was left on it."""

import pathlib
import sqlite3

import libvirt

from patience import wait_until


def log_of_points(daemon):
    """Has the daemon, started next, record the points that it passes; returns a function that reads them."""
    log = daemon.root / "points"
    log.unlink(missing_ok=True)
    daemon.environment = {"VIREO_FAULT_LOG": str(log)}
    return lambda: log.read_text().split() if log.exists() else []


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


def look(daemon):
    """What of this daemon is on the host, to be compared before and after; waits until cleaning up has come to rest."""
    folder = daemon.root / "run/guests"

    def now():
        return {"processes": sorted(emulators_of(daemon)),
                "folders": sorted(entry.name for entry in folder.iterdir()) if folder.exists() else [],
                **rows_of(daemon)}

    last = []

    def at_rest():
        last.append(now())
        return len(last) >= 3 and last[-1] == last[-2] == last[-3]

    wait_until(at_rest, what="the cleaning up")
    return last[-1]


def whole(daemon, connection):
    """Every emulator is a guest's, and every guest that runs has one; these guests."""
    active = {domain.UUIDString(): domain
              for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)}
    wait_until(lambda: set(emulators_of(daemon)) == set(active), what=f"an emulator for each of {sorted(active)} only")
    return active


def whole_and_clean(daemon, connection):
    """Whatever has happened: nothing is left that belongs to no guest."""
    active = whole(daemon, connection)
    ids = sorted(str(domain.ID()) for domain in active.values())
    seen = look(daemon)
    assert seen["folders"] == ids
    assert sorted(seen["runs"]) == sorted((domain.name(), 0) for domain in active.values())
    persistent = connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT)
    assert seen["definitions"] == sorted(domain.name() for domain in persistent)
