// What the command prints, and its HTTP client against servers that do not behave.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

#include "base/fd.hpp"
#include "base/test_files.hpp"
#include "base/test_socket.hpp"
#include "cli/daemon.hpp"
#include "cli/http_client.hpp"
#include "cli/plot.hpp"
#include "cli/table.hpp"
#include "cli/waterfall.hpp"

namespace vireo::cli {
namespace {

TEST(Table, ColumnsAreAsWideAsTheirWidestText) {
  EXPECT_EQ(aligned({{"ID", "NAME"}, {"-", "ä"}, {"12345", "b"}}), "ID     NAME\n-      ä\n12345  b\n");
  EXPECT_EQ(aligned({{"ää", "x"}, {"bbb", ""}}), "ää   x\nbbb\n");
  EXPECT_EQ(aligned({}), "");
}

TEST(Waterfall, BarsLieWhereTheTimeWent) {
  const std::vector<Step> steps{{.name = "lane", .begin_us = 0, .end_us = 10},
                                {.name = "spawn", .begin_us = 10, .end_us = 500'000},
                                {.name = "continue", .begin_us = 500'000, .end_us = 1'000'000}};
  EXPECT_EQ(waterfall(steps, 50, true),
            "  lane        0.0 ms    0.0 ms  #\n"
            "  spawn       0.0 ms  500.0 ms  #########\n"
            "  continue  500.0 ms  500.0 ms           #########\n");
  // No line is wider than it may be; where there is no room there are no bars.
  EXPECT_EQ(waterfall(steps, 40, true).find('#'), std::string::npos);
  EXPECT_NE(waterfall(steps, 80, false).find("█"), std::string::npos);
  EXPECT_EQ(waterfall({}, 80, true), "");
}

TEST(Waterfall, DurationsHaveFittingUnits) {
  EXPECT_EQ(duration_text(0), "0.0 ms");
  EXPECT_EQ(duration_text(12'345), "12.3 ms");
  EXPECT_EQ(duration_text(1'250'000), "1.25 s");
}

TEST(Quantities, HaveThreeDigitsAndFittingUnits) {
  EXPECT_EQ(quantity_text(0, "percent"), "0 %");
  EXPECT_EQ(quantity_text(37.512, "percent"), "37.5 %");
  EXPECT_EQ(quantity_text(999.7, "percent"), "1000 %");
  EXPECT_EQ(quantity_text(1 << 29, "bytes"), "512 MiB");
  EXPECT_EQ(quantity_text(1'000, "bytes/s"), "0.977 KiB/s");
  EXPECT_EQ(quantity_text(0.2, "1/s"), "0.2 /s");
  EXPECT_EQ(quantity_text(1'500, "ms"), "1.5 s");
}

// Of a time that is an hour in Greenwich, too.
class Plot : public ::testing::Test {
 protected:
  Plot() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
  static constexpr std::int64_t noon_ms = 1'700'049'600'000;
  PlotFrame frame_{.columns = 40,
                   .lines = 6,
                   .plain = true,
                   .from_ms = noon_ms,
                   .to_ms = noon_ms + 1'800'000,
                   .period_ms = 60'000,
                   .unit = "percent"};
};

TEST_F(Plot, BarsStandWhereTheirTimeIsAndGapsStayEmpty) {
  std::vector<PlotPoint> points;
  for (int minute = 1; minute <= 30; ++minute) {
    PlotPoint point{.at_ms = noon_ms + minute * 60'000};
    if (minute <= 10 || minute > 20) point.value = minute <= 10 ? 50 : 100;
    points.push_back(point);
  }
  EXPECT_EQ(plot(points, frame_),
            " 100 % +                     ###########\n"
            "       |                     ###########\n"
            "  50 % +###########          ###########\n"
            "       |###########          ###########\n"
            "   0 % ++---------+----------+----------\n"
            "        12:00     12:10      12:20\n");
}

TEST_F(Plot, PeaksShowAboveTheMeanAndWhatIsSmallIsSeen) {
  frame_.to_ms = noon_ms + 36'000'000;
  std::vector<PlotPoint> points;
  for (int minute = 1; minute <= 600; ++minute)
    points.push_back({.at_ms = noon_ms + minute * 60'000, .value = minute == 300 ? 100 : 0.5});
  const auto drawn = plot(points, frame_);
  EXPECT_NE(drawn.find('.'), std::string::npos);
  EXPECT_NE(drawn.find("_______"), std::string::npos) << drawn;
  frame_.plain = false;
  EXPECT_NE(plot(points, frame_).find("░"), std::string::npos);
  EXPECT_NE(plot(points, frame_).find("▁▁▁"), std::string::npos);
}

TEST_F(Plot, NoLineIsWiderThanTheFrame) {
  for (const std::int64_t span_ms : {1, 999, 20'000, 600'000, 3'600'000, 86'400'000})
    for (const std::size_t columns : {30, 79, 200})
      for (const bool plain : {true, false}) {
        auto frame = frame_;
        frame.columns = columns;
        frame.plain = plain;
        frame.to_ms = noon_ms + span_ms;
        const auto drawn = plot({{noon_ms, 1}, {noon_ms + span_ms, 7}, {noon_ms + 2 * span_ms, 1e9}}, frame);
        std::size_t lines = 0;
        for (std::size_t at = 0; at < drawn.size(); ++lines) {
          const auto end = drawn.find('\n', at);
          EXPECT_LE(width_of(std::string_view(drawn).substr(at, end - at)), columns) << drawn;
          at = end + 1;
        }
        EXPECT_EQ(lines, frame.lines);
      }
}

TEST_F(Plot, NothingIsAnEmptyPlot) {
  EXPECT_NE(plot({}, frame_).find("12:20"), std::string::npos);
  EXPECT_EQ(plot({{noon_ms, std::nullopt}}, frame_), plot({}, frame_));
}

TEST(SparkLine, IsAsHighAsTheLargest) {
  EXPECT_EQ(spark_line({0, 7, std::nullopt, 3.5}, 4, true), "_# =");
  EXPECT_EQ(spark_line({0, 7, std::nullopt, 3.5}, 4, false), "▁█ ▅");
  EXPECT_EQ(spark_line({0, 2, 4, 4, std::nullopt, 4}, 3, true), ":##") << "means of two";
  EXPECT_EQ(spark_line({0, 0}, 9, false), "▁▁");
  EXPECT_EQ(spark_line({}, 9, false), "");
}

TEST(Paths, PartsAreEscaped) {
  EXPECT_EQ(escape_part("web-1.a_b~"), "web-1.a_b~");
  EXPECT_EQ(escape_part("a/b %ä"), "a%2Fb%20%25%C3%A4");
}

TEST(Where, TheSocketFollowsFromTheRoot) {
  EXPECT_EQ(Where{}.socket_path(), "/run/vireo/http-sock");
  EXPECT_EQ((Where{.root = "/srv/v"}).socket_path(), "/srv/v/run/http-sock");
  EXPECT_EQ((Where{.socket = "/a", .root = "/srv/v"}).socket_path(), "/a");
}

// Accepts one client, reads its request and answers with a text, whatever it is.
class Server {
 public:
  explicit Server(std::string answer) {
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    thread_ = std::thread([this, answer = std::move(answer)] {
      const Fd client(::accept(listener_.get(), nullptr, nullptr));
      char buffer[4096];
      const auto got = ::read(client.get(), buffer, sizeof buffer);
      request.assign(buffer, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      EXPECT_EQ(::write(client.get(), answer.data(), answer.size()), static_cast<ssize_t>(answer.size()));
    });
  }
  ~Server() { thread_.join(); }

  const tests::Folder folder;
  const std::string path = folder.file("sock");
  std::string request;

 private:
  const Fd listener_ = tests::bound_to(path);
  std::thread thread_;
};

TEST(Client, TakesStatusAndBody) {
  Server server("HTTP/1.1 200 OK\r\nServer: x\r\n\r\n{\"a\": null, \"b\": 7, \"c\": \"d\"}");
  const auto answer = ask_daemon({.socket = server.path}, "GET", "/v1/daemon");
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(text_of(*answer, "a") + text_of(*answer, "b") + text_of(*answer, "c") + text_of(*answer, "e"), "-7d-");
}

TEST(Client, RefusalsAreTheDaemonsOwnWords) {
  Server server(
      "HTTP/1.1 404 Not Found\r\n\r\n{\"error\": {\"code\": \"no_domain\", \"message\": \"Domain not found\"}}");
  const auto answer = ask_daemon({.socket = server.path}, "GET", "/v1/domains/a");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message(), "Domain not found");
}

class Strangers : public ::testing::TestWithParam<const char*> {};

TEST_P(Strangers, AreToldFromTheDaemon) {
  Server server(GetParam());
  const auto answer = ask_daemon({.socket = server.path}, "GET", "/v1/daemon");
  ASSERT_FALSE(answer);
  EXPECT_FALSE(answer.error().message().empty());
}

INSTANTIATE_TEST_SUITE_P(Kinds, Strangers,
                         ::testing::Values("", "SSH-2.0-x\r\n", "HTTP/1.1 200", "HTTP/1.1 2xx OK\r\n\r\n{}",
                                           "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n[1]",
                                           "HTTP/1.1 200 OK\r\n\r\n{\"a\":", "HTTP/1.1 500 No\r\n\r\n{\"error\": 3}"));

TEST(Client, NobodyListens) {
  const auto answer = ask_daemon({.root = "/nowhere"}, "GET", "/v1/daemon");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message(),
            "vireod does not run: nobody listens at /nowhere/run/http-sock (No such file or directory); start it with "
            "vireod --root /nowhere");
  const auto too_long = ask_daemon({.socket = std::string(200, 'x')}, "GET", "/v1/daemon");
  ASSERT_FALSE(too_long);
  EXPECT_NE(too_long.error().message().find("File name too long"), std::string::npos);
}

}  // namespace
}  // namespace vireo::cli
