// Tells those who watch of what happened, in the order in which it happened. What concerns many is told a part at a
// time, so that other clients' requests come in between: a write that thousands watch keeps nobody waiting but who
// wrote it. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "doors/xenstore/domains.hpp"
#include "tree/change.hpp"
#include "tree/watches.hpp"

namespace vireo::doors::xenstore {

class Announcements {
 public:
  // `part`: how many watches are told (or looked at) at once, about.
  Announcements(tree::Watches& watches, Domains& domains, std::size_t part)
      : watches_(watches), domains_(domains), part_(part) {}

  // Both tell what they can at once, if nothing waits before it.
  void of(const tree::Commit& commit);
  void of_special(std::string_view name, tree::DomainId domain);

  // Tells another part.
  void go_on();
  // How many are not told to everybody yet.
  std::size_t waiting() const { return waiting_.size(); }
  // Numbers of announcements: the last that was made, and the last that was told to everybody.
  std::uint64_t made() const { return made_; }
  std::uint64_t told() const { return made_ - waiting_.size(); }

 private:
  struct OfCommit {
    std::vector<tree::Change> changes;
    std::unique_ptr<std::string[]> paths;  // theirs
    tree::Watches::Progress at;
  };
  struct OfSpecial {
    std::string name;
    tree::DomainId domain;
  };
  void tell_special(std::string_view name, tree::DomainId domain) const;

  tree::Watches& watches_;
  Domains& domains_;
  const std::size_t part_;
  std::deque<std::variant<OfCommit, OfSpecial>> waiting_;
  std::uint64_t made_ = 0;
};

}  // namespace vireo::doors::xenstore
