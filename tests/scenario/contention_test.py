"""What waited, and for whom: a suspend behind a hung one, launches behind each other, and the daemon's own figures."""

import contextlib
import json
import time

import libvirt
import pytest

from commands import Http
from daemons import stopped
from definitions import domain_xml
from patience import meanwhile, wait_until

pytestmark = pytest.mark.vireo_only


def sites(report, kind):
    return [site for site in report["sites"] if site["kind"] == kind]


def ask(vireo, *options):
    return json.loads(vireo("contention", "--json", *options))


def test_who_waits_in_a_lane_and_who_is_in_it_is_told(vireo, conn, daemon):
    """The first suspend waits for a QEMU that is stopped; the second waits for the first."""
    domain = conn.defineXML(domain_xml("hung"))
    domain.create()
    pid = next(entry["pid"] for entry in json.loads(vireo("list", "--json"))["domains"])
    vireo("contention", "--reset")
    callers = []
    with stopped(pid):
        for waiting in range(2):
            callers.append(meanwhile(suspend, daemon, "hung"))
            wait_until(lambda waiting=waiting: lane_of(daemon, "hung") == ("suspend", waiting), what="the suspend")
        time.sleep(1.0)
    for caller in callers:
        caller.result(60)
    report = ask(vireo)
    lane, = sites(report, "lane")
    assert (lane["waited_for"], lane["held_by"], lane["count"]) == ("guest", "suspend", 1)
    assert lane["function"] == "core::suspend" and lane["file"] == "src/core/verbs/suspend.cpp" and lane["line"] > 0
    assert 800_000 < lane["total_us"] == lane["maximum_us"] == lane["average_us"]
    stop, = [site for site in sites(report, "monitor") if site["waited_for"] == "stop"]
    assert stop["held_by"] == "QEMU" and stop["total_us"] > 800_000
    totals = [site["total_us"] for site in report["sites"]]
    assert totals == sorted(totals, reverse=True)
    assert 0 < report["core"]["load"] < 0.9 and report["core"]["turns"] > 0
    # But for whoever holds one being left alone by the machine.
    assert all(lock["total_us"] < 800_000 for lock in sites(report, "mutex")), "nothing waits for a lock"


def lane_of(daemon, name):
    """Who is in the guest's lane, and how many wait for it."""
    with contextlib.closing(Http(daemon)) as door:
        lane = door.ask("GET", f"/v1/domains/{name}/liveness")[1]["lane"]
    return lane["holder"], lane["waiting"]


def suspend(daemon, name):
    conn = libvirt.open(daemon.uri)
    conn.lookupByName(name).suspend()
    conn.close()


def test_the_report_is_a_table_most_total_first(vireo, conn):
    conn.defineXML(domain_xml("one")).create()
    head, columns, *rows = vireo("contention").splitlines()
    assert head.startswith("in ") and "the core thread was busy" in head
    assert columns.split() == ["TOTAL", "COUNT", "AVERAGE", "MAXIMUM", "KIND", "WAITED", "FOR", "AT", "HELD", "BY"]
    assert any(" monitor " in row and "qmp_capabilities" in row and "src/qmp/monitor.cpp:" in row for row in rows)
    assert any(" workers " in row and " spawn " in row for row in rows)
    vireo("contention", "--reset")
    assert not any("qmp_capabilities" in row for row in vireo("contention").splitlines())


def test_status_tells_how_many_starts_are_let_in(vireo):
    lines = [line for line in vireo("status").splitlines() if line.startswith("starts ")]
    at_once, under_way, waiting = (int(line.split()[-1]) for line in lines)
    assert at_once >= 1 and under_way == waiting == 0
