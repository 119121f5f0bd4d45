// SPDX-License-Identifier: Apache-2.0
// Changes of drafts, which are looked at before the store is asked (draft_look.h).
#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "async/timer.h"
#include "intake/changes.h"
#include "intake/check.h"
#include "intake/check_size.h"
#include "intake/draft_look.h"
#include "intake/draft_update.h"
#include "intake/from_template.h"
#include "intake/intake.h"

namespace todoku::intake {
namespace {

using store::Delivery;
using store::ReadTransaction;
using store::WritePriority;
using store::WriteTransaction;

using Look = std::shared_ptr<const DraftLook>;
using FindDraft = std::function<Answer<store::DeliveryKey>(ReadTransaction&)>;

// Looks at the draft that `find` names as `change` would leave it. On the caller's thread.
Task<Answer<Look>> look_at(store::Store& store, FindDraft find, const store::DraftChange& change,
                           DraftCheck check) {
  auto refusal = std::make_shared<Found>();
  auto draft = co_await store.read(
      [find = std::move(find), refusal](ReadTransaction& transaction) -> Result<Delivery> {
        auto key = find(transaction);
        if (key) return transaction.delivery(*key);
        *refusal = std::move(key.error());
        return fail(ErrorKind::conflict, "refused");
      });
  if (*refusal) co_return refuse(std::move(**refusal));
  if (!draft) co_return refuse(refusal_of(draft.error()));
  apply(change, *draft);
  co_return std::make_shared<const DraftLook>(std::move(*draft), std::move(check));
}

FindDraft draft_of(store::AccountKey account, store::PublicId id) {
  return [account, id](ReadTransaction& transaction) -> Answer<store::DeliveryKey> {
    const auto delivery = editable(transaction, account, id);
    if (!delivery) return refuse(delivery.error());
    return delivery->key;
  };
}

// Why the draft is refused as this transaction leaves it.
std::optional<Refusal> refuse_draft(ReadTransaction& transaction, store::DeliveryKey key,
                                    const Look& look) {
  const auto draft = transaction.delivery(key);
  if (!draft) return refusal_of(draft.error());
  Refusal refusal{ErrorKind::invalid_input, look->problems_of(*draft)};
  if (refusal.problems.empty()) return std::nullopt;
  return refusal;
}

// The recipient of this account, whose delivery must be a draft.
Answer<store::Recipient> editable_recipient(ReadTransaction& transaction, store::AccountKey account,
                                            store::PublicId email) {
  auto recipient = transaction.recipient(account, email);
  if (!recipient) return refuse(refusal_of(recipient.error()));
  if (recipient->delivery_status != DeliveryStatus::edit) {
    return refuse(wrong_state(recipient->delivery_status, "EDIT"));
  }
  return std::move(*recipient);
}

Result<DeliveryStatus> status_of(ReadTransaction& transaction, store::AccountKey account,
                                 store::PublicId id) {
  const auto delivery = transaction.delivery_head(account, id);
  if (!delivery) return fail(delivery.error());
  return delivery->status;
}

DraftCheck check_of_codes(std::vector<InsertCode> codes, Limits limits) {
  return [codes = std::move(codes), limits](const Delivery& draft, const mime::MessageSize& size,
                                            Problems& found) {
    CodesWanted(draft.content).check(codes, {}, found);
    check_codes_size(codes, size, {}, limits, found);
  };
}

}  // namespace

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
                                              UpdateRequest request, Problems problems,
                                              Repeatable repeatable) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  auto update = co_await update_of(account, std::move(request), limits_, senders_);
  problems.add_others(std::move(update.problems));
  if (!problems.empty()) co_return refuse({ErrorKind::invalid_input, std::move(problems)});

  co_await wait_for_import(account.key, id);
  auto look =
      co_await look_at(store_, draft_of(account.key, id), update.change, std::move(update.check));
  if (!look) co_return refuse(std::move(look.error()));
  co_return co_await change<std::size_t>(
      store_, WritePriority::accept,
      [account, id, folded = update.folded, draft = std::move(update.change),
       recipients = std::move(update.recipients), look = std::move(*look),
       steering = std::move(update.steering),
       repeatable](WriteTransaction& transaction) -> Answer<std::size_t> {
        const auto delivery = editable(transaction.read(), account.key, id);
        if (!delivery) return refuse(delivery.error());
        Result<void> done = transaction.change_draft(delivery->key, draft);
        if (done && recipients) {
          done = transaction.clear_recipients(delivery->key);
          if (done && !recipients->empty()) {
            const auto ids = transaction.append_recipients(delivery->key, *recipients);
            if (!ids) done = fail(ids.error());
          }
        }
        if (!done) return refuse(refusal_of(done.error()));
        auto refused = refuse_draft(transaction.read(), delivery->key, look);
        if (refused) return refuse(std::move(*refused));
        auto told = tell_how(transaction, delivery->key, steering, {});
        if (!told) return refuse(std::move(told.error()));
        auto kept = keep_answer(transaction, repeatable, static_cast<std::int64_t>(folded));
        if (!kept) return refuse(std::move(kept.error()));
        return folded;
      });
}

