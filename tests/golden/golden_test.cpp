// Goldens of the definition's whole way: XML in, completed XML out, command line. NAME.out.xml was recorded from a real
// libvirtd (tools/record-goldens), so what is compared here is compared with it, byte for byte. NAME.args holds Vireo's
// own command line, one word per line, and NAME.nodes the running guest's nodes of the tree, to make every change of
// them visible; VIREO_RECORD_GOLDENS=1 writes those anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/test_files.hpp"
#include "presence/difference.hpp"
#include "presence/nodes.hpp"
#include "presence/place.hpp"
#include "qemu/aliases.hpp"
#include "qemu/argv.hpp"
#include "qemu/complete.hpp"
#include "tests/fixtures/debian_12_qemu.hpp"
#include "xml/domain.hpp"

namespace vireo {
namespace {

const std::filesystem::path goldens = std::filesystem::path(VIREO_SOURCE_DIR) / "tests/golden";

std::vector<std::string> names() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(goldens / "domains")) {
    const std::string file = entry.path().filename();
    if (file.ends_with(".in.xml")) found.push_back(file.substr(0, file.size() - 7));
  }
  return found;
}

class Golden : public testing::TestWithParam<std::string> {
 protected:
  std::string in() const { return tests::content_of(goldens / "domains" / (GetParam() + ".in.xml")); }
  std::string out() const { return tests::content_of(goldens / "domains" / (GetParam() + ".out.xml")); }

  static model::DomainDef parsed(const std::string& text, xml::ParseOptions options = {}) {
    auto def = xml::parse_domain(text, options);
    EXPECT_TRUE(def) << def.error().message();
    return def.value_or(model::DomainDef{});
  }
  model::DomainDef completed() const {
    auto def = qemu::complete(parsed(in()), tests::debian_12_qemu());
    EXPECT_TRUE(def) << def.error().message();
    return def.value_or(model::DomainDef{});
  }
  static void expect_golden(const std::string& text, const std::filesystem::path& path) {
    if (std::getenv("VIREO_RECORD_GOLDENS") != nullptr) std::ofstream(path) << text;
    EXPECT_EQ(text, tests::content_of(path));
  }
  model::DomainDef live() const {
    auto def = qemu::assign_aliases(completed(), "/run/vireo/channel/7");
    def.id = 7;
    int next_port = 5900;
    for (auto& graphics : def.devices.graphics)
      if (graphics.on_tcp() && graphics.port < 0) graphics.port = next_port++;
    for (auto& serial : def.devices.serials)
      if (serial.source.backend == model::CharBackend::pty) serial.source.path = "/dev/pts/9";
    if (!def.devices.serials.empty() && !def.devices.consoles.empty())
      def.devices.consoles.front().source = def.devices.serials.front().source;
    return def;
  }
};

TEST_P(Golden, CompletesAsLibvirtDoes) { EXPECT_EQ(xml::format_domain(completed(), {.inactive = true}), out()); }

TEST_P(Golden, ReadsItsOwnOutputBack) {
  const auto def = completed();
  EXPECT_EQ(parsed(xml::format_domain(def, {.inactive = true})), def);
}

TEST_P(Golden, CompletingTwiceChangesNothing) {
  const auto once = completed();
  const auto twice = qemu::complete(once, tests::debian_12_qemu());
  ASSERT_TRUE(twice) << twice.error().message();
  EXPECT_EQ(*twice, once);
}

TEST_P(Golden, LiveDefinitionSurvivesItsXml) {
  const auto def = live();
  EXPECT_EQ(parsed(xml::format_domain(def), {.live = true}), def);
}

// A guest defined from a running guest's XML is the guest that was defined.
TEST_P(Golden, LiveXmlDefinesTheSameGuest) {
  EXPECT_EQ(xml::format_domain(live(), {.inactive = true}), [&] {
    auto def = live();
    def.id.reset();
    return xml::format_domain(def, {.inactive = true});
  }());
  auto again = parsed(xml::format_domain(live()));
  EXPECT_FALSE(again.id);
  for (const auto& disk : again.devices.disks)
    EXPECT_TRUE(disk.info.alias.empty() || disk.info.alias.starts_with("ua-")) << disk.info.alias;
}

TEST_P(Golden, CommandLine) {
  const auto argv = qemu::build_argv(live(), {.monitor_fd = 3, .tap_fds = {10, 11, 12, 13, 14, 15}});
  std::string text;
  for (const auto& word : argv) text += word + "\n";
  expect_golden(text, goldens / "argv" / (GetParam() + ".args"));
}

std::string text_of(const tree::Permissions& permissions) {
  std::string text;
  for (const auto& permission : permissions) text += (text.empty() ? "" : ",") + permission.text();
  return text;
}

TEST_P(Golden, NodesOfTheTree) {
  const auto def = live();
  model::DomainView view{.uuid = def.uuid, .name = def.name, .id = 7, .live = std::make_shared<model::DomainDef>(def)};
  view.state = VIR_DOMAIN_RUNNING;
  view.pid = 4711;
  view.boot = std::make_shared<model::BootTimes>(model::BootTimes{
      .began = std::chrono::system_clock::time_point(std::chrono::microseconds(1'700'000'000'000'042))});
  const auto nodes = presence::nodes_of(view);
  EXPECT_TRUE(std::ranges::is_sorted(nodes, presence::before, &presence::GuestNode::path));
  const auto places = presence::places_of(view);
  std::string text;
  for (const auto& node : nodes) {
    const auto path = tree::Path::parse(node.path);
    ASSERT_TRUE(path) << node.path;
    EXPECT_TRUE(presence::belongs_to_guest(*path)) << node.path;
    // So nothing is left of a guest that has gone.
    EXPECT_TRUE(std::ranges::any_of(places, [&](const auto& p) { return tree::Path::parse(p)->holds(*path); }));
    text += node.path + " = \"" + node.value + "\"";
    if (node.permissions) text += "   (" + text_of(*node.permissions) + ")";
    text += "\n";
  }
  expect_golden(text, goldens / "nodes" / (GetParam() + ".nodes"));
}

INSTANTIATE_TEST_SUITE_P(Domains, Golden, testing::ValuesIn(names()), [](const auto& info) {
  std::string name = info.param;
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
});

}  // namespace
}  // namespace vireo
