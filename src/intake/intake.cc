// SPDX-License-Identifier: Apache-2.0
#include "intake/intake.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "intake/changes.h"
#include "intake/check.h"
#include "intake/from_template.h"
#include "mail/address.h"
#include "store/rate_holds.h"

namespace todoku::intake {
namespace {

using store::Delivery;
using store::ReadTransaction;
using store::WritePriority;
using store::WriteTransaction;

constexpr std::string_view kCancelledInTime = "it was cancelled before its time";

// What stores take as a text.
bool may_be_name(std::string_view name) {
  return is_utf8(name) && name.find('\0') == std::string_view::npos;
}

std::string from_domain(const Content& content) {
  const auto address = parse_address(content.from.address);
  return address ? address->domain : std::string();
}

}  // namespace

Intake::Intake(store::Store& store, const Clock& clock, Limits limits, Handover& handover,
               Metrics& metrics)
    : store_(store),
      clock_(clock),
      limits_(limits),
      handover_(handover),
      repeats_(store),
      accept_seconds_(metrics.histogram("todoku_accept_seconds",
                                        "From a checked transactional request to its commit.",
                                        short_durations())),
      accepted_total_(metrics.counter("todoku_accepted_recipients_total",
                                      "Recipients of transactional mail that were committed.")) {}

Task<std::optional<Refusal>> Intake::admit(const store::Account& account, std::int64_t mails,
                                           bool transactional) {
  if (mail_limit_ == nullptr) co_return std::nullopt;
  auto reached = co_await mail_limit_->admit(account, mails, transactional);
  co_return reached;
}

Task<Result<std::vector<Standing>>> Intake::standing(store::Account account) {
  if (mail_limit_ == nullptr) co_return std::vector<Standing>{};
  co_return co_await mail_limit_->standing(std::move(account));
}

void Intake::give_back(const store::Account& account, std::int64_t mails) {
  if (mail_limit_ != nullptr) mail_limit_->give_back(account, mails);
}

Intake::Checked Intake::check_request(const store::Account& account, TransactionRequest& request,
                                      Problems& problems) const {
  request.content.text_from_html = account.text_from_html;
  request.content.open_tracking =
      limits_.open_tracking && request.open_tracking.value_or(account.open_tracking);
  Checked checked;
  CodesWanted(request.content).check(request.insert_codes, {}, problems);
  checked.recipients = check_transaction(request, limits_, problems, account.allowed_recipients);
  check_sender(request.content.from, account.key, senders_, problems);
  check_times(request, clock_.now(), handover_.life_time(), limits_, problems);
  checked.labels = check_labels(request.labels, problems);
  check_unsubscribe_link(request.content,
                         purpose_of(checked.labels.purpose, DeliveryType::transaction), limits_,
                         problems);
  return checked;
}

Task<std::optional<Refusal>> Intake::take_template(store::AccountKey account,
                                                   const std::optional<TemplateRequest>& wanted,
                                                   Content& content, Problems& problems) {
  if (!wanted) co_return std::nullopt;
  const auto found = co_await store_.read(
      [account, choice = wanted->choice](ReadTransaction& transaction) -> Result<store::Template> {
        if (!may_be_name(choice.name)) return store::no_such_template();
        auto there = transaction.content_template(account, choice);
        if (!there) return there;
        auto known = transaction.all_know(store::Novelty::templates);
        if (!known) return fail(std::move(known.error()));
        return there;
      });
  if (found) {
    put_template(*found, *wanted, content, problems);
    co_return std::nullopt;
  }
  if (found.error().kind != ErrorKind::not_found) co_return refusal_of(found.error());
  Refusal none{ErrorKind::invalid_input, {}};
  none.problems.add({"template"}, no_such_template(wanted->choice));
  co_return none;
}

Task<Answer<std::int64_t>> Intake::mails_of(store::Account account, TransactionRequest request) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  Problems found;
  auto none = co_await take_template(account.key, request.from_template, request.content, found);
  if (none) co_return refuse(std::move(*none));
  const Checked checked = check_request(account, request, found);
  if (!found.empty()) co_return refuse({ErrorKind::invalid_input, std::move(found)});
  co_return static_cast<std::int64_t>(checked.recipients.size());
}

