// Limits by their names: of a domain, or what holds for those that none were set for.
#include <cerrno>

#include "doors/xenstore/arguments.hpp"
#include "doors/xenstore/operations.hpp"

namespace vireo::doors::xenstore {

int get_quota(Client& client, const Request& request) {
  auto& quotas = client.store().quotas();
  Strings strings(request.payload);
  const auto first = strings.next(), second = strings.next();
  if (!strings.done()) return EINVAL;
  if (!first || first->empty()) {
    const std::string names(tree::Quotas::names());
    return client.reply(request, {names.c_str(), names.size() + 1});
  }
  const std::uint32_t* limit = nullptr;
  if (second) {
    const auto domain = domain_of(*first);
    if (!domain) return EINVAL;
    if (!client.common().exists(*domain)) return ENOENT;
    limit = std::as_const(quotas).find(*domain, *second);
  } else {
    limit = quotas.find_default(*first);
  }
  if (!limit) return EINVAL;
  const auto value = fmt::format("{}", *limit);
  return client.reply(request, {value.c_str(), value.size() + 1});
}

int set_quota(Client& client, const Request& request) {
  auto& quotas = client.store().quotas();
  Strings strings(request.payload);
  const auto first = strings.next(), second = strings.next(), third = strings.next();
  if (!first || !second || !strings.done()) return EINVAL;
  const auto value = number_of(third ? *third : *second);
  if (!value) return EINVAL;
  std::uint32_t* limit = nullptr;
  if (third) {
    const auto domain = domain_of(*first);
    if (!domain) return EINVAL;
    if (!client.common().exists(*domain)) return ENOENT;
    limit = quotas.find(*domain, *second);
  } else {
    limit = quotas.find_default(*first);
  }
  if (!limit) return EINVAL;
  *limit = *value;
  return client.reply_ok(request);
}

}  // namespace vireo::doors::xenstore
