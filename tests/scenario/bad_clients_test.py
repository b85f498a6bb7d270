"""Crowds and hogs: more connections than there may be, half a message, answers that nobody reads. Each finds its limit;
the daemon keeps its memory and its descriptors, and nobody else notices."""

import contextlib
import os
import resource

import libvirt
import pytest

import daemons
import wire
from bystander import Bystander
from conftest import clean, short_folder
from definitions import domain_xml
from patience import wait_until

CROWD = 10_000
LIMITS = """
max_clients = 40
max_client_calls = 4
max_client_events = 50
max_client_mib = 1
max_clients_mib = 32
client_timeout_ms = 4000
keepalive_interval_ms = 1000
keepalive_count = 4
"""


@pytest.fixture
def strict(tmp_path_factory):
    """A daemon that allows little."""
    with daemons.running("vireo", short_folder(tmp_path_factory), LIMITS) as daemon:
        yield daemon
        assert daemon.alive()
        clean(daemon)


@contextlib.contextmanager
def bystander(daemon):
    somebody = Bystander(daemon.uri)
    yield
    somebody.leave()


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.pid()}/fd"))


def memory_mib(daemon):
    with open(f"/proc/{daemon.pid()}/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmRSS:")).split()[1]) / 1024


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def ended(client):
    """Whether the daemon has closed it; does not wait."""
    return client.ends(within_s=0.001)


@pytest.mark.vireo_only
def test_ten_thousand_connections(own_daemon, many_descriptors):
    """Those within the limit are served, the others are closed at once, and all that they took comes back."""
    daemon = own_daemon
    before, before_mib = descriptors(daemon), memory_mib(daemon)
    with contextlib.ExitStack() as crowd, bystander(daemon):
        ro_path = daemon.socket_path.with_name("libvirt-sock-ro")
        clients = [crowd.enter_context(wire.Client(ro_path)) for _ in range(CROWD)]
        for client in clients[:5000:500]:
            client.greet(flags=libvirt.VIR_CONNECT_RO)
            assert client.call("connect_get_uri") == wire.text("qemu:///system")
        limit = CROWD

        def has_a_limit():
            nonlocal limit
            limit = sum(not ended(client) for client in clients)  # the last ones may not be turned away yet
            return 1000 <= limit <= 5000

        wait_until(has_a_limit, timeout_s=60, what="all but some thousands being turned away")
        assert descriptors(daemon) < limit + 200
        assert memory_mib(daemon) - before_mib < 200
        # The crowd is on the other socket.
        with wire.Client(daemon.socket_path) as other:
            other.greet()
    wait_until(lambda: descriptors(daemon) <= before, what="the descriptors' return")
    assert daemon.log().count("turned away") < 5


@pytest.mark.vireo_only
def test_more_clients_than_may_be(strict):
    path = strict.socket_path.with_name("libvirt-sock-ro")
    with contextlib.ExitStack() as crowd, bystander(strict):
        inside = [crowd.enter_context(wire.Client(path)).greet(flags=libvirt.VIR_CONNECT_RO) for _ in range(40)]
        outside = [crowd.enter_context(wire.Client(path)) for _ in range(20)]
        assert all(client.ends() for client in outside)
        for client in inside:
            client.call("connect_get_uri")
        inside[0].close()

        def served():
            with wire.Client(path) as client, contextlib.suppress(wire.Gone):
                return client.greet(flags=libvirt.VIR_CONNECT_RO)

        wait_until(served, what="the room that one has left")
    strict.says("turned away")
    assert strict.log().count("turned away") == 1


@pytest.mark.vireo_only
def test_a_client_that_never_opens(strict):
    with bystander(strict), wire.Client(strict.socket_path) as silent, wire.Client(strict.socket_path) as half:
        half.call("auth_list")
        assert silent.ends(within_s=60)
        assert half.ends(within_s=60)
    strict.says("it never opened its connection")


@pytest.mark.vireo_only
@pytest.mark.parametrize("size", [1, 3, 4, 27, 28, 5000])
def test_half_a_frame(strict, size):
    with bystander(strict), wire.Client(strict.socket_path) as client, wire.Client(strict.socket_path) as idle:
        idle.greet()
        client.greet()
        client.send(client.frame("domain_lookup_by_name", bytes(10_000))[:size])
        assert client.ends(within_s=60)
        # Saying nothing at all is no fault.
        assert idle.call("connect_get_uri")
    strict.says("it does not send the rest of its message")


