// SPDX-License-Identifier: Apache-2.0
#include "intake/intake.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "async/timer.h"
#include "async/yield.h"
#include "base/bytes.h"
#include "intake/check.h"
#include "intake/check_size.h"
#include "mail/address.h"

namespace todoku::intake {
namespace {

using store::Delivery;
using store::ReadTransaction;
using store::WritePriority;
using store::WriteTransaction;

// Of an update, checked before others on its thread get their turn.
constexpr std::size_t kRecipientsPerTurn = 8;

// What a transaction function found wrong, carried out of it beside the store's own Error.
using Found = std::optional<Refusal>;

std::unexpected<Refusal> refuse(Refusal refusal) {
  return std::unexpected<Refusal>(std::move(refusal));
}
std::unexpected<Refusal> refuse(ErrorKind kind, Text text) {
  return refuse(Refusal::of(kind, std::move(text)));
}

std::optional<Refusal> refuse_if_suspended(const store::Account& account) {
  if (!account.suspended) return std::nullopt;
  return Refusal::of(ErrorKind::unauthorized, texts::account_suspended());
}

Refusal wrong_state(DeliveryStatus status, std::string_view needed) {
  return Refusal::of(ErrorKind::conflict, texts::wrong_state(contract_word(status), needed));
}

// The delivery of this account, which must be a draft.
Answer<Delivery> editable(ReadTransaction& transaction, store::AccountKey account,
                          store::PublicId id) {
  auto delivery = transaction.delivery_head(account, id);
  if (!delivery) return refuse(refusal_of(delivery.error()));
  if (delivery->status != DeliveryStatus::edit)
    return refuse(wrong_state(delivery->status, "EDIT"));
  return std::move(*delivery);
}

// Looks at the draft as this transaction leaves it: what `check` finds is why it is refused.
template <class Check>
std::optional<Refusal> refuse_draft(ReadTransaction& transaction, store::DeliveryKey key,
                                    Check check) {
  const auto draft = transaction.delivery(key);
  if (!draft) return refusal_of(draft.error());
  Refusal refusal{ErrorKind::invalid_input, {}};
  check(*draft, size_of(*draft), refusal.problems);
  if (refusal.problems.empty()) return std::nullopt;
  return refusal;
}

Result<DeliveryStatus> status_of(ReadTransaction& transaction, store::AccountKey account,
                                 store::PublicId id) {
  const auto delivery = transaction.delivery_head(account, id);
  if (!delivery) return fail(delivery.error());
  return delivery->status;
}

// Runs `work` (Answer<T>(WriteTransaction&)) in the store. A refusal rolls its changes back like an
// error; the store sees only that it failed.
template <class T, class Work>
Task<Answer<T>> change(store::Store& store, WritePriority priority, Work work) {
  auto refusal = std::make_shared<Found>();
  auto result = co_await store.write(
      priority,
      [work = std::move(work), refusal](WriteTransaction& transaction) mutable -> Result<T> {
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
  co_return refuse(refusal_of(result.error()));
}

std::string from_domain(const Content& content) {
  const auto address = parse_address(content.from.address);
  return address ? address->domain : std::string();
}

std::optional<Refusal> check_reservation(Instant reservation, Instant now, const Limits& limits) {
  const auto refuse_field = [](Text text) {
    Refusal refusal{ErrorKind::invalid_input, {}};
    refusal.problems.add({"reservation_time"}, std::move(text));
    return refusal;
  };
  if (reservation < now - limits.reservation_past_tolerance) {
    return refuse_field(texts::in_the_past());
  }
  if (reservation > now + limits.reservation_horizon) return refuse_field(texts::too_far_ahead());
  return std::nullopt;
}

}  // namespace

Intake::Intake(store::Store& store, const Clock& clock, Limits limits, Handover& handover,
               Metrics& metrics)
    : store_(store),
      clock_(clock),
      limits_(limits),
      handover_(handover),
      accept_seconds_(metrics.histogram("todoku_accept_seconds",
                                        "From a checked transactional request to its commit.",
                                        short_durations())),
      accepted_total_(metrics.counter("todoku_accepted_recipients_total",
                                      "Recipients of transactional mail that were committed.")) {}

Task<Answer<store::PublicId>> Intake::accept_transaction(store::Account account,
                                                         TransactionRequest request,
                                                         Problems problems) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  request.content.text_from_html = account.text_from_html;
  Problems found;
  auto recipients = check_transaction(request, limits_, found);
  problems.add_others(std::move(found));
  if (!problems.empty()) co_return refuse({ErrorKind::invalid_input, std::move(problems)});

  std::string signing = handover_.signing_for(account.key, from_domain(request.content));
  const SteadyInstant began = clock_.steady_now();
  const std::size_t count = recipients.size();

  store::Accept accept{.delivery = {.account = account.key,
                                    .type = DeliveryType::transaction,
                                    .traffic = TrafficClass::transactional,
                                    .content = std::move(request.content)},
                       .recipients = std::move(recipients),
                       .signing = std::move(signing),
                       .life_time = handover_.life_time(),
                       .holder = handover_.holder(account.key)};
  auto accepted = co_await store_.perform(std::move(accept));
  if (!accepted) co_return refuse(refusal_of(accepted.error()));
  accept_seconds_.observe(clock_.steady_now() - began);
  accepted_total_.add(count);
  const store::PublicId id = accepted->delivery.id;
  if (!accepted->batches.empty()) handover_.hand_over(std::move(*accepted));
  co_return id;
}

Task<Answer<store::PublicId>> Intake::begin_bulk(store::Account account, Content content,
                                                 Problems problems) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  content.text_from_html = account.text_from_html;
  Problems found;
  check_content(content, limits_, found);
  problems.add_others(std::move(found));
  if (!problems.empty()) co_return refuse({ErrorKind::invalid_input, std::move(problems)});

