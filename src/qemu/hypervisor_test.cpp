// The whole port on the real QEMU: from a definition as a user writes it to a running guest and its end, and what is
// left when a start fails.
#include "qemu/hypervisor.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "qemu/process.hpp"
#include "qemu/test_support.hpp"

namespace vireo::qemu {
namespace {

using namespace std::chrono_literals;
using Kind = ports::GuestEvent::Kind;

class FixedHost : public ports::HostFacts {
 public:
  const std::string& hostname() const override { return hostname_; }
  const std::string& boot_id() const override { return boot_id_; }
  ports::NodeInfo node() const override { return {}; }
  const std::string& capabilities_host_xml() const override { return xml_; }
  std::uint64_t process_cpu_time_ns(pid_t) const override { return 0; }

 private:
  std::string hostname_ = "here", boot_id_ = "this-boot", xml_ = "  <host/>\n";
};

class HypervisorTest : public testing::Test {
 protected:
  static model::DomainDef small_guest() {
    model::DomainDef def;
    def.name = "small";
    def.uuid = Uuid::random();
    def.memory_kib = def.current_memory_kib = 16 * 1024;
    def.os.type = "hvm";
    def.features.acpi = true;
    def.devices.serials.emplace_back();
    def.devices.consoles.emplace_back().target = model::ConsoleTarget::serial;
    return def;
  }
  ports::LaunchSpec spec(model::DomainDef def) {
    return {.definition = std::make_shared<const model::DomainDef>(std::move(def)),
            .id = 7,
            .monitor_path = folder_.file("monitor.sock"),
            .runtime_dir = folder_.path(),
            .log_path = folder_.file("guest.log"),
            .deadline = Deadline::in(20s)};
  }
  // One that nobody listens on: the kernel's choice.
  static int free_port() {
    const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket.get(), any, size), 0);
    EXPECT_EQ(::getsockname(socket.get(), any, &size), 0);
    return ntohs(address.sin_port);
  }
  ports::GuestEventSink sink() {
    return [this](ports::GuestEvent event) { events_.push_back(std::move(event)); };
  }
  bool wait_for(Kind kind) {
    return test::run_until(core_, 20s, [&] {
      return std::any_of(events_.begin(), events_.end(), [&](const auto& e) { return e.kind == kind; });
    });
  }
  template <class T>
  T run(asio::awaitable<T> work) {
    return test::run(core_, std::move(work));
  }

  test::Folder folder_;
  asio::io_context core_;
  Workers spawn_{"spawn", 2}, probe_{"probe", 1};
  FixedHost host_;
  QemuHypervisor hypervisor_{core_.get_executor(), spawn_, probe_, host_, {.cache_dir = folder_.file("cache")}};
  std::vector<ports::GuestEvent> events_;
};

TEST_F(HypervisorTest, TellsItsVersionAndCapabilities) {
  auto version = run(hypervisor_.version());
  ASSERT_TRUE(version) << version.error().detail;
  EXPECT_GE(*version, 5'000'000u);
  auto xml = run(hypervisor_.capabilities_xml());
  ASSERT_TRUE(xml);
  EXPECT_TRUE(xml->starts_with("<capabilities>\n\n  <host/>\n\n"));
  EXPECT_NE(xml->find("<emulator>/usr/bin/qemu-system-x86_64</emulator>"), std::string::npos);
}

