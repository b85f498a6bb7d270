"""Guests that start with their host: in which order, after which pauses, and what one that fails does to the others."""

import os
import sqlite3

import libvirt
import pytest

from definitions import domain_xml
from patience import wait_until

pytestmark = pytest.mark.vireo_only

URI = "urn:vireo:guest:1"
NO_IMAGE = "<disk type='file' device='disk'><source file='/no/such/image'/><target dev='vda'/></disk>"


def plan(text):
    return f"<metadata><vireo:guest xmlns:vireo='{URI}'><vireo:autostart {text}/></vireo:guest></metadata>"


@pytest.fixture
def marked(conn):
    def mark(name, text=None, **options):
        domain = conn.defineXML(domain_xml(name, extra=plan(text) if text else "", **options))
        domain.setAutostart(1)
        return domain
    return mark


def boot_again(daemon):
    """As after a reboot of the host: the store remembers another boot."""
    daemon.stop()
    with sqlite3.connect(daemon.root / "lib/vireo.db") as store:
        store.execute("UPDATE facts SET value = 'an earlier boot' WHERE name = 'boot_id'")
    daemon.start()
    return libvirt.open(daemon.uri)


def began_s(pid):
    """When the process began, in seconds since the host's boot."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return int(stat.read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")


def ids(connection):
    """The running guests' ids, which come in the order of their starts."""
    return {domain.name(): domain.ID() for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)}


def test_lower_orders_come_first_and_a_failure_stops_no_other(own_daemon, marked):
    marked("last")
    marked("b1", "order='20'")
    marked("b2", "order='20'")
    marked("broken", "order='10' delay_s='3600'", devices=NO_IMAGE)
    marked("a", "order='10'")
    connection = boot_again(own_daemon)
    wait_until(lambda: len(ids(connection)) == 4)
    started = ids(connection)
    assert started["a"] < min(started["b1"], started["b2"])
    assert max(started["b1"], started["b2"]) < started["last"]
    own_daemon.says("autostart: 4 guests were started, 1 failed")
    assert own_daemon.has_said("autostart of guest 'broken' failed")
    connection.close()


def test_the_next_order_waits_for_the_delay(own_daemon, marked, virsh):
    guests = [marked("first"), marked("second", "order='2'")]
    # Told as an application would tell it.
    virsh("metadata", "first", URI, "--key", "vireo", "--config",
          "--set", "<guest><autostart order='1' delay_s='2'/></guest>")
    connection = boot_again(own_daemon)
    wait_until(lambda: {"first", "second"} <= set(ids(connection)), what="both starts")
    # From their processes, since who looks may come late: the second's begins when the first has run for that long.
    first, second = (began_s(own_daemon.guest_pid(domain.UUIDString())) for domain in guests)
    assert second - first > 1.9
    connection.close()


def test_as_many_at_once_as_the_setting_says(own_daemon, marked):
    for i in range(5):
        marked(f"g{i}", "order='1'")
    own_daemon.configure("autostart_parallel = 1\n")
    connection = boot_again(own_daemon)
    wait_until(lambda: len(ids(connection)) == 5)
    connection.close()


def test_a_plan_that_means_nothing_is_refused(conn, virsh, marked):
    for text, says in (("order='soon'", "order of <autostart> must be a whole number from 0 to 65535, not 'soon'"),
                       ("delay_s='86401'", "from 0 to 86400"), ("after='a'", "knows order and delay_s, not 'after'")):
        with pytest.raises(libvirt.libvirtError) as refused:
            conn.defineXML(domain_xml("odd", extra=plan(text)))
        assert refused.value.get_error_code() == libvirt.VIR_ERR_XML_ERROR
        assert says in refused.value.get_error_message()
    marked("even", "order='1'")
    complaint = virsh.fails("metadata", "even", URI, "--key", "vireo", "--set", "<guest><autostart order='x'/></guest>")
    assert "must be a whole number" in complaint
    assert 'order="1"' in virsh("metadata", "even", URI), "and nothing has changed"
