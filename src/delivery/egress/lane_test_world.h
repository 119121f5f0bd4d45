// SPDX-License-Identifier: Apache-2.0
// For tests of lanes: lanes and their connections on two threads, a receiver on a third, and, where
// lanes lean on others, calls that throw when told to.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "delivery/egress/lane.h"
#include "smtp/client/scripted_receiver.h"

namespace todoku::delivery::egress {

using namespace std::chrono_literals;

enum Seam : unsigned { time_of_day = 1, dialler = 2, recorder = 4, memory = 8, every = 15 };

// Which calls throw; none unless told.
struct Fault {
  unsigned seams = 0;
  std::int64_t at = 0;     // the first, from 1
  std::int64_t count = 1;  // so many in a row
  std::atomic<std::int64_t> calls{0};

  void point(Seam seam) {
    if ((seams & seam) == 0) return;
    const std::int64_t call = ++calls;
    if (call >= at && call < at + count) throw std::bad_alloc();
  }
  [[nodiscard]] bool hit() const { return calls >= at; }
};

// Whether this thread belongs to the engine and not to the test.
inline bool& of_the_engine() {
  thread_local bool it_does = false;
  return it_does;
}

// Mails are larger, and of what else the engine's threads do nothing is.
inline constexpr std::size_t kLarge = 64UL * 1024;

class ShakyClock final : public Clock {
 public:
  explicit ShakyClock(Fault& fault) : fault_(fault) {}
  [[nodiscard]] Instant now() const override {
    if (of_the_engine()) fault_.point(Seam::time_of_day);
    return real_.now();
  }
  [[nodiscard]] SteadyInstant steady_now() const override {
    if (of_the_engine()) fault_.point(Seam::time_of_day);
    return real_.steady_now();
  }

 private:
  const SystemClock real_;
  Fault& fault_;
};

class ShakyDialer final : public net::Dialer {
 public:
  explicit ShakyDialer(Fault& fault) : fault_(fault) {}
  Task<Result<net::Stream>> dial(net::Endpoint remote, net::DialOptions options,
                                 SteadyInstant deadline) override {
    fault_.point(Seam::dialler);
    if (remote.address != kLiving)
      return nobody_there(dead_are_silent ? deadline : SteadyInstant{});
    return net::dial(remote, options, deadline);
  }

  static inline const net::IpAddress kLiving = net::IpAddress::v4({127, 0, 0, 1});
  bool dead_are_silent = false;  // until the dial's deadline; before anything is dialled

 private:
  static Task<Result<net::Stream>> nobody_there(SteadyInstant until) {
    if (until != SteadyInstant{}) co_await async::sleep_for(until - SystemClock().steady_now());
    co_return fail(ErrorKind::timeout, "connect: timed out");
  }

  Fault& fault_;
};

class ShakyRecorder final : public OutcomeSink {
 public:
  struct Told {
    int times = 0;
    bool parked = false;
    bool marked = false;  // when it was parked
    Outcome outcome;
    Path path;
  };

  explicit ShakyRecorder(Fault& fault) : fault_(fault) {}