Task<Answer<DraftUpdate>> Intake::look_at_update(store::Account account, store::PublicId id,
                                                 UpdateRequest request, Problems problems) {
  auto update = co_await update_of(account, std::move(request), limits_, senders_);
  problems.add_others(std::move(update.problems));
  if (!problems.empty()) co_return refuse({ErrorKind::invalid_input, std::move(problems)});
  auto found = co_await store_.read([key = account.key, id](ReadTransaction& transaction) {
    const auto head = transaction.delivery_head(key, id);
    return head ? transaction.delivery(head->key) : head;
  });
  if (!found) co_return refuse(refusal_of(found.error()));
  if (found->type == DeliveryType::smtp) {
    co_return refuse(ErrorKind::invalid_input, texts::is_as_it_came());
  }
  apply(update.change, *found);
  const DraftLook look(std::move(*found), update.check);
  if (!look.problems().empty()) co_return refuse({ErrorKind::invalid_input, look.problems()});
  co_return update;
}

// How many were counted. Recipients that come in between are not.
Task<Answer<std::int64_t>> Intake::admit_bulk(store::Account account, store::PublicId id) {
  const auto delivery = co_await store_.read([account, id](ReadTransaction& transaction) {
    return transaction.delivery_head(account.key, id);
  });
  if (!delivery) co_return refuse(refusal_of(delivery.error()));
  const std::int64_t mails = delivery->counts.total;
  if (auto reached = co_await admit(account, mails, false)) co_return refuse(std::move(*reached));
  co_return mails;
}

Task<Answer<void>> Intake::commit_bulk(store::Account account, store::AskedBy by,
                                       store::PublicId id, std::optional<Instant> reservation,
                                       Repeatable repeatable, store::SteeringChange steering) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  if (reservation) {
    Problems wrong;
    check_start(*reservation, clock_.now(), {"reservation_time"}, limits_, wrong);
    if (!wrong.empty()) co_return refuse({ErrorKind::invalid_input, std::move(wrong)});
  }
  auto sent = co_await refuse_if_sent_by_others(store_, account.sandbox);
  if (sent) co_return refuse(std::move(*sent));
  co_await wait_for_import(account.key, id);
  // Again, because an earlier version or larger limits may have let it in.
  auto look = co_await look_at(
      store_, draft_of(account.key, id), {},
      [limits = limits_, senders = senders_](const Delivery& draft, const mime::MessageSize& size,
                                             Problems& found) {
        check_has_text(draft.content, found);
        check_unsubscribe_link(draft.content, purpose_of(draft.labels.purpose, draft.type), limits,
                               found);
        check_sender(draft.content.from, draft.account, senders, found);
        add_unwritable(mime::check_composable(draft.content), found);
        check_draft_size(draft, size, limits, found);
      });
  if (!look) co_return refuse(std::move(look.error()));
  if (repeatable) repeatable->begins = reservation;
  auto counted = co_await admit_bulk(account, id);
  if (!counted) co_return refuse(std::move(counted.error()));
  auto committed = co_await change<void>(
      store_, WritePriority::accept,
      [account, by = std::move(by), id, reservation, look = std::move(*look),
       steering = std::move(steering), repeatable](WriteTransaction& transaction) -> Answer<void> {
        const auto delivery = editable(transaction.read(), account.key, id);
        if (!delivery) return refuse(delivery.error());
        if (delivery->counts.total == 0) {
          return refuse(ErrorKind::conflict, texts::no_recipients());
        }
        auto refused = refuse_draft(transaction.read(), delivery->key, look);
        if (refused) return refuse(std::move(*refused));
        auto told = tell_how(transaction, delivery->key, steering, by);
        if (!told) return refuse(std::move(told.error()));
        const auto done = transaction.commit_draft(delivery->key, reservation, by);
        if (!done) return refuse(refusal_of(done.error()));
        return keep_answer(transaction, repeatable, id);
      });
  if (committed) {
    handover_.work_arrived();
  } else {
    give_back(account, *counted);
  }
  co_return committed;
}

