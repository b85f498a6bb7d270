"""Running guests in the tree, as Xen's own clients see them: Debian's xenstore-ls, -read, -write, -rm and -watch."""

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import xml.etree.ElementTree

import libvirt
import pytest

import daemons
from commands import Http, Vireo
from definitions import SERIAL, domain_xml
from patience import wait_until

pytestmark = pytest.mark.vireo_only

DIRECTORY, READ, TRANSACTION_START, TRANSACTION_END, WRITE, RM, ERROR = 1, 2, 6, 7, 11, 13, 16  # XS_… of xs_wire.h


class Tree:
    """The tree of one daemon, through Debian's clients."""

    def __init__(self, daemon):
        self.socket_path = daemon.root / "run/xenstore-sock"
        self.environment = {**os.environ, "XENSTORED_PATH": str(self.socket_path)}

    def run(self, command, *arguments):
        return subprocess.run([f"xenstore-{command}", *arguments], env=self.environment, capture_output=True, text=True,
                              timeout=60, check=False)

    def __call__(self, command, *arguments):
        done = self.run(command, *arguments)
        assert done.returncode == 0, f"xenstore-{command} {arguments}: {done.stderr}"
        return done.stdout

    def fails(self, command, *arguments):
        return self.run(command, *arguments).returncode != 0

    def read(self, path):
        return self("read", path).removesuffix("\n")

    def exists(self, path):
        return self.run("exists", path).returncode == 0

    def below(self, path):
        """{path: value} of all nodes there and below."""
        lines = self("ls", "-f").splitlines()
        nodes = dict(line.split(" = ", 1) for line in lines)
        return {node: value.strip('"') for node, value in nodes.items() if f"{node}/".startswith(f"{path}/")}

    @contextlib.contextmanager
    def client(self):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(60)
            connection.connect(str(self.socket_path))
            yield Client(connection)

    def error(self, kind, *strings):
        """What the daemon itself answers to a request: b"EROFS"; None: it did as it was told."""
        with self.client() as client:
            failed, answer = client.ask(kind, *strings)
        return answer.rstrip(b"\0") if failed else None

    @contextlib.contextmanager
    def watch(self, *paths):
        watch = Watch(subprocess.Popen(["xenstore-watch", *paths], env=self.environment, stdout=subprocess.PIPE,
                                       text=True, bufsize=1))
        try:
            for path in paths:
                watch.expect(path)  # each tells once that it is there
            yield watch
        finally:
            watch.process.kill()
            watch.process.wait()


class Client:
    """Says what Debian's clients do not: requests within a transaction, and the error's own name."""

    def __init__(self, connection):
        self.connection = connection
        self.transaction = 0

    def ask(self, kind, *strings):
        """(whether it failed, the answer)"""
        payload = b"\0".join(string.encode() for string in strings)
        self.connection.sendall(struct.pack("=IIII", kind, 1, self.transaction, len(payload)) + payload)
        answered, _, _, size = struct.unpack("=IIII", self.connection.recv(16, socket.MSG_WAITALL))
        return answered == ERROR, self.connection.recv(size, socket.MSG_WAITALL) if size else b""

    def names(self, path):
        """The names below, or None."""
        failed, names = self.ask(DIRECTORY, path, "")
        return None if failed else names.decode().split("\0")[:-1]

    def read(self, path):
        failed, value = self.ask(READ, path, "")
        return None if failed else value.decode()

    @contextlib.contextmanager
    def one_version(self):
        failed, number = self.ask(TRANSACTION_START, "")
        assert not failed, number
        self.transaction = int(number.rstrip(b"\0"))
        yield
        assert self.ask(TRANSACTION_END, "F", "") == (False, b"OK\0")
        self.transaction = 0


