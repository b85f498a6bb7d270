"""Ten clients at once, on connections of their own and on one that they share."""

import threading
import xml.etree.ElementTree as ET

import libvirt

from definitions import domain_xml
from patience import wait_until

CLIENTS = 10


def all_at_once(work):
    """Runs work(number) on threads that begin together. Gives what they raised."""
    barrier = threading.Barrier(CLIENTS)
    problems = []

    def run(number):
        barrier.wait()
        try:
            work(number)
        except Exception as problem:
            problems.append((number, problem))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive(), "a client got no answer"
    return problems


def whole_life(connection, name):
    domain = connection.defineXML(domain_xml(name))
    for _ in range(2):
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        number = domain.ID()
        assert connection.lookupByID(number).name() == name
        assert ET.fromstring(domain.XMLDesc()).findtext("name") == name
        assert name in [other.name() for other in connection.listAllDomains()]
        domain.resume()
        domain.suspend()
        assert domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED
        domain.destroy()
    domain.undefine()


def test_ten_connections(daemon, conn):
    def client(number):
        connection = libvirt.open(daemon.uri)
        whole_life(connection, f"crowd-{number}")
        connection.close()

    assert all_at_once(client) == []
    assert conn.listAllDomains() == []


def test_ten_threads_on_one_connection(conn):
    assert all_at_once(lambda number: whole_life(conn, f"crowd-{number}")) == []
    assert conn.listAllDomains() == []


def test_ten_virsh(virsh, tmp_path):
    def client(number):
        name = f"crowd-{number}"
        path = virsh.file(domain_xml(name), f"{name}.xml")
        virsh("create", path, "--paused")
        assert f"Name:           {name}" in virsh("dominfo", name)
        virsh("destroy", name)

    assert all_at_once(client) == []
    assert virsh.names("--all") == []


def test_ten_want_the_same_name_and_one_gets_it(daemon, conn):
    def client(number):
        connection = libvirt.open(daemon.uri)
        try:
            connection.createXML(domain_xml("prize"), libvirt.VIR_DOMAIN_START_PAUSED)
        finally:
            connection.close()

    problems = all_at_once(client)
    winner = conn.lookupByName("prize").UUIDString()
    assert len(problems) == CLIENTS - 1
    for _, problem in problems:
        assert problem.get_error_code() == libvirt.VIR_ERR_OPERATION_FAILED
        assert problem.get_error_message() == (
            f"operation failed: domain 'prize' already exists with uuid {winner}")


def test_ten_start_the_same_guest_and_one_succeeds(daemon, conn):
    domain = conn.defineXML(domain_xml("prize"))

    def client(number):
        connection = libvirt.open(daemon.uri)
        try:
            connection.lookupByName("prize").createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        finally:
            connection.close()

    problems = all_at_once(client)
    assert len(problems) == CLIENTS - 1
    for _, problem in problems:
        assert problem.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID
        assert problem.get_error_message() == "Requested operation is not valid: domain is already running"
    assert domain.isActive()


def test_a_client_that_vanishes_in_the_middle(daemon, conn, virsh):
    """Whoever dies while his call is on its way harms nobody, and what he asked for is done or not, never half."""
    for number in range(5):
        path = virsh.file(domain_xml(f"torn-{number}"))
        client = virsh.popen("create", path, "--paused")
        client.kill()
        client.wait()
    # A start that has begun goes on without him.
    wait_until(lambda: all(domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED for domain in conn.listAllDomains()),
               what="the end of all starts")
    whole_life(conn, "after")
