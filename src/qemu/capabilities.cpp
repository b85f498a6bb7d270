// Look-ups in a binary's capabilities.
#include "qemu/capabilities.hpp"

namespace vireo::qemu {

const Machine* Capabilities::find_machine(std::string_view name) const {
  for (const auto& m : machines)
    if (m.name == name || (!m.alias.empty() && m.alias == name)) return &m;
  return nullptr;
}

std::string Capabilities::canonical_machine(std::string_view name) const {
  if (name.empty())
    for (const auto& m : machines)
      if (m.is_default) return m.name;
  const auto* machine = find_machine(name);
  return machine ? machine->name : std::string(name);
}

unsigned long Capabilities::version_number() const {
  return static_cast<unsigned long>(version_major) * 1'000'000 + static_cast<unsigned long>(version_minor) * 1'000 +
         static_cast<unsigned long>(version_micro);
}

}  // namespace vireo::qemu
