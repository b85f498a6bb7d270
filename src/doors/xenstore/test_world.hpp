// For tests: a tree with clients that have no sockets, and a notation for messages in which a zero byte is "|" and an
// error is "!ENOENT".
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "doors/xenstore/client.hpp"

namespace vireo::doors::xenstore::testing {

inline std::string bars_to_zeros(std::string text) {
  std::ranges::replace(text, '|', '\0');
  return text;
}
inline std::string zeros_to_bars(std::string_view bytes) {
  std::string text(bytes);
  std::ranges::replace(text, '\0', '|');
  return text;
}

inline std::string frame(std::uint32_t type, std::string_view payload, std::uint32_t transaction = 0,
                         std::uint32_t request = 7) {
  const Header header{.type = type,
                      .request = request,
                      .transaction = transaction,
                      .length = static_cast<std::uint32_t>(payload.size())};
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  return bytes.append(payload);
}
inline std::string frame(Operation type, std::string_view payload, std::uint32_t transaction = 0,
                         std::uint32_t request = 7) {
  return frame(static_cast<std::uint32_t>(type), payload, transaction, request);
}

struct Message {
  Header header;
  std::string payload;
  bool is(Operation type) const { return header.type == static_cast<std::uint32_t>(type); }
};

// All whole messages at the beginning of some bytes; how many bytes those were.
inline std::size_t split(std::string_view bytes, std::vector<Message>& messages) {
  std::size_t taken = 0;
  Header header;
  while (look(bytes.substr(taken), header) == Front::whole) {
    messages.push_back({header, std::string(bytes.substr(taken + sizeof header, header.length))});
    taken += sizeof header + header.length;
  }
  return taken;
}

// A client and what it has been told.
class Peer {
 public:
  Peer(Common& common, tree::DomainId domain) : client(common, domain) {}

  // Takes what waits: events are kept, replies returned.
  std::vector<Message> receive() {
    std::vector<Message> all, replies;
    const auto bytes = split(client.output(), all);
    EXPECT_EQ(bytes, client.output().size()) << "only whole messages are sent";
    client.sent(bytes);
    for (auto& message : all) {
      if (message.is(Operation::watch_event)) {
        EXPECT_EQ(message.header.request, 0u);
        EXPECT_EQ(message.header.transaction, 0u);
        events_.push_back(zeros_to_bars(message.payload));
      } else {
        replies.push_back(std::move(message));
      }
    }
    return replies;
  }

  std::string ask(std::uint32_t type, std::string payload, std::uint32_t transaction = 0) {
    const auto request = ++request_;
    const auto bytes = frame(type, bars_to_zeros(std::move(payload)), transaction, request);
    EXPECT_EQ(client.take(bytes), bytes.size());
    const auto replies = receive();
    if (replies.size() != 1) return fmt::format("{} replies", replies.size());
    const auto& reply = replies.front();
    EXPECT_EQ(reply.header.request, request);
    EXPECT_EQ(reply.header.transaction, transaction);
    if (reply.is(Operation::error)) {
      EXPECT_TRUE(reply.payload.ends_with('\0'));
      return "!" + reply.payload.substr(0, reply.payload.size() - 1);
    }
    EXPECT_EQ(reply.header.type, type);
    return zeros_to_bars(reply.payload);
  }
  std::string ask(Operation type, std::string payload, std::uint32_t transaction = 0) {
    return ask(static_cast<std::uint32_t>(type), std::move(payload), transaction);
  }
  // The id of a new transaction.
  std::uint32_t begin() {
    const auto id = ask(Operation::transaction_start, "|");
    return id.starts_with('!') ? 0 : static_cast<std::uint32_t>(std::stoul(id));
  }
  // What was told since the last time.
  std::vector<std::string> events() {
    EXPECT_TRUE(receive().empty());
    return std::exchange(events_, {});
  }

  Client client;

 private:
  std::uint32_t request_ = 100;
  std::vector<std::string> events_;
};

using Lines = std::vector<std::string>;

class World : public ::testing::Test {
 protected:
  World() {
    // So that domains can be told that something is not there.
    store_.keep([](auto& keeper) {
      keeper.set_permissions(tree::Path::root(), {{.domain = 0, .rights = tree::Rights::read}});
    });
    store_.listen([this](const tree::Commit& commit) { common_.announcements.of(commit); });
  }

  std::set<tree::DomainId> domains_{1, 2, 3, 4, 5};
  tree::Store store_;
  Common common_{store_, Services{.exists = [this](tree::DomainId id) { return domains_.contains(id); }}, DoorLimits{}};
  Peer zero_{common_, 0};
};

}  // namespace vireo::doors::xenstore::testing