  void settled(const Mail& mail, std::string_view, Outcome outcome, Path path,
               Milliseconds) override {
    fault_.point(Seam::recorder);
    const std::lock_guard lock(mutex_);
    Told& told = told_[mail.recipient().address];
    ++told.times;
    told.outcome = std::move(outcome);
    told.path = std::move(path);
    mail.batch->unmark(mail.index);  // as the real one: once it is kept
    changed_.notify_all();
  }
  void parked(const Mail& mail, SteadyInstant) override {
    fault_.point(Seam::recorder);
    const std::lock_guard lock(mutex_);
    Told& told = told_[mail.recipient().address];
    ++told.times;
    told.parked = true;
    told.marked = mail.batch->is_marked(mail.index);
    changed_.notify_all();
  }
  [[nodiscard]] bool may_send() const override {
    fault_.point(Seam::recorder);
    if (next_may_send_throws.exchange(false)) throw std::bad_alloc();
    return true;
  }
  Task<bool> may_send_soon() override { co_return true; }
  // The batch does not know what is told here, and comes with every end.
  void given_back(const store::LeasedBatch&, std::size_t, GivenBack) noexcept override {}
  Task<bool> begin(const Mail& mail, std::uint32_t ahead) override {
    begin_soon(mail, ahead);
    if (at_begin) at_begin();
    mail.batch->told_begun(store::begun_bit(mail.recipient().seq));
    ++told_begun;
    co_return !mail.withheld();
  }
  void begin_soon(const Mail& mail, std::uint32_t ahead) override {
    mail.batch->asked_begun(mail.batch->wants_begun(mail.recipient().seq, ahead));
  }
  Task<bool> begin_suspect(const Mail&) override {
    ++suspects_begun;
    co_return !refuses;
  }
  Task<void> let_suspect_wait(const Mail&) override {
    ++suspects_let_wait;
    co_return;
  }

  Task<bool> begin_once(const Mail& mail) override {
    ++begun_once;
    mail.batch->mark(mail.index);
    if (at_begin_once) at_begin_once();
    co_return !refuses;
  }
  Task<void> take_back(const Mail& mail) override {
    ++taken_back;
    mail.batch->unmark(mail.index);
    co_return;
  }

  // Before anything is sent.
  std::function<void()> at_begin;
  std::function<void()> at_begin_once;
  bool refuses = false;  // to be told of what is begun
  mutable std::atomic<bool> next_may_send_throws{false};

  std::atomic<int> told_begun{0};
  std::atomic<int> begun_once{0};
  std::atomic<int> taken_back{0};
  std::atomic<int> suspects_begun{0};
  std::atomic<int> suspects_let_wait{0};

  [[nodiscard]] std::map<std::string, Told> told() const {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    told_.clear();
  }
  // Waits a moment for something to change; false if it has not been told of `count` mails yet.
  [[nodiscard]] bool knows(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 5ms, [&] { return told_.size() >= count; });
  }

 private:
  Fault& fault_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Told> told_;
};

class RestsCounted final : public Feedback {
 public:
  void progressed(std::vector<BatchProgress>) override {}
  void routed(std::string_view, std::string_view) override {}
  void rests(LaneRest rest) override {
    ++count;
    if (rest.elsewhere) ++elsewhere;
  }
  void listen(std::function<void()>) override {}
  [[nodiscard]] News take() override { return {}; }
  [[nodiscard]] std::string site_of(std::string_view domain) const override {
    return std::string(domain);
  }
  std::atomic<int> count{0};
  std::atomic<int> elsewhere{0};
};

inline Task<void> serve_one(net::Stream stream, smtp::Receiver& receiver) {
  smtp::FakeServer server(receiver.script);
  co_await smtp::serve(stream, server, receiver);
  receiver.taken.insert(receiver.taken.end(), server.taken().begin(), server.taken().end());
}

// Any number of connections at once; all on one thread.
inline Task<void> serve_all(net::Listener& listener, smtp::Receiver& receiver,
                            async::TaskGroup& group) {
  for (;;) {
    auto stream = co_await listener.accept();
    if (!stream) co_return;
    group.spawn("receiver", serve_one(std::move(*stream), receiver));
  }
}

inline constexpr std::uint32_t kMails = 3;

inline std::shared_ptr<const Letter> letter_of_large_values(
    bool at_most_once = false, TrafficClass traffic = TrafficClass::transactional) {
  Content content;
  content.from = {"news@example.com", ""};
  content.subject = "x";
  content.text_part = "__large__";
  return std::make_shared<const Letter>(
      Letter{.delivery = store::DeliveryKey{1},
             .traffic = traffic,
             .at_most_once = at_most_once,
             .started = SystemClock().now(),
             .message = mime::MessageTemplate::build(std::move(content), {}).value()});
}

