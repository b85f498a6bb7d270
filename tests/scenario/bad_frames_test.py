"""Clients that do not keep to the protocol: each of its limits is tried from both sides. Whoever breaks the framing is
dropped; whoever sends a message that cannot be understood is told so and may go on. Nobody else notices."""

import contextlib
import random

import libvirt
import pytest

import wire
from bystander import Bystander

PROGRAMS = wire.PROGRAMS


@pytest.fixture(autouse=True)
def bystander(daemon):
    bystander = Bystander(daemon.uri)
    yield
    bystander.leave()


@pytest.fixture
def client(daemon):
    with wire.Client(daemon.socket_path) as client:
        yield client.greet()


def still_served(client):
    assert client.call("connect_get_uri") == wire.text("qemu:///system")


def refused(client, procedure, payload=b"", **header):
    """Expects an error of the protocol's own; gives its text."""
    with pytest.raises(wire.Refused) as problem:
        client.call(procedure, payload, **header)
    assert (problem.value.domain, problem.value.code) == (libvirt.VIR_FROM_RPC, libvirt.VIR_ERR_RPC)
    return problem.value.text


@pytest.mark.parametrize("length", [0, 4, 27, wire.FRAME_MAX + 1, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_that_cannot_be(client, length):
    client.send(client.frame("connect_get_uri", length=length))
    assert client.ends()


def test_a_length_that_cannot_be_as_the_first_word(daemon):
    with wire.Client(daemon.socket_path) as client:
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        assert client.ends()


def test_the_longest_message(client):
    """It is read to its end; that it does not fit its procedure is another matter."""
    with pytest.raises(wire.Refused) as problem:
        client.call("domain_lookup_by_name", bytes(wire.FRAME_MAX - 28)[:-4] + wire.word(1))
    assert problem.value.code in (libvirt.VIR_ERR_RPC, libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_INVALID_ARG)
    still_served(client)


def test_a_string_above_four_mebibytes(client):
    name = b"n" * (wire.STRING_MAX + 1)
    assert refused(client, "domain_lookup_by_name", wire.text(name)) == "Unable to decode message payload"
    still_served(client)


@pytest.mark.vireo_only
def test_a_string_of_four_mebibytes(client):
    """libvirtd ends the connection: its answer, which repeats the name, does not fit a message."""
    with pytest.raises(wire.Refused) as problem:
        client.call("domain_lookup_by_name", wire.text(b"n" * wire.STRING_MAX))
    assert problem.value.code == libvirt.VIR_ERR_NO_DOMAIN
    still_served(client)


@pytest.mark.parametrize("header, complaint", [
    ({"program": 7}, "Cannot find program 7 version 1"),
    ({"version": 2}, "Cannot find program 536903814 version 2"),
    ({"program": PROGRAMS["keepalive"]}, "Cannot find program 1801807216 version 1"),
    ({"status": wire.ERROR}, "Unexpected message status 1"),
    ({"status": wire.CONTINUE}, "Unexpected message status 2"),
    ({"status": 77}, "Unexpected message status 77"),
])
def test_a_header_that_cannot_be(client, header, complaint):
    assert refused(client, "connect_get_uri", **header) == complaint
    still_served(client)


@pytest.mark.parametrize("number", [0, 444, 9999, -1, 107], ids=["zero", "next", "large", "negative", "event"])
def test_a_procedure_that_does_not_exist(client, number):
    assert refused(client, number) == f"unknown procedure: {number}"
    still_served(client)


@pytest.mark.parametrize("kind", [wire.REPLY, wire.MESSAGE, wire.STREAM, wire.REPLY_WITH_FDS, wire.STREAM_HOLE, 77])
def test_a_message_that_clients_do_not_send(client, kind):
    client.send(client.frame("connect_get_uri", kind=kind))
    still_served(client)


def calls():
    """All procedures that take arguments and are calls, but for those of the greeting."""
    return [row for row in wire.PROCEDURES.values()
            if row["args_struct"] != "-" and not row["name"].startswith(("auth_", "connect_open"))]


def told(client, procedure, payload):
    """Any error will do: some say first that the call is not theirs. None may hang or end the connection."""
    with pytest.raises(wire.Refused):
        client.call(int(procedure["number"]), payload, program=PROGRAMS[procedure["program"]])


def test_arguments_that_end_too_early(client):
    tried = 0
    for procedure in calls():
        for payload in (wire.arguments(procedure)[:-4], b""):
            told(client, procedure, payload)
            tried += 1
    assert tried > 600
    still_served(client)


@pytest.mark.vireo_only
def test_arguments_with_something_after_them(client):
    """libvirtd lets them pass."""
    for procedure in ("domain_lookup_by_name", "domain_get_state", "connect_list_all_domains", "domain_define_xml"):
        payload = wire.arguments(wire.PROCEDURES["remote", procedure]) + b"more"
        assert refused(client, procedure, payload) == "Unable to decode message payload"
    still_served(client)


def test_lists_that_claim_more_than_they_may_or_have(client):
    """Every list of every argument structure: one element more than its bound, and more than there is memory."""
    tried = 0
    for procedure in calls():
        before = b""
        for field in wire.FIELDS[procedure["args_struct"]]:
            if field["bound"].startswith("<"):
                for count in (wire.bound_of(field) + 1, 0xFFFFFFFF):
                    told(client, procedure, before + wire.word(count) + bytes(64))
                    tried += 1
            before += wire.value_of(field["type"], field["bound"])
    assert tried >= 100
    still_served(client)


def test_lists_asked_for_that_are_too_long(client):
    assert refused(client, "connect_list_defined_domains", wire.word(16385)) == "maxnames > REMOTE_DOMAIN_LIST_MAX"
    assert refused(client, "connect_list_domains", wire.word(16385)) == "maxids > REMOTE_DOMAIN_LIST_MAX"
    assert client.call("connect_list_defined_domains", wire.word(16384)) == wire.word(0)


def test_noise(daemon):
    """Bytes that mean nothing, alone and after a good beginning."""
    noise = random.Random(1)
    for number in range(200):
        with wire.Client(daemon.socket_path) as client, contextlib.suppress(wire.Gone):
            if number % 2:
                client.greet()
                for _ in range(20):
                    client.send(client.frame(noise.randrange(450), noise.randbytes(noise.randrange(200)),
                                             kind=noise.randrange(8), status=noise.choice((0, 0, 1, 2))))
            client.send(noise.randbytes(100))
