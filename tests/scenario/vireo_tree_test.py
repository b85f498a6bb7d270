"""vireo tree, and what of the tree survives the daemon."""

import contextlib
import json
import os
import random
import signal
import sqlite3
import struct
import subprocess
import threading
import time

import libvirt
import pytest

import daemons
from commands import Vireo
from conftest import short_folder
from definitions import domain_xml, new_uuid
from patience import wait_until
from tree_guests_test import READ, TRANSACTION_END, TRANSACTION_START, WRITE, Tree

pytestmark = pytest.mark.vireo_only


class VireoTree(Vireo):
    def run(self, *arguments, **options):
        return super().run("tree", *arguments, **options)

    def start(self, *arguments):
        """Runs on, with its output line by line."""
        return subprocess.Popen(self.argv("tree", *arguments), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, text=True, bufsize=1)


@pytest.fixture
def tree(daemon):
    vireo = VireoTree(daemon)
    yield vireo
    vireo("rm", "/story")


@pytest.fixture
def running(conn):
    """The id of a guest that runs."""
    domain = conn.defineXML(domain_xml("shown"))
    domain.create()
    yield domain.ID()
    domain.destroy()


def test_nodes_are_made_read_and_removed(tree):
    tree("set", "/story/a/b", "two words", "/story/c", "line\nline")
    assert tree("get", "/story/a/b", "/story/c", "/story/a") == "two words\nline\\nline\n\n"
    assert tree("get", "--raw", "/story/c") == "line\nline"
    assert tree("ls", "/story") == '/story\n|-- a\n|   `-- b = "two words"\n`-- c = "line\\nline"\n'
    assert tree("ls", "--long", "/story/a") == 'n0  /story/a\nn0  `-- b = "two words"\n'
    assert tree("ls", "--flat", "/story/a") == '/story/a = ""\n/story/a/b = "two words"\n'
    assert json.loads(tree("ls", "--json", "/story/a")) == {
        "path": "/story/a", "name": "a", "value": "", "permissions": ["n0"],
        "children": [{"name": "b", "value": "two words", "permissions": ["n0"], "children": []}]}
    assert json.loads(tree("get", "--json", "/story/a/b")) == {"values": [{"path": "/story/a/b", "value": "two words"}]}
    tree("rm", "/story/a")
    assert tree.fails("get", "/story/a/b") == "vireo: no node '/story/a/b'\n"


def test_long_lists_are_read_whole(tree):
    names = [f"child-{number:04}" for number in range(2000)]
    done = subprocess.run(tree.argv("tree", "--transaction", "-"), text=True, timeout=60, check=True,
                          input="".join(f"set /story/{name} {name}\n" for name in names), capture_output=True)
    assert done.stdout == ""
    lines = tree("ls", "--flat", "/story").splitlines()
    assert lines == ['/story = ""'] + [f'/story/{name} = "{name}"' for name in names]


def test_a_transaction_is_done_whole_or_not_at_all(tree):
    tree("set", "/story/a", "1", "/story/gone", "x")
    assert tree("--transaction", "get /story/a", "set /story/a 'it is'", "rm /story/gone", "get /story/a") == "1\nit is\n"
    assert tree.fails("--transaction", "set /story/a 2", "get /story/missing") == "vireo: no node '/story/missing'\n"
    assert tree("ls", "/story") == '/story\n`-- a = "it is"\n'
    assert "is none of 'get PATH'" in tree.fails("--transaction", "set /story/a 3", "frob /story/a")
    assert tree("get", "/story/a") == "it is\n"


