// For this room's tests: a core thread's loop run by hand, and scripts that stand for QEMU.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/test_files.hpp"
#include "base/workers.hpp"

namespace vireo::qemu::test {

using tests::content_of;
using tests::Folder;

inline void write_script(const std::string& path, const std::string& text) {
  std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

// Runs a coroutine on the loop until it has ended and gives its result; fails the test after 60 s.
template <class T>
T run(asio::io_context& core, asio::awaitable<T> work) {
  std::optional<T> result;
  std::exception_ptr error;
  asio::co_spawn(core, std::move(work), [&](std::exception_ptr e, T value) {
    error = e;
    if (!e) result = std::move(value);
  });
  const auto deadline = SteadyClock::now() + std::chrono::seconds(60);
  core.restart();
  while (!result && !error && SteadyClock::now() < deadline) core.run_one_until(deadline);
  if (error) std::rethrow_exception(error);
  if (!result) throw std::runtime_error("the coroutine did not end");
  return std::move(*result);
}

// Runs the loop until `done` says so; false after `span`.
template <class Done>
bool run_until(asio::io_context& core, std::chrono::milliseconds span, Done done) {
  const auto deadline = SteadyClock::now() + span;
  core.restart();
  while (!done() && SteadyClock::now() < deadline) core.run_one_until(deadline);
  return done();
}

}  // namespace vireo::qemu::test