inline std::shared_ptr<BatchInFlight> batch_of_mails(Milliseconds life_left, OutcomeSink& sink,
                                                     std::shared_ptr<const Letter> letter,
                                                     bool suspect = false) {
  store::LeasedBatch leased{
      .key = {store::DeliveryKey{1}, 1}, .traffic = letter->traffic, .suspect = suspect};
  for (std::uint32_t i = 0; i < kMails; ++i) {
    leased.recipients.push_back({.seq = i,
                                 .address = fmt::format("r{}@example.jp", i),
                                 .insert_codes = {{"__large__", std::string(2 * kLarge, 'x')}}});
  }
  return std::make_shared<BatchInFlight>(std::move(leased), std::move(letter),
                                         SystemClock().steady_now() + life_left, sink);
}

// Whom the system trusts takes longer to read than most tests do.
inline std::shared_ptr<const net::TlsClientContext> tls_for_tests() {
  static const auto context = net::TlsClientContext::create({}).value();
  return context;
}

inline Options options_with(std::uint16_t port) {
  Options options;
  options.sources = {{.name = "main", .ehlo = "sender.example.com"}};
  options.return_path_domain = options.message_id_domain = "bounce.example.com";
  options.port = port;
  return options;
}

// Mails that wait for an adaptive pace's first permits would wait in each of hundreds of worlds.
inline policy::SiteRules at_full_pace() {
  return policy::SiteRules::parse(
             std::array{policy::SiteRules::Layer{"rules", "[defaults]\nadaptive = false\n", ""}})
      .value();
}

class LaneTestWorld {
 public:
  LaneTestWorld(Fault& fault, std::size_t places_given,
                std::string greeting = "220 mx.example.jp ESMTP\r\n",
                std::vector<std::string> offers = {"PIPELINING", "CHUNKING", "8BITMIME"})
      : places(places_given),
        places_given_(places_given),
        clock_(fault),
        dialer_(fault),
        recorder(fault) {
    receiver_.script.greeting = std::move(greeting);
    receiver_.script.offers = std::move(offers);
    receiving_.start();
    on_receiver(open_receiver());
    options_ = options_with(port_);
    for (std::size_t i = 0; i < runtime_.size(); ++i) {
      connections_.push_back(std::make_unique<async::TaskGroup>(runtime_.executor(i)));
      rounds_.push_back(std::make_unique<SigningRounds>(
          runtime_.executor(i),
          mailauth::dkim::RsaByEight::of(mailauth::dkim::RsaArithmetic::fastest, metrics)));
      boost::asio::post(runtime_.executor(i), [] { of_the_engine() = true; });
    }
    runtime_.start();
  }
  ~LaneTestWorld() {
    for (std::size_t i = 0; i < runtime_.size(); ++i) {
      on(runtime_.executor(i), connections_[i]->stop());
    }
    runtime_.join();
    on_receiver(close_receiver());
    receiving_.join();
  }
  LaneTestWorld(const LaneTestWorld&) = delete;
  LaneTestWorld& operator=(const LaneTestWorld&) = delete;

  // Before anything is sent.
  void adapt() { rules_ = policy::SiteRules(); }
  void warm_up(WarmUp& plans) { lane_world_.warm_up = &plans; }
  // All mail goes to a smarthost of ours, which is the receiver here, without TLS and login.
  void behind_smarthost() {
    options_.sources.front().smarthost = {.host = "smtp.example.com",
                                          .port = port_,
                                          .tls = {.mode = TlsMode::never, .proof = TlsProof::none},
                                          .login = {}};
  }
  void seen_as(std::string address) { options_.sources.front().seen_as = {std::move(address)}; }
  void rest_never() { options_.site_backoff.first = 0ms; }
  void wait_for_room(Milliseconds time) { options_.composing_patience = time; }
  void dead_hosts_are_silent() { dialer_.dead_are_silent = true; }
  [[nodiscard]] smtp::Script& script() { return receiver_.script; }
  [[nodiscard]] policy::Avoided avoided() const {
    return known_.avoided("example.jp", SystemClock().steady_now());
  }

