// A set of paths, small: what a journal notes of 100,000 changes must not outweigh the tree. Texts lie one behind the
// other in one piece of memory; a table of hashes and places beside it finds them. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>
#include <vector>

namespace vireo::daemon {

class TreeNotes {
 public:
  // `removed`: what was below the path is void; once said of a path, it stays so.
  void add(std::string_view path, bool removed) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    const auto hash = hash_of(path);
    auto& slot = *find(hash, path);
    if (slot.place == none) {
      slot = {.hash = hash, .place = static_cast<std::uint32_t>(bytes_.size())};
      const Head head{.length = static_cast<std::uint16_t>(path.size()), .removed = removed};
      const auto* begin = reinterpret_cast<const char*>(&head);
      bytes_.insert(bytes_.end(), begin, begin + sizeof head);
      bytes_.insert(bytes_.end(), path.begin(), path.end());
      ++size_;
    } else if (removed) {
      bytes_[slot.place + offsetof(Head, removed)] = 1;
    }
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // What it takes, about.
  std::size_t bytes() const { return bytes_.size() + slots_.size() * sizeof(Slot); }

  struct Note {
    std::string_view path;
    bool removed;
  };
  // Where the notes are, in the order of arrival, and what is there.
  std::vector<std::uint32_t> places() const {
    std::vector<std::uint32_t> all;
    all.reserve(size_);
    for (std::uint32_t place = 0; place < bytes_.size();
         place += static_cast<std::uint32_t>(sizeof(Head) + head(place).length))
      all.push_back(place);
    return all;
  }
  Note at(std::uint32_t place) const {
    const Head its = head(place);
    return {.path = {bytes_.data() + place + sizeof(Head), its.length}, .removed = its.removed};
  }

 private:
  struct Head {
    std::uint16_t length;
    bool removed;
  };
  struct Slot {
    std::uint32_t hash = 0, place = none;
  };
  static constexpr std::uint32_t none = UINT32_MAX;

  static std::uint32_t hash_of(std::string_view path) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>()(path));
  }
  Head head(std::uint32_t place) const {
    Head its{};
    std::memcpy(&its, bytes_.data() + place, sizeof its);
    return its;
  }
  // The slot with the path, or the one where it belongs.
  Slot* find(std::uint32_t hash, std::string_view path) {
    const auto mask = slots_.size() - 1;
    auto i = hash & mask;
    while (slots_[i].place != none && (slots_[i].hash != hash || at(slots_[i].place).path != path)) i = (i + 1) & mask;
    return &slots_[i];
  }
  void grow() {
    constexpr std::size_t least = 64;
    std::vector<Slot> old(std::max(least, slots_.size() * 2));
    old.swap(slots_);
    const auto mask = slots_.size() - 1;
    for (const auto& slot : old) {
      if (slot.place == none) continue;
      auto i = slot.hash & mask;
      while (slots_[i].place != none) i = (i + 1) & mask;
      slots_[i] = slot;
    }
  }

  std::vector<char> bytes_;
  std::vector<Slot> slots_;  // a power of 2 of them, at most half of them taken
  std::size_t size_ = 0;
};

}  // namespace vireo::daemon
