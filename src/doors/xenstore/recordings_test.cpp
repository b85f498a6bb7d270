// The scripts of tests/golden/xenstore, played to clients of this door and compared with what Xen's xenstored answered
// (NAME.c.txt; tools/record-xenstore says how scripts and recordings are written). Where Vireo answers otherwise on
// purpose, NAME.differences has the request with Vireo's answers and above it why: no other difference may be there,
// and all of those must be.
//
// VIREO_SHOW_DIFFERENCES=1 prints what stands in the way, in the form of that file.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <sstream>

#include "doors/xenstore/test_world.hpp"

namespace vireo::doors::xenstore::testing {
namespace {

namespace fs = std::filesystem;

const fs::path& folder() {
  static const fs::path path = fs::path(VIREO_SOURCE_DIR) / "tests/golden/xenstore";
  return path;
}

Lines lines_of(const fs::path& path) {
  std::ifstream file(path);
  Lines lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// A request and what came of it.
struct Block {
  std::string request;
  Lines answers;
  bool operator==(const Block&) const = default;
};

std::vector<Block> blocks_of(const fs::path& path) {
  std::vector<Block> blocks;
  for (const auto& line : lines_of(path)) {
    if (line.starts_with("    "))
      blocks.back().answers.push_back(line.substr(4));
    else if (!line.empty() && !line.starts_with('#'))
      blocks.push_back({line, {}});
  }
  return blocks;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

class Player {
 public:
  Player() {
    store_.listen([this](const tree::Commit& commit) { common_.announcements.of(commit); });
    // What Xen's daemons begin with.
    store_.keep([](auto& keeper) { keeper.write(*tree::Path::parse("/tool/xenstored"), ""); });
  }

  Block play(const std::string& line) {
    static const std::regex form(R"((?:repeat (\d+) )?(\w+)(?:@(\w+))? (\S+)(?: (.*?))?(?: -> (\w+))?)");
    std::smatch words;
    if (!std::regex_match(line, words, form)) {
      ADD_FAILURE() << "what is this? " << line;
      return {line, {}};
    }
    const std::string name = words[2], transaction_name = words[3], operation = words[4], payload = words[5];
    Block block{line, {}};
    if (operation == "close") {
      connections_.erase(std::ranges::find(connections_, name, &Connection::name));
      settle(name, block.answers);
      return block;
    }
    const auto known = transactions_.find(transaction_name);
    const auto transaction = known != transactions_.end() ? known->second
                             : transaction_name.empty()   ? 0
                                                          : static_cast<std::uint32_t>(std::stoul(transaction_name));
    const int times = words[1].matched ? std::stoi(words[1]) : 1;
    std::vector<std::pair<Lines, int>> seen;
    for (int i = 0; i < times; ++i) {
      Lines lines;
      std::optional<Message> answer;
      exchange(name, type_of(operation), transaction, bytes_of(payload, i), lines, answer);
      if (words[6].matched && answer && !answer->is(Operation::error)) {
        transactions_[words[6]] = static_cast<std::uint32_t>(std::stoul(answer->payload));
        lines.back() = fmt::format("{} <{}>|", operation, words[6].str());
      }
      // An event may be of the request before.
      if (words[1].matched)
        for (const auto& [number, sign] : {std::pair(i, "{i}"), std::pair(i - 1, "{i-1}")})
          for (auto& one : lines) {
            const std::regex alone(fmt::format("([^0-9]){}(?![0-9])", number));
            one = std::regex_replace(one.insert(0, " "), alone, fmt::format("$1{}", sign)).substr(1);
          }
      const auto same = std::ranges::find(seen, lines, &std::pair<Lines, int>::first);
      if (same == seen.end())
        seen.emplace_back(lines, 1);
      else
        ++same->second;
      if (!answer) break;
    }
    for (const auto& [lines, count] : seen)
      for (const auto& one : lines)
        block.answers.push_back(words[1].matched ? fmt::format("{} ({} times)", one, count) : one);
    settle(name, block.answers);
    return block;
  }

 private:
  struct Connection {
    std::string name;
    std::unique_ptr<Client> client;
  };

  static std::uint32_t type_of(const std::string& operation) {
    if (operation.starts_with("type:")) return static_cast<std::uint32_t>(std::stoul(operation.substr(5)));
    for (std::uint32_t number = 0; number < operation_count; ++number)
      if (operation_name(number) == operation) return number;
    ADD_FAILURE() << operation;
    return 0;
  }

  static std::string bytes_of(std::string text, int number) {
    text = replaced(replaced(std::move(text), "{i}", std::to_string(number)), "{scratch}", "/nowhere");
    std::string bytes;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text[at] == '{' && text.substr(at + 2, 1) == "*") {
        const auto end = text.find('}', at + 3);
        bytes.append(std::stoul(text.substr(at + 3, end - at - 3)), text[at + 1] == '|' ? '\0' : text[at + 1]);
        at = end;
      } else if (text.compare(at, 2, "\\x") == 0) {
        bytes.push_back(static_cast<char>(std::stoul(text.substr(at + 2, 2), nullptr, 16)));
        at += 3;
      } else {
        bytes.push_back(text[at] == '|' ? '\0' : text[at]);
      }
    }
    return bytes;
  }

  static std::string text_of(std::string_view payload) {
    std::string text;
    for (const char c : payload)
      text += c == '\0'             ? std::string("|")
              : c < ' ' || c == 127 ? fmt::format("\\x{:02x}", static_cast<unsigned char>(c))
                                    : std::string(1, c);
    std::string shorter;
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find_first_not_of(text[at], at), text.size());
      shorter.append(end - at >= 16 ? fmt::format("{{{}*{}}}", text[at], end - at) : text.substr(at, end - at));
      at = end;
    }
    return replaced(shorter, "/nowhere", "{scratch}");
  }

