"""The tree through Debian's unmodified clients, which are linked with libxenstore."""

import os

import pytest

from tree_guests_test import Tree

pytestmark = pytest.mark.vireo_only

CONTROL = 0  # XS_CONTROL


@pytest.fixture
def tree(daemon):
    tree = Tree(daemon)
    yield tree
    tree("rm", "/tool", "/elsewhere")


def test_values_are_written_read_and_listed(tree):
    tree("write", "/tool/a", "one", "/tool/b", "two words")
    assert tree("read", "/tool/a", "/tool/b") == "one\ntwo words\n"
    assert tree("read", "-p", "/tool/a") == "/tool/a: one\n"
    assert tree("list", "/tool") == "a\nb\n"
    assert tree("list", "-p", "/tool") == "/tool/a\n/tool/b\n"
    assert tree("ls", "/tool") == 'a = "one"\nb = "two words"\n'
    assert '/tool/b = "two words"\n' in tree("ls", "-f")
    assert tree.fails("read", "/tool/none")
    assert tree.fails("list", "/tool/none")


def test_what_is_there_exists_until_it_is_removed(tree):
    tree("write", "/tool/x/y", "")
    assert tree.exists("/tool/x") and tree.exists("/tool/x/y")
    tree("rm", "/tool/x")
    assert not tree.exists("/tool/x/y") and not tree.exists("/tool/x")
    tree("write", "/tool/x/y/z", "")
    tree("rm", "-t", "/tool/x/y/z")  # and parents that are empty by then
    assert not tree.exists("/tool/x")
    assert tree.fails("rm", "/")


def test_permissions_are_shown_and_changed(tree):
    tree("write", "/tool/p/q", "")
    tree("chmod", "/tool/p", "n0", "r1")
    assert "(n0,r1)" in tree("ls", "-p", "/tool").replace(" ", "")
    tree("chmod", "-r", "/tool/p", "b0")
    shown = tree("ls", "-p", "/tool").replace(" ", "")
    assert shown.count("(b0)") == 2


def test_several_writes_are_one_transaction(tree):
    with tree.watch("/tool") as watch:
        assert tree.fails("write", "/tool/fine", "1", "/tool/no path", "2")
        tree("write", "/tool/last", "1")
        assert watch.expect("/tool/last") == ["/tool/last"]
    assert not tree.exists("/tool/fine")


def test_changes_are_told(tree):
    with tree.watch("/tool/w", "/elsewhere") as watch:
        tree("write", "/tool/w/x", "1")
        tree("write", "/elsewhere/y", "1")
        tree("rm", "/tool/w")
        assert watch.expect("/tool/w/x") == ["/tool/w/x"]
        assert watch.expect("/elsewhere/y") == ["/elsewhere/y"]
        watch.expect("/tool/w")


def test_a_thousand_children_are_listed_in_parts(tree):
    pairs = [word for i in range(1000) for word in (f"/tool/many/child-{i:04}", str(i))]
    tree("write", *pairs)
    assert tree("list", "/tool/many").splitlines() == [f"child-{i:04}" for i in range(1000)]


def test_the_daemon_is_asked_about_itself(tree):
    # As xenstore-control would, which itself does not begin without Xen.
    refused = tree.socket_path.parent / "not-to-be"
    with tree.client() as client:
        for words in (("check",), ("print", "hello"), ("log", "on"), ("log", "off"), ("memreport",)):
            assert client.ask(CONTROL, *words, "") == (False, b"OK\0"), words
        assert b"quota-soft\t[set <name> <val>]\n" in client.ask(CONTROL, "help", "")[1]
        assert b"nodes            :     1000 Nodes per domain\n" in client.ask(CONTROL, "quota", "")[1]
        assert client.ask(CONTROL, "quota", "0", "")[1].startswith(b"Domain 0:\nnodes ")
        for words in (("logfile", str(refused)), ("memreport", str(refused))):
            assert client.ask(CONTROL, *words, "") == (True, b"EACCES\0"), words
    assert not refused.exists()


def test_the_socket_is_not_for_everybody(tree):
    assert os.stat(tree.socket_path).st_mode & 0o007 == 0
