// Reading breadth first, a parcel of questions for each level; drawing.
#include "cli/tree/picture.hpp"

#include <boost/json/array.hpp>

#include "cli/table.hpp"
#include "cli/tree/operations.hpp"
#include "cli/tree/sentences.hpp"

namespace vireo::cli::tree {
namespace {

// "a\0b\0" as its parts.
std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find('\0'), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

struct Place {
  Node* node;
  std::string path;
};

std::string below(const std::string& path, const std::string& name) { return (path == "/" ? "" : path) + "/" + name; }

// Reads within one transaction. Inside, a node that was listed is there; where a server thinks otherwise, or says that
// a list has changed under way, the picture is of no one moment: nothing is returned.
class Reading {
 public:
  Reading(Connection& connection, std::uint32_t transaction, bool with_permissions)
      : connection_(connection), transaction_(transaction), with_permissions_(with_permissions) {}

  Result<std::optional<Node>> read(const std::string& path) {
    Node top{.name = path.substr(path.rfind('/') + 1)};
    std::vector<Place> level{{.node = &top, .path = path}};
    for (bool first = true; !level.empty(); first = false) {
      auto next = read_level(level, first);
      if (!next) return pass_on(next);
      if (!*next) return std::nullopt;
      level = std::move(**next);
    }
    return top;
  }

 private:
  using Level = std::vector<Place>;

  Result<std::optional<Level>> read_level(const Level& level, bool first) {
    const std::size_t each = with_permissions_ ? 3 : 2;
    std::vector<Question> questions;
    questions.reserve(level.size() * each);
    for (const auto& place : level) {
      questions.push_back({.kind = Kind::read, .payload = terminated(place.path)});
      questions.push_back({.kind = Kind::directory, .payload = terminated(place.path)});
      if (with_permissions_) questions.push_back({.kind = Kind::get_permissions, .payload = terminated(place.path)});
    }
    auto answers = connection_.ask_all(questions, transaction_);
    if (!answers) return pass_on(answers);
    Level next;
    for (std::size_t i = 0; i < level.size(); ++i) {
      const auto& [node, path] = level[i];
      for (std::size_t question = i * each; question < (i + 1) * each; ++question) {
        const auto& answer = (*answers)[question];
        if (!answer.refused || (questions[question].kind == Kind::directory && answer.text == "E2BIG")) continue;
        if (!first && answer.text == "ENOENT") return std::nullopt;
        return refused(answer.text, "ls", path);
      }
      node->value = std::move((*answers)[i * each].text);
      const auto& listing = (*answers)[i * each + 1];
      auto names = listing.refused ? list_in_parts(path) : parts_of(listing.text);
      if (!names) return pass_on(names);
      if (!*names) return std::nullopt;
      if (with_permissions_) node->permissions = parts_of((*answers)[i * each + 2].text);
      node->children.reserve((*names)->size());
      for (auto& name : **names) {
        auto& child = node->children.emplace_back(std::move(name));
        next.push_back({.node = &child, .path = below(path, child.name)});
      }
    }
    return next;
  }

  // What passes 4096 bytes, piece by piece: each begins with the node's generation, and after the last name stands an
  // empty one.
  Result<std::optional<std::vector<std::string>>> list_in_parts(const std::string& path) {
    std::string names, generation;
    for (;;) {
      auto part = connection_.ask(Kind::directory_part, terminated(path) + terminated(std::to_string(names.size())),
                                  transaction_);
      if (!part) return pass_on(part);
      if (part->refused) return refused(part->text, "ls", path);
      const auto end = part->text.find('\0');
      if (end == std::string::npos) return refused("no generation of the list", "ls", path);
      auto its_generation = part->text.substr(0, end);
      if (names.empty())
        generation = std::move(its_generation);
      else if (its_generation != generation)
        return std::nullopt;
      const auto piece = std::string_view(part->text).substr(end + 1);
      const bool last =
          piece.empty() || piece == std::string_view("\0", 1) || piece.ends_with(std::string_view("\0\0", 2));
      names += last ? piece.substr(0, piece.size() - std::min<std::size_t>(1, piece.size())) : piece;
      if (!last) continue;
      auto all = parts_of(names);
      std::ranges::sort(all);  // very many come in any order
      return all;
    }
  }

