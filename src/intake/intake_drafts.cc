// SPDX-License-Identifier: Apache-2.0
// Changes of drafts, which are looked at before the store is asked (draft_look.h).
#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "async/timer.h"
#include "async/yield.h"
#include "base/bytes.h"
#include "intake/changes.h"
#include "intake/check.h"
#include "intake/check_size.h"
#include "intake/draft_look.h"
#include "intake/from_template.h"
#include "intake/intake.h"

namespace todoku::intake {
namespace {

using store::Delivery;
using store::ReadTransaction;
using store::WritePriority;
using store::WriteTransaction;

// Of an update, checked before others on its thread get their turn.
constexpr std::size_t kRecipientsPerTurn = 8;

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
  Problems found;
  check_update(request, limits_, found);
  if (request.from) check_sender(*request.from, account.key, senders_, found);
  Labels labels = check_labels(request.labels, found);
  const auto recipients = std::make_shared<std::vector<store::NewRecipient>>();
  std::vector<std::size_t> places;  // of each in the request's list
  std::size_t folded = 0;
  if (request.to && request.to->size() <= limits_.update_recipients_max) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < request.to->size(); ++i) {
      // With 50 values each of thousands of characters, a few are worth a millisecond.
      if (i % kRecipientsPerTurn == kRecipientsPerTurn - 1) co_await async::give_way();
      auto recipient = check_recipient((*request.to)[i], {"to", std::to_string(i)}, limits_, found);
      check_allowed(account.allowed_recipients, recipient.address,
                    {"to", std::to_string(i), "email"}, found);
      if (!request.keep_duplicates && !seen.insert(to_ascii_lower(recipient.address)).second) {
        ++folded;
        continue;
      }
      recipients->push_back(std::move(recipient));
      places.push_back(i);
    }
  }
  problems.add_others(std::move(found));
  if (!problems.empty()) co_return refuse({ErrorKind::invalid_input, std::move(problems)});

  co_await wait_for_import(account.key, id);
  const bool replace_recipients = request.to.has_value();
  const TextsChanged texts{.subject = request.subject.has_value(),
                           .text_part = request.text_part.has_value(),
                           .html_part = request.html_part.has_value()};
  store::DraftChange draft{.from = std::move(request.from),
                           .subject = std::move(request.subject),
                           .text_part = std::move(request.text_part),
                           .html_part = std::move(request.html_part),
                           .list_unsubscribe_mailto = std::move(request.list_unsubscribe_mailto),
                           .list_unsubscribe_url = std::move(request.list_unsubscribe_url),
                           .list_unsubscribe_one_click = request.list_unsubscribe_one_click,
                           .headers = std::move(request.headers),
                           .inline_parts = std::move(request.inline_parts)};
  if (request.labels.tags) draft.tags = std::move(labels.tags);
  if (request.labels.list_id) draft.list_id = std::move(labels.list_id);
  if (request.labels.purpose) draft.purpose = labels.purpose;
  if (request.reply_to) draft.reply_to = std::optional<Mailbox>(std::move(*request.reply_to));
  auto look = co_await look_at(
      store_, draft_of(account.key, id), draft,
      [limits = limits_, recipients, places = std::move(places), policy = request.at_most_once,
       texts, purpose = draft.purpose](const Delivery& changed, const mime::MessageSize& size,
                                       Problems& wrong) {
        refuse_change_of_texts(texts, changed.content, wrong);
        if (policy && *policy != changed.at_most_once) {
          wrong.add({"duplicate_policy"}, texts::policy_stays(changed.at_most_once));
        }
        check_has_text(changed.content, wrong);
        check_one_click(changed.content, wrong);
        check_unsubscribe_link(changed.content,
                               purpose_of(purpose.value_or(changed.labels.purpose), changed.type),
                               limits, wrong);
        check_files_of_draft(changed, limits, wrong);
        check_draft_size(changed, size, limits, wrong);
        const CodesWanted wanted(changed.content);
        for (std::size_t i = 0; i < recipients->size(); ++i) {
          const Path path{"to", std::to_string(places[i])};
          wanted.check((*recipients)[i].insert_codes, path, wrong);
          check_codes_size((*recipients)[i].insert_codes, size, path, limits, wrong);
        }
      });
  if (!look) co_return refuse(std::move(look.error()));
  co_return co_await change<std::size_t>(
      store_, WritePriority::accept,
      [account, id, folded, draft = std::move(draft), recipients, look = std::move(*look),
       replace_recipients, steering = std::move(request.steering),
       repeatable](WriteTransaction& transaction) -> Answer<std::size_t> {
        const auto delivery = editable(transaction.read(), account.key, id);
        if (!delivery) return refuse(delivery.error());
        Result<void> done = transaction.change_draft(delivery->key, draft);
        if (done && replace_recipients) {
          done = transaction.clear_recipients(delivery->key);
          if (done && !recipients->empty()) {
            const auto ids = transaction.append_recipients(delivery->key, *recipients);
            if (!ids) done = fail(ids.error());
          }
        }
        if (!done) return refuse(refusal_of(done.error()));
        auto refused = refuse_draft(transaction.read(), delivery->key, look);
        if (refused) return refuse(std::move(*refused));
        auto told = tell_how(transaction, delivery->key, steering);
        if (!told) return refuse(std::move(told.error()));
        auto kept = keep_answer(transaction, repeatable, static_cast<std::int64_t>(folded));
        if (!kept) return refuse(std::move(kept.error()));
        return folded;
      });
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

Task<Answer<void>> Intake::commit_bulk(store::Account account, store::PublicId id,
                                       std::optional<Instant> reservation, Repeatable repeatable,
                                       store::SteeringChange steering) {
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
      [account, id, reservation, look = std::move(*look), steering = std::move(steering),
       repeatable](WriteTransaction& transaction) -> Answer<void> {
        const auto delivery = editable(transaction.read(), account.key, id);
        if (!delivery) return refuse(delivery.error());
        if (delivery->counts.total == 0) {
          return refuse(ErrorKind::conflict, texts::no_recipients());
        }
        auto refused = refuse_draft(transaction.read(), delivery->key, look);
        if (refused) return refuse(std::move(*refused));
        auto told = tell_how(transaction, delivery->key, steering);
        if (!told) return refuse(std::move(told.error()));
        const auto done = transaction.commit_draft(delivery->key, reservation);
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
