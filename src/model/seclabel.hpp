// Security labels as a definition says them: who a guest's process is to be for each security model, and what that
// means for its files. Plain values.
#pragma once

#include <optional>
#include <string>

#include "model/names.hpp"

namespace vireo::model {

enum class SecLabelType { unset, dynamic, fixed, none };
template <>
inline constexpr auto names_of<SecLabelType> = std::to_array<std::string_view>({"", "dynamic", "static", "none"});

// <seclabel> of the guest: one for each model.
struct SecLabel {
  SecLabelType type = SecLabelType::unset;
  std::string model;            // "dac", "apparmor", "selinux", "none"; empty: the first that is in force
  std::optional<bool> relabel;  // whether the guest's files get the label; unset: only if the label is dynamic
  std::string label;            // of the process; given (static), or chosen when the guest starts
  std::string imagelabel;       // live only: of the files
  std::string baselabel;        // from which a dynamic label is made

  bool is_static() const { return type == SecLabelType::fixed; }
  bool relabels() const { return type != SecLabelType::none && relabel.value_or(!is_static()); }
  bool operator==(const SecLabel&) const = default;
};

// <seclabel> of one disk's source: what holds for that file instead.
struct SourceLabel {
  std::string model;
  std::optional<bool> relabel;
  std::string label;

  bool operator==(const SourceLabel&) const = default;
};

}  // namespace vireo::model
