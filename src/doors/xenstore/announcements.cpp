// Who may hear of what, and the announcements that wait.
#include "doors/xenstore/announcements.hpp"

#include "doors/xenstore/client.hpp"
#include "tree/draft.hpp"

namespace vireo::doors::xenstore {
namespace {

Client& client_of(const tree::Watch& watch) { return *static_cast<Client*>(watch.owner); }

void tell(const tree::Watch& watch, std::string_view path, const tree::Node*) { client_of(watch).tell(watch, path); }

// A domain hears of what it may read, or whose parent it may: the node as it is or, if it is gone, as it was.
bool may_hear(const tree::Caller& caller, const tree::Node& root, std::string_view text, const tree::Node* gone) {
  const auto path = tree::Path::parse(text);
  const auto readable = [&](const tree::Node* one) {
    return one && tree::allows(one->permissions(), caller, tree::Rights::read);
  };
  return readable(gone ? gone : tree::find(root, *path)) || readable(tree::find(root, path->parent()));
}

}  // namespace

void Announcements::of(const tree::Commit& commit) {
  if (watches_.size() == 0) return;
  watches_.match_guarded(commit, [&](const tree::Watch& watch, std::string_view path, const tree::Node* gone) {
    auto& client = client_of(watch);
    if (may_hear(client.caller(), commit.root, path, gone)) client.tell(watch, path);
  });
  ++made_;
  auto at = watches_.begin();
  if (waiting_.empty() && watches_.match(commit.changes, at, part_, tell)) return;
  OfCommit rest{.changes = {commit.changes.begin(), commit.changes.end()},
                .paths = std::make_unique<std::string[]>(commit.changes.size()),
                .at = std::move(at)};
  for (std::size_t i = 0; auto& change : rest.changes) {
    rest.paths[i] = change.path.text();
    change.path = *tree::Path::parse(rest.paths[i++]);
  }
  waiting_.emplace_back(std::move(rest));
}

void Announcements::of_special(std::string_view name, tree::DomainId domain) {
  ++made_;
  if (waiting_.empty()) return tell_special(name, domain);
  waiting_.emplace_back(OfSpecial{.name = std::string(name), .domain = domain});
}

void Announcements::tell_special(std::string_view name, tree::DomainId domain) const {
  const auto& permissions = *domains_.special(name);
  watches_.match_special(name, domain, [&](const tree::Watch& watch, std::string_view path, const tree::Node*) {
    auto& client = client_of(watch);
    if (client.privileged() || tree::allows(permissions, client.caller(), tree::Rights::read)) client.tell(watch, path);
  });
}

void Announcements::go_on() {
  if (waiting_.empty()) return;
  auto& next = waiting_.front();
  if (const auto* special = std::get_if<OfSpecial>(&next)) {
    tell_special(special->name, special->domain);
  } else {
    auto& commit = std::get<OfCommit>(next);
    if (!watches_.match(commit.changes, commit.at, part_, tell)) return;
  }
  waiting_.pop_front();
}

}  // namespace vireo::doors::xenstore
