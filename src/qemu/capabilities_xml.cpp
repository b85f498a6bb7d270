// Laid out as libvirt lays it out, machines in QEMU's order with the default one first.
#include "qemu/capabilities_xml.hpp"

#include "base/escape.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

std::string machine_lines(const Machine& machine) {
  const std::string deprecated = machine.deprecated ? " deprecated='yes'" : "";
  auto text =
      fmt::format("      <machine maxCpus='{}'{}>{}</machine>\n", machine.max_cpus, deprecated, escaped(machine.name));
  if (!machine.alias.empty())
    text += fmt::format("      <machine canonical='{}' maxCpus='{}'{}>{}</machine>\n", escaped(machine.name),
                        machine.max_cpus, deprecated, escaped(machine.alias));
  return text;
}

std::string guest_element(const Capabilities& caps) {
  const bool narrow = caps.arch == "i686";
  std::string text = "  <guest>\n    <os_type>hvm</os_type>\n";
  text += fmt::format("    <arch name='{}'>\n      <wordsize>{}</wordsize>\n      <emulator>{}</emulator>\n",
                      escaped(caps.arch), narrow ? 32 : 64, escaped(caps.binary));
  for (const bool wanted_default : {true, false})
    for (const auto& machine : caps.machines)
      if (machine.is_default == wanted_default) text += machine_lines(machine);
  text += "      <domain type='qemu'/>\n";
  if (caps.kvm) text += "      <domain type='kvm'/>\n";
  text += "    </arch>\n    <features>\n";
  if (narrow) text += "      <pae/>\n      <nonpae/>\n";
  text +=
      "      <acpi default='on' toggle='yes'/>\n"
      "      <apic default='on' toggle='no'/>\n"
      "      <cpuselection/>\n"
      "      <deviceboot/>\n"
      "      <disksnapshot default='on' toggle='no'/>\n"
      "    </features>\n  </guest>\n\n";
  return text;
}

// libvirt indents the host's part by two spaces; the host's facts come with that indentation or without a line end.
std::string ending_in_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text + "\n";
}

}  // namespace

std::string capabilities_xml(const std::string& host_xml, const std::vector<CapabilitiesPtr>& emulators) {
  std::string text = "<capabilities>\n\n" + ending_in_line(host_xml) + "\n";
  for (const auto& caps : emulators) text += guest_element(*caps);
  return text + "</capabilities>\n";
}

}  // namespace vireo::qemu
