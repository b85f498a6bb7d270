"""collectd's virt plugin, as Debian ships it, reads all its figures of a running guest.

The plugin makes a connection of its own, registers for lifecycle events, asks a few figures in bulk and most of them
one call each, and switches a figure off for good once it is told that it is not supported. So every figure must come,
must come again, and the plugin must find nothing to complain about that it would not find with libvirtd.
"""

import csv
import os
import subprocess

import pytest

from interfaces_test import bridge, ip, target_of  # noqa: F401 (a fixture)
from patience import wait_until

MIB = 1024 * 1024
# All but fs_info, which needs an agent in the guest, and job_stats_completed, which excludes job_stats_background.
ASKED = ("cpu_util disk disk_err domain_state job_stats_background memory pcpu perf vcpu vcpupin "
         "disk_allocation disk_capacity disk_physical")
# The plugin knows fewer figures of memory than libvirt 9 and says so each time; and it says when a busy machine has kept
# it from being done within a second.
HARMLESS = ("Array index out of bounds: tag_index", "above its read interval")

# A busy machine may keep a guest from answering for longer than the default, and the plugin would complain.
SETTINGS = "stats_deadline_ms = 10000\n"

CONFIGURATION = """
FQDNLookup false
Interval 1
BaseDir "{folder}"
PIDFile "{folder}/pid"
TypesDB "/usr/share/collectd/types.db"
LoadPlugin logfile
<Plugin logfile>
  LogLevel info
  PrintSeverity true
  File "{folder}/log"
</Plugin>
LoadPlugin csv
<Plugin csv>
  DataDir "{folder}/csv"
</Plugin>
LoadPlugin virt
<Plugin virt>
  Connection "{uri}"
  HostnameFormat name
  ExtraStats "{asked}"
</Plugin>
"""


class Collectd:
    """A collectd of the story's own, and what it wrote about one guest."""

    def __init__(self, folder, uri, guest):
        self.log_path, self.figures_folder = folder / "log", folder / "csv" / guest / "virt"
        self.log_path.touch()
        configuration = folder / "collectd.conf"
        configuration.write_text(CONFIGURATION.format(folder=folder, uri=uri, asked=ASKED))
        self.process = subprocess.Popen(["collectd", "-f", "-C", configuration], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def log(self):
        return self.log_path.read_text(encoding="utf-8").splitlines()

    def complaints(self):
        return [line for line in self.log()
                if ("[error]" in line or "[warning]" in line or "Disabled" in line)
                and not any(harmless in line for harmless in HARMLESS)]

    def rows(self, figure):
        """What was written of it, oldest first: each row's values without the time. The last may be half a row."""
        rows = []
        for path in sorted(self.figures_folder.glob(f"{figure}-20??-??-??")):
            with open(path, encoding="ascii") as file:
                complete = (line for line in file.readlines() if line.endswith("\n"))
            rows += [[float(value) for value in row[1:]] for row in list(csv.reader(complete))[1:]]
        return rows

    def last(self, figure):
        rows = self.rows(figure)
        return rows[-1] if rows else None

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


@pytest.fixture
def collectd(daemon, folder):
    running = []

    def start(guest):
        running.append(Collectd(folder, daemon.uri, guest))
        return running[-1]

    yield start
    for one in running:
        one.stop()


def expected_figures(card):
    names = {"domain_state", "ps_cputime", "ps_pagefaults", "virt_cpu_total", "percent-virt_cpu_total"}
    names |= {f"virt_vcpu-{i}" for i in (0, 1)}
    names |= {f"cpu_affinity-vcpu_{i}-cpu_{j}" for i in (0, 1) for j in range(os.cpu_count())}
    names |= {f"memory-{what}" for what in ("total", "actual_balloon", "available", "unused", "usable", "rss",
                                            "disk_caches")}
    names |= {f"disk_{what}-vda" for what in ("ops", "octets", "time", "allocation", "capacity", "physical")}
    names |= {"total_requests-flush-vda", "total_time_in_ms-flush-vda"}
    return names | {f"if_{what}-{card}" for what in ("octets", "packets", "errors", "dropped")}


def test_collectd_reads_all_figures(booted, collectd, bridge, folder):  # noqa: F811
    image = folder / "disk.raw"
    image.touch()
    os.truncate(image, 16 * MIB)
    image.chmod(0o666)
    ip("link", "set", bridge, "up")
    domain, console = booted(
        "meter", vcpus=2, balloon="<memballoon model='virtio'><stats period='1'/></memballoon>",
        devices=f"<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{image}'/>"
                f"<target dev='vda' bus='virtio'/></disk>"
                f"<interface type='bridge'><source bridge='{bridge}'/><model type='virtio'/></interface>")
    card = target_of(domain)
    meter = collectd("meter")
    # A share of a processor needs two looks, and what the balloon tells comes a moment after the driver.
    wait_until(lambda: all(map(meter.last, expected_figures(card))) and len(meter.rows("percent-virt_cpu_total")) > 1,
               timeout_s=60, what="every figure")
    assert meter.complaints() == []

    before = {figure: meter.last(figure) for figure in ("virt_cpu_total", "virt_vcpu-0", f"if_octets-{card}")}
    console.shell("ip link set eth0 up; dd if=/dev/zero of=/dev/vda bs=64k count=16 conv=fsync; echo wri''tten")
    console.expect("written")
    wait_until(lambda: meter.last("disk_octets-vda")[1] == MIB and meter.last("total_requests-flush-vda")[0] > 0
               and meter.last(f"if_octets-{card}")[1] > before[f"if_octets-{card}"][1], what="what the guest wrote")
    for figure in ("virt_cpu_total", "virt_vcpu-0"):
        wait_until(lambda figure=figure: meter.last(figure) > before[figure], what=f"more of {figure}")

    reads, read_bytes, writes, written_bytes, _ = domain.blockStats("vda")
    wait_until(lambda: meter.last("disk_ops-vda") == [reads, writes], what="the disk's operations")
    wait_until(lambda: meter.last("disk_octets-vda") == [read_bytes, written_bytes], what="the disk's bytes")
    assert all(time_ns > 0 for time_ns in meter.last("disk_time-vda"))
    wait_until(lambda: meter.last("disk_allocation-vda") == [MIB], what="the image's growth")
    assert meter.last("disk_capacity-vda") == [16 * MIB]
    wait_until(lambda: meter.last("disk_physical-vda") == [image.stat().st_blocks * 512], what="the blocks in use")
    assert meter.last("memory-total") == meter.last("memory-actual_balloon") == [96 * MIB]
    assert 0 < meter.last("memory-unused")[0] < meter.last("memory-usable")[0] < meter.last("memory-available")[0]
    assert meter.last("memory-rss")[0] > 32 * MIB
    assert meter.last("domain_state")[0] == 1

    domain.suspend()
    wait_until(lambda: any("the domain is paused by user" in line for line in meter.log()), what="news of the pause")
    assert meter.complaints() == []
