// The list itself, by the operations' numbers.
#include "doors/xenstore/operations.hpp"

#include <array>

namespace vireo::doors::xenstore {
namespace {

using Table = std::array<OperationRow, operation_count>;

constexpr Table make_table() {
  Table table{};
  const auto row = [&](Operation operation) -> OperationRow& { return table[static_cast<std::size_t>(operation)]; };
  row(Operation::control) = {.handler = control, .privileged = true};
  row(Operation::directory) = {.handler = directory};
  row(Operation::directory_part) = {.handler = directory_part};
  row(Operation::read) = {.handler = read};
  row(Operation::write) = {.handler = write};
  row(Operation::mkdir) = {.handler = mkdir};
  row(Operation::rm) = {.handler = rm};
  row(Operation::get_perms) = {.handler = get_perms};
  row(Operation::set_perms) = {.handler = set_perms};
  row(Operation::watch) = {.handler = watch, .ignores_transaction = true};
  row(Operation::unwatch) = {.handler = unwatch, .ignores_transaction = true};
  row(Operation::reset_watches) = {.handler = reset_watches};
  row(Operation::transaction_start) = {.handler = transaction_start};
  row(Operation::transaction_end) = {.handler = transaction_end, .ends_transaction = true};
  row(Operation::introduce) = {.handler = introduce, .privileged = true};
  row(Operation::release) = {.handler = release, .privileged = true};
  row(Operation::get_domain_path) = {.handler = get_domain_path};
  row(Operation::is_domain_introduced) = {.handler = is_domain_introduced, .privileged = true};
  row(Operation::resume) = {.handler = resume, .privileged = true};
  row(Operation::set_target) = {.handler = set_target, .privileged = true};
  row(Operation::get_feature) = {.handler = get_feature};
  row(Operation::set_feature) = {.handler = set_feature, .privileged = true};
  row(Operation::get_quota) = {.handler = get_quota, .privileged = true};
  row(Operation::set_quota) = {.handler = set_quota, .privileged = true};
  return table;
}

constexpr Table table = make_table();

}  // namespace

const OperationRow* find_operation(std::uint32_t number) {
  return number < table.size() && table[number].handler ? &table[number] : nullptr;
}

}  // namespace vireo::doors::xenstore
