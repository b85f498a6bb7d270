// What versions of the tree are made of, and how it is shared: each piece counts who refers to it. A piece that only
// one reference leads to, from the root on, may be changed where it is, since nobody else can see it; any other is
// copied first. So a version that somebody holds never changes, and while nobody holds an older one nothing is copied
// at all.
//
// What nobody refers to any more is not freed at once, which for the root of 100,000 nodes would take long, but waits
// in this thread's Limbo until it is told to free some. Counts are not atomic: a tree belongs to one thread at a time,
// and the last reference to a piece goes while that thread lives, so no static holds one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace vireo::tree {

class Piece {
 public:
  enum class Kind : std::uint8_t { node, directory, inner, leaf, permissions };

  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;
  Kind kind() const { return kind_; }
  bool shared() const { return references_ > 1; }

 protected:
  explicit Piece(Kind kind) : kind_(kind) {}
  ~Piece() = default;  // pieces of each kind are destroyed as what they are, by Limbo

 private:
  template <class T>
  friend class Ref;
  mutable std::uint32_t references_ = 0;
  const Kind kind_;
};

class Limbo {
 public:
  static Limbo& of_this_thread();
  void take(const Piece* piece) { waiting_.push_back(piece); }
  // Frees at most so many pieces, and what they alone held comes in turn; true: some are left.
  bool release(std::size_t pieces);
  std::size_t waiting() const { return waiting_.size(); }
  ~Limbo();

 private:
  std::vector<const Piece*> waiting_;
};

// One reference to a piece, or to none.
template <class T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* piece) : piece_(piece) {
    if (piece_) ++piece_->references_;
  }
  Ref(const Ref& other) : Ref(other.piece_) {}
  Ref(Ref&& other) noexcept : piece_(std::exchange(other.piece_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(piece_, other.piece_);
    return *this;
  }
  ~Ref() {
    if (piece_ && --piece_->references_ == 0) Limbo::of_this_thread().take(piece_);
  }

  explicit operator bool() const { return piece_ != nullptr; }
  T* get() const { return piece_; }
  T& operator*() const { return *piece_; }
  T* operator->() const { return piece_; }

  // The same reference, to the piece as what it is.
  template <class U>
  U& as() const {
    return static_cast<U&>(*piece_);
  }

 private:
  T* piece_ = nullptr;
};

}  // namespace vireo::tree
