// Which files of the host a definition names, and what its process does with each. Pure, but for the one that says so.
#pragma once

#include <string>
#include <vector>

#include "model/definition.hpp"

namespace vireo::security {

struct GuestFile {
  enum class Use { Read, Write, Execute };
  std::string path;
  std::string role;  // "disk vda"
  Use use = Use::Read;
  bool labelled = false;    // given to the process for the time of the guest
  bool must_exist = true;   // for labelling; QEMU says better than we what is wrong with a kernel that is not there
  bool shared = false;      // other guests may write to it at the same time
  bool may_create = false;  // QEMU makes it if it is not there
  std::vector<model::SourceLabel> labels = {};

  // What the definition says of this very file for that model; null: nothing.
  const model::SourceLabel* label(std::string_view security_model) const {
    for (const auto& one : labels)
      if (one.model == security_model) return &one;
    return nullptr;
  }
};

std::vector<GuestFile> guest_files(const model::DomainDef& guest);

// The same, followed by the images that those of the format qcow2 say they rest on, as far as their headers can be
// read. Blocks.
std::vector<GuestFile> guest_files_and_backing(const model::DomainDef& guest);

// What the header of a qcow2 image says of the one behind it: a path (relative ones mean: beside the image), or
// nothing.
std::string backing_in(std::string_view header);

}  // namespace vireo::security
