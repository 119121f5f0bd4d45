// SPDX-License-Identifier: Apache-2.0
#include "sim/japan/run.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <queue>

#include "base/check.h"
#include "base/random.h"

namespace todoku::sim::japan {
namespace {

using std::chrono::seconds;

constexpr seconds kIdle{5};  // a connection without work is closed after it

// A recipient on its way: how often it was tried.
struct Mail {
  std::uint32_t attempts = 0;
};

struct Retry {
  SteadyInstant due;
  std::uint32_t attempts;
  friend bool operator>(const Retry& a, const Retry& b) { return a.due > b.due; }
};

// Recipients of one receiver that wait; all sources draw from it.
struct Waiting {
  std::uint32_t fresh = 0;
  std::priority_queue<Retry, std::vector<Retry>, std::greater<>> again;

  [[nodiscard]] bool due(SteadyInstant now) const {
    return fresh > 0 || (!again.empty() && again.top().due <= now);
  }
  Mail next(SteadyInstant now) {
    if (!again.empty() && again.top().due <= now) {
      const Mail mail{again.top().attempts};
      again.pop();
      return mail;
    }
    --fresh;
    return {};
  }
};

struct Connection {
  enum class State : std::uint8_t { closed, greeting, idle, busy };
  State state = State::closed;
  std::uint32_t messages = 0;  // begun on it
  SteadyInstant since{};       // of its state
  Mail mail;                   // in hand, unless idle
};

// A pace that is promised, watched apart from the code that keeps it: a token bucket.
struct PaceWatch {
  double messages_per_second = 0;
  double tokens = 1;
  SteadyInstant at{};

  // False if a message that begins now is one too many.
  bool began(SteadyInstant now) {
    if (messages_per_second <= 0) return true;
    constexpr double kTenMilliseconds = 0.01;  // policy/pacer.h may grant these at once
    const double most = 1.001 + messages_per_second * kTenMilliseconds;
    const double passed = std::chrono::duration<double>(now - at).count();
    tokens = std::min(most, tokens + passed * messages_per_second);
    at = now;
    tokens -= 1;
    return tokens > -0.001;
  }
};

struct Lane {
  std::uint32_t receiver = 0;
  unsigned source = 0;
  std::unique_ptr<LaneStrategy> strategy;
  const delivery::policy::SiteLimits* ceilings = nullptr;
  PaceWatch watch;
  std::vector<Connection> connections;
  std::uint32_t open = 0;  // greeting, idle or busy
  std::uint32_t idle = 0;
  std::uint32_t held = 0;  // granted, waiting for a greeting
  SteadyInstant wakes_at = kAfterAnswer;
};

struct Event {
  enum class Kind : std::uint8_t { wake, greeted, answered };
  SteadyInstant at;
  std::uint64_t order;  // of those at one instant
  std::uint32_t lane;
  std::uint16_t connection;
  Kind kind;
  Said said;

  friend bool operator>(const Event& a, const Event& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }
};

class Runner {
 public:
  Runner(const World& world, Strategy& strategy, Microseconds horizon)
      : world_(world),
        strategy_(strategy),
        horizon_(world.begins + horizon),
        random_(world.seed * 2 + 1) {}

  Ran ran() {
    begin();
    while (!events_.empty() && events_.top().at <= horizon_) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.at;
      play(event);
    }
    finish();
    return std::move(ran_);
  }

 private:
  void begin() {
    now_ = world_.begins;
    receivers_.reserve(world_.receivers.size());
    for (std::uint32_t i = 0; i < world_.receivers.size(); ++i) {
      const Receiver& receiver = world_.receivers[i];
      receivers_.emplace_back(receiver, world_.sources);
      waiting_.push_back({.fresh = receiver.recipients, .again = {}});
      Part& part = ran_.parts[receiver.site.empty() ? "small hosts" : receiver.site];
      part.recipients += receiver.recipients;
      ran_.whole.recipients += receiver.recipients;
      part_of_.push_back(&part);
    }
    for (std::uint32_t i = 0; i < world_.receivers.size(); ++i) {
      for (unsigned source = 0; source < world_.sources; ++source) open_lane(i, source);
    }
    for (std::uint32_t lane = 0; lane < lanes_.size(); ++lane) wake(lane, now_);
  }

