// Where a node is: an absolute path such as "/local/domain/3/name". A Path refers to text that somebody else keeps and
// is checked when it is made, so nothing behind it needs to ask again. The rules are those of Xen's published protocol
// (docs/misc/xenstore.txt): letters, digits and -/_@, no empty part, no slash at the end, at most 3072 bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace vireo::tree {

// XENSTORE_ABS_PATH_MAX and XENSTORE_REL_PATH_MAX of xs_wire.h, in bytes.
inline constexpr std::size_t max_path = 3072, max_relative_path = 2048;

class Path {
 public:
  // Of "/" or "/a/b"; empty where the text is no path.
  static std::optional<Path> parse(std::string_view text);
  static constexpr Path root() { return Path("/"); }

  constexpr std::string_view text() const { return text_; }
  constexpr bool is_root() const { return text_.size() == 1; }
  // The last part; of the root nothing.
  constexpr std::string_view name() const { return text_.substr(text_.rfind('/') + 1); }
  // Of the root the root.
  constexpr Path parent() const {
    const auto slash = text_.rfind('/');
    return Path(slash == 0 ? text_.substr(0, 1) : text_.substr(0, slash));
  }
  // Whether the other is this path or below it.
  constexpr bool holds(Path other) const {
    return is_root() ||
           (other.text_.starts_with(text_) && (other.text_.size() == text_.size() || other.text_[text_.size()] == '/'));
  }

  // The parts from the root on: for (Parts left(path); !left.done();) use(left.next());
  class Parts {
   public:
    explicit constexpr Parts(Path path) : left_(path.text_.substr(1)) {}
    constexpr bool done() const { return left_.empty(); }
    constexpr std::string_view next() {
      const auto end = left_.find('/');
      const auto part = left_.substr(0, end);
      left_.remove_prefix(end == std::string_view::npos ? left_.size() : end + 1);
      return part;
    }

   private:
    std::string_view left_;
  };

  friend bool operator==(Path, Path) = default;

 private:
  constexpr explicit Path(std::string_view text) : text_(text) {}
  std::string_view text_;
};

}  // namespace vireo::tree
