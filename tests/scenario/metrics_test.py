"""Prometheus' view: /metrics at a loopback address and on the socket, with guests that run, hang and fail; and the
alerts and the dashboard that are made for it, checked by Prometheus' own tool."""

import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import time

import libvirt
import pytest
import yaml

import daemons
from commands import Http
from conftest import clean, short_folder
from definitions import domain_xml
from patience import at_once, wait_until

pytestmark = pytest.mark.vireo_only

CONTRIB = daemons.REPOSITORY / "contrib"
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


def free_port():
    """None of those that the kernel gives away by itself: whoever connects somewhere could have it a moment later."""
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no port is free")


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A daemon that listens for Prometheus and samples twice a second, with a guest that has a disk."""
    port = free_port()
    settings = f'metrics_listen = "127.0.0.1:{port}"\nsample_period_ms = 500\n'
    with daemons.running("vireo", short_folder(tmp_path_factory), settings) as daemon:
        daemon.port = port
        wait_until(lambda: listens(port), what="the address of its metrics")  # which it takes last
        yield daemon
        clean(daemon)


@pytest.fixture
def daemon(watched):
    return watched


@pytest.fixture
def guest(watched, conn):
    """A running guest with a disk and a balloon."""
    image = watched.root / "disk.img"
    if not image.exists():
        image.write_bytes(bytes(1 << 20))
        os.chmod(image, 0o666)
    try:
        domain = conn.lookupByName("web")
    except libvirt.libvirtError:
        disk = f"<disk type='file'><source file='{image}'/><target dev='vda' bus='virtio'/></disk>"
        domain = conn.defineXML(domain_xml("web", vcpus=2, devices=disk,
                                           balloon="<memballoon model='virtio'><stats period='1'/></memballoon>"))
        domain.create()
    return domain


def get(connection, path="/metrics", accept="*/*", method="GET"):
    connection.request(method, path, headers={"Accept": accept})
    answer = connection.getresponse()
    return answer.status, answer.headers["Content-Type"], answer.read().decode()


def scrape(daemon):
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
    status, _, text = get(connection)
    connection.close()
    assert status == 200
    return text


SAMPLE = re.compile(r'([a-z0-9_]+)(?:\{(.*)\})? ([^ ]+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


def samples(text):
    """{(name, frozenset of labels): value}"""
    out = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, labels, value = SAMPLE.fullmatch(line).groups()
            key = (name, frozenset(LABEL.findall(labels or "")))
            assert key not in out, line
            out[key] = float(value)
    return out


def value(text, name, **labels):
    """The one sample of this name that has these labels; None: there is none."""
    found = [number for (known, pairs), number in samples(text).items()
             if known == name and set(labels.items()) <= pairs]
    assert len(found) <= 1, (name, labels, found)
    return found[0] if found else None


def eventually(daemon, name, is_good, **labels):
    wait_until(lambda: (found := value(scrape(daemon), name, **labels)) is not None and is_good(found),
               what=f"{name} {labels}")


def promtool(*arguments, text=None):
    done = subprocess.run(["promtool", *map(str, arguments)], input=text, capture_output=True, text=True, timeout=60,
                          check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def test_promtool_finds_nothing_to_complain_of(watched, guest):
    eventually(watched, "libvirt_domain_block_stats_capacity_bytes", lambda size: size == 1 << 20, domain="web")
    assert promtool("check", "metrics", text=scrape(watched)) == (0, "")


def test_openmetrics_is_well_formed(watched, guest):
    connection = http.client.HTTPConnection("127.0.0.1", watched.port, timeout=60)
    status, kind, text = get(connection, accept=OPENMETRICS)
    assert (status, kind) == (200, "application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert text.endswith("\n# EOF\n")
    family = None
    seen = set()
    kinds = {"counter": ("_total",), "info": ("_info",), "summary": ("_count", "_sum"),
             "histogram": ("_bucket", "_count", "_sum")}
    for line in text.splitlines()[:-1]:
        if line.startswith("# HELP "):
            family = line.split()[2]
            assert family not in seen, "the samples of a family stand together"
            seen.add(family)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name == family
            allowed = [family + suffix for suffix in kinds.get(kind, ("",))]
        elif line.startswith("# UNIT "):
            assert line.split()[2] == family and family.endswith("_" + line.split()[3])
        else:
            assert SAMPLE.fullmatch(line).group(1) in allowed, line


def test_both_doors_tell_the_same_and_the_address_nothing_else(watched, guest):
    at_address = http.client.HTTPConnection("127.0.0.1", watched.port, timeout=60)
    on_socket = Http(watched)
    assert get(at_address, "/")[::2] == (200, "vireod's metrics are at /metrics\n")
    by_address, by_socket = (get(each) for each in (at_address, on_socket))
    assert by_address[:2] == by_socket[:2] == (200, "text/plain; version=0.0.4; charset=utf-8")

    def names(connection):
        return {name for name, _ in samples(get(connection)[2])}

    # What is told of a guest for the first time may come between two scrapes.
    wait_until(lambda: names(at_address) == names(on_socket), what="both telling the same")
    for method, path in (("GET", "/v1/domains"), ("GET", "/v1/daemon"), ("POST", "/v1/reload"), ("POST", "/v1/start"),
                         ("GET", "/metrics/"), ("GET", "/v1/domains/web/trace")):
        assert get(at_address, path, method=method)[0] == 404, path
    assert get(at_address, method="POST")[0] == 405
    assert get(on_socket, "/v1/domains")[0] == 200


def test_guests_are_told_by_the_exporters_names(watched, guest, conn):
    eventually(watched, "libvirt_domain_block_stats_read_bytes_total", lambda read: read > 0, domain="web",
               target_device="vda")
    eventually(watched, "vireo_domain_stale", lambda stale: stale == 0, domain="web")
    text = scrape(watched)
    assert value(text, "libvirt_up") == 1
    assert value(text, "libvirt_domain_info_vstate", domain="web") == libvirt.VIR_DOMAIN_RUNNING
    assert value(text, "libvirt_domain_info_virtual_cpus", domain="web") == 2
    assert value(text, "libvirt_domain_info_maximum_memory_bytes", domain="web") == 64 << 20
    assert value(text, "libvirt_domain_info_cpu_time_seconds_total", domain="web") > 0
    assert value(text, "libvirt_domain_block_stats_capacity_bytes", domain="web", target_device="vda") == 1 << 20
    assert value(text, "libvirt_domain_memory_stats_rss_bytes", domain="web") > 1 << 20
    assert value(text, "libvirt_domain_block_meta", domain="web", source_file=str(watched.root / "disk.img")) == 1
    assert value(text, "vireo_domain_info", domain="web", uuid=guest.UUIDString(), type="qemu") == 1
    assert value(text, "vireo_domain_state", domain="web", state="running", reason="booted") == 1
    assert value(text, "vireo_domain_monitor_round_trip_seconds", domain="web") > 0
    fresh = conn.getAllDomainStats()[0][1]
    assert value(text, "libvirt_domain_vcpu_time_seconds_total", domain="web", vcpu="0") <= fresh["vcpu.0.time"] / 1e9
    assert value(text, "libvirt_domain_block_stats_read_requests_total", domain="web") <= fresh["block.0.rd.reqs"]


def test_a_guest_with_a_hostile_name(watched, conn):
    name = 'a"b\\c {x="1"} é'
    conn.defineXML(domain_xml("plain").replace("<name>plain", "<name>" + name))
    text = scrape(watched)
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    assert value(text, "libvirt_domain_info_vstate", domain=escaped) == libvirt.VIR_DOMAIN_SHUTOFF
    assert promtool("check", "metrics", text=text) == (0, "")
    conn.lookupByName(name).undefine()


def test_what_the_daemon_does_is_counted(watched, guest, conn):
    def counted(text):
        return {name: value(text, f"vireo_{name}", **labels) or 0 for name, labels in (
            ("calls_total", {}), ("procedure_seconds_count", {"procedure": "domain_get_info"}),
            ("launches_total", {"result": "succeeded"}), ("launch_phase_seconds_count", {"phase": "spawn"}), ("http_requests_total", {"door": "metrics"}))}
    before = counted(scrape(watched))
    for _ in range(5):
        guest.info()
    short = conn.defineXML(domain_xml("short"))
    short.create()
    short.destroy()
    short.undefine()
    after = counted(scrape(watched))
    assert after["procedure_seconds_count"] == before["procedure_seconds_count"] + 5
    assert after["calls_total"] >= before["calls_total"] + 9
    assert after["launches_total"] == before["launches_total"] + 1
    assert after["launch_phase_seconds_count"] == before["launch_phase_seconds_count"] + 1
    assert after["http_requests_total"] == before["http_requests_total"] + 1

    def at_rest(text):
        """The daemon's threads come and go, and it may be told later that whoever scraped before has gone."""
        status = pathlib.Path(f"/proc/{watched.pid()}/status").read_text()
        return (value(text, "process_threads") == int(re.search(r"Threads:\s+(\d+)", status)[1])
                and value(text, "vireo_clients", door="metrics") == 1)

    wait_until(lambda: at_rest(scrape(watched)), what="as many threads and clients as there are")
    text = scrape(watched)
    assert value(text, "vireo_procedure_seconds_bucket", procedure="domain_get_info", le="+Inf") == \
        value(text, "vireo_procedure_seconds_count", procedure="domain_get_info")
    assert value(text, "process_resident_memory_bytes") > 1 << 20
    assert 0 < time.time() - value(text, "process_start_time_seconds") < 600
    assert value(text, "vireo_host_processors") == os.cpu_count()
    assert value(text, "vireo_monitor_round_trip_seconds_count") > 0
    assert value(text, "vireo_sampler_period_seconds") == 0.5