Task<Answer<Made>> Intake::accept_transaction(store::Account account, TransactionRequest request,
                                              Problems problems, Repeatable repeatable,
                                              bool counted) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  Problems found;
  auto none = co_await take_template(account.key, request.from_template, request.content, found);
  if (none) {
    problems.add_others(std::move(none->problems));
    co_return refuse({none->kind, std::move(problems)});
  }
  auto [recipients, labels] = check_request(account, request, found);
  problems.add_others(std::move(found));
  if (!problems.empty()) co_return refuse({ErrorKind::invalid_input, std::move(problems)});

  auto sent = co_await refuse_if_sent_by_others(store_, account.sandbox);
  if (sent) co_return refuse(std::move(*sent));

  const auto mails = static_cast<std::int64_t>(recipients.size());
  if (!counted) {
    if (auto reached = co_await admit(account, mails, true)) co_return refuse(std::move(*reached));
  }
  store::NewDelivery delivery{.account = account.key,
                              .type = DeliveryType::transaction,
                              .traffic = TrafficClass::transactional,
                              .content = std::move(request.content),
                              .at_most_once = request.at_most_once,
                              .labels = std::move(labels),
                              .life = request.expires_in};
  Answer<Made> made;
  if (request.send_at || request.resend_of) {
    made = co_await keep_waiting(std::move(delivery), std::move(recipients), request.send_at,
                                 repeatable, request.resend_of);
  } else {
    made = co_await accept_now(std::move(delivery), std::move(recipients), repeatable,
                               account.sandbox);
  }
  if (!made && !counted) give_back(account, mails);
  co_return made;
}

Task<Answer<Made>> Intake::accept_now(store::NewDelivery delivery,
                                      std::vector<store::NewRecipient> recipients,
                                      Repeatable repeatable, bool sandbox) {
  const store::AccountKey account = delivery.account;
  const std::size_t count = recipients.size();
  // What is in pieces is at hand in the store alone, for whoever claims it. What must not leave the
  // machine goes the one way on which the store says whose it is.
  const bool at_hand = !delivery.relayed_data && !sandbox;
  std::string signing = handover_.signing_for(account, from_domain(delivery.content));
  const Milliseconds life_time = handover_.life_time();
  const Milliseconds life = std::min(life_time, delivery.life.value_or(life_time));
  const SteadyInstant began = clock_.steady_now();
  store::Accept accept{.delivery = std::move(delivery),
                       .recipients = std::move(recipients),
                       .signing = std::move(signing),
                       .life_time = life,
                       .holder = at_hand ? handover_.holder(account) : store::kNobody,
                       .due_in = handover_.due_in(),
                       .idempotency = repeatable};
  auto accepted = co_await store_.perform(std::move(accept));
  if (!accepted) co_return refuse(refusal_of_change(accepted.error()));
  accept_seconds_.observe(clock_.steady_now() - began);
  accepted_total_.add(count);
  const Made made{.answer = accepted->delivery.id, .delivery = accepted->delivery.key};
  handover_.hand_over(std::move(*accepted));
  if (!at_hand) handover_.work_arrived();
  co_return made;
}

// As a reservation of its own, or (without a time) as bulk that was committed: what makes bulk
// start starts it, too.
Task<Answer<Made>> Intake::keep_waiting(store::NewDelivery delivery,
                                        std::vector<store::NewRecipient> recipients,
                                        std::optional<Instant> send_at, Repeatable repeatable,
                                        std::optional<store::PublicId> resend_of) {
  const std::size_t count = recipients.size();
  if (repeatable) repeatable->begins = send_at;
  auto kept = co_await change<Made>(
      store_, WritePriority::accept,
      [delivery = std::move(delivery), recipients = std::move(recipients), send_at, resend_of,
       repeatable](WriteTransaction& transaction) -> Answer<Made> {
        auto created = transaction.create_draft(delivery, std::nullopt);
        if (!created) return refuse(refusal_of(created.error()));
        const auto ids = transaction.append_recipients(created->key, recipients);
        if (!ids) return refuse(refusal_of(ids.error()));
        // Transactions wait for nobody's word.
        auto done = transaction.commit_draft(created->key, send_at, {});
        if (done && resend_of) {
          done = transaction.note_resend(created->key, created->account, *resend_of);
        }
        if (!done) return refuse(refusal_of(done.error()));
        auto answer = keep_answer(transaction, repeatable, created->id);
        if (!answer) return refuse(std::move(answer.error()));
        return Made{.answer = created->id, .delivery = created->key};
      });
  if (!kept) co_return kept;
  accepted_total_.add(count);
  handover_.work_arrived();
  co_return kept;
}

Task<Answer<void>> Intake::move_start(store::Account account, store::AskedBy by, store::PublicId id,
                                      Instant send_at) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  Problems wrong;
  check_start(send_at, clock_.now(), {"send_at"}, limits_, wrong);
  if (!wrong.empty()) co_return refuse({ErrorKind::invalid_input, std::move(wrong)});
  auto moved = co_await change<void>(
      store_, WritePriority::accept,
      [account, by = std::move(by), id, send_at](WriteTransaction& transaction) -> Answer<void> {
        const auto delivery = transaction.read().delivery_head(account.key, id);
        if (!delivery) return refuse(refusal_of(delivery.error()));
        if (delivery->status != DeliveryStatus::reserve) {
          return refuse(wrong_state(delivery->status, "RESERVE"));
        }
        const auto done = transaction.move_reservation(delivery->key, send_at, by);
        if (!done) return refuse(refusal_of(done.error()));
        return {};
      });
  if (moved) handover_.work_arrived();
  co_return moved;
}

