// SPDX-License-Identifier: Apache-2.0
// How one endpoint is told of events: what is sent when, together with what, and what becomes of it
// when it is refused. Decides only; its owner reads the store, makes the calls, writes the state
// and says what time it is.
//
//   events are read into a window, in the order of the store, and leave it at its front:
//     accepted              the cursor passes it
//     refused alone, while  parked: written down, tried again with growing waits while the cursor
//     others are accepted   passes it and the stream goes on; after 24 hours set aside, for replay
//     of a parked one's     parked behind it: events of one recipient are told in order
//     recipient
//   an endpoint that refuses everything is failing: nothing is blamed on events, nothing is parked,
//   one call at a time probes with what was refused the least, and all goes on where it stopped
//
// At least once: the cursor that is written stands behind nothing but what was accepted, parked in
// the same writing, or set aside there. After a crash at most `window_events_max + unsaved_max`
// events are told again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "events/webhooks/bodies.h"
#include "events/webhooks/call_answer.h"

namespace todoku::events::webhooks {

struct EndpointOptions {
  // Calls. One until one was accepted, then one more for each: so an endpoint that hangs holds one
  // place of those that all share.
  std::size_t in_flight_max = 4;
  std::size_t batch_events_max = 200;  // 1: no batches
  // Many servers take no body of more than 100 KB unless they are told to (Express,
  // body-parser's `limit`).
  std::size_t batch_octets_max = std::size_t{96} << 10U;
  // Beside a call that is under way a batch that is not full waits so long for more.
  Milliseconds linger{200};
  std::size_t window_events_max = 1'000;
  std::size_t window_octets_max = std::size_t{2} << 20U;
  std::size_t parked_max = 1'000;      // while so many are, the window waits
  std::size_t parked_loaded_max = 16;  // of these in memory with their content
  // Accepted and not yet written; then sending waits. Each writing is a commit, which at full speed
  // costs as much as telling some hundred events.
  std::size_t unsaved_max = 4'000;
  Milliseconds save_every{1'000};
  // Where only the place has moved, past what it is not told of: so much is read again at most.
  Milliseconds save_place_every{std::chrono::minutes(1)};
  // Before the second, third ... try of an event; the last one repeats. Each is varied by a fifth.
  std::vector<Milliseconds> waits{std::chrono::seconds(5), std::chrono::minutes(5),
                                  std::chrono::minutes(30), std::chrono::hours(2),
                                  std::chrono::hours(5)};
  Milliseconds refused_for{std::chrono::hours(24)};  // then an event is set aside
  int tries_max = 0;                                 // or after so many; 0: only by time
  int failures_until_failing = 5;                    // calls in a row
  Milliseconds probe_first{std::chrono::seconds(5)};
  Milliseconds probe_longest{std::chrono::minutes(10)};
  Milliseconds told_after{std::chrono::hours(1)};  // failing for so long, its owner is told

  // The contract's form: three retries (blastengine-api.md section 5.4).
  [[nodiscard]] static EndpointOptions of_contract() {
    EndpointOptions options;
    options.tries_max = 4;
    options.batch_events_max = 100;
    return options;
  }
};

// An event as it is read for an endpoint.
struct OfferedEvent {
  std::shared_ptr<const WrittenEvent> told;
  std::uint64_t order_key = 0;  // of the recipient; events of one are told in order. 0: of none
  std::string cursor_behind;    // reading from there goes on with the next one
};

// Refused, and waiting for another try, or behind one of its recipient that is.
struct ParkedEvent {
  std::string id;
  std::uint64_t order_key = 0;
  int tries = 0;
  Instant first_tried;  // while tries > 0
  Instant due;
  friend bool operator==(const ParkedEvent&, const ParkedEvent&) = default;
};

// What is written, as a whole, and read again after a restart.
struct EndpointState {
  enum class Status : std::uint8_t { active = 1, failing = 2, disabled = 3 };  // never renumber
  Status status = Status::active;
  Instant failing_since;    // while failing
  bool owner_told = false;  // of this failing
  std::string cursor;
  std::vector<ParkedEvent> parked;  // in the order of the store
  friend bool operator==(const EndpointState&, const EndpointState&) = default;
};

struct EndpointActions {
  struct Call {
    std::uint64_t number = 0;  // for on_answer()
    std::vector<std::shared_ptr<const WrittenEvent>> events;
  };
  struct Save {
    EndpointState state;
    std::vector<std::string> set_aside;  // ids, written in the same transaction
  };
  enum class Notice : std::uint8_t { failing, recovered, disabled };

