// The table of xen-vbd-interface(7), line by line, and where it ends.
#include "presence/vbd_number.hpp"

#include <gtest/gtest.h>

namespace vireo::presence {
namespace {

TEST(VbdNumber, VirtualDisks) {
  EXPECT_EQ(vbd_number("xvda"), 51712U);
  EXPECT_EQ(vbd_number("vda"), 51712U);
  EXPECT_EQ(vbd_number("vdb"), 51728U);
  EXPECT_EQ(vbd_number("vdp"), 51952U);
  EXPECT_EQ(vbd_number("vdq"), (1U << 28 | 16U << 8));
  EXPECT_EQ(vbd_number("xvdtq"), (1U << 28 | 536U << 8));  // the text's own example
}

TEST(VbdNumber, ScsiAndIde) {
  EXPECT_EQ(vbd_number("sda"), 2048U);
  EXPECT_EQ(vbd_number("sdp"), 2288U);
  EXPECT_EQ(vbd_number("sdq"), 65U << 8);
  EXPECT_EQ(vbd_number("hda"), 768U);
  EXPECT_EQ(vbd_number("hdb"), 832U);
  EXPECT_EQ(vbd_number("hdc"), 5632U);
  EXPECT_EQ(vbd_number("hdd"), 5696U);
  EXPECT_EQ(vbd_number("hde"), 33U << 8);
}

TEST(VbdNumber, WhatHasNone) {
  for (const auto* name : {"", "vd", "sd", "fda", "ubda", "vda1", "vdA", "hdzz", "sdzz", "vdzzzzzzzz", "nvme0n1"})
    EXPECT_FALSE(vbd_number(name)) << name;
}

}  // namespace
}  // namespace vireo::presence
