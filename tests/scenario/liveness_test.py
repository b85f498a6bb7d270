"""Why a guest is silent can be read off: it is stopped, or one of its threads waits for a file that does not come."""

import contextlib
import os

import libvirt
import pytest

import hanging_fs
from commands import Http
from daemons import stopped
from definitions import domain_xml
from patience import at_once, meanwhile, wait_until

pytestmark = pytest.mark.vireo_only


def ask(daemon, target):
    with contextlib.closing(Http(daemon)) as door:
        reply, body = door.ask("GET", target)
    assert reply.status == 200, body
    return body


def liveness(daemon, name):
    return at_once(ask, daemon, f"/v1/domains/{name}/liveness")


def told(daemon, name):
    return liveness(daemon, name)["liveness"]


def test_guests_that_are_well(daemon, conn):
    off = conn.defineXML(domain_xml("off"))
    well = conn.defineXML(domain_xml("well"))
    well.create()
    wait_until(lambda: told(daemon, "well")["kind"] == "healthy", what="the first measuring")
    assert told(daemon, off.name()) == {"kind": "shut_off", "sentence": "shut off"}
    answer = liveness(daemon, "well")
    assert answer["stopped"] is False and answer["stuck"] == []
    assert answer["lane"] == {"holder": None, "held_ms": None, "waiting": 0}
    top = {each["name"]: each for each in at_once(ask, daemon, "/v1/top")["domains"]}
    assert list(top) == ["off", "well"]
    assert top["off"]["kernel"] is None and top["off"]["id"] is None
    assert top["well"]["kernel"]["rss_kib"] > 1000 and top["well"]["kernel"]["cpu_ns"] > 0


def test_a_stopped_process(daemon, conn, tmp_path):
    domain = conn.defineXML(domain_xml("halted", devices=disk_xml(plain_image(tmp_path))))
    domain.create()
    with stopped(daemon.guest_pid(domain.UUIDString())):
        wait_until(lambda: told(daemon, "halted")["kind"] == "stopped", what="telling that it is stopped")
        # As long as somebody looks its monitor is asked now and then, and does not answer.
        wait_until(lambda: "silent for" in told(daemon, "halted")["sentence"], what="telling that it is silent")
        assert told(daemon, "halted")["sentence"].startswith("stopped by a signal, silent for ")
        row = at_once(ask, daemon, "/v1/top")["domains"][0]
        assert row["liveness"]["kind"] == "stopped" and row["monitor"]["waiting_ms"] >= 1000
    wait_until(lambda: told(daemon, "halted")["kind"] == "healthy", what="telling that it is well again")


def test_who_holds_the_lane(daemon, conn):
    domain = conn.defineXML(domain_xml("held"))
    domain.create()
    other = libvirt.open(daemon.uri)
    with stopped(daemon.guest_pid(domain.UUIDString())):
        waiting = meanwhile(other.lookupByName("held").suspend)
        wait_until(lambda: "lane held by 'suspend'" in told(daemon, "held")["sentence"], what="telling who holds the lane")
        assert liveness(daemon, "held")["lane"]["holder"] == "suspend"
    waiting.result(60)
    other.close()


@pytest.mark.skipif(not hanging_fs.available(), reason="no FUSE here")
def test_an_image_on_a_file_system_that_hangs(daemon, conn, tmp_path):
    with hanging_fs.mounted(reachable(tmp_path / "fs")) as fs:
        image = fs.folder / "disk.img"
        with open(image, "wb") as file:
            file.truncate(8 << 20)
        image.chmod(0o666)
        domain = conn.defineXML(domain_xml("waiting", devices=disk_xml(image)))
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        with open(image, "rb") as file:  # what was read when it was opened is not read again
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        fs.hang()
        # The firmware reads the first sector, and a thread of QEMU does it for it.
        domain.resume()
        wait_until(lambda: told(daemon, "waiting")["kind"] == "stuck", what="telling what it waits for")
        answer = liveness(daemon, "waiting")
        assert [thread["file"] for thread in answer["stuck"]] == [str(image)]
        assert answer["stuck"][0]["name"] == "worker" and answer["stuck"][0]["where"]
        assert f"stuck in {answer['stuck'][0]['where']} on {image}" in answer["liveness"]["sentence"]
        assert at_once(domain.state)[0] == libvirt.VIR_DOMAIN_RUNNING
        fs.let_go()
        wait_until(lambda: told(daemon, "waiting")["kind"] == "healthy", what="telling that it is well again")
        domain.destroy()


def reachable(folder):
    folder.mkdir(exist_ok=True)
    for each in (folder, *list(folder.parents)[:2]):  # up to this run's own
        os.chmod(each, 0o755)
    return folder


def plain_image(tmp_path):
    image = reachable(tmp_path / "images") / "disk.img"
    with open(image, "wb") as file:
        file.truncate(1 << 20)
    image.chmod(0o666)
    return image


def disk_xml(image):
    return f"<disk type='file'><driver name='qemu' type='raw'/><source file='{image}'/><target dev='vda' bus='virtio'/></disk>"
