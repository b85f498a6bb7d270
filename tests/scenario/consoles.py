"""Talks with a guest over its serial console, through the daemon's stream or through virsh on a pseudo-terminal."""

import codecs
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading

import libvirt

import commands

PROMPT = "vireo-guest# "


class Transcript:
    """What was said so far, and waiting for more."""

    def __init__(self):
        self.text = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")  # a letter may come in two pieces
        self.seen = 0
        self.ended = False
        self.changed = threading.Condition()

    def append(self, data):
        with self.changed:
            self.text += self.decoder.decode(data)
            self.changed.notify_all()

    def end(self):
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def expect(self, pattern, timeout_s=60):
        """Waits until the pattern turns up after what was expected before. Returns the match."""
        found = None

        def look():
            nonlocal found
            found = re.compile(pattern).search(self.text, self.seen)
            return found or self.ended

        with self.changed:
            self.changed.wait_for(look, timeout_s)
            assert found, f"{pattern!r} did not come within {timeout_s} s, but:\n{self.text[-2000:]}"
            self.seen = found.end()
        return found

    def coax(self, text, pattern, times=30):
        """Sends the text, each second anew, until the pattern turns up."""
        for _ in range(times):
            self.send(text)
            with self.changed:
                if self.changed.wait_for(lambda: re.compile(pattern).search(self.text, self.seen), 1):
                    break
        return self.expect(pattern, 0)

    def expect_end(self, timeout_s=60):
        with self.changed:
            assert self.changed.wait_for(lambda: self.ended, timeout_s), "the console stays open"


class Console(Transcript):
    """A guest's console as a stream of the python binding."""

    def __init__(self, connection, domain, device=None, flags=0):
        super().__init__()
        self.stream = connection.newStream(0)
        domain.openConsole(device, self.stream, flags)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        try:
            while data := self.stream.recv(4096):
                self.append(data)
        except libvirt.libvirtError:  # the guest ended, or the stream was aborted
            pass
        self.end()

    def send(self, text):
        self.stream.send(text.encode())

    def shell(self, command):
        """Types a command. Waits for the prompt first: the shell starts after the greeting."""
        self.send("\n")
        self.expect(PROMPT)
        self.send(command + "\n")

    def close(self):
        try:
            self.stream.abort()
        except libvirt.libvirtError:  # already gone with its guest
            pass
        self.reader.join(10)


class Terminal(Transcript):
    """A program on a pseudo-terminal of its own, as a person would run it."""

    def __init__(self, argv):
        super().__init__()
        self.main, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
        self.process = subprocess.Popen(argv, stdin=other, stdout=other, stderr=other, close_fds=True,
                                        start_new_session=True, env=commands.ENVIRONMENT,
                                        # so that Ctrl-C typed there is a signal
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(other)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        try:
            while data := os.read(self.main, 4096):
                self.append(data)
        except OSError:  # the program closed its side
            pass
        self.end()

    def send(self, text):
        os.write(self.main, text.encode())

    def wait(self, timeout_s=60):
        code = self.process.wait(timeout_s)
        self.reader.join(10)
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join(10)
        os.close(self.main)


def boot(connection, domain):
    """Boots a shut-off or paused guest; returns its console once it has said hello.

    The console is opened before the first instruction runs: a serial line remembers nothing for latecomers.
    """
    if not domain.isActive():
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    console = Console(connection, domain)
    domain.resume()
    console.expect(r"vireo-guest: hello from vireo-guest, Linux \S+", 120)
    return console
