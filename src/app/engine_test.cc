// SPDX-License-Identifier: Apache-2.0
// The whole engine in this process, on loopback, with no name server behind it.
#include "app/engine.h"

#include <atomic>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/admin_port.h"
#include "async/task_group.h"
#include "base/secret_box.h"
#include "http/client.h"
#include "http/json.h"
#include "sink/sink.h"
#include "support/installation.h"
#include "support/loopback_dns.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

struct EngineTest : testing::Test {
  TestFolder folder;
  SystemClock clock;
  std::atomic<int> drains_asked{0};
  http::Client client;

  // Port 9 of loopback is nobody's, so questions fail at once and none leaves the machine.
  config::LoadedConfig config(const std::string& more = "") {
    auto loaded = config::read_config(
        "[api]\nlisten = \"127.0.0.1:0\"\n[engine]\nthreads = 2\n[dns]\nservers = "
        "[\"127.0.0.1:9\"]\ntimeout_seconds = 1\n[smtp_out]\nhello_name = \"mail.example.jp\"\n" +
            more,
        "todoku.toml", folder / "", {});
    if (!loaded) throw std::runtime_error(loaded.error().problems.front().to_string());
    return std::move(*loaded);
  }
  std::unique_ptr<Engine> engine(const std::string& more = "") {
    return std::make_unique<Engine>(Engine::Options{
        .loaded = config(more), .clock = &clock, .drain_asked = [this] { ++drains_asked; }});
  }

  http::ClientResponse get(const net::Endpoint& at, const std::string& path) {
    http::ClientRequest request;
    request.url = fmt::format("http://{}{}", at.to_string(), path);
    auto response = run(client.fetch(std::move(request)));
    if (!response) throw std::runtime_error(response.error().detail);
    return std::move(*response);
  }
  ~EngineTest() override { EXPECT_EQ(async::unhandled_exceptions(), thrown_before_); }

 private:
  const std::size_t thrown_before_ = async::unhandled_exceptions();
};

TEST_F(EngineTest, StartsServesAndStops) {
  const auto todoku = engine();
  const auto started = todoku->start();
  ASSERT_TRUE(started) << started.error().detail;
  ASSERT_TRUE(todoku->api_endpoint());
  EXPECT_EQ(get(*todoku->api_endpoint(), "/healthz").status, 200);
  EXPECT_EQ(get(*todoku->api_endpoint(), "/api/v1/deliveries").status, 401);
  const auto ready = get(*todoku->api_endpoint(), "/readyz");
  EXPECT_THAT(ready.body, HasSubstr(R"("store":"ok")"));
  EXPECT_THAT(ready.body, HasSubstr(R"("sending":"ok")"));
  EXPECT_EQ(ready.status, 503) << "no name server answers";
  const auto metrics = get(*todoku->api_endpoint(), "/metrics");
  for (const char* name :
       {"todoku_queue_recipients{class=\"bulk\"} 0", "todoku_queue_age_seconds{class=\"bulk\"} 0",
        "todoku_set_aside_recipients{class=\"bulk\"} 0", "todoku_lanes{state=\"open\"} 0",
        "todoku_unrecorded_outcomes 0", "todoku_store_commits_total",
        "todoku_unhandled_exceptions_total 0", "process_resident_memory_bytes", "process_open_fds",
        "todoku_http_requests_total{server=\"api\",route=\"GET /healthz\",status=\"200\"} 1"}) {
    EXPECT_THAT(metrics.body, HasSubstr(name));
  }
  EXPECT_TRUE(todoku->stop(5s));
}

TEST_F(EngineTest, IsReadyWithoutNameServersIfItOnlyTakesRequests) {
  auto only_api = config();
  only_api.config.engine.roles = {"api"};
  Engine receiver({.loaded = std::move(only_api), .clock = &clock, .drain_asked = [] {}});
  ASSERT_TRUE(receiver.start());
  EXPECT_EQ(get(*receiver.api_endpoint(), "/readyz").status, 200);
  receiver.stop(5s);
}

// An engine that can be started with one role after another, names that lead to a receiver, and a
// client.
struct RolesTest : EngineTest {
  LoopbackDns names;
  async::Runtime receivers{1};
  std::unique_ptr<sink::Sink> receiver;
  std::string token;

