// Owners of files, given and given back. All of it needs root, as the labeler itself does: it runs only then.
#include "security/dac.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/fault.hpp"
#include "base/test_files.hpp"
#include "security/owned_file.hpp"
#include "security/stack.hpp"

namespace vireo::security {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class DacTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can change owners";
    fs::permissions(folder_, fs::perms(0755));
  }

  std::string file(const std::string& name, uid_t uid, gid_t gid, mode_t mode) {
    const auto path = folder_ + "/" + name;
    std::ofstream(path) << "content";
    EXPECT_EQ(::chown(path.c_str(), uid, gid), 0);
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }
  static std::string owner(const std::string& path) {
    struct stat info{};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return fmt::format("{}:{}", info.st_uid, info.st_gid);
  }
  static bool remembered(const std::string& path) {
    return ::getxattr(path.c_str(), "trusted.vireo.owner", nullptr, 0) >= 0;
  }
  static model::DomainDefPtr guest(std::vector<model::Disk> disks) {
    auto def = std::make_shared<model::DomainDef>();
    def->name = "guest";
    def->uuid = Uuid::random();
    def->id = 7;
    def->devices.disks = std::move(disks);
    return def;
  }
  static model::Disk disk(const std::string& path, bool readonly = false) {
    model::Disk disk;
    disk.file = path;
    disk.readonly = readonly;
    disk.target = "vda";
    return disk;
  }
  template <class T>
  T run(asio::awaitable<T> work) {
    auto result = asio::co_spawn(core_, std::move(work), asio::use_future);
    core_.restart();
    core_.run();
    return result.get();
  }
  Result<void> label(const model::DomainDefPtr& def) { return run(labeler_->label(def, Deadline::in(10s))); }
  void restore(const model::DomainDefPtr& def) { run(labeler_->restore(def, Deadline::in(10s))); }

  const tests::Folder made_;
  const std::string folder_ = made_.path();
  asio::io_context core_;
  Workers workers_{"images", 2};
  const Credentials user_{.uid = 4321, .gid = 4322, .groups = {4323}, .user = "qemu"};
  std::unique_ptr<Stack> stack(const std::string& boot_id) {
    std::vector<std::unique_ptr<Driver>> drivers;
    drivers.push_back(std::make_unique<DacDriver>(user_, boot_id));
    return std::make_unique<Stack>(workers_, std::move(drivers), user_);
  }
  std::unique_ptr<Stack> labeler_ = stack("this-boot");
};

TEST_F(DacTest, AnImageIsTheUsersForTheTimeOfTheGuest) {
  const auto image = file("disk", 1000, 1001, 0600);
  const auto def = guest({disk(image)});
  ASSERT_TRUE(label(def));
  EXPECT_EQ(owner(image), "4321:4322");
  EXPECT_TRUE(remembered(image));
  restore(def);
  EXPECT_EQ(owner(image), "1000:1001");
  EXPECT_FALSE(remembered(image));
  restore(def);
  EXPECT_EQ(owner(image), "1000:1001");
}

TEST_F(DacTest, WhatTheUserCanReadIsLeftAlone) {
  const auto open_one = file("open", 0, 0, 0644), own = file("own", 4321, 4322, 0600),
             group = file("group", 0, 4323, 0640), closed = file("closed", 0, 0, 0600);
  const auto def = guest({disk(open_one, true), disk(own), disk(group, true), disk(closed, true)});
  auto done = label(def);
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(owner(open_one), "0:0");
  EXPECT_FALSE(remembered(own));
  EXPECT_EQ(owner(group), "0:4323");
  EXPECT_EQ(owner(closed), "4321:4322");
  restore(def);
  EXPECT_EQ(owner(closed), "0:0");
  EXPECT_EQ(owner(own), "4321:4322");
}

TEST_F(DacTest, ASharedImageGoesBackWithTheLastGuest) {
  const auto image = file("shared", 1000, 1000, 0600);
  const auto first = guest({disk(image)}), second = guest({disk(image)});
  ASSERT_TRUE(label(first));
  ASSERT_TRUE(label(first));  // twice is once
  ASSERT_TRUE(label(second));
  restore(first);
  EXPECT_EQ(owner(image), "4321:4322");
  restore(second);
  EXPECT_EQ(owner(image), "1000:1000");
  EXPECT_FALSE(remembered(image));
}

TEST_F(DacTest, ALifeThatIsClearedAwayTakesNothingFromTheNext) {
  const auto image = file("disk", 1000, 1000, 0600);
  const auto first = guest({disk(image)});
  auto next = std::make_shared<model::DomainDef>(*first);
  next->id = 8;
  ASSERT_TRUE(label(first));
  ASSERT_TRUE(label(next));
  restore(first);
  EXPECT_EQ(owner(image), "4321:4322");
  restore(next);
  EXPECT_EQ(owner(image), "1000:1000");
}

