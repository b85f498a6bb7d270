#!/usr/bin/python3
"""Everything at once, for hours: guests that come and go, readers, bad clients, guests that are killed and stopped, and
a second daemon that is killed again and again. Samples what the first daemon uses and how long its readers wait.

    tests/soak/soak.py --minutes 120 [--out build/soak]

Writes soak.csv and soak.svg to the folder, prints a summary, and fails when something was answered wrongly, when the
daemon's memory, descriptors or threads grew, or when anything is left at the end. VIREOD names another binary.
"""

import argparse
import contextlib
import pathlib
import shutil
import sys
import tempfile
import time

import libvirt

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "scenario")]

import daemons  # noqa: E402
import doings  # noqa: E402
import events  # noqa: E402
import faults  # noqa: E402
import picture  # noqa: E402
import samples  # noqa: E402


@contextlib.contextmanager
def vireo(name):
    """A daemon on a folder of its own that QEMU's user can reach."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"vireo-{name}-"))
    folder.chmod(0o755)
    daemon = daemons.Vireo(folder)
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.close()
        shutil.rmtree(folder, ignore_errors=True)


def end_all(daemon):
    connection = libvirt.open(daemon.uri)
    for domain in connection.listAllDomains():
        with contextlib.suppress(libvirt.libvirtError):
            domain.destroy()
        with contextlib.suppress(libvirt.libvirtError):
            domain.undefine()
    faults.whole_and_clean(daemon, connection)
    left = connection.listAllDomains()
    connection.close()
    return [domain.name() for domain in left]


def run(minutes, out):
    out.mkdir(parents=True, exist_ok=True)
    events.run_event_loop()
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    with vireo("steady") as steady, vireo("killed") as killed:
        crew = doings.Crew(steady, killed)
        rows = []
        ends = time.monotonic() + 60 * minutes
        crew.start()
        with samples.Sampler(steady, crew, out / "soak.csv") as sampler:
            while time.monotonic() < ends and crew.healthy():
                rows.append(sampler.next())
        crew.stop()
        problems = crew.problems()
        problems += [f"left on {daemon.root.name}: {end_all(daemon)}" for daemon in (steady, killed) if end_all(daemon)]
        problems += samples.growth(rows)
        picture.draw(rows, out / "soak.svg")
    print(samples.summary(rows, crew))
    for problem in problems:
        print("soak: PROBLEM:", problem)
    print(f"soak: {'failed' if problems else 'passed'}; {out}/soak.csv, {out}/soak.svg")
    return 1 if problems else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--out", type=pathlib.Path, default=daemons.REPOSITORY / "build/soak")
    arguments = parser.parse_args()
    sys.exit(run(arguments.minutes, arguments.out))
