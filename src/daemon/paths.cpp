// The layout below a root.
#include "daemon/paths.hpp"

#include <filesystem>

namespace vireo::daemon {

Paths Paths::below(const std::string& root) {
  const std::string top = std::filesystem::absolute(root).lexically_normal().string();
  const std::string slash = top.ends_with('/') ? "" : "/";
  return {.run_dir = top + slash + "run",
          .lib_dir = top + slash + "lib",
          .log_dir = top + slash + "log",
          .config_file = top + slash + "etc/vireod.toml"};
}

}  // namespace vireo::daemon
