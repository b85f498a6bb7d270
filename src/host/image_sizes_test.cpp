// The sizes of files that are images, or pretend to be.
#include "host/image_sizes.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/test_files.hpp"

namespace vireo::host {
namespace {

using model::ImageFormat;

class ImageSizes : public testing::Test {
 protected:
  std::string file(const std::string& content) const {
    std::ofstream(path()) << content;
    return path();
  }
  std::string path() const { return folder_.file("image"); }
  // A header of version 3 as qemu-img writes it, up to what follows the size.
  static std::string qcow2(const std::string& size) {
    return std::string("QFI\xfb\0\0\0\x03", 8) + std::string(12, '\0') + std::string("\0\0\0\x10", 4) + size;
  }

  const tests::Folder folder_;
};

TEST_F(ImageSizes, ARawImageIsAsBigAsItsFileAndTakesWhatItsBlocksTake) {
  file("");
  std::filesystem::resize_file(path(), 1 << 20);
  const auto sizes = image_sizes(path(), ImageFormat::raw);
  ASSERT_TRUE(sizes);
  EXPECT_EQ(sizes->capacity_bytes, 1U << 20);
  EXPECT_EQ(sizes->physical_bytes, 1U << 20);
  struct stat facts{};
  ASSERT_EQ(::stat(path().c_str(), &facts), 0);
  EXPECT_EQ(sizes->allocation_bytes, static_cast<std::uint64_t>(facts.st_blocks) * 512);
}

TEST_F(ImageSizes, TheCapacityOfQcow2StandsInItsHeader) {
  const auto content = qcow2(std::string("\0\0\0\x02\x01\0\0\0", 8)) + std::string(100, 'x');
  const auto sizes = image_sizes(file(content), ImageFormat::qcow2);
  ASSERT_TRUE(sizes);
  EXPECT_EQ(sizes->capacity_bytes, 0x201000000U);
  EXPECT_EQ(sizes->physical_bytes, content.size());
}

TEST_F(ImageSizes, WhatIsNoQcow2IsAsBigAsItsFile) {
  for (const auto& content : {std::string(), std::string("QFI"), qcow2("1234567"), std::string(64, 'x')}) {
    const auto sizes = image_sizes(file(content), ImageFormat::qcow2);
    ASSERT_TRUE(sizes);
    EXPECT_EQ(sizes->capacity_bytes, content.size());
  }
}

TEST_F(ImageSizes, AFileThatIsNotThereIsNamed) {
  const auto sizes = image_sizes(path(), ImageFormat::raw);
  ASSERT_FALSE(sizes);
  EXPECT_EQ(sizes.error().code, VIR_ERR_SYSTEM_ERROR);
  EXPECT_EQ(sizes.error().detail, "Failed to open file '" + path() + "': No such file or directory");
}

TEST_F(ImageSizes, APipeThatNobodyWritesToIsRefusedAtOnce) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  const auto sizes = image_sizes(path(), ImageFormat::raw);
  ASSERT_FALSE(sizes);
  EXPECT_EQ(sizes.error().code, VIR_ERR_SYSTEM_ERROR);
}

}  // namespace
}  // namespace vireo::host
