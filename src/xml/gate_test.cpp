// The gate lets through what is well formed and nothing else, and points at the place of what is not.
#include "xml/gate.hpp"

#include <gtest/gtest.h>

namespace vireo::xml {
namespace {

void expect_refused(std::string_view text, std::string_view words, std::string_view place) {
  const auto checked = check_document(text);
  ASSERT_FALSE(checked) << text;
  EXPECT_EQ(checked.error().code, VIR_ERR_XML_DETAIL);
  EXPECT_EQ(checked.error().domain, VIR_FROM_DOMAIN);
  EXPECT_TRUE(checked.error().detail.contains(words)) << checked.error().detail;
  EXPECT_TRUE(checked.error().detail.contains(place)) << checked.error().detail;
}

TEST(Gate, TakesWellFormedDocuments) {
  for (const char* text :
       {"<a/>", "<?xml version='1.0'?>\n<a b='1' c=\"2\"/>\n", "<!-- x --><a><b>&lt;&#65;&#x41;</b></a><!-- y -->\n",
        "<a><![CDATA[<not a tag> & more]]></a>", "<a xmlns:x='urn:x'><x:b/></a>", "<a t='\xC3\xA4'>\xE2\x82\xAC</a>",
        "\xEF\xBB\xBF<a/>", "<a\n  b = '1'\n/>", "<?pi data?><a/>"})
    EXPECT_TRUE(check_document(text)) << text;
}

TEST(Gate, RefusesWhatThePugiParserWouldTake) {
  expect_refused("<a b='1' b='2'/>", "'b' stands twice", "column 10");
  expect_refused("<!DOCTYPE a><a/>", "DOCTYPE", "line 1, column 1");
  expect_refused("<a/>\ntrailing", "text after", "line 2, column 1");
  expect_refused("<a/><b/>", "more than one root", "column 5");
  expect_refused("<a>&bogus;</a>", "'bogus' is not defined", "column 4");
  expect_refused("<a>\x01</a>", "code 1", "column 4");
  expect_refused(std::string_view("<a>\0</a>", 8), "code 0", "column 4");
  expect_refused("<a>\xFF</a>", "UTF-8", "column 4");
  expect_refused("<a>\xC0\xAF</a>", "UTF-8", "column 4");
  expect_refused("<a>\xED\xA0\x80</a>", "not allowed", "column 4");
  expect_refused("<a>\xE2\x82", "UTF-8", "column 4");
  expect_refused("<a>&#0;</a>", "number", "column 4");
}

TEST(Gate, RefusesBrokenTags) {
  expect_refused("", "empty", "line 1");
  expect_refused("garbage", "'<' not found", "column 1");
  expect_refused("<a>", "ends inside the element 'a'", "column 4");
  expect_refused("<a><b></a></b>", "'b' is closed by the end tag of 'a'", "column 7");
  expect_refused("</a>", "closes nothing", "column 1");
  expect_refused("<a b=1/>", "not quoted", "column 6");
  expect_refused("<a b/>", "no value", "column 5");
  expect_refused("<a b='1'c='2'/>", "white space", "column 9");
  expect_refused("<a b='<'/>", "'<' stands in", "column 7");
  expect_refused("<a b='1", "does not end", "column 8");
  expect_refused("<a", "does not end", "column 1");
  expect_refused("<a><!-- -- --></a>", "comment", "column 9");
  expect_refused("<a><?xml version='1.0'?></a>", "very beginning", "column 4");
  expect_refused("< a/>", "name", "column 1");
}

TEST(Gate, BoundsDepthAndSize) {
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "<a>";
    for (int i = 0; i < depth; ++i) text += "</a>";
    return text;
  };
  EXPECT_TRUE(check_document(nested(max_document_depth)));
  expect_refused(nested(max_document_depth + 1), "nested more than 256", "column 769");
  expect_refused(std::string(max_document_bytes + 1, ' '), "bytes, more than", "line 1");
}

TEST(Gate, BoundsWhatOneElementHolds) {
  const auto repeated = [](std::size_t count, auto&& part) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += part(i);
    return text;
  };
  const auto attribute = [](std::size_t i) { return fmt::format(" a{}=''", i); };
  EXPECT_TRUE(check_document("<a" + repeated(max_attributes, attribute) + "/>"));
  expect_refused("<a" + repeated(max_attributes + 1, attribute) + "/>", "more than 256 attributes", "column");
  const auto child = [](std::size_t) { return "<b/>"; };
  EXPECT_TRUE(check_document("<a>" + repeated(max_children, child) + "</a>"));
  EXPECT_TRUE(check_document("<a><c>" + repeated(max_children, child) + "</c>" + repeated(9, child) + "</a>"));
  expect_refused("<a>" + repeated(max_children + 1, child) + "</a>", "'a' holds more than 16384 elements",
                 "column 65540");
}

TEST(Gate, ShowsThePlaceInALongLine) {
  const auto checked = check_document("<a>" + std::string(500, 'x') + "&bad;</a>");
  ASSERT_FALSE(checked);
  const auto& text = checked.error().detail;
  const auto arrow = text.rfind('\n');
  EXPECT_EQ(text.size() - arrow - 1, 61U);
  EXPECT_TRUE(text.contains("&bad;"));
}

}  // namespace
}  // namespace vireo::xml
