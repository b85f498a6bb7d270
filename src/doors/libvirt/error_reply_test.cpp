// An error's bytes against those of a real daemon.
#include "doors/libvirt/error_reply.hpp"

#include <gtest/gtest.h>

#include "doors/libvirt/protocol/structs.hpp"
#include "doors/libvirt/xdr.hpp"

namespace vireo::doors::libvirt {
namespace {

TEST(ErrorReply, IsFilledAsLibvirtFillsIt) {
  const auto bytes = encode_error(
      {.code = VIR_ERR_NO_DOMAIN, .detail = "no domain with matching name 'nope'", .domain = VIR_FROM_QEMU});
  auto error = xdr::decode<wire::remote_error>(bytes);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, VIR_ERR_NO_DOMAIN);
  EXPECT_EQ(error->domain, VIR_FROM_QEMU);
  EXPECT_EQ(error->message, "Domain not found: no domain with matching name 'nope'");
  EXPECT_EQ(error->level, VIR_ERR_ERROR);
  EXPECT_FALSE(error->dom);
  EXPECT_EQ(error->str1, "Domain not found: %s");
  EXPECT_EQ(error->str2, "no domain with matching name 'nope'");
  EXPECT_FALSE(error->str3);
  EXPECT_EQ(error->int1, -1);
  EXPECT_EQ(error->int2, -1);
  EXPECT_FALSE(error->net);
}

TEST(ErrorReply, ATextBeyondTheLimitIsCut) {
  const auto bytes = encode_error({.detail = std::string(5 << 20, 'x')});
  auto error = xdr::decode<wire::remote_error>(bytes);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->str2->size(), 4096u);
}

}  // namespace
}  // namespace vireo::doors::libvirt
