// Looking up and forgetting.
#include "doors/xenstore/domains.hpp"

#include <algorithm>

namespace vireo::doors::xenstore {

bool Domains::introduced(tree::DomainId domain) const {
  if (domain == 0) return true;
  const auto found = known_.find(domain);
  return found != known_.end() && found->second.introduced;
}

bool Domains::introduce(tree::DomainId domain) {
  if (introduced(domain)) return false;
  known_[domain].introduced = true;
  return true;
}

void Domains::release(tree::DomainId domain) {
  known_.erase(domain);
  // An id is never used again, so what it was a target of ends with it.
  for (auto& [id, known] : known_)
    if (known.target == domain) known.target.reset();
  for (auto* permissions : {&introduce_, &release_}) {
    const auto gone =
        std::ranges::remove(permissions->begin() + 1, permissions->end(), domain, &tree::Permission::domain);
    permissions->erase(gone.begin(), gone.end());
  }
}

tree::Caller Domains::caller(tree::DomainId domain) const {
  const auto found = domain == 0 ? known_.end() : known_.find(domain);
  return {.domain = domain, .target = found == known_.end() ? std::nullopt : found->second.target};
}

std::uint32_t Domains::features(tree::DomainId domain) const {
  const auto found = known_.find(domain);
  return found == known_.end() ? all_features : found->second.features;
}

tree::Permissions* Domains::special(std::string_view name) {
  if (name == introduce_event) return &introduce_;
  if (name == release_event) return &release_;
  return nullptr;
}

}  // namespace vireo::doors::xenstore
