// Contexts as text, and labels on files. The kernel of the host needs no SELinux for it: an attribute of another name
// stands for its own.
#include "security/selinux.hpp"

#include <gtest/gtest.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>

#include "base/fault.hpp"
#include "base/test_files.hpp"

namespace vireo::security {
namespace {

using namespace std::chrono_literals;

const SelinuxContexts contexts{.process = "system_u:system_r:svirt_t:s0",
                               .emulated_process = "system_u:system_r:svirt_tcg_t:s0",
                               .image = "system_u:object_r:svirt_image_t:s0",
                               .content = "system_u:object_r:virt_content_t:s0"};
const LabelAttributes attributes{.label = "trusted.vireo.test", .memory = "trusted.vireo.test-memory"};

SelinuxDriver driver(unsigned roll = 0) {
  return {contexts, [roll](unsigned below) mutable { return roll++ % below; }, "this-boot", true, attributes};
}

model::SecLabel dynamic() { return {.type = model::SecLabelType::dynamic, .model = "selinux", .relabel = true}; }

TEST(Selinux, ThePolicysFilesAreRead) {
  const auto read = SelinuxContexts::parse("system_u:system_r:svirt_t:s0\nsystem_u:system_r:svirt_tcg_t:s0\n",
                                           "system_u:object_r:svirt_image_t:s0\nsystem_u:object_r:virt_content_t:s0\n");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->emulated_process, contexts.emulated_process);
  EXPECT_EQ(read->content, contexts.content);
  EXPECT_FALSE(SelinuxContexts::parse("", ""));
  EXPECT_FALSE(SelinuxContexts::parse("no context\n", "a:b:c:s0\na:b:c:s0\n"));
}

TEST(Selinux, EachGuestHasCategoriesOfItsOwn) {
  auto selinux = driver();
  model::DomainDef guest;
  auto one = dynamic(), other = dynamic();
  const auto claim = selinux.choose(guest, one);
  const auto claim_too = selinux.choose(guest, other);
  ASSERT_TRUE(claim && claim_too);
  EXPECT_EQ(one.label, "system_u:system_r:svirt_tcg_t:s0:c0,c1");
  EXPECT_EQ(one.imagelabel, "system_u:object_r:svirt_image_t:s0:c0,c1");
  EXPECT_NE(other.label, one.label);
  guest.type = model::VirtType::kvm;
  auto under_kvm = dynamic();
  ASSERT_TRUE(selinux.choose(guest, under_kvm));
  EXPECT_TRUE(under_kvm.label.starts_with("system_u:system_r:svirt_t:s0:c"));
}

TEST(Selinux, ABaseLabelGivesAllButTheCategories) {
  auto selinux = driver();
  auto label = dynamic();
  label.baselabel = "staff_u:staff_r:svirt_custom_t:s1";
  ASSERT_TRUE(selinux.choose({}, label));
  EXPECT_EQ(label.label, "staff_u:staff_r:svirt_custom_t:s1:c0,c1");
  label.baselabel = "nonsense";
  EXPECT_EQ(selinux.choose({}, label).error().code, VIR_ERR_CONFIG_UNSUPPORTED);
}

TEST(Selinux, AStaticLabelIsTheGuestsAlone) {
  auto selinux = driver();
  model::SecLabel label{.type = model::SecLabelType::fixed,
                        .model = "selinux",
                        .relabel = true,
                        .label = "system_u:system_r:svirt_t:s0:c3,c4"};
  auto other = label;
  {
    const auto claim = selinux.choose({}, label);
    ASSERT_TRUE(claim);
    EXPECT_EQ(label.imagelabel, "system_u:object_r:svirt_image_t:s0:c3,c4");
    EXPECT_EQ(selinux.choose({}, other).error().code, VIR_ERR_RESOURCE_BUSY);
  }
  EXPECT_TRUE(selinux.choose({}, other));
  const auto inherited = selinux.inherit({}, label);
  EXPECT_FALSE(selinux.choose({}, other)) << "a guest of an earlier daemon has them";
}

class SelinuxFiles : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can set such attributes";
    guest.name = "guest";
    guest.uuid = Uuid::random();
    guest.id = 7;
    add("own", false, false);
    add("shared", false, true);
    add("media", true, false);
  }
  void add(const std::string& name, bool readonly, bool shared) {
    std::ofstream(folder + "/" + name) << "content";
    model::Disk disk;
    disk.file = folder + "/" + name;
    disk.readonly = readonly;
    disk.shareable = shared;
    disk.target = "vd" + name;
    guest.devices.disks.push_back(disk);
  }
  std::string label_of(const std::string& name) const {
    std::string text(1000, '\0');
    const auto size = ::getxattr((folder + "/" + name).c_str(), attributes.label.c_str(), text.data(), text.size());
    return size < 0 ? "" : text.substr(0, static_cast<std::size_t>(size));
  }
  void set(const std::string& name, const std::string& text) const {
    EXPECT_EQ(::setxattr((folder + "/" + name).c_str(), attributes.label.c_str(), text.data(), text.size(), 0), 0);
  }
  const tests::Folder made;
  const std::string folder = made.path();
  model::DomainDef guest;
};

