"""One guest's figures, one call each: disks, interfaces, memory, processors, what is going on with it; and the host's.

Most stories are the same with libvirtd; what a hung monitor does to them is told of Vireo alone, since libvirtd waits
for it.
"""

import os
import pathlib
import re
import signal
import subprocess
import xml.etree.ElementTree as ET

import libvirt
import pytest

from conftest import short_folder
from daemons import stopped
from definitions import domain_xml
from patience import at_once, wait_until

# The default is half a second, and these figures come from guests that a busy machine may leave alone for longer.
SETTINGS = "stats_deadline_ms = 5000\n"

MIB = 1024 * 1024
BALLOON = "<memballoon model='virtio'/>"
REPORTING = "<memballoon model='virtio'><stats period='1'/></memballoon>"
NOT_RUNNING = (libvirt.VIR_ERR_OPERATION_INVALID, "Requested operation is not valid: domain is not running")


def disk(file, target, kind="raw", bus="virtio"):
    return (f"<disk type='file' device='disk'><driver name='qemu' type='{kind}'/><source file='{file}'/>"
            f"<target dev='{target}' bus='{bus}'/></disk>")


NIC = "<interface type='user'><mac address='52:54:00:aa:bb:01'/><model type='virtio'/></interface>"
EMPTY_DRIVE = "<disk type='file' device='cdrom'><target dev='hda' bus='ide'/><readonly/></disk>"


def refused(call, *arguments):
    """The code and the message with which the call is refused."""
    with pytest.raises(libvirt.libvirtError) as caught:
        call(*arguments)
    return caught.value.get_error_code(), str(caught.value)


@pytest.fixture
def images(tmp_path_factory):
    """A raw image of 16 MiB and a qcow2 of 32 MiB, where QEMU's user can reach them."""
    folder = short_folder(tmp_path_factory)
    raw, qcow2 = folder / "disk.raw", folder / "disk.qcow2"
    raw.write_bytes(b"\x01" * 65536)  # there is no boot record in it, but the firmware reads to see
    os.truncate(raw, 16 * MIB)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", qcow2, "32M"], check=True)
    for image in (raw, qcow2):
        image.chmod(0o666)
    return {"vda": raw, "vdb": qcow2}


@pytest.fixture
def disks(conn, images):
    """A guest with two disks, an empty drive and an interface; it is shut off."""
    devices = disk(images["vda"], "vda") + disk(images["vdb"], "vdb", "qcow2") + EMPTY_DRIVE + NIC
    return conn.defineXML(domain_xml("disks", devices=devices, vcpus=2, balloon=BALLOON))


@pytest.fixture
def running(disks):
    """The same, once its firmware has looked for something to boot, paused."""
    disks.create()
    wait_until(lambda: disks.blockStats("vda")[0] > 0, what="the firmware's first read")
    disks.suspend()
    return disks


def write(virsh, number, at, length):
    path = f"/machine/peripheral/virtio-disk{number}/virtio-backend"
    virsh("qemu-monitor-command", "disks", "--hmp", f'qemu-io -d {path} "write {at} {length}"')


def taken(image):
    return os.stat(image).st_blocks * 512


# Disks


def test_what_a_disk_has_read_and_written(virsh, running):
    reads, read_bytes, writes, written_bytes, errors = running.blockStats("vda")
    assert reads > 0 and read_bytes >= 512 and (writes, written_bytes, errors) == (0, 0, -1)
    assert running.blockStats(ET.fromstring(running.XMLDesc()).find(".//disk/source").get("file")) == (
        reads, read_bytes, 0, 0, -1)
    assert running.blockStats("hda") == (0, 0, 0, 0, -1)
    together = running.blockStats("")
    assert together[0] == sum(running.blockStats(name)[0] for name in ("vda", "vdb", "hda"))
    more = running.blockStatsFlags("vda", 0)
    assert list(more) == ["wr_bytes", "wr_operations", "rd_bytes", "rd_operations", "flush_operations",
                          "wr_total_times", "rd_total_times", "flush_total_times"]
    assert more["rd_operations"] == reads and more["rd_total_times"] > 0
    bulk = running.connect().domainListGetStats([running], libvirt.VIR_DOMAIN_STATS_BLOCK)[0][1]
    assert (bulk["block.0.rd.reqs"], bulk["block.0.rd.times"]) == (reads, more["rd_total_times"])
    assert virsh("domblkstat", "disks", "vda").splitlines() == [
        f"vda rd_req {reads}", f"vda rd_bytes {read_bytes}", "vda wr_req 0", "vda wr_bytes 0",
        f"vda flush_operations {more['flush_operations']}", f"vda rd_total_times {more['rd_total_times']}",
        "vda wr_total_times 0", f"vda flush_total_times {more['flush_total_times']}"]
    assert f" number of bytes read:           {read_bytes}" in virsh("domblkstat", "disks", "vda", "--human")
    assert virsh("domblkerror", "disks") == "No errors found"


