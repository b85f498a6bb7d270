"""Statistics of guests in bulk: names, order and values as libvirt gives them."""

import re
import shutil
import subprocess

import libvirt
import pytest

import daemons
from conftest import short_folder
from definitions import domain_xml
from patience import wait_until

# The default is half a second, and these figures come from guests that a busy machine may leave alone for longer.
SETTINGS = "stats_deadline_ms = 10000\n"

ALL = 0
STATE, BLOCK = libvirt.VIR_DOMAIN_STATS_STATE, libvirt.VIR_DOMAIN_STATS_BLOCK
BACKING = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING
ENFORCE = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS
OWN = ("vireo.age_ms", "vireo.stale")
# What two daemons must agree about; the rest is time, memory and processors.
EQUAL = ("capacity", "physical", "allocation", "backingIndex", "name", "count", "reqs", "bytes", "state", "reason",
         "maximum", "current", "calc_status", "calc_mode")


def make_images(folder):
    """A raw image and a chain of three."""
    def qemu_img(*words):
        subprocess.run(["qemu-img", "create", "-q", "-f", *words], cwd=folder, check=True)
    (folder / "raw.img").write_bytes(b"x" * 65536 + bytes((1 << 20) - 65536))
    qemu_img("qcow2", "base.qcow2", "4M")
    qemu_img("qcow2", "-b", "base.qcow2", "-F", "qcow2", "middle.qcow2", "8M")
    qemu_img("qcow2", "-b", "middle.qcow2", "-F", "qcow2", "top.qcow2")
    for image in folder.iterdir():
        image.chmod(0o666)
    return folder


def disk(folder, name, target, bus):
    kind = name.rpartition(".")[2].replace("img", "raw")
    return (f"<disk type='file' device='disk'><driver name='qemu' type='{kind}'/>"
            f"<source file='{folder}/{name}'/><target dev='{target}' bus='{bus}'/></disk>")


def many_disks(folder):
    return (disk(folder, "raw.img", "vda", "virtio") + disk(folder, "top.qcow2", "sda", "sata")
            + "<disk type='file' device='cdrom'><target dev='hda' bus='ide'/><readonly/></disk>")


@pytest.fixture
def images(tmp_path_factory):
    return make_images(short_folder(tmp_path_factory))


def figures(domain, groups=ALL, flags=0):
    """The record without Vireo's own words."""
    [(_, record)] = domain.connect().domainListGetStats([domain], groups, flags)
    return {name: value for name, value in record.items() if name not in OWN}


def test_each_image_of_a_running_guest(conn, images):
    domain = conn.defineXML(domain_xml("disks", devices=many_disks(images)))
    domain.create()
    record = figures(domain, BLOCK, BACKING)
    assert record["block.count"] == 5
    assert [record[f"block.{i}.name"] for i in range(5)] == ["vda", "sda", "sda", "sda", "hda"]
    assert [record.get(f"block.{i}.backingIndex") for i in range(4)] == [3, 2, 4, 5]
    assert [record[f"block.{i}.capacity"] for i in range(4)] == [1 << 20, 8 << 20, 8 << 20, 4 << 20]
    assert all(record[f"block.{i}.physical"] > 0 for i in range(4))
    assert figures(domain, BLOCK)["block.count"] == 3


def test_a_guest_that_is_shut_off(conn, images):
    domain = conn.defineXML(domain_xml("off", devices=many_disks(images)))
    record = figures(domain, STATE | BLOCK, BACKING)
    assert record["state.state"] == libvirt.VIR_DOMAIN_SHUTOFF
    assert record["block.count"] == 3
    assert (record["block.0.capacity"], record["block.0.physical"]) == (1 << 20, 1 << 20)
    assert record["block.1.capacity"] == 8 << 20
    assert "block.0.rd.reqs" not in record


def test_guests_that_are_named(conn):
    first, second, gone = (conn.defineXML(domain_xml(name)) for name in ("first", "second", "gone"))
    second.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    gone.undefine()

    def names(flags=0, domains=(second, gone, first)):
        return [domain.name() for domain, _ in conn.domainListGetStats(list(domains), STATE, flags)]

    assert names() == ["second", "first"]
    assert names(domains=[gone]) == []
    assert names(domains=[first, first]) == ["first", "first"]
    assert names(libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED) == ["second"]
    assert names(libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF) == ["first"]
    assert names(libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING) == []


