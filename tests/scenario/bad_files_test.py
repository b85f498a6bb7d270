"""Files that are not what a guest needs: emulators that are missing or no QEMU, or are replaced while a guest runs; kernels
and images that are missing, unreadable or broken. The caller reads what is wrong with which file, nothing is left, and
the guest starts once the file is there.

Emulators that are QEMU, or behave like it until they do not: bad_guests_test.py.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

import libvirt
import pytest

import emulators
from bad_guests_test import is_as_before, look_at
from definitions import domain_xml, new_uuid
from patience import at_once, wait_until

SYSTEM, INTERNAL = libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_ERR_INTERNAL_ERROR
# How long Vireo may take a binary to be the one that it was.
NOTICED_S = 1.2
FAILED = [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_FAILED]


def program(path, text, mode=0o755):
    """Puts a program there, in place of what there was."""
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def real(path):
    return program(path, f'#!/bin/bash\nexec {emulators.QEMU} "$@"\n')


def copy_of_qemu(folder):
    """Beside it what it looks for beside itself: modules and firmware."""
    (folder / "bin").mkdir()
    for beside in ("lib", "share"):
        (folder / beside).symlink_to(f"/usr/{beside}")
    return pathlib.Path(shutil.copy(emulators.QEMU, folder / "bin/emulator"))


def refused(call, code, sentence):
    with pytest.raises(libvirt.libvirtError) as problem:
        call()
    assert problem.value.get_error_code() == code, problem.value
    assert re.search(sentence, problem.value.get_error_message()), problem.value
    return problem.value


def make_folder(path):
    path.mkdir()


# What stands where QEMU should: how to make it, the error's code and words.
NO_EMULATORS = {
    "missing": (lambda path: None, SYSTEM, "^Cannot check QEMU binary PATH: No such file or directory$"),
    "not executable": (lambda path: program(path, "#!/bin/sh\n", 0o644), SYSTEM,
                       "^QEMU binary PATH is not executable: Permission denied(; the file .* is closed to user .*)?$"),
    "a folder": (make_folder, SYSTEM, "^QEMU binary PATH is not executable: Is a directory$"),
}
# Here libvirtd tells of files of its own, or of its own name for the step, or (garbage, silence) waits for ever.
OTHER_PROGRAMS = {
    "a text": (lambda path: program(path, "hello\n"), INTERNAL, "PATH.*Exec format error"),
    "true": (lambda path: shutil.copy("/bin/true", path), INTERNAL, "PATH: it does not answer as QEMU does"),
    "cat": (lambda path: shutil.copy("/bin/cat", path), INTERNAL, "PATH: .*invalid option"),
    "one that fails": (lambda path: program(path, "#!/bin/sh\necho sorry >&2\nexit 3\n"), INTERNAL, "PATH: sorry"),
    "garbage": (lambda path: program(path, "#!/bin/sh\nwhile echo garbage; do echo noise >&2; done\n"), INTERNAL,
                "PATH: cannot parse JSON object 'garbage'"),
    "a line without end": (lambda path: program(path, "#!/bin/sh\nexec tr '\\0' x < /dev/zero\n"), INTERNAL,
                           "PATH: the monitor sent a line of more than"),
}


def try_emulator(daemon, conn, recorder, folder, what):
    """It is there when the guest is defined; and when it is started."""
    make, code, sentence = what
    path = folder / "emulator"
    sentence = sentence.replace("PATH", re.escape(str(path)))
    make(path)
    refused(lambda: conn.defineXML(domain_xml("bad", emulator=path)), code, sentence)
    assert conn.listAllDomains() == []
    domain = conn.defineXML(domain_xml("bad", emulator=real(path)))
    recorder.expect("bad", "defined added")
    before = look_at(daemon, conn)
    time.sleep(NOTICED_S)
    path.unlink()
    make(path)
    refused(domain.create, code, sentence)
    assert domain.state()[0] == libvirt.VIR_DOMAIN_SHUTOFF
    if daemon.name == "vireo":
        assert domain.state() == FAILED  # libvirtd only notes that once it has begun to start a process
    is_as_before(daemon, before)
    real(path)
    domain.create()
    recorder.expect("bad", "resumed unpaused", "started booted")


@pytest.mark.parametrize("what", NO_EMULATORS)
def test_no_emulator(daemon, conn, recorder, folder, what):
    try_emulator(daemon, conn, recorder, folder, NO_EMULATORS[what])


@pytest.mark.vireo_only
@pytest.mark.parametrize("what", OTHER_PROGRAMS)
def test_another_program(daemon, conn, recorder, folder, what):
    try_emulator(daemon, conn, recorder, folder, OTHER_PROGRAMS[what])


@pytest.mark.vireo_only
def test_a_program_that_hangs_keeps_nobody_waiting(daemon, conn, folder):
    """While it is asked what it can do, other guests start, and other programs are asked."""
    known = conn.defineXML(domain_xml("known"))
    hanging = [program(folder / f"hangs-{number}", "#!/bin/sh\nexec sleep 60\n") for number in range(3)]
    connections = [libvirt.open(daemon.uri) for _ in hanging]
    answers = []

    def define(connection, path):
        try:
            connection.defineXML(domain_xml(path.name, emulator=path))
        except libvirt.libvirtError as problem:
            answers.append(problem)

    threads = [threading.Thread(target=define, args=pair) for pair in zip(connections, hanging)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(sleepers(daemon)) == len(hanging), what="the asking")
    at_once(known.create)
    at_once(conn.createXML, domain_xml("new", emulator=real(folder / "new")), libvirt.VIR_DOMAIN_START_PAUSED)
    at_once(conn.listAllDomains)
    assert not answers
    for pid in sleepers(daemon):
        os.kill(pid, signal.SIGKILL)
    for thread in threads:
        thread.join(60)
    assert [problem.get_error_code() for problem in answers] == [INTERNAL] * len(hanging)
    for connection in connections:
        connection.close()


def sleepers(daemon):
    """The daemon's children that only sleep."""
    found = []
    with open(f"/proc/{daemon.pid()}/task/{daemon.pid()}/children", encoding="ascii") as children:
        pids = children.read().split()
    for thread in os.listdir(f"/proc/{daemon.pid()}/task"):
        with contextlib.suppress(OSError):  # it has ended
            with open(f"/proc/{daemon.pid()}/task/{thread}/children", encoding="ascii") as children:
                pids += children.read().split()
    for pid in set(pids):
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii") as name:
                if name.read().strip() == "sleep":
                    found.append(int(pid))
        except OSError:
            pass  # it has ended
    return found


