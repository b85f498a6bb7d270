// How a guest fared: its history is copied on the core thread, which shares what is compressed, and read by a worker,
// so that a reader costs the others a few microseconds.
#include <boost/json/array.hpp>
#include <cmath>

#include "core/stats/guest_history.hpp"
#include "doors/http/handlers/handlers.hpp"

namespace vireo::doors::http {
namespace {

using core::History;
using core::Series;
using Entries = std::vector<core::HistoryRing::Entry>;

constexpr std::string_view kAllSeries = "all";
constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::size_t kLinePoints = 60;
constexpr auto kPatience = std::chrono::seconds(10);

struct Question {
  model::DomainViewPtr domain;
  std::optional<Series> series;  // none: all
  History::Span span = History::Span::hour;
};

std::string_view word_of(History::Span span) { return span == History::Span::hour ? "1h" : "24h"; }

Result<Question> parse(const Services& services, const std::vector<std::string>& arguments) {
  auto domain = find_domain(services, arguments[0]);
  if (!domain) return pass_on(domain);
  Question out{.domain = std::move(*domain)};
  if (arguments.size() > 1 && arguments[1] != kAllSeries) {
    out.series = core::find_series(arguments[1]);
    if (!out.series)
      return fail(VIR_ERR_INVALID_ARG,
                  fmt::format("there is no metric '{}'; there are {}", arguments[1], core::series_names()));
  }
  if (arguments.size() > 2) {
    if (arguments[2] == word_of(History::Span::day))
      out.span = History::Span::day;
    else if (arguments[2] != word_of(History::Span::hour))
      return fail(VIR_ERR_INVALID_ARG, fmt::format("there is no span '{}'; there are 1h and 24h", arguments[2]));
  }
  return out;
}

// As many digits as are true: whole where that is exact enough, else four.
json::value number(const std::optional<double>& value) {
  constexpr double whole = 1000;
  if (!value) return nullptr;
  if (*value == 0 || *value >= whole) return std::llround(*value);
  const double per_one = std::pow(10, 3 - std::floor(std::log10(*value)));
  const double rounded = std::round(*value * per_one) / per_one;
  if (rounded == std::trunc(rounded)) return std::llround(rounded);
  return rounded;
}

std::optional<double> value_of(const core::HistoryRing::Entry& entry, Series series) {
  return core::decode(*core::info_of(series).scale, entry.codes[static_cast<std::size_t>(series)]);
}

// A mean in which each value counts for the time since the one before.
class Mean {
 public:
  void add(double value, std::int64_t weight_ms) {
    sum_ += value * static_cast<double>(weight_ms);
    weight_ms_ += weight_ms;
  }
  std::optional<double> get() const {
    return weight_ms_ > 0 ? std::optional(sum_ / static_cast<double>(weight_ms_)) : std::nullopt;
  }

 private:
  double sum_ = 0;
  std::int64_t weight_ms_ = 0;
};

struct Told {
  const Entries& entries;
  std::int64_t to_ms;
  std::int64_t period_ms;

  json::object operator()(Series series, bool with_line) const {
    const auto& info = core::info_of(series);
    std::optional<double> last, least, most;
    Mean mean;
    std::vector<Mean> line(kLinePoints);
    const auto first_ms = entries.empty() ? to_ms : entries.front().at_ms;
    const auto span_ms = std::max<std::int64_t>(to_ms - first_ms, 1);
    const auto part = [&](std::int64_t at_ms) {
      const auto place = (at_ms - first_ms) * static_cast<std::int64_t>(kLinePoints) / span_ms;
      return static_cast<std::size_t>(std::clamp<std::int64_t>(place, 0, kLinePoints - 1));
    };
    auto before_ms = first_ms - period_ms;
    for (const auto& entry : entries) {
      const auto weight_ms = std::clamp<std::int64_t>(entry.at_ms - before_ms, 1, std::max(period_ms, kMinuteMs));
      before_ms = entry.at_ms;
      const auto value = value_of(entry, series);
      if (!value) continue;
      last = value;
      least = std::min(least.value_or(*value), *value);
      most = std::max(most.value_or(*value), *value);
      mean.add(*value, weight_ms);
      for (auto at = part(entry.at_ms - weight_ms + 1); at <= part(entry.at_ms); ++at) line[at].add(*value, weight_ms);
    }
    json::object out{{"name", info.name},    {"unit", info.unit},    {"meaning", info.meaning},
                     {"last", number(last)}, {"min", number(least)}, {"mean", number(mean.get())},
                     {"max", number(most)}};
    if (with_line) {
      json::array values;
      values.reserve(line.size());
      for (const auto& mean_of_part : line) values.push_back(number(mean_of_part.get()));
      out["line"] = std::move(values);
    }
    return out;
  }
};

Response answer(const Question& question, const std::optional<History>& history, std::size_t bytes,
                std::chrono::milliseconds period) {
  const auto now = core::history_ms(SteadyClock::now());
  const auto entries = history ? history->read(question.span, now) : Entries{};
  const auto utc = std::chrono::system_clock::now().time_since_epoch();
  const auto to_ms =
      history ? history->utc_ms(now) : std::chrono::duration_cast<std::chrono::milliseconds>(utc).count();
  const Told told{.entries = entries, .to_ms = to_ms, .period_ms = period.count()};
  json::object body{{"domain", {{"name", question.domain->name}, {"uuid", question.domain->uuid.text()}}},
                    {"span", word_of(question.span)},
                    {"period_ms", period.count()},
                    {"bytes", bytes},
                    {"first_ms", entries.empty() ? json::value() : json::value(entries.front().at_ms)},
                    {"to_ms", to_ms}};
  if (question.series) {
    json::array points;
    points.reserve(entries.size());
    for (const auto& entry : entries)
      points.push_back(json::array{entry.at_ms, number(value_of(entry, *question.series))});
    body["series"] = told(*question.series, false);
    body["points"] = std::move(points);
  } else {
    json::array all;
    all.reserve(core::kSeries);
    for (std::size_t i = 0; i < core::kSeries; ++i) all.push_back(told(static_cast<Series>(i), true));
    body["series"] = std::move(all);
  }
  return {.body = std::move(body)};
}

}  // namespace

asio::awaitable<Response> show_history(const Services& services, Request request) {
  auto question = parse(services, request.arguments);
  if (!question) co_return refusal(question.error());
  if (!services.host.settings.keep_history)
    co_return refusal(fail(VIR_ERR_OPERATION_INVALID,
                           "this vireod keeps no history: say history = true in its vireod.toml, then 'vireo reload'")
                          .error());
  const auto domain = services.host.registry.find(question->domain->uuid);
  std::optional<History> history;
  if (domain && domain->history) history = domain->history->history();
  const auto bytes = domain && domain->history ? domain->history->bytes() : 0;
  std::move_only_function<Result<Response>()> read = [question = std::move(*question), history = std::move(history),
                                                      bytes, period = services.host.sampler.period()] {
    return Result<Response>(answer(question, history, bytes, period));
  };
  auto done = co_await services.host.files.run<Response>(std::move(read), Deadline::in(kPatience));
  co_return done ? std::move(*done) : refusal(done.error());
}

}  // namespace vireo::doors::http
