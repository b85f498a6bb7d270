// Reading folders and links.
#include "host/proc_folder.hpp"

#include <dirent.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <climits>

namespace vireo::host {

std::vector<int> numbers_in(const std::string& folder) {
  std::vector<int> out;
  DIR* dir = ::opendir(folder.c_str());
  if (!dir) return out;
  while (const dirent* entry = ::readdir(dir)) {
    const std::string_view name = entry->d_name;
    int number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size()) out.push_back(number);
  }
  ::closedir(dir);
  return out;
}

std::string target_of(const std::string& link) {
  std::array<char, PATH_MAX> text{};
  const auto length = ::readlink(link.c_str(), text.data(), text.size());
  return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : std::string();
}

}  // namespace vireo::host
