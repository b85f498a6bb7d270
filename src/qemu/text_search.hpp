// Finds a text in a stream that comes in pieces, also where it lies across two of them. Remembers no more of the stream
// than the text is long. Pure.
#pragma once

#include <string>
#include <string_view>

namespace vireo::qemu {

class TextSearch {
 public:
  // `text` is not empty.
  explicit TextSearch(std::string text) : text_(std::move(text)) {}

  // Whether the text is in the stream, now that this follows.
  bool feed(std::string_view piece) {
    if (found_) return true;
    // Only the beginning of the piece can complete what the end of the last one began.
    last_ += piece.substr(0, text_.size() - 1);
    found_ = last_.contains(text_) || piece.contains(text_);
    if (piece.size() >= text_.size()) last_ = piece.substr(piece.size() - text_.size() + 1);
    if (last_.size() >= text_.size()) last_.erase(0, last_.size() - text_.size() + 1);
    return found_;
  }

 private:
  std::string text_, last_;
  bool found_ = false;
};

}  // namespace vireo::qemu
