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

std::string model_element(const ports::SecurityModel& model) {
  auto text = fmt::format("    <secmodel>\n      <model>{}</model>\n      <doi>{}</doi>\n", escaped(model.name),
                          escaped(model.doi));
  if (!model.baselabel.empty())
    for (const char* type : {"kvm", "qemu"})
      text += fmt::format("      <baselabel type='{}'>{}</baselabel>\n", type, escaped(model.baselabel));
  return text + "    </secmodel>\n";
}

// The host's facts end with its element's end tag, before which the models stand.
std::string with_models(std::string host_xml, const std::vector<ports::SecurityModel>& models) {
  std::string text;
  for (const auto& model : models) text += model_element(model);
  const auto end = host_xml.rfind("  </host>");
  if (end != std::string::npos) host_xml.insert(end, text);
  while (!host_xml.empty() && host_xml.back() == '\n') host_xml.pop_back();
  return host_xml + "\n";
}

}  // namespace

std::string capabilities_xml(const std::string& host_xml, const std::vector<ports::SecurityModel>& models,
                             const std::vector<CapabilitiesPtr>& emulators) {
  std::string text = "<capabilities>\n\n" + with_models(host_xml, models) + "\n";
  for (const auto& caps : emulators) text += guest_element(*caps);
  return text + "</capabilities>\n";
}

}  // namespace vireo::qemu
