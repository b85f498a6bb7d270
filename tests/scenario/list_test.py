"""Lists and their filters: what virsh prints and what python gets for every flag there is."""

import libvirt
import pytest

from definitions import domain_xml

SHUTOFF, RUNNING, PAUSED, TRANSIENT = "flat", "lively", "quiet", "mayfly"


@pytest.fixture
def four(conn):
    """One at rest (with a title), one running (autostarted), one paused, one transient and paused."""
    made = [conn.defineXML(domain_xml(SHUTOFF, extra="<title>Lies flat</title>")),
            conn.defineXML(domain_xml(RUNNING)), conn.defineXML(domain_xml(PAUSED))]
    made[1].setAutostart(1)
    made[1].create()
    made[2].createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    made.append(conn.createXML(domain_xml(TRANSIENT), libvirt.VIR_DOMAIN_START_PAUSED))
    return {domain.name(): domain for domain in made}


ALL = sorted([SHUTOFF, RUNNING, PAUSED, TRANSIENT])
ACTIVE = sorted([RUNNING, PAUSED, TRANSIENT])

VIRSH = [
    ([], ACTIVE),
    (["--all"], ALL),
    (["--inactive"], [SHUTOFF]),
    (["--persistent"], sorted([RUNNING, PAUSED])),
    (["--persistent", "--all"], sorted([SHUTOFF, RUNNING, PAUSED])),
    (["--transient"], [TRANSIENT]),
    (["--transient", "--all"], [TRANSIENT]),
    (["--autostart"], [RUNNING]),
    (["--no-autostart", "--all"], sorted([SHUTOFF, PAUSED, TRANSIENT])),
    (["--state-running"], [RUNNING]),
    (["--state-paused"], sorted([PAUSED, TRANSIENT])),
    (["--state-shutoff"], [SHUTOFF]),
    (["--state-shutoff", "--all"], [SHUTOFF]),
    (["--state-other", "--all"], []),
    (["--state-running", "--state-paused"], ACTIVE),
    (["--with-snapshot", "--all"], []),
    (["--without-snapshot", "--all"], ALL),
    (["--with-checkpoint", "--all"], []),
    (["--without-checkpoint", "--all"], ALL),
    (["--with-managed-save", "--all"], []),
    (["--without-managed-save", "--all"], ALL),
    (["--persistent", "--state-paused"], [PAUSED]),
]

PYTHON = [
    ("ACTIVE", ACTIVE), ("INACTIVE", [SHUTOFF]), ("PERSISTENT", sorted([SHUTOFF, RUNNING, PAUSED])),
    ("TRANSIENT", [TRANSIENT]), ("RUNNING", [RUNNING]), ("PAUSED", sorted([PAUSED, TRANSIENT])),
    ("SHUTOFF", [SHUTOFF]), ("OTHER", []), ("MANAGEDSAVE", []), ("NO_MANAGEDSAVE", ALL), ("AUTOSTART", [RUNNING]),
    ("NO_AUTOSTART", sorted([SHUTOFF, PAUSED, TRANSIENT])), ("HAS_SNAPSHOT", []), ("NO_SNAPSHOT", ALL),
    ("HAS_CHECKPOINT", []), ("NO_CHECKPOINT", ALL),
]


def test_virsh_list_with_every_filter(virsh, four):
    found = {tuple(filters): virsh.names(*filters) for filters, _ in VIRSH}
    assert found == {tuple(filters): names for filters, names in VIRSH}


def test_python_with_every_flag(conn, four):
    def names(flags):
        return sorted(domain.name() for domain in conn.listAllDomains(flags))

    every = {key[len("VIR_CONNECT_LIST_DOMAINS_"):] for key in vars(libvirt)
             if key.startswith("VIR_CONNECT_LIST_DOMAINS_")}
    assert every == {name for name, _ in PYTHON}
    found = {name: names(getattr(libvirt, f"VIR_CONNECT_LIST_DOMAINS_{name}")) for name, _ in PYTHON}
    assert found == dict(PYTHON)
    assert names(0) == ALL
    # Flags of one group widen, flags of different groups narrow.
    assert names(libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING | libvirt.VIR_CONNECT_LIST_DOMAINS_SHUTOFF) == sorted(
        [RUNNING, SHUTOFF])
    assert names(libvirt.VIR_CONNECT_LIST_DOMAINS_PAUSED | libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT) == [PAUSED]


def test_the_table(virsh, four):
    """Running guests come by their ids, guests at rest after them by name."""
    rows = virsh.rows("--all")
    assert rows == [(str(four[RUNNING].ID()), RUNNING, "running"), (str(four[PAUSED].ID()), PAUSED, "paused"),
                    (str(four[TRANSIENT].ID()), TRANSIENT, "paused"), ("-", SHUTOFF, "shut off")]


def test_uuid_name_id_and_title(virsh, four):
    assert sorted(virsh("list", "--uuid", "--all").split()) == sorted(
        domain.UUIDString() for domain in four.values())
    assert virsh("list", "--id").split() == [str(four[name].ID()) for name in (RUNNING, PAUSED, TRANSIENT)]
    assert virsh("list", "--inactive", "--name", "--uuid").split() == [four[SHUTOFF].UUIDString(), SHUTOFF]
    assert virsh("list", "--inactive", "--title").splitlines()[2].split(None, 4) == [
        "-", SHUTOFF, "shut", "off", "Lies flat"]


def test_the_old_calls(conn, four):
    assert conn.numOfDomains() == 3
    assert conn.numOfDefinedDomains() == 1
    assert sorted(conn.listDomainsID()) == sorted(four[name].ID() for name in ACTIVE)
    assert conn.listDefinedDomains() == [SHUTOFF]
