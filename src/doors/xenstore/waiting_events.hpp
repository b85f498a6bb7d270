// Which events wait to be read by a client, so that none has to wait there twice: who does not read for a while needs
// to hear only once that something has changed. Kept only for clients that are behind, and only of so many events: a
// later one takes the place of an earlier one, which then may come to wait twice. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace vireo::doors::xenstore {

class WaitingEvents {
 public:
  static std::size_t hash(std::string_view payload) { return std::hash<std::string_view>()(payload); }

  // Where an event whose payload has that hash was put, if it is known: how many bytes of the stream, modulo 2^32, come
  // before it. Not certain; the caller compares.
  const std::uint32_t* find(std::size_t hash) const {
    if (slots_.empty()) return nullptr;
    const auto& slot = slots_[hash & (slots_.size() - 1)];
    return slot.tag == tag(hash) ? &slot.at : nullptr;
  }
  void note(std::size_t hash, std::uint32_t at) {
    if (noted_++ == slots_.size() && slots_.size() < most) slots_.assign(slots_.empty() ? least : most, {});
    slots_[hash & (slots_.size() - 1)] = {.tag = tag(hash), .at = at};
  }
  void clear() {
    if (noted_ > 0) *this = {};
  }
  // What remembering them takes.
  std::size_t bytes() const { return slots_.size() * sizeof(Slot); }

 private:
  // Powers of two. More would not stay near the processor, and every event would wait for the memory. Who comes to
  // need the most begins anew, and may be told some things twice.
  static constexpr std::size_t least = 32, most = 512;
  struct Slot {
    std::uint32_t tag = 0;  // 0: nothing
    std::uint32_t at = 0;
  };
  static std::uint32_t tag(std::size_t hash) { return static_cast<std::uint32_t>(hash >> 32) | 1; }

  std::vector<Slot> slots_;
  std::size_t noted_ = 0;
};

}  // namespace vireo::doors::xenstore