def test_groups_that_nobody_knows(conn):
    domain = conn.defineXML(domain_xml("known"))
    assert figures(domain, 1 << 20) == {}
    with pytest.raises(libvirt.libvirtError) as refused:
        figures(domain, 1 << 20, ENFORCE)
    assert refused.value.get_error_code() == libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED
    with pytest.raises(libvirt.libvirtError) as refused:
        conn.getAllDomainStats(STATE, 1 << 20)
    assert refused.value.get_error_code() == libvirt.VIR_ERR_INVALID_ARG


@pytest.mark.vireo_only
@pytest.mark.parametrize("runs", [True, False])
def test_side_by_side_with_libvirtd(conn, tmp_path_factory, runs):
    if not shutil.which("libvirtd"):
        pytest.skip("needs libvirtd: tools/install-deps bench")

    def tell(connection):
        folder = make_images(short_folder(tmp_path_factory))
        domain = connection.defineXML(domain_xml(
            "twin", vcpus=2, balloon="<memballoon model='virtio'><stats period='1'/></memballoon>",
            devices=many_disks(folder) + "<interface type='user'/>"))
        if runs:
            domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        return figures(domain, ALL, BACKING)

    with daemons.running("libvirtd", short_folder(tmp_path_factory)) as other:
        theirs = tell(libvirt.open(other.uri))
    ours = tell(conn)
    if not runs:
        # libvirtd makes up the processor time of a guest that has no process.
        theirs = {name: value for name, value in theirs.items() if not name.startswith("cpu.")}
    assert [(name, type(value)) for name, value in ours.items()] == [(n, type(v)) for n, v in theirs.items()]

    def certain(record):
        return {name: value for name, value in record.items() if name.rpartition(".")[2] in EQUAL}

    assert certain(ours) == certain(theirs)


def test_virsh_domstats(conn, virsh, images):
    runs, off = (conn.defineXML(domain_xml(name, devices=many_disks(images) if name == "runs" else ""))
                 for name in ("runs", "off"))
    runs.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)

    def told(*words):
        return set(re.findall(r"^Domain: '(\w+)'$", virsh("domstats", *words), re.M))

    assert told() == told("--nowait") == {"runs", "off"}
    assert told("--list-active") == told("--list-paused") == {"runs"}
    assert told("--list-inactive") == {"off"}
    assert told("--list-transient") == told("--list-running") == set()
    assert "  state.state=3\n  state.reason=1" in virsh("domstats", "runs", "--state", "--raw", "--enforce")
    assert "block.count=5" in virsh("domstats", "runs", "--block", "--backing", "--raw")
    assert off.isActive() == 0


def test_what_a_booted_guest_does(conn, booted, images):
    domain, console = booted("busy", balloon="<memballoon model='virtio'><stats period='1'/></memballoon>",
                             devices=disk(images, "raw.img", "vda", "virtio"))
    before = figures(domain)
    console.shell("dd if=/dev/zero of=/dev/vda bs=64k count=4 oflag=direct conv=fsync; echo wri''tten")
    console.expect("written")
    wait_until(lambda: "balloon.usable" in figures(domain), what="the balloon's report")
    after = figures(domain)
    for name, by in {"wr.reqs": 4, "wr.bytes": 4 * 65536}.items():
        assert after[f"block.0.{name}"] - before[f"block.0.{name}"] == by
    assert after["block.0.fl.reqs"] > before["block.0.fl.reqs"] and after["block.0.wr.times"] > 0
    assert after["cpu.time"] > before["cpu.time"] and after["vcpu.0.time"] > before["vcpu.0.time"]
    assert 0 < after["balloon.unused"] <= after["balloon.usable"] < after["balloon.available"] < 96 * 1024


@pytest.mark.vireo_only
def test_more_than_a_message_carries_is_refused_with_the_way_to_get_it(own_daemon):
    """9,000 guests of eight disks each, simulated: more than the 32 MiB of the protocol."""
    image = own_daemon.root / "image"
    image.touch()
    disks = "".join(f"<disk type='file' device='disk'><source file='{image}'/><target dev='vd{letter}' bus='virtio'/>"
                    "<readonly/><shareable/></disk>" for letter in "abcdefgh")
    conn = libvirt.open(f"test+unix:///default?socket={own_daemon.socket_path}")
    domains = [conn.createXML(f"<domain type='test'><name>g{n}</name><memory>1024</memory><os><type>hvm</type></os>"
                              f"<devices>{disks}</devices></domain>") for n in range(9000)]
    with pytest.raises(libvirt.libvirtError, match="domainListGetStats") as refusal:
        conn.getAllDomainStats()
    assert (refusal.value.get_error_code(), refusal.value.get_error_domain()) == (
        libvirt.VIR_ERR_RPC, libvirt.VIR_FROM_RPC)
    assert len(conn.domainListGetStats(domains[:100])) == 100
    del domains
    conn.close()
