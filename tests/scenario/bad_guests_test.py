"""Bad guests: QEMU that does not behave while it starts or runs. Whatever it does, there is a clear error in time, state,
reason and event are as they ought to be, nothing is left, the guest can be started again at once, and nobody else waits.

Binaries and files that are not what they should be: bad_files_test.py.
"""

import ctypes
import json
import os
import re
import signal
import time

import libvirt
import pytest

import faults
from bystander import Bystander
from daemons import stopped, wait_for_exit
from definitions import domain_xml, new_uuid
from patience import AT_ONCE_S, at_once, meanwhile, wait_until

# Little patience, so that a story does not take long; but QEMU starts and answers within it, also where it is left alone
# for seconds, and whoever waits for a launch does not pass for one who is answered at once.
LAUNCH_S, MONITOR_S = 12.0, 4.0
# The stories are told beside others, whose guests would be after the same ports at the same moment.
SETTINGS = f"""launch_timeout_ms = {LAUNCH_S * 1000:.0f}
monitor_timeout_ms = {MONITOR_S * 1000:.0f}
vnc_first_port = {11000 + os.getpid() % 200 * 100}
"""

FAILED = [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_FAILED]
CRASHED = [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED]
DESTROYED = [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED]
RUNNING = [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED]
STARTED = ("resumed unpaused", "started booted")

# A device for each command that settles a start: set_link, qom-set and balloon, query-chardev, query-vnc.
DEVICES = ("<interface type='user'><link state='down'/><model type='e1000'/></interface>"
           "<graphics type='vnc' autoport='yes'/><serial type='pty'/>")
BALLOON = "<memballoon model='virtio'><stats period='5'/></memballoon>"
# What is said to a QEMU that starts, in this order.
COMMANDS = ("qmp_capabilities", "set_link", "qom-set", "query-chardev", "query-vnc", "cont")


@pytest.fixture
def others(daemon):
    """Somebody who asks for lists all the time, and another guest, which is changed while a bad one is dealt with."""
    bystander = Bystander(daemon.uri)
    connection = libvirt.open(daemon.uri)
    neighbour = connection.createXML(domain_xml("neighbour"))

    def change():
        at_once(neighbour.suspend)
        assert at_once(neighbour.state)[0] == libvirt.VIR_DOMAIN_PAUSED
        at_once(neighbour.resume)
        assert at_once(neighbour.state)[0] == libvirt.VIR_DOMAIN_RUNNING

    yield change
    change()
    bystander.leave()
    connection.close()


def look_at(daemon, conn):
    """What is on the host of a daemon whose things we know, when nothing is left of guests that have gone."""
    return faults.whole_and_clean(daemon, conn) if daemon.name == "vireo" else None


def is_as_before(daemon, before):
    if daemon.name == "vireo":
        faults.is_as_before(daemon, before)


class Bad:
    """A guest with the emulator that can be given a flaw."""

    def __init__(self, daemon, conn, recorder, others):
        self.daemon, self.recorder, self.others = daemon, recorder, others
        self.uuid = new_uuid()
        self.domain = conn.defineXML(domain_xml("bad", uuid=self.uuid, emulator=daemon.flawed.path, devices=DEVICES,
                                                balloon=BALLOON))
        recorder.expect("bad", "defined added")
        self.before = look_at(daemon, conn)

    def with_flaw(self, *plans):
        self.daemon.flawed.give(self.uuid, *plans)
        return self

    def does_as_asked(self):
        """It begins to do what its plan has for that. From then on it hears no command until that is done."""
        self.daemon.flawed.ask(self.uuid, self.pid)

    @property
    def pid(self):
        return faults.emulators_of(self.daemon)[self.uuid]

    def runs(self):
        """Starts it, flaw and all."""
        self.domain.create()
        assert self.domain.state() == RUNNING
        self.recorder.expect("bad", *STARTED)
        return self

    def fails_to_start(self, code, sentence, within_s=LAUNCH_S + 2):
        began = time.monotonic()
        starting = meanwhile(self.domain.create)
        self.others()
        problem = starting.exception(60)
        took_s = time.monotonic() - began
        assert problem, "the start succeeded"
        assert problem.get_error_code() == code, problem
        assert re.search(sentence, problem.get_error_message()), problem
        assert took_s < within_s + AT_ONCE_S, f"the answer came after {took_s:.1f} s"
        assert self.domain.state() == FAILED
        assert not self.domain.isActive()
        self.starts_as_if_nothing_had_been()

    def has_ended(self, state, event):
        """It ends, or has done so."""
        self.recorder.expect("bad", event)
        assert self.domain.state() == state
        assert not self.domain.isActive()
        self.starts_as_if_nothing_had_been()

    def starts_as_if_nothing_had_been(self):
        is_as_before(self.daemon, self.before)
        self.daemon.flawed.take_away(self.uuid)
        self.domain.create()
        assert self.domain.state() == RUNNING
        # Of the failed start nothing was heard.
        self.recorder.expect("bad", *STARTED)
        self.domain.destroy()
        self.recorder.expect("bad", "stopped destroyed")

    def refuses(self, verb, code, sentence, within_s=MONITOR_S):
        began = time.monotonic()
        with pytest.raises(libvirt.libvirtError) as problem:
            verb()
        assert problem.value.get_error_code() == code, problem.value
        assert re.search(sentence, problem.value.get_error_message()), problem.value
        assert time.monotonic() - began < within_s + AT_ONCE_S

    def reads_answer_at_once(self, state):
        assert at_once(self.domain.state)[0] == state
        assert at_once(self.domain.info)[0] == state
        assert at_once(self.domain.isActive) == 1
        assert self.uuid in at_once(self.domain.XMLDesc)