TEST_F(HypervisorTest, FromDefinitionToGuestAndThroughItsLife) {
  auto complete = run(hypervisor_.complete(small_guest()));
  ASSERT_TRUE(complete) << complete.error().detail;
  EXPECT_EQ(complete->devices.emulator, "/usr/bin/qemu-system-x86_64");
  auto launched = run(hypervisor_.launch(spec(*complete), sink()));
  ASSERT_TRUE(launched) << launched.error().detail << "\n" << test::content_of(folder_.file("guest.log"));
  const auto& live = *launched->live;
  EXPECT_EQ(live.id, 7);
  EXPECT_TRUE(live.devices.serials.front().source.path.starts_with("/dev/pts/"));
  EXPECT_EQ(live.devices.consoles.front().source.path, live.devices.serials.front().source.path);

  auto& guest = *launched->guest;
  EXPECT_EQ(guest.process().boot_id, "this-boot");
  EXPECT_EQ(*run(guest.query_vcpus(Deadline::in(20s))), ports::Vcpus::NeverRan);
  ASSERT_TRUE(run(guest.resume(Deadline::in(20s))));
  EXPECT_TRUE(wait_for(Kind::Resumed));

  ports::AdoptSpec adopt{.live = launched->live,
                         .id = 7,
                         .monitor_path = folder_.file("monitor.sock"),
                         .runtime_dir = folder_.path(),
                         .log_path = folder_.file("guest.log"),
                         .process = guest.process(),
                         .deadline = Deadline::in(20s)};
  launched->guest.reset();
  auto adopted = run(hypervisor_.adopt(adopt, sink()));
  ASSERT_TRUE(adopted) << adopted.error().detail;
  EXPECT_EQ(adopted->live, adopt.live);
  EXPECT_EQ(*run(adopted->guest->query_vcpus(Deadline::in(20s))), ports::Vcpus::Run);
  EXPECT_TRUE(run(adopted->guest->end(true, Deadline::in(20s))));
  EXPECT_TRUE(wait_for(Kind::Exited));
  EXPECT_EQ(run(hypervisor_.adopt(adopt, sink())).error().code, VIR_ERR_NO_DOMAIN);
}

TEST_F(HypervisorTest, AGuestWithAScreenHasItsPortInTheLiveDefinition) {
  const int port = free_port();
  auto def = small_guest();
  def.devices.graphics.emplace_back().port = port;
  def.devices.videos.emplace_back().model = model::VideoModel::vga;
  auto complete = run(hypervisor_.complete(def));
  ASSERT_TRUE(complete) << complete.error().detail;
  auto launched = run(hypervisor_.launch(spec(*complete), sink()));
  ASSERT_TRUE(launched) << launched.error().detail;
  EXPECT_EQ(launched->live->devices.graphics.front().port, port);
  EXPECT_TRUE(run(launched->guest->end(false, Deadline::in(20s))));
}

TEST_F(HypervisorTest, AStartThatFailsSaysWhyAndLeavesNothing) {
  auto complete = run(hypervisor_.complete(small_guest()));
  ASSERT_TRUE(complete);
  complete->os.kernel = folder_.file("no-such-kernel");
  auto launched = run(hypervisor_.launch(spec(*complete), sink()));
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().code, VIR_ERR_INTERNAL_ERROR);
  EXPECT_TRUE(launched.error().detail.starts_with("process exited while connecting to monitor: "))
      << launched.error().detail;
  EXPECT_NE(launched.error().detail.find("no-such-kernel"), std::string::npos) << launched.error().detail;
  EXPECT_FALSE(std::filesystem::exists(folder_.file("monitor.sock")));
  EXPECT_FALSE(std::filesystem::exists(folder_.file("qemu.pid")));
  EXPECT_TRUE(run(hypervisor_.sweep(folder_.file("monitor.sock"), std::nullopt, Deadline::in(20s))));
}

TEST_F(HypervisorTest, EmulatorsThatCannotRunItAreNamed) {
  auto def = small_guest();
  def.os.arch = "ppc64";
  EXPECT_EQ(run(hypervisor_.complete(def)).error().message(),
            "unsupported configuration: No emulator found for arch 'ppc64'");
  def = small_guest();
  def.devices.emulator = "/nonexistent/qemu";
  EXPECT_EQ(run(hypervisor_.complete(def)).error().message(),
            "Cannot check QEMU binary /nonexistent/qemu: No such file or directory");
  def = small_guest();
  def.os.arch = "ppc64";
  def.devices.emulator = "/usr/bin/qemu-system-x86_64";
  EXPECT_EQ(run(hypervisor_.complete(def)).error().message(),
            "unsupported configuration: Emulator '/usr/bin/qemu-system-x86_64' does not support arch 'ppc64'");
}

}  // namespace
}  // namespace vireo::qemu
