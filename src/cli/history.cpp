// vireo history: how a guest fared, as a plot, a table or CSV.
#include <boost/json/array.hpp>
#include <cstdio>
#include <ctime>

#include "cli/commands.hpp"
#include "cli/http_client.hpp"
#include "cli/plot.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"

namespace vireo::cli {
namespace {

constexpr std::int64_t kMsInSecond = 1000;
constexpr std::array kFigures{"last", "min", "mean", "max"};

std::optional<double> number_of(const json::value& value) {
  return value.is_null() ? std::nullopt : std::optional(value.to_number<double>());
}

std::string text_of_number(const json::value& value, std::string_view unit) {
  return value.is_null() ? "-" : quantity_text(value.to_number<double>(), unit);
}

std::string local_time(std::int64_t at_ms) {
  const std::time_t seconds = at_ms / kMsInSecond;
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts)};
}

std::string utc_time(std::int64_t at_ms) {
  const std::time_t seconds = at_ms / kMsInSecond;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:03}Z", std::string_view(text.data(), length), at_ms % kMsInSecond);
}

std::vector<PlotPoint> points_of(const json::object& answer) {
  std::vector<PlotPoint> out;
  for (const auto& each : answer.at("points").as_array()) {
    const auto& point = each.as_array();
    out.push_back({.at_ms = point.at(0).as_int64(), .value = number_of(point.at(1))});
  }
  return out;
}

std::string_view span_words(const json::object& answer) {
  return answer.at("span").as_string() == "1h" ? "the last hour" : "the last 24 hours";
}

std::string name_of(const json::object& answer) { return text_of(answer.at("domain").as_object(), "name"); }

void print_overview(const json::object& answer) {
  const auto since_ms = answer.at("first_ms").as_int64();
  fmt::print("{}: {}, known since {}\n", name_of(answer), span_words(answer), local_time(since_ms));
  Table table{{"METRIC", "LAST", "MIN", "MEAN", "MAX"}};
  std::vector<const json::object*> shown;
  std::string unknown;
  for (const auto& each : answer.at("series").as_array()) {
    const auto& series = each.as_object();
    if (series.at("last").is_null()) {
      unknown += (unknown.empty() ? "" : ", ") + text_of(series, "name");
      continue;
    }
    std::vector<std::string> row{text_of(series, "name")};
    for (const char* figure : kFigures) row.push_back(text_of_number(series.at(figure), text_of(series, "unit")));
    table.push_back(std::move(row));
    shown.push_back(&series);
  }
  constexpr std::size_t narrowest = 8, between = 2;
  std::size_t used = 0;
  for (std::size_t column = 0; column < table.front().size(); ++column) {
    std::size_t widest = 0;
    for (const auto& row : table) widest = std::max(widest, width_of(row[column]));
    used += widest + between;
  }
  const auto columns = terminal_size().columns;
  if (columns >= used + narrowest)
    for (std::size_t i = 0; i < shown.size(); ++i) {
      std::vector<std::optional<double>> line;
      for (const auto& value : shown[i]->at("line").as_array()) line.push_back(number_of(value));
      table[i + 1].push_back(spark_line(line, columns - used, !shows_blocks()));
    }
  std::fputs(aligned(table).c_str(), stdout);
  if (!unknown.empty()) fmt::print("not known of this guest: {}\n", unknown);
}

void print_plot(const json::object& answer) {
  const auto& series = answer.at("series").as_object();
  const auto unit = text_of(series, "unit");
  fmt::print("{}: {} in {}\n{}\n", name_of(answer), text_of(series, "name"), span_words(answer),
             text_of(series, "meaning"));
  // Three lines are text, and one is the prompt's.
  constexpr std::size_t other_lines = 4, most_lines = 18, least_lines = 6, least_columns = 30;
  const auto [columns, lines] = terminal_size();
  std::fputs(
      plot(points_of(answer), {.columns = std::max(columns, least_columns),
                               .lines = std::clamp(lines - std::min(lines, other_lines), least_lines, most_lines),
                               .plain = !shows_blocks(),
                               .from_ms = answer.at("first_ms").as_int64(),
                               .to_ms = answer.at("to_ms").as_int64(),
                               .period_ms = answer.at("period_ms").as_int64(),
                               .unit = unit})
          .c_str(),
      stdout);
  std::string figures;
  for (const char* figure : kFigures)
    figures += fmt::format("{}{} {}", figures.empty() ? "" : ", ", figure, text_of_number(series.at(figure), unit));
  fmt::print("{}\n", figures);
}

void print_table(const json::object& answer) {
  const auto& series = answer.at("series").as_object();
  Table table{{"TIME", text_of(series, "name")}};
  for (const auto& point : points_of(answer))
    table.push_back({local_time(point.at_ms),
                     point.value ? quantity_text(*point.value, text_of(series, "unit")) : std::string("-")});
  std::fputs(aligned(table).c_str(), stdout);
}

void print_csv(const json::object& answer) {
  fmt::print("time,{}\n", text_of(answer.at("series").as_object(), "name"));
  for (const auto& point : points_of(answer))
    fmt::print("{},{}\n", utc_time(point.at_ms), point.value ? fmt::format("{}", *point.value) : std::string());
}

}  // namespace

Result<void> history(const Where& where, const HistoryRequest& request, bool as_json) {
  const auto metric = request.metric.empty() ? "all" : escape_part(request.metric);
  auto answer = ask_daemon(
      where, "GET", fmt::format("/v1/domains/{}/history/{}/{}", escape_part(request.domain), metric, request.span));
  if (!answer) return pass_on(answer);
  const bool all = answer->at("series").is_array();
  if (as_json) {
    print_json(*answer);
  } else if (request.as_csv) {
    print_csv(*answer);
  } else if (answer->at("first_ms").is_null()) {
    return fail(VIR_ERR_SYSTEM_ERROR, fmt::format("nothing is known of '{}' in {}: it has not run under this vireod",
                                                  name_of(*answer), span_words(*answer)));
  } else if (all) {
    print_overview(*answer);
  } else if (request.as_table) {
    print_table(*answer);
  } else {
    print_plot(*answer);
  }
  return {};
}

}  // namespace vireo::cli
