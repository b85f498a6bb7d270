// The target of a request line, "/v1/domains/my%20guest", as its decoded parts. Pure.
#pragma once

#include "base/error.hpp"

namespace vireo::doors::http {

// "/v1/domains/my%20guest" gives {"v1", "domains", "my guest"}; an encoded slash stays inside its part. Error:
// VIR_ERR_INVALID_ARG for what does not begin with a slash, for a bad escape, for control characters, and for a query,
// since no path here knows a parameter and none shall be dropped without a word.
Result<std::vector<std::string>> parse_target(std::string_view target);

}  // namespace vireo::doors::http
