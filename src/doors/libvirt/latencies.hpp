// How long clients waited for each procedure: from when its call was taken off the socket until its reply stood in line
// to be sent, whichever thread worked on it and whatever it waited for. Two readings of the clock and two relaxed
// additions for each call, on the door's thread; read from any.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/histogram.hpp"
#include "doors/libvirt/procedure.hpp"

namespace vireo::doors::libvirt {

// One procedure that was called.
struct Latency {
  std::string_view procedure;  // "domain_get_info"; static
  Histogram::Figures took;
};

class Latencies {
 public:
  // A procedure that there is not is nobody's latency.
  void add(std::uint32_t program, std::int32_t number, std::chrono::nanoseconds took) {
    for (auto& each : programs_)
      if (each.program == program && number >= 1 && static_cast<std::size_t>(number) <= each.size)
        each.by_number[static_cast<std::size_t>(number) - 1].add(took);
  }

  // In the order of program and number.
  std::vector<Latency> read() const {
    std::vector<Latency> called;
    for (const auto& each : programs_)
      for (std::size_t i = 0; i < each.size; ++i)
        if (auto figures = each.by_number[i].figures(); figures.count() > 0)
          called.push_back({.procedure = procedures_of(each.program)[i].name, .took = figures});
    return called;
  }

 private:
  struct Program {
    explicit Program(std::uint32_t p)
        : program(p), size(procedures_of(p).size()), by_number(std::make_unique<Histogram[]>(size)) {}
    std::uint32_t program;
    std::size_t size;
    std::unique_ptr<Histogram[]> by_number;
  };
  std::array<Program, 2> programs_{Program(proc::remote_program), Program(proc::qemu_program)};
};

}  // namespace vireo::doors::libvirt
