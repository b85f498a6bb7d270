"""A hundred clients of the tree that ask for much and read nothing: what the daemon holds for them stays bounded, and
somebody else's requests take as long as before."""

import contextlib
import pathlib
import re
import select
import socket
import statistics
import struct
import subprocess
import sys
import time

import pytest

READ, WATCH, TRANSACTION_START, TRANSACTION_END, WRITE = 2, 4, 6, 7, 11
CLIENTS, WATCHES, TRANSACTIONS, WRITES = 100, 20, 50, 3000


def frame(kind, *strings, transaction=0):
    payload = b"\0".join(string.encode() for string in strings)
    return struct.pack("=IIII", kind, 1, transaction, len(payload)) + payload


def connect(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    return client


def storm(path):
    """Sends all that the daemon takes, and says when it has been."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(path)) for _ in range(CLIENTS)]
        print("begun", flush=True)
        for number, client in enumerate(clients):
            client.setblocking(False)
            # Transactions are counted from 1 on by every connection, so there is no need to read their numbers.
            wishes = [frame(WATCH, "/storm", f"token-{number}-{i}", "") for i in range(WATCHES)]
            for i in range(1, TRANSACTIONS + 1):
                wishes += [frame(TRANSACTION_START, ""), frame(READ, "/storm", "", transaction=i),
                           frame(WRITE, f"/storm/{number}/{i}", "x" * 100, transaction=i)]
                wishes += [frame(TRANSACTION_END, "T", "", transaction=i)] if i % 2 else []
            wishes += [frame(WRITE, f"/storm/{number}-{i}", "x" * 100) for i in range(WRITES // CLIENTS)]
            with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                client.sendall(b"".join(wishes))
        writer = stack.enter_context(connect(path))
        for i in range(WRITES):
            writer.sendall(frame(WRITE, f"/storm/{i}", "x"))
            writer.recv(16 + 3, socket.MSG_WAITALL)
        print("over", flush=True)
        sys.stdin.read()


class Bystander:
    """Reads and writes what nobody else cares for, one request at a time."""

    def __init__(self, path):
        self.socket = connect(path)
        self.socket.settimeout(20)

    def ask(self, request):
        self.socket.sendall(request)
        _, _, _, size = struct.unpack("=IIII", self.socket.recv(16, socket.MSG_WAITALL))
        if size:
            self.socket.recv(size, socket.MSG_WAITALL)

    def median_s(self, requests=400):
        took = []
        for i in range(requests):
            began = time.monotonic()
            self.ask(frame(WRITE, "/calm/x", str(i)) if i % 2 else frame(READ, "/calm/x", ""))
            took.append(time.monotonic() - began)
        return statistics.median(took)


def resident_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024


@pytest.mark.vireo_only
def test_a_storm_is_bounded_and_nobody_else_feels_it(own_daemon):
    path = str(own_daemon.root / "run/xenstore-sock")
    bystander = Bystander(path)
    before_s, before_mib = bystander.median_s(), resident_mib(own_daemon.pid())
    # Nothing of what it says is read ahead, or it would not be seen any more that it says more.
    with subprocess.Popen([sys.executable, __file__, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          bufsize=0) as process:
        try:
            assert process.stdout.readline() == b"begun\n"
            during = [bystander.median_s(50)]
            while not select.select([process.stdout], [], [], 0)[0]:
                during.append(bystander.median_s(50))
            assert process.stdout.readline() == b"over\n"
            peak_mib = resident_mib(own_daemon.pid())
            after_s = bystander.median_s()
        finally:
            process.stdin.close()
            process.wait(60)
    print(f"median: {before_s * 1e6:.0f} us, in the storm {statistics.median(during) * 1e6:.0f} (50 at once: at most "
          f"{max(during) * 1e6:.0f}), beside those that sleep {after_s * 1e6:.0f}; {before_mib} MiB, then {peak_mib}")
    # Allowances for a busy machine: what waits behind a storm would wait for seconds.
    assert statistics.median(during) < before_s * 20 + 0.2
    assert after_s < before_s * 5 + 0.05
    assert peak_mib - before_mib < 600
    bystander.ask(frame(READ, "/calm/x", ""))


if __name__ == "__main__":
    storm(sys.argv[1])
