"""Not QEMU: answers at the monitor that it inherits as a plan says, well or badly. Run as `fake_qemu.py PLAN WORDS…`, with
QEMU's own words. Uses nothing of the suite, because it runs as QEMU's user.

The plan is JSON: a list with one object for each connection in turn (the last one serves all later ones), of which
each part is a list of actions:

    "connected", "greeted"   done before the greeting and after it
    "on": {COMMAND: …}       done instead of answering that command
    "asked": …               done when the process gets SIGUSR1; a line in the file PLAN.heard says first that it has

Actions: ["say", TEXT], ["say", TEXT, TIMES], ["drip", TEXT, SECONDS] (a byte each so often), ["answer"] (what QEMU would), ["note", FILE] (a line there names the command), ["exit", STATUS], ["signal", NUMBER] to itself, ["hang"], ["silence"] (hear, and answer no more), ["close"] and
["deaf"] (close, and listen no more).
"""

import json
import os
import re
import signal
import socket
import sys
import time

GREETING = {"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": ""}, "capabilities": []}}
ANSWERS = {
    "query-status": {"status": "running", "running": True},
    "query-chardev": [],
    "query-vnc": {"enabled": True, "service": "5999"},
    "query-balloon": {"actual": 64 << 20},
    "query-cpus-fast": [],
    "query-blockstats": [{"qdev": "/machine/peripheral/virtio-disk0/virtio-backend", "node-name": "libvirt-1-format",
                          "stats": {"rd_operations": 3, "rd_bytes": 4096, "wr_operations": 0, "wr_bytes": 0}}],
    "query-named-block-nodes": [],
    "query-dirty-rate": {"status": "unstarted", "start-time": 0, "calc-time": 0, "mode": "page-sampling"},
}
EVENTS = {"cont": "RESUME", "stop": "STOP"}


class Fake:
    def __init__(self, plans, listener, heard):
        self.plans, self.listener, self.heard = plans, listener, heard
        self.connection, self.plan, self.silent = None, {}, False
        signal.signal(signal.SIGUSR1, self.do_as_asked)

    def serve(self):
        for number in range(1_000_000):
            self.connection, _ = self.listener.accept()
            self.plan = self.plans[min(number, len(self.plans) - 1)]
            try:
                self.talk()
            except OSError:
                pass  # the other side has gone, or we have closed
            self.connection.close()

    def talk(self):
        self.perform(self.plan.get("connected", []))
        self.send(GREETING)
        self.perform(self.plan.get("greeted", []))
        for line in self.connection.makefile():
            command = json.loads(line)
            name = command["execute"]
            for action in self.plan.get("on", {}).get(name, [["answer"]]):
                self.act(command, *action)

    def perform(self, actions):
        for action in actions:
            self.act({"execute": "nothing"}, *action)

    def do_as_asked(self, *_):
        with open(self.heard, "a", encoding="ascii") as heard:
            heard.write("asked\n")
        self.perform(self.plan.get("asked", []))

    def send(self, message):
        self.connection.sendall(json.dumps(message).encode() + b"\r\n")

    def event(self, name):
        self.send({"timestamp": {"seconds": int(time.time()), "microseconds": 0}, "event": name})

    def act(self, command, what, *how):
        if what == "answer" and not self.silent:
            name = command["execute"]
            if name in EVENTS:
                self.event(EVENTS[name])
            self.send({"return": ANSWERS.get(name, {}), "id": command.get("id")})
            if name == "quit":
                sys.exit(0)
        elif what == "say":
            text = how[0].replace("ID", str(command.get("id"))).encode(errors="surrogateescape")
            for _ in range(how[1] if len(how) > 1 else 1):
                self.connection.sendall(text)
        elif what == "drip":
            for byte in how[0].replace("ID", str(command.get("id"))).encode():
                self.connection.sendall(bytes([byte]))
                time.sleep(how[1])
        elif what == "note":
            with open(how[0], "a", encoding="ascii") as notes:
                notes.write(command["execute"] + "\n")
        elif what == "exit":
            os._exit(how[0])
        elif what == "signal":
            os.kill(os.getpid(), how[0])
        elif what == "hang":
            time.sleep(1000)
        elif what == "silence":
            self.silent = True
        elif what in ("close", "deaf"):
            if what == "deaf":
                self.listener.close()
            self.connection.shutdown(socket.SHUT_RDWR)


def main():
    with open(sys.argv[1], encoding="utf-8") as plan:
        plans = json.load(plan)
    chardev = sys.argv[sys.argv.index("-chardev") + 1]
    number = int(re.search(r"\bfd=(\d+)", chardev).group(1))
    Fake(plans, socket.socket(fileno=number), f"{sys.argv[1]}.heard").serve()


main()
