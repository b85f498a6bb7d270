// Claims and publishing.
#include "core/registry.hpp"

namespace vireo::core {

DomainClaim::DomainClaim(Registry* registry, DomainPtr domain) : registry_(registry), domain_(std::move(domain)) {
  ++domain_->claims;
}

DomainClaim::~DomainClaim() {
  if (!domain_) return;
  --domain_->claims;
  registry_->forget_if_unused(domain_);
}

NameClaim::~NameClaim() {
  if (domain_) registry_->by_name_.erase(name_);
}

Registry::Registry(asio::any_io_executor core)
    : core_(std::move(core)), versions_(std::make_shared<const model::HostVersion>()) {}

Result<DomainClaim> Registry::claim(const Uuid& uuid, const std::string& name) {
  if (const auto found = by_uuid_.find(uuid); found != by_uuid_.end()) {
    if (auto same = check_name(*found->second, name); !same) return pass_on(same);
    return DomainClaim(this, found->second);
  }
  if (const auto found = by_name_.find(name); found != by_name_.end())
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_OPERATION_FAILED,
                     "domain '" + name + "' already exists with uuid " + found->second->uuid.text());
  auto domain = std::make_shared<Domain>(core_, uuid, name);
  by_uuid_.emplace(uuid, domain);
  by_name_.emplace(name, domain);
  return DomainClaim(this, std::move(domain));
}

Result<void> Registry::check_name(const Domain& domain, const std::string& name) {
  if (domain.name == name) return {};
  return fail_from(VIR_FROM_DOMAIN, VIR_ERR_OPERATION_FAILED,
                   "domain '" + domain.name + "' is already defined with uuid " + domain.uuid.text());
}

Result<NameClaim> Registry::claim_name(DomainPtr domain, const std::string& name) {
  if (domain->name == name)
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "Can't rename domain to itself");
  if (!by_name_.emplace(name, domain).second)
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "domain with name '" + name + "' already exists");
  return NameClaim(this, std::move(domain), name);
}

DomainPtr Registry::find(const Uuid& uuid) const {
  const auto found = by_uuid_.find(uuid);
  return found != by_uuid_.end() && found->second->view ? found->second : nullptr;
}

std::vector<DomainPtr> Registry::all() const {
  std::vector<DomainPtr> out;
  for (const auto& [uuid, domain] : by_uuid_)
    if (domain->view) out.push_back(domain);
  return out;
}

void Registry::publish(Domain& domain, model::DomainView view) {
  const auto current = versions_.snapshot();
  const int old_id = domain.view ? domain.view->id : -1;
  view.pulse = domain.pulse;
  auto shared = std::make_shared<const model::DomainView>(std::move(view));
  auto next = std::make_shared<model::HostVersion>(*current);
  ++next->number;
  next->by_uuid = next->by_uuid.set(domain.uuid, shared);
  if (domain.view && domain.view->name != domain.name) next->by_name = next->by_name.erase(domain.view->name);
  next->by_name = next->by_name.set(shared->name, shared);
  if (old_id >= 0 && old_id != shared->id) next->by_id = next->by_id.erase(old_id);
  if (shared->id >= 0) next->by_id = next->by_id.set(shared->id, shared);
  const auto before = std::exchange(domain.view, std::move(shared));
  versions_.publish(std::move(next));
  tell(before, domain.view);
}

void Registry::rename(NameClaim claim, model::DomainView view) {
  const auto domain = std::exchange(claim.domain_, nullptr);
  by_name_.erase(domain->name);
  domain->name = claim.name_;
  publish(*domain, std::move(view));
}

void Registry::withdraw(Domain& domain) {
  if (!domain.view) return;
  const auto current = versions_.snapshot();
  auto next = std::make_shared<model::HostVersion>(*current);
  ++next->number;
  next->by_uuid = next->by_uuid.erase(domain.uuid);
  next->by_name = next->by_name.erase(domain.name);
  if (domain.view->id >= 0) next->by_id = next->by_id.erase(domain.view->id);
  const auto before = std::exchange(domain.view, nullptr);
  domain.history = nullptr;  // another guest may get the same UUID
  versions_.publish(std::move(next));
  tell(before, nullptr);
  if (const auto found = by_uuid_.find(domain.uuid); found != by_uuid_.end())
    forget_if_unused(DomainPtr(found->second));
}

void Registry::forget_if_unused(const DomainPtr& domain) {
  if (domain->view || domain->claims > 0) return;
  // Only its own entries: after a withdrawal the name may belong to another guest already.
  if (const auto found = by_uuid_.find(domain->uuid); found != by_uuid_.end() && found->second == domain)
    by_uuid_.erase(found);
  if (const auto found = by_name_.find(domain->name); found != by_name_.end() && found->second == domain)
    by_name_.erase(found);
}

}  // namespace vireo::core
