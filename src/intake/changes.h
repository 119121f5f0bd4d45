// SPDX-License-Identifier: Apache-2.0
// How intake changes the store: in one function with a refusal of its own, which stores nothing.
// For the files of this module.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "async/task.h"
#include "intake/intake.h"
#include "intake/problem.h"
#include "store/store.h"

namespace todoku::intake {

// What a transaction function found wrong, carried out of it beside the store's own Error.
using Found = std::optional<Refusal>;

inline std::unexpected<Refusal> refuse(Refusal refusal) {
  return std::unexpected<Refusal>(std::move(refusal));
}
inline std::unexpected<Refusal> refuse(ErrorKind kind, Text text) {
  return refuse(Refusal::of(kind, std::move(text)));
}

inline std::optional<Refusal> refuse_if_suspended(const store::Account& account) {
  if (!account.suspended) return std::nullopt;
  return Refusal::of(ErrorKind::unauthorized, texts::account_suspended());
}

// Of a sandbox, while a process lives whose version would send its mail (store/nodes.h).
inline Task<std::optional<Refusal>> refuse_if_sent_by_others(
    store::Store& store,  // NOLINT(*-reference-coroutine-parameters)
    bool sandbox) {
  if (!sandbox) co_return std::nullopt;
  const auto known = co_await store.read([](store::ReadTransaction& transaction) {
    return transaction.all_know(store::Novelty::sandboxes);
  });
  if (known) co_return std::nullopt;
  co_return refusal_of(known.error());
}

inline Refusal wrong_state(DeliveryStatus status, std::string_view needed) {
  return Refusal::of(ErrorKind::conflict, texts::wrong_state(contract_word(status), needed));
}

// Commits with what a request made what its repeats are answered (repeats.h).
[[nodiscard]] inline Answer<void> keep_answer(store::WriteTransaction& transaction,
                                              const Repeatable& record, std::int64_t answer) {
  if (!record) return {};
  store::IdempotencyRecord kept = *record;
  kept.answer = answer;
  const auto done = transaction.keep_answer(kept);
  if (!done) return refuse(refusal_of(done.error()));
  return {};
}

// The delivery of this account, which must be a draft.
[[nodiscard]] inline Answer<store::Delivery> editable(store::ReadTransaction& transaction,
                                                      store::AccountKey account,
                                                      store::PublicId id) {
  auto delivery = transaction.delivery_head(account, id);
  if (!delivery) return refuse(refusal_of(delivery.error()));
  if (delivery->status != DeliveryStatus::edit)
    return refuse(wrong_state(delivery->status, "EDIT"));
  return std::move(*delivery);
}

// Whether it goes only when somebody has approved it.
[[nodiscard]] inline Answer<bool> is_waiting_for_approval(store::ReadTransaction& transaction,
                                                          const store::Delivery& delivery) {
  if (delivery.type != DeliveryType::bulk) return false;
  const auto approval = transaction.approval(delivery.key);
  if (!approval) return refuse(refusal_of(approval.error()));
  return *approval && (*approval)->state == store::ApprovalState::waiting;
}

// How the delivery is to go from now on. True: that is otherwise than before.
[[nodiscard]] inline Answer<bool> tell_how(store::WriteTransaction& transaction,
                                           store::DeliveryKey key, const store::SteeringChange& how,
                                           const store::AskedBy& by) {
  if (how.says_nothing()) return false;
  const auto told = store::change_steering(transaction, key, how, by);
  if (told) return *told;
  const auto delivery = transaction.read().delivery_head(key);
  if (told.error().kind != ErrorKind::conflict || !delivery) {
    return refuse(refusal_of(told.error()));
  }
  if (delivery->type != DeliveryType::bulk) {
    return refuse(ErrorKind::conflict, texts::only_of_bulk());
  }
  return refuse(wrong_state(delivery->status, "EDIT, IMPORTING, RESERVE, WAIT, SENDING"));
}

// Runs `work` (Answer<T>(store::WriteTransaction&)) in the store. A refusal rolls its changes back
// like an error; the store sees only that it failed.
template <class T, class Work>
Task<Answer<T>> change(store::Store& store, store::WritePriority priority, Work work) {
  auto refusal = std::make_shared<Found>();
  auto result = co_await store.write(
      priority,
      [work = std::move(work), refusal](store::WriteTransaction& transaction) mutable -> Result<T> {
        refusal->reset();
        Answer<T> answer = work(transaction);
        if (!answer) {
          *refusal = std::move(answer.error());
          return fail(ErrorKind::conflict, "refused");
        }
        if constexpr (std::is_void_v<T>) {
          return {};
        } else {
          return std::move(*answer);
        }
      });
  if (result) {
    if constexpr (std::is_void_v<T>) {
      co_return Answer<void>{};
    } else {
      co_return *std::move(result);
    }
  }
  if (*refusal) co_return refuse(std::move(**refusal));
  co_return refuse(refusal_of_change(result.error()));
}

}  // namespace todoku::intake