TEST_F(SelinuxFiles, AreLabelledForTheTimeOfTheGuest) {
  auto selinux = driver();
  set("own", "system_u:object_r:user_home_t:s0");
  auto label = dynamic();
  const auto claim = selinux.choose(guest, label);
  ASSERT_TRUE(claim);
  const auto done = selinux.apply(guest, label, Deadline::in(10s));
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(label_of("own"), "system_u:object_r:svirt_image_t:s0:c0,c1");
  EXPECT_EQ(label_of("shared"), contexts.image);
  EXPECT_EQ(label_of("media"), contexts.content);
  auto second = guest;
  second.uuid = Uuid::random();
  second.devices.disks.erase(second.devices.disks.begin());
  ASSERT_TRUE(selinux.apply(second, label, Deadline::in(10s)));
  selinux.take_back(guest, label, Deadline::in(10s));
  EXPECT_EQ(label_of("own"), "system_u:object_r:user_home_t:s0");
  EXPECT_EQ(label_of("shared"), contexts.image) << "another guest has it";
  selinux.take_back(second, label, Deadline::in(10s));
  EXPECT_EQ(label_of("shared"), "");
  EXPECT_LT(::getxattr((folder + "/own").c_str(), attributes.memory.c_str(), nullptr, 0), 0);
}

TEST_F(SelinuxFiles, WhereverItFailsNothingHasChanged) {
  auto selinux = driver();
  set("own", "before:it:was:s0");
  auto label = dynamic();
  const auto claim = selinux.choose(guest, label);
  for (unsigned nth = 1;; ++nth) {
    const fault::Armed armed({.name = "", .nth = nth});
    const auto done = selinux.apply(guest, label, Deadline::in(10s));
    if (!armed.hit()) {
      EXPECT_TRUE(done);
      EXPECT_EQ(nth, 7U);  // remember and set, three times
      break;
    }
    EXPECT_FALSE(done) << nth;
    EXPECT_EQ(label_of("own"), "before:it:was:s0") << nth;
    EXPECT_EQ(label_of("media"), "") << nth;
  }
}

TEST_F(SelinuxFiles, WhatADiskSaysOfItsOwnFileIsDone) {
  auto selinux = driver();
  guest.devices.disks[0].seclabels = {{.model = "selinux", .relabel = false, .label = {}}};
  guest.devices.disks[1].seclabels = {{.model = "selinux", .relabel = true, .label = "my:own:label:s0"}};
  auto label = dynamic();
  const auto claim = selinux.choose(guest, label);
  ASSERT_TRUE(selinux.apply(guest, label, Deadline::in(10s)));
  EXPECT_EQ(label_of("own"), "");
  EXPECT_EQ(label_of("shared"), "my:own:label:s0");
}

TEST_F(SelinuxFiles, ALabelThatWasTakenAwayIsExplained) {
  auto selinux = driver();
  auto label = dynamic();
  const auto claim = selinux.choose(guest, label);
  ASSERT_TRUE(selinux.apply(guest, label, Deadline::in(10s)));
  std::vector<model::FileAccess> answers(3);
  selinux.explain(guest_files(guest), label, true, answers);
  EXPECT_TRUE(answers[0].allowed && answers[1].allowed && answers[2].allowed);
  set("own", "system_u:object_r:tmp_t:s0");
  selinux.explain(guest_files(guest), label, true, answers);
  EXPECT_FALSE(answers[0].allowed);
  EXPECT_EQ(answers[0].rule, "selinux");
  EXPECT_TRUE(answers[0].why.contains("has the label 'system_u:object_r:tmp_t:s0'")) << answers[0].why;
}

}  // namespace
}  // namespace vireo::security
