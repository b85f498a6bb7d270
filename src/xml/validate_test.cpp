// What validation says, in the words that a real libvirtd 9.0 gives for the same documents.
#include "xml/validate.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "xml/domain.hpp"

namespace vireo::xml {
namespace {

std::string guest(std::string_view more) {
  return fmt::format("<domain type='qemu'><name>g</name><memory>65536</memory><os><type>hvm</type></os>{}</domain>",
                     more);
}

void expect_invalid(const std::string& text, std::string_view complaints) {
  const auto found = parse_domain(text, {.validate = true});
  ASSERT_FALSE(found) << text;
  EXPECT_EQ(found.error().code, VIR_ERR_XML_INVALID_SCHEMA);
  EXPECT_EQ(found.error().domain, VIR_FROM_XML);
  EXPECT_EQ(found.error().message(), fmt::format("XML document failed to validate against schema: Unable to validate "
                                                 "doc against /usr/share/libvirt/schemas/domain.rng\n{}",
                                                 complaints));
}

TEST(Validate, SaysWhatDoesNotFit) {
  EXPECT_TRUE(parse_domain(guest(""), {.validate = true}));
  EXPECT_TRUE(parse_domain(guest("<foo/>")));
  expect_invalid(guest("<foo/>"), "Element domain has extra content: foo\n");
  expect_invalid(
      guest("<os/>"),
      "Extra element os in interleave\nExtra element os in interleave\nElement domain failed to validate content\n");
  expect_invalid(guest("<devices><disk type='file'><bar/><target dev='vda'/></disk></devices>"),
                 "Extra element devices in interleave\nElement domain failed to validate content\n");
}

TEST(Validate, ComesAfterTheFormAndBeforeTheMeaning) {
  EXPECT_EQ(parse_domain("<domain", {.validate = true}).error().code, VIR_ERR_XML_DETAIL);
  EXPECT_EQ(parse_domain("<network/>", {.validate = true}).error().code, VIR_ERR_XML_ERROR);
  EXPECT_EQ(parse_domain("<domain type='qemu'><foo/></domain>", {.validate = true}).error().code,
            VIR_ERR_XML_INVALID_SCHEMA);
  EXPECT_EQ(parse_domain("<domain type='qemu'><foo/></domain>").error().code, VIR_ERR_NO_NAME);
}

TEST(Validate, AMissingSchemaIsNamed) {
  const auto done = validate(guest(""), "/nowhere/domain.rng");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, VIR_ERR_INTERNAL_ERROR);
  EXPECT_TRUE(done.error().message().contains("Unable to parse RNG /nowhere/domain.rng; the package libvirt0"))
      << done.error().message();
}

TEST(Validate, ThreadsDoNotDisturbEachOther) {
  std::vector<std::jthread> threads;
  threads.reserve(2);
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([] {
      for (int again = 0; again < 10; ++again) {
        EXPECT_TRUE(validate(guest("")));
        EXPECT_FALSE(validate(guest("<foo/>")));
      }
    });
}

}  // namespace
}  // namespace vireo::xml
