// Names to numbers; see the header for whose numbers they are.
#include "presence/vbd_number.hpp"

#include <array>

namespace vireo::presence {
namespace {

// Which disk letters name: a is 0, z 25, aa 26.
std::optional<std::uint32_t> disk_of(std::string_view letters) {
  constexpr std::uint32_t most = 1U << 20;  // what the widest form holds
  std::uint32_t disk = 0;
  if (letters.empty()) return {};
  for (const char c : letters) {
    if (c < 'a' || c > 'z') return {};
    disk = disk * 26 + static_cast<std::uint32_t>(c - 'a') + 1;
    if (disk > most) return {};
  }
  return disk - 1;
}

bool take(std::string_view& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  return true;
}

std::optional<std::uint32_t> virtual_disk(std::uint32_t disk) {
  constexpr std::uint32_t major = 202;
  return disk < 16 ? major << 8 | disk << 4 : 1U << 28 | disk << 8;
}

// Each of Linux's majors of that kind has room for so many disks, of so many minors each.
template <std::size_t majors>
std::optional<std::uint32_t> of_majors(const std::array<std::uint32_t, majors>& table, std::uint32_t disk,
                                       std::uint32_t disks_each, unsigned minor_bits) {
  if (disk / disks_each >= majors) return {};
  return table[disk / disks_each] << 8 | (disk % disks_each) << minor_bits;
}

constexpr auto scsi_majors =
    std::to_array<std::uint32_t>({8, 65, 66, 67, 68, 69, 70, 71, 128, 129, 130, 131, 132, 133, 134, 135});
constexpr auto ide_majors = std::to_array<std::uint32_t>({3, 22, 33, 34, 56, 57, 88, 89, 90, 91});

}  // namespace

std::optional<std::uint32_t> vbd_number(std::string_view target) {
  if (take(target, "xvd") || take(target, "vd")) return disk_of(target).and_then(virtual_disk);
  const bool scsi = take(target, "sd");
  if (!scsi && !take(target, "hd")) return {};
  const auto disk = disk_of(target);
  if (!disk) return {};
  return scsi ? of_majors(scsi_majors, *disk, 16, 4) : of_majors(ide_majors, *disk, 2, 6);
}

}  // namespace vireo::presence