@pytest.fixture
def bad(daemon, conn, recorder, others):
    return Bad(daemon, conn, recorder, others)


DEEP = "[" * 10_000 + "]" * 10_000
INTERNAL, TIMEOUT = libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_ERR_OPERATION_TIMEOUT
GREETING = json.dumps({"QMP": {"version": {}, "capabilities": []}})

NO_MONITOR = {
    "never greets": ([["hang"]], TIMEOUT, "did not greet in time"),
    "hears and says nothing": ([["silence"], ["say", ""]], TIMEOUT, "did not answer 'qmp_capabilities' in time"),
    "garbage": ([["say", "\x01Bonjour\n"]], INTERNAL, r"cannot parse JSON object '\?Bonjour'"),
    "an array": ([["say", "[]\n"]], INTERNAL, r"cannot parse JSON object '\[\]'"),
    "a number": ([["say", "42\n"]], INTERNAL, "cannot parse JSON object '42'"),
    "half an object": ([["say", '{"QMP":\n']], INTERNAL, "cannot parse JSON object"),
    "nested deeply": ([["say", '{"QMP":' + DEEP + "}\n"]], INTERNAL, "cannot parse JSON object"),
    "bad UTF-8": ([["say", '{"QMP": "\udc80"}\n']], INTERNAL, "cannot parse JSON object"),
    "an object of another kind": ([["say", '{"hello": 1}\n']], INTERNAL, "no QMP message"),
    "a line without end": ([["say", "x" * (1 << 20), 100]], INTERNAL, "a line of more than [0-9]+ bytes"),
    "a byte at a time": ([["drip", GREETING, 1.0]], TIMEOUT, "did not greet in time"),
    "closes": ([["deaf"], ["hang"]], libvirt.VIR_ERR_OPERATION_FAILED, "monitor connection is closed"),
}


@pytest.mark.vireo_only  # libvirtd waits for as long as QEMU lives, or knows other limits
@pytest.mark.parametrize("how", NO_MONITOR)
def test_a_monitor_that_is_none(bad, how):
    plan, code, sentence = NO_MONITOR[how]
    bad.with_flaw({"connected": plan}).fails_to_start(code, sentence)


ANSWERS_AWRY = {
    "never": ([["hang"]], TIMEOUT, "did not answer 'COMMAND' in time"),
    "without an id": ([["say", '{"return": {}}\n']], TIMEOUT, "did not answer 'COMMAND' in time"),
    "with another id": ([["say", '{"return": {}, "id": "zz"}\n']], TIMEOUT, "did not answer 'COMMAND' in time"),
    "with an id of another kind": ([["say", '{"return": {}, "id": {"1": []}}\n']], TIMEOUT, "in time"),
    "with an error": ([["say", '{"error": {"class": "GenericError", "desc": "no"}, "id": "ID"}\n']], INTERNAL,
                      "unable to execute QEMU command 'COMMAND': no"),
    "with an error that is none": ([["say", '{"error": 7, "id": "ID"}\n']], INTERNAL,
                                   "unable to execute QEMU command 'COMMAND'"),
    "garbage": ([["say", "oops\n"]], INTERNAL, "cannot parse JSON object 'oops'"),
    "and closes": ([["deaf"], ["hang"]], libvirt.VIR_ERR_OPERATION_FAILED, "monitor connection is closed"),
}


