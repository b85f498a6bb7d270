// Vireo's own metadata: what is understood, and that nothing wrong passes.
#include "xml/guest_element.hpp"

#include <gtest/gtest.h>

#include "xml/domain.hpp"
#include "xml/metadata.hpp"

namespace vireo::xml {
namespace {

std::string domain_with(const std::string& metadata) {
  return "<domain type='qemu'><name>g</name><metadata>" + metadata +
         "</metadata><memory>1024</memory><os><type>hvm</type></os></domain>";
}

std::string guest(const std::string& inside) { return "<v:guest xmlns:v='urn:vireo:guest:1'>" + inside + "</v:guest>"; }

TEST(GuestElement, SaysHowToStartWithTheHost) {
  const auto def = parse_domain(domain_with(guest("<v:autostart order='10' delay_s='5'/>")));
  ASSERT_TRUE(def) << def.error().message();
  EXPECT_EQ(def->autostart_plan, (model::AutostartPlan{.order = 10, .delay_s = 5}));
  const auto again = parse_domain(format_domain(*def));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->autostart_plan, def->autostart_plan) << "it is kept as it came";
  EXPECT_EQ(parse_domain(domain_with(guest("<!-- later --><v:autostart delay_s='1'/>")))->autostart_plan,
            (model::AutostartPlan{.order = std::nullopt, .delay_s = 1}));
  EXPECT_EQ(parse_domain(domain_with(guest("")))->autostart_plan, model::AutostartPlan{});
  EXPECT_EQ(parse_domain(domain_with("<guest xmlns='urn:vireo:guest:1'><autostart order='0'/></guest>"))
                ->autostart_plan.order,
            0U);
}

TEST(GuestElement, SaysWhatTheConsolePrintsOnceItIsUp) {
  const auto def = parse_domain(domain_with(guest("<v:up console='a &lt; b'/><v:autostart order='1'/>")));
  ASSERT_TRUE(def) << def.error().message();
  EXPECT_EQ(def->up_console, "a < b");
  EXPECT_EQ(def->autostart_plan.order, 1U);
  EXPECT_EQ(parse_domain(format_domain(*def))->up_console, "a < b");
  EXPECT_EQ(parse_domain(domain_with(""))->up_console, "");
  for (const auto& attributes : {std::string(), std::string("console=''"), "console='" + std::string(257, 'x') + "'",
                                 std::string("console='a&#10;b'"), std::string("console='x' serial='y'")}) {
    const auto refused = parse_domain(domain_with(guest("<v:up " + attributes + "/>")));
    ASSERT_FALSE(refused) << attributes;
    EXPECT_TRUE(refused.error().detail.contains("<up>")) << refused.error().detail;
  }
}

TEST(GuestElement, OfOthersIsLeftAlone) {
  EXPECT_EQ(
      parse_domain(domain_with("<v:guest xmlns:v='urn:other'><v:autostart order='x'/></v:guest>"))->autostart_plan,
      model::AutostartPlan{});
}

TEST(GuestElement, WhatIsWrongIsRefusedByName) {
  for (const auto& [inside, says] : std::initializer_list<std::pair<const char*, const char*>>{
           {"<v:autostart order='x'/>", "order of <autostart> must be a whole number from 0 to 65535, not 'x'"},
           {"<v:autostart order='-1'/>", "not '-1'"},
           {"<v:autostart order='65536'/>", "from 0 to 65535"},
           {"<v:autostart delay_s='86401'/>", "delay_s of <autostart> must be a whole number from 0 to 86400"},
           {"<v:autostart delay='5'/>", "<autostart> knows order and delay_s, not 'delay'"},
           {"<v:autostart>5</v:autostart>", "holds nothing but"},
           {"<v:autostart/><v:autostart/>", "once"},
           {"<v:boot order='1'/>", "<guest> holds <autostart order='0 to 65535'"},
           {"<autostart order='1'/>", ""},  // of no namespace: it is not this element's
           {"text", "<guest> holds"}}) {
    const auto def = parse_domain(domain_with(guest(inside)));
    if (*says == '\0') continue;
    ASSERT_FALSE(def) << inside;
    EXPECT_EQ(def.error().code, VIR_ERR_XML_ERROR);
    EXPECT_TRUE(def.error().detail.contains(says)) << def.error().detail;
  }
  EXPECT_FALSE(parse_domain(domain_with("<v:host xmlns:v='urn:vireo:guest:1'/>")));
  EXPECT_FALSE(parse_domain(domain_with("<v:guest xmlns:v='urn:vireo:guest:1' a='1'/>")));
}

TEST(MetadataOfAClient, GetsItsNamespace) {
  const auto made = make_metadata("<guest><autostart order='1'/><o:x xmlns:o='urn:o'/></guest>", "vireo", "urn:u");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->namespace_uri, "urn:u");
  EXPECT_EQ(made->xml,
            "<vireo:guest xmlns:vireo=\"urn:u\">\n  <vireo:autostart order=\"1\"/>\n  <o:x xmlns:o=\"urn:o\"/>\n"
            "</vireo:guest>");
  for (const char* bad : {"", "text", "<a>", "<a/><b/>", "<a x='1' x='2'/>"})
    EXPECT_FALSE(make_metadata(bad, "k", "urn:u")) << bad;
  EXPECT_FALSE(make_metadata("<a/>", "a b", "urn:u")) << "no name";
}

}  // namespace
}  // namespace vireo::xml
