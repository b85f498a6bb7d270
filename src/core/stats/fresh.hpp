// The figures of one guest as they are now, for calls that answer one question and have no place for an age: whoever
// cannot be told what is, is told why. Core thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/host.hpp"

namespace vireo::core {

// A sample whose parts that these groups (virDomainStatsTypes) need were taken after the call; a monitor that has
// nothing new to tell is not asked. Errors: VIR_ERR_OPERATION_INVALID for a guest that does not run,
// VIR_ERR_OPERATION_TIMEOUT when the monitor does not answer within the deadline for statistics: it names the guest,
// for how long its monitor has been silent, and where the last known figures are; VIR_ERR_OPERATION_FAILED when QEMU
// refuses or its monitor is lost.
asio::awaitable<Result<model::GuestSamplePtr>> fresh_sample(Host& host, model::DomainViewPtr guest, unsigned groups);

// What the host's kernel counts of the guest: no monitor is asked, so a guest that hangs is told of like any other.
asio::awaitable<Result<model::GuestSamplePtr>> fresh_host_figures(Host& host, model::DomainViewPtr guest);

// The disks that QEMU has seen fail, by alias: "failed", "nospace". Errors as fresh_sample().
using DiskErrors = std::vector<std::pair<std::string, std::string>>;
asio::awaitable<Result<DiskErrors>> disk_errors_now(Host& host, model::DomainViewPtr guest);

// "domain is not running", as libvirt says it.
std::unexpected<Error> not_running();

}  // namespace vireo::core