  store::NewDelivery delivery{.account = account.key,
                              .type = DeliveryType::bulk,
                              .traffic = TrafficClass::bulk,
                              .content = std::move(content)};
  co_return co_await change<store::PublicId>(
      store_, WritePriority::accept,
      [this,
       delivery = std::move(delivery)](WriteTransaction& transaction) -> Answer<store::PublicId> {
        auto created = transaction.create_draft(delivery, limits_.drafts_max);
        if (!created && created.error().kind == ErrorKind::limit_exceeded) {
          return refuse(ErrorKind::limit_exceeded,
                        texts::drafts_limit(static_cast<std::size_t>(limits_.drafts_max)));
        }
        if (!created) return refuse(refusal_of(created.error()));
        return created->id;
      });
}

Task<void> Intake::wait_for_import(store::AccountKey account, store::PublicId id) {
  constexpr std::chrono::seconds kPatience{10};
  const SteadyInstant until = clock_.steady_now() + kPatience;
  Milliseconds pause{10};
  while (clock_.steady_now() < until) {
    const auto status = co_await store_.read([account, id](ReadTransaction& transaction) {
      return status_of(transaction, account, id);
    });
    if (!status || *status != DeliveryStatus::importing) co_return;
    const bool awake = co_await async::sleep_for(pause);
    if (!awake) co_return;
    pause = std::min(pause * 2, Milliseconds(500));
  }
}

Task<Answer<std::size_t>> Intake::update_bulk(store::Account account, store::PublicId id,
                                              UpdateRequest request, Problems problems) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  Problems found;
  check_update(request, limits_, found);
  std::vector<store::NewRecipient> recipients;
  std::vector<std::size_t> places;  // of each in the request's list
  std::size_t folded = 0;
  if (request.to && request.to->size() <= limits_.update_recipients_max) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < request.to->size(); ++i) {
      // With 50 values each of thousands of characters, a few are worth a millisecond.
      if (i % kRecipientsPerTurn == kRecipientsPerTurn - 1) co_await async::give_way();
      auto recipient = check_recipient((*request.to)[i], {"to", std::to_string(i)}, limits_, found);
      if (!request.keep_duplicates && !seen.insert(to_ascii_lower(recipient.address)).second) {
        ++folded;
        continue;
      }
      recipients.push_back(std::move(recipient));
      places.push_back(i);
    }
  }
  problems.add_others(std::move(found));
  if (!problems.empty()) co_return refuse({ErrorKind::invalid_input, std::move(problems)});

  co_await wait_for_import(account.key, id);
  const bool replace_recipients = request.to.has_value();
  store::DraftChange draft{.from = std::move(request.from),
                           .subject = std::move(request.subject),
                           .text_part = std::move(request.text_part),
                           .html_part = std::move(request.html_part),
                           .list_unsubscribe_mailto = std::move(request.list_unsubscribe_mailto),
                           .list_unsubscribe_url = std::move(request.list_unsubscribe_url)};
  if (request.reply_to) draft.reply_to = std::optional<Mailbox>(std::move(*request.reply_to));
  co_return co_await change<std::size_t>(
      store_, WritePriority::accept,
      [this, account, id, folded, draft = std::move(draft), recipients = std::move(recipients),
       places = std::move(places),
       replace_recipients](WriteTransaction& transaction) -> Answer<std::size_t> {
        const auto delivery = editable(transaction.read(), account.key, id);
        if (!delivery) return refuse(delivery.error());
        Result<void> done = transaction.change_draft(delivery->key, draft);
        if (done && replace_recipients) {
          done = transaction.clear_recipients(delivery->key);
          if (done && !recipients.empty()) {
            const auto ids = transaction.append_recipients(delivery->key, recipients);
            if (!ids) done = fail(ids.error());
          }
        }
        if (!done) return refuse(refusal_of(done.error()));
        auto refused = refuse_draft(
            transaction.read(), delivery->key,
            [&](const Delivery& changed, const mime::MessageSize& size, Problems& too_big) {
              check_has_text(changed.content, too_big);
              check_draft_size(changed, size, limits_, too_big);
              for (std::size_t i = 0; i < recipients.size(); ++i) {
                check_codes_size(recipients[i].insert_codes, size,
                                 {"to", std::to_string(places[i])}, limits_, too_big);
              }
            });
        if (refused) return refuse(std::move(*refused));
        return folded;
      });
}