def test_transactions_that_clash_are_done_anew(tree):
    """Each takes what is there and puts down another value; none is lost and each is told another value."""
    tree("set", "/story/turn", "0")

    told = []

    def take(number):
        told.append(tree("--transaction", "get /story/turn", f"set /story/turn {number}").strip())

    threads = [threading.Thread(target=take, args=(number,)) for number in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.append(tree("get", "/story/turn").strip())
    assert sorted(told, key=int) == [str(number) for number in range(13)]


def test_what_is_refused_says_why(tree, running):
    name = f"/local/domain/{running}/name"
    assert tree("get", name) == "shown\n"
    assert tree.fails("set", name, "other").startswith(f"vireo: '{name}' belongs to a running guest; ")
    assert tree.fails("rm", f"/local/domain/{running}").startswith("vireo: '/local/domain/")
    assert "is no path" in tree.fails("set", "/story//a", "1")
    assert "'/story/a' has no value" in tree.fails("set", "/story/a")
    assert "4096 bytes together" in tree.fails("set", "/story", "x" * 4090)
    assert tree.fails("get", status=2) != ""


def test_without_the_tree_the_remedy_is_told(tmp_path, tree):
    where = ["--root", str(tmp_path)]
    assert tree.fails("ls", where=where) == (
        f"vireo: nobody listens at {tmp_path}/run/xenstore-sock (No such file or directory): vireod does not run, or its "
        f"configuration says xenstore = false; start it with vireod --root {tmp_path}\n")


def test_changes_are_watched(tree):
    tree("set", "/story/a", "0")
    watching = tree.start("watch", "/story", "--depth", "1", "--count", "3")
    try:
        assert watching.stdout.readline() == '/story = ""\n'
        tree("set", "/story/a", "1")
        assert watching.stdout.readline() == '/story/a = "1"\n'
        tree("set", "/story/a/too-deep", "1")
        tree("rm", "/story/a")
        assert watching.stdout.readline() == "/story/a is not there\n"
        tree("set", "/story/b", "2")
        assert watching.stdout.readline() == '/story/b = "2"\n'
        assert watching.wait(timeout=60) == 0
    finally:
        watching.kill()
        watching.wait()


def test_a_picture_is_of_one_moment(daemon, tree):
    """While both nodes are changed together again and again, no picture shows them apart."""
    over = threading.Event()

    def change():
        with Tree(daemon).client() as client:
            number = 0
            while not over.is_set():
                number += 1
                write_together(client, ["/story/a", "/story/z"], number)

    tree("set", "/story/a", "0", "/story/z", "0")
    changing = threading.Thread(target=change)
    changing.start()
    try:
        looks, seen = 0, set()

        def look():
            nonlocal looks
            seen.add(tuple(child["value"] for child in json.loads(tree("ls", "--json", "/story"))["children"]))
            looks += 1
            return looks >= 30 and len(seen) > 1

        wait_until(look, timeout_s=60, what="changes between thirty pictures")
    finally:
        over.set()
        changing.join()
    assert all(a == z for a, z in seen), seen


def write_together(client, paths, value):
    """One transaction."""
    client.transaction = 0
    failed, number = client.ask(TRANSACTION_START, "")
    assert not failed, number
    client.transaction = int(number.rstrip(b"\0"))
    for path in paths:
        failed, answer = client.ask(WRITE, path, str(value))
        assert not failed, answer
    failed, answer = client.ask(TRANSACTION_END, "T", "")
    assert not failed, answer


@pytest.fixture
def keeping(tmp_path_factory):
    """A daemon that keeps its tree in the way that is said."""
    with contextlib.ExitStack() as stack:
        def start(how):
            return stack.enter_context(
                daemons.running("vireo", short_folder(tmp_path_factory), f'tree_journal = "{how}"\n'))

        yield start


def kept(daemon):
    """{path: value} of the file."""
    with contextlib.closing(sqlite3.connect(f"file:{daemon.root}/lib/tree.db?mode=ro", uri=True)) as file:
        return {path: value.decode() for path, value in file.execute("SELECT path, value FROM nodes")}


@pytest.mark.parametrize("how", ("behind", "sync"))
def test_the_tree_outlives_the_daemon(keeping, how):
    daemon = keeping(how)
    tree = VireoTree(daemon)
    tree("set", "/story/a/b", "1", "/story/c", "2")
    Tree(daemon)("chmod", "/story/a", "r0")
    tree("rm", "/story/c")
    tree("set", "/story/d", "3")
    before = tree("ls", "--long")
    if how == "behind":
        wait_until(lambda: "/story/d" in kept(daemon), what="the journal")
    daemon.kill9()
    daemon.restart()
    assert tree("ls", "--long") == before
    # An end in peace loses nothing in either way.
    tree("set", "/story/last", "4")
    daemon.stop()
    assert kept(daemon)["/story/last"] == "4"
    daemon.restart()
    tree("rm", "/story")
    if how == "behind":
        wait_until(lambda: not kept(daemon), what="the journal")
    daemon.kill9()
    daemon.restart()
    assert tree("ls") == "/\n"


@pytest.mark.parametrize("how", ("behind", "sync"))
def test_a_transaction_is_kept_whole_or_not_at_all(keeping, how):
    """The daemon is killed at any moment while one client writes the same nodes together, again and again."""
    daemon = keeping(how)
    paths = [f"/story/{number}" for number in range(40)]
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    state = {"tried": 0, "answered": 0}

    def write():
        with contextlib.suppress(OSError, struct.error):
            with Tree(daemon).client() as client:
                while True:
                    state["tried"] += 1
                    write_together(client, paths, state["tried"])
                    state["answered"] = state["tried"]

    for _ in range(8):
        writing = threading.Thread(target=write)
        writing.start()
        time.sleep(dice.uniform(0.0, 0.4))
        daemon.kill9()
        writing.join()
        daemon.restart()
        with Tree(daemon).client() as client:
            values = {client.ask(READ, path, "") for path in paths}
        assert len(values) == 1, values
        failed, value = values.pop()
        there = 0 if failed else int(value)
        assert there <= state["tried"]
        if how == "sync":
            assert there >= state["answered"], "what was answered is lost"
        state["answered"] = there


def test_what_belongs_to_guests_is_not_kept(keeping):
    daemon = keeping("sync")
    tree = VireoTree(daemon)
    with contextlib.closing(libvirt.open(daemon.uri)) as connection:
        domain = connection.createXML(domain_xml("shown"))
        here = f"/local/domain/{domain.ID()}"
        tree("set", "/story", "1")
        assert tree("get", f"{here}/name") == "shown\n"
        assert set(kept(daemon)) == {"/story"}
    before = tree("ls", "--long")
    daemon.kill9()
    daemon.restart()
    assert tree("ls", "--long") == before, "what the guest shows is there again, from the guest"
    with contextlib.closing(libvirt.open(daemon.uri)) as connection:
        connection.lookupByName("shown").destroy()
    wait_until(lambda: "no node" in tree.run("get", here).stderr, what="the guest's end")
    assert set(kept(daemon)) == {"/story"}


def test_nodes_of_a_guest_that_ended_meanwhile_go_with_it(keeping):
    """As they do when it ends while the daemon runs."""
    daemon = keeping("sync")
    tree = VireoTree(daemon)
    uuid = new_uuid()
    with contextlib.closing(libvirt.open(daemon.uri)) as connection:
        domain = connection.createXML(domain_xml("shown", uuid=uuid))
        tree("set", "/story/its", "1", "/story/other", "2")
        Tree(daemon)("chmod", "/story/its", f"n{domain.ID()}")
    pid = daemon.guest_pid(uuid)
    daemon.kill9()
    daemon.restart()
    assert tree("ls", "/story") == '/story\n|-- its = "1"\n`-- other = "2"\n', "it runs on"
    daemon.kill9()
    os.kill(pid, signal.SIGKILL)
    daemons.wait_for_exit(pid)
    daemon.restart()
    assert tree("ls", "/story") == '/story\n`-- other = "2"\n'
    assert set(kept(daemon)) == {"/story", "/story/other"}


def test_nothing_is_kept_if_so_wished(keeping):
    daemon = keeping("off")
    tree = VireoTree(daemon)
    tree("set", "/story", "1")
    daemon.stop()
    assert not (daemon.root / "lib/tree.db").exists()
    daemon.restart()
    assert tree("ls") == "/\n"


@contextlib.contextmanager
def unwritable(daemon):
    """Nobody else can write the file meanwhile."""
    with contextlib.closing(sqlite3.connect(daemon.root / "lib/tree.db", isolation_level=None)) as file:
        file.execute("BEGIN IMMEDIATE")
        yield
        file.execute("ROLLBACK")


def test_behind_serves_on_while_the_disk_fails(keeping):
    daemon = keeping("behind")
    tree = VireoTree(daemon)
    with unwritable(daemon):
        tree("set", "/story", "1")
        daemon.says("the tree's journal cannot be written")
        tree("set", "/story", "2")
        assert tree("get", "/story") == "2\n"
    wait_until(lambda: kept(daemon).get("/story") == "2", what="the journal")


def test_sync_answers_no_change_while_the_disk_fails(keeping):
    daemon = keeping("sync")
    tree = VireoTree(daemon)
    tree("set", "/story", "1")
    with unwritable(daemon):
        changing = tree.start("set", "/story", "2")
        daemon.says("the tree's journal cannot be written")
        assert changing.poll() is None
        # Who only reads does not wait.
        assert tree("get", "/story") == "2\n"
    assert changing.wait(timeout=60) == 0
    assert kept(daemon)["/story"] == "2"


def test_a_file_that_cannot_be_read_is_not_thrown_away(keeping):
    daemon = keeping("behind")
    VireoTree(daemon)("set", "/story", "1")
    daemon.stop()
    for file in (daemon.root / "lib").glob("tree.db*"):
        file.unlink()
    (daemon.root / "lib/tree.db").write_text("no rows at all, and long enough to be taken for some header" * 10)
    with pytest.raises(AssertionError, match="move the file away to begin with an empty tree"):
        daemon.start()
    (daemon.root / "lib/tree.db").unlink()
    daemon.start()
    assert VireoTree(daemon)("ls") == "/\n"