Task<Answer<store::PublicId>> Intake::add_recipient(store::Account account, store::PublicId id,
                                                    RecipientRequest request, Problems problems,
                                                    Repeatable repeatable) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  Problems found;
  std::vector<store::NewRecipient> recipients{check_recipient(request, {}, limits_, found)};
  check_allowed(account.allowed_recipients, recipients.front().address, {"email"}, found);
  problems.add_others(std::move(found));
  if (!problems.empty()) co_return refuse({ErrorKind::invalid_input, std::move(problems)});
  auto look = co_await look_at(store_, draft_of(account.key, id), {},
                               check_of_codes(recipients.front().insert_codes, limits_));
  if (!look) co_return refuse(std::move(look.error()));
  co_return co_await change<store::PublicId>(
      store_, WritePriority::accept,
      [account, id, recipients = std::move(recipients), look = std::move(*look),
       repeatable](WriteTransaction& transaction) -> Answer<store::PublicId> {
        const auto delivery = editable(transaction.read(), account.key, id);
        if (!delivery) return refuse(delivery.error());
        auto refused = refuse_draft(transaction.read(), delivery->key, look);
        if (refused) return refuse(std::move(*refused));
        const auto ids = transaction.append_recipients(delivery->key, recipients);
        if (!ids) return refuse(refusal_of(ids.error()));
        auto kept = keep_answer(transaction, repeatable, ids->front());
        if (!kept) return refuse(std::move(kept.error()));
        return ids->front();
      });
}

Task<Answer<void>> Intake::change_recipient(store::Account account, store::PublicId email,
                                            RecipientRequest request, Problems problems) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  Problems found;
  // By it the recipient is found, also while it is looked for.
  if (!request.attached.reference.empty()) found.add({"reference"}, texts::attached_stays());
  if (!request.attached.metadata.empty()) found.add({"metadata"}, texts::attached_stays());
  request.attached = {};
  store::NewRecipient wanted = check_recipient(request, {}, limits_, found);
  check_allowed(account.allowed_recipients, wanted.address, {"email"}, found);
  problems.add_others(std::move(found));
  if (!problems.empty()) co_return refuse({ErrorKind::invalid_input, std::move(problems)});
  auto look = co_await look_at(
      store_,
      [account, email](ReadTransaction& transaction) -> Answer<store::DeliveryKey> {
        const auto recipient = editable_recipient(transaction, account.key, email);
        if (!recipient) return refuse(recipient.error());
        return recipient->key.delivery;
      },
      {}, check_of_codes(wanted.insert_codes, limits_));
  if (!look) co_return refuse(std::move(look.error()));
  co_return co_await change<void>(
      store_, WritePriority::accept,
      [account, email, wanted = std::move(wanted),
       look = std::move(*look)](WriteTransaction& transaction) -> Answer<void> {
        const auto recipient = editable_recipient(transaction.read(), account.key, email);
        if (!recipient) return refuse(recipient.error());
        auto refused = refuse_draft(transaction.read(), recipient->key.delivery, look);
        if (refused) return refuse(std::move(*refused));
        store::NewRecipient changed = wanted;
        attach(recipient->attached, changed.insert_codes);
        const auto done = transaction.change_recipient(recipient->key, changed);
        if (!done) return refuse(refusal_of(done.error()));
        return {};
      });
}

Task<Answer<void>> Intake::remove_recipient(store::Account account, store::PublicId email) {
  co_return co_await change<void>(store_, WritePriority::accept,
                                  [account, email](WriteTransaction& transaction) -> Answer<void> {
                                    const auto recipient =
                                        editable_recipient(transaction.read(), account.key, email);
                                    if (!recipient) return refuse(recipient.error());
                                    const auto done = transaction.remove_recipient(recipient->key);
                                    if (!done) return refuse(refusal_of(done.error()));
                                    return {};
                                  });
}

}  // namespace todoku::intake
