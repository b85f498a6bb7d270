// Errors as a client of this door reads them.
#include "doors/http/message.hpp"

#include <algorithm>

namespace vireo::doors::http {
namespace {

struct Known {
  int code, status;
  std::string_view name;
};

// The codes that clients tell apart; any other is the daemon's failure and keeps its number.
constexpr std::array known{
    Known{VIR_ERR_NO_DOMAIN, 404, "no_domain"},           Known{VIR_ERR_INVALID_ARG, 400, "invalid_argument"},
    Known{VIR_ERR_CONF_SYNTAX, 422, "bad_configuration"}, Known{VIR_ERR_OPERATION_INVALID, 409, "operation_invalid"},
    Known{VIR_ERR_OPERATION_TIMEOUT, 504, "timeout"},     Known{VIR_ERR_SYSTEM_ERROR, 500, "system_error"},
    Known{VIR_ERR_INTERNAL_ERROR, 500, "internal_error"},
};

}  // namespace

Response refusal(int status, std::string_view code, std::string_view message) {
  return {.status = status, .body = {{"error", {{"code", code}, {"message", message}}}}};
}

Response refusal(const Error& error) {
  if (const auto* found = std::ranges::find(known, error.code, &Known::code); found != known.end())
    return refusal(found->status, found->name, error.message());
  return {.status = 500, .body = {{"error", {{"code", error.code}, {"message", error.message()}}}}};
}

}  // namespace vireo::doors::http
