// What `vireo top` knows, sorts and finds, and what keys do, without a terminal.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "cli/table.hpp"
#include "cli/top/columns.hpp"
#include "cli/top/controls.hpp"
#include "cli/top/figures.hpp"
#include "cli/top/guest_list.hpp"
#include "cli/top/header.hpp"
#include "cli/top/screen.hpp"

namespace vireo::cli::top {
namespace {

Guest guest(std::string name, std::int64_t at_us, std::int64_t cpu_ns, std::int64_t life = 1) {
  return {.name = name,
          .uuid = "u-" + name,
          .state = "running",
          .id = life,
          .vcpus = 2,
          .memory_kib = 1 << 20,
          .kernel = Totals{.at_us = at_us, .a = cpu_ns, .b = cpu_ns, .c = 0},
          .disk = Totals{.at_us = at_us, .a = 0, .b = cpu_ns},
          .liveness_kind = "healthy",
          .liveness = "healthy"};
}

TEST(Figures, AreReadFromTheDaemonsAnswer) {
  const auto moment = read_moment(boost::json::parse(R"({"taken": "x", "period_ms": 5000,
    "host": {"name": "h", "cpus": 4, "busy_ms": 10, "idle_ms": 30, "load": [0.5, 1, 2.25], "memory_kib": 100,
             "available_kib": 25},
    "domains": [
      {"name": "a\u001b[2J", "uuid": "1", "id": 7, "state": "running", "vcpus": 2, "memory_kib": 2048,
       "kernel": {"at_us": 5, "cpu_ns": 6, "rss_kib": 7, "net": {"rx_bytes": 8, "tx_bytes": 9}, "pressure": {}},
       "disk": {"at_us": 1, "reads": 2, "read_bytes": 3, "writes": 4, "written_bytes": 5, "failed": 0},
       "monitor": {"round_trip_us": 1500, "answered_ago_ms": 1, "waiting_ms": null, "answers": 1, "failures": 0},
       "age_ms": 12, "liveness": {"kind": "stuck", "sentence": "stuck in x"}, "lane": {}},
      {"name": "b", "uuid": "2", "id": null, "state": "shutoff", "vcpus": 1, "memory_kib": 1, "kernel": null,
       "disk": null, "monitor": {"round_trip_us": null, "waiting_ms": null}, "age_ms": null,
       "liveness": {"kind": "shut_off", "sentence": "shut off"}, "lane": {}}]})")
                                      .as_object());
  EXPECT_EQ(moment.host.load[1], 1.0);
  ASSERT_EQ(moment.guests.size(), 2u);
  const auto& a = moment.guests[0];
  EXPECT_EQ(a.name, "a?[2J") << "nothing that moves the cursor";
  EXPECT_EQ(a.id, 7);
  EXPECT_EQ(a.kernel->c, 9);
  EXPECT_EQ(a.disk->b, 5);
  EXPECT_EQ(a.monitor_ms, 1.5);
  EXPECT_TRUE(a.ill());
  EXPECT_FALSE(moment.guests[1].active());
  EXPECT_FALSE(moment.guests[1].kernel || moment.guests[1].disk || moment.guests[1].monitor_ms);
}

TEST(Figures, RatesFollowFromTwoMoments) {
  const Moment before{.host = {.busy_ms = 100, .idle_ms = 100}, .guests = {guest("a", 1'000'000, 0)}};
  Moment now{.host = {.busy_ms = 150, .idle_ms = 250}, .guests = {guest("a", 3'000'000, 1'000'000'000)}};
  compare(now, before);
  EXPECT_EQ(now.host.cpu_share, 0.25);
  EXPECT_EQ(now.guests[0].cpu_percent, 50.0);
  EXPECT_EQ(now.guests[0].rx_bytes_per_s, 5e8);
  EXPECT_EQ(now.guests[0].written_bytes_per_s, 5e8);
  EXPECT_EQ(now.guests[0].read_bytes_per_s, 0.0);

  Moment same{.guests = {guest("a", 3'000'000, 1'000'000'000)}};
  compare(same, now);
  EXPECT_EQ(same.guests[0].cpu_percent, 50.0) << "not measured anew";

  Moment other_life{.guests = {guest("a", 5'000'000, 2'000'000'000, 2)}};
  compare(other_life, now);
  EXPECT_FALSE(other_life.guests[0].cpu_percent);

  Moment backwards{.guests = {guest("a", 5'000'000, 5)}};
  compare(backwards, now);
  EXPECT_FALSE(backwards.guests[0].cpu_percent);
}

TEST(Columns, FitTheScreen) {
  for (const int width : {80, 100, 120, 200, 400}) {
    int used = 0;
    for (const auto& [column, each] : layout(width)) used += each + 1;
    EXPECT_LE(used - 1, width) << width;
  }
  EXPECT_GT(layout(200).size(), layout(80).size());
  EXPECT_FALSE(layout(20).empty());
}

TEST(Columns, TextsAreShort) {
  EXPECT_EQ(amount_text(0), "0");
  EXPECT_EQ(amount_text(999), "999");
  EXPECT_EQ(amount_text(1000), "1.0K");
  EXPECT_EQ(amount_text(64.0 * 1024 * 1024), "64M");
  for (double number = 1; number < 1e17; number *= 1.07) EXPECT_LE(amount_text(number).size(), 4u) << number;
  EXPECT_EQ(percent_text(99.96), "100.0");
  EXPECT_EQ(percent_text(12'800), "12800");
  EXPECT_EQ(bar_text(0.5, 8), "||||    ");
  EXPECT_EQ(bar_text(7, 4), "||||");
  EXPECT_EQ(fitted("abc", 5), "abc  ");
  EXPECT_EQ(fitted("abc", 5, true), "  abc");
  EXPECT_EQ(fitted("äöü", 2), "äö");
  EXPECT_EQ(fitted("abc", 0), "");
}

struct AList : ::testing::Test {
  AList() {
    Moment first{.guests = {guest("db-1", 0, 0), guest("web-1", 0, 0), guest("web-2", 0, 0), guest("Web-3", 0, 0)}};
    list.take(first);
    Moment second{.guests = {guest("db-1", 1'000'000, 100'000'000), guest("web-1", 1'000'000, 300'000'000),
                             guest("web-2", 1'000'000, 200'000'000), guest("Web-3", 1'000'000, 300'000'000)}};
    second.guests[0].rss_kib = 9;
    list.take(second);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) out[i] = list.row(i).name;
    return out;
  }
  void press(std::initializer_list<int> keys) {
    for (const int key : keys) controls.press(key, 2);
  }
  void type(std::string_view text) {
    for (const char c : text) controls.press(c, 2);
  }
  std::string selected() const { return list.row(list.selected()).name; }

  using Names = std::vector<std::string>;
  GuestList list;
  Controls controls{list, std::chrono::milliseconds(2000)};
};

TEST_F(AList, IsSortedByWhatWasChosenLargestFirst) {
  EXPECT_EQ(names(), (Names{"web-1", "Web-3", "web-2", "db-1"})) << "equals in the order in which they came";
  press({'I'});
  EXPECT_EQ(names().front(), "db-1");
  press({'M'});
  EXPECT_EQ(names().front(), "db-1") << "what is unknown is least";
  press({'N'});
  EXPECT_EQ(names(), (Names{"Web-3", "db-1", "web-1", "web-2"}));
  press({Key::f6, Key::home, Key::down, Key::down, Key::enter});
  EXPECT_EQ(list.sorted_by(), column_of("cpu"));
  EXPECT_EQ(names().front(), "web-1");
}

TEST_F(AList, SortsTheIllFirst) {
  auto now = list.moment();
  now.guests[1].liveness_kind = "silent";
  now.guests[2].liveness_kind = "stuck";
  list.take(now);
  list.sort_by(*column_of("liveness"));
  EXPECT_EQ(list.row(0).name, "web-2");
  EXPECT_EQ(list.row(1).name, "web-1");
  EXPECT_EQ(list.counts().ill, 2u);
  EXPECT_EQ(list.counts().running, 4u);
}

TEST_F(AList, IsFilteredByWhatIsTyped) {
  press({Key::f4});
  type("wEb");
  EXPECT_EQ(names(), (Names{"web-1", "Web-3", "web-2"}));
  press({Key::backspace, Key::backspace, Key::backspace});
  EXPECT_EQ(list.size(), 4u);
  type("none");
  press({Key::enter, Key::down, Key::end, Key::page_up});
  EXPECT_EQ(list.size(), 0u);
  press({'\\', Key::escape});
  EXPECT_EQ(list.size(), 4u);
}

TEST_F(AList, IsSearchedFromWhereOneIs) {
  press({'/'});
  type("web-");
  EXPECT_EQ(selected(), "web-1");
  press({Key::f3});
  EXPECT_EQ(selected(), "Web-3");
  press({Key::f3, Key::f3});
  EXPECT_EQ(selected(), "web-1") << "from the end on at the beginning";
  type("9");
  EXPECT_NE(controls.bottom().find("none"), std::string::npos);
  EXPECT_EQ(selected(), "web-1");
  press({Key::enter, 'I'});
  EXPECT_EQ(selected(), "web-1") << "what was found stays selected";
}

TEST_F(AList, ShowsTheSelectedRow) {
  press({Key::end});
  EXPECT_EQ(list.selected(), 3u);
  EXPECT_EQ(list.first_in_view(2), 2u);
  press({Key::up, Key::up});
  EXPECT_EQ(list.first_in_view(2), 1u);
  press({Key::page_down, Key::page_down});
  EXPECT_EQ(list.selected(), 3u);
  EXPECT_EQ(list.first_in_view(10), 0u) << "no empty lines while there are rows above";
  list.take({});
  EXPECT_EQ(list.first_in_view(2), 0u);
}

TEST_F(AList, TakesADelayAndEndsOnRequest) {
  press({'d'});
  type("0.5");
  press({Key::enter});
  EXPECT_EQ(controls.delay().count(), 500);
  press({'d'});
  type("x");
  press({Key::enter});
  EXPECT_EQ(controls.delay().count(), 500);
  press({Key::f1});
  EXPECT_FALSE(controls.window().empty());
  press({'q'});
  EXPECT_FALSE(controls.quit()) << "any key leaves the help";
  press({'q'});
  EXPECT_TRUE(controls.quit());
}

TEST(Patterns, ChooseGuests) {
  GuestList list("web-*");
  list.take({.guests = {guest("db", 0, 0), guest("web-1", 0, 0)}});
  EXPECT_EQ(list.size(), 1u);
  EXPECT_EQ(list.counts().all, 1u);
}

TEST(Header, IsAsWideAsTheScreen) {
  GuestList list;
  list.take({.host = {.name = "h", .cpus = 2, .memory_kib = 1 << 20, .available_kib = 1 << 19}, .guests = {}});
  for (const int width : {40, 80, 200})
    for (const auto& line : header(list, width)) EXPECT_EQ(width_of(line), static_cast<std::size_t>(width));
  EXPECT_NE(header(list, 80)[0].find("50.0%"), std::string::npos);
}

}  // namespace
}  // namespace vireo::cli::top
