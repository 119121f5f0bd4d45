// SPDX-License-Identifier: Apache-2.0
// The connections of one process. Its threads borrow them for each piece of work, so that all of
// them work over one where a server has no room for more: a second one is made only when it is
// needed and there is room, and is given back when it rests. One lives for a while, and is replaced
// before it is ended.
//
// Another server may take over, and the one before may come back and believe that nothing has
// happened. The number of the server's history tells them apart (Link::timeline): once a higher one
// is known, nothing more is asked of connections of a lower one, and nobody waits for their answers
// any more.
//
// A COMMIT that is not answered in time is not given up: the connection is set aside and listened
// to. Until it is answered, or another commit is, nothing is begun that would have to wait in the
// same way (a standby that is gone holds up every commit), and the server is not filled with what
// hangs.
//
// So many connections are had to a server at most. Those to a host that has fallen silent do not
// count where the address names another: they would keep everybody from reaching the server that
// takes over.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "store/postgres/dialer.h"

namespace todoku::store::postgres {

// Tells threads that wait that the store is closing. Thread-safe.
class Closing {
 public:
  void close();
  // False at once, and from then on, when the store is closing.
  [[nodiscard]] bool wait(Milliseconds time);

 private:
  std::mutex mutex_;
  std::condition_variable closed_;
  bool closing_ = false;
};

// What for. While commits are not answered, no change is begun; who has to find out what became of
// one goes on.
enum class Use : std::uint8_t { question, change, finding_out };

// Thread-safe.
class Connections {
 public:
  struct Limits {
    std::size_t most = 4;
    Milliseconds life = std::chrono::minutes(30);       // more or less
    Milliseconds rest_max = std::chrono::seconds(10);   // of one that is not the only one
    Milliseconds wait_max = std::chrono::seconds(2);    // for one that others have, or for room
    Milliseconds silent_max = std::chrono::minutes(1);  // of a COMMIT that is listened to
    bool must_keep = false;                             // see check_new() (fitness.h)
  };
  struct Lent {
    std::unique_ptr<Link> link;
    SteadyInstant ends{};
    SteadyInstant rests_since{};
  };

  // `dialer` must outlive it.
  Connections(Dialer& dialer, const Limits& limits, std::uint64_t seed)
      : dialer_(dialer), limits_(limits), random_(seed) {
    lent_.reserve(2 * limits.most + 1);  // to a host that is silent, and to the next
  }

  // The first one, which is to be given back by adopt(). Waits for room on the server.
  [[nodiscard]] Result<std::unique_ptr<Link>> first(Milliseconds most);
  void adopt(std::unique_ptr<Link> link);

  // unavailable: there is none, and the last failure is too young to try again; or others have all
  // of them and keep them; or there is no time to wait for one, or to make one, before `until`.
  [[nodiscard]] Result<Lent> take(Use use, SteadyInstant until = SteadyInstant::max());
  // However it was left. Throws nothing: what there is no memory to keep is ended.
  void give_back(Lent lent) noexcept;
  // Ends all that rest, and lends none any more.
  void end();
  // Ends those that have rested for long.
  void end_resting();
  // Whether there are some, and commits are answered: who waits may get one.
  [[nodiscard]] bool work() const;
  // Before the same is tried again for the nth time.
  [[nodiscard]] Milliseconds pause(int tries);
  [[nodiscard]] Milliseconds rest_max() const { return limits_.rest_max; }

 private:
  struct Silent {
    std::unique_ptr<Link> link;
    SteadyInstant since{};
  };
  using Lock = std::unique_lock<std::mutex>;

  void listen_to_silent(SteadyInstant now);
  void end_resting(const Lock& lock, SteadyInstant now);
  // Those that count.
  [[nodiscard]] std::size_t places_taken() const;
  [[nodiscard]] bool may_dial(SteadyInstant now) const;
  // Without the lock meanwhile. Whatever is thrown is an error. `besides`: those that are there
  // stay; so it needs room.
  [[nodiscard]] Result<Lent> dial(Lock& lock, bool besides, SteadyInstant until);
  // `reached`: whether there was a server that took it.
  [[nodiscard]] Result<std::unique_ptr<Link>> dial_fit(bool besides, bool& reached,
                                                       SteadyInstant until);
  // Whether another server has taken over from this one; else it is of the newest history.
  [[nodiscard]] bool is_of_the_past(const Link& link);
  void end_past(std::int64_t timeline);
  [[nodiscard]] Lent renewed(Lock& lock, Lent old, SteadyInstant until);
  [[nodiscard]] Result<Lent> find(Lock& lock, Use use, SteadyInstant until);
  void failed(const Error& raw, Error told, SteadyInstant now);
  [[nodiscard]] Milliseconds around(Milliseconds time);

  Dialer& dialer_;
  const Limits limits_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable returned_;
  SeededRandom random_;
  std::deque<Lent> resting_;  // the one that was used last is last
  std::deque<Silent> silent_;
  std::vector<Link*> lent_;                 // with room for all that may be
  std::optional<std::size_t> silent_host_;  // others are dialed before it
  std::size_t count_ = 0;                   // those that rest and those that are lent
  std::int64_t timeline_ = 0;               // the newest known
  bool dialing_ = false;
  bool ended_ = false;
  int failures_ = 0;
  int other_failures_ = 0;  // of making another one besides those that are there
  bool passes_ = false;     // the last failure: no room, or a password that is being changed
  SteadyInstant next_try_{};
  SteadyInstant next_other_{};  // before another one is made besides those that are there
  SteadyInstant next_look_{};   // whether the server is crowded
  Error last_{ErrorKind::unavailable, "there is no connection to the database"};
};

// What a thread has borrowed for its piece of work.
class Borrowed {
 public:
  explicit Borrowed(Connections& connections) : connections_(connections) {}
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  ~Borrowed() { give_back(); }

  // What it has, if that is good for another transaction; else another one (Connections::take).
  [[nodiscard]] Result<Link*> get(Use use, SteadyInstant until = SteadyInstant::max());
  void give_back();
  [[nodiscard]] Milliseconds pause(int tries) { return connections_.pause(tries); }

 private:
  Connections& connections_;
  Connections::Lent lent_;
};

}  // namespace todoku::store::postgres
