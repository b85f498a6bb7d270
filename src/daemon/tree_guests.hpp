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
    bool asked = false;  // a request is being carried out; what is written meanwhile waits in its node
  };
  struct Links {
    std::function<void(tree::DomainId)> introduce, release;
    // `word` is the request as it was written. Called for one at a time, until acknowledge(); a commit may be under
    // way, so it must not change the tree before it returns.
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
  // A request has been carried out: takes it back, or goes on with the word that stands there by now.
  void acknowledge(tree::DomainId id, std::string_view word);

 private:
  void appear(const model::DomainView& view);
  void vanish(const model::DomainView& view);
  void change(const model::DomainView& before, const model::DomainView& after);
  void hear(const tree::Commit& commit);
  void ask(tree::DomainId id, Guest& guest, std::string_view word);

  tree::Store& store_;
  const Links links_;
  presence::Running running_;
  std::unordered_map<tree::DomainId, Guest> guests_;
};

}  // namespace vireo::daemon
