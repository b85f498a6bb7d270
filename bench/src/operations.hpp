// What is measured: each operation as a client's program would do it, through libvirt's client library.
#pragma once

#include <vector>

#include "base/error.hpp"
#include "server.hpp"

namespace vireo::bench {

struct Operation {
  const char* name;
  int rounds;  // how often each server gets its turn
  int batch;   // how many in one turn; each is a sample of its own
  Result<void> (*run)(Server&);
  // Work of QEMU rather than of the protocol: a replayed answer says nothing about it.
  bool starts_qemu = false;
};

const std::vector<Operation>& operations();

}  // namespace vireo::bench
