// Replacing characters that mean something else in the text's new home. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace vireo {

using Replacements = std::initializer_list<std::pair<char, std::string_view>>;

// The five characters of XML (Extensible Markup Language 1.0, 4.6), for texts and attributes alike.
inline constexpr Replacements xml_characters = {
    {'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'\'', "&apos;"}, {'"', "&quot;"}};

std::string escaped(std::string_view text, Replacements replacements = xml_characters);

}  // namespace vireo