@pytest.mark.vireo_only
def test_many_halves_of_long_frames(strict):
    """Thirty clients begin messages of 32 MiB each: together they hold no more than there may be."""
    before_mib = memory_mib(strict)
    most = 0
    with contextlib.ExitStack() as crowd, bystander(strict):
        clients = [crowd.enter_context(wire.Client(strict.socket_path)).greet() for _ in range(30)]
        frame = clients[0].frame("domain_define_xml", bytes(wire.FRAME_MAX - 28))
        for at in range(0, 8 << 20, 1 << 20):
            for client in clients:
                with contextlib.suppress(wire.Gone):
                    client.send(frame[at:at + (1 << 20)])
            most = max(most, memory_mib(strict) - before_mib)
        assert most < 150  # of the 240 that they sent; sanitizers have their share
    strict.says("all clients together hold too much")


@pytest.mark.vireo_only
@pytest.mark.parametrize("procedure", ["connect_get_capabilities", "connect_get_uri"])
def test_answers_that_nobody_reads(strict, procedure):
    before_mib = memory_mib(strict)
    with bystander(strict), wire.Client(strict.socket_path) as client:
        client.greet()
        with contextlib.suppress(wire.Gone):
            for _ in range(1_000_000):
                client.send(client.frame(procedure))
        assert memory_mib(strict) - before_mib < 50
        assert client.ends()
    strict.says("it does not read")


@pytest.mark.vireo_only
def test_events_that_nobody_reads(strict):
    """The one who reads gets them all."""
    with bystander(strict), wire.Client(strict.socket_path) as deaf, wire.Client(strict.socket_path) as listener:
        for client in (deaf, listener):
            client.greet("test:///default")
            client.call("connect_domain_event_register")
        connection = libvirt.open(f"test+unix:///default?socket={strict.socket_path}")
        domain = connection.lookupByName("test")
        heard, rounds = 0, 0
        while "too many events wait for it" not in strict.log():
            domain.suspend()
            domain.resume()
            rounds += 1
            for _ in range(2):
                _, kind, _, _, _ = listener.receive()
                assert kind == wire.MESSAGE
                heard += 1
            assert rounds < 100_000
        connection.close()
        assert heard == 2 * rounds
        assert listener.call("connect_get_uri") == wire.text("test:///default")
        assert deaf.ends()


@pytest.mark.vireo_only
def test_pings_that_nobody_answers(strict):
    with bystander(strict), wire.Client(strict.socket_path) as client:
        client.greet()
        assert client.call("connect_supports_feature", wire.word(10)) == wire.word(1)
        assert client.ends(within_s=60)
    strict.says("it answers no keepalive messages")


@pytest.mark.vireo_only
def test_a_guest_of_a_client_that_is_dropped(strict):
    """Whatever a client is dropped for, what was to end with it does."""
    with wire.Client(strict.socket_path) as client:
        client.greet()
        client.call("domain_create_xml", wire.text(domain_xml("mayfly"))
                    + wire.word(libvirt.VIR_DOMAIN_START_PAUSED | libvirt.VIR_DOMAIN_START_AUTODESTROY))
        client.send(client.frame("connect_get_uri")[:10])
        assert client.ends(within_s=60)
    connection = libvirt.open(strict.uri)
    wait_until(lambda: connection.listAllDomains() == [], what="the guest's end")
    connection.close()


@pytest.mark.vireo_only
def test_descriptors_that_nobody_asked_for(strict):
    before = descriptors(strict)
    for _ in range(20):
        with wire.Client(strict.socket_path) as client, open("/dev/null", "rb") as null:
            client.greet()
            frame = client.frame("connect_get_uri", wire.word(1), kind=wire.CALL_WITH_FDS)
            with contextlib.suppress(wire.Gone):
                client.send_with_descriptor(frame, null.fileno())
            assert client.ends()
    wait_until(lambda: descriptors(strict) <= before, what="the descriptors' return")
