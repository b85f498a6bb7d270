// Descriptions to commits.
#include "daemon/tree_guests.hpp"

#include "presence/difference.hpp"
#include "presence/nodes.hpp"

namespace vireo::daemon {
namespace {

tree::Path path_of(std::string_view text) { return tree::Path::parse(text).value(); }

void carry_out(tree::Store::Keeper& keeper, const presence::Step& step) {
  const auto path = path_of(step.node->path);
  switch (step.kind) {
    case presence::Step::Kind::write:
      return keeper.write(path, step.node->value);
    case presence::Step::Kind::permit:
      return keeper.set_permissions(path, step.node->permissions.value());
    case presence::Step::Kind::remove:
      return keeper.remove(path);
  }
}

void remove_places(tree::Store::Keeper& keeper, const model::DomainView& view) {
  for (const auto& place : presence::places_of(view)) keeper.remove(path_of(place));
}

tree::DomainId id_of(const model::DomainView& view) { return static_cast<tree::DomainId>(view.id); }

}  // namespace

TreeGuests::TreeGuests(tree::Store& store, Links links) : store_(store), links_(std::move(links)) {
  store_.guard(
      [this](const tree::Store::Wish& wish) { return presence::refusal(wish.path, wish.kind, wish.value, running_); });
  store_.listen([this](const tree::Commit& commit) { hear(commit); });
}

void TreeGuests::changed(const model::DomainViewPtr& before, const model::DomainViewPtr& after) {
  const bool was = before && before->active(), is = after && after->active();
  if (was && is && before->id == after->id) return change(*before, *after);
  if (was) vanish(*before);
  if (is) appear(*after);
}

// Whatever clients have left in a place before there was a guest is none of its business.
void TreeGuests::appear(const model::DomainView& view) {
  const auto nodes = presence::nodes_of(view);
  const auto id = id_of(view);
  running_.ids.insert(id);
  running_.uuids.insert(view.uuid);
  guests_.emplace(id, Guest{.uuid = view.uuid, .name = view.name});
  store_.keep([&](tree::Store::Keeper& keeper) {
    remove_places(keeper, view);
    for (const auto& step : presence::difference({}, nodes)) carry_out(keeper, step);
  });
  links_.introduce(id);
}

void TreeGuests::vanish(const model::DomainView& view) {
  const auto id = id_of(view);
  running_.ids.erase(id);
  running_.uuids.erase(view.uuid);
  guests_.erase(id);
  store_.keep([&](tree::Store::Keeper& keeper) { remove_places(keeper, view); });
  links_.release(id);
}

void TreeGuests::change(const model::DomainView& before, const model::DomainView& after) {
  if (presence::described_alike(before, after)) return;
  guests_.at(id_of(after)).name = after.name;
  const auto old_nodes = presence::nodes_of(before), new_nodes = presence::nodes_of(after);
  const auto steps = presence::difference(old_nodes, new_nodes);
  if (steps.empty()) return;
  store_.keep([&](tree::Store::Keeper& keeper) {
    for (const auto& step : steps) carry_out(keeper, step);
  });
}

void TreeGuests::hear(const tree::Commit& commit) {
  for (const auto& change : commit.changes) {
    if (change.kind != tree::Change::Kind::written || !change.path.text().ends_with(presence::request_path)) continue;
    const auto place = presence::place_of(change.path);
    if (!place || place->kind != presence::Place::Kind::home || place->inside != presence::request_path) continue;
    const auto guest = guests_.find(place->id);
    if (guest == guests_.end() || guest->second.asked) continue;
    if (const auto* node = tree::find(commit.root, change.path)) ask(place->id, guest->second, node->value());
  }
}

void TreeGuests::ask(tree::DomainId id, Guest& guest, std::string_view word) {
  const auto request = presence::request_of(word);
  if (!request) return;
  guest.asked = true;
  links_.ask(id, guest, *request, std::string(word));
}

void TreeGuests::acknowledge(tree::DomainId id, std::string_view word) {
  const auto guest = guests_.find(id);
  if (guest == guests_.end()) return;
  guest->second.asked = false;
  const auto text = fmt::format("/local/domain/{}/{}", id, presence::request_path);
  const auto path = path_of(text);
  const auto* node = store_.find(path);
  if (!node) return;
  if (node->value() != word) return ask(id, guest->second, node->value());
  store_.keep([&](tree::Store::Keeper& keeper) { keeper.write(path, {}); });
}

}  // namespace vireo::daemon