  void open_lane(std::uint32_t receiver, unsigned source) {
    const std::string& site = world_.receivers[receiver].site;
    Lane lane;
    lane.receiver = receiver;
    lane.source = source;
    lane.strategy =
        strategy_.open({.site = site, .source = source, .hidden = &receivers_[receiver]});
    lane.ceilings = strategy_.ceilings(site);
    if (lane.ceilings) lane.watch.messages_per_second = lane.ceilings->messages_per_second;
    lanes_.push_back(std::move(lane));
  }

  void play(const Event& event) {
    Lane& lane = lanes_[event.lane];
    switch (event.kind) {
      case Event::Kind::wake:
        if (event.at != lane.wakes_at) return;  // an earlier one came between
        lane.wakes_at = kAfterAnswer;
        break;
      case Event::Kind::greeted:
        greeted(event);
        break;
      case Event::Kind::answered:
        answered(event);
        break;
    }
    send_on(event.lane);
  }

  // ---- a lane's next steps

  void send_on(std::uint32_t number) {
    Lane& lane = lanes_[number];
    Waiting& waiting = waiting_[lane.receiver];
    close_idle(lane);
    while (waiting.due(now_)) {
      const std::uint32_t most = lane.strategy->connections_max(now_);
      const bool full = lane.idle == 0 && lane.open >= most;
      // A lane that may have none asks when it may again; others wait for an answer.
      if (full && most > 0) return;
      const SteadyInstant again = lane.strategy->take(lane.held, now_);
      if (again > now_) return wake(number, again);
      check(!full, "a lane that may have no connection grants nothing");
      const Mail mail = waiting.next(now_);
      if (Connection* connection = idle_one(lane)) {
        --lane.idle;
        begin_message(number, *connection, mail);
      } else {
        begin_connection(number, mail);
      }
    }
    if (!waiting.again.empty()) wake(number, waiting.again.top().due);
  }

  // The one used last, so that the others grow old; one that is used up is closed instead.
  Connection* idle_one(Lane& lane) {
    if (lane.idle == 0) return nullptr;
    Connection* newest = nullptr;
    const std::uint32_t most = lane.strategy->messages_per_connection(now_);
    for (Connection& connection : lane.connections) {
      if (connection.state != Connection::State::idle) continue;
      if (connection.messages >= most) {
        close(lane, connection);
      } else if (!newest || connection.since > newest->since) {
        newest = &connection;
      }
    }
    return newest;
  }

  void close_idle(Lane& lane) {
    if (lane.idle == 0) return;
    const std::uint32_t most = lane.strategy->connections_max(now_);
    for (Connection& connection : lane.connections) {
      if (connection.state != Connection::State::idle) continue;
      if (lane.open > most || now_ - connection.since > kIdle) close(lane, connection);
    }
  }

  void close(Lane& lane, Connection& connection) {
    if (connection.state == Connection::State::idle) --lane.idle;
    connection.state = Connection::State::closed;
    --lane.open;
    receivers_[lane.receiver].closed(lane.source);
  }

  void begin_connection(std::uint32_t number, Mail mail) {
    Lane& lane = lanes_[number];
    const auto free =
        std::ranges::find(lane.connections, Connection::State::closed, &Connection::state);
    Connection& connection =
        free == lane.connections.end() ? lane.connections.emplace_back() : *free;
    ReceiverAtWork& receiver = receivers_[lane.receiver];
    connection = {.state = Connection::State::greeting, .messages = 0, .since = now_, .mail = mail};
    ++lane.open;
    ++lane.held;
    if (lane.ceilings && lane.open > lane.ceilings->connections_max) ++ran_.ceilings_passed;
    const Said said = receiver.connect(lane.source, now_);
    schedule(number, connection, Event::Kind::greeted, said, receiver.handshake_time());
  }

  void begin_message(std::uint32_t number, Connection& connection, Mail mail) {
    Lane& lane = lanes_[number];
    ReceiverAtWork& receiver = receivers_[lane.receiver];
    connection.state = Connection::State::busy;
    connection.since = now_;
    connection.mail = mail;
    ++connection.messages;
    if (lane.ceilings && connection.messages > lane.ceilings->messages_per_connection) {
      ++ran_.ceilings_passed;
    }
    const Microseconds takes = receiver.answer_time(now_);
    const Said said = receiver.message(lane.source, connection.messages, now_, random_);
    schedule(number, connection, Event::Kind::answered, said, takes);
  }

  // ---- what comes back