Task<Answer<store::NewDelivery>> Intake::look_at_content(store::Account account,
                                                         BulkRequest request, Problems problems,
                                                         DeliveryType type) {
  request.content.text_from_html = account.text_from_html;
  request.content.open_tracking =
      limits_.open_tracking && request.open_tracking.value_or(account.open_tracking);
  Problems found;
  auto none = co_await take_template(account.key, request.from_template, request.content, found);
  if (none) {
    problems.add_others(std::move(none->problems));
    co_return refuse({none->kind, std::move(problems)});
  }
  check_content(request.content, limits_, found);
  check_sender(request.content.from, account.key, senders_, found);
  Labels labels = check_labels(request.labels, found);
  check_unsubscribe_link(request.content, purpose_of(labels.purpose, type), limits_, found);
  problems.add_others(std::move(found));
  if (!problems.empty()) co_return refuse({ErrorKind::invalid_input, std::move(problems)});
  const bool is_bulk = type == DeliveryType::bulk;
  co_return store::NewDelivery{
      .account = account.key,
      .type = type,
      .traffic = is_bulk ? TrafficClass::bulk : TrafficClass::transactional,
      .content = std::move(request.content),
      .at_most_once = request.at_most_once,
      .labels = std::move(labels)};
}

Task<Answer<store::PublicId>> Intake::begin_bulk(store::Account account, BulkRequest request,
                                                 Problems problems, Repeatable repeatable) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  store::SteeringChange steering = std::move(request.steering);
  auto looked_at = co_await look_at_content(std::move(account), std::move(request),
                                            std::move(problems), DeliveryType::bulk);
  if (!looked_at) co_return refuse(std::move(looked_at.error()));
  store::NewDelivery delivery = std::move(*looked_at);
  co_return co_await change<store::PublicId>(
      store_, WritePriority::accept,
      [this, delivery = std::move(delivery), steering = std::move(steering),
       repeatable](WriteTransaction& transaction) -> Answer<store::PublicId> {
        auto created = transaction.create_draft(delivery, limits_.drafts_max);
        if (!created && created.error().kind == ErrorKind::limit_exceeded) {
          return refuse(ErrorKind::limit_exceeded,
                        texts::drafts_limit(static_cast<std::size_t>(limits_.drafts_max)));
        }
        if (!created) return refuse(refusal_of(created.error()));
        auto told = tell_how(transaction, created->key, steering, {});
        if (!told) return refuse(std::move(told.error()));
        auto kept = keep_answer(transaction, repeatable, created->id);
        if (!kept) return refuse(std::move(kept.error()));
        return created->id;
      });
}

Task<Answer<void>> Intake::cancel(store::Account account, store::PublicId id) {
  co_return co_await change<void>(
      store_, WritePriority::accept, [account, id](WriteTransaction& transaction) -> Answer<void> {
        const auto delivery = transaction.read().delivery_head(account.key, id);
        if (!delivery) return refuse(refusal_of(delivery.error()));
        auto waits = is_waiting_for_approval(transaction.read(), *delivery);
        if (!waits) return refuse(std::move(waits.error()));
        if (delivery->status != DeliveryStatus::reserve && !*waits) {
          return refuse(wrong_state(delivery->status, "RESERVE"));
        }
        // A bulk is a draft again; of what came whole there is none: it is over.
        const auto done = delivery->type != DeliveryType::bulk
                              ? transaction.fail_delivery(delivery->key, kCancelledInTime)
                              : transaction.cancel_reservation(delivery->key);
        if (!done) return refuse(refusal_of(done.error()));
        return {};
      });
}

Task<Answer<void>> Intake::steer(store::Account account, store::PublicId id, store::Course course) {
  if (course == store::Course::goes) {
    if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  }
  auto steered = co_await change<bool>(
      store_, WritePriority::accept,
      [account, id, course,
       now = store_.clock().now()](WriteTransaction& transaction) -> Answer<bool> {
        const auto delivery = transaction.read().delivery_head(account.key, id);
        if (!delivery) return refuse(refusal_of(delivery.error()));
        const auto may = store::may_steer(*delivery, course);
        if (!may && delivery->status == DeliveryStatus::sending) {
          return refuse(ErrorKind::conflict, texts::only_stopped());
        }
        if (!may) return refuse(wrong_state(delivery->status, "SENDING"));
        const auto done = transaction.steer_delivery(delivery->key, course);
        if (!done) return refuse(refusal_of(done.error()));
        if (course != store::Course::goes || delivery->type != DeliveryType::bulk) return *done;
        // Also of one that goes, and is held back at a receiver.
        const auto ended = store::end_rate_holds(transaction, *delivery, now);
        if (!ended) return refuse(refusal_of(ended.error()));
        return *done || *ended;
      });
  if (!steered) co_return refuse(std::move(steered.error()));
  if (*steered) {
    co_await handover_.courses_changed();
    handover_.work_arrived();
  }
  co_return Answer<void>{};
}

