// SPDX-License-Identifier: Apache-2.0
#include "intake/repeats.h"

#include <cstddef>

namespace todoku::intake {
namespace {

// More requests than a process has in hand, each mail of a batch counted as one.
constexpr std::size_t kInProgressMax = 20'000;

Task<Result<std::optional<store::KeptAnswer>>> kept_answer(store::Store& store,
                                                           store::IdempotencyKey key) {
  return store.read([key](store::ReadTransaction& reader) { return reader.kept_answer(key); });
}

std::unexpected<Refusal> key_trouble(Refusal::Key trouble, Text text) {
  auto refusal = Refusal::of(ErrorKind::conflict, std::move(text));
  refusal.key = trouble;
  return std::unexpected(std::move(refusal));
}

}  // namespace

Answer<Repeats::Place> Repeats::begin(const store::IdempotencyKey& key) {
  const std::lock_guard lock(mutex_);
  if (in_progress_.contains(key)) {
    return key_trouble(Refusal::Key::in_progress, texts::key_in_progress());
  }
  if (in_progress_.size() >= kInProgressMax) {
    return std::unexpected(
        refusal_of({ErrorKind::unavailable, "too many requests with a key are in progress"}));
  }
  in_progress_.insert(key);
  return Place(*this, key);
}

void Repeats::end(const store::IdempotencyKey& key) {
  const std::lock_guard lock(mutex_);
  in_progress_.erase(key);
}

Task<Answer<bool>> Repeats::is_known(store::IdempotencyKey key) {
  const auto kept = co_await kept_answer(store_, key);
  if (!kept) co_return std::unexpected(refusal_of(kept.error()));
  co_return kept->has_value();
}

Task<Answer<std::optional<std::int64_t>>> Repeats::answered(store::IdempotencyRecord asked) {
  const auto kept = co_await kept_answer(store_, asked.key);
  if (!kept) co_return std::unexpected(refusal_of(kept.error()));
  if (!*kept) co_return std::nullopt;
  if ((*kept)->fingerprint != asked.fingerprint) {
    co_return key_trouble(Refusal::Key::other_request, texts::key_of_other_request());
  }
  co_return (*kept)->answer;
}

bool Repeats::is_final(const Refusal& refusal) {
  switch (refusal.kind) {
    case ErrorKind::invalid_input:
    case ErrorKind::not_found:
    case ErrorKind::conflict:
    case ErrorKind::limit_exceeded:
    case ErrorKind::unauthorized:
      return true;
    case ErrorKind::unavailable:
    case ErrorKind::timeout:
    case ErrorKind::closed:
    case ErrorKind::io:
    case ErrorKind::corrupt:
    case ErrorKind::unsupported:
    case ErrorKind::cancelled:
      return false;
  }
  return false;
}

}  // namespace todoku::intake