@pytest.mark.vireo_only  # what is said while a guest starts is each daemon's own
@pytest.mark.parametrize("command", ["qmp_capabilities", "query-chardev", "cont"])
@pytest.mark.parametrize("how", ANSWERS_AWRY)
def test_a_command_that_is_answered_awry(bad, command, how):
    plan, code, sentence = ANSWERS_AWRY[how]
    bad.with_flaw({"on": {command: plan}}).fails_to_start(code, sentence.replace("COMMAND", command))


@pytest.mark.vireo_only
@pytest.mark.parametrize("command", ["query-chardev", "query-vnc"])
@pytest.mark.parametrize("value", ["7", "[7]", "[[]]", '"x"', "null", '[{"label": 1, "filename": []}]'])
def test_an_answer_of_another_shape(bad, command, value):
    bad.with_flaw({"on": {command: [["say", f'{{"return": {value}, "id": "ID"}}\n']]}}).fails_to_start(
        INTERNAL, f"QEMU's answer to '{command}' has an unknown form")


@pytest.mark.vireo_only
def test_of_keys_given_twice_the_last_counts(bad):
    bad.with_flaw({"on": {"query-chardev": [["say", '{"return": 7, "id": "x", "return": [], "id": "ID"}\n']]}}).runs()
    bad.domain.destroy()
    bad.has_ended(DESTROYED, "stopped destroyed")


DEATHS = {
    "exit 0": (["exit", 0], "exit status 0"),
    "exit 1": (["exit", 1], "exit status 1"),
    "SIGKILL": (["signal", signal.SIGKILL], "ended by signal 9"),
    "SIGSEGV": (["signal", signal.SIGSEGV], "ended by signal 11"),
}


@pytest.mark.vireo_only
@pytest.mark.parametrize("when", ["connected", "greeted", *COMMANDS])
@pytest.mark.parametrize("how", DEATHS)
def test_a_death_on_the_way(bad, when, how):
    action, last_words = DEATHS[how]
    bad.with_flaw({when: [action]} if when in ("connected", "greeted") else {"on": {when: [action]}})
    when_it_ran = "process exited while connecting to monitor" if when != "cont" else "QEMU has closed its monitor"
    bad.fails_to_start(INTERNAL, f"{when_it_ran}: {last_words}", within_s=0)


def event(name):
    return json.dumps({"event": name, "timestamp": {"seconds": 1, "microseconds": 0}}) + "\n"


def memory_mib(daemon):
    with open(f"/proc/{daemon.pid()}/statm", encoding="ascii") as pages:
        return int(pages.read().split()[1]) * os.sysconf("SC_PAGESIZE") >> 20


@pytest.mark.vireo_only
@pytest.mark.parametrize("when", ["connected", "greeted"])
@pytest.mark.parametrize("name", ["RESET", "NONSENSE"])
def test_a_flood_of_events_before_it_runs(daemon, bad, when, name):
    before = memory_mib(daemon)
    bad.with_flaw({when: [["say", event(name) * 1000, 1_000_000]]}).fails_to_start(TIMEOUT, "in time")  # without end
    assert memory_mib(daemon) < before + 64


@pytest.mark.vireo_only
@pytest.mark.parametrize("flood", [event("STOP") + event("RESUME"), event("RESET"), event("NONSENSE"),
                                   '{"return": {}, "id": "1"}\n', json.dumps({"event": "X" * 100_000}) + "\n"],
                         ids=["states", "resets", "nonsense", "answers", "long-lines"])
