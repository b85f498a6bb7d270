"""Who a guest is, and what that means for its files: <seclabel> in its forms, the labels that clients are told, and why
a guest cannot open what it needs."""

import contextlib
import json
import os
import pathlib
import pwd
import subprocess
import xml.etree.ElementTree as ET

import libvirt
import pytest

from conftest import short_folder
from daemons import REPOSITORY, Vireo
from definitions import domain_xml
from images import STRANGER, make_foreign_image, owner
from patience import wait_until

pytestmark = pytest.mark.vireo_only
QEMU = pwd.getpwnam("vireo-qemu")
OWN = f"+{QEMU.pw_uid}:+{QEMU.pw_gid}"


def static(label, relabel="yes"):
    return f"<seclabel type='static' model='dac' relabel='{relabel}'><label>{label}</label></seclabel>"


def disk(path, inside="", target="vda"):
    return (f"<disk type='file'><source file='{path}'>{inside}</source><target dev='{target}' bus='virtio'/></disk>")


@pytest.fixture
def image(folder):
    return make_foreign_image(folder)


def given_back(path):
    wait_until(lambda: owner(path) == STRANGER, what=f"{path} being given back")


def user_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    return fields["Uid"].split(), fields["Gid"].split(), fields["CapEff"]


def start(conn, daemon, name, **options):
    domain = conn.defineXML(domain_xml(name, **options))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    return domain, daemon.guest_pid(domain.UUIDString())


def labels_in(domain, flags=0):
    return [{**label.attrib, **{part.tag: part.text for part in label}}
            for label in ET.fromstring(domain.XMLDesc(flags)).findall("seclabel")]


def test_what_is_said_of_a_guest_that_says_nothing(conn, daemon, virsh):
    assert conn.getSecurityModel() == ["none", "0"]
    models = ET.fromstring(conn.getCapabilities()).findall("host/secmodel")
    assert [(model.findtext("model"), model.findtext("doi")) for model in models] == [("none", "0"), ("dac", "0")]
    assert {(label.get("type"), label.text) for label in models[1].findall("baselabel")} == {("kvm", OWN), ("qemu", OWN)}
    domain, _ = start(conn, daemon, "plain")
    assert labels_in(domain) == [
        {"type": "dynamic", "model": "dac", "relabel": "yes", "label": OWN, "imagelabel": OWN}]
    assert labels_in(domain, libvirt.VIR_DOMAIN_XML_INACTIVE) == []
    assert domain.securityLabel() == ["", False]
    assert domain.securityLabelList() == [["", False], [OWN, False]]
    assert virsh("dominfo", "plain").rstrip().endswith("Security model: none\nSecurity DOI:   0")
    domain.destroy()
    assert labels_in(domain) == [] and domain.securityLabelList() == []


@pytest.mark.parametrize("label, uid, gid", [("+1234:+77", 1234, 77), ("games:daemon", 5, 1), ("+0:+0", 0, 0)])
def test_a_guest_is_its_own_user(conn, daemon, image, label, uid, gid):
    domain, pid = start(conn, daemon, "other", devices=disk(image), extra=static(label))
    uids, gids, capabilities = user_of(pid)
    assert uids == [str(uid)] * 4 and gids == [str(gid)] * 4 and int(capabilities, 16) == 0
    assert owner(image) == (uid, gid)
    assert labels_in(domain) == [
        {"type": "static", "model": "dac", "relabel": "yes", "label": label, "imagelabel": label}]
    assert domain.securityLabelList()[1] == [label, False]
    domain.destroy()
    given_back(image)


def test_a_restarted_daemon_gives_back_what_a_guest_of_another_user_had(own_daemon, image):
    conn = libvirt.open(own_daemon.uri)
    domain, pid = start(conn, own_daemon, "other", devices=disk(image), extra=static("+5555:+5556"))
    before = labels_in(domain)
    conn.close()
    own_daemon.kill9()
    own_daemon.restart()
    conn = libvirt.open(own_daemon.uri)
    domain = conn.lookupByName("other")
    assert labels_in(domain) == before and user_of(pid)[0] == ["5555"] * 4
    assert owner(image) == (5555, 5556)
    domain.destroy()
    given_back(image)
    conn.close()


def test_two_users_do_not_get_one_image(conn, daemon, image):
    shared = f"<disk type='file'><source file='{image}'/><target dev='vda' bus='virtio'/><shareable/></disk>"
    start(conn, daemon, "first", devices=shared)
    with pytest.raises(libvirt.libvirtError) as problem:
        start(conn, daemon, "second", devices=shared, extra=static("+5555:+5556"))
    assert f"'{image}' belongs to {QEMU.pw_uid}:{QEMU.pw_gid} for the guests that use it now" in str(problem.value)
    assert owner(image) == (QEMU.pw_uid, QEMU.pw_gid)


