"""Many guests with one call: `vireo start`, and POST /v1/start behind it."""

import json
import signal
import subprocess

import libvirt
import pytest

import emulators
from commands import Http
from definitions import domain_xml
from patience import wait_until

pytestmark = pytest.mark.vireo_only


@pytest.fixture
def fleet(conn):
    """Defines guests and gives them by name."""
    def define(*names, **options):
        return {name: conn.defineXML(domain_xml(name, **options)) for name in names}
    return define


def rows(table):
    """The lines of a table by the guest's name: (id, result, message)."""
    lines = table.splitlines()
    assert lines[0].split() == ["ID", "NAME", "RESULT", "MESSAGE"]
    words = [line.split(None, 3) for line in lines[1:]]
    return {word[1]: (word[0], word[2], word[3] if len(word) > 3 else "") for word in words}


def running(conn):
    return {domain.name() for domain in conn.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)}


def test_a_pattern_starts_what_is_shut_off_and_fits(vireo, conn, fleet):
    fleet("web-1", "web-2", "web-x", "db-1")["web-1"].create()
    started = rows(vireo("start", "--match", "web-[0-9]", "--paused"))
    assert set(started) == {"web-2"}
    assert started["web-2"][1:] == ("started", "")
    domain = conn.lookupByName("web-2")
    assert started["web-2"][0] == str(domain.ID())
    assert domain.state() == [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER]
    assert set(rows(vireo("start", "--all"))) == {"web-x", "db-1"}
    assert running(conn) == {"web-1", "web-2", "web-x", "db-1"}
    assert rows(vireo("start", "--all")) == {}


def test_one_guests_failure_stops_no_other(vireo, conn, fleet, virsh):
    fleet("good-1", "good-2", "runs")["runs"].create()
    fleet("bad", devices="<disk type='file' device='disk'><source file='/no/such/image'/><target dev='vda'/></disk>")
    done = vireo.run("start", "good-1", "bad", "runs", "nobody", conn.lookupByName("good-2").UUIDString())
    assert done.returncode == 1
    assert done.stderr == "vireo: operation failed: 3 of 5 guests did not start\n"
    results = rows(done.stdout)
    assert {name: result[1] for name, result in results.items()} == {
        "good-1": "started", "good-2": "started", "bad": "failed", "runs": "already_running", "nobody": "failed"}
    assert "/no/such/image" in results["bad"][2]
    assert "domain is already running" in results["runs"][2], "as for anybody who starts a guest by its name"
    assert virsh.fails("start", "runs").startswith("error: ")
    assert running(conn) == {"good-1", "good-2", "runs"}


def test_all_or_nothing(vireo, conn, fleet):
    fleet("one", "two", "three", "before")["before"].create()
    fleet("bad", devices="<disk type='file' device='disk'><source file='/no/such/image'/><target dev='vda'/></disk>")
    done = vireo.run("start", "--all", "--all-or-nothing", "--json")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    results = {row["name"]: row["result"] for row in answer["domains"]}
    assert results.pop("bad") == "failed"
    assert set(results) == {"one", "two", "three"} and set(results.values()) <= {"undone", "not_begun"}
    assert answer["started"] == 0 and answer["failed"] == 4
    assert running(conn) == {"before"}
    conn.lookupByName("bad").undefine()
    assert {row[1] for row in rows(vireo("start", "--all", "--all-or-nothing")).values()} == {"started"}
    assert running(conn) == {"before", "one", "two", "three"}


def cancelled(vireo, names):
    """Those whose last start ended because nobody waited for it any more."""
    launches = [json.loads(vireo("trace", name, "--json"))["launch"] for name in names]
    return [launch for launch in launches if launch and launch["error"] and "has gone" in launch["error"]]


def test_which_guests_must_be_said_once(vireo):
    assert "Exactly 1 option" in vireo.fails("start", status=2)
    assert "Exactly 1 option" in vireo.fails("start", "web", "--all", status=2)
    assert "at most 255 bytes" in vireo.fails("start", "--match", "x" * 256)