def test_sizes_of_images_in_use(virsh, running, images):
    raw, qcow2 = images["vda"], images["vdb"]
    # Nothing was written since the guest began.
    assert running.blockInfo("vda") == [16 * MIB, taken(raw), 16 * MIB]
    assert running.blockInfo("vdb") == [32 * MIB, taken(qcow2), qcow2.stat().st_size]
    write(virsh, 0, "8M", "64k")
    write(virsh, 1, "8M", "64k")
    assert running.blockInfo("vda") == [16 * MIB, 8 * MIB + 65536, taken(raw)]
    assert running.blockInfo("vdb") == [32 * MIB, taken(qcow2), qcow2.stat().st_size]
    assert running.blockInfo(str(raw)) == running.blockInfo("vda")
    table = [line.split() for line in virsh("domblkinfo", "disks", "--all").splitlines()]
    assert table[0] == ["Target", "Capacity", "Allocation", "Physical"]
    assert table[2:] == [["vda", str(16 * MIB), str(8 * MIB + 65536), str(taken(raw))],
                         ["vdb", str(32 * MIB), str(taken(qcow2)), str(qcow2.stat().st_size)],
                         ["hda", "-", "-", "-"]]
    assert virsh("domblkinfo", "disks", "vda", "--human").split()[:3] == ["Capacity:", "16.000", "MiB"]


def test_sizes_of_images_at_rest(virsh, disks, images):
    assert disks.blockInfo("vda") == [16 * MIB, taken(images["vda"]), 16 * MIB]
    assert disks.blockInfo("vdb") == [32 * MIB, taken(images["vdb"]), images["vdb"].stat().st_size]
    assert re.search(r"vdb +32\.000 MiB", virsh("domblkinfo", "disks", "--all", "--human"))
    os.remove(images["vda"])
    assert refused(disks.blockInfo, "vda") == (
        libvirt.VIR_ERR_SYSTEM_ERROR, f"Failed to open file '{images['vda']}': No such file or directory")
    assert disks.blockInfo("vdb")[0] == 32 * MIB


def test_disks_that_are_not_there(running):
    invalid = libvirt.VIR_ERR_INVALID_ARG
    for call in (running.blockStats, running.blockStatsFlags):
        assert refused(call, "vdz") == (invalid, "invalid argument: invalid path: vdz")
    assert refused(running.blockInfo, "vdz") == (invalid, "invalid argument: invalid path vdz not assigned to domain")
    assert refused(running.blockInfo, "hda") == (
        invalid, "invalid argument: disk 'hda' does not currently have a source assigned")


# Interfaces


def test_interfaces(virsh, running):
    rows = [line.split() for line in virsh("domiflist", "disks").splitlines()]
    assert rows[2] == ["-", "user", "-", "virtio", "52:54:00:aa:bb:01"]
    assert refused(running.interfaceStats, "nosuch") == (
        libvirt.VIR_ERR_INVALID_ARG, "invalid argument: 'nosuch' is not a known interface")
    # QEMU forwards it by itself: there is no device of the host that would count.
    assert refused(running.interfaceStats, "52:54:00:aa:bb:01") == (
        libvirt.VIR_ERR_INTERNAL_ERROR, "internal error: Interface name not provided")
    assert running.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE) == {}
    from_agent = libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT
    assert refused(running.interfaceAddresses, from_agent) == NOT_RUNNING  # nobody in it who could answer
    running.resume()
    assert refused(running.interfaceAddresses, from_agent) == (
        libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, "argument unsupported: QEMU guest agent is not configured")
    assert refused(running.interfaceAddresses, 7) == (
        libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, "argument unsupported: Unknown IP address data source 7")