class Watch:
    """What xenstore-watch prints, line by line."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self.seen = 0
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()

    def expect(self, path):
        """Waits for the path after what was expected before; gives what came until then."""
        with self.changed:
            assert self.changed.wait_for(lambda: path in self.lines[self.seen:], 60), f"{path}: {self.lines[-20:]}"
            begin = self.seen
            self.seen = self.lines.index(path, begin) + 1
            return self.lines[begin:self.seen]


@pytest.fixture
def tree(daemon):
    tree = Tree(daemon)
    tree.exists("/")  # answered after all that guests of earlier stories have left there
    return tree


def home_of(domain):
    return f"/local/domain/{domain.ID()}"


def vm_of(domain):
    return f"/vm/{domain.UUIDString()}"


def counted(daemon):
    return json.loads(Vireo(daemon)("status", "--json"))["counters"]


def test_a_life_is_seen_in_order(conn, tree):
    with tree.watch("/local/domain", "/vm", "@introduceDomain", "@releaseDomain") as watch:
        domain = conn.defineXML(domain_xml("amber"))
        domain.create()
        home, vm = home_of(domain), vm_of(domain)
        beginning = watch.expect("@introduceDomain")
        assert {f"{home}/name", f"{home}/state", f"{vm}/uuid"} < set(beginning)
        assert "@releaseDomain" not in beginning
        assert tree.read(f"{home}/state") == "running"
        domain.suspend()
        assert watch.expect(f"{home}/state") == [f"{home}/state"]
        assert tree.read(f"{home}/state") == "paused"
        domain.resume()
        assert watch.expect(f"{home}/state") == [f"{home}/state"]
        assert tree.read(f"{home}/state") == "running"
        domain.destroy()
        end = watch.expect("@releaseDomain")
        assert {home, vm} < set(end)
        assert f"{home}/state" not in end
    assert not tree.exists(home)
    assert not tree.exists(vm)
    assert tree.below(f"/local/domain/0/backend/vkbd/{home.rsplit('/', 1)[-1]}") == {}


def test_what_the_tree_says_is_what_the_xml_says(conn, tree, daemon, folder):
    image = folder / "disk.raw"
    image.write_bytes(bytes(1 << 20))
    image.chmod(0o666)
    devices = (f"<disk type='file' device='disk'><source file='{image}'/><target dev='vda' bus='virtio'/></disk>"
               f"<interface type='user'><mac address='52:54:00:12:34:56'/><model type='virtio'/></interface>{SERIAL}")
    domain = conn.defineXML(domain_xml("amber", vcpus=2, memory_mib=48, devices=devices))
    domain.create()
    home, vm = home_of(domain), vm_of(domain)
    nodes = tree.below(home) | tree.below(vm) | tree.below("/local/domain/0/backend")
    tty = xml.etree.ElementTree.fromstring(domain.XMLDesc()).find("devices/console/source").get("path")
    block, net = f"/local/domain/0/backend/qdisk/{domain.ID()}/51712", f"/local/domain/0/backend/vif/{domain.ID()}/0"
    assert nodes.items() >= {
        f"{home}/name": "amber", f"{home}/domid": str(domain.ID()), f"{home}/vm": vm, f"{home}/state": "running",
        f"{home}/memory/static-max": str(48 << 10), f"{home}/memory/target": str(48 << 10),
        f"{home}/cpu/0/availability": "online", f"{home}/cpu/1/availability": "online",
        f"{home}/image/device-model-pid": str(daemon.guest_pid(domain.UUIDString())),
        f"{home}/console/tty": tty, f"{home}/serial/0/tty": tty, f"{home}/control/shutdown": "",
        f"{home}/device/vbd/51712/backend": block, f"{home}/device/vif/0/backend": net,
        f"{home}/device/vif/0/mac": "52:54:00:12:34:56",
        f"{block}/frontend": f"{home}/device/vbd/51712", f"{block}/params": f"raw:{image}", f"{block}/mode": "w",
        f"{block}/dev": "vda", f"{net}/frontend": f"{home}/device/vif/0",
        f"{vm}/name": "amber", f"{vm}/uuid": domain.UUIDString(), f"{vm}/image/ostype": "hvm",
    }.items()
    assert float(nodes[f"{vm}/start_time"]) > 1e9


def test_a_guests_part_is_read_only(conn, tree):
    domain = conn.createXML(domain_xml("amber"), libvirt.VIR_DOMAIN_START_PAUSED)
    home, vm = home_of(domain), vm_of(domain)
    before = tree.below("/local") | tree.below("/vm")
    for path in (f"{home}/name", f"{home}/new", f"{vm}/name", home):
        assert tree.fails("write", path, "mine")
        assert tree.error(WRITE, path, "mine") == b"EROFS"
    for path in (home, f"{home}/name", vm, "/local", "/local/domain", "/vm"):
        assert tree.fails("rm", path)
        assert tree.error(RM, path, "") == b"EROFS"
    assert tree.fails("chmod", f"{home}/name", "b0")
    assert tree.below("/local") | tree.below("/vm") == before
    # What Xen leaves to its guests is free, and goes with this one.
    tree("write", f"{home}/data/note", "mine")
    assert tree.read(f"{home}/data/note") == "mine"
    tree("rm", f"{home}/data/note")
    # So is what is no guest's.
    tree("write", "/tool/mine", "1")
    tree("rm", "/tool")
    domain.destroy()
    wait_until(lambda: not tree.exists(home), what="the end in the tree")
    tree("write", f"{home}/name", "mine")
    tree("rm", home)


def test_a_transaction_sees_the_whole_of_a_guest_or_nothing(conn, tree):
    whole, halves = [], []
    stop = threading.Event()

    def look():
        with tree.client() as client:
            while not stop.is_set():
                with client.one_version():
                    for each in client.names("/local/domain") or []:
                        home = f"/local/domain/{each}"
                        if each == "0":
                            continue
                        said = (client.read(f"{home}/name"), client.read(f"{home}/control/shutdown"),
                                client.read(f"{client.read(f'{home}/vm')}/name"),
                                client.names(f"{client.read(f'{home}/device/vkbd/0/backend')}") is not None)
                        (whole if said == ("amber", "", "amber", True) else halves).append(said)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for _ in range(8):
            seen = len(whole) + len(halves)
            domain = conn.createXML(domain_xml("amber"), libvirt.VIR_DOMAIN_START_PAUSED)
            wait_until(lambda seen=seen: len(whole) + len(halves) > seen, what="a look at the guest")
            domain.destroy()
    finally:
        stop.set()
        looking.join()
    assert halves == []


def test_power_off_by_request(booted, tree):
    domain, _ = booted("amber")
    home = home_of(domain)
    for word in ("suspend", "crash", "now"):
        assert tree.error(WRITE, f"{home}/control/shutdown", word) == b"EINVAL"
    assert domain.isActive()
    tree("write", f"{home}/control/shutdown", "poweroff")
    wait_until(lambda: not tree.exists(home), what="the end in the tree")
    assert domain.state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN]


def test_reboot_by_request(booted, tree):
    domain, console = booted("amber")
    shutdown = f"{home_of(domain)}/control/shutdown"
    with tree.watch(shutdown) as watch:
        tree("write", shutdown, "reboot")
        watch.expect(shutdown)
        watch.expect(shutdown)  # taken back: the daemon has done its part
    assert tree.read(shutdown) == ""
    console.expect("vireo-guest")
    assert domain.isActive()
    assert tree.read(f"{home_of(domain)}/name") == "amber"


def test_a_request_that_fails_is_taken_back_and_logged(conn, tree, daemon):
    domain = conn.createXML(domain_xml("amber"), libvirt.VIR_DOMAIN_START_PAUSED)
    shutdown = f"{home_of(domain)}/control/shutdown"
    tree("write", shutdown, "poweroff")
    wait_until(lambda: tree.read(shutdown) == "", what="the answer to a request")
    daemon.says("guest 'amber': poweroff, as the tree was told")


@pytest.mark.parametrize("end", ["kill9", "stop"])
def test_guests_are_there_again_after_the_daemon(own_daemon, end):
    connection = libvirt.open(own_daemon.uri)
    tree = Tree(own_daemon)
    lives = connection.defineXML(domain_xml("amber", devices=SERIAL))
    lives.create()
    lives.suspend()
    dies = connection.createXML(domain_xml("beryl"))
    pid, gone = own_daemon.guest_pid(dies.UUIDString()), home_of(dies)
    home, vm = home_of(lives), vm_of(lives)
    before = tree.below(home) | tree.below(vm)
    assert before[f"{home}/state"] == "paused"
    tree("write", f"{home}/data/note", "mine")
    getattr(own_daemon, end)()
    os.kill(pid, signal.SIGKILL)
    daemons.wait_for_exit(pid)
    connection.close()
    own_daemon.restart()
    assert tree.below(home) | tree.below(vm) == before
    assert not tree.exists(gone)
    # It is watched on, and known by its id.
    connection = libvirt.open(own_daemon.uri)
    with tree.watch(home) as watch:
        connection.lookupByName("amber").resume()
        assert watch.expect(f"{home}/state") == [f"{home}/state"]
        assert tree.read(f"{home}/state") == "running"
    assert tree.error(WRITE, f"{home}/name", "mine") == b"EROFS"
    connection.close()


def test_a_guest_that_dies(conn, tree, daemon):
    domain = conn.createXML(domain_xml("amber"))
    home = home_of(domain)
    with tree.watch("@releaseDomain") as watch:
        os.kill(daemon.guest_pid(domain.UUIDString()), signal.SIGKILL)
        watch.expect("@releaseDomain")
    assert not tree.exists(home)


def test_a_renamed_guest(conn, tree):
    domain = conn.defineXML(domain_xml("amber"))
    domain.create()
    first = home_of(domain)
    domain.destroy()
    domain.rename("coral")
    domain = conn.lookupByName("coral")
    domain.create()
    assert home_of(domain) != first
    assert tree.read(f"{home_of(domain)}/name") == "coral"
    assert tree.read(f"{vm_of(domain)}/name") == "coral"
    assert not tree.exists(first)


def test_twenty_starts_at_once(conn, tree, daemon):
    names = [f"many-{i}" for i in range(20)]
    for name in names:
        conn.defineXML(domain_xml(name, memory_mib=16))
    with tree.watch("/local/domain", "@introduceDomain", "@releaseDomain") as watch:
        Vireo(daemon)("start", "--paused", *names)
        ids = {name: conn.lookupByName(name).ID() for name in names}
        left = {f"/local/domain/{each}/domid" for each in ids.values()}
        # Each guest is whole before it is introduced. An event that is still unread stands for the next of its kind.
        while left:
            came = watch.expect("@introduceDomain")
            left -= set(came)
            assert "@releaseDomain" not in came
        for name, each in ids.items():
            assert tree.read(f"/local/domain/{each}/name") == name
            assert tree.read(f"/local/domain/{each}/state") == "paused"
        for name in names:
            conn.lookupByName(name).destroy()
        left = {f"/local/domain/{each}" for each in ids.values()}
        while left:
            left -= set(watch.expect("@releaseDomain"))
    assert not [node for node in tree.below("/vm") if node != "/vm"]


def test_the_simulated_guests_are_not_there(conn, tree):
    conn.createXML(domain_xml("amber"), libvirt.VIR_DOMAIN_START_PAUSED)
    names = {value for node, value in tree.below("/local/domain").items() if node.endswith("/name")}
    assert names == {"amber"}


def test_what_it_does_is_counted(conn, tree, daemon):
    before = counted(daemon)
    domain = conn.createXML(domain_xml("amber"), libvirt.VIR_DOMAIN_START_PAUSED)
    tree.read(f"{home_of(domain)}/name")
    after = counted(daemon)
    assert after["tree"]["nodes"] > before["tree"]["nodes"]
    assert after["tree"]["commits"] == before["tree"]["commits"] + 1
    assert after["xenstore"]["clients_accepted"] == before["xenstore"]["clients_accepted"] + 1
    assert after["xenstore"]["requests"] > before["xenstore"]["requests"]
    # Each figure has a name of its own for Prometheus.
    with contextlib.closing(Http(daemon)) as door:
        door.request("GET", "/metrics")
        metrics = door.getresponse().read().decode()
    assert "vireo_tree_nodes " in metrics
    assert "vireo_other{" not in metrics


def test_who_wants_no_tree_has_none(tmp_path_factory):
    with daemons.running("vireo", tmp_path_factory.mktemp("d"), "xenstore = false\n") as daemon:
        assert not (daemon.root / "run/xenstore-sock").exists()
        assert "tree" not in counted(daemon)