  void greeted(const Event& event) {
    Lane& lane = lanes_[event.lane];
    Connection& connection = lane.connections[event.connection];
    --lane.held;
    (void)tell(lane, connection, event.said, true);
    if (event.said == Said::taken) return begin_message(event.lane, connection, connection.mail);
    count(lane, event.said);
    try_again(lane, connection.mail);
    // The receiver never counted it as open.
    connection.state = Connection::State::closed;
    --lane.open;
  }

  void answered(const Event& event) {
    Lane& lane = lanes_[event.lane];
    Connection& connection = lane.connections[event.connection];
    const bool left = tell(lane, connection, event.said, false);
    count(lane, event.said);
    if (is_limit(event.said)) {
      try_again(lane, connection.mail);
    } else {
      ended(lane);
    }
    if (left || ends_connection(event.said)) return close(lane, connection);
    connection.state = Connection::State::idle;
    connection.since = now_;
    ++lane.idle;
  }

  bool tell(Lane& lane, const Connection& connection, Said said, bool at_connect) {
    return lane.strategy->heard({.said = said,
                                 .at_connect = at_connect,
                                 .others = lane.open - 1,
                                 .began = connection.since,
                                 .now = now_});
  }

  void count(const Lane& lane, Said said) {
    Part& part = *part_of_[lane.receiver];
    for (Part* each : {&part, &ran_.whole}) {
      ++each->said[static_cast<std::size_t>(said)];
      if (said == Said::taken) ++each->taken;
      if (said == Said::unknown) ++each->unknown;
    }
  }

  void try_again(const Lane& lane, Mail mail) {
    const std::uint32_t attempts = mail.attempts + 1;
    waiting_[lane.receiver].again.push({now_ + strategy_.wait_after(attempts), attempts});
  }

  void ended(const Lane& lane) {
    const auto minute = static_cast<std::size_t>(
        std::chrono::floor<std::chrono::minutes>(now_ - world_.begins).count());
    if (ended_by_minute_.size() <= minute) ended_by_minute_.resize(minute + 1);
    ++ended_by_minute_[minute];
    for (Part* each : {part_of_[lane.receiver], &ran_.whole}) {
      const std::uint64_t done = each->taken + each->unknown;
      if (done * 100 >= each->recipients * 99 && each->to_99.count() == 0) {
        each->to_99 = now_ - world_.begins;
      }
    }
  }

  void finish() {
    std::partial_sum(ended_by_minute_.begin(), ended_by_minute_.end(), ended_by_minute_.begin());
    ran_.done_by_minute = std::move(ended_by_minute_);
    for (const Waiting& each : waiting_) ran_.waiting += each.fresh + each.again.size();
    for (const Lane& lane : lanes_) {
      for (const Connection& connection : lane.connections) {
        using State = Connection::State;
        ran_.waiting += connection.state == State::busy || connection.state == State::greeting;
      }
    }
  }

  // ---- events

  void wake(std::uint32_t number, SteadyInstant at) {
    Lane& lane = lanes_[number];
    if (at == kAfterAnswer || at >= lane.wakes_at) return;
    lane.wakes_at = at;
    events_.push({at, ++order_, number, 0, Event::Kind::wake, Said::taken});
  }

  void schedule(std::uint32_t number, const Connection& connection, Event::Kind kind, Said said,
                Microseconds in) {
    const auto index = static_cast<std::uint16_t>(&connection - lanes_[number].connections.data());
    events_.push({now_ + in, ++order_, number, index, kind, said});
  }

  const World& world_;
  Strategy& strategy_;
  const SteadyInstant horizon_;
  SeededRandom random_;
  SteadyInstant now_{};
  std::uint64_t order_ = 0;
  std::vector<ReceiverAtWork> receivers_;
  std::vector<Waiting> waiting_;
  std::vector<Part*> part_of_;
  std::vector<Lane> lanes_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<std::uint64_t> ended_by_minute_;
  Ran ran_;
};

}  // namespace

std::uint64_t Part::limit_replies() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kSaidCount; ++i) {
    if (is_limit(static_cast<Said>(i))) sum += said[i];
  }
  return sum;
}

double Part::limit_share() const {
  const auto all = std::accumulate(said.begin(), said.end(), std::uint64_t{0});
  return all == 0 ? 0 : static_cast<double>(limit_replies()) / static_cast<double>(all);
}

Ran run(const World& world, Strategy& strategy, Microseconds horizon) {
  return Runner(world, strategy, horizon).ran();
}

}  // namespace todoku::sim::japan
