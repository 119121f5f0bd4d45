// SPDX-License-Identifier: Apache-2.0
// A message on its way into the store. One that is small is in memory until it is committed with
// everything else of it; of one that is not, pieces are written as they come (store/relayed.h), so
// that memory is the same for a message of any size. What all of them have in memory, recipients
// and header sections included, is bounded; beyond that a message is refused for now, and nothing
// that was accepted is touched.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "async/task.h"
#include "base/result.h"
#include "store/relayed.h"
#include "store/store.h"

namespace todoku::relay {

// Thread-safe. An account has at most half of what others leave of it, so whoever comes finds some,
// whatever those before have taken.
class ContentRoom {
 public:
  // So many pieces wait for the store at once: fewer than it lets wait, which it would refuse; the
  // others' clients wait with their content instead.
  static constexpr std::size_t kWritingMax = 16;

  explicit ContentRoom(std::size_t octets_max) : octets_max_(octets_max) {}

  // False: the account may not have so much more.
  [[nodiscard]] bool take(store::AccountKey account, std::size_t octets);
  void give_back(store::AccountKey account, std::size_t octets);
  [[nodiscard]] std::size_t used() const;

  // A piece may go to the store, until end_writing(). False: not yet.
  [[nodiscard]] bool begin_writing();
  void end_writing() { --writing_; }

 private:
  const std::size_t octets_max_;
  mutable std::mutex mutex_;
  std::size_t used_ = 0;
  std::atomic<std::size_t> writing_{0};
  std::unordered_map<store::AccountKey, std::size_t> of_;  // of those who have any
};

// What of a message is where, when it is whole.
struct KeptContent {
  std::string octets;                        // all of them, or none
  std::optional<store::RelayedData> pieces;  // then they are here
};

// For one message at a time, on one thread.
class ContentKeeper {
 public:
  // All of it outlives it.
  struct World {
    store::Store& store;
    ContentRoom& room;
    // This process (store/nodes.h), which may enter anew.
    const std::function<store::NodeKey()>& node;
  };
  explicit ContentKeeper(const World& world) : world_(world) {}
  ContentKeeper(const ContentKeeper&) = delete;
  ContentKeeper& operator=(const ContentKeeper&) = delete;
  ~ContentKeeper() { abandon(); }

  // A message of this account begins. Before its first octets; the one before was abandoned.
  void begin(store::AccountKey account) { account_ = account; }
  // So much of the message is in memory elsewhere now (its recipients, what its reader holds).
  // False: there is no room for it; then abandon().
  [[nodiscard]] bool hold(std::size_t octets);
  // The next octets of the message; `octets` is empty afterwards, its memory stays unless it is
  // larger than what a read brings. Returns when
  // what goes to the store is committed there. Errors: unavailable (no room, or the store's); then
  // abandon().
  [[nodiscard]] Task<Result<void>> take(std::string& octets);
  // The whole message, whose room is still taken until abandon(). Errors: as above.
  [[nodiscard]] Task<Result<KeptContent>> finish();
  // What finish() gave is a delivery's.
  void handed_over() { key_.reset(); }
  // The message is over: its memory and its room are given back, and pieces that are nobody's are
  // dropped.
  void abandon();

  [[nodiscard]] std::uint64_t octets() const { return octets_; }

 private:
  // Waits for its turn.
  [[nodiscard]] Task<Result<void>> write_piece(std::size_t octets);
  [[nodiscard]] Task<Result<void>> write_now(std::size_t octets);

  const World world_;
  store::AccountKey account_{};
  std::string message_;  // what is not written
  std::uint64_t octets_ = 0;
  std::size_t room_taken_ = 0;            // of it
  std::size_t held_ = 0;                  // elsewhere
  std::optional<store::RelayedKey> key_;  // from the first piece on
  std::int64_t pieces_ = 0;
};

}  // namespace todoku::relay