  // Whether it is dialled after others, because it did not serve.
  [[nodiscard]] bool is_last(net::IpAddress address) const {
    std::vector<dns::Candidate> hosts{
        {.host = "a", .preference = 1, .address = address},
        {.host = "b", .preference = 1, .address = net::IpAddress::v4({192, 0, 2, 1})}};
    known_.put_dead_last("main", hosts, SystemClock().steady_now());
    return hosts.back().address == address;
  }

  void send(Milliseconds life_left = 24h) {
    send(batch_of_mails(life_left, recorder, letter_of_large_values()));
  }
  void send_past_dead_hosts(std::uint8_t dead_hosts) {
    send(batch_of_mails(24h, recorder, letter_of_large_values()), dead_hosts);
  }
  void send_suspect() { send(batch_of_mails(24h, recorder, letter_of_large_values(), true)); }
  // To a route whose most preferred hosts are dead.
  void send(const std::shared_ptr<BatchInFlight>& batch, std::uint8_t dead_hosts = 0) {
    dns::MailRoute route{.domain = "example.jp", .site = "example.jp"};
    for (std::uint8_t i = 1; i <= dead_hosts; ++i) {
      route.hosts.push_back({.name = fmt::format("dead{}.example.jp", i),
                             .preference = i,
                             .addresses = {net::IpAddress::v4({127, 0, 1, i})}});
      if (i == 1) route.hosts.back().dane = dane_of_first_dead;
    }
    route.hosts.push_back(
        {.name = "mx.example.jp", .preference = 100, .addresses = {ShakyDialer::kLiving}});
    route.hosts.back().dane = dane;
    const auto answer = std::make_shared<const dns::RouteAnswer>(std::move(route));
    std::vector<Mail> mails;
    for (std::uint32_t i = 0; i < kMails; ++i) mails.push_back({batch, i});
    lanes.add(options_.sources.front(), {route_key(**answer), answer}, std::move(mails));
  }
  // As the engine does now and then.
  void tidy_until_all_is_told() {
    tidy_until([&] { return recorder.knows(kMails); });
  }
  template <class Done>
  void tidy_until(Done done) {
    const SystemClock clock;
    const SteadyInstant until = clock.steady_now() + 20s;
    while (!done() && clock.steady_now() < until) lanes.tidy();
  }
  // As where the engine's end does not wait for what is under way.
  void cut_off() {
    lanes.drain();
    for (std::size_t i = 0; i < runtime_.size(); ++i) {
      on(runtime_.executor(i), connections_[i]->stop());
    }
  }
  // As at the engine's end; all connections are over then.
  void drain() {
    lanes.drain();
    for (std::size_t i = 0; i < runtime_.size(); ++i) {
      const SteadyInstant until = SystemClock().steady_now() + 20s;
      EXPECT_TRUE(boost::asio::co_spawn(runtime_.executor(i),
                                        connections_[i]->wait_empty_until(until),
                                        boost::asio::use_future)
                      .get());
    }
    tidy_and_wait();
    on_receiver(close_receiver());
  }
  void tidy_and_wait() {
    lanes.tidy();
    for (std::size_t i = 0; i < runtime_.size(); ++i) {
      boost::asio::post(runtime_.executor(i), boost::asio::use_future).get();
    }
  }

