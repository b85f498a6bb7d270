"""The daemon under test: a private vireod, or a private libvirtd that shows how things ought to be.

Both run on folders of their own and share nothing with what runs on the host, so a story may expect a list of guests
to hold its own guests and no others, and may kill the daemon. libvirtd knows no private root, so it gets a mount
namespace in which its folders lie elsewhere, and a pid namespace whose first process reaps what it leaves behind.
"""

import contextlib
import functools
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import time

import emulators
from patience import wait_until

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

# libvirtd waits for each QEMU to vanish from the process table. Bash as first process of the namespace reaps at once.
ORACLE_NAMESPACE = r"""
set -e
mount --make-rprivate /
mount -t proc proc /proc
for folder in /run/libvirt:run /var/lib/libvirt:lib /var/cache/libvirt:cache /var/log/libvirt:log /etc/libvirt:etc; do
    mkdir -p "${folder%:*}" "$1/${folder#*:}"
    mount --bind "$1/${folder#*:}" "${folder%:*}"
done
# Emulation only: a file that nobody may open stands for /dev/kvm.
install -m 000 /dev/null "$1/no-kvm"
[ ! -e /dev/kvm ] || mount --bind "$1/no-kvm" /dev/kvm
printf '%s\n' 'stdio_handler = "file"' 'namespaces = []' > /etc/libvirt/qemu.conf
echo 'auth_unix_rw = "none"' > /etc/libvirt/libvirtd.conf
echo ready
while :; do sleep 1000 & wait -n || true; done
"""


class Daemon:
    """One daemon: start, stop, kill, and where it listens."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.root.mkdir(parents=True, exist_ok=True)
        self.log_path = self.root / "daemon.log"
        self.socket_path = self.root / "run" / "libvirt-sock"
        self.process = None
        self.story_began = 0
        self.environment = {}  # what it is started with beyond our own

    @property
    def uri(self):
        return f"qemu+unix:///system?socket={self.socket_path}"

    def command(self):
        raise NotImplementedError

    def pid(self):
        """The daemon's own process."""
        return self.process.pid

    @property
    def settings_path(self):
        return self.root / "etc/vireod.toml"

    def configure(self, settings):
        """Writes its settings, which it reads at its start or when it is told to. Only Vireo looks there."""
        self.settings_path.parent.mkdir(exist_ok=True)
        self.settings_path.write_text(settings, encoding="ascii")

    @functools.cached_property
    def flawed(self):
        """An emulator that can be told to misbehave."""
        return emulators.Flawed(self)

    def start(self, deadline_s=60):
        assert not self.alive(), "it runs already, and would be lost sight of"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **self.environment})
        self._wait_until_listening(deadline_s)

    def last_socket(self):
        """The one that it opens last."""
        return self.socket_path

    def _wait_until_listening(self, deadline_s):
        """Connects again and again until it succeeds; a daemon that ends meanwhile ends the waiting."""
        deadline = time.monotonic() + deadline_s
        while True:
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    probe.connect(str(self.last_socket()))
                    return
                except OSError as problem:
                    reason = problem
            if self.process.poll() is not None:
                raise AssertionError(f"the daemon ended with {self.process.returncode}:\n{self.log()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"no answer at {self.last_socket()} ({reason}):\n{self.log()}")
            time.sleep(0.02)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill9(self):
        """Ends the daemon as a crash would: nothing can be tidied up. The guests run on."""
        os.kill(self.pid(), signal.SIGKILL)
        self.process.wait()

    def restart(self):
        """Starts the daemon again after its end."""
        self.start()

    def stop(self):
        if self.alive():
            os.kill(self.pid(), signal.SIGTERM)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.kill9()

    def log(self, since=0, lines=60):
        """The last lines of its log, of what came after the mark."""
        return "\n".join(self.log_path.read_bytes()[since:].decode(errors="replace").splitlines()[-lines:])

    def has_said(self, what):
        """Whether it stands in the log. A thread of its own writes that, so it may come after an answer."""
        return what in self.log_path.read_text(encoding="utf-8", errors="replace")

    def says(self, what):
        """Waits for it to stand in the log."""
        wait_until(lambda: self.has_said(what), what=f"'{what}' in the log")

    def log_mark(self):
        return self.log_path.stat().st_size

    def guest_pid(self, uuid):
        """The process of the QEMU that runs the guest with this UUID, or None."""
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if b"-uuid" in words[:-1] and words[words.index(b"-uuid") + 1] == uuid.encode():
                    return int(entry.name)
        return None


class Vireo(Daemon):
    name = "vireo"

    def command(self):
        binary = os.environ.get("VIREOD", str(REPOSITORY / "build/release/bin/vireod"))
        assert os.access(binary, os.X_OK), f"{binary} is not built: tools/build"
        return [binary, "--root", str(self.root), "--foreground"]

    def last_socket(self):
        return self.socket_path.with_name("libvirt-sock-ro")

    def close(self):
        self.stop()


class Libvirtd(Daemon):
    name = "libvirtd"

    def __init__(self, root):
        super().__init__(root)
        assert shutil.which("libvirtd"), "--target libvirtd needs libvirtd: tools/install-deps bench"
        self.log_path = self.root / "log" / "daemon.log"
        self.log_path.parent.mkdir(exist_ok=True)
        self.namespace = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child",
             "bash", "-c", ORACLE_NAMESPACE, "oracle", str(self.root)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = self.namespace.stdout.readline()
        if said != b"ready\n":
            raise AssertionError(f"no namespace for libvirtd: {said!r} {self.namespace.stdout.read()!r}")
        self.first = only_child(self.namespace.pid)

    def command(self):
        return ["nsenter", "--target", str(self.first), "--mount", "--pid",
                "libvirtd", "--pid-file", "/run/libvirt/libvirtd.pid"]

    def pid(self):
        return only_child(self.process.pid)

    def close(self):
        """Ends the namespace's first process, and with it everything inside: the daemon and its guests."""
        os.kill(self.first, signal.SIGKILL)
        self.namespace.wait()
        if self.process:
            self.process.wait()


def only_child(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        return int(children.read().split()[0])


def wait_for_exit(pid, deadline_s=60):
    """Waits for the end of a process that is not a child of ours."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ready, _, _ = select.select([handle], [], [], deadline_s)
        assert ready, f"process {pid} is still there after {deadline_s} s"
    finally:
        os.close(handle)


@contextlib.contextmanager
def stopped(pid):
    """The process hangs, stopped by a signal, as long as the block. It may be gone by then."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def make_guest_files():
    """The small Linux guest, made once and kept in the build folder."""
    folder = REPOSITORY / "build/guest"
    subprocess.run([str(REPOSITORY / "tools/make-guest"), str(folder)], check=True, stdout=subprocess.DEVNULL)
    return folder


@contextlib.contextmanager
def running(target, root, settings=None):
    """A daemon that runs as long as the block."""
    kind = {"vireo": Vireo, "libvirtd": Libvirtd}[target]
    daemon = kind(root)
    try:
        if settings is not None:
            daemon.configure(settings)
        daemon.start()
        yield daemon
    finally:
        daemon.close()
