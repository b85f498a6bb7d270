// vireo tree: what the tree holds, drawn; its nodes, read, changed and watched.
#include <boost/json/array.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "cli/tree/connection.hpp"
#include "cli/tree/operations.hpp"
#include "cli/tree/picture.hpp"
#include "cli/tree/sentences.hpp"

namespace vireo::cli {

using tree::Connection;
using tree::Kind;
using tree::Operation;

namespace {

Result<Connection> connect(const Where& where, const std::string& own_socket) {
  const auto path = own_socket.empty() ? where.tree_socket_path() : own_socket;
  auto connection = Connection::open(path);
  if (connection || connection.error().code != VIR_ERR_NO_CONNECT) return connection;
  const auto& why = connection.error().detail;
  if (why == std::strerror(EACCES))
    return fail(VIR_ERR_SYSTEM_ERROR,
                fmt::format("no permission to use the tree's socket {}; run as root, or as a member of vireod's "
                            "libvirt_socket_group",
                            path));
  return fail(VIR_ERR_SYSTEM_ERROR,
              fmt::format("nobody listens at {} ({}): vireod does not run, or its configuration says xenstore = false; "
                          "start it with {}",
                          path, why, where.start_command()));
}

void print_values(const std::vector<Operation>& operations, const std::vector<std::string>& values,
                  const TreeRequest& request) {
  json::array list;
  auto value = values.begin();
  for (const auto& operation : operations) {
    if (operation.verb != Operation::Verb::get) continue;
    json::object row{{"path", operation.path}};
    tree::put_value(row, *value);
    list.push_back(std::move(row));
    if (request.raw)
      std::fwrite(value->data(), 1, value->size(), stdout);
    else if (!request.as_json)
      std::puts(tree::on_one_line(*value).c_str());
    ++value;
  }
  if (request.as_json) print_json({{"values", std::move(list)}});
}

Result<void> perform(const Where& where, const TreeRequest& request, const std::vector<Operation>& operations) {
  auto connection = connect(where, request.socket);
  if (!connection) return pass_on(connection);
  auto values = tree::perform(*connection, operations);
  if (!values) return pass_on(values);
  print_values(operations, *values, request);
  return {};
}

std::vector<Operation> on_each(const std::vector<std::string>& paths, Operation::Verb verb) {
  std::vector<Operation> operations;
  operations.reserve(paths.size());
  for (const auto& path : paths) operations.push_back({.verb = verb, .path = path});
  return operations;
}

Result<std::vector<std::string>> lines_of(const std::vector<std::string>& words) {
  std::vector<std::string> lines;
  for (const auto& word : words) {
    if (word != "-") {
      lines.push_back(word);
      continue;
    }
    for (std::string line; std::getline(std::cin, line);) lines.push_back(line);
    if (std::cin.bad()) return fail_errno(errno, "cannot read standard input");
  }
  return lines;
}

// What the node at an event's path is now; the event itself does not tell.
Result<void> print_event(Connection& connection, const std::string& path, bool as_json) {
  std::optional<std::string> value;
  if (path.starts_with('/')) {
    auto now = connection.ask(Kind::read, tree::terminated(path));
    if (!now) return pass_on(now);
    if (now->refused && now->text != "ENOENT") return tree::refused(now->text, "get", path);
    if (!now->refused) value = std::move(now->text);
  }
  if (as_json) {
    json::object line{{"path", path}};
    if (value)
      tree::put_value(line, *value);
    else
      line["value"] = nullptr;
    print_json(line);
  } else if (value) {
    fmt::print("{} = \"{}\"\n", path, tree::on_one_line(*value));
  } else {
    fmt::print("{}{}\n", path, path.starts_with('/') ? " is not there" : "");
  }
  std::fflush(stdout);
  return {};
}

}  // namespace

Result<void> tree_ls(const Where& where, const TreeRequest& request) {
  auto connection = connect(where, request.socket);
  if (!connection) return pass_on(connection);
  const auto path = request.words.empty() ? std::string("/") : request.words.front();
  auto part = tree::read_part(*connection, path, request.with_permissions || request.as_json);
  if (!part) return pass_on(part);
  if (request.as_json) {
    auto answer = as_json(*part);
    answer["path"] = path;
    print_json(answer);
  } else if (request.flat) {
    std::fputs(flat(*part, path).c_str(), stdout);
  } else {
    if (path != "/") part->name = path;
    const bool plain = !shows_blocks();
    std::fputs(drawn(*part, {.plain = plain, .columns = is_terminal() ? terminal_size().columns : 0}).c_str(), stdout);
  }
  return {};
}

Result<void> tree_get(const Where& where, const TreeRequest& request) {
  return perform(where, request, on_each(request.words, Operation::Verb::get));
}

Result<void> tree_set(const Where& where, const TreeRequest& request) {
  if (request.words.size() % 2 != 0)
    return fail(VIR_ERR_SYSTEM_ERROR, fmt::format("'{}' has no value; an empty one is ''", request.words.back()));
  std::vector<Operation> operations;
  operations.reserve(request.words.size() / 2);
  for (std::size_t i = 0; i < request.words.size(); i += 2)
    operations.push_back({.verb = Operation::Verb::set, .path = request.words[i], .value = request.words[i + 1]});
  return perform(where, request, operations);
}

Result<void> tree_remove(const Where& where, const TreeRequest& request) {
  return perform(where, request, on_each(request.words, Operation::Verb::remove));
}

Result<void> tree_transaction(const Where& where, const TreeRequest& request) {
  auto lines = lines_of(request.words);
  if (!lines) return pass_on(lines);
  std::vector<Operation> operations;
  for (const auto& line : *lines) {
    auto operation = tree::parse_operation(line);
    if (!operation) return pass_on(operation);
    if (*operation) operations.push_back(std::move(**operation));
  }
  if (operations.empty()) return {};
  return perform(where, request, operations);
}

Result<void> tree_watch(const Where& where, const TreeRequest& request) {
  auto connection = connect(where, request.socket);
  if (!connection) return pass_on(connection);
  for (std::size_t i = 0; i < request.words.size(); ++i) {
    auto payload = tree::terminated(request.words[i]) + tree::terminated(std::to_string(i));
    if (request.depth) payload += tree::terminated(std::to_string(*request.depth));
    auto watching = connection->ask(Kind::watch, std::move(payload));
    if (!watching) return pass_on(watching);
    if (watching->refused) return tree::refused(watching->text, "watch", request.words[i]);
  }
  // Each watch begins with an event of its own path: what is there now, and no change.
  std::set<std::string> begun;
  for (unsigned changes = 0; request.count == 0 || changes < request.count;) {
    auto event = connection->next_event();
    if (!event) return pass_on(event);
    if (!begun.insert(event->token).second) ++changes;
    if (auto printed = print_event(*connection, event->path, request.as_json); !printed) return printed;
  }
  return {};
}

}  // namespace vireo::cli
