// One row of the procedure table: what the protocol says about one call or event. The rows are generated from
// protocol/procedures.tsv, the table of facts; nothing here is written per call. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "doors/libvirt/protocol/numbers.hpp"

namespace vireo::doors::libvirt {

// What libvirt's public API does with the call on a read-only connection.
enum class ReadOnly : std::uint8_t {
  no_call,  // an event, authentication, or nothing public: the session decides
  allowed,
  refused,
  depends,  // on a flag or an argument: a condition is registered with the handler table
};

enum class Priority : std::uint8_t { low, high };

struct Procedure {
  std::uint32_t program = 0;
  std::int32_t number = 0;
  std::string_view name;  // "domain_get_info"
  std::string_view api;   // the public function, "virDomainGetInfo"; empty where there is none
  int reported_by =
      0;  // VIR_FROM_*: which part of libvirt's interface reports what is refused before a driver is asked
  std::string_view args;  // names of structures, empty: none
  std::string_view ret;
  std::string_view event;
  Priority priority = Priority::low;  // high: never touches a monitor
  std::string_view acl;               // "domain:read,domain:read_secure:VIR_DOMAIN_XML_SECURE"
  std::string_view acl_filter;
  ReadOnly read_only = ReadOnly::no_call;
  std::uint8_t read_stream = 0;   // position of the stream that the client reads from; 0: none
  std::uint8_t write_stream = 0;  // position of the stream that the client writes to; 0: none
  std::string_view driver;        // which of libvirt's drivers implements it for a QEMU host; empty: none

  bool is_event() const { return !event.empty(); }
  bool has_stream() const { return read_stream != 0 || write_stream != 0; }
};

// The row, or null for a number that the program does not have. O(1).
const Procedure* find_procedure(std::uint32_t program, std::int32_t number);

// All rows of one program in order of number; empty for an unknown program. Number n stands at index n - 1.
std::span<const Procedure> procedures_of(std::uint32_t program);

}  // namespace vireo::doors::libvirt
