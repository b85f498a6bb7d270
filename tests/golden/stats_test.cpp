// From what QEMU answers to what a client sees. stats/NAME.json is a conversation that was recorded from a real QEMU or
// written by hand (tools/record-stats tells which), NAME.expected the record that comes of it, one parameter to a line;
// VIREO_RECORD_GOLDENS=1 writes those anew. And whatever is done to an answer, what comes of it can be read, and only
// the groups that the answer is about are other than before.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>

#include "base/test_files.hpp"
#include "tests/fixtures/figures.hpp"

namespace vireo {
namespace {

namespace json = qmp::json;

const std::filesystem::path conversations = std::filesystem::path(VIREO_SOURCE_DIR) / "tests/golden/stats";

std::vector<std::string> names() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(conversations))
    if (entry.path().extension() == ".json") found.push_back(entry.path().stem());
  return found;
}

tests::Answers answers_of(const std::string& name) {
  tests::Answers answers;
  const auto exchanges = json::parse(tests::content_of(conversations / (name + ".json")));
  for (const auto& exchange : exchanges.as_array()) {
    std::string command(exchange.at("execute").as_string());
    if (command == "query-stats") command += " " + std::string(exchange.at("arguments").at("target").as_string());
    answers.emplace(command, exchange.at("return"));
  }
  return answers;
}

std::string text_of(const std::vector<core::Param>& record) {
  std::string text;
  for (const auto& param : record) text += tests::text_of(param) + "\n";
  return text;
}

// The parameters that an answer has no say in.
std::string others(const std::string& command, const std::vector<core::Param>& record) {
  static const std::map<std::string, std::vector<std::string_view>> own = {
      {"query-blockstats", {"block."}},
      {"query-named-block-nodes", {"block."}},
      {"qom-get", {"balloon."}},
      {"query-dirty-rate", {"dirtyrate."}},
      {"query-stats-schemas", {"cpu.haltpoll.", "vcpu.", "vm."}},
      {"query-stats vm", {"cpu.haltpoll.", "vcpu.", "vm."}},
      {"query-stats vcpu", {"cpu.haltpoll.", "vcpu.", "vm."}},
  };
  std::string text;
  for (const auto& param : record) {
    const auto is_its = [&param](std::string_view prefix) { return param.name.starts_with(prefix); };
    if (!param.name.starts_with("vireo.") && std::ranges::none_of(own.at(command), is_its))
      text += tests::text_of(param) + "\n";
  }
  return text;
}

class Figures : public testing::TestWithParam<std::string> {
 protected:
  Figures() : answers_(answers_of(GetParam())) {}

  // Does everything that is said below to a value inside the answer to `command`, and to what is inside it.
  void distort_all(json::value& value) {
    static const json::array instead = {
        nullptr,
        true,
        -1,
        0,
        std::numeric_limits<std::int64_t>::min(),
        std::numeric_limits<std::uint64_t>::max(),
        1e300,
        -1e300,
        0.5,
        "",
        json::string(300, 'x'),
        json::array(),
        json::object(),
    };
    for (const auto& other : instead) {
      const auto kept = std::exchange(value, other);
      check();
      value = kept;
    }
    if (value.is_array()) distort_elements(value.get_array());
    if (value.is_object()) distort_members(value.get_object());
  }

  void check() {
    ++tried_;
    const auto record = tests::record_of(answers_);
    const auto wrong = tests::what_is_wrong_with(record);
    ASSERT_EQ(wrong, "") << "of " << command_ << ": " << json::serialize(answers_[command_]);
    ASSERT_EQ(others(command_, record), untouched_) << "of " << command_ << ": " << json::serialize(answers_[command_]);
  }

  void distort_every_answer() {
    for (auto& [command, answer] : answers_) {
      command_ = command;
      untouched_ = others(command, tests::record_of(answers_));
      distort_all(answer);
      if (HasFatalFailure()) return;
    }
  }

  tests::Answers answers_;
  std::string command_, untouched_;
  std::size_t tried_ = 0;

