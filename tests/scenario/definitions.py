"""Builds the XML of the guests that the stories are about."""

import pathlib
import uuid as uuids

# Every UUID that was handed out, so that a guest that outlives its story can be found and ended.
issued = []


def new_uuid():
    issued.append(str(uuids.uuid4()))
    return issued[-1]


NO_BALLOON = "<memballoon model='none'/>"


def domain_xml(name, *, uuid=None, memory_mib=64, vcpus=1, devices="", os="", extra="", emulator=None,
               balloon=NO_BALLOON):
    """A guest without disks. Its firmware finds nothing to boot, so it costs hardly anything, running or paused.

    devices, os and extra are XML that goes into <devices>, <os> and <domain>.
    """
    emulator = f"<emulator>{emulator}</emulator>" if emulator else ""
    return f"""<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid or new_uuid()}</uuid>
  <memory unit='MiB'>{memory_mib}</memory>
  <vcpu>{vcpus}</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type>{os}</os>
  {extra}
  <devices>{emulator}{devices}{balloon}</devices>
</domain>"""


SERIAL = "<serial type='pty'/><console type='pty'/>"


def linux_xml(name, files, *, devices="", extra="", kernel_args="", **rest):
    """A guest that boots the small Linux of tools/make-guest and greets on its serial console."""
    files = pathlib.Path(files)
    cmdline = (files / "cmdline").read_text().strip() + " " + kernel_args
    return domain_xml(
        name,
        memory_mib=96,
        os=f"<kernel>{files}/vmlinuz</kernel><initrd>{files}/initrd</initrd><cmdline>{cmdline.strip()}</cmdline>",
        # Without ACPI there is no power button.
        extra="<features><acpi/></features>" + extra,
        devices=SERIAL + devices,
        **rest)
