// Where nodes are noted while a guest is described, one folder at a time. Internal to this room.
#pragma once

#include <fmt/format.h>

#include <set>

#include "presence/nodes.hpp"

namespace vireo::presence {

class Sheet {
 public:
  explicit Sheet(const model::DomainView& view);

  // Below the guest's home, below the machine's folder, and below domain 0's backends of one kind.
  const std::string home, machine;
  std::string backends(std::string_view kind) const { return fmt::format("/local/domain/0/backend/{}/{}", kind, id); }

  // A node without a value, with others below it.
  void folder(std::string path, std::optional<tree::Permissions> permissions = {}) {
    nodes_.push_back({.path = std::move(path), .value = {}, .permissions = std::move(permissions)});
  }
  // A value that no message could carry is left out.
  void put(std::string_view folder, std::string_view name, std::string value);
  template <std::integral Number>
  void put(std::string_view folder, std::string_view name, Number value) {
    put(folder, name, std::to_string(value));
  }

  // The two ends of a device. Each names the other and has a state, the backend's being connected.
  struct Ends {
    std::string front, back;
  };
  struct Device {
    std::string_view kind, backend;
    unsigned number = 0;
    bool opened = true;  // by the guest, as far as that is known
  };
  Ends device(Device device);
  // The same of a device whose guest's end is not at /local/domain/ID/device/KIND/DEVID.
  Ends device_at(std::string front, Device device);

  std::vector<GuestNode> finish();

  const tree::DomainId id;
  const tree::Permissions guest_reads{{.domain = 0}, {.domain = id, .rights = tree::Rights::read}};
  const tree::Permissions guest_owns{{.domain = id}};
  const tree::Permissions daemon_only{{.domain = 0}};

 private:
  std::vector<GuestNode> nodes_;
  std::set<std::string> backends_begun_;
};

// devices.cpp: all that the guest's definition has of them.
void put_devices(const model::DomainDef& def, Sheet& sheet);

}  // namespace vireo::presence
