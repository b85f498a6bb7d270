// The door: real sockets in the file system, many clients on several threads, and its closing.
#include "doors/libvirt/door.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/test_files.hpp"
#include "base/test_socket.hpp"
#include "doors/libvirt/test_door.hpp"

namespace vireo::doors::libvirt::testing {
namespace {

namespace fs = std::filesystem;
using enum proc::Remote;

class ListeningDoor : public DoorTest {
 protected:
  ListeningDoor() {
    welcoming_.emplace(std::vector{door_.executor(), second_.executor()}, table_, limits_, [this](Session& session) {
      session.state = std::make_shared<ToyState>(story_, core_.executor());
    });
  }
  ~ListeningDoor() override {
    welcoming_->close();
    EXPECT_TRUE(welcoming_->drain(Deadline::in(std::chrono::milliseconds(patience_ms))));
    core_.end();
    second_.end();
    door_.end();
    core_.sweep();
    second_.sweep();
  }
  Client dial(const fs::path& path) { return Client(tests::connected_to(path).release()); }

  const tests::Folder made_;
  const fs::path folder_ = made_.path();
  Thread second_;
  std::optional<Door> welcoming_;
};

constexpr auto everybody = static_cast<fs::perms>(0777);

TEST_F(ListeningDoor, ServesManyClientsOnBothSockets) {
  const auto path = folder_ / "sock", ro_path = folder_ / "sock-ro";
  ASSERT_TRUE(welcoming_->listen(path, everybody, false));
  ASSERT_TRUE(welcoming_->listen(ro_path, everybody, true));
  EXPECT_EQ(fs::status(path).permissions(), everybody);
  std::vector<Client> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(dial(path));
    clients.back().greet();
  }
  EXPECT_EQ(welcoming_->sessions(), 10u);
  auto reader = dial(ro_path);
  reader.greet();
  EXPECT_EQ(reader.call(domain_destroy, on<wire::remote_domain_destroy_args>("web")).error().code,
            VIR_ERR_OPERATION_DENIED);
  for (auto& client : clients)
    EXPECT_EQ(client.call(domain_lookup_by_name, wire::remote_domain_lookup_by_name_args{.name = "db"}).header.status,
              Status::ok);
}

std::uint64_t count_of(const Door& door, std::string_view name) {
  for (const auto& count : door.counts())
    if (count.name == name) return count.value;
  ADD_FAILURE() << "nothing is counted as " << name;
  return 0;
}

TEST_F(ListeningDoor, TurnsClientsAwayForEachSocketApart) {
  const auto path = folder_ / "sock", ro_path = folder_ / "sock-ro";
  ASSERT_TRUE(welcoming_->listen(path, everybody, false));
  ASSERT_TRUE(welcoming_->listen(ro_path, everybody, true));
  auto limits = limits_;
  limits.sessions = 2;
  welcoming_->set_limits(limits);
  std::vector<Client> readers;
  for (int i = 0; i < 2; ++i) {
    readers.push_back(dial(ro_path));
    readers.back().greet();
  }
  EXPECT_TRUE(dial(ro_path).ends());
  dial(path).greet();
  EXPECT_EQ(count_of(*welcoming_, "clients_refused_limit"), 1u);
  readers.front().leave();
  for (int i = 0; i < 1000 && welcoming_->sessions() != 1; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  dial(ro_path).greet();
  EXPECT_EQ(welcoming_->counters().clients_accepted.value(), 4u);
}

TEST_F(ListeningDoor, ClosingEndsSessionsCancelsCallsAndRemovesTheSocket) {
  const auto path = folder_ / "sock";
  ASSERT_TRUE(welcoming_->listen(path, everybody, false));
  auto client = dial(path);
  client.greet();
  client.send_call(domain_suspend, on<wire::remote_domain_suspend_args>("web"));
  ASSERT_TRUE(story_.has("holding web"));
  EXPECT_EQ(welcoming_->calls_in_flight(), 1u);
  EXPECT_FALSE(welcoming_->drain(Deadline::in(std::chrono::milliseconds(20))));
  welcoming_->close();
  EXPECT_TRUE(client.ends());
  EXPECT_TRUE(story_.has("cancelled web"));
  EXPECT_TRUE(welcoming_->drain(Deadline::in(std::chrono::seconds(5))));
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(ListeningDoor, ReplacesASocketThatWasLeftBehindButNothingElse) {
  const auto path = folder_ / "sock";
  tests::bound_to(path).reset();
  EXPECT_TRUE(welcoming_->listen(path, everybody, false));
  dial(path).greet();

  const auto file = folder_ / "file";
  std::ofstream(file) << "precious";
  auto refused = welcoming_->listen(file, everybody, false);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().detail.find(file.native()), std::string::npos);
  EXPECT_TRUE(fs::exists(file));
}

TEST_F(ListeningDoor, SaysWhyItCannotListen) {
  auto missing = welcoming_->listen(folder_ / "no" / "sock", everybody, false);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().detail.find("No such file"), std::string::npos);
  auto too_long = welcoming_->listen(folder_ / std::string(120, 'x'), everybody, false);
  ASSERT_FALSE(too_long);
  EXPECT_NE(too_long.error().detail.find("107"), std::string::npos);
}

}  // namespace
}  // namespace vireo::doors::libvirt::testing
