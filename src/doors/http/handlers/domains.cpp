// About guests: all of it read off one pinned version, without a lock.
#include <boost/json/array.hpp>
#include <charconv>

#include "doors/http/handlers/handlers.hpp"
#include "doors/http/state_words.hpp"

namespace vireo::doors::http {

json::object to_json(const model::DomainView& domain) {
  const auto number_or_null = [](bool there, int number) { return there ? json::value(number) : json::value(); };
  return {{"name", domain.name},
          {"uuid", domain.uuid.text()},
          {"id", number_or_null(domain.active(), domain.id)},
          {"state", state_word(domain.state)},
          {"reason", reason_word(domain.state, domain.reason)},
          {"pid", number_or_null(domain.pid > 0, domain.pid)},
          {"persistent", domain.persistent != nullptr},
          {"autostart", domain.autostart}};
}

namespace {

json::value to_json(const model::LaunchTracePtr& trace) {
  if (!trace) return nullptr;
  json::array steps;
  steps.reserve(trace->steps.size());
  for (const auto& step : trace->steps)
    steps.push_back({{"name", step.name}, {"begin_us", step.begin_us}, {"end_us", step.end_us}});
  return {{"began", utc(trace->began)},
          {"total_us", trace->total_us()},
          {"steps", std::move(steps)},
          {"error", trace->error.empty() ? json::value() : json::value(trace->error)},
          {"lost", json::array(trace->lost.begin(), trace->lost.end())}};
}

json::object to_json(const model::FileAccess& file) {
  const auto text_or_null = [](const std::string& text) { return text.empty() ? json::value() : json::value(text); };
  return {{"path", file.path},
          {"role", file.role},
          {"how", file.how},
          {"as", file.as},
          {"allowed", file.allowed},
          {"lent", file.lent},
          {"component", text_or_null(file.component)},
          {"rule", text_or_null(file.rule)},
          {"why", text_or_null(file.why)}};
}

// For a file system that does not answer.
constexpr auto kAccessPatience = std::chrono::seconds(10);

}  // namespace

Result<model::DomainViewPtr> find_domain(const Services& services, const std::string& key) {
  const auto version = services.host.registry.versions().pin();
  int id = -1;
  const auto* end = key.data() + key.size();
  if (std::from_chars(key.data(), end, id).ptr == end)
    if (const auto* found = version->by_id.find(id)) return *found;
  if (const auto uuid = Uuid::parse(key))
    if (const auto* found = version->by_uuid.find(*uuid)) return *found;
  if (const auto* found = version->by_name.find(key)) return *found;
  return fail(VIR_ERR_NO_DOMAIN, "no domain with id, UUID or name '" + key + "'");
}

asio::awaitable<Response> show_access(const Services& services, Request request) {
  auto domain = find_domain(services, request.arguments.front());
  if (!domain) co_return refusal(domain.error());
  const auto& view = **domain;
  auto files = co_await services.host.labeler.explain(view.live ? view.live : view.persistent, view.live != nullptr,
                                                      Deadline::in(kAccessPatience));
  if (!files) co_return refusal(files.error());
  json::array answers;
  answers.reserve(files->size());
  for (const auto& file : *files) answers.push_back(to_json(file));
  co_return Response{.body = {{"domain", to_json(view)}, {"files", std::move(answers)}}};
}

Response list_domains(const Services& services, const Request&) {
  const auto version = services.host.registry.versions().pin();
  std::vector<const model::DomainView*> sorted;
  sorted.reserve(version->by_uuid.size());
  version->by_uuid.for_each([&](const Uuid&, const model::DomainViewPtr& domain) { sorted.push_back(domain.get()); });
  std::ranges::sort(sorted, {}, &model::DomainView::name);
  json::array domains;
  domains.reserve(sorted.size());
  for (const auto* domain : sorted) domains.push_back(to_json(*domain));
  return {.body = {{"domains", std::move(domains)}}};
}

Response show_domain(const Services& services, const Request& request) {
  auto domain = find_domain(services, request.arguments.front());
  if (!domain) return refusal(domain.error());
  return {.body = to_json(**domain)};
}

Response show_trace(const Services& services, const Request& request) {
  auto domain = find_domain(services, request.arguments.front());
  if (!domain) return refusal(domain.error());
  return {.body = {{"domain", to_json(**domain)},
                   {"launch", to_json((*domain)->last_launch)},
                   {"boot", to_json((*domain)->boot)}}};
}

}  // namespace vireo::doors::http
