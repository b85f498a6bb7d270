"""Emulators that misbehave: scripts that end up as QEMU, or do not."""

import os

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
    with open(pipe, "w", encoding="ascii") as gate:
        gate.write("go\n")
