// What is read out of the metadata, and what is refused.
#include "xml/guest_wishes.hpp"

#include <gtest/gtest.h>

#include "xml/domain.hpp"

namespace vireo::xml {
namespace {

std::string with(const std::string& metadata) {
  return "<domain type='qemu'><name>web</name><memory>65536</memory><os><type arch='x86_64'>hvm</type></os><metadata>" +
         metadata + "</metadata></domain>";
}

std::string up_console(const std::string& metadata) {
  auto parsed = parse_domain(with(metadata), {});
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message());
  return parsed ? parsed->up.console : "";
}

TEST(GuestWishes, TheTextOfUpIsFoundUnderAnyPrefix) {
  EXPECT_EQ(up_console("<vireo:guest xmlns:vireo='urn:vireo:guest:1'><vireo:up console='login:'/></vireo:guest>"),
            "login:");
  EXPECT_EQ(up_console("<guest xmlns='urn:vireo:guest:1'><up console='a &lt; b'/></guest>"), "a < b");
  EXPECT_EQ(up_console("<v:guest xmlns:v='urn:vireo:guest:1'><v:later/><v:up console='x' more='y'/></v:guest>"), "x");
}

TEST(GuestWishes, TheFirstPacketCanBeTheSign) {
  const auto network = [](const std::string& attributes) {
    const auto parsed =
        parse_domain(with("<v:guest xmlns:v='urn:vireo:guest:1'><v:up " + attributes + "/></v:guest>"), {});
    EXPECT_TRUE(parsed);
    return parsed && parsed->up.network;
  };
  EXPECT_TRUE(network("network='yes'"));
  EXPECT_TRUE(network("network='yes' console='x'"));
  EXPECT_FALSE(network("network='no'"));
  EXPECT_FALSE(network("console='x'"));
}

TEST(GuestWishes, WhatIsNotMeantIsLeftAlone) {
  EXPECT_EQ(up_console(""), "");
  EXPECT_EQ(up_console("<v:guest xmlns:v='urn:vireo:guest:1'><v:autostart order='1'/></v:guest>"), "");
  EXPECT_EQ(up_console("<v:guest xmlns:v='urn:other'><v:up console='x'/></v:guest>"), "");
  EXPECT_EQ(up_console("<v:other xmlns:v='urn:vireo:guest:1'><v:up console='x'/></v:other>"), "");
  EXPECT_EQ(up_console("<v:guest xmlns:v='urn:vireo:guest:1' xmlns:o='urn:o'><o:up console='x'/></v:guest>"), "");
}

TEST(GuestWishes, ATextThatCannotBeWatchedForIsRefused) {
  for (const auto& attributes : {std::string(), std::string("console=''"), "console='" + std::string(257, 'x') + "'",
                                 std::string("console='a&#10;b'"), std::string("network='maybe'")}) {
    const auto parsed =
        parse_domain(with("<v:guest xmlns:v='urn:vireo:guest:1'><v:up " + attributes + "/></v:guest>"), {});
    ASSERT_FALSE(parsed) << attributes;
    EXPECT_EQ(parsed.error().code, VIR_ERR_XML_ERROR);
    EXPECT_NE(parsed.error().detail.find("<up> in the metadata"), std::string::npos);
  }
}

}  // namespace
}  // namespace vireo::xml
