"""Whoever asks for something impossible gets the error code, error domain and words that libvirt would give."""

import libvirt
import pytest

from definitions import domain_xml

NO_UUID = "00000000-0000-4000-8000-00000000dead"


class Refusal:
    """Expects a libvirtError and keeps what it says."""

    def __enter__(self):
        self.raises = pytest.raises(libvirt.libvirtError)
        self.caught = self.raises.__enter__()
        return self

    def __exit__(self, *what):
        caught = self.raises.__exit__(*what)
        problem = self.caught.value
        self.code, self.domain = problem.get_error_code(), problem.get_error_domain()
        self.message = problem.get_error_message()
        return caught

    @property
    def all(self):
        return self.code, self.domain, self.message


def no_domain(message):
    return libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_FROM_QEMU, "Domain not found: " + message


def invalid(message, domain=libvirt.VIR_FROM_QEMU):
    return libvirt.VIR_ERR_OPERATION_INVALID, domain, "Requested operation is not valid: " + message


def test_lookups_of_nobody(conn):
    with Refusal() as by_name:
        conn.lookupByName("nobody")
    assert by_name.all == no_domain("no domain with matching name 'nobody'")
    with Refusal() as by_uuid:
        conn.lookupByUUIDString(NO_UUID)
    assert by_uuid.all == no_domain(f"no domain with matching uuid '{NO_UUID}'")
    with Refusal() as by_id:
        conn.lookupByID(999999)
    assert by_id.all == no_domain("no domain with matching id 999999")


@pytest.mark.parametrize("verb", ["suspend", "resume", "reset", "reboot", "shutdown", "destroy"])
def test_a_guest_at_rest_refuses(conn, virsh, verb):
    domain = conn.defineXML(domain_xml("sleeper"))
    with Refusal() as refusal:
        getattr(domain, verb)(*{"reset": [0], "reboot": [0]}.get(verb, []))
    # libvirt checks this in two places, which name themselves differently.
    where = libvirt.VIR_FROM_QEMU if verb == "shutdown" else libvirt.VIR_FROM_DOMAIN
    assert refusal.all == invalid("domain is not running", where)
    assert virsh.fails(verb, "sleeper") == (
        f"error: Failed to {verb} domain 'sleeper'\n"
        "error: Requested operation is not valid: domain is not running")


def test_start_of_a_running_guest(conn, virsh):
    domain = conn.defineXML(domain_xml("runner"))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    with Refusal() as refusal:
        domain.create()
    assert refusal.all == invalid("domain is already running")
    assert virsh.fails("start", "runner") == "error: Domain is already active"


def test_resume_of_a_running_guest(conn):
    domain = conn.defineXML(domain_xml("runner"))
    domain.create()
    with Refusal() as refusal:
        domain.resume()
    assert refusal.all == invalid("domain is already running")


def test_a_handle_of_a_guest_that_is_gone(conn):
    """Every call on it says so, and names both its UUID and its name."""
    domain = conn.createXML(domain_xml("ghost"), libvirt.VIR_DOMAIN_START_PAUSED)
    number, uuid = domain.ID(), domain.UUIDString()
    domain.destroy()
    calls = [domain.info, domain.state, domain.isActive, domain.isPersistent, domain.XMLDesc, domain.suspend,
             domain.resume, domain.shutdown, domain.reset, domain.reboot, domain.destroy, domain.undefine,
             domain.create, domain.autostart, domain.maxVcpus, domain.OSType]
    for call in calls:
        with Refusal() as refusal:
            call()
        assert refusal.all == no_domain(f"no domain with matching uuid '{uuid}' (ghost)"), call
    with Refusal() as by_id:
        conn.lookupByID(number)
    assert by_id.all == no_domain(f"no domain with matching id {number}")


def test_an_id_never_comes_back(conn):
    """A loop that remembers ids must never meet another guest under one of them."""
    seen = set()
    for turn in range(4):
        domain = conn.createXML(domain_xml(f"turn-{turn}"), libvirt.VIR_DOMAIN_START_PAUSED)
        number = domain.ID()
        assert number not in seen
        seen.add(number)
        domain.destroy()
        for old in seen:
            with Refusal() as refusal:
                conn.lookupByID(old)
            assert refusal.code == libvirt.VIR_ERR_NO_DOMAIN


def test_xml_that_is_none(conn):
    with Refusal() as refusal:
        conn.defineXML("<domain")
    assert (refusal.code, refusal.domain) == (libvirt.VIR_ERR_XML_DETAIL, libvirt.VIR_FROM_DOMAIN)
    assert refusal.message.startswith("(domain_definition):1: ")


def test_xml_of_something_else(conn):
    with Refusal() as refusal:
        conn.defineXML("<network><name>no</name></network>")
    assert refusal.all == (
        libvirt.VIR_ERR_XML_ERROR, libvirt.VIR_FROM_XML,
        "XML error: expecting root element of 'domain', not 'network'")


def test_a_definition_without_a_name(conn):
    with Refusal() as refusal:
        conn.defineXML("<domain type='qemu'><memory>65536</memory><os><type>hvm</type></os></domain>")
    assert refusal.all == (libvirt.VIR_ERR_NO_NAME, libvirt.VIR_FROM_DOMAIN, "missing name information")


def test_a_definition_without_memory(conn):
    with Refusal() as refusal:
        conn.defineXML("<domain type='qemu'><name>thin</name><os><type>hvm</type></os></domain>")
    assert refusal.all == (
        libvirt.VIR_ERR_XML_ERROR, libvirt.VIR_FROM_DOMAIN,
        "XML error: Memory size must be specified via <memory> or in the <numa> configuration")


def test_a_definition_with_a_broken_uuid(conn):
    with Refusal() as refusal:
        conn.defineXML(domain_xml("odd", uuid="not-a-uuid"))
    assert refusal.all == (
        libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_FROM_DOMAIN, "internal error: malformed uuid element")


def test_an_unknown_kind_of_hypervisor(conn):
    with Refusal() as refusal:
        conn.defineXML(domain_xml("odd").replace("type='qemu'", "type='magic'"))
    assert refusal.all == (
        libvirt.VIR_ERR_CONFIG_UNSUPPORTED, libvirt.VIR_FROM_DOMAIN,
        "unsupported configuration: invalid domain type magic")


def test_flags_that_nobody_knows(conn):
    domain = conn.defineXML(domain_xml("plain"))
    with Refusal() as refusal:
        domain.createWithFlags(1 << 20)
    assert refusal.code == libvirt.VIR_ERR_INVALID_ARG
    assert "unsupported flags (0x100000)" in refusal.message
    with Refusal() as refusal:
        conn.listAllDomains(1 << 20)
    assert refusal.code == libvirt.VIR_ERR_INVALID_ARG


def test_a_read_only_connection_changes_nothing(daemon, conn):
    conn.defineXML(domain_xml("plain"))
    with Refusal() as refusal:
        libvirt.openReadOnly(daemon.uri).lookupByName("plain").create()
    assert refusal.code == libvirt.VIR_ERR_OPERATION_DENIED
    assert refusal.message == "operation forbidden: read only access prevents virDomainCreate"


def test_the_read_only_socket_changes_nothing_whatever_the_client_says(daemon, conn):
    conn.defineXML(domain_xml("plain"))
    client = libvirt.open(f"{daemon.uri}-ro")
    domain = client.lookupByName("plain")
    with Refusal() as refusal:
        domain.create()
    assert refusal.code in (libvirt.VIR_ERR_OPERATION_DENIED,)
    client.close()
