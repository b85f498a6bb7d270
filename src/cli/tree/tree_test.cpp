// The client of the tree against servers that behave and such that do not, and what it prints.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <boost/json/serialize.hpp>

#include <cstring>
#include <thread>

#include "base/fd.hpp"
#include "base/test_files.hpp"
#include "base/test_socket.hpp"
#include "cli/tree/operations.hpp"
#include "cli/tree/picture.hpp"
#include "cli/tree/sentences.hpp"

namespace vireo::cli::tree {
namespace {

using namespace std::string_literals;

struct Request {
  xsd_sockmsg header;
  std::string payload;
};

std::string frame(std::uint32_t type, std::uint32_t request, std::string_view payload) {
  const xsd_sockmsg header{
      .type = type, .req_id = request, .tx_id = 0, .len = static_cast<std::uint32_t>(payload.size())};
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + std::string(payload);
}
std::string reply(const Request& request, std::string_view payload) {
  return frame(request.header.type, request.header.req_id, payload);
}
std::string error(const Request& request, std::string_view name) {
  return frame(XS_ERROR, request.header.req_id, std::string(name) + '\0');
}

// One connection, each of whose requests is answered with the bytes that `answer` makes of it; no bytes: it is closed.
class Server {
 public:
  using Respond = std::function<std::string(const Request&)>;
  explicit Server(Respond respond) {
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    thread_ = std::thread([this, respond = std::move(respond)] {
      const Fd client(::accept(listener_.get(), nullptr, nullptr));
      for (Request request; read(client.get(), request);) {
        asked.push_back(request);
        const auto bytes = respond(request);
        if (bytes.empty()) return;
        EXPECT_EQ(::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
      }
    });
  }
  ~Server() { join(); }
  // After the client has gone: `asked` may be looked at.
  void join() {
    if (thread_.joinable()) thread_.join();
  }

  const tests::Folder folder;
  const std::string path = folder.file("sock");
  std::vector<Request> asked;

 private:
  static bool read(int fd, Request& request) {
    if (::recv(fd, &request.header, sizeof request.header, MSG_WAITALL) != sizeof request.header) return false;
    request.payload.resize(request.header.len);
    return request.header.len == 0 ||
           ::recv(fd, request.payload.data(), request.payload.size(), MSG_WAITALL) == request.header.len;
  }

  const Fd listener_ = tests::bound_to(path);
  std::thread thread_;
};

std::string error_of(const auto& result) { return result ? "no error" : result.error().message(); }

TEST(Operations, AreWordsWithQuotes) {
  const auto parsed = [](std::string_view line) {
    auto operation = parse_operation(line);
    if (!operation) return operation.error().message();
    if (!*operation) return "nothing"s;
    const char* verb = (*operation)->verb == Operation::Verb::get   ? "get"
                       : (*operation)->verb == Operation::Verb::set ? "set"
                                                                    : "rm";
    return fmt::format("{}|{}|{}", verb, (*operation)->path, (*operation)->value);
  };
  EXPECT_EQ(parsed("get /a"), "get|/a|");
  EXPECT_EQ(parsed("  rm\t/a \r"), "rm|/a|");
  EXPECT_EQ(parsed("set /a -1"), "set|/a|-1");
  EXPECT_EQ(parsed("set /a 'it is\\n'"), "set|/a|it is\\n");
  EXPECT_EQ(parsed(R"(set /a "a\n\t\\\"\x41"b'c d')"), "set|/a|a\n\t\\\"Abc d");
  EXPECT_EQ(parsed("set /a ''"), "set|/a|");
  EXPECT_EQ(parsed(""), "nothing");
  EXPECT_EQ(parsed(" # set /a 1"), "nothing");
  for (const char* bad : {"get", "get /a /b", "set /a", "set /a 1 2", "put /a 1", "set /a 'x", "set /a \"x", "\"\\",
                          R"(set /a "\q")", R"(set /a "\x4")", R"(set /a "\xgg")"})
    EXPECT_TRUE(parsed(bad).starts_with(fmt::format("'{}'", bad))) << parsed(bad);
}

TEST(Values, AreShownOnOneLine) {
  EXPECT_EQ(on_one_line("plain ä € 𝄞"), "plain ä € 𝄞");
  EXPECT_EQ(on_one_line("a\nb\tc\\d\x1b[1m\x7f"), "a\\nb\\tc\\\\d\\x1b[1m\\x7f");
  EXPECT_EQ(on_one_line(std::string_view("\0", 1)), "\\x00");
  // A control of the upper half, half a character, a form too long, a surrogate.
  EXPECT_EQ(on_one_line("\xc2\x9b"), "\\xc2\\x9b");
  EXPECT_EQ(on_one_line("a\xe2\x82"), "a\\xe2\\x82");
  EXPECT_EQ(on_one_line("\xc0\xaf\xed\xa0\x80"), "\\xc0\\xaf\\xed\\xa0\\x80");
  EXPECT_TRUE(is_utf8("ä€𝄞"));
  for (const char* bad : {"\xff", "a\xe2\x82", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"})
    EXPECT_FALSE(is_utf8(bad));
}

TEST(Sentences, NameTheThingAndTheRemedy) {
  const auto said = [](const char* refusal, const char* verb, const char* path) {
    return Error(refused(refusal, verb, path).error()).message();
  };
  EXPECT_EQ(said("ENOENT", "get", "/x"), "no node '/x'");
  EXPECT_EQ(said("ENOENT", "rm", "/x/y"), "no node '/x'") << "the parent is what is missing";
  EXPECT_TRUE(
      said("EROFS", "set", "/local/domain/3/name").starts_with("'/local/domain/3/name' belongs to a running guest; "));
  EXPECT_TRUE(said("EINVAL", "set", "/x/").starts_with("'/x/' is no path"));
  EXPECT_TRUE(said("EINVAL", "rm", "/").starts_with("the root cannot be removed"));
  EXPECT_EQ(said("EWHATEVER", "get", "/x"), "'get /x': the tree refuses it (EWHATEVER)");
}

Node sample() {
  return {.name = "",
          .permissions = {"n0"},
          .children = {{.name = "a", .value = "x\ny", .permissions = {"n0", "r3"}, .children = {{.name = "b"}}},
                       {.name = "c", .value = "\xff"}}};
}

TEST(Drawing, ShowsTheTree) {
  EXPECT_EQ(drawn(sample(), {}),
            "n0     /\n"
            "n0,r3  |-- a = \"x\\ny\"\n"
            "       |   `-- b\n"
            "       `-- c = \"\\xff\"\n");
  auto bare = sample();
  bare.permissions.clear();
  bare.children[0].permissions.clear();
  EXPECT_EQ(drawn(bare, {.plain = false}), "/\n├── a = \"x\\ny\"\n│   └── b\n└── c = \"\\xff\"\n");
  bare.children[0].value = "ä long one";
  EXPECT_EQ(drawn(bare, {.plain = false, .columns = 12}), "/\n├── a = \"ä …\n│   └── b\n└── c = \"\\x…\n");
  EXPECT_EQ(flat(sample(), "/"), "/ = \"\"  (n0)\n/a = \"x\\ny\"  (n0,r3)\n/a/b = \"\"\n/c = \"\\xff\"\n");
  EXPECT_EQ(boost::json::serialize(as_json(sample().children[1])),
            R"({"name":"c","value_hex":"ff","permissions":[],"children":[]})");
}

TEST(TreeConnection, EventsBetweenAnswersAreKept) {
  Server server([](const Request& request) {
    return frame(XS_WATCH_EVENT, 0, "/a\0t\0"s) + reply(request, "value") + frame(XS_WATCH_EVENT, 0, "/b\0u\0"s);
  });
  auto connection = Connection::open(server.path);
  ASSERT_TRUE(connection);
  const auto answer = connection->ask(Kind::read, terminated("/x"));
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->text, "value");
  for (const auto& [path, token] : {std::pair("/a", "t"), std::pair("/b", "u")}) {
    const auto event = connection->next_event();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->path, path);
    EXPECT_EQ(event->token, token);
  }
}

class StrangersAtTheTree : public ::testing::TestWithParam<Server::Respond> {};

TEST_P(StrangersAtTheTree, AreToldFromTheTree) {
  Server server(GetParam());
  auto connection = Connection::open(server.path);
  ASSERT_TRUE(connection);
  const auto answer = connection->ask(Kind::read, terminated("/x"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, VIR_ERR_SYSTEM_ERROR);
}

INSTANTIATE_TEST_SUITE_P(Kinds, StrangersAtTheTree,
                         ::testing::Values([](const Request&) { return std::string(); },
                                           [](const Request&) { return "HTTP/1.1 400 Bad Request\r\n\r\n"s; },
                                           [](const Request& r) { return frame(XS_READ, r.header.req_id + 1, "x"); },
                                           [](const Request& r) { return frame(XS_WRITE, r.header.req_id, "x"); },
                                           [](const Request&) { return frame(XS_WATCH_EVENT, 0, "no zero"); },
                                           [](const Request& r) {
                                             return reply(r, std::string(XENSTORE_PAYLOAD_MAX + 1, 'x'));
                                           }));

// Answers as a tree would in which `path` cannot be read, and in which the first commits are lost.
class TreeTransactions : public ::testing::Test {
 protected:
  std::string respond(const Request& request) {
    switch (request.header.type) {
      case XS_TRANSACTION_START:
        return reply(request, std::to_string(++last_) + '\0');
      case XS_TRANSACTION_END:
        if (request.payload == "T\0"s && lost_ > 0) {
          --lost_;
          return error(request, "EAGAIN");
        }
        break;
      case XS_READ:
        if (request.payload == "/missing\0"s) return error(request, "ENOENT");
        return reply(request, "of " + std::to_string(request.header.tx_id));
      default:
        break;
    }
    return reply(request, "OK\0"s);
  }

  unsigned last_ = 0, lost_ = 0;
  Server server_{[this](const Request& request) { return respond(request); }};
};

TEST_F(TreeTransactions, BeginAnewUntilTheyAreNotLost) {
  lost_ = 3;
  {
    auto connection = Connection::open(server_.path);
    const auto got = perform(*connection, {{.verb = Operation::Verb::get, .path = "/a"},
                                           {.verb = Operation::Verb::set, .path = "/b", .value = "1"}});
    ASSERT_TRUE(got) << got.error().message();
    EXPECT_EQ(*got, std::vector{"of 4"s}) << "what the last attempt was told";
  }
  server_.join();
  EXPECT_EQ(server_.asked.size(), 4U * 4);
  EXPECT_EQ(server_.asked[2].payload,
            "/b\0"
            "1"s);
}

TEST_F(TreeTransactions, AreGivenUpSomeTime) {
  lost_ = 1'000'000;
  auto connection = Connection::open(server_.path);
  const auto got = perform(
      *connection, {{.verb = Operation::Verb::get, .path = "/a"}, {.verb = Operation::Verb::remove, .path = "/b"}});
  EXPECT_NE(error_of(got).find("nothing has been changed; try again"), std::string::npos) << error_of(got);
}

TEST_F(TreeTransactions, EndWithoutEffectWhenOnePartFails) {
  {
    auto connection = Connection::open(server_.path);
    const auto got = perform(*connection, {{.verb = Operation::Verb::set, .path = "/b", .value = "1"},
                                           {.verb = Operation::Verb::get, .path = "/missing"}});
    EXPECT_EQ(error_of(got), "no node '/missing'");
  }
  server_.join();
  EXPECT_EQ(server_.asked.back().header.type, static_cast<std::uint32_t>(XS_TRANSACTION_END));
  EXPECT_EQ(server_.asked.back().payload, "F\0"s);
}

TEST_F(TreeTransactions, AreNotNeededForOneThing) {
  {
    auto connection = Connection::open(server_.path);
    EXPECT_EQ(perform(*connection, {{.verb = Operation::Verb::get, .path = "/a"}}).value(), std::vector{"of 0"s});
    const auto long_one =
        perform(*connection, {{.verb = Operation::Verb::set, .path = "/a", .value = std::string(4094, 'x')}});
    EXPECT_NE(error_of(long_one).find("4096 bytes together"), std::string::npos) << "it is not even sent";
  }
  server_.join();
  EXPECT_EQ(server_.asked.size(), 1U);
}

// A node with more children than one answer can list; while the first attempt lists them, they change.
TEST(LongListings, AreReadInPartsOfOneGeneration) {
  std::string names;
  for (int i = 0; i < 1000; ++i) names += std::to_string(i) + '\0';
  unsigned parts = 0, begun = 0;
  Server server([&](const Request& request) {
    const auto path = request.payload.substr(0, request.payload.find('\0'));
    switch (request.header.type) {
      case XS_TRANSACTION_START:
        return reply(request, std::to_string(++begun) + '\0');
      case XS_DIRECTORY:
        return path == "/" ? error(request, "E2BIG") : reply(request, "");
      case XS_DIRECTORY_PART: {
        const auto from = std::stoul(request.payload.substr(path.size() + 1));
        const auto piece = names.substr(from, names.find('\0', std::min(from + 3000, names.size() - 1)) + 1 - from);
        const std::string generation = ++parts == 1 ? "7" : "8";
        return reply(request, generation + '\0' + piece + (from + piece.size() == names.size() ? "\0"s : ""s));
      }
      case XS_READ:
        return reply(request, "");
      default:
        return reply(request, "OK\0"s);
    }
  });
  auto connection = Connection::open(server.path);
  const auto node = read_part(*connection, "/", false);
  ASSERT_TRUE(node) << node.error().message();
  ASSERT_EQ(node->children.size(), 1000U);
  EXPECT_EQ(node->children[999].name, "999");
  EXPECT_EQ(begun, 2U);
}

}  // namespace
}  // namespace vireo::cli::tree
