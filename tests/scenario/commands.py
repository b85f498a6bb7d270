"""Runs virsh and the vireo command and says what they printed; and what the vireo command asks, the HTTP door."""

import http.client
import json
import os
import pathlib
import socket
import subprocess

ENVIRONMENT = dict(os.environ, LIBVIRT_AUTOSTART="0", LC_ALL="C")


class Virsh:
    """virsh on one daemon: calling it gives what it printed; .fails() gives what it complained."""

    def __init__(self, uri, folder):
        self.uri = uri
        self.folder = folder

    def argv(self, *arguments):
        return ["virsh", "-c", self.uri, *map(str, arguments)]

    def run(self, *arguments, timeout_s=60):
        return subprocess.run(self.argv(*arguments), env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout_s, check=False)

    def __call__(self, *arguments, timeout_s=60):
        """Expects success. Returns what was printed, without the empty lines at its end."""
        done = self.run(*arguments, timeout_s=timeout_s)
        assert done.returncode == 0, f"virsh {' '.join(map(str, arguments))}: {done.returncode}\n{done.stderr}"
        assert done.stderr == "", done.stderr
        return done.stdout.rstrip("\n")

    def fails(self, *arguments):
        """Expects exit code 1. Returns what went to stderr, without line ends at its end."""
        done = self.run(*arguments)
        assert done.returncode == 1, f"virsh {' '.join(map(str, arguments))}: {done.returncode}\n{done.stdout}"
        return done.stderr.rstrip("\n")

    def file(self, xml, name="guest.xml"):
        """Writes a definition to a file, for define and create."""
        path = self.folder / name
        path.write_text(xml)
        return path

    def define(self, xml):
        return self("define", self.file(xml))

    def rows(self, *filters):
        """`virsh list` as (id, name, state) for each line."""
        lines = self("list", *filters).splitlines()
        assert lines[0].split() == ["Id", "Name", "State"], lines
        assert set(lines[1]) == {"-"}, lines
        return [tuple(line.split(None, 2)) for line in lines[2:]]

    def names(self, *filters):
        """The names that `virsh list` gives, sorted."""
        return sorted(self("list", "--name", *filters).split())

    def popen(self, *arguments, **options):
        return subprocess.Popen(self.argv(*arguments), env=ENVIRONMENT, **options)


class Vireo:
    """The command, asking one daemon: calling it gives what it printed; .fails() gives what it complained."""

    def __init__(self, daemon):
        self.binary = pathlib.Path(daemon.command()[0]).parent / "vireo"
        self.where = ["--root", str(daemon.root)]

    def argv(self, *arguments, where=None):
        return [str(self.binary), *(self.where if where is None else where), *arguments]

    def run(self, *arguments, where=None, **environment):
        clean = {name: value for name, value in os.environ.items() if name != "VIREO_SOCKET"}
        return subprocess.run(self.argv(*arguments, where=where),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                              env=dict(clean, LC_ALL="C", **environment))

    def __call__(self, *arguments, **options):
        done = self.run(*arguments, **options)
        assert done.returncode == 0 and done.stderr == "", f"{arguments}: {done.returncode}\n{done.stderr}"
        return done.stdout

    def fails(self, *arguments, status=1, **options):
        done = self.run(*arguments, **options)
        assert done.returncode == status, f"{arguments}: {done.returncode}\n{done.stdout}"
        assert done.stdout == ""
        return done.stderr


class Http(http.client.HTTPConnection):
    """Speaks with a daemon's door as any HTTP client would."""

    def __init__(self, daemon, timeout_s=60):
        super().__init__("vireod", timeout=timeout_s)
        self.path = str(daemon.root / "run/http-sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def ask(self, method, target, body=None):
        self.request(method, target, body=body)
        reply = self.getresponse()
        return reply, json.loads(reply.read())
