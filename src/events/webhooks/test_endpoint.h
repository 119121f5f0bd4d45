// SPDX-License-Identifier: Apache-2.0
// For tests of the policy: a store, an endpoint and time, all simulated from one seed, and a judge
// who has seen everything.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/random.h"
#include "events/webhooks/endpoint_policy.h"

namespace todoku::events::webhooks {

struct WorldOptions {
  std::uint64_t seed = 1;
  std::size_t events = 100;
  std::size_t recipients = 10;
  std::set<std::size_t> refused;                           // events that the endpoint refuses
  Milliseconds refused_for{std::chrono::hours(24 * 365)};  // since the beginning
  Milliseconds away_from{Milliseconds::max()};             // it refuses everything
  Milliseconds away_until{0};
  Milliseconds gone_at{Milliseconds::max()};  // 410
  Milliseconds throttled_until{0};            // 429
  std::optional<Milliseconds> retry_after;
  Milliseconds busy_until{0};                      // nobody is asked
  Milliseconds store_away_until{0};                // nothing is written
  Milliseconds forgotten_at{Milliseconds::max()};  // parked events are no longer kept
  Milliseconds second_after{0};                    // all events but the first come then
  double lost_answers = 0;                         // taken, and told as refused
  double failures = 0;                             // refused for no reason
  double crashes = 0;                              // of each step
  double filtered = 0;                             // events that this endpoint does not want
  // Mistakes that are to be found.
  bool store_forgets_parked = false;
  bool tells_recipients = true;
  EndpointOptions endpoint;
};

class EndpointWorld {
 public:
  explicit EndpointWorld(WorldOptions options)
      : options_(std::move(options)), random_(options_.seed * 77 + 1) {
    begin_process();
    for (std::size_t i = 0; i < options_.events; ++i) {
      wanted_.push_back(random_.unit() >= options_.filtered || options_.refused.contains(i));
      first_accepted_.push_back(false);
    }
  }

