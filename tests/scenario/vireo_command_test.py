"""The vireo command, and the HTTP door behind it: lists, the daemon's own figures, and where a start's time went."""

import json
import re
import socket
import threading

import libvirt
import pytest

import emulators
from commands import Http
from definitions import domain_xml, new_uuid
from patience import wait_until

pytestmark = pytest.mark.vireo_only


@pytest.fixture
def door(daemon):
    connection = Http(daemon)
    yield connection
    connection.close()


def test_guests_are_listed(vireo, conn):
    assert vireo("list").split() == ["ID", "NAME", "STATE", "REASON", "PID", "UUID"]
    running = conn.defineXML(domain_xml("b-runs"))
    running.create()
    conn.defineXML(domain_xml("a-rests"))
    lines = [line.split() for line in vireo("list").splitlines()]
    assert [line[1:4] for line in lines[1:]] == [["a-rests", "shutoff", "unknown"], ["b-runs", "running", "booted"]]
    listed = json.loads(vireo("list", "--json"))["domains"]
    assert [guest["name"] for guest in listed] == ["a-rests", "b-runs"]
    assert listed[1]["id"] == running.ID() and listed[1]["uuid"] == running.UUIDString()
    assert listed[0]["id"] is None and listed[0]["pid"] is None


def test_the_daemon_tells_of_itself(vireo, daemon, conn):
    conn.defineXML(domain_xml("one"))
    told = json.loads(vireo("status", "--json"))
    assert told["pid"] == daemon.pid() and told["uptime_ms"] > 0
    assert told["domains"] == {"running": 0, "shut_off": 1}
    assert told["counters"]["libvirt"]["clients_accepted"] >= 1
    # Those who asked before have gone, but the daemon may not have been told yet.
    wait_until(lambda: json.loads(vireo("status", "--json"))["counters"]["http"]["connections"] == 1,
               what="no connection but one")
    text = vireo("status")
    assert re.search(r"^pid +%d$" % daemon.pid(), text, re.M)
    assert re.search(r"^guests +0 running, 1 shut off$", text, re.M)
    assert vireo("version").splitlines()[1] == f"vireod {told['version']} (pid {daemon.pid()})"


def test_a_start_is_traced(vireo, conn):
    domain = conn.defineXML(domain_xml("traced"))
    assert "has not started 'traced'; start it" in vireo.fails("trace", "traced")
    domain.create()
    launch = json.loads(vireo("trace", "traced", "--json"))["launch"]
    assert launch["error"] is None
    names = [step["name"] for step in launch["steps"]]
    assert {"spawn", "handshake", "continue", "publish"} <= set(names)
    ends = [step["end_us"] for step in launch["steps"]]
    assert ends == sorted(ends) and ends[-1] == launch["total_us"] > 0
    for key in ("traced", domain.UUIDString(), str(domain.ID())):
        lines = vireo("trace", key).splitlines()
        assert lines[0].startswith("traced: start of ") and " done after " in lines[0]
        # One line for each step, with a bar, and no wider than the 80 columns of what is no terminal.
        assert [line.split()[0] for line in lines[1:len(names) + 1]] == names
        assert all("#" in line and len(line) <= 80 for line in lines[1:len(names) + 1])


def test_a_failed_start_is_traced(vireo, daemon, conn):
    uuid = new_uuid()
    emulator = emulators.script(daemon, f"broken-{uuid[:8]}", 'echo "no flux" >&2; exit 1', uuid)
    domain = conn.defineXML(domain_xml("broken", uuid=uuid, emulator=emulator))
    with pytest.raises(libvirt.libvirtError):
        domain.create()
    launch = json.loads(vireo("trace", "broken", "--json"))["launch"]
    assert "no flux" in launch["error"]
    text = vireo("trace", "broken")
    assert " failed after " in text and "\nerror: " in text and "no flux" in text
    assert "publish" not in [step["name"] for step in launch["steps"]]


def test_what_is_wrong_is_said(vireo, daemon, tmp_path):
    assert "no domain with id, UUID or name 'nobody'" in vireo.fails("trace", "nobody")
    assert "no domain with id, UUID or name 'a/b %'" in vireo.fails("trace", "a/b %")
    nowhere = tmp_path / "run/http-sock"
    complaint = vireo.fails("list", where=["--root", str(tmp_path)])
    assert complaint == (f"vireo: vireod does not run: nobody listens at {nowhere} (No such file or directory); "
                         f"start it with vireod --root {tmp_path}\n")
    assert f"nobody listens at {nowhere}" in vireo.fails("list", where=[], VIREO_SOCKET=str(nowhere))
    assert "NAME" in vireo("list", where=[], VIREO_SOCKET=str(daemon.root / "run/http-sock"))
    for wrong in ((), ("trace",), ("lsit",), ("list", "--colour"), ("--socket", "x", "list")):
        vireo.fails(*wrong, status=2)
    assert "DOMAIN" in vireo("trace", "--help").upper()


def test_answers_of_the_door(door):
    for method, target, status, code in (("GET", "/v2", 404, "no_such_path"),
                                         ("GET", "/v1/domains/nobody", 404, "no_domain"),
                                         ("GET", "/v1/domains/", 404, "no_such_path"),
                                         ("GET", "/v1/domains/%zz", 400, "invalid_argument"),
                                         ("GET", "/v1/domains/a%00b", 400, "invalid_argument"),
                                         ("GET", "/v1/domains?state=running", 400, "invalid_argument"),
                                         ("DELETE", "/v1/domains", 405, "method_not_allowed")):
        reply, body = door.ask(method, target)
        assert (reply.status, body["error"]["code"]) == (status, code), target
        assert body["error"]["message"]
        assert reply.getheader("Content-Type") == "application/json"
    assert reply.getheader("Allow") == "GET"
    # All of this on one connection. Others' may end a moment later.
    wait_until(lambda: door.ask("GET", "/v1/daemon")[1]["counters"]["http"]["connections"] == 1,
               what="no connection but one")


def test_too_much_is_refused(daemon, door):
    reply, body = door.ask("POST", "/v1/reload", body="x" * 100_000)
    assert (reply.status, body["error"]["code"]) == (413, "body_too_large")
    door.close()
    door.putrequest("GET", "/v1/domains")
    door.putheader("X-Long", "x" * 20_000)
    door.endheaders()
    assert door.getresponse().status == 431
    with socket.socket(socket.AF_UNIX) as other:
        other.connect(str(daemon.root / "run/http-sock"))
        other.sendall(b"\x00\x00\x00\x1c this is another protocol\r\n\r\n")
        assert other.makefile("rb").readline().startswith(b"HTTP/1.1 400 ")


def test_only_root_may_use_the_door(daemon):
    assert oct((daemon.root / "run/http-sock").stat().st_mode & 0o777) == "0o600"


def test_many_clients_at_once(vireo, conn):
    conn.defineXML(domain_xml("popular"))
    found = []
    threads = [threading.Thread(target=lambda: found.append("popular" in vireo("list"))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 16
