"""Control groups of guests, as the host shows them."""

import contextlib
import os
import pathlib


def groups_of(daemon):
    """The control groups of the daemon's guests: all folders below one that only this daemon makes."""
    parent = "vireo-" + fnv(str(daemon.root / "run"))
    found = []
    for mount in cgroup_mounts():
        with contextlib.suppress(FileNotFoundError):
            found += [folder for folder in (mount / parent).iterdir() if folder.is_dir()]
    return found


def fnv(text):
    value = 14695981039346656037
    for byte in text.encode():
        value = (value ^ byte) * 1099511628211 % 2**64
    return f"{value >> 16:012x}"


def cgroup_mounts():
    """Hierarchies in which a guest should be and the daemon may make groups: beside version 1, version 2 only where it
    has something for guests."""
    useful = {"cpu", "cpuacct", "memory", "blkio"}
    mounts, unified = [], []
    for line in pathlib.Path("/proc/self/mounts").read_text(encoding="ascii").splitlines():
        _, folder, kind, options, *_ = line.split()
        if kind == "cgroup2":
            unified.append(pathlib.Path(folder))
        elif kind == "cgroup" and useful & set(options.split(",")):
            mounts.append(pathlib.Path(folder))
    for mount in unified:
        if not mounts or {"cpu", "memory", "io"} & set((mount / "cgroup.controllers").read_text().split()):
            mounts.append(mount)
    return [mount for mount in mounts if writable(mount)]


def writable(mount):
    try:
        trial = mount / f"vireo-trial-{os.getpid()}"
        trial.mkdir()
        trial.rmdir()
        return True
    except OSError:
        return False
