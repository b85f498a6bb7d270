// Documents that the fuzzer found to come back different from what they were read as: each is now the same after a
// journey through its own XML.
#include <gtest/gtest.h>

#include "xml/domain.hpp"

namespace vireo::xml {
namespace {

class Survives : public testing::TestWithParam<const char*> {};

TEST_P(Survives, ItsOwnXml) {
  const std::string text =
      std::string("<domain type='qemu'><name>g</name><memory>1024</memory>") + GetParam() + "</domain>";
  for (const bool live : {false, true}) {
    const auto def = parse_domain(text, {.live = live});
    ASSERT_TRUE(def) << def.error().message();
    const auto written = format_domain(*def, {.inactive = !live});
    const auto again = parse_domain(written, {.live = live});
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(*again, *def) << written;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Found, Survives,
    testing::Values(
        "<os><type>hvm</type><bootmenu timeout='3000'/></os>",
        "<os><type>hvm</type><bootmenu enable='no' timeout='3000'/></os>",
        "<os><type>hvm</type></os><devices><rng model='virtio'><rate period='2000'/>"
        "<backend model='random'>/dev/random</backend></rng></devices>",
        "<os><type>hvm</type></os><devices><serial type='pty'><target>"
        "<model name='isa-serial'/></target></serial></devices>",
        "<os><type>hvm</type></os><devices><console type='file'><source append='on'/></console></devices>"));

TEST(Boot, WithoutADeviceIsRefused) {
  const auto def = parse_domain(
      "<domain type='qemu'><name>g</name><memory>1024</memory><os><type>hvm</type><boot dEv='cdrom'/></os></domain>");
  ASSERT_FALSE(def);
  EXPECT_EQ(def.error().code, VIR_ERR_XML_ERROR);
  EXPECT_EQ(def.error().detail, "Missing required attribute 'dev' in element 'boot'");
}

}  // namespace
}  // namespace vireo::xml
