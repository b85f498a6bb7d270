// What goes in and out of a connection, and what it keeps.
#include "doors/xenstore/client.hpp"

#include <cerrno>
#include <charconv>

#include "base/log.hpp"
#include "doors/xenstore/operations.hpp"

namespace vireo::doors::xenstore {
namespace {

// What a watch takes besides its path and token, about, at a place where nobody else watches.
constexpr std::size_t watch_overhead = 400;

}  // namespace

Client::Client(Common& common, tree::DomainId domain, std::function<void()> wake)
    : common_(common), domain_(domain), wake_(std::move(wake)), home_(fmt::format("/local/domain/{}/", domain)) {
  common_.clients.insert(this);
  common_.counters.clients.add();
}

Client::~Client() {
  reset();
  common_.counters.held_bytes.remove(accounted_);
  common_.counters.clients.remove(1);
  common_.clients.erase(this);
}

std::size_t Client::take(std::string_view received) {
  std::size_t requests = 0, taken = 0;
  const auto events = [&] { return common_.counters.events.value() + common_.counters.events_merged.value(); };
  const auto events_before = events();
  in_turn_ = true;
  Header header;
  const auto waiting_before = common_.announcements.waiting();
  const auto goes_on = [&] {
    return requests < common_.limits.requests_per_turn && events() - events_before < common_.limits.events_at_once &&
           common_.announcements.waiting() == waiting_before && !paused() && over_ == Over::no;
  };
  while (goes_on()) {
    const auto rest = received.substr(taken);
    const auto front = look(rest, header);
    if (front == Front::too_long) over_ = Over::sent_too_long;
    if (front != Front::whole) break;
    answer(header, rest.substr(sizeof header, header.length));
    taken += sizeof header + header.length;
    ++requests;
  }
  common_.counters.requests.add(requests);
  account();
  check_bounds();
  in_turn_ = false;
  return taken;
}

bool Client::would_take(std::string_view received) const {
  Header header;
  return over_ == Over::no && !paused() && look(received, header) != Front::part;
}

void Client::answer(const Header& header, std::string_view payload) {
  const auto* operation = find_operation(header.type);
  if (common_.log_requests) [[unlikely]]
    log_request(*this, header, payload);
  if (!operation) return answer_error(header, ENOSYS);
  if (operation->privileged && !privileged()) return answer_error(header, EACCES);
  Request request{.header = header, .payload = payload};
  if (header.transaction != 0 && !operation->ignores_transaction) {
    const auto found = transactions_.find(header.transaction);
    if (found == transactions_.end()) return answer_error(header, ENOENT);
    request.in = found->second.get();
  }
  if (!request.in || operation->ends_transaction) {
    if (const int error = operation->handler(*this, request)) answer_error(header, error);
    return;
  }
  // A transaction remembers what it was told and what it did, which is the client's to pay for.
  const auto before = request.in->bytes();
  const int error = has_room(0) ? operation->handler(*this, request) : ENOSPC;
  if (error) answer_error(header, error);
  // RESET_WATCHES has ended it.
  if (transactions_.contains(header.transaction)) transaction_bytes_ += request.in->bytes() - before;
}

void Client::answer_error(const Header& header, int error) {
  if (error == EAGAIN)
    common_.counters.conflicts.add();
  else if (error != ENOENT)
    common_.counters.errors.add();
  const auto name = error_name(error);
  const std::string_view with_zero(name.data(), name.size() + 1);  // a literal
  auto reply = header;
  reply.type = static_cast<std::uint32_t>(Operation::error);
  reply.length = static_cast<std::uint32_t>(with_zero.size());
  std::memcpy(append(reply), with_zero.data(), with_zero.size());
}

char* Client::append(const Header& header) {
  if (output_.capacity() == 0) output_ = common_.spare_output.take();
  const auto size = sizeof header + header.length;
  char* at = output_.room(size);
  output_.grow(size);
  ++outstanding_;
  std::memcpy(at, &header, sizeof header);
  return at + sizeof header;
}

char* Client::reply_of(const Request& request, std::size_t size) {
  auto header = request.header;
  header.length = static_cast<std::uint32_t>(size);
  return append(header);
}

int Client::reply(const Request& request, std::string_view payload) {
  if (payload.size() > max_payload) return E2BIG;
  char* at = reply_of(request, payload.size());
  if (!payload.empty()) std::memcpy(at, payload.data(), payload.size());
  return 0;
}

void Client::sent(std::size_t bytes) {
  sent_ += bytes;
  behind_ = bytes < output_.size();
  if (!behind_) {
    output_.drop(bytes);
    outstanding_ = rest_of_first_ = 0;
    waiting_.clear();
    common_.spare_output.give(std::move(output_));
  }
  while (bytes > 0 && behind_) {
    if (rest_of_first_ == 0) {
      Header header;
      std::memcpy(&header, output_.bytes().data(), sizeof header);
      rest_of_first_ = sizeof header + header.length;
    }
    const auto part = std::min(bytes, rest_of_first_);
    output_.drop(part);
    rest_of_first_ -= part;
    bytes -= part;
    if (rest_of_first_ == 0) --outstanding_;
  }
  account();
}

void Client::end(Over why) {
  if (over_ != Over::no) return;
  over_ = why;
  if (!in_turn_ && wake_) wake_();
}

tree::Outcome<tree::Path> Client::path(std::string_view text) {
  if (text.starts_with('/')) {
    if (const auto path = tree::Path::parse(text)) return *path;
    return tree::refuse(EINVAL);
  }
  if (text.empty() || text.starts_with('@') || text.size() > tree::max_relative_path) return tree::refuse(EINVAL);
  common_.scratch.assign(home_).append(text);
  if (const auto path = tree::Path::parse(common_.scratch)) return *path;
  return tree::refuse(EINVAL);
}

tree::Outcome<std::string_view> Client::watched(std::string_view text) {
  if (!text.starts_with('@')) {
    const auto absolute = path(text);
    if (!absolute) return tree::refuse(absolute.error());
    return absolute->text();
  }
  common_.scratch.assign("/").append(text);
  if (!tree::Path::parse(common_.scratch)) return tree::refuse(EINVAL);
  return std::string_view(common_.scratch).substr(1);
}

// Transactions.

int Client::begin_transaction(const Request& request) {
  const auto& limits = store().quotas().of(domain_);
  // Both of Xen's servers let one more be than the limit says; so with watches.
  if ((limits.transactions > 0 && transactions_.size() > limits.transactions) || !has_room(0)) return ENOSPC;
  // Never 0, and not one that is open; an id comes back after four thousand million others.
  while (next_transaction_ == 0 || transactions_.contains(next_transaction_)) ++next_transaction_;
  const auto id = next_transaction_++;
  transactions_.emplace(id, store().begin(caller()));
  common_.counters.transactions.add();
  char text[16];
  char* const end = std::to_chars(text, text + sizeof text - 1, id).ptr;
  *end = '\0';
  return reply(request, {text, end + 1});
}

int Client::end_transaction(const Request& request, bool commit) {
  const auto found = transactions_.find(request.header.transaction);
  if (found == transactions_.end()) return ENOENT;
  auto transaction = std::move(found->second);
  transactions_.erase(found);
  transaction_bytes_ -= transaction->bytes();
  common_.counters.transactions.remove(1);
  if (commit)
    if (const auto done = store().commit(std::move(transaction)); !done) return done.error();
  return reply_ok(request);
}

// Watches.

int Client::add_watch(const Request& request, std::string_view path, std::string_view token,
                      std::optional<std::uint32_t> depth) {
  const auto name = watched(path);
  if (!name) return name.error();
  const bool special = name->starts_with('@');
  if (special && depth && *depth > 1) return EINVAL;
  const auto& limits = store().quotas().of(domain_);
  if (limits.watches > 0 && watch_count_ > limits.watches) return E2BIG;
  const auto bytes = watch_overhead + name->size() + token.size();
  if (!has_room(bytes)) return ENOMEM;
  const bool is_new = common_.watches.add({.owner = this,
                                           .path = std::string(*name),
                                           .token = std::string(token),
                                           .depth = depth,
                                           .guarded = !privileged(),
                                           .relative = !special && !path.starts_with('/')});
  if (!is_new) return EEXIST;
  ++watch_count_;
  watch_bytes_ += bytes;
  common_.counters.watches.add();
  reply_ok(request);
  send_event(path, token);
  return 0;
}

int Client::remove_watch(const Request& request, std::string_view path, std::string_view token) {
  const auto name = watched(path);
  if (!name) return name.error();
  const auto bytes = watch_overhead + name->size() + token.size();
  if (!common_.watches.remove(this, *name, token)) return ENOENT;
  --watch_count_;
  watch_bytes_ -= bytes;
  common_.counters.watches.remove(1);
  return reply_ok(request);
}

void Client::reset() {
  common_.watches.remove_all(this);
  common_.counters.watches.remove(watch_count_);
  watch_count_ = watch_bytes_ = 0;
  common_.counters.transactions.remove(transactions_.size());
  transactions_.clear();
  transaction_bytes_ = 0;
}

void Client::tell(const tree::Watch& watch, std::string_view path) {
  if (watch.relative) path.remove_prefix(home_.size());
  send_event(path, watch.token);
}

void Client::send_event(std::string_view path, std::string_view token) {
  const auto size = path.size() + 1 + token.size() + 1;
  if (size > max_payload || over_ != Over::no) return;
  const bool first = output_.empty();
  const Header header{.type = static_cast<std::uint32_t>(Operation::watch_event),
                      .length = static_cast<std::uint32_t>(size)};
  char* const at = append(header);
  std::memcpy(at, path.data(), path.size());
  at[path.size()] = '\0';
  std::memcpy(at + path.size() + 1, token.data(), token.size());
  at[size - 1] = '\0';
  if (behind_ && !path.starts_with('@') && merged({at, size})) {
    output_.take_back(sizeof header + size);
    --outstanding_;
    common_.counters.events_merged.add();
    return;
  }
  common_.counters.events.add();
  if (in_turn_) return;
  account();
  check_bounds();
  if (first && wake_) wake_();
}

// Whether the very same event waits already. If not, it is known from now on.
bool Client::merged(std::string_view payload) {
  const auto hash = WaitingEvents::hash(payload);
  const auto stream = static_cast<std::uint32_t>(sent_);  // of which output_ is what comes next
  const auto here = static_cast<std::size_t>(payload.data() - output_.bytes().data());
  if (const auto* at = waiting_.find(hash)) {
    const std::size_t there = *at - stream;
    if (there >= sizeof(Header) && there < here) {
      const auto event = output_.bytes().substr(there);
      Header header;
      std::memcpy(&header, event.data() - sizeof header, sizeof header);
      if (header.type == static_cast<std::uint32_t>(Operation::watch_event) && header.length == payload.size() &&
          event.starts_with(payload))
        return true;
    }
  }
  waiting_.note(hash, stream + static_cast<std::uint32_t>(here));
  return false;
}

// What it holds.

bool Client::has_room(std::size_t bytes) const {
  const auto mine = held() + bytes;
  const auto& limits = common_.store.quotas().of(domain_);
  if (limits.memory > 0 && mine > limits.memory) return false;
  const auto all = common_.counters.held_bytes.value() - accounted_ + mine;
  return all <= common_.limits.held_bytes || mine <= common_.limits.held_bytes / common_.clients.size();
}

// A client that does not read may let so much wait and no more. While nothing was tried to be sent, only what a single
// commit told it counts, and that only if it is very much.
void Client::check_bounds() {
  const auto outstanding = common_.store.quotas().of(domain_).outstanding;
  const bool too_many = behind_ && outstanding > 0 && outstanding_ > outstanding;
  if (too_many || (paused() && !has_room(0))) end(Over::does_not_read);
}

void Client::account() {
  const auto now = held();
  if (now == accounted_) return;
  common_.counters.held_bytes.add(now);
  common_.counters.held_bytes.remove(accounted_);
  accounted_ = now;
  if (now > common_.soft_memory && common_.soft_memory > 0 && !privileged())
    if (const auto more = common_.soft_warnings.turn())
      log::warn("domain {} holds {} bytes of the tree's door, more than its soft quota{}", domain_, now, *more);
}

}  // namespace vireo::doors::xenstore