def test_what_went_over_an_interface(conn, virsh):
    mac = "52:54:00:aa:bb:02"
    nic = f"<interface type='ethernet'><mac address='{mac}'/><model type='virtio'/></interface>"
    domain = conn.createXML(domain_xml("wired", devices=nic))
    device = ET.fromstring(domain.XMLDesc()).find(".//interface/target").get("dev")
    domain.suspend()
    stats = domain.interfaceStats(device)
    assert len(stats) == 8 and min(stats) >= 0
    assert len(domain.interfaceStats(mac)) == 8
    # The host sees it the other way round: what it receives is what the guest has sent.
    folder = pathlib.Path("/sys/class/net") / device / "statistics"
    if folder.exists():  # it is libvirtd's own host otherwise
        assert domain.interfaceStats(device)[4] == int((folder / "rx_bytes").read_text())
    assert [line.split()[:2] for line in virsh("domifstat", "wired", device).splitlines()] == [
        [device, name] for name in ("rx_bytes", "rx_packets", "rx_errs", "rx_drop", "tx_bytes", "tx_packets", "tx_errs",
                                    "tx_drop")]


def test_an_agent_that_is_not_there(conn):
    agent = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
    domain = conn.createXML(domain_xml("agentless", devices=agent))
    assert refused(domain.interfaceAddresses, libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT) == (
        libvirt.VIR_ERR_AGENT_UNRESPONSIVE, "Guest agent is not responding: QEMU guest agent is not connected")


@pytest.mark.vireo_only  # libvirtd asks by netlink, which not every sandbox has
def test_addresses_from_the_arp_table(conn, virsh):
    lines = [line.split() for line in pathlib.Path("/proc/net/arp").read_text().splitlines()[1:]]
    known = {line[3]: line[0] for line in lines if int(line[2], 16) & 2}
    if not known:
        pytest.skip("this host knows no neighbours")
    mac, address = next(iter(known.items()))
    if int(mac[:2], 16) & 1:
        pytest.skip("a neighbour with a multicast address")
    conn.createXML(domain_xml("neighbour", devices=f"<interface type='user'><mac address='{mac}'/></interface>"))
    told = virsh("domifaddr", "neighbour", "--source", "arp")
    # The host may have forgotten it by now.
    assert address in told or address not in pathlib.Path("/proc/net/arp").read_text()


# Memory


def test_memory_without_a_balloon(conn):
    domain = conn.createXML(domain_xml("flat"))
    stats = domain.memoryStats()
    assert list(stats) == ["rss"] and stats["rss"] > 1024
    assert refused(domain.setMemoryStatsPeriod, 1) == (
        libvirt.VIR_ERR_INTERNAL_ERROR,
        "internal error: No memory balloon device configured, can not set the collection period")


