// The core's named values as the wire has them: a typed parameter is its name and a value whose kind goes by number.
#pragma once

#include "core/stats/record.hpp"
#include "doors/libvirt/protocol/structs.hpp"

namespace vireo::doors::libvirt {

inline std::vector<wire::remote_typed_param> to_wire(std::vector<core::Param> params) {
  std::vector<wire::remote_typed_param> out;
  out.reserve(params.size());
  for (auto& param : params) {
    wire::remote_typed_param one{.field = std::move(param.name), .value = {}};
    std::visit(
        [&one]<class T>(T& value) {
          if constexpr (std::is_same_v<T, bool>)
            one.value.emplace<5>(value);
          else
            one.value = std::move(value);
        },
        param.value);
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace vireo::doors::libvirt
