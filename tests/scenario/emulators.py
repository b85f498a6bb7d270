"""Emulators that misbehave: scripts that end up as QEMU, or do not."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import sys

from patience import wait_until

QEMU = "/usr/bin/qemu-system-x86_64"


def script(daemon, name, body, uuid):
    """An emulator that runs `body` first when it is started for the guest with this UUID, else is QEMU as it is.

    Questions about capabilities come without a guest and get QEMU's answers.
    """
    path = daemon.root / name
    path.write_text(f'#!/bin/bash\ncase "$*" in *{uuid}*)\n{body}\n;; esac\nexec {QEMU} "$@"\n')
    path.chmod(0o755)
    return path


def held_back(daemon, name, uuid):
    """An emulator that waits until somebody opens the pipe for writing. Returns it and the pipe."""
    pipe = daemon.root / f"{name}.pipe"
    os.mkfifo(pipe, 0o644)
    pipe.chmod(0o666)
    return script(daemon, name, f"read -r _ < {pipe}", uuid), pipe


def let_go(pipe):
    opened = []

    def somebody_waits():
        """Opening it as usual would wait for ever for an emulator that has ended."""
        with contextlib.suppress(OSError):
            opened.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        return opened

    wait_until(somebody_waits, what="an emulator that waits at the gate")
    os.write(opened[0], b"go\n")
    os.close(opened[0])


class Flawed:
    """An emulator that is QEMU, but for guests that have been given a flaw: for those it is fake_qemu.py."""

    def __init__(self, daemon):
        self.folder = daemon.root / "flaws"
        self.folder.mkdir()
        fake = self.folder / "fake_qemu.py"
        shutil.copy(pathlib.Path(__file__).with_name("fake_qemu.py"), fake)
        fake.chmod(0o644)
        self.path = self.folder / "emulator"
        self.path.write_text('#!/bin/bash\nfor word; do\n'
                             f'  [ -e "{self.folder}/$word.plan" ] && exec {sys.executable} -I {fake} '
                             f'"{self.folder}/$word.plan" "$@"\ndone\nexec {QEMU} "$@"\n')
        self.path.chmod(0o755)

    def give(self, uuid, *plans):
        """The guest with this UUID starts with the fake from now on; plans as in fake_qemu.py."""
        plan = self.folder / f"{uuid}.plan"
        plan.write_text(json.dumps(plans))
        plan.chmod(0o644)
        heard = self._heard(uuid)
        heard.touch()
        heard.chmod(0o666)

    def _heard(self, uuid):
        return self.folder / f"{uuid}.plan.heard"

    def ask(self, uuid, pid):
        """Has the fake, which is that process, do what its plan has under "asked". When this returns it has begun to, and
        hears no command until it has done so; a signal alone may come after commands that were sent later."""
        before = self._heard(uuid).read_text()
        os.kill(pid, signal.SIGUSR1)
        wait_until(lambda: self._heard(uuid).read_text() != before, what="the fake's attention")

    def take_away(self, uuid):
        (self.folder / f"{uuid}.plan").unlink()
