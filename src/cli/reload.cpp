// vireo reload: has vireod read its configuration anew.
#include <boost/json/array.hpp>
#include <cstdio>

#include "cli/commands.hpp"

namespace vireo::cli {

Result<void> reload(const Where& where) {
  auto answer = ask_daemon(where, "POST", "/v1/reload");
  if (!answer) return pass_on(answer);
  const auto& changed = answer->at("changed").as_array();
  const auto& later = answer->at("at_next_start").as_array();
  const auto file = text_of(*answer, "file");
  if (changed.empty() && later.empty()) fmt::print("{}: nothing has changed\n", file);
  for (const auto& option : changed) fmt::print("{} has its new value\n", std::string_view(option.as_string()));
  for (const auto& option : later)
    fmt::print("{} takes effect at the next start of vireod\n", std::string_view(option.as_string()));
  return {};
}

}  // namespace vireo::cli