Task<Answer<void>> Intake::commit_bulk(store::Account account, store::PublicId id,
                                       std::optional<Instant> reservation) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  if (reservation) {
    auto refused = check_reservation(*reservation, clock_.now(), limits_);
    if (refused) co_return refuse(std::move(*refused));
  }
  co_await wait_for_import(account.key, id);
  auto committed = co_await change<void>(
      store_, WritePriority::accept,
      [this, account, id, reservation](WriteTransaction& transaction) -> Answer<void> {
        const auto delivery = editable(transaction.read(), account.key, id);
        if (!delivery) return refuse(delivery.error());
        if (delivery->counts.total == 0) {
          return refuse(ErrorKind::conflict, texts::no_recipients());
        }
        // Again, because an earlier version or larger limits may have let it in.
        auto refused = refuse_draft(
            transaction.read(), delivery->key,
            [&](const Delivery& draft, const mime::MessageSize& size, Problems& found) {
              check_has_text(draft.content, found);
              add_unwritable(mime::check_composable(draft.content), found);
              check_draft_size(draft, size, limits_, found);
            });
        if (refused) return refuse(std::move(*refused));
        const auto done = transaction.commit_draft(delivery->key, reservation);
        if (!done) return refuse(refusal_of(done.error()));
        return {};
      });
  if (committed) handover_.work_arrived();
  co_return committed;
}

Task<Answer<void>> Intake::cancel(store::Account account, store::PublicId id) {
  co_return co_await change<void>(
      store_, WritePriority::accept, [account, id](WriteTransaction& transaction) -> Answer<void> {
        const auto delivery = transaction.read().delivery_head(account.key, id);
        if (!delivery) return refuse(refusal_of(delivery.error()));
        if (delivery->status != DeliveryStatus::reserve) {
          return refuse(wrong_state(delivery->status, "RESERVE"));
        }
        const auto done = transaction.cancel_reservation(delivery->key);
        if (!done) return refuse(refusal_of(done.error()));
        return {};
      });
}

Task<Answer<void>> Intake::remove(store::Account account, store::PublicId id) {
  using Names = std::vector<std::string>;
  auto errors = co_await change<Names>(
      store_, WritePriority::accept, [account, id](WriteTransaction& transaction) -> Answer<Names> {
        const auto delivery = transaction.read().delivery_head(account.key, id);
        if (!delivery) return refuse(refusal_of(delivery.error()));
        switch (delivery->status) {
          case DeliveryStatus::importing:
          case DeliveryStatus::wait:
          case DeliveryStatus::sending:
            return refuse(wrong_state(delivery->status, "EDIT, RESERVE, SENT, FAILED"));
          case DeliveryStatus::edit:
          case DeliveryStatus::reserve:
          case DeliveryStatus::sent:
          case DeliveryStatus::failed:
            break;
        }
        auto names = transaction.read().import_errors(delivery->key);
        if (!names) return refuse(refusal_of(names.error()));
        const auto done = transaction.delete_delivery(delivery->key);
        if (!done) return refuse(refusal_of(done.error()));
        return std::move(*names);
      });
  if (!errors) co_return refuse(std::move(errors.error()));
  if (import_starter_ != nullptr) import_starter_->discard(std::move(*errors));
  co_return Answer<void>{};
}

