"""What a guest's QEMU may not do: it runs as a user of its own, without privileges, in control groups of its own, and
its images are its user's only while it runs. Nothing of that is left when it has ended, however it ended."""

import contextlib
import grp
import os
import pathlib
import pwd
import signal
import subprocess

import libvirt
import pytest

from cgroups import cgroup_mounts, groups_of
from daemons import Vireo, wait_for_exit
from definitions import SERIAL, domain_xml
from images import STRANGER, make_foreign_image, owner
from patience import wait_until

pytestmark = pytest.mark.vireo_only
USER = pwd.getpwnam("vireo-qemu")


def status(pid):
    """The fields of /proc/PID/status."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def disk(path, extra=""):
    return f"<disk type='file'><source file='{path}'/><target dev='vda' bus='virtio'/>{extra}</disk>"


@pytest.fixture
def image(folder):
    return make_foreign_image(folder)


def start(conn, daemon, name="confined", **options):
    no_groups(daemon)  # of earlier stories
    domain = conn.defineXML(domain_xml(name, **options))
    domain.create()
    return domain, daemon.guest_pid(domain.UUIDString())


def no_groups(daemon):
    """The kernel may be slow to give them up; the daemon tries again for two seconds, and then answers nevertheless."""
    wait_until(lambda: groups_of(daemon) == [], what="the control groups' end")


def test_who_it_is_and_what_it_may_do(conn, daemon):
    _, pid = start(conn, daemon)
    fields = status(pid)
    assert fields["Uid"].split() == [str(USER.pw_uid)] * 4
    assert fields["Gid"].split() == [str(USER.pw_gid)] * 4
    groups = {USER.pw_gid} | {group.gr_gid for group in grp.getgrall() if USER.pw_name in group.gr_mem}
    assert {int(group) for group in fields["Groups"].split()} == groups
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(fields[kind], 16) == 0, kind
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"  # QEMU's own filter
    assert pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text(encoding="ascii") == "0\n"
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    assert [line.split()[4] for line in limits.splitlines() if line.startswith("Max core")] == ["0"]


def test_nothing_is_open_but_its_own(conn, daemon):
    _, pid = start(conn, daemon)
    opened = []
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed by now
            opened.append(os.readlink(entry))
    strange = [path for path in opened if path.startswith(str(daemon.root)) and not path.endswith(".log")]
    assert strange == []


def test_its_folders(conn, daemon):
    domain, pid = start(conn, daemon, devices="<channel type='unix'><target type='virtio' name='org.example.0'/></channel>")
    runtime = daemon.root / "run/guests" / str(domain.ID())
    assert (owner(runtime), runtime.stat().st_mode & 0o777) == ((0, 0), 0o711)
    assert owner(runtime / "qemu.pid") == (0, 0)
    assert int((runtime / "qemu.pid").read_text()) == pid
    home = runtime / "qemu"
    assert (owner(home), home.stat().st_mode & 0o777) == ((USER.pw_uid, USER.pw_gid), 0o700)
    assert owner(home / "org.example.0") == (USER.pw_uid, USER.pw_gid)
    assert f"<source mode='bind' path='{home}/org.example.0'/>" in domain.XMLDesc()
    domain.destroy()
    wait_until(lambda: not runtime.exists(), what="the folder's end")


def test_its_control_groups(conn, daemon):
    mounts = cgroup_mounts()
    if not mounts:
        pytest.fail("no control groups can be written here: this story needs a host that lets root do that")
    domain, pid = start(conn, daemon)
    groups = groups_of(daemon)
    assert len(groups) == len(mounts)
    for group in groups:
        assert str(pid) in (group / "cgroup.procs").read_text(encoding="ascii").split()
    domain.destroy()
    no_groups(daemon)


def test_its_control_groups_go_when_it_is_killed(conn, daemon, recorder):
    domain, pid = start(conn, daemon)
    assert groups_of(daemon)
    recorder.expect(domain.name(), "defined added", "resumed unpaused", "started booted")
    os.kill(pid, signal.SIGKILL)
    recorder.expect(domain.name(), "stopped failed")
    no_groups(daemon)


def test_a_start_that_fails_leaves_no_groups_and_owners_as_they_were(conn, daemon, image, folder):
    domain = conn.defineXML(domain_xml("confined", devices=disk(image), os=f"<kernel>{folder}/none</kernel>"))
    with pytest.raises(libvirt.libvirtError, match="none"):
        domain.create()
    no_groups(daemon)
    assert owner(image) == STRANGER


def test_limits_of_memory_and_processor(conn, daemon):
    extra = ("<memtune><hard_limit unit='MiB'>300</hard_limit><soft_limit unit='MiB'>200</soft_limit></memtune>"
             "<cputune><shares>512</shares><global_period>20000</global_period><global_quota>10000</global_quota></cputune>")
    domain = conn.defineXML(domain_xml("confined", extra=extra))
    xml = domain.XMLDesc()
    for line in ("<hard_limit unit='KiB'>307200</hard_limit>", "<soft_limit unit='KiB'>204800</soft_limit>",
                 "<shares>512</shares>", "<global_period>20000</global_period>", "<global_quota>10000</global_quota>"):
        assert line in xml
    controllers = {name for mount in cgroup_mounts() for name in mount.name.split(",")}
    if not {"cpu", "memory"} <= controllers:
        with pytest.raises(libvirt.libvirtError, match="not available on this host"):
            domain.create()
        return
    domain.create()
    values = {file.name: file.read_text(encoding="ascii").strip() for group in groups_of(daemon)
              for file in group.iterdir() if file.name in ("memory.limit_in_bytes", "memory.soft_limit_in_bytes",
                                                           "cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us")}
    assert values == {"memory.limit_in_bytes": str(300 << 20), "memory.soft_limit_in_bytes": str(200 << 20),
                      "cpu.shares": "512", "cpu.cfs_period_us": "20000", "cpu.cfs_quota_us": "10000"}


def test_limits_of_each_vcpu(conn, daemon):
    if not any("cpu" in mount.name.split(",") for mount in cgroup_mounts()):
        pytest.skip("this host has no cpu controller of version 1 to look at")
    extra = "<cputune><period>50000</period><quota>20000</quota></cputune>"
    domain, pid = start(conn, daemon, vcpus=2, extra=extra)
    threads = {thread.name for thread in pathlib.Path(f"/proc/{pid}/task").iterdir()}
    vcpus = sorted(folder for group in groups_of(daemon) for folder in group.glob("vcpu*"))
    assert [vcpu.name for vcpu in vcpus] == ["vcpu0", "vcpu1"]
    for vcpu in vcpus:
        assert (vcpu / "cpu.cfs_period_us").read_text(encoding="ascii") == "50000\n"
        assert (vcpu / "cpu.cfs_quota_us").read_text(encoding="ascii") == "20000\n"
        [thread] = (vcpu / "tasks").read_text(encoding="ascii").split()
        assert thread in threads - {str(pid)}
    domain.destroy()
    no_groups(daemon)


def may_raise_limits():
    """Root of a container may not always."""
    return subprocess.run(["prlimit", "--memlock=unlimited:unlimited", "true"], capture_output=True,
                          check=False).returncode == 0


def test_memory_that_stays(conn, daemon):
    if not may_raise_limits():
        with pytest.raises(libvirt.libvirtError, match="cannot set resource limits"):
            start(conn, daemon, memory_mib=32, extra="<memoryBacking><locked/></memoryBacking>")
        return
    _, pid = start(conn, daemon, memory_mib=32, extra="<memoryBacking><locked/></memoryBacking>")
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    assert [line.split()[3] for line in limits.splitlines() if line.startswith("Max locked")] == ["unlimited"]
    assert int(status(pid)["VmLck"].split()[0]) >= 32 * 1024


@pytest.mark.parametrize("tune, complaint", [
    ("<shares>1</shares>", "Value of cputune 'shares' must be in range [2, 262144]"),
    ("<global_period>1</global_period>", "Value of cputune 'global_period' must be in range [1000, 1000000]"),
    ("<global_quota>x</global_quota>", "can't parse cputune global quota value")])
def test_limits_that_make_no_sense(conn, tune, complaint):
    with pytest.raises(libvirt.libvirtError) as problem:
        conn.defineXML(domain_xml("confined", extra=f"<cputune>{tune}</cputune>"))
    assert complaint in problem.value.get_error_message()


def test_an_image_is_its_own_while_it_runs(conn, daemon, image):
    domain, _ = start(conn, daemon, devices=disk(image))
    assert owner(image) == (USER.pw_uid, USER.pw_gid)
    domain.destroy()
    wait_until(lambda: owner(image) == STRANGER and "trusted.vireo.owner" not in os.listxattr(image),
               what="the image's way back")


def test_an_image_goes_back_when_the_guest_dies(conn, daemon, image):
    _, pid = start(conn, daemon, devices=disk(image))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: owner(image) == STRANGER, what="the image's way back")


def test_a_closed_folder_is_named(conn, folder):
    closed = folder / "closed"
    (closed / "inner").mkdir(parents=True)
    path = closed / "inner/disk.img"
    path.touch()
    closed.chmod(0o700)
    domain = conn.defineXML(domain_xml("confined", devices=disk(path)))
    with pytest.raises(libvirt.libvirtError) as problem:
        domain.create()
    assert problem.value.get_error_message() == (
        f"Cannot access storage file '{path}' (as uid:{USER.pw_uid}, gid:{USER.pw_gid}): Permission denied; "
        f"the folder '{closed}' does not let user vireo-qemu through: its mode 0700 gives others no x (it belongs to 0:0)")
    assert owner(path) == (0, 0)
    closed.chmod(0o711)
    domain.create()


def test_a_guest_with_all_sorts_of_devices(booted, image):
    """The kernel's files, a disk, a terminal, a channel and a screen, all reached without privileges."""
    devices = (disk(image) + "<channel type='unix'><target type='virtio' name='org.example.0'/></channel>"
               "<graphics type='vnc' port='-1' autoport='yes'/><video><model type='vga'/></video>")
    domain, _ = booted("confined", devices=devices)
    assert domain.isActive()


