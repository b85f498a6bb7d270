// The sizes of images that no QEMU has open. They are read from the files themselves, on workers, and a file system may
// hang: so a folder has few of them at a time, all folders together leave workers to those who start guests, and
// whoever asks for the same image joins those who wait for it. Core thread only.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/wake.hpp"
#include "model/devices/disk.hpp"
#include "model/stats.hpp"

namespace vireo::core {

class Host;

class SizesAtRest {
 public:
  explicit SizesAtRest(Host& host) : host_(host) {}

  // Read after the call, not before it. Errors: VIR_ERR_OPERATION_TIMEOUT naming the file, and those of
  // ports::HostFacts::image_sizes.
  asio::awaitable<Result<model::ImageSizes>> of(std::string file, model::ImageFormat format, Deadline deadline);

 private:
  using Image = std::pair<std::string, model::ImageFormat>;
  struct Look {
    std::vector<std::shared_ptr<Wake>> waiting;
    Result<model::ImageSizes> sizes;
  };
  using LookPtr = std::shared_ptr<Look>;
  struct Folder {
    std::map<Image, LookPtr> wanted;  // not begun yet
    unsigned under_way = 0;
    unsigned in_line = 0;  // its places there, as few as can be under way
  };
  using Folders = std::map<std::string, Folder>;

  void begin_what_may();
  void get_in_line(Folders::iterator folder);
  void forget_idle(Folders::iterator folder);
  static asio::awaitable<void> look(SizesAtRest& self, std::string folder, Image image, LookPtr look);

  Host& host_;
  Folders folders_;
  std::deque<std::string> line_;  // folders whose turn it is, so that nobody looks through all of them
  unsigned under_way_ = 0;
};

}  // namespace vireo::core