  // Until nothing is left to do, or ten thousand hours.
  void run() {
    run_until([&] { return is_quiet(); });
  }
  void run_until(const std::function<bool()>& over) {
    while (!over()) {
      if (elapsed() > std::chrono::hours(10'000)) {
        fault("it does not come to an end");
        return;
      }
      if (!step()) return;
    }
    if (is_quiet()) judge_end();
  }
  void pass(Milliseconds time) {
    const Instant until = now_ + time;
    while (now_ < until && step()) {
    }
    now_ = std::max(now_, until);
  }

  [[nodiscard]] const std::string& faults() const { return faults_; }
  [[nodiscard]] std::size_t accepted() const {
    return static_cast<std::size_t>(std::ranges::count(first_accepted_, true));
  }
  [[nodiscard]] std::size_t told_again() const { return told_again_; }
  [[nodiscard]] std::size_t calls() const { return call_count_; }
  [[nodiscard]] std::size_t calls_while_away() const { return calls_while_away_; }
  [[nodiscard]] std::size_t refusals_alone(std::size_t event) { return refusals_alone_[event]; }
  [[nodiscard]] const std::set<std::size_t>& set_aside() const { return set_aside_; }
  [[nodiscard]] Milliseconds elapsed() const { return now_ - kBegin; }
  [[nodiscard]] const std::vector<EndpointActions::Notice>& notices() const { return notices_; }
  [[nodiscard]] const EndpointState& written() const { return written_; }
  [[nodiscard]] EndpointPolicy& policy() { return *policy_; }

 private:
  static constexpr Instant kBegin = from_epoch_ms(1'767'225'600'000);
  struct Answer {
    std::uint64_t call;
    CallAnswer answer;
  };

  void begin_process() {
    EndpointState state = written_;
    if (options_.store_forgets_parked) state.parked.clear();
    answers_.clear();
    loads_.clear();
    saving_.reset();
    policy_ = std::make_unique<EndpointPolicy>(options_.endpoint, std::move(state), random_);
  }

  [[nodiscard]] std::size_t key_of(std::size_t event) const { return event % options_.recipients; }
  [[nodiscard]] std::size_t written_so_far() const {
    return elapsed() >= options_.second_after ? options_.events : 1;
  }
  [[nodiscard]] static std::size_t number_of(const std::string& id) {
    return static_cast<std::size_t>(std::stoull(id.substr(1)));
  }
  [[nodiscard]] std::shared_ptr<const WrittenEvent> event_of(std::size_t number) const {
    auto told = std::make_shared<WrittenEvent>();
    told->id = fmt::format("e{}", number);
    told->kind = ToldKind::sent;
    told->text = "{}";
    return told;
  }

  // One thing that happens; false: nothing will ever happen again.
  bool step() {
    read();
    EndpointActions actions = policy_->next(now_);
    take(actions);
    judge_bounds();
    if (random_.unit() < options_.crashes) {
      begin_process();
      return true;
    }
    return finish_next();
  }

  void read() {
    while (policy_->wants_events()) {
      const std::string& cursor = policy_->read_from();
      const std::size_t from = cursor.empty() ? 0 : std::stoull(cursor);
      const std::size_t to = std::min(
          written_so_far(), from + 1 + random_.below(std::min<std::size_t>(50, policy_->room())));
      if (from >= to) return;
      std::vector<OfferedEvent> page;
      for (std::size_t i = from; i < to; ++i) {
        if (!wanted_[i]) continue;
        page.push_back({.told = event_of(i),
                        .order_key = options_.tells_recipients ? 1 + key_of(i) : 0,
                        .cursor_behind = fmt::format("{}", i + 1)});
      }
      policy_->on_page(std::move(page), fmt::format("{}", to), now_);
    }
  }

  void take(EndpointActions& actions) {
    for (const EndpointActions::Call& call : actions.calls) make_call(call);
    for (const std::string& id : actions.load) loads_.push_back(id);
    for (const EndpointActions::Notice notice : actions.notices) notices_.push_back(notice);
    if (actions.save) {
      saving_ = std::move(*actions.save);
      saved_at_ = now_ + Milliseconds(5 + random_.below(50));
    }
  }

  void make_call(const EndpointActions::Call& call) {
    ++call_count_;
    if (is_away()) ++calls_while_away_;
    const Instant at = now_ + Milliseconds(5 + random_.below(200));
    answers_.emplace(at, Answer{call.number, answer_to(call)});
  }

  [[nodiscard]] bool is_away() const {
    return elapsed() >= options_.away_from && elapsed() < options_.away_until;
  }

  CallAnswer answer_to(const EndpointActions::Call& call) {
    using How = CallAnswer::How;
    if (elapsed() < options_.busy_until) return {.how = How::busy};
    if (elapsed() >= options_.gone_at) return {.how = How::gone};
    if (elapsed() < options_.throttled_until) {
      return {.how = How::throttled, .retry_after = options_.retry_after};
    }
    bool refused = is_away() || random_.unit() < options_.failures;
    for (const auto& event : call.events) {
      const std::size_t number = number_of(event->id);
      const bool is_refused = options_.refused.contains(number) && elapsed() < options_.refused_for;
      refused |= is_refused;
      if (is_refused && call.events.size() == 1) {
        ++refusals_alone_[number];
        first_refused_.emplace(number, now_);
      }
    }
    if (refused) return {.how = How::refused};
    for (const auto& event : call.events) accept(number_of(event->id));
    return {.how = random_.unit() < options_.lost_answers ? How::refused : How::accepted};
  }

  void accept(std::size_t number) {
    if (first_accepted_[number]) {
      ++told_again_;
      return;
    }
    first_accepted_[number] = true;
    for (std::size_t before = number; before >= options_.recipients;) {
      before -= options_.recipients;
      if (!wanted_[before] || first_accepted_[before] || set_aside_.contains(before)) continue;
      fault(fmt::format("event {} was told before event {} of the same recipient", number, before));
      return;
    }
  }

  // What ends first: an answer, a writing, a load, or a wait.
  bool finish_next() {
    if (!loads_.empty()) {
      const std::string id = loads_.front();
      loads_.erase(loads_.begin());
      if (random_.unit() < options_.failures) {
        policy_->on_load_failed(id, now_);
        return true;
      }
      const bool kept = elapsed() < options_.forgotten_at;
      policy_->on_loaded(id, kept ? event_of(number_of(id)) : nullptr);
      return true;
    }
    Instant at = policy_->wake_at();
    if (!answers_.empty()) at = std::min(at, answers_.begin()->first);
    if (saving_) at = std::min(at, saved_at_);
    if (written_so_far() < options_.events) at = std::min(at, kBegin + options_.second_after);
    if (at == Instant::max()) return false;
    if (at < now_) at = now_;
    now_ = at;
    if (saving_ && saved_at_ <= now_) return finish_saving();
    if (!answers_.empty() && answers_.begin()->first <= now_) {
      const Answer answer = answers_.begin()->second;
      answers_.erase(answers_.begin());
      policy_->on_answer(answer.call, answer.answer, now_);
    }
    return true;
  }

  bool finish_saving() {
    const bool stored = elapsed() >= options_.store_away_until;
    if (stored) {
      written_ = saving_->state;
      for (const std::string& id : saving_->set_aside) judge_set_aside(number_of(id));
    }
    saving_.reset();
    policy_->on_saved(stored);
    return true;
  }

  void judge_set_aside(std::size_t number) {
    set_aside_.insert(number);
    if (options_.endpoint.tries_max > 0 || options_.lost_answers > 0 || options_.failures > 0)
      return;
    const auto since = first_refused_.find(number);
    if (since == first_refused_.end() || now_ - since->second < options_.endpoint.refused_for) {
      fault(fmt::format("event {} was set aside too early", number));
    }
  }

  void judge_bounds() {
    const EndpointOptions& limits = options_.endpoint;
    if (policy_->calls_in_flight() > limits.in_flight_max) fault("too many calls");
    if (policy_->window_events() > limits.window_events_max + 1) fault("too large a window");
    if (policy_->parked_events() > limits.parked_max) fault("too many parked");
  }

  [[nodiscard]] bool is_quiet() const {
    if (policy_->status() == EndpointState::Status::disabled) return answers_.empty() && !saving_;
    const std::string& cursor = written_.cursor;
    return !cursor.empty() && std::stoull(cursor) == options_.events && written_.parked.empty() &&
           policy_->parked_events() == 0 && answers_.empty() && !saving_;
  }

  void judge_end() {
    if (policy_->status() == EndpointState::Status::disabled) return;
    for (std::size_t i = 0; i < options_.events; ++i) {
      const bool may_be_forgotten =
          options_.refused.contains(i) && elapsed() >= options_.forgotten_at;
      if (!wanted_[i] || first_accepted_[i] || set_aside_.contains(i) || may_be_forgotten) continue;
      fault(fmt::format("event {} is missing", i));
      return;
    }
  }

  void fault(std::string_view what) {
    if (faults_.empty()) faults_ = what;
  }

  WorldOptions options_;
  SeededRandom random_;
  Instant now_ = kBegin;
  std::vector<bool> wanted_;

  EndpointState written_;
  std::optional<EndpointActions::Save> saving_;
  Instant saved_at_;
  std::multimap<Instant, Answer> answers_;
  std::vector<std::string> loads_;
  std::unique_ptr<EndpointPolicy> policy_;

  std::vector<bool> first_accepted_;
  std::map<std::size_t, Instant> first_refused_;
  std::map<std::size_t, std::size_t> refusals_alone_;
  std::set<std::size_t> set_aside_;
  std::vector<EndpointActions::Notice> notices_;
  std::size_t told_again_ = 0;
  std::size_t call_count_ = 0;
  std::size_t calls_while_away_ = 0;
  std::string faults_;
};

}  // namespace todoku::events::webhooks