def test_what_ended_without_a_daemon_is_swept(own_daemon, conn, image):
    _, pid = start(conn, own_daemon, devices=disk(image))
    assert groups_of(own_daemon)
    own_daemon.kill9()
    os.kill(pid, signal.SIGKILL)
    wait_for_exit(pid)
    own_daemon.restart()
    wait_until(lambda: groups_of(own_daemon) == [] and owner(image) == STRANGER, what="the sweeping")


def test_control_groups_survive_the_daemon_and_go_with_the_guest(own_daemon, conn):
    domain, _ = start(conn, own_daemon)
    name, before = domain.name(), groups_of(own_daemon)
    own_daemon.kill9()
    own_daemon.restart()
    assert groups_of(own_daemon) == before != []
    with contextlib.closing(libvirt.open(own_daemon.uri)) as again:
        again.lookupByName(name).destroy()
    no_groups(own_daemon)


def refusal(folder, *settings):
    """What a daemon with these settings says instead of starting."""
    daemon = Vireo(folder)
    daemon.configure("\n".join(settings) + "\n")
    ended = subprocess.run(daemon.command(), capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    return ended.stderr


def test_without_its_user_the_daemon_says_how_to_make_one(folder):
    said = refusal(folder, 'qemu_user = "nobody-has-this-name"')
    assert "qemu_user = \"nobody-has-this-name\"" in said
    assert "useradd --system" in said and 'qemu_user = "root"' in said


@pytest.fixture
def with_settings(folder):
    """Starts a daemon with settings of the story's own."""
    running = []

    def run(*settings):
        running.append(Vireo(folder))
        running[-1].configure("\n".join(settings) + "\n")
        running[-1].start()
        return running[-1]

    yield run
    for daemon in running:
        daemon.close()


def test_as_root_without_groups_and_owners(with_settings, image):
    daemon = with_settings('qemu_user = "root"', 'security_drivers = ["none"]', 'cgroup = "off"', "guest_oom_score = 77",
                           "guest_nice = 5", "guest_core_mib = 1")
    os.chown(image, 0, 0)
    with contextlib.closing(libvirt.open(daemon.uri)) as conn:
        domain, pid = start(conn, daemon, devices=disk(image) + SERIAL)
        fields = status(pid)
        assert fields["Uid"].split() == ["0"] * 4
        assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
        assert groups_of(daemon) == []
        assert pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text(encoding="ascii") == "77\n"
        assert os.getpriority(os.PRIO_PROCESS, pid) == 5
        domain.destroy()


def test_without_its_helper_nothing_starts_and_the_option_is_named(with_settings):
    daemon = with_settings('exec_helper = "/nowhere/vireo-exec"')
    with contextlib.closing(libvirt.open(daemon.uri)) as conn:
        with pytest.raises(libvirt.libvirtError, match="exec_helper"):
            conn.createXML(domain_xml("confined"))
    daemon.says("no guest can start")
