"""Documents that are no XML, or more than XML should be: refused with the place, whether they come in a raw frame or
from a file, and nothing is left of them."""

import re
import subprocess

import libvirt
import pytest

import wire
from bystander import Bystander
from commands import ENVIRONMENT
from definitions import domain_xml
from patience import at_once

UUID = "00000000-0000-4000-8000-0000000000bd"
GOOD = domain_xml("bad", uuid=UUID)
NEST = 300


def with_title(title):
    return GOOD.replace("</domain>", "<title>").encode() + title + b"</title></domain>"


# What is wrong, the document, and the line of the fault.
LAST = GOOD.count("\n") + 1
DOCUMENTS = {
    "nested": (GOOD.replace("</domain>", f"<metadata>\n{'<a>' * NEST}{'</a>' * NEST}</metadata></domain>").encode(),
               LAST + 1),
    "unknown-entity": (with_title(b"&bogus;"), LAST),
    "duplicate-attribute": (GOOD.replace("machine='pc'", "machine='pc' arch='i686'").encode(), 6),
    "bad-utf8": (with_title(b"\xff\xfe"), LAST),
    "overlong-utf8": (with_title(b"\xc0\xaf"), LAST),
    "control-character": (with_title(b"\x01"), LAST),
    "trailing-text": ((GOOD + "\n\ntrailing").encode(), LAST + 2),
    "second-root": ((GOOD + "\n<domain/>").encode(), LAST + 1),
    "never-closed": (GOOD.replace("</domain>", "").encode(), LAST),
    "wrongly-closed": (GOOD.replace("</os>", "</so>").encode(), 6),
    "no-xml": (b"memory = 4", 1),
    "half-a-tag": (GOOD.encode() + b"<", LAST),
}
# What libvirtd takes, or says otherwise.
STRICT = {
    "doctype": (b"<!DOCTYPE domain [<!ENTITY a 'b'>]>\n" + GOOD.encode(), 1),
    "many-entities": (b"<!DOCTYPE domain [<!ENTITY a '" + b"x" * 1000 + b"'>]>\n" + GOOD.encode(), 1),
    "nul": (with_title(b"a\0b"), LAST),
    "nul-at-the-end": (GOOD.encode() + b"\0", LAST),
    "four-mebibytes-and-one": (GOOD.encode() + b"\n" * (wire.STRING_MAX + 1 - len(GOOD)), None),
}


@pytest.fixture(autouse=True)
def bystander(daemon):
    bystander = Bystander(daemon.uri)
    yield
    bystander.leave()


def refusal(daemon, document, procedure="domain_define_xml", flags=b""):
    with wire.Client(daemon.socket_path) as client:
        client.greet()
        with pytest.raises(wire.Refused) as problem:
            client.call(procedure, wire.text(document) + flags)
        assert client.call("connect_list_all_domains", wire.word(1) + wire.word(0)) == wire.word(0) * 2
    return problem.value


def check(problem, line):
    assert (problem.domain, problem.code) == (libvirt.VIR_FROM_DOMAIN, libvirt.VIR_ERR_XML_DETAIL)
    assert problem.text.startswith(f"(domain_definition):{line}: "), problem.text


@pytest.mark.parametrize("what", DOCUMENTS)
def test_in_a_frame(daemon, what):
    document, line = DOCUMENTS[what]
    check(refusal(daemon, document), line)
    check(refusal(daemon, document, "domain_create_xml", wire.word(0)), line)


@pytest.mark.vireo_only
@pytest.mark.parametrize("what", [name for name, (_, line) in STRICT.items() if line])
def test_in_a_frame_more_strictly_than_libvirtd(daemon, what):
    document, line = STRICT[what]
    problem = refusal(daemon, document)
    check(problem, line)
    assert re.search(rf"\(line {line}, column \d+\)", problem.text)


@pytest.mark.vireo_only
@pytest.mark.parametrize("what", DOCUMENTS)
def test_the_column_is_told(daemon, what):
    document, line = DOCUMENTS[what]
    assert re.search(rf"\(line {line}, column \d+\)", refusal(daemon, document).text)


def test_a_document_beyond_the_protocol(daemon):
    document, _ = STRICT["four-mebibytes-and-one"]
    problem = refusal(daemon, document)
    assert (problem.domain, problem.code) == (libvirt.VIR_FROM_RPC, libvirt.VIR_ERR_RPC)


@pytest.mark.vireo_only
@pytest.mark.parametrize("what, code, words", [
    ("devices", libvirt.VIR_ERR_CONFIG_UNSUPPORTED, "devices, more than the 2048 that a guest may have"),
    ("attributes", libvirt.VIR_ERR_XML_DETAIL, "'domain' has more than 256 attributes"),
    ("elements", libvirt.VIR_ERR_XML_DETAIL, "'metadata' holds more than 16384 elements"),
])
def test_so_many_that_comparing_them_would_take_minutes(daemon, what, code, words):
    """Small enough each, and for a frame."""
    document = {
        "devices": GOOD.replace("<devices>", "<devices>" + "<interface type='user'/>" * 10_000),
        "attributes": GOOD.replace("<domain", "<domain" + "".join(f" a{i}=''" for i in range(300_000))),
        "elements": GOOD.replace("</domain>", "<metadata>" + "".join(f"<a:b xmlns:a='u{i}'/>" for i in range(150_000))
                                 + "</metadata></domain>"),
    }[what]
    problem = at_once(refusal, daemon, document)
    assert problem.code == code
    assert words in problem.text


def test_depth_that_is_allowed(conn):
    nest = 250
    document = GOOD.replace("</domain>", f"<metadata><a:a xmlns:a='urn:a'>{'<a>' * nest}{'</a>' * nest}"
                                         "</a:a></metadata></domain>")
    conn.defineXML(document).undefine()


@pytest.mark.parametrize("command", ["define", "create"])
@pytest.mark.parametrize("what", DOCUMENTS)
def test_from_a_file(virsh, tmp_path, what, command):
    document, line = DOCUMENTS[what]
    path = tmp_path / "guest.xml"
    path.write_bytes(document)
    # What is quoted of the document may be no UTF-8.
    done = subprocess.run(virsh.argv(command, path), env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace", timeout=60, check=False)
    assert done.returncode == 1
    verb = {"define": "define domain", "create": "create domain"}[command]
    assert done.stderr.startswith(f"error: Failed to {verb} from {path}\n"
                                  f"error: (domain_definition):{line}: "), done.stderr
    assert virsh.names("--all") == []
