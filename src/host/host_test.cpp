// The host as described by folders that look like /proc and /sys of other machines, and the machine that this runs on.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/test_files.hpp"
#include "host/cpu_map.hpp"
#include "host/host_xml.hpp"
#include "host/linux_host.hpp"
#include "host/topology.hpp"

namespace vireo::host {
namespace {

class FakeHost : public testing::Test {
 protected:
  void file(const std::string& path, const std::string& content) {
    const auto full = root_ + path;
    std::filesystem::create_directories(std::filesystem::path(full).parent_path());
    std::ofstream(full) << content << "\n";
  }
  void cpu(unsigned id, unsigned socket, unsigned core, const std::string& siblings) {
    const auto folder = "/sys/devices/system/cpu/cpu" + std::to_string(id) + "/topology/";
    file(folder + "physical_package_id", std::to_string(socket));
    file(folder + "die_id", "0");
    file(folder + "core_id", std::to_string(core));
    file(folder + "thread_siblings_list", siblings);
  }
  // Two nodes, each one socket of two cores with two threads.
  void two_nodes() {
    file("/proc/meminfo", "MemTotal:  2000000 kB");
    file("/proc/cpuinfo", "processor : 0\ncpu MHz\t\t: 2596.122");
    file("/sys/devices/system/cpu/online", "0-7");
    for (unsigned id = 0; id < 8; ++id) {
      const auto first = id % 4;
      cpu(id, id % 4 / 2, id % 2, std::to_string(first) + "," + std::to_string(first + 4));
    }
    for (unsigned node = 0; node < 2; ++node) {
      const auto folder = "/sys/devices/system/node/node" + std::to_string(node) + "/";
      file(folder + "cpulist", node == 0 ? "0-1,4-5" : "2-3,6-7");
      file(folder + "meminfo", "Node " + std::to_string(node) + " MemTotal:  1000000 kB");
      file(folder + "distance", node == 0 ? "10 21" : "21 10");
      file(folder + "hugepages/hugepages-2048kB/nr_hugepages", "5");
    }
    for (unsigned id = 0; id < 8; ++id) {
      const auto folder = "/sys/devices/system/cpu/cpu" + std::to_string(id) + "/cache/index3/";
      file(folder + "level", "3");
      file(folder + "type", "Unified");
      file(folder + "id", std::to_string(id % 4 / 2));
      file(folder + "size", "32768K");
      file(folder + "shared_cpu_list", id % 4 / 2 == 0 ? "0-1,4-5" : "2-3,6-7");
    }
  }