def test_the_period_of_reports(virsh, running):
    def period(flags=0):
        stats = ET.fromstring(running.XMLDesc(flags)).find(".//memballoon/stats")
        return stats.get("period") if stats is not None else None

    stats = running.memoryStats()
    assert list(stats) == ["actual", "last_update", "rss"]
    assert (stats["actual"], stats["last_update"]) == (64 * 1024, 0)
    running.setMemoryStatsPeriod(3)
    assert (period(), period(libvirt.VIR_DOMAIN_XML_INACTIVE)) == ("3", None)
    virsh("dommemstat", "disks", "--period", 4, "--config")
    assert (period(), period(libvirt.VIR_DOMAIN_XML_INACTIVE)) == ("3", "4")
    virsh("dommemstat", "disks", "--period", 5, "--live", "--config")
    assert (period(), period(libvirt.VIR_DOMAIN_XML_INACTIVE)) == ("5", "5")
    said = virsh("qemu-monitor-command", "disks",
                 '{"execute": "qom-get", "arguments": {"path": "/machine/peripheral/balloon0",'
                 ' "property": "guest-stats-polling-interval"}}')
    assert re.search(r'"return":\s*5\b', said)
    running.setMemoryStatsPeriod(0, libvirt.VIR_DOMAIN_AFFECT_LIVE | libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    assert (period(), period(libvirt.VIR_DOMAIN_XML_INACTIVE)) == (None, None)
    running.destroy()
    running.setMemoryStatsPeriod(7)
    assert period() == "7"
    assert refused(running.setMemoryStatsPeriod, 1, libvirt.VIR_DOMAIN_AFFECT_LIVE) == NOT_RUNNING


def test_what_the_driver_in_the_guest_reports(booted, virsh):
    domain, _ = booted("reporting", balloon=REPORTING)
    wait_until(lambda: domain.memoryStats().get("last_update"), what="the driver's first report")
    stats = domain.memoryStats()
    assert list(stats) == ["actual", "swap_in", "swap_out", "major_fault", "minor_fault", "unused", "available",
                           "usable", "last_update", "disk_caches", "hugetlb_pgalloc", "hugetlb_pgfail", "rss"]
    assert stats["actual"] == 96 * 1024
    assert 0 < stats["unused"] <= stats["available"] < stats["actual"]
    assert [line.split()[0] for line in virsh("dommemstat", "reporting").splitlines()] == list(stats)


def test_how_fast_memory_changes(running, virsh):
    running.resume()
    assert refused(running.startDirtyRateCalc, 61, 0) == (
        libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
        "unsupported configuration: seconds=61 is invalid, please choose value within [1, 60].")
    assert refused(running.startDirtyRateCalc, 1, libvirt.VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_RING) == (
        libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
        "Operation not supported: dirty-ring calculation mode requires dirty-ring feature enabled.")
    assert "successfully" in virsh("domdirtyrate-calc", "disks", "--seconds", 1)

    def measured(status=libvirt.VIR_DOMAIN_DIRTYRATE_MEASURED):
        stats = running.connect().domainListGetStats([running], libvirt.VIR_DOMAIN_STATS_DIRTYRATE)[0][1]
        return stats if stats["dirtyrate.calc_status"] == status else None

    wait_until(measured, what="the measurement's end")
    assert measured()["dirtyrate.calc_period"] == 1
    assert measured()["dirtyrate.calc_mode"] == "page-sampling"
    running.startDirtyRateCalc(60, 0)
    # QEMU itself notes a moment after it has answered that it measures.
    wait_until(lambda: measured(libvirt.VIR_DOMAIN_DIRTYRATE_MEASURING), what="the measurement's beginning")
    code, message = refused(running.startDirtyRateCalc, 1, 0)
    assert code == libvirt.VIR_ERR_INTERNAL_ERROR and message.endswith("the dirty rate is already being measured.")


@pytest.mark.vireo_only  # libvirtd asks QEMU, which ends
def test_a_way_to_measure_that_would_end_an_emulating_qemu(running):
    code, message = refused(running.startDirtyRateCalc, 1, libvirt.VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_BITMAP)
    assert code == libvirt.VIR_ERR_OPERATION_UNSUPPORTED and "needs KVM" in message
    assert running.isActive()


# Processors


def test_processor_time(virsh, running):
    total = running.getCPUStats(True)[0]
    assert list(total) == ["cpu_time", "user_time", "system_time"]
    assert 0 < total["user_time"] + total["system_time"] < 2 * total["cpu_time"]
    assert re.fullmatch(r"Total:\n\tcpu_time +[\d.]+ seconds\n\tuser_time +[\d.]+ seconds\n\tsystem_time +[\d.]+ seconds",
                        virsh("cpu-stats", "disks", "--total"))
    running.resume()
    wait_until(lambda: running.getCPUStats(True)[0]["cpu_time"] > total["cpu_time"], what="another tick")


@pytest.mark.skipif(not os.path.exists("/sys/fs/cgroup/cgroup.controllers"), reason="control groups of version 1")
def test_processor_time_by_processor(running):
    assert refused(running.getCPUStats, False) == (
        libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
        "Operation not supported: operation 'getCpuacctPercpuUsage' not supported for backend 'cgroup V2'")


def test_vcpus(virsh, running):
    host_cpus = running.connect().getInfo()[2]
    infos, maps = running.vcpus()
    assert [(info[0], info[1]) for info in infos] == [(0, libvirt.VIR_VCPU_RUNNING), (1, libvirt.VIR_VCPU_RUNNING)]
    assert infos[0][2] > 0 and all(0 <= info[3] < host_cpus for info in infos)
    assert maps == [(True,) * host_cpus] * 2
    assert running.vcpuPinInfo() == maps and running.emulatorPinInfo() == maps[0]
    blocks = virsh("vcpuinfo", "disks", "--pretty").split("\n\n")
    assert len(blocks) == 2
    everywhere = f"0-{host_cpus - 1} (out of {host_cpus})" if host_cpus > 1 else "0 (out of 1)"
    assert re.fullmatch(rf"VCPU: +0\nCPU: +\d+\nState: +running\nCPU time: +[\d.]+s\nCPU Affinity: +{re.escape(everywhere)}",
                        blocks[0])
    running.destroy()
    assert virsh("vcpuinfo", "disks").split("\n\n")[1].splitlines() == [
        "VCPU:           1", "CPU:            N/A", "State:          N/A", "CPU time        N/A",
        "CPU Affinity:   " + "y" * host_cpus]
    assert refused(running.vcpus) == (
        libvirt.VIR_ERR_OPERATION_INVALID,
        "Requested operation is not valid: cannot retrieve vcpu information for inactive domain")
    assert refused(running.vcpuPinInfo, libvirt.VIR_DOMAIN_AFFECT_LIVE) == NOT_RUNNING


# What is going on


def test_a_guest_at_rest_has_no_running_figures(disks):
    for call in (lambda: disks.blockStats("vda"), lambda: disks.blockStatsFlags("vda"), disks.diskErrors,
                 lambda: disks.interfaceStats("vnet0"), lambda: disks.interfaceAddresses(0), disks.memoryStats,
                 lambda: disks.getCPUStats(True), disks.controlInfo, disks.jobInfo, disks.jobStats,
                 lambda: disks.startDirtyRateCalc(1, 0)):
        assert refused(call) == NOT_RUNNING
    assert disks.jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED) == {"type": libvirt.VIR_DOMAIN_JOB_NONE}
    assert disks.ioThreadInfo() == []


