// Probing the real QEMU and programs that are none, and the cache: probed once, kept on disk, probed again when the
// file is spoilt or the binary changes.
#include "qemu/probe.hpp"

#include <algorithm>

#include "qemu/capabilities_cache.hpp"
#include "qemu/capabilities_xml.hpp"
#include "qemu/process.hpp"
#include "qemu/test_support.hpp"

namespace vireo::qemu {
namespace {

using namespace std::chrono_literals;

constexpr const char* kQemu = "/usr/bin/qemu-system-x86_64";

class ProbeTest : public testing::Test {
 protected:
  std::string script(const std::string& text) {
    test::write_script(folder_.file("emulator"), text);
    return folder_.file("emulator");
  }
  // A small file that answers as the real QEMU does, counting how often it is run.
  std::string counting_emulator() {
    return script("echo run >> " + folder_.file("runs") + "; exec " + kQemu + " \"$@\"");
  }
  std::size_t runs() {
    const auto text = test::content_of(folder_.file("runs"));
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }
  std::shared_ptr<CapabilitiesCache> cache(std::chrono::milliseconds look_every = 0ms) {
    return std::make_shared<CapabilitiesCache>(core_.get_executor(), workers_, workers_, folder_.file("cache"),
                                               ExecOptions{}, look_every);
  }
  Result<CapabilitiesPtr> ask(const std::shared_ptr<CapabilitiesCache>& c, const std::string& binary) {
    return test::run(core_, c->get(binary, Deadline::in(20s)));
  }

  test::Folder folder_;
  asio::io_context core_;
  Workers workers_{"probe", 1};
};

TEST_F(ProbeTest, TellsWhatTheRealQemuCanDo) {
  auto caps = probe_binary(kQemu, {}, Deadline::in(20s));
  ASSERT_TRUE(caps) << caps.error().detail;
  EXPECT_EQ(caps->binary, kQemu);
  EXPECT_EQ(caps->arch, "x86_64");
  EXPECT_GE(caps->version_number(), 5'000'000u);
  EXPECT_TRUE(caps->canonical_machine("pc").starts_with("pc-i440fx-"));
  EXPECT_TRUE(caps->canonical_machine("q35").starts_with("pc-q35-"));
  EXPECT_EQ(caps->find_machine("none"), nullptr);
  EXPECT_TRUE(std::any_of(caps->cpus.begin(), caps->cpus.end(), [](const auto& c) { return c.name == "qemu64"; }));
  EXPECT_LE(caps->kvm, kvm_usable({}));
  EXPECT_TRUE(caps->spice);
}

TEST_F(ProbeTest, NamesWhatIsNoEmulator) {
  auto missing = probe_binary("/nonexistent/qemu", {}, Deadline::in(20s));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message(), "Cannot check QEMU binary /nonexistent/qemu: No such file or directory");
  auto plain = probe_binary("/etc/passwd", {}, Deadline::in(20s));
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().message(), "QEMU binary /etc/passwd is not executable: Permission denied");
  auto folder = probe_binary("/usr/bin", {}, Deadline::in(20s));
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().message(), "QEMU binary /usr/bin is not executable: Is a directory");
  auto other = probe_binary("/bin/true", {}, Deadline::in(20s));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().detail, "Failed to probe QEMU binary /bin/true: it does not answer as QEMU does");
  auto talker = probe_binary(script("echo hello; echo no >&2"), {}, Deadline::in(20s));
  ASSERT_FALSE(talker);
  EXPECT_NE(talker.error().detail.find("cannot parse JSON object 'hello'"), std::string::npos);
}

TEST_F(ProbeTest, SaysWhatTheProgramPrinted) {
  auto broken = probe_binary(script("echo 'error while loading libfoo.so' >&2; exit 127"), {}, Deadline::in(20s));
  ASSERT_FALSE(broken);
  EXPECT_TRUE(broken.error().detail.ends_with(": error while loading libfoo.so")) << broken.error().detail;
}

TEST_F(ProbeTest, AProgramThatHangsIsKilledAtTheDeadline) {
  const auto path = script("echo $$ > " + folder_.file("pid") + "; exec sleep 1000");
  // One that had no time to begin at all: again, with more.
  for (auto span = 300ms; span < 30s && test::content_of(folder_.file("pid")).empty(); span *= 3) {
    auto hung = probe_binary(path, {}, Deadline::in(span));
    ASSERT_FALSE(hung);
    EXPECT_EQ(hung.error().code, VIR_ERR_OPERATION_TIMEOUT);
  }
  EXPECT_FALSE(read_process_stat(std::stoi(test::content_of(folder_.file("pid")))));
}

