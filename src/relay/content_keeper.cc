// SPDX-License-Identifier: Apache-2.0
#include "relay/content_keeper.h"

#include <algorithm>
#include <utility>

#include "async/timer.h"

namespace todoku::relay {
namespace {

// As lists that are uploaded: what is accepted meanwhile does not wait for a piece.
constexpr store::WritePriority kPiecePriority = store::WritePriority::import;

// More than one read brings came out of a header section.
constexpr std::size_t kKeptCapacity = std::size_t{128} << 10U;
// Of what goes into the next piece.
constexpr std::size_t kMessageCapacity = 2 * store::kRelayedPieceOctets;

// Before it is asked again whether a piece may go to the store.
constexpr Milliseconds kTurnPause{20};

// A piece that has its turn.
class Writing {
 public:
  explicit Writing(ContentRoom& room) : room_(room) {}
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;
  ~Writing() { room_.end_writing(); }

 private:
  ContentRoom& room_;
};

// Whatever became of the pieces, the client is to come again with its message.
std::unexpected<Error> not_written(Error error) {
  if (error.kind != ErrorKind::cancelled) error.kind = ErrorKind::unavailable;
  return fail("a piece of the message", std::move(error));
}

}  // namespace

bool ContentRoom::take(store::AccountKey account, std::size_t octets) {
  if (octets == 0) return true;
  const std::lock_guard lock(mutex_);
  const auto found = of_.find(account);
  const std::size_t has = found == of_.end() ? 0 : found->second;
  const std::size_t left = octets_max_ - (used_ - has);
  const std::size_t share = left / 2;
  if (has > share || octets > share - has) return false;
  of_[account] = has + octets;
  used_ += octets;
  return true;
}

void ContentRoom::give_back(store::AccountKey account, std::size_t octets) {
  if (octets == 0) return;
  const std::lock_guard lock(mutex_);
  const auto found = of_.find(account);
  found->second -= octets;
  if (found->second == 0) of_.erase(found);
  used_ -= octets;
}

bool ContentRoom::begin_writing() {
  if (writing_.fetch_add(1) < kWritingMax) return true;
  --writing_;
  return false;
}

std::size_t ContentRoom::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

bool ContentKeeper::hold(std::size_t octets) {
  if (octets > held_ && !world_.room.take(account_, octets - held_)) return false;
  if (octets < held_) world_.room.give_back(account_, held_ - octets);
  held_ = octets;
  return true;
}

Task<Result<void>> ContentKeeper::take(std::string& octets) {
  if (!world_.room.take(account_, octets.size())) {
    co_return fail(ErrorKind::unavailable, "the messages that are under way fill their memory");
  }
  room_taken_ += octets.size();
  octets_ += octets.size();
  message_ += octets;
  octets.clear();
  if (octets.capacity() > kKeptCapacity) octets = {};
  // One that fits into a single piece is not written, but committed with its delivery.
  while (message_.size() > store::kRelayedPieceOctets) {
    auto written = co_await write_piece(store::kRelayedPieceOctets);
    if (!written) co_return written;
  }
  if (message_.capacity() > kMessageCapacity) message_.shrink_to_fit();
  co_return Result<void>{};
}

Task<Result<KeptContent>> ContentKeeper::finish() {
  if (!key_) co_return KeptContent{.octets = std::move(message_), .pieces = std::nullopt};
  if (!message_.empty()) {
    auto written = co_await write_piece(message_.size());
    if (!written) co_return fail(std::move(written.error()));
  }
  co_return KeptContent{.octets = {},
                        .pieces = store::RelayedData{.key = *key_, .octets = octets_}};
}

Task<Result<void>> ContentKeeper::write_piece(std::size_t octets) {
  while (!world_.room.begin_writing()) {
    const bool waited = co_await async::sleep_for(kTurnPause);
    if (!waited) co_return fail(ErrorKind::cancelled, "a piece of the message: cancelled");
  }
  const Writing writing(world_.room);
  co_return co_await write_now(octets);
}

// What is written belongs to the work that writes it, which may still run after this was cancelled.
Task<Result<void>> ContentKeeper::write_now(std::size_t octets) {
  if (!key_) {
    const auto begun = co_await world_.store.write(
        kPiecePriority, [node = world_.node()](store::WriteTransaction& transaction) {
          return transaction.begin_relayed(node);
        });
    if (!begun) co_return not_written(begun.error());
    key_ = *begun;
  }
  std::string piece = message_.substr(0, octets);
  message_.erase(0, octets);
  auto written = co_await world_.store.write(
      kPiecePriority, [key = *key_, which = pieces_,
                       piece = std::move(piece)](store::WriteTransaction& transaction) {
        return transaction.add_relayed_piece(key, which, piece);
      });
  if (!written) co_return not_written(std::move(written.error()));
  ++pieces_;
  world_.room.give_back(account_, octets);
  room_taken_ -= octets;
  co_return Result<void>{};
}

void ContentKeeper::abandon() {
  if (key_) {
    // Who does not hear of it any more leaves it to purge_deleted().
    world_.store.submit_write(
        store::WritePriority::retention,
        [key = *key_](store::WriteTransaction& transaction) {
          return transaction.drop_relayed(key);
        },
        [](const Result<void>&) {});
  }
  key_.reset();
  pieces_ = 0;
  octets_ = 0;
  message_ = {};
  const std::size_t had = std::exchange(room_taken_, 0) + std::exchange(held_, 0);
  world_.room.give_back(account_, had);
}

}  // namespace todoku::relay