def test_without_relabelling_owners_stay(conn, daemon, image):
    domain, pid = start(conn, daemon, "mine", devices=disk(image), extra=static("+1234:+1235", "no"))
    assert owner(image) == STRANGER and user_of(pid)[0] == ["1234"] * 4
    domain.destroy()
    given_back(image)
    inside = "<seclabel model='dac' relabel='no'/>"
    with pytest.raises(libvirt.libvirtError) as problem:
        start(conn, daemon, "closed", devices=disk(image, inside))
    assert str(problem.value).endswith(
        f"Permission denied; the file '{image}' is closed to user vireo-qemu: its mode 0600 gives others no rw "
        "(it belongs to 1234:1235)")
    image.chmod(0o666)
    domain = conn.lookupByName("closed")
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    assert owner(image) == STRANGER


@pytest.mark.parametrize("extra, words", [
    ("<seclabel type='dynamic' model='selinux' relabel='yes'/>", "Security driver model 'selinux' is not available"),
    ("<seclabel type='static' model='foo'><label>x</label></seclabel>", "Security driver model 'foo' is not available"),
    ("<seclabel type='dynamic' model='dac'><baselabel>+1:+1</baselabel></seclabel>", "the <baselabel> '+1:+1'"),
    (static("no-such-user:root"), "no user is named 'no-such-user'"),
])
def test_what_cannot_be_honoured_is_refused_by_name(conn, daemon, extra, words):
    with pytest.raises(libvirt.libvirtError) as problem:
        start(conn, daemon, "refused", extra=extra)
    assert words in str(problem.value)
    assert daemon.guest_pid(conn.lookupByName("refused").UUIDString()) is None


@pytest.fixture
def explain(daemon):
    def run(name, *options):
        tool = os.environ.get("VIREO", str(REPOSITORY / "build/release/bin/vireo"))
        done = subprocess.run([tool, "--root", str(daemon.root), "explain-access", name, *options],
                              capture_output=True, text=True, check=True)
        return done.stdout
    return run


def test_what_a_guest_cannot_open_is_explained_before_it_starts(conn, folder, image, explain):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    hidden = closed / "hidden.img"
    hidden.touch()
    domain = conn.defineXML(domain_xml("asked", devices=disk(image) + disk(hidden, target="vdb"),
                                       os=f"<kernel>{folder}/no-kernel</kernel>"))
    text = explain("asked")
    assert text.splitlines()[0] == f"asked: as uid {QEMU.pw_uid} (vireo-qemu), gid {QEMU.pw_gid}"
    assert f"disk vdb: the folder '{closed}' does not let user vireo-qemu through: its mode 0700 gives others no x" in text
    assert f"kernel: there is no '{folder}/no-kernel'" in text
    files = {file["role"]: file for file in json.loads(explain("asked", "--json"))["files"]}
    assert files["disk vda"]["allowed"] and files["disk vda"]["lent"] and files["emulator"]["allowed"]
    assert files["disk vdb"] == {
        "path": str(hidden), "role": "disk vdb", "how": "write", "lent": True, "allowed": False, "rule": "mode",
        "as": f"uid {QEMU.pw_uid} (vireo-qemu), gid {QEMU.pw_gid}", "component": str(closed),
        "why": files["disk vdb"]["why"]}
    # What it says is what happens.
    with pytest.raises(libvirt.libvirtError) as problem:
        domain.create()
    assert files["disk vdb"]["why"] in str(problem.value)


def test_a_running_guest_is_asked_for_as_it_is(conn, daemon, image, explain):
    domain, _ = start(conn, daemon, "runs", devices=disk(image))
    file = json.loads(explain("runs", "--json"))["files"][0]
    assert file["allowed"] and not file["lent"]
    os.chown(image, 1234, 1235)  # somebody takes it away
    file = json.loads(explain(str(domain.ID()), "--json"))["files"][0]
    assert not file["allowed"] and file["component"] == str(image) and file["rule"] == "mode"


def with_drivers(folder, setting):
    daemon = Vireo(folder)
    daemon.configure(f"security_drivers = {setting}\n")
    return daemon


@pytest.mark.parametrize("model, why", [
    ("apparmor", "/sys/module/apparmor/parameters/enabled"), ("selinux", "/sys/fs/selinux")])
def test_a_model_that_the_kernel_lacks_keeps_the_daemon_from_starting(tmp_path_factory, model, why):
    if os.path.exists(why):
        pytest.skip(f"this kernel has {model}")
    daemon = with_drivers(short_folder(tmp_path_factory), f'["dac", "{model}"]')
    with pytest.raises(AssertionError) as problem:
        daemon.start()
    assert f"security_drivers: {model} cannot be in force: this kernel has no" in str(problem.value)
    assert why in str(problem.value)


def test_without_any_model_nothing_is_changed_and_no_label_is_taken(tmp_path_factory, image):
    daemon = with_drivers(short_folder(tmp_path_factory), '["none"]')
    daemon.start()
    try:
        with contextlib.closing(libvirt.open(daemon.uri)) as conn:
            with pytest.raises(libvirt.libvirtError) as problem:
                start(conn, daemon, "refused", extra=static("+1:+1"))
            assert "Security driver model 'dac' is not available" in str(problem.value)
            os.chown(image, QEMU.pw_uid, QEMU.pw_gid)
            domain, _ = start(conn, daemon, "plain", devices=disk(image), extra="<seclabel type='none'/>")
            assert labels_in(domain) == [{"type": "none", "model": "none"}]
            domain.destroy()
    finally:
        daemon.close()
