// Reading JSON, and rates.
#include "cli/top/figures.hpp"

#include <boost/json/array.hpp>
#include <string_view>
#include <unordered_map>

namespace vireo::cli::top {
namespace {

namespace json = boost::json;

std::string text(const json::object& object, std::string_view name) { return std::string(object.at(name).as_string()); }
std::int64_t number(const json::object& object, std::string_view name) {
  return object.at(name).to_number<std::int64_t>();
}
std::optional<std::int64_t> number_or_none(const json::object& object, std::string_view name) {
  const auto& value = object.at(name);
  return value.is_null() ? std::nullopt : std::optional(value.to_number<std::int64_t>());
}

Guest read_guest(const json::object& object) {
  Guest out{.name = text(object, "name"), .uuid = text(object, "uuid"), .state = text(object, "state")};
  // It goes to a terminal as it is.
  for (char& c : out.name)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  out.id = number_or_none(object, "id");
  out.vcpus = number(object, "vcpus");
  out.memory_kib = number(object, "memory_kib");
  if (const auto* kernel = object.at("kernel").if_object()) {
    const auto& net = kernel->at("net").as_object();
    out.rss_kib = number(*kernel, "rss_kib");
    out.kernel = {.at_us = number(*kernel, "at_us"),
                  .a = number(*kernel, "cpu_ns"),
                  .b = number(net, "rx_bytes"),
                  .c = number(net, "tx_bytes")};
  }
  if (const auto* disk = object.at("disk").if_object())
    out.disk = {.at_us = number(*disk, "at_us"), .a = number(*disk, "read_bytes"), .b = number(*disk, "written_bytes")};
  const auto& monitor = object.at("monitor").as_object();
  if (const auto us = number_or_none(monitor, "round_trip_us")) out.monitor_ms = static_cast<double>(*us) / 1000;
  out.waiting_ms = number_or_none(monitor, "waiting_ms");
  out.age_ms = number_or_none(object, "age_ms");
  const auto& liveness = object.at("liveness").as_object();
  out.liveness_kind = text(liveness, "kind");
  out.liveness = text(liveness, "sentence");
  return out;
}

// In each second; empty where a counter went backwards.
std::optional<double> rate(std::int64_t now, std::int64_t before, std::int64_t span_us) {
  if (now < before) return std::nullopt;
  return static_cast<double>(now - before) * 1e6 / static_cast<double>(span_us);
}

bool both(const std::optional<Totals>& now, const std::optional<Totals>& before) { return now && before; }

void compare(Guest& now, const Guest& before) {
  if (now.id != before.id) return;
  if (both(now.kernel, before.kernel)) {
    if (const auto span_us = now.kernel->at_us - before.kernel->at_us; span_us > 0) {
      const auto cpu_ns_per_s = rate(now.kernel->a, before.kernel->a, span_us);
      if (cpu_ns_per_s) now.cpu_percent = *cpu_ns_per_s / 1e7;
      now.rx_bytes_per_s = rate(now.kernel->b, before.kernel->b, span_us);
      now.tx_bytes_per_s = rate(now.kernel->c, before.kernel->c, span_us);
    } else {
      now.cpu_percent = before.cpu_percent;
      now.rx_bytes_per_s = before.rx_bytes_per_s;
      now.tx_bytes_per_s = before.tx_bytes_per_s;
    }
  }
  if (both(now.disk, before.disk)) {
    if (const auto span_us = now.disk->at_us - before.disk->at_us; span_us > 0) {
      now.read_bytes_per_s = rate(now.disk->a, before.disk->a, span_us);
      now.written_bytes_per_s = rate(now.disk->b, before.disk->b, span_us);
    } else {
      now.read_bytes_per_s = before.read_bytes_per_s;
      now.written_bytes_per_s = before.written_bytes_per_s;
    }
  }
}

}  // namespace

Moment read_moment(const json::object& answer) {
  Moment out;
  const auto& host = answer.at("host").as_object();
  out.host = {.name = text(host, "name"),
              .cpus = number(host, "cpus"),
              .busy_ms = number(host, "busy_ms"),
              .idle_ms = number(host, "idle_ms"),
              .memory_kib = number(host, "memory_kib"),
              .available_kib = number(host, "available_kib")};
  const auto& load = host.at("load").as_array();
  for (std::size_t i = 0; i < 3; ++i) out.host.load[i] = load.at(i).to_number<double>();
  const auto& domains = answer.at("domains").as_array();
  out.guests.reserve(domains.size());
  for (const auto& domain : domains) out.guests.push_back(read_guest(domain.as_object()));
  return out;
}

void compare(Moment& now, const Moment& before) {
  const auto busy = now.host.busy_ms - before.host.busy_ms, idle = now.host.idle_ms - before.host.idle_ms;
  now.host.cpu_share = before.host.cpu_share;
  if (busy >= 0 && idle >= 0 && busy + idle > 0)
    now.host.cpu_share = static_cast<double>(busy) / static_cast<double>(busy + idle);
  std::unordered_map<std::string_view, const Guest*> earlier;
  for (const auto& guest : before.guests) earlier.emplace(guest.uuid, &guest);
  for (auto& guest : now.guests)
    if (const auto found = earlier.find(guest.uuid); found != earlier.end()) compare(guest, *found->second);
}

}  // namespace vireo::cli::top
