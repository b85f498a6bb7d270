// Bytes that come in at one end and go out at the other, and a few of them in reserve: who has nothing to say holds no
// memory, and who talks again gets memory that is there already.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace vireo::doors::xenstore {

class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Buffer() = default;

  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  std::size_t capacity() const { return capacity_; }
  std::string_view bytes() const { return {memory_.get() + begin_, size()}; }

  // Where at least so many bytes can be written behind what is there; grow() then says how many were.
  char* room(std::size_t bytes) {
    if (capacity_ - end_ < bytes) make_room(bytes);
    return memory_.get() + end_;
  }
  void grow(std::size_t bytes) { end_ += bytes; }
  // Takes the last bytes back.
  void take_back(std::size_t bytes) { end_ -= bytes; }
  // Takes bytes off the front.
  void drop(std::size_t bytes) {
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
  }

 private:
  static constexpr std::size_t least = 1024;

  void make_room(std::size_t bytes) {
    const auto held = size();
    if (begin_ >= held && capacity_ - held >= bytes) {
      std::memcpy(memory_.get(), memory_.get() + begin_, held);
    } else {
      auto wanted = capacity_ == 0 ? least : capacity_;
      while (wanted - held < bytes) wanted *= 2;
      auto larger = std::make_unique_for_overwrite<char[]>(wanted);
      if (held > 0) std::memcpy(larger.get(), memory_.get() + begin_, held);
      memory_ = std::move(larger);
      capacity_ = wanted;
    }
    begin_ = 0;
    end_ = held;
  }
  void swap(Buffer& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(capacity_, other.capacity_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
  }

  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

class SpareBuffers {
 public:
  // An empty one.
  Buffer take() {
    if (spare_.empty()) return {};
    auto buffer = std::move(spare_.back());
    spare_.pop_back();
    return buffer;
  }
  // Takes the memory of an empty one. What is large, or too many, goes back to the system.
  void give(Buffer&& buffer) {
    Buffer given(std::move(buffer));
    if (given.capacity() > 0 && given.capacity() <= largest && spare_.size() < most) spare_.push_back(std::move(given));
  }

 private:
  static constexpr std::size_t largest = 256 * 1024, most = 16;
  std::vector<Buffer> spare_;
};

}  // namespace vireo::doors::xenstore