  std::string shown(const Message& message) {
    auto text = text_of(message.payload);
    if (message.is(Operation::directory_part)) {
      const auto bar = text.find('|');
      const auto number = text.substr(0, bar);
      const auto name = generations_.try_emplace(number, fmt::format("<G{}>", generations_.size() + 1)).first->second;
      text.replace(0, bar, name);
    }
    if (message.is(Operation::transaction_start)) text = "<number>|";
    if (text.size() > 400)
      text =
          fmt::format("{} … {} ({} bytes)", text.substr(0, 150), text.substr(text.size() - 60), message.payload.size());
    text = fmt::format("{} {}", operation_name(message.header.type), text);
    text.resize(text.find_last_not_of(' ') + 1);
    return text;
  }

  Client& connection(const std::string& name) {
    const auto found = std::ranges::find(connections_, name, &Connection::name);
    if (found != connections_.end()) return *found->client;
    const bool domain = name.size() > 1 && name[0] == 'd';
    const auto id = domain ? static_cast<tree::DomainId>(std::stoul(name.substr(1))) : 0;
    connections_.push_back({name, std::make_unique<Client>(common_, id)});
    return *connections_.back().client;
  }

  // What has come; up to the answer only, if one is waited for.
  void receive(Client& client, Lines& lines, std::optional<Message>* answer) {
    while (!client.output().empty()) {
      Message message;
      EXPECT_EQ(look(client.output(), message.header), Front::whole);
      message.payload = client.output().substr(sizeof(Header), message.header.length);
      client.sent(sizeof(Header) + message.header.length);
      lines.push_back(shown(message));
      if (answer && !message.is(Operation::watch_event)) {
        *answer = std::move(message);
        return;
      }
    }
  }

  void exchange(const std::string& name, std::uint32_t type, std::uint32_t transaction, const std::string& payload,
                Lines& lines, std::optional<Message>& answer) {
    auto& client = connection(name);
    client.take(frame(type, payload, transaction));
    receive(client, lines, &answer);
    if (answer) return;
    lines.emplace_back("(closed)");
    connections_.erase(std::ranges::find(connections_, name, &Connection::name));
  }

  void settle(const std::string& asked, Lines& answers) {
    for (auto& [name, client] : connections_) {
      Lines lines;
      receive(*client, lines, nullptr);
      for (const auto& line : lines) answers.push_back(name == asked ? line : fmt::format("{}: {}", name, line));
    }
  }

  tree::Store store_;
  Common common_{store_, Services{.exists = [](tree::DomainId id) { return id >= 1 && id <= 4; }}, DoorLimits{}};
  std::vector<Connection> connections_;
  std::map<std::string, std::uint32_t> transactions_;
  std::map<std::string, std::string> generations_;
};

std::string text_of(const Block& block) {
  std::string text = block.request + "\n";
  for (const auto& answer : block.answers) text += "    " + answer + "\n";
  return text;
}

// In which order children are listed is nobody's promise, nor what a node takes.
Block comparable(Block block) {
  for (auto& answer : block.answers) {
    static const std::regex memory("(memory +: +)\\d+");
    answer = std::regex_replace(answer, memory, "$1<bytes>");
    static const std::regex listing(R"((DIRECTORY |DIRECTORY_PART <G\d+>\|)([^()]*))");
    std::smatch parts;
    if (!std::regex_match(answer, parts, listing)) continue;
    Lines names;
    std::stringstream text(parts[2]);
    for (std::string name; std::getline(text, name, '|');) names.push_back(name);
    std::ranges::sort(names);
    answer = fmt::format("{}{}", parts[1].str(), fmt::join(names, "|"));
  }
  return block;
}

class Recordings : public ::testing::TestWithParam<std::string> {};

TEST_P(Recordings, AreAnsweredAlikeButWhereItIsIntended) {
  const auto recorded = blocks_of(folder() / (GetParam() + ".c.txt"));
  const auto differences = folder() / (GetParam() + ".differences");
  const auto intended = fs::exists(differences) ? blocks_of(differences) : std::vector<Block>();
  const bool show = std::getenv("VIREO_SHOW_DIFFERENCES") != nullptr;
  ASSERT_FALSE(recorded.empty());
  Player player;
  auto next = intended.begin();
  for (const auto& expected : recorded) {
    const auto block = player.play(expected.request);
    if (comparable(block) == comparable(expected)) continue;
    if (next != intended.end() && comparable(*next) == comparable(block)) {
      ++next;
      continue;
    }
    if (show)
      fmt::print("{}: {}#   xenstored: {}\n", GetParam(), text_of(block), fmt::join(expected.answers, "; "));
    else
      ADD_FAILURE() << GetParam() << ": " << text_of(block) << "xenstored answered\n" << text_of(expected);
  }
  if (next != intended.end()) ADD_FAILURE() << "intended, but not so:\n" << text_of(*next);
}

Lines scripts() {
  Lines names;
  for (const auto& entry : fs::directory_iterator(folder()))
    if (entry.path().extension() == ".script") names.push_back(entry.path().stem());
  std::ranges::sort(names);
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, Recordings, ::testing::ValuesIn(scripts()), [](const auto& info) {
  auto name = info.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace vireo::doors::xenstore::testing
