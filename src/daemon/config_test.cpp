// The configuration file: what is printed is what is read, and a bad file says where and why.
#include "daemon/config.hpp"

#include <gtest/gtest.h>

namespace vireo::daemon {
namespace {

TEST(Config, WhatIsPrintedIsRead) {
  Config config;
  config.libvirt_socket_dir = "/run/lib\"virt";
  config.emulator_dir = "''' \\ \n\t\x7f \"\"\" ä";
  config.lane_timeout_ms = 1234;
  config.security_drivers = {"apparmor", "dac"};
  const auto read = parse_config(print_config(config), "printed");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->libvirt_socket_dir, config.libvirt_socket_dir);
  EXPECT_EQ(read->emulator_dir, config.emulator_dir);
  EXPECT_EQ(read->lane_timeout_ms, 1234);
  EXPECT_EQ(read->security_drivers, config.security_drivers);
}

TEST(Config, AnEmptyFileGivesTheDefaults) {
  const auto read = parse_config("", "empty");
  ASSERT_TRUE(read);
  EXPECT_EQ(print_config(*read), print_config(Config{}));
}

struct BadFile {
  const char* text;
  const char* message;
};

TEST(Config, MetricsAreForThisHostOnly) {
  for (const char* good : {"", "127.0.0.1:9177", "127.8.9.1:1", "[::1]:65535"}) {
    const auto read = parse_config(fmt::format("metrics_listen = '{}'", good), "f.toml");
    ASSERT_TRUE(read) << good << ": " << read.error().detail;
    EXPECT_EQ(read->metrics_listen, good);
  }
  for (const char* open :
       {"0.0.0.0:9177", "192.168.1.2:80", "[::]:9177", "[::ffff:127.0.0.1]:9177", "[2001:db8::1]:80"})
    EXPECT_TRUE(parse_config(fmt::format("\nmetrics_listen = '{}'", open), "f.toml")
                    .error()
                    .detail.contains("put a reverse proxy in front"))
        << open;
  for (const char* bad :
       {"localhost:9177", "9177", ":9177", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:+1",
        "127.0.0.1:1 ", "::1:9177", "[::1]", "[127.0.0.1]:1", "[]:1", "]:1"}) {
    const auto read = parse_config(fmt::format("\nmetrics_listen = '{}'", bad), "f.toml");
    ASSERT_FALSE(read) << bad;
    EXPECT_TRUE(read.error().detail.contains("f.toml:2: metrics_listen: ")) << read.error().detail;
    EXPECT_TRUE(read.error().detail.contains("is no address such as")) << read.error().detail;
  }
}

class BadConfig : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadConfig, SaysLineAndReason) {
  const auto read = parse_config(GetParam().text, "f.toml");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, VIR_ERR_CONF_SYNTAX);
  EXPECT_NE(read.error().detail.find(GetParam().message), std::string::npos) << read.error().detail;
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, BadConfig,
    ::testing::Values(BadFile{"\nlog_level = ", "f.toml:2: "},
                      BadFile{"\n\nlog_leve = 'info'", "f.toml:3: unknown option"},
                      BadFile{"door_threads = 'two'", "f.toml:1: door_threads must be a whole number from 1 to 64"},
                      BadFile{"door_threads = 0", "f.toml:1: door_threads must be"},
                      BadFile{"\ntree_journal = 'never'", "f.toml:2: tree_journal must be behind, sync or off"},
                      BadFile{"emulator_dir = 3", "f.toml:1: emulator_dir must be a text"},
                      BadFile{"log_level = 'loud'", "f.toml:1: log_level must be"}, BadFile{"[;x]", "f.toml:1: "},
                      BadFile{"security_drivers = 'dac'", "f.toml:1: security_drivers must be a list of texts"},
                      BadFile{"security_drivers = ['dac', 1]", "f.toml:1: security_drivers must be a list of texts"},
                      BadFile{"security_drivers = []", "f.toml:1: security_drivers: name a model"},
                      BadFile{"\nsecurity_drivers = ['smack']", "f.toml:2: security_drivers: 'smack' is no security"},
                      BadFile{"security_drivers = ['dac', 'dac']", "'dac' stands there twice"},
                      BadFile{"security_drivers = ['none', 'dac']", "auto and none stand alone"},
                      BadFile{"security_drivers = ['selinux', 'apparmor']", "not by both"}, BadFile{"[]", "f.toml:1: "},
                      BadFile{"[[", "f.toml:1: "},
                      BadFile{"vnc_first_port = 6000\nvnc_last_port = 5999", "f.toml:1: vnc_first_port is above"},
                      BadFile{"\nspice_first_port = 6000\nspice_last_port = 5999",
                              "f.toml:2: spice_first_port is above"}));

TEST(Reload, TakesOverWhatMayChangeAndNamesTheRest) {
  Config in_force, read;
  read.log_level = "debug";
  read.monitor_timeout_ms = 123;
  read.door_threads = 9;
  read.emulator_dir = "/elsewhere";
  using Names = std::vector<std::string>;
  const auto first = take_up(in_force, read);
  EXPECT_EQ(first.changed, (Names{"log_level", "monitor_timeout_ms"}));
  EXPECT_EQ(first.at_next_start, (Names{"emulator_dir", "door_threads"}));
  EXPECT_EQ(in_force.log_level, "debug");
  EXPECT_EQ(in_force.monitor_timeout_ms, 123);
  EXPECT_EQ(in_force.door_threads, Config{}.door_threads);
  EXPECT_EQ(in_force.emulator_dir, Config{}.emulator_dir);
  // Again: nothing new, but what waits for the next start still does.
  const auto second = take_up(in_force, read);
  EXPECT_EQ(second.changed, Names{});
  EXPECT_EQ(second.at_next_start, first.at_next_start);
}

}  // namespace
}  // namespace vireo::daemon