def test_a_guest_that_hangs_is_told_and_holds_up_no_scrape(watched, guest):
    eventually(watched, "vireo_domain_stale", lambda stale: stale == 0, domain="web")
    with daemons.stopped(watched.guest_pid(guest.UUIDString())):
        eventually(watched, "vireo_domain_monitor_silent_seconds", lambda silent: silent > 1, domain="web")
        eventually(watched, "vireo_domain_stale", lambda stale: stale == 1, domain="web")
        text = at_once(scrape, watched)
        assert value(text, "vireo_domain_sample_age_seconds", domain="web") > 1
        # What was known of it before is still told, and the kernel's figures need no answer.
        assert value(text, "libvirt_domain_block_stats_read_bytes_total", domain="web") > 0
        assert value(text, "libvirt_domain_info_cpu_time_seconds_total", domain="web") > 0
    eventually(watched, "vireo_domain_monitor_silent_seconds", lambda silent: silent < 1, domain="web")
    eventually(watched, "vireo_domain_stale", lambda stale: stale == 0, domain="web")
    slow = value(scrape(watched), "vireo_monitor_round_trip_seconds_bucket", le="1.0")
    assert slow < value(scrape(watched), "vireo_monitor_round_trip_seconds_count"), "the late answer is counted, too"


def test_other_addresses_than_this_hosts_are_refused(tmp_path):
    binary = daemons.Vireo(tmp_path / "r").command()[0]
    config = tmp_path / "vireod.toml"
    for address, reason in (("0.0.0.0:9177", "put a reverse proxy in front"), ("[::]:9177", "put a reverse proxy"),
                            ("here:9177", "is no address such as")):
        config.write_text(f'metrics_listen = "{address}"\n')
        done = subprocess.run([binary, "--root", str(tmp_path / "r"), "--config", str(config), "--foreground"],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1 and f"{config}:1: metrics_listen: " in done.stderr and reason in done.stderr


def test_an_address_that_is_taken_is_told(watched, tmp_path):
    config = tmp_path / "vireod.toml"
    config.write_text(f'metrics_listen = "127.0.0.1:{watched.port}"\n')
    command = [*daemons.Vireo(tmp_path / "r").command(), "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and f"cannot listen at '127.0.0.1:{watched.port}'" in done.stderr


def test_the_alerts_are_sound():
    rules = CONTRIB / "prometheus/alerts.yml"
    assert promtool("check", "rules", rules)[0] == 0
    code, said = promtool("test", "rules", CONTRIB / "prometheus/alerts_test.yml")
    assert code == 0, said
    tested = (CONTRIB / "prometheus/alerts_test.yml").read_text()
    for group in yaml.safe_load(rules.read_text())["groups"]:
        for rule in group["rules"]:
            assert {"summary", "description", "todo"} == set(rule["annotations"]), rule["alert"]
            assert rule["alert"] in tested


# There only when something is so: a thread hangs, a launch has failed, a guest has a device of the host's for its
# network, its driver reports, the host has pressure stall information.
OCCASIONAL = re.compile(r"vireo_domain_stuck_thread_info|vireo_launch_failures_total|vireo_\w+_pressure_seconds_total|"
                        r"libvirt_domain_interface_stats_\w+")


def expressions():
    """Every expression of the dashboard, with its variables filled in, and of the alerts."""
    board = json.loads((CONTRIB / "grafana/vireo.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"]
            for variable, stands_for in (("$__rate_interval", "5m"), ("$instance", ".*"), ("$domain", ".*")):
                expression = expression.replace(variable, stands_for)
            assert "$" not in expression, f"{panel['title']} has an unknown variable: {expression}"
            yield f"{panel['title']} {target['refId']}", expression
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            metric = re.fullmatch(r"label_values\((.*), \w+\)", variable["definition"])[1]
            yield variable["name"], metric.replace("$instance", ".*")
    for group in yaml.safe_load((CONTRIB / "prometheus/alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def test_every_expression_is_promql(tmp_path):
    rules = [{"record": f"r:{number}", "expr": expression} for number, (_, expression) in enumerate(expressions())]
    assert len(rules) > 60
    wrapped = tmp_path / "dashboard.yml"
    wrapped.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    code, said = promtool("check", "rules", wrapped)
    assert code == 0, said
    (tmp_path / "bad.yml").write_text(wrapped.read_text().replace("sum by (domain)", "sum by domain"))
    assert promtool("check", "rules", tmp_path / "bad.yml")[0] != 0, "the check can fail"


def test_every_metric_that_is_asked_for_is_there(watched, guest):
    eventually(watched, "libvirt_domain_block_stats_capacity_bytes", lambda size: size == 1 << 20, domain="web")
    told = {name for name, _ in samples(scrape(watched))}
    source = "".join(path.read_text() for path in (daemons.REPOSITORY / "src/doors/http/metrics").glob("*.cpp"))
    asked = set()
    for where, expression in expressions():
        names = set(re.findall(r"\b(?:libvirt|vireo|process)_[a-z0-9_]+", re.sub(r'"[^"]*"', "", expression)))
        assert names or expression.startswith("up{"), where
        for name in names - told:
            assert OCCASIONAL.fullmatch(name), f"{where} asks for {name}, which there is not"
            assert f'"{re.sub("_(total|info)$", "", name)}"' in source, f"{where} asks for {name}"
        asked |= names
    assert len(asked & told) > 40


def test_the_dashboard_is_one():
    board = json.loads((CONTRIB / "grafana/vireo.json").read_text())
    assert board["title"] == "Vireo" and board["schemaVersion"] >= 36
    assert [variable["name"] for variable in board["templating"]["list"]] == ["datasource", "instance", "domain"]
    taken = set()
    identities = set()
    for panel in board["panels"]:
        identities.add(panel["id"])
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, f"{panel['title']} lies on another panel"
        taken |= cells
        if panel["type"] == "row":
            continue
        assert panel["type"] in ("timeseries", "stat", "heatmap", "table") and panel["description"].endswith(".")
        assert panel["targets"] and panel["fieldConfig"] and panel["options"]
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert len(identities) == len(board["panels"])