@pytest.fixture
def gate(own_daemon):
    """A file: as long as it is not there, no guest of one_at_a_time gets through its start."""
    return own_daemon.root / "gate"


@pytest.fixture
def one_at_a_time(own_daemon, gate):
    """A daemon that launches one guest after the other; defines guests that wait at the gate while they start."""
    own_daemon.stop()
    own_daemon.configure("parallel_starts = 1\n")
    own_daemon.start()
    connection = libvirt.open(own_daemon.uri)
    slow = emulators.script(own_daemon, "slow-qemu", f"while [ ! -e {gate} ]; do sleep 0.1; done", "-uuid")

    def define(*names):
        for name in names:
            connection.defineXML(domain_xml(name, emulator=slow))
        return connection
    yield define
    connection.close()


def wait_for_line(vireo, waiting):
    """One guest is being launched, and so many wait in line behind it."""
    def in_line():
        starts = {count: value for group, values in json.loads(vireo("status", "--json"))["counters"].items()
                  if group == "starts" for count, value in values.items()}
        return (starts["under_way"], starts["waiting"]) == (1, waiting)

    wait_until(in_line, what=f"{waiting} starts in line")


def test_a_start_that_waits_ends_with_its_client_and_with_destroy(one_at_a_time, gate, vireo, virsh):
    names = [f"g{i}" for i in range(6)]
    again = one_at_a_time(*names, "left", "ended")
    crowd = subprocess.Popen(vireo.argv("start", *names), stdout=subprocess.DEVNULL)
    wait_for_line(vireo, len(names) - 1)
    starts = [subprocess.Popen(virsh.argv("start", name), stderr=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL)
              for name in ("left", "ended")]
    wait_for_line(vireo, len(names) + 1)
    starts[0].kill()
    virsh("destroy", "ended")
    assert "was destroyed while it was being started" in starts[1].communicate(timeout=60)[1]
    wait_until(lambda: cancelled(vireo, ["left"]), what="the end of the start that nobody waits for")
    assert crowd.poll() is None, "others of the crowd still wait: nobody has waited for them"
    gate.touch()
    assert crowd.wait(timeout=60) == 0
    assert running(again) == set(names)
    starts[0].communicate()


def test_what_waits_is_cancelled_when_the_command_is(one_at_a_time, gate, vireo):
    """Ctrl-C: those that wait are not started, those that have begun run on."""
    names = [f"g{i}" for i in range(8)]
    again = one_at_a_time(*names)
    command = subprocess.Popen(vireo.argv("start", "--all"), stdout=subprocess.DEVNULL,
                               # Whoever runs the tests in the background may have had it ignored.
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    wait_for_line(vireo, len(names) - 1)
    command.send_signal(signal.SIGINT)
    assert command.wait(timeout=60) == -signal.SIGINT
    wait_until(lambda: len(cancelled(vireo, names)) == len(names) - 1, what="the end of those that waited")
    assert running(again) == set()
    gate.touch()
    wait_until(lambda: len(running(again)) == 1, what="the start that had begun")
    # The others are as startable as before.
    assert {row[1] for row in rows(vireo("start", "--all")).values()} <= {"started", "already_running"}
    assert running(again) == set(names)


def test_bodies(daemon, fleet):
    door = Http(daemon)
    fleet("web")
    for body, says in (("", "is no JSON"), ('{"all": true, "wait": 1}', '"wait" means nothing here'),
                       ('{"domains": []}', "at least one")):
        reply, answer = door.ask("POST", "/v1/start", body)
        assert reply.status == 400 and says in answer["error"]["message"]
    reply, answer = door.ask("POST", "/v1/start", json.dumps({"domains": ["web"]}))
    assert reply.status == 200 and answer["domains"][0]["error"] is None
    assert answer["started"] == 1 and answer["failed"] == 0
    reply, _answer = door.ask("GET", "/v1/start")
    assert reply.status == 405
    door.close()