TEST_F(DacTest, GuestsOfAnotherBootAreForgottenButNotTheOwner) {
  const auto image = file("disk", 1000, 1000, 0600);
  const auto before = stack("last-boot");
  ASSERT_TRUE(run(before->label(guest({disk(image)}), Deadline::in(10s))));
  const auto def = guest({disk(image)});
  ASSERT_TRUE(label(def));
  restore(def);
  EXPECT_EQ(owner(image), "1000:1000");
}

TEST_F(DacTest, AnOwnerChosenMeanwhileStands) {
  const auto image = file("disk", 1000, 1000, 0600);
  const auto def = guest({disk(image)});
  ASSERT_TRUE(label(def));
  ASSERT_EQ(::chown(image.c_str(), 77, 78), 0);
  restore(def);
  EXPECT_EQ(owner(image), "77:78");
  EXPECT_FALSE(remembered(image));
}

TEST_F(DacTest, AClosedFolderIsNamedAndNothingHasChanged) {
  const auto first = file("first", 1000, 1000, 0600);
  fs::create_directories(folder_ + "/closed/inner");
  fs::permissions(folder_ + "/closed", fs::perms(0700));
  const auto hidden = file("closed/inner/disk", 1000, 1000, 0600);
  auto done = label(guest({disk(first), disk(hidden)}));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, VIR_ERR_SYSTEM_ERROR);
  EXPECT_EQ(done.error().message(),
            "Cannot access storage file '" + hidden + "' (as uid:4321, gid:4322): Permission denied; the folder '" +
                folder_ +
                "/closed' does not let user qemu through: its mode 0700 gives others no x (it belongs to 0:0)");
  EXPECT_EQ(owner(first), "1000:1000");
  EXPECT_EQ(owner(hidden), "1000:1000");
  EXPECT_FALSE(remembered(first) || remembered(hidden));
}

TEST_F(DacTest, AMissingImageIsToldAsLibvirtTellsIt) {
  auto done = label(guest({disk("/nowhere/disk")}));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message(), "Cannot access storage file '/nowhere/disk': No such file or directory");
  auto without_kernel = std::make_shared<model::DomainDef>(*guest({}));
  without_kernel->os.kernel = "/nowhere/kernel";
  EXPECT_TRUE(label(without_kernel));
}

TEST_F(DacTest, ReadOnlyModeOfAnImageIsNoAccess) {
  const auto image = file("disk", 1000, 1000, 0400);
  auto done = label(guest({disk(image)}));
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().message().contains("(as uid:4321, gid:4322): Permission denied; the file '"))
      << done.error().message();
  EXPECT_EQ(owner(image), "1000:1000");
}

TEST_F(DacTest, WhereverItFailsNothingHasChanged) {
  const auto image = file("disk", 1000, 1000, 0600), kernel = file("kernel", 1000, 1000, 0600);
  auto def = std::make_shared<model::DomainDef>(*guest({disk(image)}));
  def->os.kernel = kernel;
  for (unsigned nth = 1;; ++nth) {
    const fault::Armed armed({.name = "", .nth = nth});
    const auto done = label(def);
    if (!armed.hit()) {
      EXPECT_TRUE(done);
      EXPECT_EQ(nth, 6u);  // the step itself; remember and chown, twice
      break;
    }
    EXPECT_FALSE(done) << nth;
    EXPECT_EQ(owner(image), "1000:1000") << nth;
    EXPECT_EQ(owner(kernel), "1000:1000") << nth;
    EXPECT_FALSE(remembered(image) || remembered(kernel)) << nth;
  }
  restore(def);
  EXPECT_EQ(owner(kernel), "1000:1000");
}

model::DomainDefPtr as(const model::DomainDefPtr& guest, const std::string& label, bool relabel = true) {
  auto def = std::make_shared<model::DomainDef>(*guest);
  def->uuid = Uuid::random();
  def->seclabels = {
      {.type = model::SecLabelType::fixed, .model = "dac", .relabel = relabel, .label = label, .imagelabel = label}};
  return def;
}

TEST_F(DacTest, AGuestOfAnotherUserGetsItsFilesAsThatUser) {
  const auto image = file("disk", 1000, 1001, 0600);
  const auto def = as(guest({disk(image)}), "+5555:+5556");
  ASSERT_TRUE(label(def));
  EXPECT_EQ(owner(image), "5555:5556");
  restore(def);
  EXPECT_EQ(owner(image), "1000:1001");
  EXPECT_FALSE(remembered(image));
}