def test_an_emulator_is_replaced_while_a_guest_runs(daemon, conn, recorder, folder):
    """As an upgrade does: what runs runs on, what starts is the new one."""
    path = copy_of_qemu(folder)
    domain = conn.defineXML(domain_xml("old", emulator=path))
    domain.create()
    pid = daemon.guest_pid(domain.UUIDString())
    path.unlink()
    real(path)
    domain.suspend()
    domain.resume()
    assert daemon.guest_pid(domain.UUIDString()) == pid
    domain.destroy()
    domain.create()
    assert os.readlink(f"/proc/{daemon.guest_pid(domain.UUIDString())}/exe") == emulators.QEMU
    recorder.expect("old", "defined added", "resumed unpaused", "started booted", "suspended paused",
                    "resumed unpaused", "stopped destroyed", "resumed unpaused", "started booted")


def test_a_guest_whose_emulator_is_deleted_is_taken_over(own_daemon, conn, folder):
    path = copy_of_qemu(folder)
    domain = conn.defineXML(domain_xml("old", emulator=path))
    domain.create()
    pid = own_daemon.guest_pid(domain.UUIDString())
    path.unlink()
    own_daemon.kill9()
    own_daemon.restart()
    after = libvirt.open(own_daemon.uri)
    domain = after.lookupByName("old")
    assert domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING
    assert own_daemon.guest_pid(domain.UUIDString()) == pid
    domain.suspend()
    domain.resume()
    domain.destroy()
    refused(domain.create, SYSTEM, "Cannot check QEMU binary .*: No such file or directory")
    real(path)
    domain.create()
    after.close()


def disk(path, driver="raw"):
    return (f"<disk type='file' device='disk'><driver name='qemu' type='{driver}'/><source file='{path}'/>"
            "<target dev='vda' bus='virtio'/></disk>")


def boot(kernel, initrd=None):
    return f"<kernel>{kernel}</kernel>" + (f"<initrd>{initrd}</initrd>" if initrd else "")


