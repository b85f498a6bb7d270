// What must be true of a host after every step, and what must be true of it and of everything around it once it has
// come to rest. Looks only; says what is wrong in a sentence each.
#pragma once

#include <map>

#include "tests/histories/history.hpp"
#include "tests/histories/life.hpp"

namespace vireo::tests {

// Guest number `guest` of the histories, and name number `name`.
Uuid uuid_of(int guest);
int guest_of(const Uuid& uuid);
std::string name_of(int name);
HostState state_of(const model::HostVersion& version);

class Watcher {
 public:
  // After every step. Cheap where nothing has been published since. Until a new life is `ready`, which no client sees,
  // records of guests that ended while no daemon looked may be published once more. `life_began`: versions count anew.
  void look(const core::Host& host, bool ready);
  void life_began() { last_version_ = 0; }
  // When nothing is left to do.
  void look_at_rest(core::Host& host, Surroundings& around, const VirtualTime& time);

  // Whether that life of a guest has ever been published.
  bool has_seen(int id) const { return ids_.contains(id); }
  const std::vector<std::string>& problems() const { return problems_; }
  void complain(std::string problem) { problems_.push_back(std::move(problem)); }

 private:
  struct Id {
    Uuid owner;
    bool over = false;
  };
  void look_at_guest(const model::HostVersion& version, const model::DomainView& view, bool ready);
  void expect(bool is_so, const char* what) {
    if (!is_so) complain(what);
  }

  std::uint64_t last_version_ = 0;
  std::map<int, Id> ids_;
  std::vector<std::string> problems_;
};

}  // namespace vireo::tests
