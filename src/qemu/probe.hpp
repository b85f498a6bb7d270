// Asking one QEMU binary what it can do: it is started without a machine and answers a handful of questions on its
// standard input and output. Blocks (a worker calls it).
#pragma once

#include <string>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "qemu/capabilities.hpp"
#include "qemu/spawn.hpp"

namespace vireo::qemu {

// Errors: VIR_ERR_SYSTEM_ERROR for a file that is missing or may not be executed, VIR_ERR_INTERNAL_ERROR for a program
// that does not answer as QEMU does, with what it printed, VIR_ERR_OPERATION_TIMEOUT. Each names the path. The process
// is gone when this returns. It runs as guests do.
Result<Capabilities> probe_binary(const std::string& path, const ExecOptions& exec, Deadline deadline);

// Whether guests may open /dev/kvm for reading and writing.
bool kvm_usable(const ExecOptions& exec);

}  // namespace vireo::qemu
