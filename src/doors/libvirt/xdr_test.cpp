// The codec on structures whose bytes can be written down by hand: every kind of field, both ways, and what breaks.
#include "doors/libvirt/xdr.hpp"

#include <gtest/gtest.h>

#include "doors/libvirt/protocol/structs.hpp"

namespace vireo::doors::libvirt {
namespace {

using xdr::Bytes;

Bytes hex(std::string_view text) {
  Bytes out;
  std::string digits;
  for (char c : text)
    if (c != ' ') digits += c;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    out.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return out;
}

// Equal bytes when `value` is encoded and when what they decode to is encoded again.
template <class T>
void expect_both_ways(const T& value, std::string_view bytes) {
  auto encoded = xdr::encode(value);
  ASSERT_TRUE(encoded);
  EXPECT_EQ(*encoded, hex(bytes));
  auto decoded = xdr::decode<T>(hex(bytes));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*xdr::encode(*decoded), hex(bytes));
}

template <class T>
void expect_refused(std::string_view bytes) {
  auto decoded = xdr::decode<T>(hex(bytes));
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, VIR_ERR_RPC);
  EXPECT_EQ(decoded.error().domain, VIR_FROM_RPC);
  EXPECT_EQ(decoded.error().detail, "Unable to decode message payload");
}

struct Scalars {
  std::int32_t i{};
  std::uint32_t u{};
  std::int64_t h{};
  std::uint64_t uh{};
  double d{};
  bool b{};
  char c{};
  std::uint8_t uc{};
  std::uint16_t us{};
};

TEST(Xdr, Scalars) {
  expect_both_ways(
      Scalars{
          .i = -2, .u = 0xfffffffe, .h = -2, .uh = 1ull << 63, .d = 1.5, .b = true, .c = -1, .uc = 255, .us = 65535},
      "fffffffe fffffffe fffffffffffffffe 8000000000000000 3ff8000000000000 00000001 ffffffff 000000ff"
      "0000ffff");
}

TEST(Xdr, StringsArePaddedAndOptionalOnesFlagged) {
  wire::remote_connect_open_args args;
  args.name = "qemu:";
  args.flags = 1;
  expect_both_ways(args, "00000001 00000005 71656d75 3a000000 00000001");
  args.name.reset();
  expect_both_ways(args, "00000000 00000001");
}

TEST(Xdr, ADomainHasItsUuidWithoutALength) {
  wire::remote_nonnull_domain dom;
  dom.name = "web";
  for (std::uint8_t i = 0; i < 16; ++i) dom.uuid[i] = i;
  dom.id = -1;
  expect_both_ways(dom, "00000003 77656200 00010203 04050607 08090a0b 0c0d0e0f ffffffff");
}

TEST(Xdr, CharactersOfAFixedArrayAreAWordEach) {
  wire::remote_node_get_info_ret info;
  info.model[0] = 'x';
  auto bytes = xdr::encode(info);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->size(), 32u * 4 + 8 + 6 * 4);
  EXPECT_EQ((*bytes)[3], static_cast<std::byte>('x'));
  auto back = xdr::decode<wire::remote_node_get_info_ret>(*bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->model, info.model);
}

TEST(Xdr, TypedParametersOfEveryKind) {
  wire::remote_domain_get_scheduler_parameters_ret ret;
  const wire::remote_typed_param_value values[] = {
      std::int32_t{-1}, std::uint32_t{2}, std::int64_t{-3}, std::uint64_t{4}, 1.5, true, std::string("s")};
  for (const auto& value : values) ret.params.push_back({.field = "f", .value = value});
  expect_both_ways(ret,
                   "00000007"
                   "00000001 66000000 00000001 ffffffff"
                   "00000001 66000000 00000002 00000002"
                   "00000001 66000000 00000003 fffffffffffffffd"
                   "00000001 66000000 00000004 0000000000000004"
                   "00000001 66000000 00000005 3ff8000000000000"
                   "00000001 66000000 00000006 00000001"
                   "00000001 66000000 00000007 00000001 73000000");
}

TEST(Xdr, UnknownKindOfTypedParameterIsRefused) {
  expect_refused<wire::remote_typed_param>("00000001 66000000 00000000 00000001");
  expect_refused<wire::remote_typed_param>("00000001 66000000 00000008 00000001");
}

TEST(Xdr, OpaqueBytesHaveALengthAndPadding) {
  wire::remote_domain_pin_vcpu_args args;
  args.dom.name = "d";
  args.vcpu = 1;
  args.cpumap = {std::byte{0xff}, std::byte{0x01}};
  expect_both_ways(args, "00000001 64000000 00000000000000000000000000000000 00000000 00000001 00000002 ff010000");
}

TEST(Xdr, NothingIsNoBytes) {
  EXPECT_TRUE(xdr::encode(Nothing{})->empty());
  EXPECT_TRUE(xdr::decode<Nothing>({}));
  expect_refused<Nothing>("00000000");
}

TEST(Xdr, EveryCutIsRefused) {
  const auto whole = hex("00000001 00000005 71656d75 3a000000 00000001");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(xdr::decode<wire::remote_connect_open_args>(std::span(whole).first(size))) << size;
}

TEST(Xdr, BytesLeftOverAreRefused) { expect_refused<wire::remote_domain_lookup_by_id_args>("00000001 00000000"); }

TEST(Xdr, AnyFlagMeansPresentAndPaddingMayHoldAnything) {
  auto decoded = xdr::decode<wire::remote_connect_open_args>(hex("00000002 00000005 71656d75 3a010203 00000000"));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->name, "qemu:");
}

TEST(Xdr, BoundsHoldInBothDirections) {
  wire::remote_connect_list_domains_ret ret;
  ret.ids.resize(wire::REMOTE_DOMAIN_LIST_MAX);
  auto most = xdr::encode(ret);
  ASSERT_TRUE(most);
  EXPECT_TRUE(xdr::decode<wire::remote_connect_list_domains_ret>(*most));
  ret.ids.push_back(0);
  EXPECT_FALSE(xdr::encode(ret));
  // The same by hand: one element more, all bytes present.
  most->insert(most->end(), 4, std::byte{0});
  (*most)[2] = std::byte{0x40};
  (*most)[3] = std::byte{0x01};
  EXPECT_FALSE(xdr::decode<wire::remote_connect_list_domains_ret>(*most));
}

TEST(Xdr, StringsEndAtFourMebibytes) {
  wire::remote_domain_define_xml_args args;
  args.xml.assign(xdr::string_max, 'x');
  auto bytes = xdr::encode(args);
  ASSERT_TRUE(bytes);
  EXPECT_TRUE(xdr::decode<wire::remote_domain_define_xml_args>(*bytes));
  args.xml += 'x';
  EXPECT_FALSE(xdr::encode(args));
}

TEST(Xdr, ALengthWordAloneAllocatesNothing) {
  // Claims 16384 domains and brings four bytes; and a string of 4 MiB that is not there.
  wire::remote_connect_list_all_domains_ret ret;
  const auto claim = hex("00004000 00000000");
  xdr::Decoder decoder(claim);
  decoder.value(ret.domains);
  EXPECT_FALSE(decoder.ok());
  EXPECT_EQ(ret.domains.capacity(), 0u);
  std::string text;
  const auto bytes = hex("00400000 00000000");
  xdr::Decoder of_text(bytes);
  of_text.value(text);
  EXPECT_FALSE(of_text.ok());
  EXPECT_LT(text.capacity(), 64u);
}

}  // namespace
}  // namespace vireo::doors::libvirt
