// A host of which nothing is known but one word, for tests that do not look at it.
#pragma once

#include <functional>

#include "ports/host_facts.hpp"

namespace vireo::tests {

class FakeFacts final : public ports::HostFacts {
 public:
  const std::string& hostname() const override { return name_; }
  const std::string& boot_id() const override { return name_; }
  ports::NodeInfo node() const override { return {}; }
  const std::string& capabilities_host_xml() const override { return name_; }
  std::uint64_t process_cpu_time_ns(pid_t) const override { return 0; }
  Result<model::ImageSizes> image_sizes(const std::string& file, model::ImageFormat format) const override {
    return look_at_image ? look_at_image(file) : HostFacts::image_sizes(file, format);
  }

  std::function<Result<model::ImageSizes>(const std::string& file)> look_at_image;  // on a worker; none: no images

 private:
  std::string name_ = "fake";
};

}  // namespace vireo::tests