TEST_F(ProbeTest, ManyAskersShareOneProbe) {
  const auto binary = counting_emulator();
  auto shared = cache();
  std::vector<CapabilitiesPtr> answers;
  for (int i = 0; i < 10; ++i)
    asio::co_spawn(
        core_, shared->get(binary, Deadline::in(20s)),
        [&](std::exception_ptr, Result<CapabilitiesPtr> caps) { answers.push_back(caps.value_or(nullptr)); });
  ASSERT_TRUE(test::run_until(core_, 20s, [&] { return answers.size() == 10; }));
  ASSERT_TRUE(answers.front());
  for (const auto& answer : answers) EXPECT_EQ(answer, answers.front());
  EXPECT_EQ(runs(), 1u);
}

TEST_F(ProbeTest, WhatWasFoundIsKeptOnDisk) {
  const auto binary = counting_emulator();
  auto first = ask(cache(), binary);
  ASSERT_TRUE(first) << first.error().detail;
  auto next_daemon = cache();
  auto second = ask(next_daemon, binary);
  ASSERT_TRUE(second);
  EXPECT_EQ(runs(), 1u);
  EXPECT_EQ(next_daemon->probes(), 0u);
  EXPECT_EQ(capabilities_xml("", {}, {*first}), capabilities_xml("", {}, {*second}));
  EXPECT_EQ((*first)->cpus.size(), (*second)->cpus.size());
  EXPECT_EQ((*first)->sandbox, (*second)->sandbox);
  EXPECT_EQ((*first)->spice, (*second)->spice);
}

TEST_F(ProbeTest, ASpoiltFileIsProbedAgain) {
  const auto binary = counting_emulator();
  const auto kept = capabilities_file_path(folder_.file("cache"), binary);
  ASSERT_TRUE(ask(cache(), binary));
  const auto whole = test::content_of(kept);
  ASSERT_FALSE(whole.empty());
  std::size_t expected = 1;
  for (const auto& content : {whole.substr(0, whole.size() / 2), std::string("[1,2]"), std::string("{}"),
                              std::string("{\"form\":\"x\"}"), std::string()}) {
    std::ofstream(kept, std::ios::trunc) << content;
    EXPECT_TRUE(ask(cache(), binary)) << content;
    EXPECT_EQ(runs(), ++expected) << content;
  }
}

TEST_F(ProbeTest, AChangedBinaryIsProbedAgain) {
  const auto binary = counting_emulator();
  auto shared = cache();
  ASSERT_TRUE(ask(shared, binary));
  ASSERT_TRUE(ask(shared, binary));
  EXPECT_EQ(runs(), 1u);
  const auto time = std::filesystem::last_write_time(binary);
  counting_emulator();
  std::filesystem::last_write_time(binary, time);  // the inode's change time still moves
  ASSERT_TRUE(ask(shared, binary));
  EXPECT_EQ(runs(), 2u);
}

TEST_F(ProbeTest, ABinaryIsNotLookedAtAgainTooSoon) {
  const auto binary = counting_emulator();
  auto shared = cache(1h);
  ASSERT_TRUE(ask(shared, binary));
  counting_emulator();
  ASSERT_TRUE(ask(shared, binary));
  EXPECT_EQ(runs(), 1u);
}

TEST_F(ProbeTest, AFailureIsNotKept) {
  const auto binary = folder_.file("emulator");
  auto shared = cache();
  EXPECT_FALSE(ask(shared, binary));
  counting_emulator();
  EXPECT_TRUE(ask(shared, binary));
}

TEST(CapabilitiesXml, ListsTheDefaultMachineFirstAndEachAliasBehindItsMachine) {
  Capabilities caps;
  caps.binary = "/usr/bin/qemu-system-i386";
  caps.arch = "i686";
  caps.machines = {{.name = "isapc", .max_cpus = 1, .deprecated = true},
                   {.name = "pc-i440fx-7.2", .alias = "pc", .is_default = true, .max_cpus = 255}};
  EXPECT_EQ(capabilities_xml("  <host/>\n", {}, {std::make_shared<const Capabilities>(caps)}), R"(<capabilities>

  <host/>

  <guest>
    <os_type>hvm</os_type>
    <arch name='i686'>
      <wordsize>32</wordsize>
      <emulator>/usr/bin/qemu-system-i386</emulator>
      <machine maxCpus='255'>pc-i440fx-7.2</machine>
      <machine canonical='pc-i440fx-7.2' maxCpus='255'>pc</machine>
      <machine maxCpus='1' deprecated='yes'>isapc</machine>
      <domain type='qemu'/>
    </arch>
    <features>
      <pae/>
      <nonpae/>
      <acpi default='on' toggle='yes'/>
      <apic default='on' toggle='no'/>
      <cpuselection/>
      <deviceboot/>
      <disksnapshot default='on' toggle='no'/>
    </features>
  </guest>

</capabilities>
)");
}

}  // namespace
}  // namespace vireo::qemu
