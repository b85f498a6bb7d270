// Reading what QEMU counts: the answers to query-blockstats, query-named-block-nodes, qom-get of guest-stats,
// query-dirty-rate and query-stats, as QEMU 7.2 documents them (qapi/block-core.json, qapi/migration.json,
// qapi/stats.json). Pure. A figure that is absent, null, negative or no number counts as zero or is left out, and an
// element of another shape is passed over, so that one odd device costs nobody else anything. Error:
// VIR_ERR_INTERNAL_ERROR, for an answer that is none of these at all.
#pragma once

#include "model/stats.hpp"
#include "qmp/message.hpp"

namespace vireo::qemu {

namespace json = qmp::json;

Result<model::BlockCounts> read_block_counts(const json::value& answer);
Result<model::BlockFacts> read_block_facts(const json::value& answer);
Result<model::BalloonReport> read_balloon_report(const json::value& answer);
Result<model::DirtyRate> read_dirty_rate(const json::value& answer);
// `schemas`: query-stats-schemas' answer, which tells what kind of figure each is.
Result<model::KvmCounts> read_kvm_counts(const json::value& schemas, const json::value& vm, const json::value& vcpus);

// The alias in a device's path of QEMU's object tree: "/machine/peripheral/virtio-disk0/virtio-backend" is
// "virtio-disk0"; a plain "ide0-0-0" is itself.
std::string alias_of(std::string_view device_path);

}  // namespace vireo::qemu