  void check_that_all_is_free() {
    EXPECT_EQ(memory.used(), 0U);
    EXPECT_EQ(metrics.gauge("c", "").value(), 0.0) << "connections";
    EXPECT_EQ(metrics.gauge("w", "").value(), 0.0) << "waiting";
    EXPECT_EQ(metrics.gauge("h", "").value(), 0.0) << "in hand";
    for (std::size_t i = 0; i < places_given_ / 4; ++i) EXPECT_TRUE(places.begin_idle());
    for (std::size_t i = 0; i < places_given_; ++i) {
      EXPECT_TRUE(places.take(TrafficClass::transactional, [] noexcept { return false; }));
    }
  }
  void check_mails() {
    const auto told = recorder.told();
    EXPECT_EQ(told.size(), kMails);
    std::map<std::string, int> taken;
    for (const auto& each : receiver_.taken) ++taken[each.recipients.at(0)];
    for (const auto& [address, what] : told) {
      EXPECT_EQ(what.times, 1) << address;
      const bool in_doubt = what.outcome.reply.text.contains("before the answer came");
      const bool delivered =
          !what.parked && what.outcome.state == RecipientState::delivered && !in_doubt;
      const int times = taken[address];
      // Content that was written as the connection ended may have been lost on its way.
      EXPECT_TRUE(delivered ? times == 1 : times <= (in_doubt ? 1 : 0))
          << address << " taken " << times << (what.parked ? ", parked " : ", ")
          << to_string(what.outcome.state) << " " << what.outcome.reply.text;
    }
  }

  // Once drained.
  [[nodiscard]] const std::vector<smtp::FakeServer::Taken>& taken() const {
    return receiver_.taken;
  }

  // What the living host's shows.
  [[nodiscard]] const std::string& certificate() const { return receiver_.identity.chain; }

  dns::HostDane dane;                // of the living host
  dns::HostDane dane_of_first_dead;  // of the most preferred of the dead
  SourceSet listed;
  RestsCounted feedback;
  Metrics metrics;
  ConnectionPlaces places;
  ComposingMemory memory{1UL << 20U};

 private:
  template <class T>
  void on(const async::Executor& executor, Task<T> task) {
    boost::asio::co_spawn(executor, std::move(task), boost::asio::use_future).get();
  }
  void on_receiver(Task<void> task) { on(receiving_.executor(0), std::move(task)); }
  Task<void> open_receiver() {
    listener_.emplace(smtp::listen(receiving_.executor(0)));
    port_ = listener_->local().port;
    receivers_.spawn("receivers", serve_all(*listener_, receiver_, receivers_));
    co_return;
  }
  Task<void> close_receiver() {
    listener_->close();
    co_await receivers_.wait_empty();
  }

  const std::size_t places_given_;
  ShakyClock clock_;
  ShakyDialer dialer_;
  async::Runtime runtime_{2};
  async::Runtime receiving_{1};
  smtp::Receiver receiver_;
  std::optional<net::Listener> listener_;
  std::uint16_t port_ = 0;
  async::TaskGroup receivers_{receiving_.executor(0)};
  Options options_;
  policy::SiteRules rules_ = at_full_pace();
  std::vector<std::unique_ptr<async::TaskGroup>> connections_;
  std::vector<std::unique_ptr<SigningRounds>> rounds_;

 public:
  ShakyRecorder recorder;

 private:
  OwnShortage shortage_{metrics, clock_};
  KnownReceivers known_{metrics};
  LaneWorld lane_world_{.runtime = runtime_,
                        .clock = clock_,
                        .options = options_,
                        .outcomes = recorder,
                        .tls = tls_for_tests(),
                        .feedback = feedback,
                        .connections = connections_,
                        .rounds = rounds_,
                        .places = places,
                        .memory = memory,
                        .connections_gauge = metrics.gauge("c", ""),
                        .waiting_gauge = metrics.gauge("w", ""),
                        .in_hand_gauge = metrics.gauge("h", ""),
                        .dials_total = metrics.counter("d", ""),
                        .shortage = shortage_,
                        .receivers = known_,
                        .dialer = &dialer_,
                        .listed = &listed};

 public:
  LaneDirectory lanes{lane_world_, rules_};
};

}  // namespace todoku::delivery::egress