def a_file(path, content=bytes(1 << 20), mode=0o644):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def behind_a_closed_door(path):
    a_file(path)
    path.parent.chmod(0o700)


def truncated_image(path):
    whole = path.with_suffix(".whole")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", whole, "8M"], check=True)
    a_file(path, whole.read_bytes()[:60])


KERNEL = {"os": boot("PATH")}
RAW, QCOW2 = {"devices": disk("PATH")}, {"devices": disk("PATH", "qcow2")}
AS_WHOM = r"Cannot access storage file 'PATH' \(as uid:[0-9]+, gid:[0-9]+\): Permission denied"

# What is asked for, what is there instead, the error's code and words, and libvirtd's where they are others: it lets QEMU
# complain of what QEMU's user may not read, and complains itself of kernels that are missing.
BAD_FILES = {
    "kernel missing": (KERNEL, lambda path: None, INTERNAL, "kernel file 'PATH': No such file or directory",
                       SYSTEM, "unable to stat: PATH: No such file or directory"),
    "kernel a folder": (KERNEL, make_folder, INTERNAL, "could not load kernel 'PATH': Is a directory"),
    "kernel empty": (KERNEL, lambda path: a_file(path, b""), INTERNAL, "could not load kernel 'PATH'"),
    "kernel no kernel": ({"os": boot("KERNEL", "PATH")}, lambda path: a_file(path, b"x"), INTERNAL,
                         "linux kernel too old to load a ram disk"),
    "kernel unreadable": (KERNEL, lambda path: a_file(path, mode=0), SYSTEM, AS_WHOM,
                          INTERNAL, "kernel file 'PATH': Permission denied"),
    "kernel behind a closed door": (KERNEL, behind_a_closed_door, SYSTEM, AS_WHOM + "; the folder '.*' does not let user",
                                    INTERNAL, "kernel file 'PATH': Permission denied"),
    "image missing": (RAW, lambda path: None, SYSTEM, "^Cannot access storage file 'PATH': No such file or directory$"),
    "image a dangling link": (RAW, lambda path: path.symlink_to("/nowhere/image"), SYSTEM,
                              "^Cannot access storage file 'PATH': No such file or directory$"),
    "image a folder": (RAW, make_folder, SYSTEM, AS_WHOM, INTERNAL, "'file' driver requires 'PATH' to be a regular file"),
    "image behind a closed door": (RAW, behind_a_closed_door, SYSTEM, AS_WHOM + "; the folder '.*' does not let user",
                                   INTERNAL, "Could not open 'PATH': Permission denied"),
    "image of another format": (QCOW2, a_file, INTERNAL, "Image is not in qcow2 format"),
    "image empty": (QCOW2, lambda path: a_file(path, b""), INTERNAL, "Image is not in qcow2 format"),
    "image truncated": (QCOW2, truncated_image, INTERNAL, "qcow2 header too short",
                        INTERNAL, "An error occurred, but the cause is unknown"),
}


@pytest.mark.parametrize("what", BAD_FILES)
def test_a_bad_file(daemon, conn, recorder, folder, guest_files, what):
    form, make, code, sentence, *otherwise = BAD_FILES[what]
    if otherwise and daemon.name == "libvirtd":
        code, sentence = otherwise
    path = folder / "files" / "file"
    path.parent.mkdir()
    path.parent.chmod(0o755)
    make(path)
    not_linux = folder / "not-linux"
    a_file(not_linux)
    uuid = new_uuid()
    form = {kind: xml.replace("PATH", str(path)).replace("KERNEL", str(not_linux)) for kind, xml in form.items()}
    domain = conn.defineXML(domain_xml("bad", uuid=uuid, **form))
    recorder.expect("bad", "defined added")
    before = look_at(daemon, conn)
    refused(domain.create, code, sentence.replace("PATH", re.escape(str(path))))
    assert domain.state() == FAILED
    assert not domain.isActive()
    is_as_before(daemon, before)
    # Without the file there is nothing wrong with the guest.
    conn.defineXML(domain_xml("bad", uuid=uuid))
    domain.create()
    recorder.expect("bad", "defined updated", "resumed unpaused", "started booted")


def test_an_empty_raw_image_is_an_image(conn, folder):
    path = folder / "empty"
    a_file(path, b"")
    domain = conn.defineXML(domain_xml("small", devices=disk(path)))
    domain.create()
    assert domain.isActive()


