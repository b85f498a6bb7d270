"""Raw frames: a client that says what no library would say, and the protocol's structures by the table of facts."""

import csv
import pathlib
import select
import socket
import struct
import time

FACTS = pathlib.Path(__file__).resolve().parents[2] / "src/doors/libvirt/protocol"
PROGRAMS = {"remote": 0x20008086, "qemu": 0x20008087, "keepalive": 0x6B656570}
CALL, REPLY, MESSAGE, STREAM, CALL_WITH_FDS, REPLY_WITH_FDS, STREAM_HOLE = range(7)
OK, ERROR, CONTINUE = range(3)
FRAME_MAX = 4 + 33554432
STRING_MAX = 4194304
PATIENCE_S = 60


def rows(name):
    with open(FACTS / f"{name}.tsv", newline="", encoding="ascii") as table:
        return list(csv.DictReader(table, delimiter="\t"))


PROCEDURES = {(row["program"], row["name"]): row for row in rows("procedures")}
FIELDS = {}
for field in rows("structs"):
    FIELDS.setdefault(field["struct"], []).append(field)

CONSTANTS = {row["name"]: row["value"] for row in rows("constants")}

# What a structure's scalars take on the wire.
SIZES = {"int": 4, "unsigned int": 4, "char": 4, "unsigned char": 4, "unsigned short": 4, "hyper": 8,
         "unsigned hyper": 8}


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack(">I", len(data)) + data + bytes(-len(data) % 4)


def word(value):
    return struct.pack(">I", value & 0xFFFFFFFF)


def value_of(kind, bound="-", full=False):
    """A small value of a type. The least: no list has elements, nothing optional is there, numbers are 0; the full one
    has one of everything. Names are one letter."""
    if bound.startswith("<"):
        if kind == "opaque":
            return text("x" if full else "")
        return word(1) + value_of(kind, full=True) if full else word(0)
    if kind in SIZES:
        count = int(bound[1:-1]) if bound.startswith("[") else 1
        return (bytes(SIZES[kind] - 1) + bytes([full])) * count
    if kind == "remote_nonnull_string":
        return text("x")
    if kind == "remote_uuid":
        return bytes(range(16))
    if kind == "remote_typed_param_value":
        return word(1) + word(1)
    if kind in FIELDS:
        return b"".join(value_of(field["type"], field["bound"], full) for field in FIELDS[kind])
    if not full:
        return word(0)  # optional, and not there
    program, _, kin = kind.partition("_")
    return word(1) + value_of(f"{program}_nonnull_{kin}", full=True)


def arguments(procedure, full=False, **words):
    """A procedure's arguments: the least or the full ones, but for the fields that are named. Flags and
    sources, on which conditions hang, are 0."""
    fields = FIELDS.get(procedure["args_struct"], [])
    words = dict({"flags": 0, "source": 0}, **words)
    return b"".join(word(words[field["field"]]) if field["field"] in words and field in plain_words(procedure)
                    else value_of(field["type"], field["bound"], full) for field in fields)


def plain_words(procedure):
    """Those of its arguments that are one word each."""
    return [field for field in FIELDS.get(procedure["args_struct"], [])
            if field["type"] in ("int", "unsigned int") and field["bound"] == "-"]


def bound_of(field):
    """How many elements a list may have."""
    bound = field["bound"][1:-1]
    return int(CONSTANTS.get(bound, bound), 0)


class Refused(Exception):
    """An error reply: its code, domain and text."""

    def __init__(self, payload):
        self.code, self.domain, there = struct.unpack(">iii", payload[:12])
        size = struct.unpack(">I", payload[12:16])[0] if there else 0
        self.text = payload[16:16 + size].decode(errors="replace")
        super().__init__(self.code, self.domain, self.text)


class Gone(Exception):
    """The daemon has closed the connection."""


class Client:
    """A connection that sends what it is told to."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        # First, for with a time limit a full queue of connections would be an error at once.
        self.socket.connect(str(path))
        self.socket.settimeout(PATIENCE_S)
        self.serial = 0

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError as problem:
            raise Gone from problem

    def frame(self, procedure, payload=b"", *, program=PROGRAMS["remote"], version=1, kind=CALL, status=OK,
              length=None):
        """A frame, with whatever length it is told to have."""
        self.serial += 1
        number = procedure if isinstance(procedure, int) else int(PROCEDURES["remote", procedure]["number"])
        header = struct.pack(">IIiIIi", program, version, number, kind, self.serial, status)
        return struct.pack(">I", 28 + len(payload) if length is None else length) + header + payload

    def send_with_descriptor(self, data, descriptor):
        """Descriptors come after the message, each with a byte of its own."""
        self.send(data)
        try:
            socket.send_fds(self.socket, [b"\0"], [descriptor])
        except OSError as problem:
            raise Gone from problem

    def receive_exactly(self, count):
        data = b""
        while len(data) < count:
            try:
                more = self.socket.recv(min(count - len(data), 1 << 20))
            except ConnectionError as problem:
                raise Gone from problem
            if not more:
                raise Gone
            data += more
        return data

    def receive(self):
        """The next message: procedure, type, serial, status, payload."""
        length, _, _, number, kind, serial, status = struct.unpack(">IIIiIIi", self.receive_exactly(28))
        return number, kind, serial, status, self.receive_exactly(length - 28)

    def answer(self):
        """The payload of the next reply; what else comes before it is let go."""
        while True:
            _, kind, _, status, payload = self.receive()
            if kind == REPLY:
                if status == ERROR:
                    raise Refused(payload)
                return payload

    def call(self, procedure, payload=b"", **header):
        self.send(self.frame(procedure, payload, **header))
        return self.answer()

    def greet(self, uri="qemu:///system", flags=0):
        self.call("auth_list")
        self.call("connect_open", word(1) + text(uri) + word(flags))
        return self

    def ends(self, within_s=PATIENCE_S):
        """Whether the daemon closes the connection; what it still sends is thrown away."""
        waiting = select.poll()
        waiting.register(self.socket, select.POLLIN)
        deadline = time.monotonic() + within_s
        while (left := deadline - time.monotonic()) > 0:
            if not waiting.poll(left * 1000):
                break
            try:
                if not self.socket.recv(1 << 20):
                    return True
            except ConnectionError:
                return True
        return False
