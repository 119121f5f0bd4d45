// SPDX-License-Identifier: Apache-2.0
// How often somebody may be wrong about a password. Counted is a user name from one network (an
// IPv4 address, the /64 of an IPv6 one), so that nobody is locked out everywhere by others who
// guess; and a network alone, which guesses names. Pure but for its lock; times are given.
//
// An attempt is a failure from its beginning until it has succeeded: who breaks off has guessed as
// well, and of those who try at once no more get a turn than may fail.
//
// A password that was refused before guesses nothing when it comes again, as it does from a program
// that was not told the new one: it counts once. Who is locked out is refused the right password,
// too, else a lock-out would stop nobody from guessing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/network.h"

namespace todoku::access {

// Thread-safe.
class LoginGuard {
  // The empty name stands for the network alone.
  using Key = std::pair<net::IpAddress, std::string>;
  // Which tallies an attempt is counted in: of its key there may be another one when it ends.
  struct Counted {
    std::uint64_t of_name = 0;
    std::uint64_t of_network = 0;
  };

 public:
  struct Options {
    std::uint32_t failures_of_name = 10;      // of one name from one network
    std::uint32_t failures_of_network = 100;  // whatever the names
    Milliseconds window = std::chrono::minutes(15);
    // For people, who mistype: after so many failures it is not until the end of the window, but so
    // long after the last one, and twice as long after each further one. 0: until the end.
    Milliseconds first_wait{0};
    std::size_t entries_max = 100'000;  // beyond it the oldest is forgotten
    std::size_t refused_max = 5;        // passwords remembered of one name from one network
  };
  LoginGuard() : LoginGuard(Options()) {}
  explicit LoginGuard(Options options) : options_(options) {}

  // A turn. Whatever becomes of it without a word is a failure. The guard outlives it.
  class Attempt {
   public:
    Attempt() = default;
    Attempt(Attempt&& other) noexcept
        : guard_(std::exchange(other.guard_, nullptr)),
          key_(std::move(other.key_)),
          counted_(other.counted_) {}
    Attempt& operator=(Attempt&& other) noexcept {
      end(End::failed);
      guard_ = std::exchange(other.guard_, nullptr);
      key_ = std::move(other.key_);
      counted_ = other.counted_;
      return *this;
    }
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;
    ~Attempt() { end(End::failed); }

    [[nodiscard]] explicit operator bool() const { return guard_ != nullptr; }
    // Forgets the failures of the name from there; the network's others stay.
    void succeeded() { end(End::succeeded); }
    // It says nothing about the password: it is as if it had not been.
    void withdraw() { end(End::withdrawn); }
    // What stands for the password (relay/known_passwords.h) was refused from there in this window.
    [[nodiscard]] bool repeats(std::string_view mark) const {
      return guard_ != nullptr && guard_->knows(key_, mark);
    }
    // It was wrong, and is known when it comes again.
    void failed(std::string mark) {
      if (guard_ != nullptr) guard_->remember(key_, std::move(mark));
      end(End::failed);
    }

   private:
    friend class LoginGuard;
    enum class End : std::uint8_t { failed, succeeded, withdrawn };
    Attempt(LoginGuard& guard, Key key, Counted counted)
        : guard_(&guard), key_(std::move(key)), counted_(counted) {}
    void end(End how) noexcept {
      if (guard_ != nullptr) std::exchange(guard_, nullptr)->end(key_, counted_, how);
    }

    LoginGuard* guard_ = nullptr;
    Key key_;
    Counted counted_;
  };

  // An attempt: the name may be tried from there. None, and `locked` is how long it is until it may
  // again; none and zero: as many are under way as may still fail, so ask again when one has ended.
  struct Turn {
    Attempt attempt;
    Milliseconds locked{};
    bool of_network = false;  // whatever the name
  };
  [[nodiscard]] Turn ask(const net::IpAddress& from, std::string_view name, SteadyInstant now);
  [[nodiscard]] std::size_t entries() const;

  struct Lockout {
    net::Network network;
    std::string name;       // empty: whatever the name
    SteadyInstant since{};  // the first failure
    SteadyInstant until{};
    std::uint32_t failures = 0;
  };
  // At most so many, by network and name.
  [[nodiscard]] std::vector<Lockout> lockouts(SteadyInstant now, std::size_t most) const;
  // Forgets what was wrong of the name, from wherever. How many lock-outs that ended.
  std::size_t unlock(std::string_view name, SteadyInstant now);
  // ... from there, whatever the names.
  std::size_t unlock(const net::Network& network, SteadyInstant now);

 private:
  struct Tally {
    std::uint32_t failures = 0;  // with those under way
    std::uint32_t under_way = 0;
    SteadyInstant since{};
    SteadyInstant last{};                   // attempt
    std::uint64_t number = 0;               // no other tally has it
    std::vector<std::string> refused = {};  // marks of passwords, the last ones
  };
  // Of a key that has as many as it may; nullptr: it may be tried.
  [[nodiscard]] const Tally* full(const Key& key, std::uint32_t most, SteadyInstant now) const;
  [[nodiscard]] SteadyInstant end_of(const Tally& tally, std::uint32_t most) const;
  [[nodiscard]] bool locks(const Key& key, const Tally& tally, SteadyInstant now) const;
  [[nodiscard]] std::uint32_t most_of(const Key& key) const {
    return key.second.empty() ? options_.failures_of_network : options_.failures_of_name;
  }
  // The tally's number.
  std::uint64_t count(Key key, SteadyInstant now);
  void end(const Key& key, const Counted& counted, Attempt::End how);
  void absolve(const Key& key);
  void erase(std::map<Key, Tally>::iterator tally);
  std::size_t unlock_where(const auto& is_meant, SteadyInstant now);
  [[nodiscard]] bool knows(const Key& key, std::string_view mark) const;
  void remember(const Key& key, std::string mark);

  const Options options_;
  mutable std::mutex mutex_;
  std::uint64_t last_number_ = 0;
  std::map<Key, Tally> tallies_;
  std::multimap<SteadyInstant, Key> by_age_;
};

}  // namespace todoku::access