  Connection& connection_;
  const std::uint32_t transaction_;
  const bool with_permissions_;
};

// So many columns of a line of UTF-8.
std::string cut(std::string line, std::size_t columns, bool plain) {
  if (columns == 0 || width_of(line) <= columns) return line;
  const std::string_view end = plain ? "..." : "…";
  const auto keep = columns - std::min(columns, width_of(end));
  std::size_t at = 0;
  for (std::size_t seen = 0; at < line.size(); ++at)
    if ((static_cast<unsigned char>(line[at]) & 0xc0) != 0x80 && seen++ == keep) break;
  return line.substr(0, at) + std::string(end);
}

class Drawing {
 public:
  Drawing(const Node& node, const Frame& frame) : frame_(frame) {
    measure(node);
    draw(node, "", "");
  }
  std::string text() && { return std::move(text_); }

 private:
  static std::string permissions_of(const Node& node) { return fmt::format("{}", fmt::join(node.permissions, ",")); }

  void measure(const Node& node) {
    permissions_width_ = std::max(permissions_width_, permissions_of(node).size());
    for (const auto& child : node.children) measure(child);
  }

  // `before` stands before the node's own name, `beside` before those of its children.
  void draw(const Node& node, const std::string& before, const std::string& beside) {
    std::string line;
    if (permissions_width_ > 0) line = fmt::format("{:<{}}  ", permissions_of(node), permissions_width_);
    line += before + (node.name.empty() ? "/" : node.name);
    if (!node.value.empty()) line += fmt::format(" = \"{}\"", on_one_line(node.value));
    text_ += cut(std::move(line), frame_.columns, frame_.plain) + "\n";
    for (const auto& child : node.children) {
      const bool last = &child == &node.children.back();
      if (frame_.plain)
        draw(child, beside + (last ? "`-- " : "|-- "), beside + (last ? "    " : "|   "));
      else
        draw(child, beside + (last ? "└── " : "├── "), beside + (last ? "    " : "│   "));
    }
  }

  const Frame frame_;
  std::size_t permissions_width_ = 0;
  std::string text_;
};

}  // namespace

Result<Node> read_part(Connection& connection, const std::string& path, bool with_permissions) {
  std::optional<Node> part;
  auto done = in_transaction(connection, [&](std::uint32_t transaction) -> Result<bool> {
    auto read = Reading(connection, transaction, with_permissions).read(path);
    if (!read) return pass_on(read);
    part = std::move(*read);
    return part.has_value();
  });
  if (!done) return pass_on(done);
  return std::move(*part);
}

std::string drawn(const Node& node, const Frame& frame) { return Drawing(node, frame).text(); }

std::string flat(const Node& node, const std::string& path) {
  std::string permissions;
  if (!node.permissions.empty()) permissions = fmt::format("  ({})", fmt::join(node.permissions, ","));
  auto text = fmt::format("{} = \"{}\"{}\n", path, on_one_line(node.value), permissions);
  for (const auto& child : node.children) text += flat(child, below(path, child.name));
  return text;
}

void put_value(boost::json::object& object, std::string_view value) {
  if (is_utf8(value)) {
    object["value"] = value;
    return;
  }
  std::string digits;
  for (const char c : value) digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
  object["value_hex"] = digits;
}

boost::json::object as_json(const Node& node) {
  boost::json::object object;
  object["name"] = node.name.empty() ? "/" : node.name;
  put_value(object, node.value);
  object["permissions"] = boost::json::array(node.permissions.begin(), node.permissions.end());
  boost::json::array children;
  for (const auto& child : node.children) children.push_back(as_json(child));
  object["children"] = std::move(children);
  return object;
}

}  // namespace vireo::cli::tree