def test_a_flood_while_it_runs(daemon, bad, flood):
    bad.with_flaw({"asked": [["say", flood * max(1, 20_000 // len(flood)), 10_000]]}).runs()
    before = memory_mib(daemon)
    os.kill(bad.pid, signal.SIGUSR1)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        bad.others()
        at_once(bad.domain.info)
    assert memory_mib(daemon) < before + 64
    at_once(bad.domain.destroy)
    wait_until(lambda: "stopped destroyed" in bad.recorder.of("bad"), what="the guest's end")
    # Who subscribes to a guest's events has to hear them, and still hears of others and of the end.
    with bad.recorder.changed:
        bad.recorder.heard.clear()
    assert bad.domain.state() == DESTROYED
    bad.starts_as_if_nothing_had_been()


SIGNALS = {signal.SIGKILL: "stopped failed", signal.SIGSEGV: "stopped failed"}


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("paused", [False, True])
def test_killed_while_it_runs(daemon, conn, recorder, others, number, paused):
    domain = conn.defineXML(domain_xml("bad"))
    before = look_at(daemon, conn)
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED if paused else 0)
    started = ("started booted", "suspended paused") if paused else STARTED
    os.kill(daemon.guest_pid(domain.UUIDString()), number)
    recorder.expect("bad", "defined added", *started, SIGNALS[number])
    assert domain.state() == CRASHED
    assert not domain.isActive()
    others()
    is_as_before(daemon, before)
    domain.create()
    assert domain.state() == RUNNING


def test_told_to_go_while_it_runs(daemon, conn, recorder, others):
    """SIGTERM is QEMU's own way out: it shuts down, as the host's wish."""
    domain = conn.defineXML(domain_xml("bad"))
    domain.create()
    os.kill(daemon.guest_pid(domain.UUIDString()), signal.SIGTERM)
    recorder.expect("bad", "defined added", *STARTED, "stopped shutdown")
    assert domain.state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN]
    domain.create()
    assert domain.state() == RUNNING


@pytest.mark.vireo_only  # libvirtd waits for the monitor without end
def test_stopped_while_it_runs(daemon, bad):
    bad.with_flaw({}).runs()
    os.kill(bad.pid, signal.SIGSTOP)
    bad.refuses(bad.domain.suspend, TIMEOUT, "monitor did not answer 'stop' in time")
    bad.refuses(bad.domain.reset, TIMEOUT, "monitor did not answer 'system_reset' in time")
    bad.refuses(bad.domain.shutdown, TIMEOUT, "monitor did not answer 'system_powerdown' in time")
    bad.others()
    bad.reads_answer_at_once(libvirt.VIR_DOMAIN_RUNNING)
    at_once(bad.domain.destroy)
    bad.has_ended(DESTROYED, "stopped destroyed")


@pytest.mark.vireo_only
def test_stopped_and_let_go_on(daemon, bad):
    bad.with_flaw({}).runs()
    with stopped(bad.pid):
        bad.refuses(bad.domain.suspend, TIMEOUT, "in time")
    # What it was told then comes late, and is heard of all the same.
    bad.recorder.expect("bad", "suspended paused")
    bad.domain.resume()
    bad.recorder.expect("bad", "resumed unpaused")
    bad.domain.destroy()
    bad.has_ended(DESTROYED, "stopped destroyed")


@pytest.mark.vireo_only
@pytest.mark.parametrize("when", ["connected", "query-chardev"])
def test_stopped_while_it_starts(bad, when):
    stop = [["signal", signal.SIGSTOP]]
    bad.with_flaw({when: stop} if when == "connected" else {"on": {when: stop}}).fails_to_start(TIMEOUT, "in time")


@pytest.mark.vireo_only
def test_destroyed_while_it_hangs_in_its_start(daemon, bad):
    bad.with_flaw({"connected": [["hang"]]})
    other = libvirt.open(daemon.uri)
    starting = meanwhile(other.lookupByUUIDString(bad.uuid).create)
    wait_until(lambda: bad.uuid in faults.emulators_of(daemon), what="the emulator's start")
    pid = bad.pid
    at_once(bad.domain.destroy)
    assert "was destroyed while it was being started" in str(starting.exception(60))
    other.close()
    wait_for_exit(pid)
    bad.starts_as_if_nothing_had_been()


# libvirtd ends a guest whose monitor is gone. Here the guest runs on, as it does when the daemon is restarted.
CUTS = {
    "closes": [["close"]],
    "garbage": [["say", "\x7fELF\n"]],
    "a line without end": [["say", "x" * (1 << 20), 20]],
}


@pytest.mark.vireo_only
@pytest.mark.parametrize("how", CUTS)
def test_the_monitor_is_lost_while_it_runs(daemon, bad, how):
    bad.with_flaw({"asked": CUTS[how]}).runs()
    for _ in range(2):
        bad.does_as_asked()
        bad.others()
        bad.reads_answer_at_once(libvirt.VIR_DOMAIN_RUNNING)

        def works():
            try:
                bad.domain.suspend()
            except libvirt.libvirtError as problem:
                assert re.search("monitor|JSON", str(problem)), problem
                return False
            return True

        wait_until(works, what="the monitor's return")
        bad.domain.resume()
        bad.recorder.expect("bad", "suspended paused", "resumed unpaused")
    at_once(bad.domain.destroy)
    bad.has_ended(DESTROYED, "stopped destroyed")


@pytest.mark.vireo_only
def test_the_monitor_is_lost_for_good(daemon, bad):
    bad.with_flaw({"asked": [["deaf"], ["hang"]]}).runs()
    bad.does_as_asked()

    def lost():
        try:
            bad.domain.suspend()
        except libvirt.libvirtError as problem:
            return "monitor connection is closed" in str(problem)
        return False

    wait_until(lost, what="the loss of the monitor")
    bad.reads_answer_at_once(libvirt.VIR_DOMAIN_RUNNING)
    bad.others()
    at_once(bad.domain.destroy)
    bad.has_ended(DESTROYED, "stopped destroyed")


@pytest.mark.vireo_only
def test_what_happened_while_the_monitor_was_lost(daemon, bad):
    """The guest is found paused when its monitor is back."""
    paused = '{"return": {"status": "paused", "running": false}, "id": "ID"}\n'
    bad.with_flaw({"asked": [["close"]]}, {"on": {"query-status": [["say", paused]]}}).runs()
    os.kill(bad.pid, signal.SIGUSR1)
    wait_until(lambda: bad.domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED, what="the news")
    bad.recorder.expect("bad", "suspended paused")
    bad.domain.destroy()
    bad.has_ended(DESTROYED, "stopped destroyed")


@pytest.fixture
def careless_parent():
    """This process becomes the parent of guests whose daemon dies, and does not reap them before the story ends."""
    prctl = ctypes.CDLL(None).prctl
    become_reaper = 36  # PR_SET_CHILD_SUBREAPER
    assert prctl(become_reaper, 1, 0, 0, 0) == 0
    orphans = []
    yield orphans
    prctl(become_reaper, 0, 0, 0, 0)
    for pid in orphans:
        os.waitpid(pid, 0)


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0]


@pytest.mark.vireo_only  # libvirtd's namespace has a parent that reaps
@pytest.mark.parametrize("daemon_sees_it", [True, False])
def test_a_guest_that_nobody_reaps(own_daemon, conn, careless_parent, daemon_sees_it):
    """Dead, and still in the table of processes."""
    domain = conn.defineXML(domain_xml("undead"))
    domain.create()
    pid = own_daemon.guest_pid(domain.UUIDString())
    careless_parent.append(pid)
    own_daemon.kill9()
    if daemon_sees_it:
        own_daemon.restart()
    os.kill(pid, signal.SIGKILL)
    wait_for_exit(pid)
    assert state_of(pid) == "Z"
    if not daemon_sees_it:
        own_daemon.restart()
    after = libvirt.open(own_daemon.uri)
    domain = after.lookupByName("undead")
    wait_until(lambda: not domain.isActive(), what="the news of its end")
    assert domain.state() == CRASHED
    domain.create()
    assert state_of(pid) == "Z"
    faults.whole_and_clean(own_daemon, after)
    after.close()


@pytest.mark.vireo_only
@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGUSR1], ids=["stopped", "deaf"])
def test_a_guest_that_cannot_be_taken_over_can_be_destroyed(own_daemon, conn, how):
    """Its monitor does not answer the daemon that has come anew: it is listed, and destroy ends it."""
    uuid = new_uuid()
    own_daemon.flawed.give(uuid, {"asked": [["deaf"], ["hang"]]})
    conn.defineXML(domain_xml("bad", uuid=uuid, emulator=own_daemon.flawed.path)).create()
    pid = faults.emulators_of(own_daemon)[uuid]
    if how == signal.SIGUSR1:
        own_daemon.flawed.ask(uuid, pid)
    else:
        os.kill(pid, how)
    own_daemon.kill9()
    own_daemon.restart()
    after = libvirt.open(own_daemon.uri)
    domain = after.lookupByName("bad")
    assert at_once(domain.state)[0] == libvirt.VIR_DOMAIN_RUNNING
    with pytest.raises(libvirt.libvirtError) as problem:
        at_once(domain.suspend)
    assert "has not answered since the daemon was restarted" in str(problem.value)
    at_once(domain.destroy)
    wait_for_exit(pid)
    assert domain.state() == DESTROYED
    own_daemon.flawed.take_away(uuid)
    domain.create()
    assert domain.state() == RUNNING
    faults.whole_and_clean(own_daemon, after)
    after.close()
