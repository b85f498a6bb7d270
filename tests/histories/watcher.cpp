// The invariants, as questions asked of the host at every step and at rest.
#include "tests/histories/watcher.hpp"

namespace vireo::tests {

Uuid uuid_of(int guest) {
  Uuid uuid;
  uuid.bytes.fill(0x5a);
  uuid.bytes[15] = static_cast<std::uint8_t>(guest);
  return uuid;
}
int guest_of(const Uuid& uuid) { return uuid.bytes[15]; }
std::string name_of(int name) { return {static_cast<char>('a' + name)}; }

HostState state_of(const model::HostVersion& version) {
  HostState state;
  for (int i = 0; i < guests; ++i) {
    const auto* view = version.by_uuid.find(uuid_of(i));
    if (!view) continue;
    state.at(static_cast<std::size_t>(i)) = {
        .name = (*view)->name[0] - 'a', .persistent = (*view)->persistent != nullptr, .id = (*view)->id};
  }
  return state;
}

void Watcher::look_at_guest(const model::HostVersion& version, const model::DomainView& view, bool ready) {
  const auto* by_name = version.by_name.find(view.name);
  expect(by_name && by_name->get() == &view, "a guest is not found by its name");
  expect(view.persistent || view.active(), "a guest is published that neither runs nor is defined");
  expect(!view.persistent || (view.persistent->name == view.name && view.persistent->uuid == view.uuid),
         "a guest's definition has another name or UUID");
  expect(view.active() == (view.live != nullptr), "a guest runs without a live definition, or has one at rest");
  expect(view.active() == (view.state != VIR_DOMAIN_SHUTOFF), "a guest's state does not say whether it runs");
  if (!view.active()) return;
  const auto* by_id = version.by_id.find(view.id);
  expect(by_id && by_id->get() == &view, "a running guest is not found by its id");
  const auto [id, fresh] = ids_.try_emplace(view.id, Id{.owner = view.uuid});
  expect(fresh || (id->second.owner == view.uuid && !(ready && id->second.over)), "an id is used a second time");
}

void Watcher::look(const core::Host& host, bool ready) {
  const auto version = host.registry.versions().pin();
  if (version->number == last_version_) return;
  expect(version->number > last_version_, "versions do not count up");
  last_version_ = version->number;
  std::size_t running = 0;
  std::map<int, int> ports;
  version->by_uuid.for_each([&](const Uuid& uuid, const model::DomainViewPtr& view) {
    expect(uuid == view->uuid, "a guest is published under another's UUID");
    look_at_guest(*version, *view, ready);
    if (!view->active()) return;
    ++running;
    for (const auto& graphics : view->live->devices.graphics)
      expect(++ports[graphics.port] == 1 || !ready, "two running guests have one port");
  });
  expect(version->by_name.size() == version->by_uuid.size(), "there are more names than guests");
  expect(version->by_id.size() == running, "there are more ids than running guests");
  for (auto& [id, seen] : ids_) seen.over = seen.over || !version->by_id.find(id);
}

void Watcher::look_at_rest(core::Host& host, Surroundings& around, const VirtualTime& time) {
  const auto version = host.registry.versions().snapshot();
  std::size_t running = 0, defined = 0, ports = 0, images = 0;
  version->by_uuid.for_each([&](const Uuid& uuid, const model::DomainViewPtr& view) {
    const auto domain = host.registry.find(uuid);
    expect(domain->lane.holder() == nullptr && domain->lane.waiting() == 0, "a lane is held for ever");
    expect(domain->claims == 0, "a claim on a name and UUID is held for ever");
    expect(domain->launching == nullptr, "a launch is under way for ever");
    if (view->persistent) {
      ++defined;
      const auto row = around.rows.definitions.find(uuid);
      expect(row != around.rows.definitions.end() && row->second.definition->name == view->name,
             "a definition is not on disk under its name");
    }
    if (!view->active()) return;
    ++running;
    ports += view->live->devices.graphics.size();
    images += view->live->devices.disks.size();
    const auto row = around.rows.runs.find(view->id);
    expect(row != around.rows.runs.end() && row->second.process, "a running guest is not recorded");
    expect(around.world->find(core::runtime_folder(host, view->id) + "/monitor.sock") != nullptr,
           "a guest is published as running whose process has ended");
    expect(around.labelled.contains(view->id), "a running guest's files are not labelled");
    expect(view->state == VIR_DOMAIN_RUNNING || around.may_pause, "a guest is paused that nobody paused");
    expect(domain->run && domain->run->guest, "a running guest has no monitor");
  });
  expect(around.rows.definitions.size() == defined, "a definition was left on disk");
  std::erase_if(around.rows.stuck, [&](int id) { return !around.rows.runs.contains(id); });
  expect(around.rows.runs.size() == running + around.rows.stuck.size(),
         "a record of a guest that does not run was left on disk");
  expect(around.world->processes().size() == running, "a process was left that is no guest's");
  expect(around.labelled.size() == running, "labels were left on files");
  expect(around.categories.size() == running, "categories are claimed for ever, or two guests' are the same");
  expect(host.registry.uuids_taken() == version->by_uuid.size(), "a UUID is claimed for ever");
  expect(host.registry.names_taken() == version->by_uuid.size(), "a name is claimed for ever");
  expect(host.tcp_ports.size() == ports, "ports are claimed for ever, or not claimed");
  expect(host.images.size() == images, "disk images are claimed for ever, or not claimed");
  expect(host.admission.idle(), "a launch counts for ever");
  expect(time.waiting() == 0, "a coroutine waits for ever");
  if (!around.rows.broken.empty()) complain(around.rows.broken);
}

}  // namespace vireo::tests
