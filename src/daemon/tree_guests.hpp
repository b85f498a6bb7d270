// Keeps running guests' part of the tree as the core publishes them: each published change becomes one commit. Also
// guards that part against clients, and hears what they ask of guests there. Tree thread only.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>

#include "model/domain_view.hpp"
#include "presence/rules.hpp"
#include "tree/store.hpp"

namespace vireo::daemon {

class TreeGuests {
 public:
  struct Guest {
    Uuid uuid;
    std::string name;
  };
  // Called without anything of the tree under way, but for `ask`, which is called while a commit is told of and so must
  // not change the tree before it returns.
  struct Links {
    std::function<void(tree::DomainId)> introduce, release;
    // `word` is the request as it was written.
    std::function<void(tree::DomainId, const Guest&, presence::Request, std::string word)> ask;
  };

  // Guards the store and listens to it, both for as long as that lives.
  TreeGuests(tree::Store& store, Links links);
  TreeGuests(const TreeGuests&) = delete;
  TreeGuests& operator=(const TreeGuests&) = delete;
  ~TreeGuests() = default;

  // A guest has changed; null: it was not there, or is not any more.
  void changed(const model::DomainViewPtr& before, const model::DomainViewPtr& after);
  bool runs(tree::DomainId id) const { return running_.ids.contains(id); }
  // Takes a request back that has been carried out, unless another word stands there by now.
  void acknowledge(tree::DomainId id, std::string_view word);

 private:
  void appear(const model::DomainView& view);
  void vanish(const model::DomainView& view);
  void change(const model::DomainView& before, const model::DomainView& after);
  void hear(const tree::Commit& commit);

  tree::Store& store_;
  const Links links_;
  presence::Running running_;
  std::unordered_map<tree::DomainId, Guest> guests_;
};

}  // namespace vireo::daemon
