// SPDX-License-Identifier: Apache-2.0
// Requests that their clients have named, so that they can be repeated (docs/adr/0019): what one
// made is not made again, and its repeats get its answer. The store is asked first, and asked once
// more where the request was refused: another node may have carried out the same meanwhile, and
// that is why.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

#include "async/task.h"
#include "intake/problem.h"
#include "store/store.h"

namespace todoku::intake {

// What goes into the commit of what a request makes; nullopt: it has no name.
using Repeatable = std::optional<store::IdempotencyRecord>;

struct Made {
  std::int64_t answer = 0;
  bool replayed = false;  // it was made by an earlier request
  // The transaction that was made by this one.
  std::optional<store::DeliveryKey> delivery = {};
};

// Thread-safe.
class Repeats {
 public:
  explicit Repeats(store::Store& store) : store_(store) {}

  // A request in progress; over with its end. Repeats outlives it.
  class Place {
   public:
    Place(Place&& other) noexcept
        : repeats_(std::exchange(other.repeats_, nullptr)), key_(other.key_) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (repeats_ != nullptr) repeats_->end(key_);
    }

   private:
    friend class Repeats;
    Place(Repeats& repeats, const store::IdempotencyKey& key) : repeats_(&repeats), key_(key) {}
    Repeats* repeats_;
    store::IdempotencyKey key_;
  };

  // Refused: one with this key is in progress in this process, or there are too many.
  [[nodiscard]] Answer<Place> begin(const store::IdempotencyKey& key);

  // Whether something was made under this key, whatever it was.
  [[nodiscard]] Task<Answer<bool>> is_known(store::IdempotencyKey key);

  // `make(Repeatable)`, a Task<Answer<T>>, makes what was asked for and commits the record with it.
  template <class Make>
  [[nodiscard]] Task<Answer<Made>> once(Repeatable record, Make make) {
    if (!record) co_return co_await just_made(std::move(record), std::move(make));
    const auto place = begin(record->key);
    if (!place) co_return std::unexpected(place.error());
    co_return co_await within(*place, *record, std::move(make));
  }

  // The same of a named request whose place is taken already.
  template <class Make>
  [[nodiscard]] Task<Answer<Made>> within(const Place& /*place*/, store::IdempotencyRecord record,
                                          Make make) {
    auto before = co_await answered(record);
    if (!before) co_return std::unexpected(std::move(before.error()));
    if (*before) co_return Made{**before, true};
    auto made = co_await just_made(record, std::move(make));
    if (made || !is_final(made.error())) co_return made;
    auto meanwhile = co_await answered(record);
    if (meanwhile && !*meanwhile) co_return made;
    if (!meanwhile) co_return std::unexpected(std::move(meanwhile.error()));
    co_return Made{**meanwhile, true};
  }

 private:
  template <class Make>
  static Task<Answer<Made>> just_made(Repeatable record, Make make) {
    auto made = co_await make(std::move(record));
    if (!made) co_return std::unexpected(std::move(made.error()));
    using Value = typename decltype(made)::value_type;
    if constexpr (std::is_same_v<Value, Made>) {
      co_return made;
    } else if constexpr (std::is_void_v<Value>) {
      co_return Made{};
    } else {
      co_return Made{static_cast<std::int64_t>(*made)};
    }
  }
  // The request would be refused again.
  [[nodiscard]] static bool is_final(const Refusal& refusal);
  // nullopt: nothing was made. Refused: something else was.
  [[nodiscard]] Task<Answer<std::optional<std::int64_t>>> answered(store::IdempotencyRecord asked);
  void end(const store::IdempotencyKey& key);

  store::Store& store_;
  std::mutex mutex_;
  std::set<store::IdempotencyKey> in_progress_;
};

}  // namespace todoku::intake
