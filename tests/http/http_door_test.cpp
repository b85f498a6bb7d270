// The HTTP door on a real socket, with its real routes, in front of a core on the simulated hypervisor: what it
// answers, what it refuses, when it lets a connection go, and how it ends.
#include "doors/http/door.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/fd.hpp"
#include "base/test_socket.hpp"
#include "core/stats/guest_history.hpp"
#include "tests/core/sim_host.hpp"

namespace vireo::tests {
namespace {

namespace http = doors::http;
using std::chrono::milliseconds;

class Client {
 public:
  explicit Client(const std::string& path) : fd_(connected_to(path)) { set_patience(); }
  explicit Client(unsigned short port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    set_patience();
  }
  void set_patience() {
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }

  void send(std::string_view text) {
    EXPECT_EQ(::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  // False: the connection has ended meanwhile.
  bool begin(std::string_view text) {
    return ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  // One whole answer; what came of it when the connection ends or nothing comes.
  std::string receive() {
    for (;;) {
      const auto head = text_.find("\r\n\r\n");
      if (head != std::string::npos) {
        const auto length = text_.find("Content-Length: ");
        const auto size = head + 4 + std::stoul(text_.substr(length + 16));
        if (text_.size() >= size) {
          auto answer = text_.substr(0, size);
          text_.erase(0, size);
          return answer;
        }
      }
      char buffer[4096];
      const auto got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (got <= 0) return std::exchange(text_, {});
      text_.append(buffer, static_cast<std::size_t>(got));
    }
  }
  std::string ask(const std::string& method, const std::string& target, const std::string& accept = "*/*") {
    send(method + " " + target + " HTTP/1.1\r\nHost: x\r\nAccept: " + accept + "\r\n\r\n");
    return receive();
  }
  std::string post(const std::string& target, const std::string& body) {
    begin_post(target, body);
    return receive();
  }
  void begin_post(const std::string& target, const std::string& body) {
    send("POST " + target + " HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  // What a client that still listens may do.
  void say_no_more() { ::shutdown(fd_.get(), SHUT_WR); }
  bool ended() {
    char byte;
    return text_.empty() && ::recv(fd_.get(), &byte, 1, 0) == 0;
  }

 private:
  Fd fd_;
  std::string text_;
};

class HttpDoor : public ::testing::Test {
 protected:
  void open(http::Limits limits = {}) {
    thread_.start();
    door_.emplace(std::vector{thread_.executor()}, sim_.host.core, services_, limits);
    ASSERT_TRUE(door_->listen(path_, std::filesystem::perms::owner_all));
  }
  // The door for everybody; returns its port.
  unsigned short open_public(http::Limits limits = {}) {
    thread_.start();
    door_.emplace(std::vector{thread_.executor()}, sim_.host.core, services_, limits, http::public_routes(), "metrics");
    return door_->listen(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)).value();
  }
  ~HttpDoor() override {
    if (door_) door_->close();
    thread_.end();
    scrapes_.stop();
    sim_.settle();  // what the core still holds of the door's calls goes before the door's context does
    thread_.stop();
  }

  static bool is(const std::string& answer, std::string_view status, std::string_view part) {
    const bool good = answer.starts_with("HTTP/1.1 " + std::string(status)) && answer.contains(part);
    if (!good) ADD_FAILURE() << answer;
    return good;
  }
  std::uint64_t counter(std::string_view name) {
    for (const auto& each : door_->counters())
      if (each.name == name) return each.value;
    ADD_FAILURE() << name;
    return 0;
  }

  // What the reload answers; held back until the gate is opened.
  static asio::awaitable<Result<http::Reloaded>> fake_reload(HttpDoor* self) {
    ++self->reloads_;
    while (self->held_) co_await asio::post(asio::use_awaitable);
    if (!self->reload_error_.empty()) co_return fail(VIR_ERR_CONF_SYNTAX, self->reload_error_);
    co_return http::Reloaded{.file = "/f", .changed = {"log_level"}, .at_next_start = {"door_threads"}};
  }

  static asio::awaitable<std::size_t> launches(core::Host& host) {
    std::size_t count = 0;
    for (const auto& domain : host.registry.all()) count += domain->launching ? 1 : 0;
    co_return count;
  }

  // Two samples of a guest that began to use a processor, five seconds apart, and now.
  static asio::awaitable<void> give_history(core::Host& host, Uuid uuid) {
    auto history = std::make_shared<core::GuestHistory>();
    const auto first = SteadyClock::now() - std::chrono::seconds(10);
    for (const std::uint64_t sample : {0, 1, 2}) {
      const model::HostFigures figures{.cpu_ns = sample == 2 ? 5'000'000'001U : 1U};
      history->add(
          {.id = 1,
           .host = {std::make_shared<const model::HostFigures>(figures), first + sample * std::chrono::seconds(5)}},
          {}, first + sample * std::chrono::seconds(5), std::chrono::seconds(5));
    }
    host.registry.find(uuid)->history = std::move(history);
    co_return;
  }

  const Folder folder_;
  const std::string path_ = folder_.file("sock");
  std::atomic<bool> held_ = false;
  std::atomic<int> reloads_ = 0;
  std::string reload_error_;
  SimHost sim_;
  LoopMeter core_loop_;
  Workers scrapes_{"scrapes", 1};
  http::Services services_{
      .host = sim_.host,
      .core_loop = core_loop_,
      .facts = [] { return http::DaemonFacts{.version = "9", .pid = 7, .counters = {{"a", "b", 3}}}; },
      .reload = [this] { return fake_reload(this); },
      .latencies =
          [] {
            Histogram once;
            once.add(milliseconds(2));
            return std::vector<http::Latency>{{.procedure = "domain_get_info", .took = once.figures()}};
          },
      .scrapes = scrapes_};
  IoThread thread_{"door"};
  std::optional<http::Door> door_;
};

TEST_F(HttpDoor, TellsWhatWaitedAndBeginsAnew) {
  open();
  Client client(path_);
  WaitReport::reset();
  WaitSite::at("lane", "guest", std::source_location::current()).add(std::chrono::microseconds(1500), "suspend");
  core_loop_.add_turn(std::chrono::microseconds(70));
  for (const auto& [method, path] : {std::pair{"GET", "/v1/contention"}, {"POST", "/v1/contention/reset"}}) {
    const auto answer = client.ask(method, path);
    EXPECT_TRUE(is(answer, "200", "\"longest_turn_us\":70"));
    EXPECT_TRUE(is(answer, "200", "\"held_by\":\"suspend\",\"count\":1,\"average_us\":1500"));
  }
  EXPECT_TRUE(is(client.ask("GET", "/v1/contention"), "200", "\"longest_turn_us\":0},\"sites\":[]"));
}

TEST_F(HttpDoor, AnswersFromThePublishedVersion) {
  open();
  Client client(path_);
  EXPECT_TRUE(is(client.ask("GET", "/v1/domains"), "200", "{\"domains\":[]}"));
  auto def = definition("web");
  ASSERT_TRUE(sim_.run(core::define(sim_.host, def)));
  EXPECT_TRUE(is(client.ask("GET", "/v1/domains/web"), "200", "\"id\":null,\"state\":\"shutoff\""));
  EXPECT_TRUE(is(client.ask("GET", "/v1/domains/web/trace"), "200", "\"launch\":null"));
  ASSERT_TRUE(sim_.run(core::start(sim_.host, ref_of(def), {})));
  const auto view = sim_.see(ref_of(def));
  for (const auto& key : {std::string("web"), def.uuid.text(), std::to_string(view->id)})
    EXPECT_TRUE(is(client.ask("GET", "/v1/domains/" + key), "200", "\"state\":\"running\",\"reason\":\"booted\""));
  EXPECT_TRUE(is(client.ask("GET", "/v1/domains/web/trace"), "200", "{\"name\":\"publish\""));
  EXPECT_TRUE(is(client.ask("GET", "/v1/domains/webb"), "404", "\"no_domain\""));
  EXPECT_TRUE(is(client.ask("GET", "/v1/daemon"), "200", "\"counters\":{\"a\":{\"b\":3}}"));
}

TEST_F(HttpDoor, TellsWhatAllGuestsDoWithoutAskingThem) {
  open();
  Client client(path_);
  EXPECT_TRUE(is(client.ask("GET", "/v1/top"), "200", "\"domains\":[]}"));
  const auto off = definition("off"), on = definition("on");
  ASSERT_TRUE(sim_.run(core::define(sim_.host, off)));
  ASSERT_TRUE(sim_.run(core::define(sim_.host, on)));
  ASSERT_TRUE(sim_.run(core::start(sim_.host, ref_of(on), {})));
  sim_.script->commands_hang = true;
  const auto answer = client.ask("GET", "/v1/top");
  EXPECT_TRUE(is(answer, "200", "\"period_ms\":5000"));
  EXPECT_TRUE(is(answer, "200", "{\"name\":\"off\""));
  EXPECT_TRUE(is(answer, "200", "\"liveness\":{\"kind\":\"shut_off\",\"sentence\":\"shut off\"}"));
  EXPECT_TRUE(is(answer, "200", "\"liveness\":{\"kind\":\"healthy\",\"sentence\":\"healthy\"}"));
  EXPECT_TRUE(is(answer, "200", "\"rss_kib\":"));
  EXPECT_TRUE(is(answer, "200", "\"round_trip_us\":null"));
  EXPECT_TRUE(is(client.ask("GET", "/v1/domains/on/liveness"), "200",
                 "\"stopped\":false,\"stuck\":[],\"pressure\":{\"cpu_stall_us\":null"));
  EXPECT_TRUE(is(client.ask("GET", "/v1/domains/off/liveness"), "200", "\"age_ms\":null"));
  EXPECT_TRUE(is(client.ask("GET", "/v1/domains/none/liveness"), "404", "\"no_domain\""));
}

TEST_F(HttpDoor, ChangesAnswerWhatTheyDid) {
  open();
  Client client(path_);
  EXPECT_TRUE(is(client.ask("POST", "/v1/reload"), "200",
                 R"({"file":"/f","changed":["log_level"],"at_next_start":["door_threads"]})"));
  reload_error_ = "f:3: bad";
  EXPECT_TRUE(is(client.ask("POST", "/v1/reload"), "422", "f:3: bad"));
  EXPECT_TRUE(is(client.ask("GET", "/v1/reload"), "405", "Allow: POST\r\n"));
}

TEST_F(HttpDoor, MetricsComeInTheFormatThatIsAskedFor) {
  open();
  Client client(path_);
  ASSERT_TRUE(sim_.run(core::create(sim_.host, definition("web"), {})));
  const auto plain = client.ask("GET", "/metrics");
  EXPECT_TRUE(is(plain, "200", "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_TRUE(is(plain, "200", "\nlibvirt_domain_info_vstate{domain=\"web\"} 1\n"));
  EXPECT_TRUE(is(plain, "200", "\nvireo_procedure_seconds_count{procedure=\"domain_get_info\"} 1\n"));
  EXPECT_TRUE(is(plain, "200", "\nvireo_launches_total{result=\"succeeded\"} 1\n"));
  EXPECT_TRUE(is(plain, "200", "\nvireo_launch_phase_seconds_count{phase=\"publish\"} 1\n"));
  EXPECT_TRUE(is(plain, "200", "\nvireo_other{group=\"a\",name=\"b\"} 3\n"));
  const auto open = client.ask("GET", "/metrics", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
  EXPECT_TRUE(is(open, "200", "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
  EXPECT_TRUE(open.ends_with("\n# EOF\n"));
  EXPECT_TRUE(is(client.ask("POST", "/metrics"), "405", "Allow: GET\r\n"));
}

// One that takes long is made elsewhere: another client of the same thread does not wait for it.
TEST_F(HttpDoor, AScrapeKeepsNobody) {
  open();
  std::promise<void> go;
  std::promise<void> begun;
  services_.latencies = [&begun, gate = go.get_future().share()] {
    begun.set_value();
    gate.wait();
    return std::vector<http::Latency>();
  };
  Client scraper(path_), other(path_);
  scraper.send("GET /metrics HTTP/1.1\r\n\r\n");
  begun.get_future().wait();
  EXPECT_TRUE(is(other.ask("GET", "/v1/domains"), "200", "{\"domains\":[]}"));
  go.set_value();
  EXPECT_TRUE(is(scraper.receive(), "200", "libvirt_up 1"));
}

TEST_F(HttpDoor, AtAnAddressThereIsNothingButMetrics) {
  const auto port = open_public({.connections = 2});
  Client client(port);
  EXPECT_TRUE(is(client.ask("GET", "/metrics"), "200", "\nlibvirt_up 1\n"));
  EXPECT_TRUE(is(client.ask("GET", "/"), "200", "/metrics"));
  for (const auto& route : http::routes())
    if (route.pattern != "/metrics")
      EXPECT_TRUE(is(client.ask(std::string(route.method), std::string(route.pattern)), "40", "")) << route.pattern;
  EXPECT_TRUE(is(client.ask("GET", "/v1/domains"), "404", "no_such_path"));
  EXPECT_TRUE(is(client.ask("POST", "/v1/reload"), "404", "no_such_path"));
  EXPECT_TRUE(is(client.ask("POST", "/metrics"), "405", "Allow: GET\r\n"));
  EXPECT_EQ(reloads_, 0);
  Client second(port);
  EXPECT_TRUE(is(second.ask("GET", "/"), "200", ""));
  Client third(port);
  EXPECT_TRUE(third.ended());
  EXPECT_EQ(counter("turned_away"), 1U);
  EXPECT_EQ(door_->counters().front().group, "metrics");
  door_->stop_accepting();
  EXPECT_TRUE(is(second.ask("GET", "/metrics"), "200", "libvirt_up 1"));
}

TEST_F(HttpDoor, AnAddressThatIsTakenIsRefusedByName) {
  const auto port = open_public();
  http::Door other(std::vector{thread_.executor()}, sim_.host.core, services_, {}, http::public_routes(), "metrics");
  const auto refused = other.listen(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().detail.contains("cannot listen at '127.0.0.1:" + std::to_string(port) + "'"))
      << refused.error().detail;
}

TEST_F(HttpDoor, ABatchIsStartedWithAResultForEach) {
  open();
  Client client(path_);
  for (const char* name : {"web-1", "web-2", "db"}) ASSERT_TRUE(sim_.run(core::define(sim_.host, definition(name))));
  auto answer = client.post("/v1/start", R"({"match": "web-*", "paused": true})");
  EXPECT_TRUE(is(answer, "200", R"("started":2,"failed":0})"));
  EXPECT_TRUE(is(answer, "200", R"({"domains":[{"name":"web-1","uuid":")"));
  EXPECT_TRUE(is(client.ask("GET", "/v1/domains/web-2"), "200", "\"state\":\"paused\""));
  answer = client.post("/v1/start", R"({"domains": ["db", "web-1", "none"]})");
  EXPECT_TRUE(is(answer, "200", R"("started":1,"failed":2})"));
  EXPECT_TRUE(is(answer, "200", R"("result":"already_running","id":null,"error":{"code":"operation_invalid",)"));
  EXPECT_TRUE(
      is(answer, "200", R"("name":"none","uuid":null,"result":"failed","id":null,"error":{"code":"no_domain",)"));
  EXPECT_TRUE(is(client.post("/v1/start", R"({"all": true})"), "200", R"({"domains":[],"started":0,"failed":0})"));
}

TEST_F(HttpDoor, WhatIsNoBatchIsRefused) {
  open();
  Client client(path_);
  for (const auto& [body, says] : std::initializer_list<std::pair<std::string, const char*>>{
           {"", "is no JSON"},
           {"{", "is no JSON"},
           {"[]", "must be a JSON object"},
           {"{}", "which guests to start by one of"},
           {R"({"all": true, "match": "a"})", "which guests to start by one of"},
           {R"({"all": false})", "must be true where it stands"},
           {R"({"match": 5})", "must be a pattern"},
           {R"({"match": ")" + std::string(256, '*') + "\"}", "at most 255 bytes"},
           {R"({"domains": []})", "at least one"},
           {R"({"domains": ["a", ""]})", "names or UUIDs"},
           {R"({"domains": ["a", 1]})", "names or UUIDs"},
           {R"({"domains": [["a"]]})", "names or UUIDs"},
           {R"({"domains": [[["a"]]]})", "is no JSON"},
           {R"({"all": true, "paused": 1})", "must be true or false"},
           {R"({"all": true, "pause": true})", "means nothing here"}})
    EXPECT_TRUE(is(client.post("/v1/start", body), "400", says)) << body;
}

TEST_F(HttpDoor, StartsThatWaitAreCancelledWhenTheirClientGoes) {
  open();
  std::vector<model::DomainDef> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(definition("g" + std::to_string(i)));
    ASSERT_TRUE(sim_.run(core::define(sim_.host, all.back())));
  }
  sim_.host.settings.parallel_starts = 1;
  // The first runs and the others hang; each of those keeps the next out for a second.
  std::atomic<int> spawned = 0;
  sim_.on_core([&] {
    sim_.script->fate = [&spawned](sim::Step step) {
      const bool hangs = step == sim::Step::Spawn && ++spawned > 1;
      return sim::Fate{.delay = SteadyClock::duration(std::chrono::hours(hangs ? 1 : 0))};
    };
  });
  {
    Client client(path_);
    client.begin_post("/v1/start", R"({"all": true})");
    while (spawned < 2) std::this_thread::sleep_for(milliseconds(1));
  }
  const auto nobody_waits = [&] { return sim_.run(launches(sim_.host)) + 1 == static_cast<std::size_t>(spawned); };
  EXPECT_TRUE(wait_until(nobody_waits));
  EXPECT_LT(spawned, 5) << "one that ran, and what had begun until the client went";
  sim_.on_core([this] { sim_.script->fate = nullptr; });
  for (const auto& def : all) {
    if (sim_.see(ref_of(def))->active()) continue;
    const auto ended = sim_.run(core::destroy(sim_.host, ref_of(def), false));
    EXPECT_TRUE(ended || ended.error().code == VIR_ERR_OPERATION_INVALID) << "it hung, or never began";
  }
  sim_.settle();
  EXPECT_EQ(sim_.simulated_processes(), 1);
  // A client that has said all that it has to say is still there.
  sim_.host.settings.parallel_starts = 5;
  Client client(path_);
  client.begin_post("/v1/start", R"({"all": true})");
  client.say_no_more();
  EXPECT_TRUE(is(client.receive(), "200", "\"failed\":0}"));
  EXPECT_EQ(sim_.simulated_processes(), 5);
}

TEST_F(HttpDoor, AHistoryIsToldByMetricAndSpan) {
  open();
  Client client(path_);
  auto def = definition("web");
  ASSERT_TRUE(sim_.run(core::define(sim_.host, def)));
  EXPECT_TRUE(is(client.ask("GET", "/v1/domains/web/history"), "409", "history = true"));
  sim_.host.settings.keep_history = true;
  const auto nothing = client.ask("GET", "/v1/domains/web/history/cpu");
  EXPECT_TRUE(is(nothing, "200", R"("bytes":0,"first_ms":null,"to_ms":)"));
  EXPECT_TRUE(is(nothing, "200", R"("last":null,"min":null,"mean":null,"max":null},"points":[])"));

  sim_.run(give_history(sim_.host, def.uuid));
  for (const char* path : {"/v1/domains/web/history/cpu", "/v1/domains/web/history/cpu/1h"}) {
    const auto answer = client.ask("GET", path);
    EXPECT_TRUE(is(answer, "200", R"({"domain":{"name":"web","uuid":")"));
    EXPECT_TRUE(is(answer, "200", R"("span":"1h","period_ms":5000,"bytes":)"));
    EXPECT_TRUE(is(answer, "200", R"("series":{"name":"cpu","unit":"percent","meaning":"Processor time)"));
    EXPECT_TRUE(is(answer, "200", "\"min\":0,\"mean\":")) << answer;
    EXPECT_TRUE(is(answer, "200", "\"max\":100}")) << answer;
  }
  EXPECT_TRUE(is(client.ask("GET", "/v1/domains/web/history/cpu/24h"), "200", R"("span":"24h")"));
  // All of them with a line for each, of whose 60 parts those without a sample are unknown.
  for (const char* path : {"/v1/domains/web/history", "/v1/domains/web/history/all/24h"}) {
    const auto answer = client.ask("GET", path);
    EXPECT_TRUE(is(answer, "200", R"("series":[{"name":"cpu",)"));
    EXPECT_TRUE(is(answer, "200", R"({"name":"monitor","unit":"ms",)"));
    EXPECT_TRUE(is(answer, "200", R"("line":[)"));
  }
  EXPECT_TRUE(is(client.ask("GET", "/v1/domains/web/history/cp"), "400", "no metric 'cp'; there are cpu, cpu-delay, "));
  EXPECT_TRUE(is(client.ask("GET", "/v1/domains/web/history/cpu/2h"), "400", "there are 1h and 24h"));
  EXPECT_TRUE(is(client.ask("GET", "/v1/domains/webb/history"), "404", "no_domain"));
}

TEST_F(HttpDoor, RequestsMayComeInOneBreath) {
  open();
  Client client(path_);
  client.send("GET /v1/domains HTTP/1.1\r\n\r\nGET /v1/nothing HTTP/1.1\r\n\r\nGET /v1/domains HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(is(client.receive(), "200", "domains"));
  EXPECT_TRUE(is(client.receive(), "404", "no_such_path"));
  const auto last = client.receive();
  EXPECT_TRUE(last.starts_with("HTTP/1.0 200")) << last;
  EXPECT_TRUE(client.ended());
}

TEST_F(HttpDoor, LimitsAreKept) {
  open({.header_bytes = 1000, .body_bytes = 100});
  {
    Client client(path_);
    client.send("GET /v1/domains HTTP/1.1\r\nX: " + std::string(2000, 'x') + "\r\n\r\n");
    EXPECT_TRUE(is(client.receive(), "431", "header_too_large"));
    EXPECT_TRUE(client.ended());
  }
  {
    Client client(path_);
    client.send("POST /v1/reload HTTP/1.1\r\nContent-Length: 101\r\n\r\n" + std::string(101, 'x'));
    EXPECT_TRUE(is(client.receive(), "413", "body_too_large"));
    EXPECT_TRUE(client.ended());
  }
  Client client(path_);
  client.send("POST /v1/reload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" + std::string(200, 'x'));
  EXPECT_TRUE(is(client.receive(), "413", "body_too_large"));
  EXPECT_EQ(reloads_, 0);
}

TEST_F(HttpDoor, WhatIsNoHttpIsToldSo) {
  open();
  for (const char* text : {"\x16\x03\x01 hello\r\n\r\n", "GET\r\n\r\n", "GET /v1/domains HTTP/7.0\r\n\r\n",
                           "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"}) {
    Client client(path_);
    client.send(text);
    EXPECT_TRUE(is(client.receive(), "400", "bad_request")) << text;
    EXPECT_TRUE(client.ended());
  }
}

TEST_F(HttpDoor, WhoIsSilentOrSlowIsLetGo) {
  open({.idle_timeout = milliseconds(100)});
  std::uint64_t clients = 2;
  Client silent(path_);
  auto slow = std::make_unique<Client>(path_);
  // One that comes too late to say anything was a silent one.
  for (; !slow->begin("GET /v1/dom"); ++clients) slow = std::make_unique<Client>(path_);
  EXPECT_TRUE(silent.ended());
  EXPECT_TRUE(slow->ended());
  // The connection ends a moment before it is counted.
  for (int i = 0; i < 2000 && counter("timed_out") < clients; ++i) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_EQ(counter("timed_out"), clients);
}

TEST_F(HttpDoor, ManyAreTurnedAway) {
  open({.connections = 2});
  Client one(path_), two(path_);
  EXPECT_TRUE(is(one.ask("GET", "/v1/domains"), "200", ""));
  EXPECT_TRUE(is(two.ask("GET", "/v1/domains"), "200", ""));
  Client three(path_);
  EXPECT_TRUE(three.ended());
  EXPECT_EQ(counter("turned_away"), 1U);
  EXPECT_TRUE(is(one.ask("GET", "/v1/domains"), "200", ""));
}

TEST_F(HttpDoor, AtTheEndChangesAreRefusedAndThoseUnderWayFinish) {
  open();
  held_ = true;
  Client under_way(path_), late(path_);
  EXPECT_TRUE(is(late.ask("GET", "/v1/domains"), "200", ""));
  under_way.send("POST /v1/reload HTTP/1.1\r\n\r\n");
  while (reloads_ == 0) std::this_thread::yield();
  door_->stop_accepting();
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_FALSE(door_->drain(Deadline::in(milliseconds(20))));
  EXPECT_TRUE(is(late.ask("POST", "/v1/reload"), "503", "shutting_down"));
  EXPECT_TRUE(is(late.ask("GET", "/v1/domains"), "200", ""));
  held_ = false;
  EXPECT_TRUE(is(under_way.receive(), "200", "log_level"));
  EXPECT_TRUE(door_->drain(Deadline::in(milliseconds(20'000))));
  EXPECT_EQ(reloads_, 1);
}

}  // namespace
}  // namespace vireo::tests
