// The names, and the proof that the numbers are Xen's.
#include "doors/xenstore/wire.hpp"

#include <cerrno>
#include <iterator>

extern "C" {
#include <xen/io/xs_wire.h>
}

namespace vireo::doors::xenstore {
namespace {

static_assert(static_cast<int>(Operation::control) == XS_CONTROL);
static_assert(static_cast<int>(Operation::transaction_end) == XS_TRANSACTION_END);
static_assert(static_cast<int>(Operation::get_domain_path) == XS_GET_DOMAIN_PATH);
static_assert(static_cast<int>(Operation::set_perms) == XS_SET_PERMS);
static_assert(static_cast<int>(Operation::error) == XS_ERROR);
static_assert(static_cast<int>(Operation::set_target) == XS_SET_TARGET);
static_assert(static_cast<int>(Operation::reset_watches) == XS_RESET_WATCHES);
static_assert(static_cast<int>(Operation::directory_part) == XS_DIRECTORY_PART);
static_assert(max_payload == XENSTORE_PAYLOAD_MAX);

constexpr std::string_view names[] = {
    "CONTROL",
    "DIRECTORY",
    "READ",
    "GET_PERMS",
    "WATCH",
    "UNWATCH",
    "TRANSACTION_START",
    "TRANSACTION_END",
    "INTRODUCE",
    "RELEASE",
    "GET_DOMAIN_PATH",
    "WRITE",
    "MKDIR",
    "RM",
    "SET_PERMS",
    "WATCH_EVENT",
    "ERROR",
    "IS_DOMAIN_INTRODUCED",
    "RESUME",
    "SET_TARGET",
    "?",
    "RESET_WATCHES",
    "DIRECTORY_PART",
    "GET_FEATURE",
    "SET_FEATURE",
    "GET_QUOTA",
    "SET_QUOTA",
};
static_assert(std::size(names) == operation_count);

}  // namespace

std::string_view operation_name(std::uint32_t number) { return number < operation_count ? names[number] : "?"; }

std::string_view error_name(int error) {
  for (const auto& [number, name] : xsd_errors)
    if (number == error) return name;
  return "EINVAL";
}

}  // namespace vireo::doors::xenstore
