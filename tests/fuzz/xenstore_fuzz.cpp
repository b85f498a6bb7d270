// Four clients of one tree, two of domain 0 and one each of two others, that ask for anything and read as they like.
// Every request has one reply, in its order and with its numbers; only whole messages are sent; what the clients hold
// is bounded; and when they have gone, nothing is left of them.
#include <array>
#include <deque>
#include <memory>
#include <string>

#include "doors/xenstore/client.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/xenstore_script.hpp"

using namespace vireo;
using namespace vireo::doors::xenstore;
using fuzz::expect;

namespace {

constexpr DoorLimits limits{.requests_per_turn = 8, .events_at_once = 4, .pause_bytes = 8'192, .held_bytes = 100'000};

class Peer {
 public:
  Peer(Common& common, tree::DomainId domain) : client_(common, domain) {}

  void send(std::string_view bytes) {
    input_.append(bytes);
    for (;;) {
      const auto taken = client_.take(input_);
      note(std::string_view(input_).substr(0, taken));
      input_.erase(0, taken);
      if (taken == 0) break;
    }
    if (input_.size() > 4 * max_payload) input_.clear();  // it is paused, and would wait
    expect(client_.held() <= limits.held_bytes + limits.pause_bytes + 2 * max_payload,
           "what a client holds is bounded");
  }

  void read(std::size_t bytes) {
    bytes = std::min(bytes, client_.output().size());
    stream_.append(client_.output().substr(0, bytes));
    client_.sent(bytes);
    Header header;
    for (Front front; (front = look(stream_, header)) != Front::part;) {
      expect(front == Front::whole, "a message is no longer than one may be");
      check(header, std::string_view(stream_).substr(sizeof header, header.length));
      stream_.erase(0, sizeof header + header.length);
    }
  }
  void read_all() {
    read(client_.output().size());
    expect(stream_.empty(), "only whole messages are sent");
    expect(asked_.empty(), "every request has a reply");
    expect(client_.outstanding() == 0, "messages are counted");
  }

  bool over() const { return client_.over() != Client::Over::no; }
  std::uint32_t next_request() { return ++request_; }

 private:
  void note(std::string_view bytes) {
    Header header;
    while (look(bytes, header) == Front::whole) {
      asked_.push_back(header);
      bytes.remove_prefix(sizeof header + header.length);
    }
    expect(bytes.empty(), "whole requests are taken");
  }

  void check(const Header& header, std::string_view payload) {
    if (header.type == static_cast<std::uint32_t>(Operation::watch_event)) {
      expect(header.request == 0 && header.transaction == 0, "an event is nobody's reply");
      expect(std::ranges::count(payload, '\0') == 2 && payload.ends_with('\0'), "an event is a path and a token");
      return;
    }
    expect(!asked_.empty(), "a reply has its request");
    const auto asked = asked_.front();
    asked_.pop_front();
    expect(asked.request == header.request && asked.transaction == header.transaction, "a reply has its numbers");
    const bool error = header.type == static_cast<std::uint32_t>(Operation::error);
    expect(error || header.type == asked.type, "a reply has its type");
    if (error) expect(payload.starts_with('E') && payload.ends_with('\0'), "an error has a name");
  }

  Client client_;
  std::string input_, stream_;
  std::deque<Header> asked_;
  std::uint32_t request_ = 0;
};

void play(fuzz::XenstoreScript script) {
  tree::Store store;
  Common common(store, {.exists = [](tree::DomainId id) { return id <= 3; }}, limits);
  store.listen([&](const tree::Commit& commit) { common.announcements.of(commit); });
  static constexpr std::array<tree::DomainId, 4> domains{0, 0, 1, 2};
  std::array<std::unique_ptr<Peer>, 4> peers;
  while (script.more()) {
    auto step = script.next();
    auto& peer = peers[step.client];
    if (peer && peer->over()) peer.reset();
    if (!peer) peer = std::make_unique<Peer>(common, domains[step.client]);
    std::string bytes;
    if (!step.raw) {
      step.header.request = peer->next_request();
      bytes.assign(reinterpret_cast<const char*>(&step.header), sizeof step.header);
    }
    bytes.append(step.payload);
    const auto cut = step.in_pieces ? bytes.size() / 2 : bytes.size();
    peer->send(std::string_view(bytes).substr(0, cut));
    if (step.in_pieces) peer->send(std::string_view(bytes).substr(cut));
    using enum fuzz::XenstoreScript::Then;
    switch (step.then) {
      case reads_all:
        peer->read_all();
        break;
      case reads_some:
        peer->read(11);
        break;
      case reads_nothing:
        peer->read(0);
        break;
      case hangs_up:
        peer.reset();
        break;
    }
    common.announcements.go_on();
    store.tidy(16);
    common.watches.tidy(1);
  }
  while (common.announcements.waiting()) common.announcements.go_on();
  for (auto& peer : peers)
    if (peer) peer->read_all();
  for (auto& peer : peers) peer.reset();
  expect(common.watches.size() == 0, "no watch is left");
  expect(store.open_transactions() == 0, "no transaction is left");
  for (const auto* counter :
       {&common.counters.clients, &common.counters.watches, &common.counters.transactions, &common.counters.held_bytes})
    expect(counter->value() == 0, "nothing is left on the counters");
  while (store.tidy(1000) || common.watches.tidy(1000)) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  play(fuzz::XenstoreScript(fuzz::text_of(data, size)));
  return 0;
}