  const tests::Folder folder_;
  const std::string root_ = folder_.path();
};

TEST_F(FakeHost, CountsNodesSocketsCoresAndThreads) {
  two_nodes();
  const Tree tree(root_);
  const auto topology = read_topology(tree);
  const auto info = node_info(tree, topology, "x86_64");
  EXPECT_EQ(info.memory_kib, 2000000u);
  EXPECT_EQ(info.mhz, 2596u);
  EXPECT_EQ(info.cpus, 8u);
  EXPECT_EQ(info.nodes, 2u);
  EXPECT_EQ(info.sockets, 1u);
  EXPECT_EQ(info.cores, 2u);
  EXPECT_EQ(info.threads, 2u);
  EXPECT_EQ(cpu_shape(topology).sockets, 2u);
  ASSERT_EQ(topology.cells.size(), 2u);
  EXPECT_EQ(topology.cells[1].distances[0].value, 21u);
  EXPECT_EQ(topology.cells[0].pages[1].count, 5u);
  EXPECT_EQ(topology.cells[0].pages[0].count, (1000000u - 5u * 2048u) / 4u);
  ASSERT_EQ(topology.caches.size(), 2u);
  EXPECT_EQ(format_list(topology.caches[1].cpus), "2-3,6-7");
}

TEST_F(FakeHost, AnOfflineProcessorTurnsAllIntoCoresOfOneSocket) {
  two_nodes();
  file("/sys/devices/system/cpu/online", "0-6");
  const Tree tree(root_);
  const auto info = node_info(tree, read_topology(tree), "x86_64");
  EXPECT_EQ(info.cpus, 7u);
  EXPECT_EQ(info.nodes * info.sockets * info.threads, 1u);
  EXPECT_EQ(info.cores, 7u);
}

TEST_F(FakeHost, AKernelWithoutNumaHasOneCell) {
  file("/proc/meminfo", "MemTotal:  400000 kB");
  file("/sys/devices/system/cpu/online", "0");
  const Tree tree(root_);
  const auto topology = read_topology(tree);
  ASSERT_EQ(topology.cells.size(), 1u);
  EXPECT_EQ(topology.cells[0].memory_kib, 400000u);
  EXPECT_EQ(topology.cells[0].cpus.size(), 1u);
  EXPECT_EQ(node_info(tree, topology, "x86_64").mhz, 0u);
}

TEST_F(FakeHost, TellsTheHostAsLibvirtDoes) {
  two_nodes();
  HostDescription host;
  host.arch = "x86_64";
  host.cpu.model = "kvm64";
  host.cpu.features = {"vme"};
  host.page_sizes_kib = {4};
  host.topology = read_topology(Tree(root_));
  const auto xml = host_xml(host);
  EXPECT_NE(xml.find("<topology sockets='2' dies='1' cores='2' threads='2'/>"), std::string::npos) << xml;
  EXPECT_NE(xml.find("            <cpu id='2' socket_id='1' die_id='0' core_id='0' siblings='2,6'/>\n"),
            std::string::npos);
  EXPECT_NE(xml.find("      <bank id='1' level='3' type='both' size='32' unit='MiB' cpus='2-3,6-7'/>\n"),
            std::string::npos);
  EXPECT_NE(xml.find("            <sibling id='1' value='21'/>\n"), std::string::npos);
}

TEST_F(FakeHost, ChoosesTheModelThatSaysMost) {
  file("/map/index.xml",
       "<cpus><arch name='x86'><include filename='v.xml'/><include filename='f.xml'/><include filename='m.xml'/>"
       "</arch></cpus>");
  file("/map/v.xml", "<cpus><vendor name='Maker' string='MakerMakerMa'/></cpus>");
  file("/map/f.xml",
       "<cpus><feature name='one'><cpuid eax_in='0x01' edx='0x1'/></feature>"
       "<feature name='two'><cpuid eax_in='0x01' edx='0x2'/></feature>"
       "<feature name='three'><cpuid eax_in='0x07' ecx_in='0x01' ebx='0x4'/></feature>"
       "<feature name='absent'><cpuid eax_in='0x01' edx='0x8'/></feature>"
       "<feature name='secret'><msr index='0x10a' eax='0x1'/></feature></cpus>");
  file("/map/m.xml",
       "<cpus><model name='small'><decode host='on'/><feature name='one'/></model>"
       "<model name='good'><decode host='on'/><model name='small'/><feature name='two'/></model>"
       "<model name='hidden'><decode host='off'/><model name='good'/><feature name='three'/></model>"
       "<model name='foreign'><vendor name='Other'/><model name='good'/><feature name='three'/></model>"
       "<model name='more'><model name='good'/><feature name='absent'/></model></cpus>");
  const auto cpuid = [](std::uint32_t leaf, std::uint32_t subleaf) -> CpuidRegisters {
    if (leaf == 0) return {.ebx = 0x656b614d, .ecx = 0x614d7265, .edx = 0x6b614d72};
    if (leaf == 1) return {.eax = 0x00b20f21, .edx = 0x3};
    if (leaf == 7 && subleaf == 1) return {.ebx = 0x4};
    if (leaf == 0x80000008) return {.eax = 48};
    return {};
  };
  const auto cpu = identify_cpu(root_ + "/map", cpuid);
  EXPECT_EQ(cpu.vendor, "Maker");
  EXPECT_EQ(cpu.model, "good");
  EXPECT_EQ(cpu.features, std::vector<std::string>{"three"});
  EXPECT_EQ(cpu.family, 26u);
  EXPECT_EQ(cpu.model_number, 0x22u);
  EXPECT_EQ(cpu.stepping, 1u);
  EXPECT_EQ(cpu.physical_address_bits, 48u);
  const auto unmapped = identify_cpu(root_ + "/nowhere", cpuid);
  EXPECT_TRUE(unmapped.model.empty());
  EXPECT_EQ(unmapped.family, 26u);
}

TEST_F(FakeHost, AProcessesTimeIsReadBehindItsName) {
  file("/proc/7/stat", "7 (a ) 9 b) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 1 0 100 1 1");
  const LinuxHost host({.root = root_, .cpu_map_folder = root_});
  EXPECT_EQ(host.process_cpu_time_ns(7), 200u * (1'000'000'000u / static_cast<unsigned>(::sysconf(_SC_CLK_TCK))));
  EXPECT_EQ(host.process_cpu_time_ns(8), 0u);
}

TEST_F(FakeHost, ItsLoadIsWhatTheKernelTells) {
  file("/proc/meminfo", "MemTotal:  2000000 kB\nMemFree: 7 kB\nMemAvailable:  500000 kB");
  file("/proc/pressure/memory", "some avg10=9.00 avg60=0.07 total=1\nfull avg10=3.25 avg60=0.00 total=0");
  const LinuxHost host({.root = root_, .cpu_map_folder = root_});
  const auto load = host.load();
  EXPECT_EQ(load.memory_kib, 2'000'000u);
  EXPECT_EQ(load.available_kib, 500'000u);
  EXPECT_EQ(load.memory_stall, 3.25);
  EXPECT_EQ(load.disk_stall, 0) << "this kernel does not tell";
}

TEST_F(FakeHost, ItsProcessorsTimesAreSummedUpAsLibvirtDoes) {
  file("/proc/stat", "cpu  30 1 20 400 5 2 3 9 0 0\ncpu0 10 0 4 200\ncpu11 9 9 9 9 9 9 9\nintr 1");
  const LinuxHost host({.root = root_, .cpu_map_folder = root_});
  const auto tick = 1'000'000'000u / static_cast<unsigned>(::sysconf(_SC_CLK_TCK));
  const auto all = host.cpu_times(std::nullopt);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->user_ns, 31u * tick) << "user and nice";
  EXPECT_EQ(all->kernel_ns, 25u * tick) << "system, irq and softirq";
  EXPECT_EQ(all->idle_ns, 400u * tick);
  EXPECT_EQ(all->iowait_ns, 5u * tick);
  ASSERT_TRUE(host.cpu_times(0));
  EXPECT_EQ(host.cpu_times(0)->kernel_ns, 4u * tick) << "an old kernel's shorter line";
  EXPECT_FALSE(host.cpu_times(1)) << "11 is another one";
}

TEST_F(FakeHost, AProcessorMayBeThereAndNotInUse) {
  file("/sys/devices/system/cpu/present", "0-3");
  file("/sys/devices/system/cpu/online", "0,2");
  const LinuxHost host({.root = root_, .cpu_map_folder = root_});
  EXPECT_EQ(host.processors(), (std::vector<bool>{true, false, true, false}));
}

TEST_F(FakeHost, ItsMemoryIsToldAsAWholeAndByCell) {
  two_nodes();
  file("/proc/meminfo",
       "MemTotal: 2000000 kB\nMemFree: 7 kB\nMemAvailable: 9 kB\nBuffers: 3 kB\nCached: 4 kB\nSwapCached: 5 kB");
  const LinuxHost host({.root = root_, .cpu_map_folder = root_});
  const auto all = host.memory(std::nullopt);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->free_kib, 7u);
  EXPECT_EQ(all->buffers_kib, 3u);
  EXPECT_EQ(all->cached_kib, 4u);
  const auto cell = host.memory(1);
  ASSERT_TRUE(cell);
  EXPECT_EQ(cell->total_kib, 1'000'000u);
  EXPECT_FALSE(cell->cached_kib);
  EXPECT_FALSE(host.memory(2));
  EXPECT_EQ(host.last_cell(), 1u);
}

TEST_F(FakeHost, ItsNeighboursAreThoseWhoHaveAnswered) {
  file("/proc/net/arp",
       "IP address       HW type     Flags       HW address            Mask     Device\n"
       "192.0.2.1        0x1         0x2         52:54:00:00:00:05     *        eth0\n"
       "192.0.2.2        0x1         0x0         00:00:00:00:00:00     *        eth0\n"
       "192.0.2.3        0x1\n");
  const LinuxHost host({.root = root_, .cpu_map_folder = root_});
  const auto neighbours = host.neighbours();
  ASSERT_EQ(neighbours.size(), 1u);
  EXPECT_EQ(neighbours[0].address, "192.0.2.1");
  EXPECT_EQ(neighbours[0].mac, "52:54:00:00:00:05");
}

TEST(Lists, AreReadAndWrittenAsTheKernelDoes) {
  EXPECT_EQ(parse_list("0-2,7,9-10"), (std::vector<unsigned>{0, 1, 2, 7, 9, 10}));
  EXPECT_EQ(format_list({0, 1, 2, 7, 9, 10}), "0-2,7,9-10");
  EXPECT_TRUE(parse_list("").empty());
}

TEST(LinuxHostHere, HasWhatEveryHostHas) {
  const LinuxHost host;
  EXPECT_FALSE(host.hostname().empty());
  EXPECT_EQ(host.boot_id().size(), 36u);
  EXPECT_GT(host.node().memory_kib, 0u);
  EXPECT_EQ(host.node().nodes * host.node().sockets * host.node().cores * host.node().threads, host.node().cpus);
  const auto uuid_of = [](const LinuxHost& h) {
    const auto& xml = h.capabilities_host_xml();
    return xml.substr(0, xml.find("</uuid>"));
  };
  EXPECT_NE(uuid_of(host).find("<uuid>"), std::string::npos);
  EXPECT_EQ(uuid_of(host), uuid_of(LinuxHost()));
}

}  // namespace
}  // namespace vireo::host