Task<Answer<void>> Intake::say_how(store::Account account, store::AskedBy by, store::PublicId id,
                                   store::SteeringChange how) {
  auto told = co_await change<bool>(store_, WritePriority::accept,
                                    [account, by = std::move(by), id, how = std::move(how)](
                                        WriteTransaction& transaction) -> Answer<bool> {
                                      const auto delivery =
                                          transaction.read().delivery_head(account.key, id);
                                      if (!delivery) return refuse(refusal_of(delivery.error()));
                                      auto done = tell_how(transaction, delivery->key, how, by);
                                      if (!done) return refuse(std::move(done.error()));
                                      return *done && delivery->status == DeliveryStatus::sending;
                                    });
  if (!told) co_return refuse(std::move(told.error()));
  if (*told) {
    co_await handover_.courses_changed();
    handover_.work_arrived();
  }
  co_return Answer<void>{};
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
        // Until every process has heard of a stop its mail may be in hand, and what becomes of it
        // is to be told.
        if (delivery->course == store::Course::stopped) {
          return refuse(ErrorKind::conflict, texts::still_stopping());
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

Task<Answer<std::vector<std::string>>> Intake::waiting_lists(store::AccountKey account) {
  auto names = co_await store_.read(
      [account](ReadTransaction& transaction) { return transaction.waiting_lists(account); });
  if (!names) co_return refuse(refusal_of(names.error()));
  co_return std::move(*names);
}

Task<Answer<store::PublicId>> Intake::import(store::Account account, store::PublicId id,
                                             store::NewImport request, Repeatable repeatable) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  auto sent = co_await refuse_if_sent_by_others(store_, account.sandbox && request.immediate);
  if (sent) co_return refuse(std::move(*sent));
  const store::NodeKey node = import_starter_ == nullptr ? store::kNobody : import_starter_->node();
  auto job = co_await change<store::ImportJob>(
      store_, WritePriority::accept,
      [account, id, node, senders = senders_, request = std::move(request),
       repeatable](WriteTransaction& transaction) -> Answer<store::ImportJob> {
        const auto delivery = editable(transaction.read(), account.key, id);
        if (!delivery) return refuse(delivery.error());
        if (request.immediate) {  // it is committed when the import ends
          Refusal refusal;
          check_sender(delivery->content.from, account.key, senders, refusal.problems);
          if (account.limits.mails_per_day > 0 || account.limits.mails_per_month > 0) {
            refusal.problems.add({"immediate"}, texts::limit_wants_commit());
          }
          if (account.preflight == PreflightMode::enforce) {
            refusal.problems.add({"immediate"}, texts::preflight_wants_commit());
          }
          if (!refusal.problems.empty()) return refuse(std::move(refusal));
        }
        auto created = transaction.create_import(delivery->key, request, node);
        if (!created) return refuse(refusal_of(created.error()));
        auto kept = keep_answer(transaction, repeatable, created->id);
        if (!kept) return refuse(std::move(kept.error()));
        return std::move(*created);
      });
  if (!job) co_return refuse(std::move(job.error()));
  const store::PublicId job_id = job->id;
  if (import_starter_ != nullptr) import_starter_->start(std::move(*job));
  co_return job_id;
}

Task<Answer<void>> Intake::cancel_import(store::Account account, store::PublicId id) {
  const auto cancelled = co_await change<store::ImportJob>(
      store_, WritePriority::accept,
      [account = account.key, id](WriteTransaction& transaction) -> Answer<store::ImportJob> {
        auto job = transaction.read().import_job(account, id);
        if (!job) return refuse(refusal_of(job.error()));
        if (job->status != store::ImportStatus::running) {
          return refuse(ErrorKind::conflict, texts::import_has_ended());
        }
        const auto done = transaction.cancel_import(id, account);
        if (!done) return refuse(refusal_of(done.error()));
        return std::move(*job);
      });
  if (!cancelled) co_return refuse(cancelled.error());
  if (import_starter_ != nullptr) import_starter_->cancelled(*cancelled);
  co_return Answer<void>{};
}

}  // namespace todoku::intake
