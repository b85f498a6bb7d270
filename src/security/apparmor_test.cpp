// The profile of a guest as text, and that AppArmor's own compiler takes it (package apparmor; no kernel is needed for
// that).
#include "security/apparmor.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/test_files.hpp"
#include "security/apparmor_profile.hpp"
#include "security/run_program.hpp"

namespace vireo::security {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class AppArmorTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* part : {"/run/7", "/log", "/images"}) fs::create_directories(folder + part);
  }
  Result<void> compile(const std::string& text) const {
    std::ofstream(folder + "/profile") << text;
    return run_program({"apparmor_parser", "--skip-kernel-load", "--skip-cache", folder + "/profile"},
                       Deadline::in(30s));
  }
  model::DomainDef guest() const {
    model::DomainDef def;
    def.name = "web";
    def.uuid = *Uuid::parse("5d7f1a5e-3a52-4f3c-9a59-2f7d9c2f9b11");
    def.id = 7;
    def.devices.emulator = "/usr/bin/qemu-system-x86_64";
    return def;
  }
  static void add(model::DomainDef& def, const std::string& file, bool readonly) {
    model::Disk disk;
    disk.file = file;
    disk.readonly = readonly;
    disk.target = "vda";
    def.devices.disks.push_back(disk);
  }
  AppArmorDriver driver() const {
    return AppArmorDriver(
        {.profile_dir = folder + "/profiles", .runtime_dir = folder + "/run", .log_dir = folder + "/log"});
  }
  const tests::Folder made;
  const std::string folder = made.path();
};

TEST_F(AppArmorTest, WhatIsOfThisGuestStandsAtTheEnd) {
  const auto text = apparmor_profile({.name = "vireo-1-7",
                                      .runtime_dir = "/run/vireo/guests/7",
                                      .log_path = "/var/log/vireo/guests/web.log",
                                      .files = {{.path = "/images/a b\"c*?[d]{e}.img", .permissions = "rwk"},
                                                {.path = "/usr/bin/qemu-system-x86_64", .permissions = "mr"},
                                                {.path = "/usr/bin/qemu-system-x86_64", .permissions = "mr"}}});
  ASSERT_TRUE(text);
  EXPECT_TRUE(text->contains("profile \"vireo-1-7\" flags=(attach_disconnected) {"));
  EXPECT_TRUE(text->ends_with(R"(
  # this guest
  "/run/vireo/guests/7/" r,
  "/run/vireo/guests/7/**" rwkl,
  "/var/log/vireo/guests/web.log" w,
  "/images/a b\"c\*\?\[d\]\{e\}.img" rwk,
  "/usr/bin/qemu-system-x86_64" mr,
}
)")) << *text;
  const auto compiled = compile(*text);
  EXPECT_TRUE(compiled) << compiled.error().message();
}

TEST_F(AppArmorTest, TheCompilerIsNotEasyToPlease) {
  const auto compiled = compile("profile nonsense {\n  /x rwq,\n}\n");
  ASSERT_FALSE(compiled);
  EXPECT_TRUE(compiled.error().message().contains("apparmor_parser")) << compiled.error().message();
}

TEST_F(AppArmorTest, APathThatNoProfileCanHoldIsRefused) {
  const auto text = apparmor_profile(
      {.name = "x", .runtime_dir = "/r", .log_path = "/l", .files = {{.path = "/images/a\nb", .permissions = "r"}}});
  EXPECT_EQ(text.error().code, VIR_ERR_CONFIG_UNSUPPORTED);
}

TEST_F(AppArmorTest, AGuestsProfileIsMadeOfItsDefinition) {
  std::ofstream(folder + "/images/disk") << "x";
  fs::create_symlink(folder + "/images/disk", folder + "/images/link");
  auto def = guest();
  add(def, folder + "/images/link", false);
  add(def, folder + "/images/media", true);
  def.os.kernel = "/boot/vmlinuz";
  model::Serial serial;
  serial.source = {.backend = model::CharBackend::file, .path = folder + "/log/serial"};
  def.devices.serials.push_back(serial);
  const auto text = driver().profile_for(def, "vireo-web");
  ASSERT_TRUE(text);
  EXPECT_TRUE(text->contains("\"" + folder + "/images/disk\" rwk,")) << *text;
  EXPECT_TRUE(text->contains("\"" + folder + "/images/media\" rk,"));
  EXPECT_TRUE(text->contains("\"/boot/vmlinuz\" rk,"));
  EXPECT_TRUE(text->contains("\"" + folder + "/log/serial\" rwk,"));
  EXPECT_TRUE(text->contains("\"" + folder + "/log/web.log\" w,"));
  EXPECT_FALSE(text->contains("/images/link"));
  const auto compiled = compile(*text);
  EXPECT_TRUE(compiled) << compiled.error().message();
}

TEST_F(AppArmorTest, LabelsAreProfilesOfOneLife) {
  auto apparmor = driver();
  model::SecLabel label{.type = model::SecLabelType::dynamic, .model = "apparmor", .relabel = true};
  ASSERT_TRUE(apparmor.choose(guest(), label));
  EXPECT_EQ(label.label, "vireo-5d7f1a5e-3a52-4f3c-9a59-2f7d9c2f9b11-7");
  EXPECT_EQ(label.imagelabel, label.label);
  model::SecLabel given{.type = model::SecLabelType::fixed, .model = "apparmor", .relabel = false, .label = "my-qemu"};
  ASSERT_TRUE(apparmor.choose(guest(), given));
  EXPECT_EQ(given.label, "my-qemu");
  EXPECT_TRUE(apparmor.apply(guest(), given, Deadline::in(10s))) << "the host's own profile is left alone";
  given.label = "two\nwords";
  EXPECT_EQ(apparmor.choose(guest(), given).error().code, VIR_ERR_CONFIG_UNSUPPORTED);
}

TEST_F(AppArmorTest, WhatTheLoadedProfileDoesNotNameIsExplained) {
  std::ofstream(folder + "/images/disk") << "x";
  std::ofstream(folder + "/images/later") << "x";
  auto def = guest();
  add(def, folder + "/images/disk", false);
  model::SecLabel label{.type = model::SecLabelType::dynamic, .model = "apparmor", .relabel = true};
  const auto apparmor = driver();
  label.label = "vireo-web";
  fs::create_directories(folder + "/profiles");
  std::ofstream(folder + "/profiles/vireo-web") << *apparmor.profile_for(def, label.label);
  add(def, folder + "/images/later", false);
  std::vector<model::FileAccess> files(3);
  apparmor.explain(guest_files(def), label, true, files);
  EXPECT_TRUE(files[0].allowed && files[2].allowed);
  EXPECT_FALSE(files[1].allowed);
  EXPECT_EQ(files[1].rule, "apparmor");
  EXPECT_EQ(files[1].component, folder + "/images/later");
}

}  // namespace
}  // namespace vireo::security
