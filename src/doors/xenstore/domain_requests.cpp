// What clients say and ask of domains.
#include <cerrno>

#include "doors/xenstore/arguments.hpp"
#include "doors/xenstore/operations.hpp"

namespace vireo::doors::xenstore {
namespace {

// The domain of a payload that is nothing else.
tree::Outcome<tree::DomainId> only_domain(const Request& request) {
  const auto text = only_string(request.payload);
  const auto domain = text ? domain_of(*text) : std::nullopt;
  if (!domain) return tree::refuse(EINVAL);
  return *domain;
}

// The same, of one that was introduced and is not 0.
tree::Outcome<tree::DomainId> only_introduced(Client& client, const Request& request) {
  const auto domain = only_domain(request);
  if (!domain) return domain;
  if (*domain == 0) return tree::refuse(EINVAL);
  if (!client.common().domains.introduced(*domain)) return tree::refuse(ENOENT);
  return *domain;
}

}  // namespace

// The second string is the page that the domain shares with Xen's daemon, the third an event channel. Vireo's domains
// have neither, but who sends none of a channel made a mistake.
int introduce(Client& client, const Request& request) {
  Strings strings(request.payload);
  const auto domain_text = strings.next(), page = strings.next(), channel_text = strings.next();
  if (!domain_text || !page || !channel_text) return EINVAL;
  const auto domain = domain_of(*domain_text);
  const auto channel = number_of<std::int64_t>(*channel_text);
  if (!domain || *domain == 0 || !channel || *channel <= 0) return EINVAL;
  if (!client.common().exists(*domain)) return ENOENT;
  client.common().introduce(*domain);
  return client.reply_ok(request);
}

int release(Client& client, const Request& request) {
  const auto domain = only_introduced(client, request);
  if (!domain) return domain.error();
  client.common().release(*domain);
  return client.reply_ok(request);
}

int get_domain_path(Client& client, const Request& request) {
  const auto domain = only_domain(request);
  if (!domain) return domain.error();
  const auto path = fmt::format("/local/domain/{}", *domain);
  return client.reply(request, {path.c_str(), path.size() + 1});
}

int is_domain_introduced(Client& client, const Request& request) {
  const auto domain = only_domain(request);
  if (!domain) return domain.error();
  const bool is = *domain == self_domain || client.common().domains.introduced(*domain);
  return client.reply(request, {is ? "T" : "F", 2});
}

// A domain of Vireo's that has ended does not come back under its id, so there is nothing to be rearmed.
int resume(Client& client, const Request& request) {
  const auto domain = only_introduced(client, request);
  return domain ? client.reply_ok(request) : domain.error();
}

int set_target(Client& client, const Request& request) {
  Strings strings(request.payload);
  const auto domain_text = strings.next(), target_text = strings.next();
  if (!domain_text || !target_text) return EINVAL;
  const auto domain = domain_of(*domain_text), target = domain_of(*target_text);
  if (!domain || !target) return EINVAL;
  auto& domains = client.common().domains;
  if (!domains.introduced(*domain) || !domains.introduced(*target)) return ENOENT;
  // Domain 0 has all rights as it is, and what another did with its rights would be done as domain 0.
  if (*domain == 0 || *target == 0) return EINVAL;
  domains.set_target(*domain, *target);
  return client.reply_ok(request);
}

// Without a domain: what the caller was offered.
int get_feature(Client& client, const Request& request) {
  auto domain = client.domain();
  Strings strings(request.payload);
  if (const auto text = strings.next(); text && !text->empty()) {
    if (!client.privileged()) return EACCES;
    const auto named = domain_of(*text);
    if (!named || !strings.done()) return EINVAL;
    if (!client.common().exists(*named)) return ENOENT;
    domain = *named;
  }
  const auto features = fmt::format("{}", client.common().domains.features(domain));
  return client.reply(request, {features.c_str(), features.size() + 1});
}

int set_feature(Client& client, const Request& request) {
  Strings strings(request.payload);
  const auto domain_text = strings.next(), features_text = strings.next();
  if (!domain_text || !features_text || !strings.done()) return EINVAL;
  const auto domain = domain_of(*domain_text), features = number_of(*features_text);
  if (!domain || !features || (*features & ~all_features) != 0) return EINVAL;
  if (!client.common().exists(*domain)) return ENOENT;
  // From then on the domain may rely on what it was offered. 0 was introduced before anybody could say anything.
  if (client.common().domains.introduced(*domain)) return EBUSY;
  client.common().domains.set_features(*domain, *features);
  return client.reply_ok(request);
}

}  // namespace vireo::doors::xenstore
