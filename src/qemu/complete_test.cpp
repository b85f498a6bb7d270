// What completion refuses, and addresses around the corners that no recorded golden visits. The goldens themselves are
// in tests/golden.
#include "qemu/complete.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "qemu/argv.hpp"

namespace vireo::qemu {
namespace {

using namespace model;

Capabilities capabilities() {
  Capabilities caps;
  caps.binary = "/usr/bin/qemu-system-x86_64";
  caps.arch = "x86_64";
  caps.machines = {{.name = "pc-i440fx-7.2", .alias = "pc", .is_default = true, .max_cpus = 255},
                   {.name = "pc-q35-7.2", .alias = "q35", .max_cpus = 288},
                   {.name = "isapc", .max_cpus = 1}};
  return caps;
}

DomainDef guest(std::string machine = "pc") {
  DomainDef def;
  def.name = "g";
  def.memory_kib = 65536;
  def.os.type = "hvm";
  def.os.machine = std::move(machine);
  return def;
}

Disk disk(std::string target, DiskBus bus = DiskBus::unset, Address address = {}) {
  return {.file = "/img/" + target, .target = target, .bus = bus, .info = {.address = std::move(address)}};
}

void expect_error(DomainDef def, int code, std::string_view words) {
  const auto done = complete(std::move(def), capabilities());
  ASSERT_FALSE(done) << words;
  EXPECT_EQ(done.error().code, code) << done.error().message();
  EXPECT_TRUE(done.error().detail.contains(words)) << done.error().message();
}

TEST(Complete, RefusesMachinesThatAreNotThere) {
  expect_error(guest("bogus"), VIR_ERR_CONFIG_UNSUPPORTED, "does not support machine type 'bogus'");
  expect_error(guest("isapc"), VIR_ERR_CONFIG_UNSUPPORTED, "not supported by Vireo yet");
  auto kvm = guest();
  kvm.type = VirtType::kvm;
  expect_error(kvm, VIR_ERR_CONFIG_UNSUPPORTED, "does not support virt type 'kvm'");
  auto arm = guest();
  arm.os.arch = "aarch64";
  expect_error(arm, VIR_ERR_CONFIG_UNSUPPORTED, "Unknown architecture aarch64");
  auto crowd = guest();
  crowd.vcpus_max = 256;
  expect_error(crowd, VIR_ERR_CONFIG_UNSUPPORTED, "machine type limit 255");
  auto host_cpu = guest();
  host_cpu.cpu = Cpu{.mode = CpuMode::host_passthrough};
  expect_error(host_cpu, VIR_ERR_CONFIG_UNSUPPORTED, "only supported with kvm");
}

TEST(Complete, RefusesAddressesThatClash) {
  auto pci = guest();
  pci.devices.disks = {disk("vda", DiskBus::virtio, PciAddress{.slot = 5}),
                       disk("vdb", DiskBus::virtio, PciAddress{.slot = 5})};
  expect_error(pci, VIR_ERR_XML_ERROR, "Attempted double use of PCI Address 0000:00:05.0");
  auto nowhere = guest();
  nowhere.devices.disks = {disk("vda", DiskBus::virtio, PciAddress{.bus = 3, .slot = 5})};
  expect_error(nowhere, VIR_ERR_XML_ERROR, "lies on a bus that no controller");
  auto drive = guest();
  drive.devices.disks = {disk("hda", DiskBus::ide, DriveAddress{.unit = 1}), disk("hdb", DiskBus::ide)};
  expect_error(drive, VIR_ERR_CONFIG_UNSUPPORTED, "Found duplicate drive address for disk with target name 'hda'");
  auto off_bus = guest();
  off_bus.devices.disks = {disk("hda", DiskBus::ide, DriveAddress{.unit = 7})};
  expect_error(off_bus, VIR_ERR_CONFIG_UNSUPPORTED, "does not have");
  auto root_port = guest("q35");
  root_port.devices.controllers = {{.type = ControllerType::pci, .index = 1, .model = "pcie-root-port"}};
  root_port.devices.disks = {disk("vda", DiskBus::virtio, PciAddress{.bus = 1, .slot = 4})};
  expect_error(root_port, VIR_ERR_XML_ERROR, "slots 0 to 0");
}

TEST(Complete, RefusesDevicesThatCannotBe) {
  auto q35 = guest("q35");
  q35.devices.disks = {disk("hda")};
  expect_error(q35, VIR_ERR_CONFIG_UNSUPPORTED, "IDE controllers are unsupported");
  auto unnamed = guest();
  unnamed.devices.disks = {disk("zda")};
  expect_error(unnamed, VIR_ERR_XML_ERROR, "Unknown disk name 'zda'");
  auto card = guest();
  card.devices.interfaces = {{.model = "weird"}};
  expect_error(card, VIR_ERR_CONFIG_UNSUPPORTED, "network card model 'weird'");
  auto tablet = guest();
  tablet.devices.inputs = {{.type = InputType::tablet, .bus = InputBus::ps2}};
  expect_error(tablet, VIR_ERR_INTERNAL_ERROR, "ps2 bus does not support tablet");
  auto audio = guest();
  audio.devices.audios = {{.id = 1}, {.id = 1}};
  expect_error(audio, VIR_ERR_XML_ERROR, "audio ID 1 is used multiple times");
  auto file = guest();
  file.devices.serials = {{.source = {.backend = CharBackend::file}}};
  expect_error(file, VIR_ERR_INTERNAL_ERROR, "Missing source path");
  auto twice = guest();
  twice.devices.controllers = {{.type = ControllerType::scsi, .index = 0}, {.type = ControllerType::scsi, .index = 0}};
  expect_error(twice, VIR_ERR_XML_ERROR, "Multiple 'scsi' controllers with index '0'");
}

TEST(Complete, RefusesPanicDevicesThatCannotBe) {
  auto twice = guest();
  twice.devices.panics = {{.model = PanicModel::isa}, {}};
  expect_error(twice, VIR_ERR_XML_ERROR, "Multiple panic devices with model 'isa'");
  auto pci = guest();
  pci.devices.panics = {{.info = {.address = PciAddress{.slot = 5}}}};
  expect_error(pci, VIR_ERR_CONFIG_UNSUPPORTED, "panic is supported only with ISA address type");
}

TEST(Complete, ANumberOfDevicesThatDoesNotFitIsRefusedAndOneThatFitsIsSeatedOnce) {
  for (const auto& [machine, count] : {std::pair("pc", 28), {"q35", 100}}) {
    auto def = guest(machine);
    for (int i = 0; i < count; ++i)
      def.devices.disks.push_back(
          disk(fmt::format("vd{}{}", i < 26 ? "" : std::string(1, static_cast<char>('a' + i / 26 - 1)),
                           static_cast<char>('a' + i % 26)),
               DiskBus::virtio));
    const auto done = complete(def, capabilities());
    ASSERT_TRUE(done) << done.error().message();
    std::set<std::tuple<unsigned, unsigned, unsigned>> seats;
    for (const auto& one : done->devices.disks) {
      const auto& at = std::get<PciAddress>(one.info.address);
      EXPECT_TRUE(seats.emplace(at.bus, at.slot, at.function).second);
    }
    const auto again = complete(*done, capabilities());
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, *done);
  }
  auto full = guest();
  for (char c = 'a'; c <= 'z'; ++c) full.devices.disks.push_back(disk(fmt::format("vd{}", c), DiskBus::virtio));
  for (char c = 'a'; c <= 'f'; ++c) full.devices.disks.push_back(disk(fmt::format("vda{}", c), DiskBus::virtio));
  expect_error(full, VIR_ERR_XML_ERROR, "No more available PCI slots");
}

TEST(Complete, MacAddressesAreMadeOnceAndDiffer) {
  auto def = guest();
  def.uuid = *Uuid::parse("4f1c0f5e-7a31-4c0a-9d51-0000000000aa");
  def.devices.interfaces.resize(3);
  const auto one = complete(def, capabilities()), other = complete(def, capabilities());
  ASSERT_TRUE(one && other);
  EXPECT_EQ(*one, *other);
  std::set<MacAddress> macs;
  for (const auto& nic : one->devices.interfaces) {
    macs.insert(*nic.mac);
    EXPECT_TRUE(nic.mac->text().starts_with("52:54:00:"));
  }
  EXPECT_EQ(macs.size(), 3U);
}

TEST(Complete, DiskNamesCount) {
  EXPECT_EQ(disk_index("hda"), 0U);
  EXPECT_EQ(disk_index("sdz"), 25U);
  EXPECT_EQ(disk_index("vdaa"), 26U);
  EXPECT_EQ(disk_index("sda1"), 0U);
  EXPECT_FALSE(disk_index("zda"));
  EXPECT_FALSE(disk_index("vd"));
  EXPECT_FALSE(disk_index("vd1"));
}

TEST(Argv, CommasAreDoubledWhereQemuSplitsAtThem) {
  auto def = guest();
  def.name = "a,b";
  def.devices.serials = {{.source = {.backend = CharBackend::file, .path = "/log/x,y"}}};
  const auto done = complete(def, capabilities());
  ASSERT_TRUE(done);
  const auto argv = build_argv(assign_aliases(*done), {.monitor_fd = 5});
  EXPECT_EQ(argv[2], "guest=a,,b,debug-threads=on");
  EXPECT_NE(std::ranges::find(argv, "file,id=charserial0,path=/log/x,,y"), argv.end());
  EXPECT_NE(std::ranges::find(argv, "socket,id=charmonitor,fd=5,server=on,wait=off"), argv.end());
}

}  // namespace
}  // namespace vireo::qemu
