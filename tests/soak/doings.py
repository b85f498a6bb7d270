"""Who does what to the daemons during a soak. Each is a thread with connections and guests of its own, so that every
answer it gets can be judged: whoever nobody disturbs may not get a single error."""

import collections
import os
import random
import signal
import socket
import threading
import time
import traceback

import libvirt

from definitions import domain_xml, new_uuid
from faults import emulators_of
import wire

PAUSED = libvirt.VIR_DOMAIN_START_PAUSED
# What a guest's sudden end makes of a call that was under way.
DISTURBED = {libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_OPERATION_FAILED,
             libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_ERR_OPERATION_TIMEOUT}


class Crew:
    def __init__(self, steady, killed):
        self.steady, self.killed = steady, killed
        self.counts = collections.Counter()
        self.latencies_ms = collections.deque()  # (operation, ms) of the readers since the last sample
        self._problems = []
        self._ending = threading.Event()
        self._victims = set()  # UUIDs of guests that may be disturbed
        self._threads = [threading.Thread(target=self._guarded, args=(work, *arguments), daemon=True, name=name)
                         for name, work, *arguments in self._jobs()]

    def _jobs(self):
        yield from ((f"churn-{n}", self._churn, n) for n in range(2))
        yield "transient", self._transient
        yield "victims", self._victims_live
        yield "disturber", self._disturb
        yield from ((f"reader-{n}", self._read) for n in range(2))
        yield "subscriber", self._subscribe
        yield "rude", self._be_rude
        yield "restarts", self._restart

    def start(self):
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._ending.set()
        for thread in self._threads:
            thread.join(90)
            if thread.is_alive():
                self._problems.append(f"{thread.name} is stuck")

    def healthy(self):
        return not self._problems

    def problems(self):
        return list(self._problems)

    def _guarded(self, work, *arguments):
        try:
            work(*arguments)
        except Exception:  # noqa: BLE001: whatever it is, the soak has failed and says why
            self._problems.append(f"{threading.current_thread().name}: {traceback.format_exc()}")

    def _goes_on(self):
        return not self._ending.is_set() and self.healthy()

    def _churn(self, number):
        """Nobody touches these guests but this thread: every call must succeed."""
        connection = libvirt.open(self.steady.uri)
        while self._goes_on():
            domain = connection.defineXML(domain_xml(f"churn-{number}", vcpus=random.randint(1, 4)))
            domain.createWithFlags(random.choice((0, PAUSED)))
            if domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED:
                domain.resume()
            domain.suspend()
            domain.XMLDesc()
            domain.destroy()
            domain.rename(f"churned-{number}")
            domain.undefine()
            self.counts["lives"] += 1
        connection.close()

    def _transient(self):
        """Guests that end with their connection."""
        while self._goes_on():
            connection = libvirt.open(self.steady.uri)
            for number in range(3):
                connection.createXML(domain_xml(f"mayfly-{number}"), PAUSED | libvirt.VIR_DOMAIN_START_AUTODESTROY)
            connection.close()
            self._wait_for_names_to_be_free()
            self.counts["autodestroyed"] += 3

    def _wait_for_names_to_be_free(self):
        connection = libvirt.open(self.steady.uri)
        deadline = time.monotonic() + 30
        while any(domain.name().startswith("mayfly") for domain in connection.listAllDomains()):
            if time.monotonic() > deadline:
                raise AssertionError("guests outlive the connection that they were to end with")
            time.sleep(0.02)
        connection.close()

    def _victims_live(self):
        """Keeps four guests running, whatever is done to them."""
        connection = libvirt.open(self.steady.uri)
        domains = [connection.defineXML(domain_xml(f"victim-{number}", uuid=new_uuid())) for number in range(4)]
        self._victims |= {domain.UUIDString() for domain in domains}
        while self._goes_on():
            for domain in domains:
                try:
                    if not domain.isActive():
                        domain.create()
                        self.counts["revived"] += 1
                    domain.info()
                except libvirt.libvirtError as problem:
                    if problem.get_error_code() not in DISTURBED:
                        raise
            self._ending.wait(0.2)
        connection.close()

    def _disturb(self):
        """Kills, stops and continues emulators."""
        while self._goes_on():
            running = emulators_of(self.steady)
            targets = sorted(self._victims & set(running))
            if targets:
                pid = running[random.choice(targets)]
                try:
                    if random.random() < 0.6:
                        os.kill(pid, random.choice((signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM)))
                        self.counts["killed"] += 1
                    else:
                        os.kill(pid, signal.SIGSTOP)
                        self._ending.wait(2)
                        os.kill(pid, signal.SIGCONT)
                        self.counts["stopped"] += 1
                except ProcessLookupError:
                    pass
            self._ending.wait(1)

    def _read(self):
        """Reads never wait: these latencies are the soak's figure."""
        connection = libvirt.open(self.steady.uri)
        while self._goes_on():
            domains = self._timed("list", connection.listAllDomains)
            for domain in random.sample(domains, min(3, len(domains))):
                for name, call in (("state", domain.state), ("xml", domain.XMLDesc), ("info", domain.info)):
                    try:
                        self._timed(name, call)
                    except libvirt.libvirtError as problem:
                        if problem.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                            raise
            self._ending.wait(0.01)
        connection.close()

    def _timed(self, name, call):
        began = time.monotonic()
        result = call()
        self.latencies_ms.append((name, 1000 * (time.monotonic() - began)))
        self.counts["reads"] += 1
        return result

    def _subscribe(self):
        """Takes every event, of new connections each few seconds."""
        def count(*_):
            self.counts["events"] += 1

        while self._goes_on():
            connection = libvirt.open(self.steady.uri)
            handle = connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, count, None)
            self._ending.wait(3)
            connection.domainEventDeregisterAny(handle)
            connection.close()

    def _be_rude(self):
        """Half frames, garbage, silence, and leaving in the middle."""
        while self._goes_on():
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(self.steady.socket_path))
                client.send(random.choice((b"", b"\0\0", bytes(28), os.urandom(64), wire.word(wire.FRAME_MAX),
                                           wire.word(28) + os.urandom(24))))
                self._ending.wait(random.choice((0, 0, 0.05)))
            self.counts["rude clients"] += 1
            self._ending.wait(0.02)

    def _restart(self):
        """The other daemon is killed or ended every few seconds, while it starts guests; all of them are taken over."""
        while self._goes_on():
            connection = libvirt.open(self.killed.uri)
            before = {domain.UUIDString(): emulators_of(self.killed)[domain.UUIDString()]
                      for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)}
            for domain in connection.listAllDomains()[:2] if len(before) > 5 else ():
                domain.destroy()
                before.pop(domain.UUIDString())
            uuid = new_uuid()
            connection.createXML(domain_xml(f"survivor-{uuid[:8]}", uuid=uuid), PAUSED)
            before[uuid] = emulators_of(self.killed)[uuid]
            connection.close()
            if random.random() < 0.5:
                self.killed.kill9()
            else:
                self.killed.stop()
            self.killed.restart()
            self.counts["restarts"] += 1
            connection = libvirt.open(self.killed.uri)
            after = {domain.UUIDString(): emulators_of(self.killed).get(domain.UUIDString())
                     for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)}
            connection.close()
            if after != before:
                raise AssertionError(f"guests before the restart: {before}, after it: {after}")
            self._ending.wait(2)
