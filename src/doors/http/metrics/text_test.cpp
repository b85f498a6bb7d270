// The two formats letter by letter, with hostile names, and which of them a client wants.
#include "doors/http/metrics/text.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace vireo::doors::http {
namespace {

constexpr Family families[] = {
    {"a_bytes", Kind::gauge, "bytes", "Says \"how much\",\nin a \\ way."},
    {"b_seconds", Kind::counter, "seconds", "Counts."},
    {"c", Kind::info, "", "Tells."},
    {"d_seconds", Kind::summary, "seconds", "Sums up."},
    {"nobody", Kind::gauge, "", "Has no samples."},
    {"e", Kind::unknown, "", "Who knows."},
};

std::string written(Format format) {
  MetricsText out(format);
  out.begin(families[0]);
  out.add(label("domain", "a \"b\"\nc\\d ä"), std::uint64_t{17'179'869'184});
  out.add("", 2.5);
  out.begin(families[1]);
  out.add("", Seconds(1'500'000'000));
  out.begin(families[2]);
  out.add(label("version", "1"), 1);
  out.begin(families[3]);
  out.add(label("phase", "lane"), 3, Seconds(1));
  out.begin(families[4]);
  out.begin(families[5]);
  out.add("", -1);
  return out.finish();
}

TEST(MetricsText, AsPrometheusReadsIt) {
  EXPECT_EQ(written(Format::prometheus), R"(# HELP a_bytes Says "how much",\nin a \\ way.
# TYPE a_bytes gauge
a_bytes{domain="a \"b\"\nc\\d ä"} 17179869184
a_bytes 2.5
# HELP b_seconds_total Counts.
# TYPE b_seconds_total counter
b_seconds_total 1.5
# HELP c_info Tells.
# TYPE c_info gauge
c_info{version="1"} 1
# HELP d_seconds Sums up.
# TYPE d_seconds summary
d_seconds_count{phase="lane"} 3
d_seconds_sum{phase="lane"} 0.000000001
# HELP e Who knows.
# TYPE e untyped
e -1
)");
}

TEST(MetricsText, AsOpenMetrics) {
  EXPECT_EQ(written(Format::openmetrics), R"(# HELP a_bytes Says \"how much\",\nin a \\ way.
# TYPE a_bytes gauge
# UNIT a_bytes bytes
a_bytes{domain="a \"b\"\nc\\d ä"} 17179869184
a_bytes 2.5
# HELP b_seconds Counts.
# TYPE b_seconds counter
# UNIT b_seconds seconds
b_seconds_total 1.5
# HELP c Tells.
# TYPE c info
c_info{version="1"} 1
# HELP d_seconds Sums up.
# TYPE d_seconds summary
# UNIT d_seconds seconds
d_seconds_count{phase="lane"} 3
d_seconds_sum{phase="lane"} 0.000000001
# HELP e Who knows.
# TYPE e unknown
e -1
# EOF
)");
}

TEST(MetricsText, AHistogramAddsUp) {
  Histogram histogram;
  histogram.add(std::chrono::microseconds(80));
  histogram.add(std::chrono::milliseconds(800));
  histogram.add(std::chrono::minutes(2));
  MetricsText out(Format::prometheus);
  out.begin({"h_seconds", Kind::histogram, "seconds", "Spreads."});
  out.add(label("procedure", "p"), histogram.figures());
  const auto text = out.finish();
  EXPECT_TRUE(text.starts_with(R"(# HELP h_seconds Spreads.
# TYPE h_seconds histogram
h_seconds_bucket{procedure="p",le="5e-05"} 0
h_seconds_bucket{procedure="p",le="0.0001"} 1
)")) << text;
  EXPECT_TRUE(text.ends_with(R"(h_seconds_bucket{procedure="p",le="30.0"} 2
h_seconds_bucket{procedure="p",le="+Inf"} 3
h_seconds_count{procedure="p"} 3
h_seconds_sum{procedure="p"} 120.80008
)")) << text;
}

TEST(Number, IsExactOrShort) {
  EXPECT_EQ(Number(std::numeric_limits<std::uint64_t>::max()).text(), "18446744073709551615");
  EXPECT_EQ(Number(std::numeric_limits<std::int64_t>::min()).text(), "-9223372036854775808");
  EXPECT_EQ(Number(0.1).text(), "0.1");
  EXPECT_EQ(Number(1e300).text(), "1e+300");
  EXPECT_EQ(Number(std::numeric_limits<double>::denorm_min()).text(), "5e-324");
  EXPECT_EQ(Number(std::numeric_limits<double>::quiet_NaN()).text(), "NaN");
  EXPECT_EQ(Number(-std::numeric_limits<double>::infinity()).text(), "-Inf");
  EXPECT_EQ(Number(true).text(), "1");
}

TEST(Seconds, AreExact) {
  EXPECT_EQ(Seconds(0).text(), "0");
  EXPECT_EQ(Seconds(1).text(), "0.000000001");
  EXPECT_EQ(Seconds(1'020'000'000).text(), "1.02");
  EXPECT_EQ(Seconds(std::numeric_limits<std::uint64_t>::max()).text(), "18446744073.709551615");
  EXPECT_EQ(Seconds(std::chrono::nanoseconds(-5)).text(), "0") << "a clock that went back";
}

TEST(WantedFormat, IsWhatTheClientLikesBest) {
  for (const char* accept :
       {"application/openmetrics-text", "application/openmetrics-text; version=1.0.0; charset=utf-8",
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "text/plain;q=0.2, application/openmetrics-text;q=0.3"})
    EXPECT_EQ(wanted_format(accept), Format::openmetrics) << accept;
  for (const char* accept :
       {"", "*/*", "text/html,*/*;q=0.8", "text/plain;version=0.0.4;q=1,*/*;q=0.1", "application/openmetrics-text;q=0",
        "application/openmetrics-text;q=0.3,text/plain;q=0.9", "application/openmetrics-text;version=2.0.0",
        "application/openmetrics-text;q=x", ";;,,;q="})
    EXPECT_EQ(wanted_format(accept), Format::prometheus) << accept;
}

}  // namespace
}  // namespace vireo::doors::http
