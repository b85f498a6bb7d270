// The names of a directory's children: sorted where they are few, in parts where they are many, and compared.
#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "tree/directory.hpp"
#include "tree/trie.hpp"

namespace vireo::tree {
namespace {

// Sorting this many takes some 0.1 ms, which others can wait.
constexpr std::size_t most_sorted = 16 * 1024;

template <class Use>
void for_each_name(const Piece& piece, const Use& use) {
  if (piece.kind() == Piece::Kind::leaf) {
    for (const auto& node : static_cast<const Leaf&>(piece).nodes()) use(node->name());
    return;
  }
  for (const auto& branch : static_cast<const Inner&>(piece).branches)
    if (branch) for_each_name(*branch, use);
}

// The first eight bytes from `skip` on, as a number that compares as they do.
std::uint64_t key_of(std::string_view name, std::size_t skip) {
  std::uint64_t key = 0;
  const auto some = name.substr(skip, sizeof key);
  std::memcpy(&key, some.data(), some.size());
  return std::endian::native == std::endian::little ? std::byteswap(key) : key;
}

// Many names tend to begin alike and to differ soon after, so most comparisons need not look at them.
void sort(std::vector<std::string_view>& names) {
  const auto alike = [&](std::size_t most, std::string_view name) {
    const auto both = std::ranges::mismatch(names.front().substr(0, most), name);
    return static_cast<std::size_t>(both.in1 - names.front().begin());
  };
  std::size_t skip = names.front().size();
  for (const auto name : names) skip = alike(skip, name);
  std::vector<std::pair<std::uint64_t, std::string_view>> keyed;
  keyed.reserve(names.size());
  for (const auto name : names) keyed.emplace_back(key_of(name, skip), name);
  std::ranges::sort(keyed, [](const auto& one, const auto& other) {
    return one.first != other.first ? one.first < other.first : one.second < other.second;
  });
  std::ranges::transform(keyed, names.begin(), &decltype(keyed)::value_type::second);
}

// In the order of the trie, as many whole names as fit, from an offset on. False: it is full.
bool append_names(const Piece& piece, std::size_t& offset, std::size_t most, std::string& out) {
  if (piece.kind() == Piece::Kind::inner) {
    const auto& inner = static_cast<const Inner&>(piece);
    if (offset >= inner.names_bytes) {
      offset -= inner.names_bytes;
      return true;
    }
    return std::ranges::all_of(inner.branches,
                               [&](const auto& branch) { return !branch || append_names(*branch, offset, most, out); });
  }
  for (const auto& node : static_cast<const Leaf&>(piece).nodes()) {
    const auto name = node->name();
    if (offset > name.size()) {
      offset -= name.size() + 1;
      continue;
    }
    const auto rest = name.substr(std::exchange(offset, 0));
    if (out.size() + rest.size() + 1 > most) return false;
    out.append(rest).push_back('\0');
  }
  return true;
}

// Both have as many. What both versions share is not looked at.
bool same_below(const Piece& one, const Piece& other, const Directory& all_of_other) {
  if (&one == &other) return true;
  if (one.kind() == Piece::Kind::inner && other.kind() == Piece::Kind::inner) {
    const auto& branches = static_cast<const Inner&>(one).branches;
    const auto& others = static_cast<const Inner&>(other).branches;
    for (std::size_t i = 0; i < Inner::ways; ++i) {
      if (static_cast<bool>(branches[i]) != static_cast<bool>(others[i])) return false;
      if (branches[i] && !same_below(*branches[i], *others[i], all_of_other)) return false;
    }
    return true;
  }
  bool same = true;
  for_each_name(one, [&](std::string_view name) { same = same && all_of_other.find(name) != nullptr; });
  return same;
}

}  // namespace

const std::string& Directory::sorted() const {
  if (!sorted_) {
    std::vector<std::string_view> all;
    all.reserve(size_);
    for_each_name(*top_, [&](std::string_view name) { all.push_back(name); });
    sort(all);
    sorted_ = std::make_unique<std::string>();
    sorted_->reserve(names_bytes_);
    for (const auto name : all) sorted_->append(name).push_back('\0');
  }
  return *sorted_;
}

std::string_view Directory::names(std::size_t offset, std::size_t most, std::string& room) const {
  if (offset >= names_bytes_) return {};
  if (names_bytes_ <= most_sorted) {
    const auto rest = std::string_view(sorted()).substr(offset);
    return rest.size() <= most ? rest : rest.substr(0, rest.substr(0, most).rfind('\0') + 1);
  }
  room.clear();
  append_names(*top_, offset, most, room);
  return room;
}

bool Directory::has_same_names(const Directory& other) const {
  if (size_ != other.size_ || names_bytes_ != other.names_bytes_) return false;
  return size_ == 0 || same_below(*top_, *other.top_, other);
}

}  // namespace vireo::tree
