"""A file system that hangs when it is told to, as one on a dead NFS server does: FUSE, served by a process of its own.

    with hanging_fs.mounted(folder) as fs:     fs.folder is where the guests' images go
        fs.hang()                              reads, writes and syncs do not come back from now on
        fs.hang("all")                         nor does anything else: looking a file up, its size
        fs.let_go()                            and all of it goes on

Leaving the block aborts what still waits. Needs root, /dev/fuse and python3-fusepy; available() tells.
"""

import contextlib
import ctypes
import errno
import os
import pathlib
import subprocess
import sys
import time

from patience import wait_until

MNT_DETACH = 2


def available():
    """Whether there can be one here."""
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
        import fusepy  # noqa: F401
    except (OSError, ImportError):
        return False
    return os.geteuid() == 0


class HangingFs:
    """The mounted file system: what is below `folder` lies in a folder beside it, which never hangs."""

    def __init__(self, place):
        self.folder = pathlib.Path(place) / "mounted"
        self.behind = pathlib.Path(place) / "behind"
        self.flag = pathlib.Path(place) / "hang"
        for folder in (self.folder, self.behind):
            folder.mkdir(parents=True)
            folder.chmod(0o755)
        self.server = subprocess.Popen([sys.executable, __file__, self.behind, self.folder, self.flag])
        wait_until(lambda: os.path.ismount(self.folder) or self.server.poll() is not None, what="the mount")
        assert self.server.poll() is None, "the file system could not be mounted"

    def hang(self, what="data"):
        self.flag.write_text(what)

    def let_go(self):
        self.flag.unlink(missing_ok=True)

    def close(self):
        """Ends the server: the kernel then fails what waits, and what comes."""
        self.server.kill()
        self.server.wait()
        ctypes.CDLL(None).umount2(os.fsencode(self.folder), MNT_DETACH)


@contextlib.contextmanager
def mounted(place):
    fs = HangingFs(place)
    try:
        yield fs
    finally:
        fs.close()


def serve(behind, mountpoint, flag):
    """The server's side: hands everything on to the folder behind, and waits while the flag is there."""
    import fusepy as fuse

    class Handed(fuse.Operations):
        data_calls = ("read", "write", "fsync", "flush")

        def __call__(self, call, path, *arguments):
            while self.hangs(call):
                time.sleep(0.02)
            if not hasattr(self, call):
                raise fuse.FuseOSError(errno.ENOSYS)
            return getattr(self, call)(behind + path, *arguments)

        def hangs(self, call):
            try:
                with open(flag, encoding="ascii") as told:
                    return told.read() == "all" or call in self.data_calls
            except FileNotFoundError:
                return False

        def getattr(self, path, _handle=None):
            about = os.lstat(path)
            return {key: getattr(about, key) for key in ("st_atime", "st_ctime", "st_gid", "st_mode", "st_mtime",
                                                         "st_nlink", "st_size", "st_uid", "st_blocks", "st_ino")}

        def readdir(self, path, _handle):
            return [".", "..", *os.listdir(path)]

        def statfs(self, path):
            about = os.statvfs(path)
            return {key: getattr(about, key) for key in dir(about) if key.startswith("f_") and key != "f_fsid"}

        def create(self, path, mode, _info=None):
            return os.open(path, os.O_RDWR | os.O_CREAT, mode)

        def open(self, path, flags):
            return os.open(path, flags & ~os.O_DIRECT)

        def read(self, _path, size, offset, handle):
            return os.pread(handle, size, offset)

        def write(self, _path, data, offset, handle):
            return os.pwrite(handle, data, offset)

        def truncate(self, path, length, _handle=None):
            os.truncate(path, length)

        def flush(self, _path, _handle):
            return 0

        def fsync(self, _path, _only_data, handle):
            os.fsync(handle)

        def release(self, _path, handle):
            os.close(handle)

        def chmod(self, path, mode):
            os.chmod(path, mode)

        def chown(self, path, uid, gid):
            os.chown(path, uid, gid, follow_symlinks=False)

        def mkdir(self, path, mode):
            os.mkdir(path, mode)

        def unlink(self, path):
            os.unlink(path)

        def utimens(self, path, times=None):
            os.utime(path, times)

    fuse.FUSE(Handed(), mountpoint, foreground=True, allow_other=True, default_permissions=True)


if __name__ == "__main__":
    serve(*sys.argv[1:])
