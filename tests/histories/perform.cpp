// Verbs and definitions of the histories' guests.
#include "tests/histories/perform.hpp"

#include "tests/histories/watcher.hpp"

namespace vireo::tests {
namespace {

// The first two guests want one VNC port, the last two one disk image (a directory serves: only its inode is looked
// at), so that starts clash now and then.
model::DomainDef definition(int guest, int name) {
  model::DomainDef def;
  def.type = model::VirtType::test;
  def.uuid = uuid_of(guest);
  def.name = name_of(name);
  def.memory_kib = 1024;
  def.os.type = "hvm";
  // With the host: two of them at once, and the other a while after them.
  if (guest != 1) def.autostart_plan = {.order = 1, .delay_s = guest == 0 ? 1U : 0U};
  if (guest < 2) def.devices.graphics.push_back({.port = 5900});
  if (guest > 0) def.devices.disks.push_back({.file = "/", .target = "vda"});
  return def;
}

Reply reply_of(const Result<model::DomainViewPtr>& result) {
  if (!result) return {.error = result.error()};
  return {.error = std::nullopt, .id = (*result)->id};
}

Reply reply_of(const Result<void>& result) {
  if (!result) return {.error = result.error()};
  return {};
}

bool says(const Error& error, std::string_view words) { return error.detail.find(words) != std::string::npos; }

}  // namespace

asio::awaitable<Reply> perform(core::Host& host, Kind kind, int guest, int name) {
  core::DomainRef ref{.uuid = uuid_of(guest), .name = "?"};
  switch (kind) {
    case Kind::Define:
      co_return reply_of(co_await core::define(host, definition(guest, name)));
    case Kind::Create:
      co_return reply_of(co_await core::create(host, definition(guest, name), {}));
    case Kind::Start:
      co_return reply_of(co_await core::start(host, std::move(ref), {}));
    case Kind::Destroy:
      co_return reply_of(co_await core::destroy(host, std::move(ref), false));
    case Kind::Undefine:
      co_return reply_of(co_await core::undefine(host, std::move(ref)));
    case Kind::Rename:
      co_return reply_of(co_await core::rename(host, std::move(ref), name_of(name)));
    case Kind::Suspend:
      co_return reply_of(co_await core::suspend(host, std::move(ref)));
    case Kind::Resume:
      co_return reply_of(co_await core::resume(host, std::move(ref)));
    default:
      co_return Reply{.error = Error{.detail = "not a verb"}};
  }
}

asio::awaitable<Result<std::vector<core::BatchResult>>> perform_batch(core::Host& host, BatchCall batch) {
  core::BatchGuests wanted;
  for (const int guest : batch.guests) wanted.named.push_back(uuid_of(guest).text());
  if (batch.guests.empty()) wanted.pattern = "*";
  co_return co_await core::start_many(host, std::move(wanted), batch.options);
}

Answer answer_of(Kind kind, const Reply& reply) {
  if (!reply.error) return Answer::Ok;
  const Error& error = *reply.error;
  switch (error.code) {
    case VIR_ERR_NO_DOMAIN:
      // Of a create: it ran, and ended before it could be answered.
      return kind == Kind::Create ? Answer::Unknown : Answer::NoDomain;
    case VIR_ERR_OPERATION_FAILED:
      return error.domain == VIR_FROM_DOMAIN ? Answer::Clash : Answer::Failed;
    case VIR_ERR_OPERATION_INVALID:
      if (says(error, "has not answered since")) return Answer::Failed;
      return kind == Kind::Rename && error.domain == VIR_FROM_DOMAIN ? Answer::Clash : Answer::Refused;
    case VIR_ERR_OPERATION_TIMEOUT:
      return Answer::Unknown;
    default:
      // A process that could not be seen to end may have ended.
      return kind == Kind::Destroy ? Answer::Unknown : Answer::Failed;
  }
}

}  // namespace vireo::tests
