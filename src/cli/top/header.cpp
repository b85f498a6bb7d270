// Text of the header.
#include "cli/top/header.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/top/columns.hpp"

namespace vireo::cli::top {
namespace {

std::string meter(std::string_view name, double share, std::string_view text, int width) {
  return fmt::format("{}[{}{:>6}]", name, bar_text(share, width), text);
}

}  // namespace

std::vector<std::string> header(const GuestList& list, int width) {
  const auto& host = list.moment().host;
  const auto counts = list.counts();
  const int bar = std::clamp((width - 60) / 2, 8, 30);
  const double memory = static_cast<double>(host.memory_kib);
  const double used = memory - static_cast<double>(host.available_kib);
  const double share = memory > 0 ? used / memory : 0;
  const auto cpu =
      meter("CPU", host.cpu_share.value_or(0), host.cpu_share ? percent_text(*host.cpu_share * 100) + "%" : "-", bar);
  const auto mem = meter("Mem", share, fmt::format("{:.1f}%", share * 100), bar);
  return {fitted(fmt::format("{} of {}  {} of {}", cpu, host.cpus, mem, amount_text(memory * 1024)), width),
          fitted(fmt::format("Guests: {}, {} running, {} paused, {} ill  Load: {:.2f} {:.2f} {:.2f}  {}", counts.all,
                             counts.running, counts.paused, counts.ill, host.load[0], host.load[1], host.load[2],
                             host.name),
                 width)};
}

}  // namespace vireo::cli::top
