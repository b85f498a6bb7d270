// Noting nodes, parents with them, in the order of their paths.
#include "presence/sheet.hpp"

#include <xen/io/xenbus.h>
#include <xen/io/xs_wire.h>

#include <algorithm>

#include "presence/difference.hpp"

namespace vireo::presence {

Sheet::Sheet(const model::DomainView& view)
    : home(fmt::format("/local/domain/{}", view.id)),
      machine("/vm/" + view.uuid.text()),
      id(static_cast<tree::DomainId>(view.id)) {}

void Sheet::put(std::string_view folder, std::string_view name, std::string value) {
  if (value.size() > XENSTORE_PAYLOAD_MAX) return;
  nodes_.push_back({.path = fmt::format("{}/{}", folder, name), .value = std::move(value)});
}

Sheet::Ends Sheet::device(Device device) {
  auto front = fmt::format("{}/device/{}/{}", home, device.kind, device.number);
  folder(front);
  return device_at(std::move(front), device);
}

Sheet::Ends Sheet::device_at(std::string front, Device device) {
  const auto backs = backends(device.backend);
  Ends ends{.front = std::move(front), .back = fmt::format("{}/{}", backs, device.number)};
  if (backends_begun_.insert(backs).second) folder(backs, guest_reads);
  folder(ends.back);
  put(ends.front, "backend", ends.back);
  put(ends.front, "backend-id", 0);
  put(ends.front, "state", static_cast<int>(device.opened ? XenbusStateConnected : XenbusStateInitialising));
  put(ends.back, "frontend", ends.front);
  put(ends.back, "frontend-id", id);
  put(ends.back, "online", 1);
  put(ends.back, "state", static_cast<int>(XenbusStateConnected));
  return ends;
}

std::vector<GuestNode> Sheet::finish() {
  std::ranges::sort(nodes_, before, &GuestNode::path);
  return std::move(nodes_);
}

}  // namespace vireo::presence
