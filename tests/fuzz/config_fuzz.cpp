// vireod.toml with anything in it: refused with a sentence, or read; and what is read is what is printed.
#include "daemon/config.hpp"
#include "tests/fuzz/expect.hpp"

using namespace vireo;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config = daemon::parse_config(fuzz::text_of(data, size), "vireod.toml");
  if (!config) {
    fuzz::expect(!config.error().detail.empty(), "a refusal says why");
    return 0;
  }
  const auto printed = daemon::print_config(*config);
  const auto again = daemon::parse_config(printed, "printed");
  fuzz::expect(again.has_value(), "a printed configuration can be read");
  fuzz::expect(daemon::print_config(*again) == printed, "a configuration survives being printed");
  return 0;
}
