// The registry: which guests there are. It is the only writer of the published version that all readers use, and the
// table of claims on names and UUIDs: a verb claims both before it does anything else, so that two of them can never
// make the same guest twice. Core thread only, but for versions(), which any thread may read.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "base/published.hpp"
#include "core/domain.hpp"
#include "model/domain_view.hpp"

namespace vireo::core {

class Registry;

// Holds a name and UUID for as long as a verb works with them. Where nothing has been published under them by then,
// they are free again when the last claim is destroyed.
class DomainClaim {
 public:
  DomainClaim(DomainClaim&& other) noexcept = default;
  DomainClaim& operator=(DomainClaim&&) = delete;
  ~DomainClaim();

  const DomainPtr& domain() const { return domain_; }
  Domain* operator->() const { return domain_.get(); }

 private:
  friend class Registry;
  DomainClaim(Registry* registry, DomainPtr domain);
  Registry* registry_;
  DomainPtr domain_;  // null once moved from
};

// Holds a second name for a guest that is being renamed: free again when it is destroyed before Registry::rename.
class NameClaim {
 public:
  NameClaim(NameClaim&& other) noexcept = default;
  NameClaim& operator=(NameClaim&&) = delete;
  ~NameClaim();

 private:
  friend class Registry;
  NameClaim(Registry* registry, DomainPtr domain, std::string name)
      : registry_(registry), domain_(std::move(domain)), name_(std::move(name)) {}
  Registry* registry_;
  DomainPtr domain_;  // null once moved from, or renamed
  std::string name_;
};

class Registry {
 public:
  explicit Registry(asio::any_io_executor core);

  const Published<model::HostVersion>& versions() const { return versions_; }

  // Claims a name and UUID, of a guest that exists under both or of none yet. Error: VIR_ERR_OPERATION_FAILED when one
  // of the two belongs to another guest, in libvirt's words for each of the two cases.
  Result<DomainClaim> claim(const Uuid& uuid, const std::string& name);
  // A claim holds the guest; it may have been renamed while its claimant waited. The same error then.
  static Result<void> check_name(const Domain& domain, const std::string& name);
  // Claims another name for a guest that exists. Error: VIR_ERR_OPERATION_INVALID in libvirt's words when it has that
  // name already, or another guest has.
  Result<NameClaim> claim_name(DomainPtr domain, const std::string& name);

  // The guest, if one is published; null otherwise.
  DomainPtr find(const Uuid& uuid) const;
  std::vector<DomainPtr> all() const;
  // How many UUIDs and names are taken, by guests and by verbs at work.
  std::size_t uuids_taken() const { return by_uuid_.size(); }
  std::size_t names_taken() const { return by_name_.size(); }

  // Hears of every published change, on the core thread and in order: the guest before it and after; null: it was not
  // there, or is not any more. Must not change the registry.
  using Observer = std::function<void(const model::DomainViewPtr& before, const model::DomainViewPtr& after)>;
  void observe(Observer observer) { observer_ = std::move(observer); }

  // Makes `view` what everybody sees of the guest from now on.
  void publish(Domain& domain, model::DomainView view);
  // Publishes `view`, which has the claimed name, and frees the old one.
  void rename(NameClaim claim, model::DomainView view);
  // Takes the guest out of what everybody sees. Its name and UUID are free once no verb claims them.
  void withdraw(Domain& domain);

 private:
  friend class DomainClaim;
  friend class NameClaim;
  void forget_if_unused(const DomainPtr& domain);
  void tell(const model::DomainViewPtr& before, const model::DomainViewPtr& after) const {
    if (observer_) observer_(before, after);
  }

  asio::any_io_executor core_;
  std::unordered_map<Uuid, DomainPtr> by_uuid_;  // published and claimed
  std::unordered_map<std::string, DomainPtr> by_name_;
  Published<model::HostVersion> versions_;
  Observer observer_;  // empty: nobody wants to hear
};

}  // namespace vireo::core
