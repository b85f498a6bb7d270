// vireo version: of this command, and of the daemon if one runs.
#include <cstdio>

#include "cli/commands.hpp"

namespace vireo::cli {

Result<void> version(const Where& where) {
  fmt::print("vireo {}\n", VIREO_VERSION);
  auto answer = ask_daemon(where, "GET", "/v1/daemon");
  // That none runs is an answer, too: nothing else was asked of it.
  if (answer)
    fmt::print("vireod {} (pid {})\n", text_of(*answer, "version"), text_of(*answer, "pid"));
  else
    fmt::print("{}\n", answer.error().message());
  return {};
}

}  // namespace vireo::cli
