// Reading the map and choosing the model that leaves the fewest features to be named.
#include "host/cpu_map.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <pugixml.hpp>
#include <set>

namespace vireo::host {

namespace {

using Features = std::set<std::string, std::less<>>;

struct Model {
  std::string name, vendor;
  bool signature_fits = false;
  Features features;
};

struct Map {
  std::vector<std::string> host_features;      // in the map's order
  std::map<std::string, std::string> vendors;  // "AuthenticAMD" → "AMD"
  std::map<std::string, Model> models;
  std::vector<std::string> decodable;  // models that a host may be called by, in the map's order
};

struct Signature {
  unsigned family = 0, model = 0, stepping = 0;
};

Signature signature_of(std::uint32_t eax) {
  constexpr unsigned kExtended = 0xf, kPentiumPro = 0x6;
  Signature s{.family = (eax >> 8) & 0xf, .model = (eax >> 4) & 0xf, .stepping = eax & 0xf};
  const bool wide_model = s.family == kExtended || s.family == kPentiumPro;
  if (s.family == kExtended) s.family += (eax >> 20) & 0xff;
  if (wide_model) s.model += ((eax >> 16) & 0xf) << 4;
  return s;
}

std::string vendor_text(const CpuidRegisters& leaf0) {
  std::array<char, 12> text{};
  std::memcpy(text.data(), &leaf0.ebx, 4);
  std::memcpy(text.data() + 4, &leaf0.edx, 4);
  std::memcpy(text.data() + 8, &leaf0.ecx, 4);
  return {text.begin(), text.end()};
}

// A feature is there when all its bits are. Bits of model-specific registers are not read: they need more rights.
bool has_feature(const pugi::xml_node& feature, const Cpuid& cpuid) {
  bool any = false;
  for (const auto& bits : feature.children("cpuid")) {
    const auto got = cpuid(bits.attribute("eax_in").as_uint(), bits.attribute("ecx_in").as_uint());
    const auto all_of = [&](const char* name, std::uint32_t value) {
      const auto wanted = bits.attribute(name).as_uint();
      any = any || wanted != 0;
      return (value & wanted) == wanted;
    };
    if (!all_of("eax", got.eax) || !all_of("ebx", got.ebx) || !all_of("ecx", got.ecx) || !all_of("edx", got.edx))
      return false;
  }
  return any;
}

Model read_model(const Map& map, const pugi::xml_node& node, const Signature& host) {
  Model model;
  // Some models are described by what they add to another one.
  if (const auto base = node.child("model"))
    if (const auto found = map.models.find(base.attribute("name").as_string()); found != map.models.end())
      model = found->second;
  model.name = node.attribute("name").as_string();
  model.signature_fits = false;
  if (const auto vendor = node.child("vendor")) model.vendor = vendor.attribute("name").as_string();
  for (const auto& signature : node.children("signature"))
    if (signature.attribute("family").as_uint() == host.family && signature.attribute("model").as_uint() == host.model)
      model.signature_fits = true;
  for (const auto& feature : node.children("feature")) model.features.insert(feature.attribute("name").as_string());
  return model;
}

void read_into(Map& map, const pugi::xml_node& list, const Signature& host, const Cpuid& cpuid) {
  for (const auto& node : list.children("vendor"))
    map.vendors[node.attribute("string").as_string()] = node.attribute("name").as_string();
  for (const auto& node : list.children("feature"))
    if (has_feature(node, cpuid)) map.host_features.emplace_back(node.attribute("name").as_string());
  for (const auto& node : list.children("model")) {
    auto model = read_model(map, node, host);
    if (std::string_view(node.child("decode").attribute("host").as_string("on")) == "on")
      map.decodable.push_back(model.name);
    map.models[model.name] = std::move(model);
  }
}

Map read_map(const std::string& folder, const Signature& host, const Cpuid& cpuid) {
  Map map;
  pugi::xml_document index;
  if (!index.load_file((folder + "/index.xml").c_str())) return map;
  const auto arch = index.child("cpus").find_child_by_attribute("arch", "name", "x86");
  for (const auto& include : arch.children("include")) {
    pugi::xml_document part;
    if (part.load_file((folder + "/" + include.attribute("filename").as_string()).c_str()))
      read_into(map, part.child("cpus"), host, cpuid);
  }
  return map;
}

// Better: made for this very processor; then the one with more features, which leaves fewer to be named.
const Model* choose(const Map& map, const Features& host, const std::string& vendor) {
  const Model* best = nullptr;
  for (const auto& name : map.decodable) {
    const auto& model = map.models.at(name);
    if (!model.vendor.empty() && model.vendor != vendor) continue;
    if (!std::includes(host.begin(), host.end(), model.features.begin(), model.features.end())) continue;
    const bool better =
        !best || (model.signature_fits != best->signature_fits ? model.signature_fits
                                                               : model.features.size() > best->features.size());
    if (better) best = &model;
  }
  return best;
}

}  // namespace

CpuidRegisters host_cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
  CpuidRegisters r;
#if defined(__x86_64__)
  if (__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx) == 0) return {};
#endif
  return r;
}

HostCpu identify_cpu(const std::string& folder, const Cpuid& cpuid) {
  const auto signature = signature_of(cpuid(1, 0).eax);
  const auto map = read_map(folder, signature, cpuid);
  HostCpu cpu;
  cpu.family = signature.family;
  cpu.model_number = signature.model;
  cpu.stepping = signature.stepping;
  constexpr std::uint32_t kAddressSizes = 0x80000008;
  cpu.physical_address_bits = cpuid(kAddressSizes, 0).eax & 0xff;
  if (const auto vendor = map.vendors.find(vendor_text(cpuid(0, 0))); vendor != map.vendors.end())
    cpu.vendor = vendor->second;
  const Features have(map.host_features.begin(), map.host_features.end());
  const auto* model = choose(map, have, cpu.vendor);
  if (model) cpu.model = model->name;
  for (const auto& feature : map.host_features)
    if (!model || !model->features.contains(feature)) cpu.features.push_back(feature);
  return cpu;
}

}  // namespace vireo::host
