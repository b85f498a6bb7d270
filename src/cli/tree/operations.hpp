// Reading and changing single nodes, and several in one transaction: all or nothing, and again from the beginning when
// others changed what it depends on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/tree/connection.hpp"

namespace vireo::cli::tree {

struct Operation {
  enum class Verb : std::uint8_t { get, set, remove } verb;
  std::string path, value = {};
};

// Of "get PATH", "set PATH VALUE" or "rm PATH". Words are kept apart by blanks; one that holds blanks stands in quotes,
// 'as it is' or "with \n, \t, \", \\ and \xHH". Nothing: the line is empty or a comment (#). Error:
// VIR_ERR_INVALID_ARG.
Result<std::optional<Operation>> parse_operation(std::string_view line);

// What each get gave, in order. Several operations are one transaction; the error of the one that fails is returned,
// and nothing has changed.
Result<std::vector<std::string>> perform(Connection& connection, const std::vector<Operation>& operations);

// Whether the attempt may be committed. It may be called again: `transaction` is another one then.
using Attempt = std::function<Result<bool>(std::uint32_t transaction)>;
// False of an attempt, and EAGAIN at its end, are reasons to begin anew, a bounded number of times.
Result<void> in_transaction(Connection& connection, const Attempt& attempt);

// A text as the protocol has it: with a zero byte at the end.
inline std::string terminated(std::string text) {
  text += '\0';
  return text;
}

}  // namespace vireo::cli::tree