  RolesTest() {
    receivers.start();
    sink::Options options;
    options.receivers.emplace_back().listen = {{net::IpAddress::v4({127, 0, 0, 1}), 0}};
    receiver = sink::Sink::create(options, clock).value();
    if (!receiver->start(receivers)) throw std::runtime_error("no receiver");
    auto port = open_admin_port(config());
    if (!port) throw std::runtime_error(port.error().detail);
    const auto added =
        (*port)->call({.method = "POST", .target = "/accounts", .body = R"({"name":"shop"})"});
    http::JsonArena arena;
    const auto account = http::parse_json(added.value().body, arena);
    token = account.value().at("key").at("bearer_token").as_string();
  }
  ~RolesTest() override {
    receiver->stop();
    receivers.join();
  }

  std::unique_ptr<Engine> engine_as(std::vector<std::string> roles) {
    auto loaded =
        config(fmt::format("allow_private_receivers = true\n[sites.defaults]\nport = {}\n",
                           receiver->endpoints().front().port));
    loaded.config.dns.servers = {names.endpoint()};
    loaded.config.dns.check_names = {};  // it answers for every name alike
    loaded.config.engine.roles = std::move(roles);
    auto todoku = std::make_unique<Engine>(
        Engine::Options{.loaded = std::move(loaded), .clock = &clock, .drain_asked = [] {}});
    const auto started = todoku->start();
    if (!started) throw std::runtime_error(started.error().detail);
    return todoku;
  }
  int post_transaction(const net::Endpoint& at) {
    http::ClientRequest request;
    request.method = "POST";
    request.url = fmt::format("http://{}/api/v1/deliveries/transaction", at.to_string());
    request.headers.add("Authorization", "Bearer " + token);
    request.headers.add("Content-Type", "application/json");
    request.body = R"({"from":{"email":"news@example.com"},"to":"taro@one.example",)"
                   R"("subject":"x","text_part":"x"})";
    const auto response = run(client.fetch(std::move(request)));
    if (!response) throw std::runtime_error(response.error().detail);
    return response->status;
  }
  std::string admin(const std::string& target) {
    auto port = open_admin_port(config());
    if (!port) throw std::runtime_error(port.error().detail);
    return (*port)->call({.target = target}).value().body;
  }
  [[nodiscard]] std::uint64_t arrived() const { return receiver->report().total.recipients; }
  [[nodiscard]] bool await_arrivals(std::uint64_t wanted) const {
    const auto until = clock.steady_now() + 10s;
    while (arrived() < wanted && clock.steady_now() < until) std::this_thread::sleep_for(1ms);
    return arrived() == wanted;
  }
};

TEST_F(RolesTest, TheApiAloneLeavesMailInTheStoreForALaterStartWithOthers) {
  std::uint64_t sent = 0;
  for (const std::vector<std::string>& later : std::vector<std::vector<std::string>>{
           {"api", "scheduler", "courier"}, {"scheduler", "courier"}}) {
    const std::uint64_t asked = names.questions();
    const auto front = engine_as({"api"});
    ASSERT_EQ(post_transaction(*front->api_endpoint()), 201);
    EXPECT_THAT(admin("/status"), HasSubstr(R"("class":"transactional","waiting":1)"));
    EXPECT_EQ(get(*front->api_endpoint(), "/readyz").status, 200);
    const auto metrics = get(*front->api_endpoint(), "/metrics");
    for (const char* of_delivery : {"todoku_smtp_connections", "todoku_lanes"}) {
      EXPECT_THAT(metrics.body, Not(HasSubstr(of_delivery)));
    }
    EXPECT_TRUE(front->stop(5s));
    EXPECT_EQ(names.questions(), asked);
    EXPECT_EQ(arrived(), sent);

    const auto behind = engine_as(later);
    EXPECT_EQ(behind->api_endpoint().has_value(), later.front() == "api");
    EXPECT_TRUE(await_arrivals(++sent));
    EXPECT_TRUE(behind->stop(5s));
    EXPECT_THAT(admin("/status"), HasSubstr(R"("class":"transactional","waiting":0)"));
  }
}

TEST_F(EngineTest, KeepsMetricsFromTheApiIfTheyHaveAListener) {
  const auto todoku = engine("[metrics]\nlisten = \"127.0.0.1:0\"\n");
  ASSERT_TRUE(todoku->start());
  EXPECT_EQ(get(*todoku->api_endpoint(), "/metrics").status, 404);
  EXPECT_EQ(get(*todoku->metrics_endpoint(), "/metrics").status, 200);
  EXPECT_EQ(get(*todoku->metrics_endpoint(), "/healthz").status, 200);
  todoku->stop(5s);
}