def test_nothing_is_going_on(virsh, running):
    # Its monitor may just be asked for a sample.
    wait_until(lambda: running.controlInfo() == [libvirt.VIR_DOMAIN_CONTROL_OK, 0, 0], what="the sample's end")
    wait_until(lambda: virsh("domcontrol", "disks") == "ok", what="the sample's end")
    assert running.jobInfo() == [0] * 12
    assert running.jobStats() == {"type": libvirt.VIR_DOMAIN_JOB_NONE}
    assert virsh("domjobinfo", "disks").split() == ["Job", "type:", "None"]
    assert running.ioThreadInfo() == []
    events = running.perfEvents()
    assert len(events) == 22 and list(events)[0] == "cmt" and not any(events.values())


def test_dominfo(virsh, running):
    facts = dict(line.split(":", 1) for line in virsh("dominfo", "disks").splitlines())
    assert {key: value.strip() for key, value in facts.items() if key in
            ("State", "CPU(s)", "Max memory", "Used memory", "Persistent", "Autostart", "Managed save")} == {
        "State": "paused", "CPU(s)": "2", "Max memory": "65536 KiB", "Used memory": "65536 KiB", "Persistent": "yes",
        "Autostart": "disable", "Managed save": "no"}
    assert float(facts["CPU time"].strip().rstrip("s")) > 0


