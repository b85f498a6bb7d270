// The group "block" of a record: one entry for each disk, or for each image of its chain. Pure.
#pragma once

#include "core/stats/params.hpp"
#include "model/definition.hpp"
#include "model/stats.hpp"

namespace vireo::core {

// The sizes of the images of a guest that does not run, by the position of their disks; what is not known is absent.
using SizesOfDisks = std::vector<std::optional<model::ImageSizes>>;

// What the entries are drawn from. Null: not known, or the guest does not run.
struct BlockSources {
  const std::vector<model::Disk>& disks;
  const model::BlockCounts* counts = nullptr;
  const model::BlockFacts* facts = nullptr;
  const model::HostFigures* host = nullptr;
  const SizesOfDisks& at_rest;
  bool backing = false;  // each image behind a disk's own as an entry of its own
};

void put_blocks(Params& params, const BlockSources& sources);

}  // namespace vireo::core
