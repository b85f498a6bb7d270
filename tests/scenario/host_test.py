"""What virsh and virt-manager ask of a host before they ask of any guest."""

import os
import pathlib
import platform
import re
import xml.etree.ElementTree as ET

import libvirt


def test_uri(virsh, daemon):
    assert virsh("uri") == daemon.uri


def test_hostname(virsh):
    assert virsh("hostname") == platform.node()


def test_version(virsh, conn):
    lines = virsh("version", "--daemon").splitlines()
    qemu = ".".join(str(conn.getVersion() // step % 1000) for step in (1000000, 1000, 1))
    assert lines == [
        "Compiled against library: libvirt 9.0.0",
        "Using library: libvirt 9.0.0",
        "Using API: QEMU 9.0.0",
        f"Running hypervisor: QEMU {qemu}",
        "Running against daemon: 9.0.0",
    ]
    installed = os.popen("qemu-system-x86_64 --version").read()
    assert f"QEMU emulator version {qemu} " in installed


def test_what_python_asks_at_connect(conn):
    assert conn.getType() == "QEMU"
    assert conn.getLibVersion() == 9000000
    assert conn.isAlive() == 1
    assert conn.isEncrypted() == 0
    assert conn.isSecure() == 1
    assert conn.getMaxVcpus("qemu") >= 16
    assert conn.numOfDomains() == 0
    assert conn.listDomainsID() == []
    assert conn.listDefinedDomains() == []


def memory_of_nodes_kib():
    """libvirt adds up what the NUMA nodes have, which may differ from /proc/meminfo."""
    nodes = pathlib.Path("/sys/devices/system/node").glob("node[0-9]*/meminfo")
    return sum(int(re.search(r"MemTotal: +(\d+) kB", node.read_text()).group(1)) for node in nodes)


def test_nodeinfo(virsh):
    lines = virsh("nodeinfo").splitlines()
    names = [line.split(":")[0] for line in lines]
    values = dict(re.split(r": +", line) for line in lines)
    assert names == ["CPU model", "CPU(s)", "CPU frequency", "CPU socket(s)", "Core(s) per socket",
                     "Thread(s) per core", "NUMA cell(s)", "Memory size"]
    assert values["CPU model"] == platform.machine()
    assert int(values["CPU(s)"]) == os.cpu_count()
    assert (int(values["CPU socket(s)"]) * int(values["Core(s) per socket"]) * int(values["Thread(s) per core"])
            * int(values["NUMA cell(s)"])) == os.cpu_count()
    assert values["CPU frequency"].endswith(" MHz")
    assert values["Memory size"] == f"{memory_of_nodes_kib()} KiB"


def test_capabilities(virsh):
    capabilities = ET.fromstring(virsh("capabilities"))
    assert capabilities.tag == "capabilities"
    assert re.fullmatch(r"[0-9a-f-]{36}", capabilities.findtext("host/uuid"))
    assert capabilities.findtext("host/cpu/arch") == platform.machine()
    cells = capabilities.findall("host/topology/cells/cell")
    assert sum(len(cell.findall("cpus/cpu")) for cell in cells) == os.cpu_count()
    native = [guest for guest in capabilities.findall("guest")
              if guest.findtext("os_type") == "hvm" and guest.find("arch").get("name") == "x86_64"]
    assert len(native) == 1
    arch = native[0].find("arch")
    assert arch.findtext("wordsize") == "64"
    assert arch.findtext("emulator") == "/usr/bin/qemu-system-x86_64"
    assert "qemu" in [domain.get("type") for domain in arch.findall("domain")]
    machines = {machine.text: machine for machine in arch.findall("machine")}
    assert {"pc", "q35"} <= set(machines)
    assert machines["pc"].get("canonical").startswith("pc-i440fx-")
    assert int(machines["q35"].get("maxCpus")) >= 255
    assert native[0].find("features/acpi") is not None


def test_both_sockets(daemon):
    read_only = libvirt.openReadOnly(f"{daemon.uri}-ro")
    assert read_only.listAllDomains() == []
    read_only.close()
