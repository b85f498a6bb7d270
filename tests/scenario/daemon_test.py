"""The daemon itself: its command line, its folders, going to the background, ending, and what it starts at boot."""

import os
import pathlib
import signal
import sqlite3
import subprocess

import libvirt
import pytest

from daemons import wait_for_exit
from definitions import domain_xml
from patience import wait_until

pytestmark = [pytest.mark.vireo_only, pytest.mark.usefixtures("own_daemon")]


def vireod(daemon, *arguments, root=None):
    """Runs the binary to its end, on the daemon's root or another."""
    binary = daemon.command()[0]
    return subprocess.run([binary, "--root", str(root or daemon.root), *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False)


def test_a_second_daemon_on_one_root_is_refused(daemon):
    second = vireod(daemon, "--foreground")
    assert second.returncode == 1
    assert f"another vireod (pid {daemon.pid()}) uses this root" in second.stderr


def test_it_goes_to_the_background_once_it_serves(daemon):
    daemon.stop()
    assert vireod(daemon).returncode == 0
    pid = int((daemon.root / "run/vireod.pid").read_text())
    try:
        connection = libvirt.open(daemon.uri)  # at once: no waiting
        assert connection.getType() == "QEMU"
        connection.close()
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_for_exit(pid)
    assert not daemon.socket_path.exists()
    assert not (daemon.root / "run/vireod.pid").exists()


def test_sigterm_leaves_guests_running(daemon, conn):
    domain = conn.defineXML(domain_xml("runner"))
    domain.create()
    guest, number = daemon.guest_pid(domain.UUIDString()), domain.ID()
    os.kill(daemon.pid(), signal.SIGTERM)
    assert daemon.process.wait(timeout=60) == 0
    assert daemon.guest_pid(domain.UUIDString()) == guest
    daemon.start()
    again = libvirt.open(daemon.uri)
    assert again.lookupByID(number).name() == "runner"
    again.lookupByID(number).destroy()
    again.close()


def test_settings_are_printed_read_and_checked(daemon, tmp_path):
    printed = vireod(daemon, "--print-config")
    assert printed.returncode == 0
    for option in ("libvirt_socket_dir", "door_threads", "launch_timeout_ms"):
        assert f"\n{option} = " in printed.stdout
    file = tmp_path / "vireod.toml"
    file.write_text(printed.stdout)
    assert vireod(daemon, "--check", "--config", str(file)).returncode == 0
    file.write_text("log_level = 'info'\n\nlog_levle = 'info'\n")
    bad = vireod(daemon, "--check", "--config", str(file))
    assert bad.returncode == 1
    assert f"{file}:3: unknown option 'log_levle'" in bad.stderr
    missing = vireod(daemon, "--check", "--config", str(tmp_path / "nowhere.toml"))
    assert missing.returncode == 1
    assert "No such file or directory" in missing.stderr


def test_a_bad_file_keeps_the_daemon_from_starting(daemon):
    daemon.stop()
    daemon.configure("door_threads = 0\n")
    refused = vireod(daemon)
    daemon.settings_path.unlink()
    assert refused.returncode == 1
    assert "vireod.toml:1: door_threads must be a whole number from 1 to 64" in refused.stderr


def test_the_sockets_can_stand_elsewhere(daemon, tmp_path):
    daemon.stop()
    folder = daemon.root / "elsewhere"
    daemon.configure(f'libvirt_socket_dir = "{folder}"\n')
    daemon.socket_path = folder / "libvirt-sock"
    daemon.start()
    connection = libvirt.open(daemon.uri)
    assert connection.listAllDomains() == []
    connection.close()


def test_who_may_use_the_sockets(daemon):
    sockets = pathlib.Path(daemon.root / "run")
    assert oct((sockets / "libvirt-sock").stat().st_mode & 0o777) == "0o600"
    assert oct((sockets / "libvirt-sock-ro").stat().st_mode & 0o777) == "0o666"
    reader = libvirt.open(f"qemu+unix:///system?socket={sockets}/libvirt-sock-ro")
    with pytest.raises(libvirt.libvirtError) as refused:
        reader.defineXML(domain_xml("never"))
    assert refused.value.get_error_code() == libvirt.VIR_ERR_OPERATION_DENIED
    reader.close()


def test_marked_guests_start_with_the_host_and_not_with_the_daemon(daemon, conn):
    for name in ("marked", "plain"):
        conn.defineXML(domain_xml(name)).setAutostart(int(name == "marked"))
    daemon.stop()
    daemon.start()
    again = libvirt.open(daemon.uri)
    assert again.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE) == []
    again.close()
    daemon.stop()
    # As after a reboot: the store remembers another boot.
    with sqlite3.connect(daemon.root / "lib/vireo.db") as store:
        store.execute("UPDATE facts SET value = 'an earlier boot' WHERE name = 'boot_id'")
    daemon.start()
    again = libvirt.open(daemon.uri)
    wait_until(lambda: again.lookupByName("marked").isActive())
    assert not again.lookupByName("plain").isActive()
    again.close()
