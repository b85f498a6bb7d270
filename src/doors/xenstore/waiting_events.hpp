// Which events wait to be read by a client, so that none has to wait there twice: who does not read for a while needs
// to hear only once that something has changed. Kept only for clients that are behind. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>

namespace vireo::doors::xenstore {

class WaitingEvents {
 public:
  // Where the event with such a payload was put into the stream, if it is known; the caller compares.
  const std::uint64_t* find(std::string_view payload) const {
    const auto found = at_.find(std::hash<std::string_view>()(payload));
    return found == at_.end() ? nullptr : &found->second;
  }
  void note(std::string_view payload, std::uint64_t at) { at_[std::hash<std::string_view>()(payload)] = at; }
  void clear() {
    if (!at_.empty()) at_ = {};
  }
  // What remembering them takes, about.
  std::size_t bytes() const { return at_.size() * 48; }

 private:
  std::unordered_map<std::size_t, std::uint64_t> at_;  // by hash: how many bytes of the stream came before it
};

}  // namespace vireo::doors::xenstore