def test_the_host(conn, virsh):
    cpus = conn.getInfo()[2]
    total = conn.getCPUStats(-1)
    assert list(total) == ["kernel", "user", "idle", "iowait"]
    each = [conn.getCPUStats(number) for number in range(cpus)]
    # Some time passes between one question and the next, and the kernel may sum up roughly.
    assert 0.95 * total["user"] <= sum(one["user"] for one in each) <= 1.05 * conn.getCPUStats(-1)["user"]
    assert refused(conn.getCPUStats, cpus + 100)[0] == libvirt.VIR_ERR_INVALID_ARG
    assert conn.getCPUMap() == (cpus, [True] * cpus, cpus)
    memory = conn.getMemoryStats(-1)
    assert list(memory) == ["total", "free", "buffers", "cached"]
    told = re.search(r"MemTotal: +(\d+) kB", pathlib.Path("/proc/meminfo").read_text())
    assert memory["total"] == int(told[1])
    assert list(conn.getMemoryStats(0)) == ["total", "free"]
    code, message = refused(conn.getMemoryStats, 1000)
    assert code == libvirt.VIR_ERR_INVALID_ARG and "must be less than or equal to" in message
    assert virsh("nodecpustats").split()[0] == "user:"
    assert virsh("nodememstats", "--cell", 0).split()[:2] == ["total", ":"]


# A monitor that hangs


@pytest.fixture
def hung(daemon, conn, images):
    """A guest whose balloon reports and whose QEMU is stopped by a signal; another beside it."""
    other = conn.createXML(domain_xml("other", balloon=REPORTING))
    domain = conn.createXML(domain_xml("hung", devices=disk(images["vda"], "vda") + NIC, balloon=REPORTING))
    domain.memoryStats()
    pid = daemon.guest_pid(domain.UUIDString())
    with stopped(pid):
        yield domain, other, pid


@pytest.mark.vireo_only  # libvirtd waits as long as the monitor hangs
def test_figures_that_only_a_hung_monitor_knows(virsh, hung):
    domain, other, pid = hung
    for call in (domain.memoryStats, lambda: domain.blockStats("vda"), lambda: domain.blockInfo("vda"),
                 domain.diskErrors):
        code, message = at_once(refused, call)
        assert code == libvirt.VIR_ERR_OPERATION_TIMEOUT
        assert re.search(r"the monitor of guest 'hung' has not answered for \d+\.\d s; "
                         r"'virsh domstats hung' shows its last known figures", message)
    assert list(at_once(other.memoryStats))[0] == "actual"
    state, details, since_ms = domain.controlInfo()
    assert (state, details) == (libvirt.VIR_DOMAIN_CONTROL_OCCUPIED, 0) and since_ms > 1000
    assert re.fullmatch(r"occupied \(\d+\.\d+s\)", virsh("domcontrol", "hung"))
    wait_until(lambda: virsh("domcontrol", "other") == "ok", what="the end of what it may be asked just now")
    os.kill(pid, signal.SIGCONT)
    wait_until(lambda: domain.controlInfo()[0] == libvirt.VIR_DOMAIN_CONTROL_OK, what="the monitor's answer")
    assert len(domain.blockStats("vda")) == 5


@pytest.mark.vireo_only
def test_figures_that_the_kernel_knows_come_all_the_same(virsh, hung):
    domain, _, _ = hung
    refused(domain.memoryStats)  # its monitor is waited for from now on
    assert at_once(domain.getCPUStats, True)[0]["cpu_time"] > 0
    assert len(at_once(domain.vcpus)[0]) == 1
    assert at_once(domain.info)[0] == libvirt.VIR_DOMAIN_RUNNING
    assert at_once(domain.jobStats) == {"type": libvirt.VIR_DOMAIN_JOB_NONE}
    assert at_once(refused, domain.interfaceStats, "52:54:00:aa:bb:01")[0] == libvirt.VIR_ERR_INTERNAL_ERROR
    assert at_once(domain.interfaceAddresses, 0) == {}
    for command in (("dominfo",), ("domiflist",), ("domjobinfo",), ("vcpuinfo",), ("cpu-stats", "--total"),
                    ("domcontrol",)):
        assert at_once(virsh, command[0], "hung", *command[1:])
