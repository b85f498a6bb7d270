"""Read-only is read-only: every procedure of the table is tried over the read-only socket.

What libvirtd answers is recorded in data/read_only.tsv: for each procedure, with arguments of little and of much, what
the error says; and for those that it lets pass, which bit of which argument makes it refuse. Vireo refuses what
libvirtd refuses, in the same words, and nothing else. Where the recorded version of libvirtd is installed, it is asked
again; VIREO_RECORD=1 with --target libvirtd writes the recording anew.
"""

import csv
import os
import pathlib
import shutil
import socket
import subprocess

import libvirt
import pytest

import daemons
import wire
from conftest import short_folder

RECORDING = pathlib.Path(__file__).parent / "data" / "read_only.tsv"
COLUMNS = ["program", "number", "name", "argument", "value", "domain", "code", "text"]
# They end the connection or belong to its greeting.
GREETING = {"connect_open", "connect_close", "auth_list", "auth_sasl_init", "auth_sasl_start", "auth_sasl_step",
            "auth_polkit"}


# libvirtd looks at the descriptor that they carry before it looks at the connection.
WITH_DESCRIPTOR = {"domain_open_graphics", "domain_open_graphics_fd", "domain_fd_associate"}


class Prober:
    """Tries calls on read-only connections, a new one whenever the last has ended."""

    def __init__(self, daemon):
        self.path = daemon.socket_path.with_name("libvirt-sock-ro")
        self.client = None

    def denial(self, procedure, payload, descriptor=None):
        """(domain, code, text) if the call is refused because of the connection, else None."""
        header = {"program": wire.PROGRAMS[procedure["program"]]}
        number = int(procedure["number"])
        for _ in range(2):
            try:
                if self.client is None:
                    self.client = wire.Client(self.path).greet(flags=libvirt.VIR_CONNECT_RO)
                if descriptor is None:
                    self.client.call(number, payload, **header)
                else:
                    frame = self.client.frame(number, wire.word(1) + payload, kind=wire.CALL_WITH_FDS, **header)
                    self.client.send_with_descriptor(frame, descriptor)
                    self.client.answer()
                return None
            except wire.Refused as refused:
                if refused.code != libvirt.VIR_ERR_OPERATION_DENIED:
                    return None
                return str(refused.domain), str(refused.code), refused.text
            except wire.Gone:
                self.client = None
        raise AssertionError(f"{procedure['name']} ends the connection")

    def denial_of_any(self, procedure):
        """The same for the call with little and with everything in it: some of libvirtd's checks come before."""
        for full in (False, True):
            if denied := self.denial(procedure, wire.arguments(procedure, full)):
                return denied
        if procedure["name"] not in WITH_DESCRIPTOR:
            return None
        with socket.socket(socket.AF_UNIX) as anything:
            return self.denial(procedure, wire.arguments(procedure, True), anything.fileno())


@pytest.fixture
def prober(daemon):
    prober = Prober(daemon)
    yield prober
    if prober.client:
        prober.client.close()


def procedures():
    """All calls and events of the table, but for the greeting: 443 + 7 - 7."""
    return [row for row in wire.PROCEDURES.values() if row["program"] != "keepalive" and row["name"] not in GREETING]


def refusals(prober):
    """What is refused, as the rows of the recording."""
    found = []
    for procedure in procedures():
        key = (procedure["program"], procedure["number"], procedure["name"])
        if denied := prober.denial_of_any(procedure):
            found.append((*key, "-", "-", *denied))
            continue
        for field in (field["field"] for field in wire.plain_words(procedure)):
            for value in (1 << bit for bit in range(32)):
                if denied := prober.denial(procedure, wire.arguments(procedure, **{field: value})):
                    found.append((*key, field, str(value), *denied))
    return found


def recorded():
    with open(RECORDING, newline="", encoding="utf-8") as table:
        return [tuple(row[column] for column in COLUMNS) for row in csv.DictReader(table, delimiter="\t")]


def test_every_procedure_is_tried():
    assert len(procedures()) + len(GREETING) == 450


def test_what_libvirtd_refuses_is_refused_and_nothing_else(prober, request):
    found = refusals(prober)
    if os.environ.get("VIREO_RECORD") and request.config.getoption("--target") == "libvirtd":
        RECORDING.parent.mkdir(exist_ok=True)
        with open(RECORDING, "w", newline="", encoding="utf-8") as table:
            writer = csv.writer(table, delimiter="\t", lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(found)
    assert len(found) > 200
    expected = recorded()
    assert [row for row in expected if row not in found] == []  # libvirtd refuses it
    assert [row for row in found if row not in expected] == []  # libvirtd lets it pass


def recorded_version_is_here():
    if not shutil.which("libvirtd"):
        return False
    said = subprocess.run(["libvirtd", "--version"], capture_output=True, text=True, check=False).stdout
    return said.rstrip().endswith(" 9.0.0")


if recorded_version_is_here():
    @pytest.mark.vireo_only  # for --target libvirtd the story above says it
    def test_the_recording_is_what_libvirtd_answers(tmp_path_factory):
        with daemons.running("libvirtd", short_folder(tmp_path_factory)) as libvirtd:
            prober = Prober(libvirtd)
            assert refusals(prober) == recorded()
            prober.client.close()