TEST_F(EngineTest, AnswersTheToolsTheSameRunningOrStopped) {
  const auto call = [&](cli::AdminRequest request) {
    auto port = open_admin_port(config());
    if (!port) throw std::runtime_error(port.error().detail);
    const bool running = (*port)->engine_running();
    auto answer = (*port)->call(std::move(request));
    if (!answer) throw std::runtime_error(answer.error().detail);
    return std::pair(running, *answer);
  };
  EXPECT_EQ(
      call({.method = "POST", .target = "/accounts", .body = R"({"name":"shop"})"}).second.status,
      201);
  const auto stopped = call({.target = "/accounts"});
  EXPECT_FALSE(stopped.first);
  {
    const auto todoku = engine();
    ASSERT_TRUE(todoku->start());
    const auto running = call({.target = "/accounts"});
    EXPECT_TRUE(running.first);
    EXPECT_EQ(running.second.body, stopped.second.body);
    EXPECT_EQ(call({.method = "POST", .target = "/drain"}).second.status, 200);
    EXPECT_EQ(drains_asked, 1);
    EXPECT_EQ(call({.target = "/nothing"}).second.status, 404);
    todoku->stop(5s);
  }
  EXPECT_EQ(call({.target = "/accounts"}).second.body, stopped.second.body)
      << "a socket left behind is no hindrance";
  EXPECT_EQ(call({.method = "POST", .target = "/drain"}).second.status, 400);
}

TEST_F(EngineTest, UsesANewDkimKeyWithoutARestart) {
  const auto todoku = engine();
  ASSERT_TRUE(todoku->start());
  auto port = open_admin_port(config());
  ASSERT_TRUE(port);
  (void)(*port)->call({.method = "POST", .target = "/accounts", .body = R"({"name":"shop"})"});
  const auto added =
      (*port)->call({.method = "POST",
                     .target = "/dkim",
                     .body = R"({"account":"shop","domain":"example.jp","algorithm":"ed25519"})"});
  ASSERT_TRUE(added);
  EXPECT_EQ(added->status, 201);
  EXPECT_THAT(added->body, HasSubstr("v=DKIM1; k=ed25519"));
  todoku->stop(5s);
  EXPECT_TRUE(engine()->start()) << "the key opens again";
}

TEST_F(EngineTest, LeavesTheStoreToTheEngineThatHasIt) {
  const auto first = engine();
  ASSERT_TRUE(first->start());
  const auto second = engine();
  const auto started = second->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::conflict);
  first->stop(5s);
  EXPECT_TRUE(engine()->start());
}

TEST_F(EngineTest, SaysWhichPortIsTaken) {
  const auto first = engine();
  ASSERT_TRUE(first->start());
  TestFolder other;
  auto loaded = config(fmt::format("[data]\ndirectory = \"{}\"\n", other / "data"));
  loaded.config.api.listen = first->api_endpoint()->to_string();
  // The master key beside it is in use already.
  Engine second(
      {.loaded = std::move(loaded), .clock = &clock, .begin_new = true, .drain_asked = [] {}});
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().detail, HasSubstr("api.listen"));
  EXPECT_THAT(started.error().detail, HasSubstr(first->api_endpoint()->to_string()));
  first->stop(5s);
}

TEST_F(EngineTest, DoesNotBeginAnewBesideAnOldKeyUnlessToldTo) {
  ASSERT_TRUE(engine()->start());
  std::filesystem::remove_all(folder / "data");
  const auto started = engine()->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::not_found);
  EXPECT_THAT(started.error().detail, HasSubstr("the master key " + (folder / "master.key")));
  EXPECT_THAT(started.error().detail, HasSubstr("--new"));
  Engine anew({.loaded = config(), .clock = &clock, .begin_new = true, .drain_asked = [] {}});
  EXPECT_TRUE(anew.start());
}

TEST_F(EngineTest, DoesNotStartWithAnAddressToSendFromThatIsNotOurs) {
  const auto started = engine(
                           "[[egress]]\nname = \"two\"\nbind_ipv4 = \"192.0.2.1\"\n"
                           "ipv4 = true\n")
                           ->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().detail,
            "the egress source two: 192.0.2.1 is no address of this machine");
}

TEST_F(EngineTest, DoesNotStartOnADamagedStore) {
  ASSERT_TRUE(engine()->start());
  std::ofstream(folder / "data/todoku.db", std::ios::binary) << std::string(8192, 'x');
  const auto started = engine()->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::corrupt) << started.error().detail;
}

TEST_F(EngineTest, DoesNotStartWithAnotherMasterKey) {
  ASSERT_TRUE(engine()->start());
  std::ofstream(folder / "master.key") << MasterKey::generate().to_base64().view();
  const auto started = engine()->start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().detail, HasSubstr("is not the one that this data was written with"));
}

}  // namespace
}  // namespace todoku::app
