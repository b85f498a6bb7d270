"""Reading the configuration anew, by the command and by SIGHUP; and the daemon's end while calls are under way."""

import contextlib
import grp
import os
import signal

import libvirt
import pytest

import emulators
from commands import Http
from definitions import domain_xml, new_uuid
from patience import meanwhile, wait_until

pytestmark = [pytest.mark.vireo_only, pytest.mark.usefixtures("own_daemon")]


@pytest.fixture
def settings(daemon):
    """Writes the daemon's configuration."""
    yield daemon.configure
    daemon.settings_path.unlink(missing_ok=True)


def test_what_a_reload_takes_up(vireo, settings, daemon):
    assert vireo("reload") == f"{daemon.root}/etc/vireod.toml: nothing has changed\n"
    settings('log_level = "debug"\ndoor_threads = 3\n')
    answer = vireo("reload").splitlines()
    assert answer == ["log_level has its new value", "door_threads takes effect at the next start of vireod"]
    # What is in force is compared, so what waits for the next start is told each time.
    assert vireo("reload").splitlines() == answer[1:]
    settings("")
    assert vireo("reload").splitlines() == ["log_level has its new value"]


def test_a_new_value_is_in_force_at_once(vireo, settings, conn):
    port = 7000 + os.getpid() % 1000 * 2  # other runs have others
    settings(f"vnc_first_port = {port}\nvnc_last_port = {port}\n")
    vireo("reload")
    first, second = (conn.defineXML(domain_xml(name, devices='<graphics type="vnc"/>')) for name in ("one", "two"))
    first.create()
    assert f"port='{port}'" in first.XMLDesc()
    with pytest.raises(libvirt.libvirtError) as full:
        second.create()
    assert f"{port}-{port}" in full.value.get_error_message()
    settings(f"vnc_first_port = {port}\nvnc_last_port = {port + 1}\n")
    vireo("reload")
    second.create()
    assert f"port='{port + 1}'" in second.XMLDesc()


def test_a_bad_file_changes_nothing(vireo, settings, daemon, conn):
    settings('log_level = "info"\nlane_timeout_ms = 1\n')
    complaint = vireo.fails("reload")
    assert "etc/vireod.toml:2: lane_timeout_ms must be a whole number from 100 to" in complaint
    daemon.says("vireod.toml:2: lane_timeout_ms")
    settings("door_threads = \n")
    assert "vireod.toml:1: " in vireo.fails("reload")
    conn.defineXML(domain_xml("unimpressed")).create()


def test_sighup_reloads(settings, daemon):
    settings('log_level = "debug"\nspawn_threads = 7\n')
    os.kill(daemon.pid(), signal.SIGHUP)
    daemon.says("changed: log_level; read at start only: spawn_threads")
    settings("log_level = 3\n")
    os.kill(daemon.pid(), signal.SIGHUP)
    daemon.says("vireod.toml:1: log_level must be a text in quotes")
    assert daemon.alive()


def test_a_group_is_let_in_at_the_next_start(vireo, settings, daemon):
    settings('libvirt_socket_group = "daemon"\n')
    assert vireo("reload") == "libvirt_socket_group takes effect at the next start of vireod\n"
    daemon.stop()
    daemon.start()
    for name in ("libvirt-sock", "http-sock", "xenstore-sock"):
        socket = (daemon.root / "run" / name).stat()
        assert (socket.st_gid, oct(socket.st_mode & 0o777)) == (grp.getgrnam("daemon").gr_gid, "0o660")


@pytest.fixture
def start_under_way(daemon, conn):
    """A guest whose start has begun and waits until it is let go. Returns the guest, the pipe and the start."""
    uuid = new_uuid()
    emulator, pipe = emulators.held_back(daemon, f"held-{uuid[:8]}", uuid)
    domain = conn.defineXML(domain_xml("held", uuid=uuid, emulator=emulator))
    starting = meanwhile(domain.create)
    wait_until(lambda: daemon.guest_pid(uuid), what="the emulator's process")
    yield domain, pipe, starting
    pid = daemon.guest_pid(uuid)
    if pid:
        with contextlib.suppress(ProcessLookupError):  # the daemon may be ending it
            os.kill(pid, signal.SIGKILL)
    starting.exception(60)


def test_sigterm_lets_calls_finish(start_under_way, daemon, vireo, settings):
    domain, pipe, starting = start_under_way
    settings("shutdown_timeout_ms = 60000\n")  # as long as the story may take with a daemon that ends
    vireo("reload")
    running = libvirt.open(daemon.uri)
    other = running.defineXML(domain_xml("other"))
    other.create()
    http = Http(daemon)
    assert http.ask("GET", "/v1/daemon")[0].status == 200
    guest = daemon.guest_pid(other.UUIDString())

    os.kill(daemon.pid(), signal.SIGTERM)
    wait_until(lambda: not daemon.socket_path.exists() and not (daemon.root / "run/http-sock").exists())
    # Who is connected still reads, and is told plainly that there are no more changes.
    assert other.isActive()
    with pytest.raises(libvirt.libvirtError) as refused:
        other.suspend()
    assert "shutting down" in refused.value.get_error_message()
    assert http.ask("GET", "/v1/domains/other")[1]["state"] == "running"
    reply, body = http.ask("POST", "/v1/reload")
    assert (reply.status, body["error"]["code"]) == (503, "shutting_down")
    assert daemon.alive() and not starting.done()

    emulators.let_go(pipe)
    assert starting.result(60) == 0
    assert daemon.process.wait(timeout=60) == 0
    assert daemon.guest_pid(other.UUIDString()) == guest
    assert daemon.guest_pid(domain.UUIDString())
    http.close()
    running.close()


def test_a_second_sigterm_ends_the_wait(start_under_way, daemon, vireo, settings):
    _, _, starting = start_under_way
    settings("shutdown_timeout_ms = 300000\n")
    vireo("reload")
    os.kill(daemon.pid(), signal.SIGTERM)
    wait_until(lambda: not daemon.socket_path.exists())
    assert daemon.alive()
    os.kill(daemon.pid(), signal.SIGTERM)
    assert daemon.process.wait(timeout=60) == 0, "it did not wait for shutdown_timeout_ms"
    assert isinstance(starting.exception(60), libvirt.libvirtError)
    assert "not waiting for calls to finish" in daemon.log()
