"""A disk image that belongs to somebody else: who has it now, and that it is given back."""

import os

STRANGER = (1234, 1235)


def make_foreign_image(folder):
    path = folder / "disk.img"
    path.touch()
    os.truncate(path, 1 << 20)
    os.chown(path, *STRANGER)
    path.chmod(0o600)
    return path


def owner(path):
    return path.stat().st_uid, path.stat().st_gid
