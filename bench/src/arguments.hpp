// The arguments that the measuring programs share: "--name value" pairs, and servers as NAME=URI. Pure.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vireo::bench {

struct Arguments {
  std::map<std::string, std::string, std::less<>> options;
  std::vector<std::pair<std::string, std::string>> servers;  // name and URI, in the order given

  // nullopt: something is neither, or an option is none of `known`.
  static std::optional<Arguments> parse(int argc, char** argv, std::vector<std::string_view> known) {
    Arguments out;
    for (int i = 1; i < argc; ++i) {
      const std::string_view word = argv[i];
      if (word.starts_with("--")) {
        const auto name = word.substr(2);
        if (std::ranges::find(known, name) == known.end() || i + 1 == argc) return std::nullopt;
        out.options[std::string(name)] = argv[++i];
      } else if (const auto equals = word.find('='); equals != std::string_view::npos) {
        out.servers.emplace_back(word.substr(0, equals), word.substr(equals + 1));
      } else {
        return std::nullopt;
      }
    }
    return out;
  }

  std::string text(std::string_view name, const std::string& otherwise) const {
    const auto found = options.find(name);
    return found == options.end() ? otherwise : found->second;
  }

  // Numbers of 1 or more, separated by commas; empty where one is none.
  std::vector<int> numbers(std::string_view name, const std::string& otherwise) const {
    std::vector<int> out;
    const std::string all = text(name, otherwise);
    for (std::size_t at = 0; at <= all.size();) {
      const auto end = std::min(all.find(',', at), all.size());
      int number = 0;
      const auto got = std::from_chars(all.data() + at, all.data() + end, number);
      if (got.ec != std::errc() || got.ptr != all.data() + end || number < 1) return {};
      out.push_back(number);
      at = end + 1;
    }
    return out;
  }
};

}  // namespace vireo::bench
