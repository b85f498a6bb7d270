"""What `vireo history` tells of real guests: that it is true while they work, pause, end, hang and start again, and that
each form of it can be read by whom it is for."""

import csv
import datetime
import io
import json
import re
import time

import pytest

from consoles import Terminal
from daemons import stopped
from definitions import domain_xml
from patience import wait_until

pytestmark = [pytest.mark.vireo_only, pytest.mark.usefixtures("own_daemon")]

PERIOD_MS = 500
# A boot sector that reads itself again and again with the BIOS's int 13h, and never ends.
READER = bytes.fromhex("31c0 8ec0 b80102 bb0080 b90100 ba8000 cd13 ebec")


@pytest.fixture
def settings(daemon, vireo):
    """Puts settings in force."""
    def set_to(text):
        daemon.configure(text)
        vireo("reload")

    set_to(f"sample_period_ms = {PERIOD_MS}\n")
    return set_to


@pytest.fixture
def busy(daemon, conn, settings):
    """A guest that uses a processor and reads its disk, as soon as it is started."""
    image = daemon.root / "busy.img"
    image.write_bytes(READER.ljust(510, b"\0") + b"\x55\xaa" + bytes(1 << 20))
    image.chmod(0o666)
    disk = f"<disk type='file'><driver type='raw'/><source file='{image}'/><target dev='vda' bus='virtio'/></disk>"
    return conn.defineXML(domain_xml("busy", memory_mib=32, devices=disk))


class History:
    def __init__(self, vireo, domain="busy"):
        self.vireo, self.domain = vireo, domain

    def of(self, metric, *options):
        return json.loads(self.vireo("history", self.domain, metric, "--json", *options))

    def values(self, metric):
        return [value for _, value in self.of(metric)["points"]]

    def last(self, metric):
        """Not a number if it is not known, which is neither large nor small."""
        value = self.values(metric)[-1]
        return float("nan") if value is None else value

    def wait_for(self, metric, condition, what):
        wait_until(lambda: any(value is not None and condition(value) for value in self.values(metric)[-4:]),
                   timeout_s=60, what=what)


