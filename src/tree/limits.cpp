// The limits by their names.
#include "tree/limits.hpp"

#include <utility>

namespace vireo::tree {

namespace {

std::uint32_t* by_name(Limits& limits, std::string_view name) {
  static constexpr std::pair<std::string_view, std::uint32_t Limits::*> all[] = {
      {"nodes", &Limits::nodes},
      {"node-size", &Limits::node_size},
      {"permissions", &Limits::permissions},
      {"watches", &Limits::watches},
      {"transactions", &Limits::transactions},
      {"transaction-nodes", &Limits::transaction_nodes},
      {"outstanding", &Limits::outstanding},
      {"memory", &Limits::memory},
  };
  for (const auto& [each, limit] : all)
    if (each == name) return &(limits.*limit);
  return nullptr;
}

}  // namespace

std::string_view Quotas::names() {
  return "nodes node-size permissions watches transactions transaction-nodes outstanding memory";
}

const Limits& Quotas::of(DomainId domain) const {
  const auto own = own_.find(domain);
  return own == own_.end() ? defaults_ : own->second;
}

const std::uint32_t* Quotas::find(DomainId domain, std::string_view name) const {
  return by_name(const_cast<Limits&>(of(domain)), name);  // only read
}

std::uint32_t* Quotas::find(DomainId domain, std::string_view name) {
  return find_default(name) ? by_name(own_.try_emplace(domain, defaults_).first->second, name) : nullptr;
}

std::uint32_t* Quotas::find_default(std::string_view name) { return by_name(defaults_, name); }

}  // namespace vireo::tree
