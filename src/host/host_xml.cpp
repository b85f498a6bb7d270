// Only what Vireo can do is told: no <migration_features> while nothing migrates, no suspend modes in
// <power_management>.
#include "host/host_xml.hpp"

namespace vireo::host {

namespace {

using Lines = std::string;

struct Amount {
  std::uint64_t value;
  const char* unit;
};

// The largest unit that divides the size.
Amount pretty(std::uint64_t kib) {
  constexpr std::array kUnits{"KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  while (kib != 0 && kib % 1024 == 0 && unit + 1 < kUnits.size()) {
    kib /= 1024;
    ++unit;
  }
  return {.value = kib, .unit = kUnits[unit]};
}

Lines cpu_lines(const HostDescription& host) {
  const auto& cpu = host.cpu;
  const auto shape = cpu_shape(host.topology);
  Lines text = fmt::format("    <cpu>\n      <arch>{}</arch>\n", host.arch);
  if (!cpu.model.empty()) text += fmt::format("      <model>{}</model>\n", cpu.model);
  if (!cpu.vendor.empty()) text += fmt::format("      <vendor>{}</vendor>\n", cpu.vendor);
  if (host.microcode != 0) text += fmt::format("      <microcode version='{}'/>\n", host.microcode);
  if (cpu.family != 0)
    text += fmt::format("      <signature family='{}' model='{}' stepping='{}'/>\n", cpu.family, cpu.model_number,
                        cpu.stepping);
  text += fmt::format("      <topology sockets='{}' dies='{}' cores='{}' threads='{}'/>\n", shape.sockets, shape.dies,
                      shape.cores, shape.threads);
  if (cpu.physical_address_bits != 0)
    text += fmt::format("      <maxphysaddr mode='emulate' bits='{}'/>\n", cpu.physical_address_bits);
  for (const auto& feature : cpu.features) text += fmt::format("      <feature name='{}'/>\n", feature);
  for (const auto size : host.page_sizes_kib) text += fmt::format("      <pages unit='KiB' size='{}'/>\n", size);
  return text + "    </cpu>\n";
}

Lines cell_lines(const Cell& cell) {
  Lines text =
      fmt::format("        <cell id='{}'>\n          <memory unit='KiB'>{}</memory>\n", cell.id, cell.memory_kib);
  for (const auto& pages : cell.pages)
    text += fmt::format("          <pages unit='KiB' size='{}'>{}</pages>\n", pages.size_kib, pages.count);
  if (!cell.distances.empty()) {
    text += "          <distances>\n";
    for (const auto& d : cell.distances)
      text += fmt::format("            <sibling id='{}' value='{}'/>\n", d.cell, d.value);
    text += "          </distances>\n";
  }
  text += fmt::format("          <cpus num='{}'>\n", cell.cpus.size());
  for (const auto& cpu : cell.cpus)
    text += fmt::format("            <cpu id='{}' socket_id='{}' die_id='{}' core_id='{}' siblings='{}'/>\n", cpu.id,
                        cpu.socket, cpu.die, cpu.core, format_list(cpu.siblings));
  return text + "          </cpus>\n        </cell>\n";
}

Lines cache_lines(const std::vector<CacheBank>& banks) {
  if (banks.empty()) return {};
  Lines text = "    <cache>\n";
  for (const auto& bank : banks) {
    const auto size = pretty(bank.size_kib);
    text += fmt::format("      <bank id='{}' level='{}' type='{}' size='{}' unit='{}' cpus='{}'/>\n", bank.id,
                        bank.level, bank.type, size.value, size.unit, format_list(bank.cpus));
  }
  return text + "    </cache>\n";
}

}  // namespace

std::string host_xml(const HostDescription& host) {
  Lines text = fmt::format("  <host>\n    <uuid>{}</uuid>\n", host.uuid.text());
  text += cpu_lines(host);
  text += fmt::format("    <power_management/>\n    <iommu support='{}'/>\n", host.iommu ? "yes" : "no");
  text += fmt::format("    <topology>\n      <cells num='{}'>\n", host.topology.cells.size());
  for (const auto& cell : host.topology.cells) text += cell_lines(cell);
  text += "      </cells>\n    </topology>\n";
  text += cache_lines(host.topology.caches);
  return text + "  </host>\n";
}

}  // namespace vireo::host