def test_a_busy_guest_is_seen_in_every_form(vireo, busy):
    busy.create()
    history = History(vireo)
    history.wait_for("cpu", lambda share: share > 10, "the guest to use a processor")
    history.wait_for("disk-read", lambda rate: rate > 0, "the guest to read")

    told = history.of("cpu")
    assert told["domain"] == {"name": "busy", "uuid": busy.UUIDString()}
    assert (told["span"], told["period_ms"]) == ("1h", PERIOD_MS)
    assert 0 < told["bytes"] < 64 << 10
    assert list(told["series"]) == ["name", "unit", "meaning", "last", "min", "mean", "max"]
    assert (told["series"]["name"], told["series"]["unit"]) == ("cpu", "percent")
    times = [at for at, _ in told["points"]]
    assert times[0] == told["first_ms"] <= times[-1] <= told["to_ms"] and times == sorted(times)
    assert abs(told["to_ms"] / 1000 - time.time()) < 60
    values = [value for _, value in told["points"] if value is not None]
    assert told["series"]["min"] == min(values) and told["series"]["max"] == max(values)
    assert told["series"]["min"] <= told["series"]["mean"] <= told["series"]["max"] < 1000
    assert history.of("cpu", "--span", "24h")["span"] == "24h"
    for metric, is_good in (("memory-balloon", lambda size: size == 32 << 20), ("memory", lambda size: size > 1 << 20),
                            ("monitor", lambda ms: ms > 0)):
        history.wait_for(metric, is_good, f"a good last value of {metric}")  # a single one may be missing
    assert history.of("disk-read-latency")["series"]["max"] > 0
    assert history.of("net-receive")["series"]["max"] is None

    rows = list(csv.reader(io.StringIO(vireo("history", "busy", "cpu", "--csv"))))
    assert rows[0] == ["time", "cpu"] and len(rows) > 2
    moments = [datetime.datetime.fromisoformat(at.replace("Z", "+00:00")) for at, _ in rows[1:]]
    assert moments == sorted(moments) and moments[0].utcoffset() == datetime.timedelta(0)
    assert moments[0].timestamp() == times[0] / 1000
    assert any(float(value) > 10 for _, value in rows[1:] if value)

    table = vireo("history", "busy", "cpu", "--table").splitlines()
    assert table[0].split() == ["TIME", "cpu"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  (-|[\d.]+ %)", table[-1])

    lines = vireo("history", "busy").splitlines()
    assert lines[0].startswith("busy: the last hour, known since 20")
    assert lines[1].split() == ["METRIC", "LAST", "MIN", "MEAN", "MAX"]
    assert {"cpu", "memory", "disk-read", "monitor"} <= {line.split()[0] for line in lines[2:-1]}
    assert lines[-1].startswith("not known of this guest: ") and "net-receive" in lines[-1]
    everything = json.loads(vireo("history", "busy", "--json"))["series"]
    assert len(everything) == 21 and all(len(series["line"]) == 60 for series in everything)

    plot = vireo("history", "busy", "cpu").splitlines()
    assert plot[0] == "busy: cpu in the last hour" and plot[-1].startswith("last ")
    assert any("#" in line for line in plot) and all(len(line) <= 80 and line.isascii() for line in plot)


def test_on_a_terminal_the_plot_fills_it(vireo, busy):
    busy.create()
    History(vireo).wait_for("cpu", lambda share: share > 10, "the guest to use a processor")
    for locale, bar, corner in (("C.UTF-8", "█", "└"), ("C", "#", "+")):
        terminal = Terminal(["env", f"LC_ALL={locale}", *vireo.argv("history", "busy", "cpu")])
        terminal.expect("last ")
        assert terminal.wait() == 0
        terminal.close()
        lines = terminal.text.splitlines()
        assert any(bar in line for line in lines)
        assert max(len(line) for line in lines if corner in line) == 200  # of which Terminal is


def test_pauses_ends_and_lives_can_be_told_apart(vireo, busy):
    busy.create()
    history = History(vireo)
    history.wait_for("cpu", lambda share: share > 10, "the guest to use a processor")
    busy.suspend()
    wait_until(lambda: history.last("cpu") < 2, what="the pause to show")
    first_ms = history.of("cpu")["first_ms"]
    busy.destroy()

    def last_ms_of_all():
        return history.of("cpu")["points"][-1][0]

    def at_rest():
        """No sample comes any more; one may have been under way."""
        before = last_ms_of_all()
        time.sleep(2.5 * PERIOD_MS / 1000)
        return last_ms_of_all() == before

    wait_until(at_rest, what="the end of the samples")
    last_ms = last_ms_of_all()
    busy.create()

    def since():
        return [value for at, value in history.of("cpu")["points"] if at > last_ms]

    wait_until(lambda: any(value is not None and value > 10 for value in since()), what="the next life")
    assert history.of("cpu")["first_ms"] == first_ms
    # Where there was no guest there is a gap, and no rate that two lives have made together.
    assert None in since()[:2] and max(value for value in since() if value is not None) < 1000
    busy.destroy()
    busy.undefine()
    assert "no domain with" in vireo.fails("history", "busy")


def test_a_guest_that_hangs_is_seen_from_outside(vireo, busy, daemon):
    busy.create()
    history = History(vireo)
    history.wait_for("disk-read", lambda rate: rate > 0, "the guest to read")
    with stopped(daemon.guest_pid(busy.UUIDString())):
        wait_until(lambda: history.values("disk-read")[-2:] == [None, None] and history.last("cpu") == 0,
                   what="the hang to show")
        assert history.last("memory") > 0 and history.values("monitor")[-2:] == [None, None]
    history.wait_for("monitor", lambda ms: ms > 0, "an answer")
    history.wait_for("disk-read", lambda rate: rate > 0, "the guest to read again")


def test_what_cannot_be_told_is_said(vireo, settings, conn):
    assert "no domain with id, UUID or name 'nobody'" in vireo.fails("history", "nobody")
    guest = conn.defineXML(domain_xml("still"))
    assert "it has not run under this vireod" in vireo.fails("history", "still")
    assert vireo("history", "still", "cpu", "--csv") == "time,cpu\n"
    wrong = vireo.fails("history", "still", "cpus")
    assert "no metric 'cpus'" in wrong and " cpu, cpu-delay, memory, " in wrong and " monitor" in wrong
    vireo.fails("history", "still", "--span", "2h", status=2)
    vireo.fails("history", "still", "--csv", status=2)
    vireo.fails("history", "still", "cpu", "--csv", "--json", status=2)

    guest.create()
    wait_until(lambda: json.loads(vireo("history", "still", "--json"))["bytes"], what="the first sample")
    settings(f"sample_period_ms = {PERIOD_MS}\nhistory = false\n")
    assert "history = true in its vireod.toml, then 'vireo reload'" in vireo.fails("history", "still")
    # What there was is gone; from now on it is kept.
    time.sleep(2 * PERIOD_MS / 1000)
    began_ms = time.time() * 1000
    settings(f"sample_period_ms = {PERIOD_MS}\nhistory = true\n")
    wait_until(lambda: json.loads(vireo("history", "still", "--json"))["bytes"], what="the next sample")
    assert json.loads(vireo("history", "still", "--json"))["first_ms"] > began_ms - 2 * PERIOD_MS
