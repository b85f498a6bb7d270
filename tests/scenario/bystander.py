"""Somebody who minds his own business while others behave badly: he asks for the list all the time, and each answer
has to come at once."""

import threading
import time

import libvirt

from patience import AT_ONCE_S


class Bystander:
    def __init__(self, uri):
        self.connection = libvirt.open(uri)
        self.answers, self.worst_s, self.problem = 0, 0.0, None
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._ask)
        self.thread.start()

    def _ask(self):
        while not (self.answers and self.done.wait(0.01)):
            began = time.monotonic()
            try:
                self.connection.listAllDomains()
            except libvirt.libvirtError as problem:
                self.problem = problem
                return
            self.answers += 1
            self.worst_s = max(self.worst_s, time.monotonic() - began)

    def leave(self):
        self.done.set()
        self.thread.join(60)
        assert not self.thread.is_alive(), "a bystander got no answer"
        self.connection.close()
        assert self.problem is None
        assert self.answers > 0
        assert self.worst_s < AT_ONCE_S, f"a bystander waited {self.worst_s:.1f} s"
