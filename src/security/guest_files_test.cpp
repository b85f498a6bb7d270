// Which files a guest has, and what lies behind its images.
#include "security/guest_files.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "base/test_files.hpp"

namespace vireo::security {
namespace {

std::string header_with(const std::string& backing) {
  std::string header = "QFI\xfb";
  header += std::string("\0\0\0\3", 4);            // version
  header += std::string("\0\0\0\0\0\0\0\x20", 8);  // where the name stands
  header += std::string("\0\0\0", 3) + static_cast<char>(backing.size());
  header.resize(0x20);
  return header + backing;
}

TEST(GuestFiles, AHeaderNamesTheImageBehind) {
  EXPECT_EQ(backing_in(header_with("/images/base.qcow2")), "/images/base.qcow2");
  EXPECT_EQ(backing_in(header_with("file:base")), "base");
  EXPECT_EQ(backing_in(header_with("nbd://host/base")), "");
  EXPECT_EQ(backing_in(header_with("json:{\"driver\":\"file\"}")), "");
  EXPECT_EQ(backing_in(header_with("./a:b")), "./a:b");
  EXPECT_EQ(backing_in(header_with("")), "");
  EXPECT_EQ(backing_in("QFI\xfb"), "");
  EXPECT_EQ(backing_in("raw bytes of some other kind"), "");
  EXPECT_EQ(backing_in(header_with("/images/base.qcow2").substr(0, 0x24)), "") << "cut off";
}

TEST(GuestFiles, AChainIsFollowedToItsEndAndNotRoundForEver) {
  const tests::Folder made;
  const auto& folder = made.path();
  std::ofstream(folder + "/top") << header_with("middle");
  std::ofstream(folder + "/middle") << header_with(folder + "/base");
  std::ofstream(folder + "/base") << "raw";
  std::ofstream(folder + "/round") << header_with("round");
  model::DomainDef guest;
  model::Disk disk;
  disk.file = folder + "/top";
  disk.target = "vda";
  disk.driver.format = model::ImageFormat::qcow2;
  guest.devices.disks.push_back(disk);
  const auto files = guest_files_and_backing(guest);
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[1].path, folder + "/middle");
  EXPECT_EQ(files[2].path, folder + "/base");
  EXPECT_EQ(files[2].role, "backing file of disk vda");
  EXPECT_FALSE(files[2].labelled);
  guest.devices.disks[0].no_backing = true;
  EXPECT_EQ(guest_files_and_backing(guest).size(), 1U);
  guest.devices.disks[0].no_backing = false;
  guest.devices.disks[0].file = folder + "/round";
  EXPECT_LT(guest_files_and_backing(guest).size(), 1000U);
}

TEST(GuestFiles, EachWithWhatIsDoneToIt) {
  model::DomainDef guest;
  guest.devices.emulator = "/usr/bin/qemu";
  guest.os.kernel = "/boot/kernel";
  model::Disk cdrom;
  cdrom.kind = model::DiskKind::cdrom;
  cdrom.target = "sda";
  guest.devices.disks.push_back(cdrom);  // an empty drive
  model::Serial pty, log;
  pty.source = {.backend = model::CharBackend::pty, .path = "/dev/pts/3"};
  log.source = {.backend = model::CharBackend::file, .path = "/log/serial"};
  guest.devices.serials = {pty, log};
  const auto files = guest_files(guest);
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0].role, "kernel");
  EXPECT_TRUE(files[0].labelled);
  EXPECT_EQ(files[1].use, GuestFile::Use::Execute);
  EXPECT_FALSE(files[1].labelled);
  EXPECT_EQ(files[2].role, "serial 1");
  EXPECT_TRUE(files[2].may_create);
}

}  // namespace
}  // namespace vireo::security
