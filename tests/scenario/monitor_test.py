"""The way through to QEMU itself: qemu-monitor-command, with QMP and with the human dialect."""

import json

import pytest

from definitions import domain_xml


@pytest.fixture
def guest(virsh):
    virsh.define(domain_xml("engine"))
    virsh("start", "engine", "--paused")
    return "engine"


def test_qmp(virsh, guest):
    answer = json.loads(virsh("qemu-monitor-command", guest, '{"execute":"query-status"}'))
    assert answer["return"] == {"status": "prelaunch", "singlestep": False, "running": False}
    assert set(answer) == {"return", "id"}


def test_a_bare_word_is_a_command(virsh, guest):
    assert json.loads(virsh("qemu-monitor-command", guest, "query-name"))["return"]["name"] == "engine"


def test_pretty(virsh, guest):
    lines = virsh("qemu-monitor-command", guest, "--pretty", '{"execute":"query-status"}').splitlines()
    assert lines[:6] == ["{",
                         '  "return": {',
                         '    "status": "prelaunch",',
                         '    "singlestep": false,',
                         '    "running": false',
                         "  },"]
    assert lines[6].startswith('  "id": "')
    assert lines[7:] == ["}"]


def test_return_value(virsh, guest):
    assert virsh("qemu-monitor-command", guest, "--return-value", '{"execute":"query-name"}') == '{"name":"engine"}'


def test_hmp(virsh, guest):
    assert virsh("qemu-monitor-command", guest, "--hmp", "info", "name").strip() == "engine"
    assert virsh("qemu-monitor-command", guest, "--hmp", "nosuch").strip() == "unknown command: 'nosuch'"


def test_an_error_of_qemu_is_an_answer(virsh, guest):
    answer = json.loads(virsh("qemu-monitor-command", guest, '{"execute":"nosuch"}'))
    assert answer["error"] == {"class": "CommandNotFound", "desc": "The command nosuch has not been found"}


def test_what_is_no_json(virsh, guest):
    """It begins like no object of JSON, so it is taken for a command's name, and QEMU knows none like it."""
    answer = json.loads(virsh("qemu-monitor-command", guest, "{bad"))
    assert answer["error"]["class"] == "CommandNotFound"


def test_dominfo_tells_that_somebody_did_this(virsh, guest):
    assert "Messages" not in virsh("dominfo", guest)
    virsh("qemu-monitor-command", guest, "query-name")
    assert virsh("dominfo", guest).splitlines()[-1] == (
        "Messages:       tainted: custom monitor control commands issued")


def test_a_guest_at_rest_has_no_monitor(virsh, guest):
    virsh("destroy", guest)
    assert virsh.fails("qemu-monitor-command", guest, "query-name") == (
        "error: Requested operation is not valid: domain is not running")
