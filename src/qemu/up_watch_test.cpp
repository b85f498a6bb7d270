// Texts in streams that come in pieces, and files that grow.
#include "qemu/up_watch.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "base/test_files.hpp"

namespace vireo::qemu {
namespace {

using namespace std::chrono_literals;

TEST(TextSearch, FindsWhatLiesAcrossPieces) {
  const std::string stream = "loglogin\r\nlogin: ";
  for (std::size_t size = 1; size <= stream.size(); ++size) {
    TextSearch search("login:");
    bool found = false;
    std::size_t at = 0;
    for (; at < stream.size() && !found; at += size) found = search.feed(stream.substr(at, size));
    EXPECT_TRUE(found) << "in pieces of " << size;
    EXPECT_TRUE(search.feed("later")) << "what was found stays found";
    TextSearch other("login;");
    for (std::size_t i = 0; i < stream.size(); i += size) EXPECT_FALSE(other.feed(stream.substr(i, size)));
  }
  TextSearch one("x");
  EXPECT_FALSE(one.feed("abc"));
  EXPECT_FALSE(one.feed(""));
  EXPECT_TRUE(one.feed("x"));
}

class UpWatching : public ::testing::Test {
 protected:
  UpWatching() {
    print("");
    caller.start();
  }
  ~UpWatching() override {
    watch.stop();
    caller.stop();
  }
  void print(const std::string& text) const { std::ofstream(path, std::ios::app) << text << std::flush; }
  UpWatch::Ticket look(const std::string& text, bool fresh = true) {
    return watch.watch({.path = path, .text = text, .fresh = fresh}, caller.executor(),
                       [this](bool long_since) { told.set_value(long_since); });
  }
  std::int64_t stored_bytes() const {
    struct stat about{};
    ::stat(path.c_str(), &about);
    return std::int64_t{about.st_blocks} * 512;
  }

  const tests::Folder folder;
  const std::string path = folder.file("console");
  IoThread caller{"caller"};
  UpWatch watch;
  std::promise<bool> told;
  std::future<bool> answer = told.get_future();
};

TEST_F(UpWatching, ATextIsToldOnceItIsPrinted) {
  const auto ticket = look("login:");
  print("booting\nlog");
  EXPECT_EQ(answer.wait_for(100ms), std::future_status::timeout);
  print("in: ");
  ASSERT_EQ(answer.wait_for(10s), std::future_status::ready);
  EXPECT_FALSE(answer.get());
  print("login: ");  // told twice, the promise would throw
  EXPECT_EQ(asio::post(caller.executor(), asio::use_future([] { return 1; })).get(), 1);
}

TEST_F(UpWatching, ATextThatWasThereIsToldAsSuch) {
  print("login:");
  const auto ticket = look("login:", false);
  ASSERT_EQ(answer.wait_for(10s), std::future_status::ready);
  EXPECT_TRUE(answer.get());
}

TEST_F(UpWatching, AfterTheTicketNobodyIsTold) {
  look("login:").reset();
  // The thread does one thing after the other: once it tells of a later watch, the first has ended.
  std::ofstream(path + "-other") << "x";
  std::promise<void> other;
  const auto later = watch.watch({.path = path + "-other", .text = "x", .fresh = true}, caller.executor(),
                                 [&other](bool) { other.set_value(); });
  other.get_future().wait();
  print("login:");
  EXPECT_EQ(answer.wait_for(200ms), std::future_status::timeout);
}

TEST_F(UpWatching, WhatWasReadIsTakenOutOfTheFile) {
  const auto ticket = look("login:");
  for (int i = 0; i < 64; ++i) print(std::string(64 * 1024, '.'));
  print("login:");
  ASSERT_EQ(answer.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(std::filesystem::file_size(path), 64 * 64 * 1024 + 6U);
  // The rest goes within seconds, also of what is printed after that.
  print(std::string(1024 * 1024, '.'));
  for (int i = 0; i < 200 && stored_bytes() > 64 * 1024; ++i) std::this_thread::sleep_for(50ms);
  EXPECT_LE(stored_bytes(), 64 * 1024);
}

TEST_F(UpWatching, AnythingBeyondTheBeginningCountsWhereNoTextIsSought) {
  const auto ticket = watch.watch({.path = path, .from = 4, .fresh = true}, caller.executor(),
                                  [this](bool long_since) { told.set_value(long_since); });
  print("head");
  EXPECT_EQ(answer.wait_for(100ms), std::future_status::timeout);
  print("x");
  ASSERT_EQ(answer.wait_for(10s), std::future_status::ready);
  EXPECT_FALSE(answer.get());
}

TEST_F(UpWatching, AFileThatIsNotThereIsNobodysTrouble) {
  const auto nowhere = watch.watch({.path = path + "-none", .text = "x"}, caller.executor(), [](bool) { FAIL(); });
  const auto ticket = look("login:");
  print("login:");
  EXPECT_EQ(answer.wait_for(10s), std::future_status::ready);
}

}  // namespace
}  // namespace vireo::qemu
