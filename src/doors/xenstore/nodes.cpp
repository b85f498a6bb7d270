// Reading and changing nodes: what the protocol's text says of READ, WRITE, MKDIR, RM, DIRECTORY and permissions.
#include <cerrno>
#include <charconv>

#include "doors/xenstore/arguments.hpp"
#include "doors/xenstore/operations.hpp"

namespace vireo::doors::xenstore {
namespace {

// The path of a payload that is nothing else.
tree::Outcome<tree::Path> only_path(Client& client, const Request& request) {
  const auto text = only_string(request.payload);
  if (!text) return tree::refuse(EINVAL);
  return client.path(*text);
}

// Most changes have nothing to say but that they were made.
int acknowledge(Client& client, const Request& request, const tree::Outcome<void>& done) {
  return done ? client.reply_ok(request) : done.error();
}

}  // namespace

int read(Client& client, const Request& request) {
  const auto path = only_path(client, request);
  if (!path) return path.error();
  const auto value = client.store().read(client.caller(), request.in, *path);
  return value ? client.reply(request, *value) : value.error();
}

int write(Client& client, const Request& request) {
  Strings strings(request.payload);
  const auto text = strings.next();
  if (!text) return EINVAL;
  const auto path = client.path(*text);
  if (!path) return path.error();
  return acknowledge(client, request, client.store().write(client.caller(), request.in, *path, strings.left()));
}

int mkdir(Client& client, const Request& request) {
  const auto path = only_path(client, request);
  if (!path) return path.error();
  return acknowledge(client, request, client.store().make(client.caller(), request.in, *path));
}

int rm(Client& client, const Request& request) {
  const auto path = only_path(client, request);
  if (!path) return path.error();
  return acknowledge(client, request, client.store().remove(client.caller(), request.in, *path));
}

int directory(Client& client, const Request& request) {
  const auto path = only_path(client, request);
  if (!path) return path.error();
  const auto listing = client.store().list(client.caller(), request.in, *path);
  if (!listing) return listing.error();
  if (listing->bytes() > max_payload) return E2BIG;
  return client.reply(request, listing->names(0, max_payload, client.common().scratch));
}

// The generation, then as many whole names from an offset on as fit, then, if those were the last, an empty one.
int directory_part(Client& client, const Request& request) {
  Strings strings(request.payload);
  const auto text = strings.next(), offset_text = strings.next();
  if (!text || !offset_text || !strings.done()) return EINVAL;
  const auto offset = number_of<std::uint64_t>(*offset_text);
  if (!offset) return EINVAL;
  const auto path = client.path(*text);
  if (!path) return path.error();
  const auto listing = client.store().list(client.caller(), request.in, *path);
  if (!listing) return listing.error();

  char generation[24];
  char* end = std::to_chars(generation, generation + sizeof generation - 1, listing->generation()).ptr;
  *end++ = '\0';
  const std::string_view head(generation, end);
  const auto names = listing->names(*offset, max_payload - head.size() - 1, client.common().scratch);
  const bool last = *offset + names.size() >= listing->bytes();
  char* at = client.reply_of(request, head.size() + names.size() + (last ? 1 : 0));
  at = std::copy(head.begin(), head.end(), at);
  at = std::copy(names.begin(), names.end(), at);
  if (last) *at = '\0';
  return 0;
}

int get_perms(Client& client, const Request& request) {
  const auto text = only_string(request.payload);
  if (!text) return EINVAL;
  const tree::Permissions* permissions = nullptr;
  if (text->starts_with('@')) {
    permissions = client.common().domains.special(*text);
    if (!permissions) return ENOENT;
    if (!tree::allows(*permissions, client.caller(), tree::Rights::read)) return EACCES;
  } else {
    const auto path = client.path(*text);
    if (!path) return path.error();
    const auto found = client.store().permissions(client.caller(), request.in, *path);
    if (!found) return found.error();
    permissions = *found;
  }
  std::string all;
  for (const auto& permission : *permissions) all.append(permission.text()).push_back('\0');
  return client.reply(request, all);
}

int set_perms(Client& client, const Request& request) {
  Strings strings(request.payload);
  const auto text = strings.next();
  if (!text) return EINVAL;
  tree::Permissions permissions;
  // The last one may come without its zero byte, as Xen's own daemon takes it.
  const auto add = [&](std::string_view one) {
    const auto permission = tree::Permission::parse(one);
    if (permission) permissions.push_back(*permission);
    return permission.has_value();
  };
  while (const auto one = strings.next())
    if (!add(*one)) return EINVAL;
  if (!strings.left().empty() && !add(strings.left())) return EINVAL;
  if (permissions.empty()) return EINVAL;
  const auto most = client.store().quotas().of(client.domain()).permissions;
  if (most > 0 && permissions.size() > most) return ENOSPC;
  // A node has an owner, and its owner's share of the tree is counted.
  if (!client.common().exists(permissions.front().domain)) return ENOENT;

  if (text->starts_with('@')) {
    auto* special = client.common().domains.special(*text);
    if (!special) return ENOENT;
    if (!tree::owns(client.caller(), *special)) return EACCES;
    if (!client.privileged() && permissions.front().domain != special->front().domain) return EPERM;
    *special = std::move(permissions);
    return client.reply_ok(request);
  }
  const auto path = client.path(*text);
  if (!path) return path.error();
  return acknowledge(client, request,
                     client.store().set_permissions(client.caller(), request.in, *path, std::move(permissions)));
}

}  // namespace vireo::doors::xenstore
