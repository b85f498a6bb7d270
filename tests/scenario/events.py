"""Collects events through libvirt's own event loop and waits for them."""

import threading

import libvirt

EVENTS = {
    value: key[len("VIR_DOMAIN_EVENT_"):].lower()
    for key, value in vars(libvirt).items()
    if key in ("VIR_DOMAIN_EVENT_DEFINED", "VIR_DOMAIN_EVENT_UNDEFINED", "VIR_DOMAIN_EVENT_STARTED",
               "VIR_DOMAIN_EVENT_SUSPENDED", "VIR_DOMAIN_EVENT_RESUMED", "VIR_DOMAIN_EVENT_STOPPED",
               "VIR_DOMAIN_EVENT_SHUTDOWN", "VIR_DOMAIN_EVENT_PMSUSPENDED", "VIR_DOMAIN_EVENT_CRASHED")
}


def detail_name(event, detail):
    prefix = f"VIR_DOMAIN_EVENT_{EVENTS[event].upper()}_"
    for key, value in vars(libvirt).items():
        if key.startswith(prefix) and value == detail:
            return key[len(prefix):].lower()
    return str(detail)


class Recorder:
    """Remembers the lifecycle events of all guests, or of one, as 'started booted'.

    'shutdown host' is left out: it is QEMU's last word when it is destroyed by a signal, and libvirtd passes it on
    only if it reads it before it sees the process gone.
    """

    def __init__(self, connection, domain=None):
        self.connection = connection
        self.heard = []
        self.changed = threading.Condition()
        self.handle = connection.domainEventRegisterAny(
            domain, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._lifecycle, None)

    def _lifecycle(self, _connection, domain, event, detail, _opaque):
        what = f"{EVENTS[event]} {detail_name(event, detail)}"
        if what != "shutdown host":
            with self.changed:
                self.heard.append((domain.name(), what))
                self.changed.notify_all()

    def of(self, name):
        return [what for who, what in self.heard if who == name]

    def expect(self, name, *expected, timeout_s=60):
        """Waits until as many events of this guest came as are expected, compares them and forgets them."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.of(name)) >= len(expected), timeout_s)
            came = self.of(name)
            assert came == list(expected)
            self.heard = [(who, what) for who, what in self.heard if who != name]

    def close(self):
        self.connection.domainEventDeregisterAny(self.handle)


class Collector:
    """Remembers what a callback of any kind of event was given, without connection, guest and opaque."""

    def __init__(self, connection, event_id, domain=None):
        self.connection = connection
        self.heard = []
        self.changed = threading.Condition()
        self.handle = connection.domainEventRegisterAny(domain, event_id, self._heard, None)

    def _heard(self, _connection, domain, *arguments):
        with self.changed:
            self.heard.append((domain.name(), *arguments[:-1]))
            self.changed.notify_all()

    def expect(self, *expected, timeout_s=60):
        with self.changed:
            self.changed.wait_for(lambda: len(self.heard) >= len(expected), timeout_s)
            assert self.heard == list(expected)

    def close(self):
        self.connection.domainEventDeregisterAny(self.handle)


def run_event_loop():
    """Starts libvirt's event loop on a thread of its own. Must come before the first connection is opened."""
    libvirt.virEventRegisterDefaultImpl()

    def loop():
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=loop, daemon=True).start()
