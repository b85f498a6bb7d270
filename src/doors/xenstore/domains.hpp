// The domains as the protocol knows them: which were introduced, whose rights one has besides its own, what each was
// offered, and who is told of domains that come and go. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "doors/xenstore/wire.hpp"
#include "tree/permissions.hpp"

namespace vireo::doors::xenstore {

inline constexpr std::string_view introduce_event = "@introduceDomain", release_event = "@releaseDomain";

class Domains {
 public:
  // Domain 0 always is.
  bool introduced(tree::DomainId domain) const;
  // False: it was already.
  bool introduce(tree::DomainId domain);
  // Forgets all that was said of it.
  void release(tree::DomainId domain);

  void set_target(tree::DomainId domain, tree::DomainId target) { known_[domain].target = target; }
  tree::Caller caller(tree::DomainId domain) const;

  std::uint32_t features(tree::DomainId domain) const;
  void set_features(tree::DomainId domain, std::uint32_t features) { known_[domain].features = features; }

  // Who may hear of a special name; null: there is no such name.
  tree::Permissions* special(std::string_view name);

 private:
  struct Known {
    bool introduced = false;
    std::optional<tree::DomainId> target = {};
    std::uint32_t features = all_features;
  };
  std::map<tree::DomainId, Known> known_;
  tree::Permissions introduce_ = {{}}, release_ = {{}};
};

}  // namespace vireo::doors::xenstore