  std::vector<Call> calls;
  std::optional<Save> save;       // answered by on_saved()
  std::vector<std::string> load;  // ids of parked events, each answered by on_loaded()
  std::vector<Notice> notices;    // for the endpoint's owner
};

class EndpointPolicy {
 public:
  EndpointPolicy(EndpointOptions options, EndpointState state, Random& random);

  // Whether there is room for more: for so many, and of so many octets (octets_of()). They are read
  // from read_from() on.
  [[nodiscard]] bool wants_events() const;
  [[nodiscard]] std::size_t room() const;
  [[nodiscard]] std::size_t room_octets() const {
    return options_.window_octets_max - std::min(options_.window_octets_max, window_octets_);
  }
  [[nodiscard]] const std::string& read_from() const { return read_from_; }
  // What was read, in order, less what the endpoint does not want; `cursor` is where it goes on.
  void on_page(std::vector<OfferedEvent> events, std::string cursor, Instant now);

  void on_answer(std::uint64_t call, const CallAnswer& answer, Instant now);
  // Null: the event is gone, its time of keeping is over.
  void on_loaded(const std::string& id, std::shared_ptr<const WrittenEvent> told);
  void on_load_failed(const std::string& id, Instant now);
  void on_saved(bool stored);
  // The owner says that a disabled or failing endpoint is well again.
  void enable(Instant now);
  // The owner has changed something: whatever waits for another try waits no longer. What was
  // refused stays counted.
  void hasten(Instant now);
  // What changed is written now rather than with the next second.
  void save_soon(Instant now) { save_at_ = save_place_at_ = now; }

  // What is to be done now. To be asked again after each of the above, and at wake_at().
  [[nodiscard]] EndpointActions next(Instant now);
  [[nodiscard]] Instant wake_at() const { return wake_at_; }

  // Where it is, if nothing but that is still to be written.
  [[nodiscard]] std::optional<std::string> unwritten_place() const {
    return place_moved_ && !dirty_ && !saving_ ? std::optional(cursor_) : std::nullopt;
  }

  // It is asked at another host from now on: by one call, until that was accepted.
  void begin_carefully() { accepted_in_row_ = 0; }

  [[nodiscard]] EndpointState::Status status() const { return status_; }
  [[nodiscard]] std::size_t window_events() const { return window_.size(); }
  [[nodiscard]] std::size_t parked_events() const { return parked_.size(); }
  [[nodiscard]] std::size_t calls_in_flight() const { return calls_.size(); }

 private:
  enum class Stage : std::uint8_t { waiting, in_flight, done };
  // A place in the window: an event, or only a place that reading has passed.
  struct Slot {
    std::shared_ptr<const WrittenEvent> told;
    std::uint64_t order_key = 0;
    std::string cursor_behind;
    std::size_t octets = 0;
    Stage stage = Stage::waiting;
    std::size_t company_max = 0;  // events in its call, itself among them
    int tries = 0;                // alone, and refused
    int given_back = 0;           // refused or throttled, with nothing held against it
    Instant first_tried;
    Instant offered;
    Instant due;
  };
  struct Parked {
    ParkedEvent event;
    std::shared_ptr<const WrittenEvent> told;  // null: not in memory
    enum class Stage : std::uint8_t { idle, loading, in_flight, leaving } stage = Stage::idle;
  };
  using ParkedPlace = std::list<Parked>::iterator;
  struct CallUnderWay {
    std::vector<std::uint64_t> slots;  // their numbers
    std::optional<ParkedPlace> parked;
  };