TEST_F(DacTest, OneFileIsNotTwoUsersAtATime) {
  const auto image = file("disk", 1000, 1001, 0600);
  const auto first = guest({disk(image)}), second = as(first, "+5555:+5556");
  ASSERT_TRUE(label(first));
  const auto refused = label(second);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, VIR_ERR_OPERATION_INVALID);
  EXPECT_TRUE(refused.error().message().contains("belongs to 4321:4322")) << refused.error().message();
  EXPECT_EQ(owner(image), "4321:4322");
  restore(second);
  EXPECT_EQ(owner(image), "4321:4322") << "what it did not get it cannot give back";
  restore(first);
  EXPECT_EQ(owner(image), "1000:1001");
  ASSERT_TRUE(label(second));
  EXPECT_EQ(owner(image), "5555:5556");
  restore(second);
}

TEST_F(DacTest, WithoutRelabellingFilesStayAndMustBeReachable) {
  const auto closed = file("closed", 1000, 1001, 0600), own = file("own", 5555, 5556, 0600);
  EXPECT_TRUE(label(as(guest({disk(own)}), "+5555:+5556", false)));
  const auto refused = label(as(guest({disk(closed)}), "+5555:+5556", false));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message().contains("its mode 0600 gives others no rw")) << refused.error().message();
  EXPECT_EQ(owner(closed), "1000:1001");
}

TEST_F(DacTest, ADiskSaysWhatHoldsForItsOwnFile) {
  const auto left = file("left", 4321, 0, 0600), other = file("other", 1000, 1000, 0666);
  auto first = disk(left), second = disk(other);
  first.seclabels = {{.model = "dac", .relabel = false, .label = {}}};
  second.seclabels = {{.model = "dac", .relabel = true, .label = "+77:+78"}};
  const auto def = guest({first, second});
  const auto done = label(def);
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(owner(left), "4321:0");
  EXPECT_EQ(owner(other), "77:78");
  restore(def);
  EXPECT_EQ(owner(other), "1000:1000");
  // Nobody's guest can open a file that was given to somebody else and is closed to all others.
  const auto closed = file("closed", 1000, 1000, 0600);
  second.file = closed;
  const auto refused = label(guest({second}));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message().contains("closed to user qemu")) << refused.error().message();
  EXPECT_EQ(owner(closed), "1000:1000");
}

TEST_F(DacTest, ALabelThatNamesNobodyIsRefused) {
  const auto image = file("disk", 1000, 1001, 0600);
  for (const char* nobody : {"no-such-user:root", "root:no-such-group", "root", "+1:", ":+1", "+4294967295:+1"}) {
    const auto refused = label(as(guest({disk(image)}), nobody));
    ASSERT_FALSE(refused) << nobody;
    EXPECT_EQ(refused.error().code, VIR_ERR_INVALID_ARG);
    EXPECT_TRUE(refused.error().message().contains(nobody));
  }
  EXPECT_EQ(credentials_of_label("root:root")->gid, 0U);
  EXPECT_EQ(credentials_of_label("0:+5")->user, "root");
}

TEST_F(DacTest, WhatAnEarlierDaemonRememberedIsGivenBack) {
  const auto image = file("disk", 4321, 4322, 0600);
  auto def = std::make_shared<model::DomainDef>(*guest({disk(image)}));
  const auto form_1 = fmt::format("1 1000:1001 this-boot {}/7", def->uuid.text());
  ASSERT_EQ(::setxattr(image.c_str(), "trusted.vireo.owner", form_1.data(), form_1.size(), 0), 0);
  restore(def);
  EXPECT_EQ(owner(image), "1000:1001");
  EXPECT_FALSE(remembered(image));
}

TEST_F(DacTest, EveryFileIsExplained) {
  const auto image = file("disk", 1000, 1000, 0600), media = file("media", 0, 0, 0644);
  auto cdrom = disk(media, true), mine = disk(file("mine", 0, 0, 0600));
  mine.seclabels = {{.model = "dac", .relabel = false, .label = {}}};
  mine.target = "vdb";
  auto def = std::make_shared<model::DomainDef>(*guest({disk(image), cdrom, mine}));
  def->os.kernel = folder_ + "/no-kernel";
  const auto files = run(labeler_->explain(def, false, Deadline::in(10s)));
  ASSERT_TRUE(files) << files.error().message();
  ASSERT_EQ(files->size(), 4U);
  EXPECT_TRUE((*files)[0].allowed && (*files)[0].lent) << (*files)[0].why;
  EXPECT_EQ((*files)[0].as, "uid 4321 (qemu), gid 4322");
  EXPECT_TRUE((*files)[1].allowed);
  EXPECT_FALSE((*files)[2].allowed);
  EXPECT_EQ((*files)[2].role, "disk vdb");
  EXPECT_EQ((*files)[2].rule, "mode");
  EXPECT_FALSE((*files)[3].allowed);
  EXPECT_EQ((*files)[3].rule, "missing");
  EXPECT_EQ((*files)[3].component, folder_ + "/no-kernel");
  EXPECT_EQ(owner(image), "1000:1000") << "asking changes nothing";
}

}  // namespace
}  // namespace vireo::security
