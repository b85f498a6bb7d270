"""`vireo top` on a terminal, as a person sees it: a pseudo-terminal whose picture pyte draws."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import pyte
import pytest

from commands import Vireo
from daemons import stopped
from definitions import domain_xml
from patience import wait_until

pytestmark = pytest.mark.vireo_only

# Of a terminal whose every sequence pyte knows.
DOWN, HOME, F6, F10 = "\x1bOB", "\x1b[1~", "\x1b[17~", "\x1b[21~"


class Top:
    """A running `vireo top`, and what its terminal shows."""

    def __init__(self, daemon, *arguments, columns=100, lines=24):
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.main, self.other = pty.openpty()
        fcntl.ioctl(self.other, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.settings = termios.tcgetattr(self.other)
        self.process = subprocess.Popen(
            Vireo(daemon).argv("top", "-d", "0.3", *arguments), stdin=self.other, stdout=self.other,
            stderr=self.other, start_new_session=True, env={**os.environ, "TERM": "screen-256color", "LC_ALL": "C.UTF-8"},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def look(self):
        while select.select([self.main], [], [], 0)[0]:
            data = os.read(self.main, 65536)
            self.raw += data
            self.stream.feed(data)
        return "\n".join(line.rstrip() for line in self.screen.display)

    def expect(self, condition, what):
        try:
            wait_until(lambda: condition(self.look()), what=what)
        except AssertionError as problem:
            raise AssertionError(f"{problem}; the screen:\n{self.look()}") from None

    def shows(self, *texts):
        self.expect(lambda picture: all(text in picture for text in texts), f"showing {texts}")

    def order(self, *names):
        """Waits until the guests stand in this order."""
        self.expect(lambda picture: guests_in(picture) == list(names), f"the order {names}")

    def press(self, keys):
        os.write(self.main, keys.encode())

    def resize(self, columns, lines):
        self.screen.resize(lines, columns)
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def selected(self):
        """The row in another background."""
        self.look()
        for number in range(4, self.screen.lines - 1):
            if self.screen.buffer[number][0].bg == "cyan":
                return self.screen.display[number].split()[0]
        return None

    def ended(self, code):
        """Waits for its end, which leaves the terminal as it was."""
        wait_until(lambda: self.look() is not None and self.process.poll() is not None, what="its end")
        self.look()
        assert self.process.returncode == code
        assert termios.tcgetattr(self.other)[:4] == self.settings[:4]
        # The screen that was there before, and its cursor.
        assert b"\x1b[?1049l" in self.raw and self.raw.rindex(b"\x1b[?1049l") > self.raw.rindex(b"\x1b[?1049h")
        assert self.raw.rindex(b"\x1b[?25h") > self.raw.rindex(b"\x1b[?25l")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.main)
        os.close(self.other)


def guests_in(picture):
    return [line.split()[0] for line in picture.splitlines()[4:-1] if line.strip()]


@pytest.fixture
def top(daemon):
    running = []

    def run(*arguments, **size):
        running.append(Top(daemon, *arguments, **size))
        return running[-1]

    yield run
    for each in running:
        each.close()


@pytest.fixture
def three(conn):
    guests = {name: conn.defineXML(domain_xml(name, memory_mib=mib))
              for name, mib in (("alpha", 64), ("beta", 96), ("gamma", 32))}
    guests["alpha"].create()
    guests["beta"].create()
    guests["beta"].suspend()
    return guests


def test_it_shows_sorts_finds_and_ends(top, three):
    shown = top()
    shown.shows("Guests: 3, 1 running, 1 paused, 0 ill", "NAME", "LIVENESS", "healthy", "F10")
    shown.press("N")
    shown.order("alpha", "beta", "gamma")
    shown.press("I")
    shown.order("gamma", "beta", "alpha")
    shown.press(F6)
    shown.shows("CPU bar")
    shown.press(HOME + DOWN * 5 + "\r")  # MEM
    shown.order("beta", "alpha", "gamma")
    shown.press("/gam")
    wait_until(lambda: shown.selected() == "gamma", what="finding it")
    shown.press("\r\\LPH")
    shown.order("alpha")
    shown.press("\x1b")
    shown.order("beta", "alpha", "gamma")
    shown.press("h")
    shown.shows("Any key goes back")
    shown.press("x" + F10)
    shown.ended(0)


def test_it_fits_any_screen(top, three):
    shown = top(columns=80, lines=24)
    shown.shows("alpha", "LIVENESS", "healthy")
    shown.resize(160, 10)
    shown.shows("TIME", "healthy", "F10")
    shown.resize(40, 8)
    shown.shows("alpha")
    shown.press("q")
    shown.ended(0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was(top, three, number):
    shown = top()
    shown.shows("alpha")
    shown.process.send_signal(number)
    shown.ended(0)


def test_a_stopped_guest_stands_out(top, three, daemon):
    os.kill(daemon.guest_pid(three["alpha"].UUIDString()), signal.SIGSTOP)
    shown = top("-s", "liveness", columns=120)
    shown.shows("1 ill", "stopped by a signal")
    shown.expect(lambda picture: guests_in(picture)[:1] == ["alpha"], "that guest as the first")
    shown.press("q")
    shown.ended(0)


def test_the_daemon_goes_and_comes_back(top, own_daemon, three):
    shown = top()
    shown.shows("alpha")
    own_daemon.stop()
    shown.shows("vireod does not run", "alpha")
    shown.press("N")
    shown.order("alpha", "beta", "gamma")
    own_daemon.restart()
    shown.expect(lambda picture: "vireod does not run" not in picture and "healthy" in picture, "being back")
    shown.press("q")
    shown.ended(0)


def test_a_daemon_that_hangs_keeps_no_key_waiting(top, own_daemon, three):
    shown = top()
    shown.shows("alpha")
    with stopped(own_daemon.pid()):
        time.sleep(0.7)  # it has asked and waits
        shown.press("N")
        shown.order("alpha", "beta", "gamma")
        shown.press("q")
        shown.ended(0)


def run(daemon, *arguments):
    return Vireo(daemon).run("top", *arguments)


def test_plain_text_for_scripts(daemon, three):
    once = run(daemon, "--once", "-s", "name", "-m", "*a*")
    assert once.returncode == 0, once.stderr
    lines = once.stdout.splitlines()
    assert lines[1].startswith("Guests: 3, 1 running, 1 paused, ")
    assert [line.split()[0] for line in lines[3:]] == ["NAME", "alpha", "beta", "gamma"]
    assert lines[4].split()[1] == "running"
    wait_until(lambda: run(daemon, "--once", "-s", "name").stdout.splitlines()[4].endswith("healthy"), what="its health")
    assert "\x1b" not in once.stdout
    twice = run(daemon, "-b", "-n", "2", "-d", "0.2", "-m", "al*")
    assert twice.stdout.count("alpha") == 2 and "beta" not in twice.stdout


def test_what_it_refuses(daemon):
    unknown = run(daemon, "--once", "-s", "nonsense")
    assert unknown.returncode == 1 and "there is no column 'nonsense'" in unknown.stderr
    no_terminal = run(daemon)
    assert no_terminal.returncode == 1 and "vireo top --once" in no_terminal.stderr