Task<Answer<store::PublicId>> Intake::add_recipient(store::Account account, store::PublicId id,
                                                    RecipientRequest request, Problems problems) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  Problems found;
  std::vector<store::NewRecipient> recipients{check_recipient(request, {}, limits_, found)};
  problems.add_others(std::move(found));
  if (!problems.empty()) co_return refuse({ErrorKind::invalid_input, std::move(problems)});
  co_return co_await change<store::PublicId>(
      store_, WritePriority::accept,
      [this, account, id, recipients = std::move(recipients)](
          WriteTransaction& transaction) -> Answer<store::PublicId> {
        const auto delivery = editable(transaction.read(), account.key, id);
        if (!delivery) return refuse(delivery.error());
        auto refused = refuse_draft(
            transaction.read(), delivery->key,
            [&](const Delivery&, const mime::MessageSize& size, Problems& found) {
              check_codes_size(recipients.front().insert_codes, size, {}, limits_, found);
            });
        if (refused) return refuse(std::move(*refused));
        const auto ids = transaction.append_recipients(delivery->key, recipients);
        if (!ids) return refuse(refusal_of(ids.error()));
        return ids->front();
      });
}

Task<Answer<void>> Intake::change_recipient(store::Account account, store::PublicId email,
                                            RecipientRequest request, Problems problems) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  Problems found;
  store::NewRecipient wanted = check_recipient(request, {}, limits_, found);
  problems.add_others(std::move(found));
  if (!problems.empty()) co_return refuse({ErrorKind::invalid_input, std::move(problems)});
  co_return co_await change<void>(
      store_, WritePriority::accept,
      [this, account, email,
       wanted = std::move(wanted)](WriteTransaction& transaction) -> Answer<void> {
        const auto recipient = transaction.read().recipient(account.key, email);
        if (!recipient) return refuse(refusal_of(recipient.error()));
        if (recipient->delivery_status != DeliveryStatus::edit) {
          return refuse(wrong_state(recipient->delivery_status, "EDIT"));
        }
        auto refused =
            refuse_draft(transaction.read(), recipient->key.delivery,
                         [&](const Delivery&, const mime::MessageSize& size, Problems& found) {
                           check_codes_size(wanted.insert_codes, size, {}, limits_, found);
                         });
        if (refused) return refuse(std::move(*refused));
        const auto done = transaction.change_recipient(recipient->key, wanted);
        if (!done) return refuse(refusal_of(done.error()));
        return {};
      });
}

Task<Answer<void>> Intake::remove_recipient(store::Account account, store::PublicId email) {
  co_return co_await change<void>(
      store_, WritePriority::accept,
      [account, email](WriteTransaction& transaction) -> Answer<void> {
        const auto recipient = transaction.read().recipient(account.key, email);
        if (!recipient) return refuse(refusal_of(recipient.error()));
        if (recipient->delivery_status != DeliveryStatus::edit) {
          return refuse(wrong_state(recipient->delivery_status, "EDIT"));
        }
        const auto done = transaction.remove_recipient(recipient->key);
        if (!done) return refuse(refusal_of(done.error()));
        return {};
      });
}

Task<Answer<void>> Intake::may_import(store::Account account, store::PublicId id) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  auto refusal = std::make_shared<Found>();
  const auto result =
      co_await store_.read([account, id, refusal](ReadTransaction& transaction) -> Result<void> {
        auto delivery = editable(transaction, account.key, id);
        if (!delivery) *refusal = std::move(delivery.error());
        return {};
      });
  if (!result) co_return refuse(refusal_of(result.error()));
  if (*refusal) co_return refuse(std::move(**refusal));
  co_return Answer<void>{};
}

Task<Answer<store::PublicId>> Intake::import(store::Account account, store::PublicId id,
                                             store::NewImport request) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  const store::NodeKey node = import_starter_ == nullptr ? store::kNobody : import_starter_->node();
  auto job = co_await change<store::ImportJob>(
      store_, WritePriority::accept,
      [account, id, node,
       request = std::move(request)](WriteTransaction& transaction) -> Answer<store::ImportJob> {
        const auto delivery = editable(transaction.read(), account.key, id);
        if (!delivery) return refuse(delivery.error());
        auto created = transaction.create_import(delivery->key, request, node);
        if (!created) return refuse(refusal_of(created.error()));
        return std::move(*created);
      });
  if (!job) co_return refuse(std::move(job.error()));
  const store::PublicId job_id = job->id;
  if (import_starter_ != nullptr) import_starter_->start(std::move(*job));
  co_return job_id;
}

}  // namespace todoku::intake