 private:
  // Each is left out, there twice, and changed.
  void distort_elements(json::array& array) {
    for (std::size_t i = 0; i < array.size() && !HasFatalFailure(); ++i) {
      const auto kept = array;
      array.erase(array.begin() + static_cast<std::ptrdiff_t>(i));
      check();
      array = kept;
      array.push_back(kept[i]);
      check();
      array = kept;
      distort_all(array[i]);
    }
  }

  // Each is left out and changed.
  void distort_members(json::object& object) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : object) keys.emplace_back(key);
    for (const auto& key : keys) {
      if (HasFatalFailure()) return;
      const auto kept = object.at(key);
      object.erase(key);
      check();
      object[key] = kept;
      distort_all(object.at(key));
    }
  }
};

TEST_P(Figures, AreWhatAClientSees) {
  const auto text = text_of(tests::record_of(answers_));
  const auto path = conversations / (GetParam() + ".expected");
  if (std::getenv("VIREO_RECORD_GOLDENS") != nullptr) std::ofstream(path) << text;
  EXPECT_EQ(text, tests::content_of(path));
}

TEST_P(Figures, SurviveEveryDistortion) {
  distort_every_answer();
  EXPECT_GT(tried_, 50u);
}

INSTANTIATE_TEST_SUITE_P(Conversations, Figures, testing::ValuesIn(names()),
                         [](const auto& info) { return info.param; });

// A processor whose figures cannot be read leaves a gap, and the others keep their own.
TEST(FiguresOfProcessors, KeepTheirPlaces) {
  auto answers = answers_of("kvm");
  const auto whole = text_of(tests::record_of(answers));
  answers.at("query-stats vcpu").as_array().at(0) = nullptr;
  const auto record = tests::record_of(answers);
  const auto of = [&record](std::string_view prefix) {
    std::string text;
    for (const auto& param : record)
      if (param.name.starts_with(prefix)) text += tests::text_of(param) + "\n";
    return text;
  };
  EXPECT_EQ(of("vcpu.0."), "vcpu.0.state int 1\n");
  EXPECT_NE(of("vcpu.1."), "");
  EXPECT_NE(whole.find(of("vcpu.1.")), std::string::npos);
}

// What is less than nothing is not told.
TEST(FiguresOfDirtyRate, AreNeverNegative) {
  auto answers = answers_of("told");
  auto& rate = answers.at("query-dirty-rate").as_object();
  for (const auto* key : {"dirty-rate", "start-time", "calc-time"}) rate[key] = -1;
  rate["vcpu-dirty-rate"].as_array().at(0).as_object()["dirty-rate"] = -1;
  std::string text;
  for (const auto& param : tests::record_of(answers))
    if (param.name.starts_with("dirtyrate.")) text += tests::text_of(param) + "\n";
  EXPECT_EQ(text,
            "dirtyrate.calc_status int 2\ndirtyrate.calc_start_time llong 0\ndirtyrate.calc_period int 0\n"
            "dirtyrate.calc_mode string dirty-ring\ndirtyrate.vcpu.1.megabytes_per_second llong 12\n");
}

// Deeper than any chain, and than any answer that the monitor lets through.
TEST(FiguresOfChains, EndSomewhere) {
  auto answers = answers_of("used");
  auto& disk = answers.at("query-blockstats").as_array().at(1).as_object();
  json::object deepest = disk;
  deepest.erase("backing");
  auto nested = deepest;
  for (int level = 0; level < 300; ++level) {
    auto above = deepest;
    above["backing"] = std::move(nested);
    nested = std::move(above);
  }
  disk = std::move(nested);
  const auto record = tests::record_of(answers);
  EXPECT_EQ(tests::what_is_wrong_with(record), "");
  const auto count = std::ranges::find(record, "block.count", &core::Param::name);
  ASSERT_NE(count, record.end());
  EXPECT_GT(std::get<std::uint32_t>(count->value), 100u);
  EXPECT_LT(std::get<std::uint32_t>(count->value), 300u);
}

}  // namespace
}  // namespace vireo
