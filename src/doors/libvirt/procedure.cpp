// The table itself: rows generated from the facts, found by index.
#include "doors/libvirt/procedure.hpp"

#include <libvirt/virterror.h>

namespace vireo::doors::libvirt {
namespace {

#include "doors/libvirt/protocol/table.inc"

}  // namespace

std::span<const Procedure> procedures_of(std::uint32_t program) {
  switch (program) {
    case proc::remote_program:
      return remote_rows;
    case proc::qemu_program:
      return qemu_rows;
    case proc::keepalive_program:
      return keepalive_rows;
    default:
      return {};
  }
}

const Procedure* find_procedure(std::uint32_t program, std::int32_t number) {
  const auto rows = procedures_of(program);
  if (number < 1 || static_cast<std::size_t>(number) > rows.size()) return nullptr;
  return &rows[static_cast<std::size_t>(number) - 1];
}

}  // namespace vireo::doors::libvirt