  [[nodiscard]] Slot& slot(std::uint64_t number) { return window_[number - first_number_]; }
  [[nodiscard]] bool is_well() const {
    return status_ == EndpointState::Status::active && failures_in_row_ == 0;
  }
  // Its refusal is its own fault: others are taken, or one was after it had been refused.
  [[nodiscard]] bool is_to_blame(const Slot& one) const {
    return is_well() || (one.tries > 0 && one.first_tried < last_accepted_);
  }
  [[nodiscard]] bool is_parked(std::uint64_t key) const {
    return key != 0 && parked_keys_.contains(key);
  }
  // It is refused, or behind one of its recipient that is, and others could go on without it. While
  // everything is refused nothing is an event's own fault.
  [[nodiscard]] bool waits_for_room(const Slot& one) const {
    return one.stage == Stage::waiting && is_to_blame(one) &&
           (one.tries > 0 || is_parked(one.order_key));
  }
  void wake(Instant at) { wake_at_ = std::min(wake_at_, at); }
  [[nodiscard]] Milliseconds varied(Milliseconds wait);
  [[nodiscard]] Milliseconds wait_after(int tries);

  // The window.
  void leave_front();
  void park(const Slot& slot);

  // What is called now.
  void choose_calls(Instant now, EndpointActions& actions);
  [[nodiscard]] bool may_call(Instant now);
  void probe(Instant now, EndpointActions& actions);
  [[nodiscard]] std::optional<std::uint64_t> least_refused() const;
  [[nodiscard]] std::vector<std::uint64_t> gather(Instant now);
  [[nodiscard]] bool waits_for_more(const std::vector<std::uint64_t>& numbers, Instant now);
  void call_slots(std::vector<std::uint64_t> numbers, EndpointActions& actions);
  void call_parked(ParkedPlace place, EndpointActions& actions);

  void follow_clock(Instant now);

  // The parked ones.
  void make_room(Instant now);
  void set_aside(Parked& parked, Instant now);
  [[nodiscard]] std::optional<ParkedPlace> due_parked(Instant now);
  void choose_loads(Instant now, EndpointActions& actions);
  void forget_content(Parked& parked);
  ParkedPlace unpark(ParkedPlace place);

  // What an answer means.
  void note_accepted(const CallUnderWay& call);
  void give_back(const CallUnderWay& call, Instant due);
  void throttle(const CallUnderWay& call, Milliseconds wait, Instant now);
  void note_failure(Instant now);
  void blame(const CallUnderWay& call, Instant now);
  void blame_parked(Parked& parked, Instant now);

  void save(Instant now, EndpointActions& actions);
  void tell_owner(Instant now, EndpointActions& actions);

  const EndpointOptions options_;
  Random& random_;

  EndpointState::Status status_;
  Instant failing_since_;
  bool owner_told_;
  std::string cursor_;     // behind what has left the window
  std::string read_from_;  // behind what is in it
  std::deque<Slot> window_;
  std::uint64_t first_number_ = 0;  // of the window's front
  std::size_t window_octets_ = 0;
  std::list<Parked> parked_;
  std::unordered_map<std::uint64_t, std::size_t> parked_keys_;
  std::size_t parked_loaded_ = 0;  // or loading
  std::size_t parked_in_flight_ = 0;

  std::map<std::uint64_t, CallUnderWay> calls_;
  std::uint64_t next_call_ = 1;
  Instant not_before_;  // no call, the endpoint has said so
  int failures_in_row_ = 0;
  Instant last_accepted_;
  std::size_t accepted_in_row_ = 0;  // calls
  int probes_ = 0;                   // since it is failing
  Instant probe_at_;
  std::vector<EndpointActions::Notice> notices_;

  bool dirty_ = false;
  bool place_moved_ = false;  // and nothing else that is to be written
  bool saving_ = false;
  Instant save_at_;
  Instant save_place_at_;
  std::size_t unsaved_ = 0;  // events that left since the last writing that succeeded
  std::size_t unsaved_before_ = 0;
  std::vector<std::string> set_aside_;  // not yet written
  std::size_t set_aside_before_ = 0;    // of these, in the writing that is under way
  Instant wake_at_ = Instant::max();
  std::optional<Instant> seen_;  // the last `now`
};

}  // namespace todoku::events::webhooks
