// SPDX-License-Identifier: Apache-2.0
// The one door: whatever wants mail to be sent passes here, is checked, gets its ids and is
// committed to the store before the caller hears of success (promise 1).
//
// State table (contract section 3.1); every other state refuses with conflict:
//
//   update, add/change/remove recipient, import   EDIT
//   commit, commit immediate                      EDIT
//   cancel, another time                          RESERVE; cancel also what waits for approval
//   approve, send back                            RESERVE, WAIT
//   pause, resume, stop                           SENDING
//   pace, quiet hours                             all but SENT, FAILED
//   delete                                        EDIT, RESERVE, SENT, FAILED
//   read                                          any
//
// What is accepted can be composed and is not too large (check.h, check_size.h); a draft is looked
// at once more when it is committed.
//
// Update and commit wait a few seconds for a running import to end before they look at the state:
// a widespread client polls its import job wrongly and updates at once (contract section 6.2).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "intake/draft_update.h"
#include "intake/limits.h"
#include "intake/mail_limit.h"
#include "intake/problem.h"
#include "intake/repeats.h"
#include "intake/request.h"
#include "intake/senders.h"
#include "intake/submitted.h"
#include "mail/labels.h"
#include "store/store.h"

namespace todoku::intake {

// Takes over transactions that are committed already leased to this process. Implemented by the
// composition root on top of delivery; a process without couriers hands over to nobody.
class Handover {
 public:
  virtual ~Handover() = default;
  // The signing keys to pin for mail of this account and From domain; empty for unsigned.
  [[nodiscard]] virtual std::string signing_for(store::AccountKey account,
                                                std::string_view from_domain) = 0;
  // How long a transaction may be on its way.
  [[nodiscard]] virtual Milliseconds life_time() const = 0;
  // Who takes over in memory; kNobody if nobody here can send now, or this account has its share of
  // memory.
  [[nodiscard]] virtual store::NodeKey holder(store::AccountKey account) = 0;
  // What nobody takes over: until the scheduler is to look for it (store::Accept::due_in).
  [[nodiscard]] virtual Milliseconds due_in() const { return Milliseconds(0); }
  // Whatever was accepted, whether somebody holds it or not.
  virtual void hand_over(store::Accepted accepted) = 0;
  // A bulk delivery was committed to start now, or a reservation changed: look at the store.
  virtual void work_arrived() = 0;
  // A delivery was paused, resumed or stopped. Returns when this process goes by it.
  virtual Task<void> courses_changed() { co_return; }
};

// Told of a committed import job, to run it, and of what is left of jobs whose delivery is gone.
class ImportStarter {
 public:
  virtual ~ImportStarter() = default;
  // Whose its jobs are.
  [[nodiscard]] virtual store::NodeKey node() const = 0;
  virtual void start(store::ImportJob job) = 0;
  // It was cancelled in the store: nothing more of its list needs to be read.
  virtual void cancelled(const store::ImportJob& job) { (void)job; }
  // These error files belonged to a delivery that was deleted.
  virtual void discard(std::vector<std::string> errors) = 0;
};

// Who decides about what waits for approval, and from where they do.
struct Deciding {
  store::Approver approver;
  std::string origin;  // for the audit: "192.0.2.7"
};

// Thread-safe.
class Intake {
 public:
  Intake(store::Store& store, const Clock& clock, Limits limits, Handover& handover,
         Metrics& metrics);

  [[nodiscard]] const Limits& limits() const { return limits_; }
  void set_import_starter(ImportStarter& starter) { import_starter_ = &starter; }

  // What a request that has a name is to be carried out by: once.
  [[nodiscard]] Repeats& repeats() { return repeats_; }

  // Whose From address is accepted; it outlives this. Without it anybody's is.
  void set_senders(const Senders& senders) { senders_ = &senders; }
  [[nodiscard]] const Senders* senders() const { return senders_; }
  // Counts what accounts hand in; it outlives this. Without it nobody has a limit.
  void set_mail_limit(MailLimit& limit) { mail_limit_ = &limit; }
  // MailLimit::standing(); of nobody who has none.
  [[nodiscard]] Task<Result<std::vector<Standing>>> standing(store::Account account);

  // `problems`, here and below: what reading the request has found wrong with it already. It is
  // told together with what is wrong besides. `repeatable`: committed with what is made; its answer
  // is what is answered here. `counted`: admit() was asked for it before.
  Task<Answer<Made>> accept_transaction(store::Account account, TransactionRequest request,
                                        Problems problems = {}, Repeatable repeatable = {},
                                        bool counted = false);
  // A mail of the account's that is over, once more: to its recipient, or to another address. It is
  // a transaction of its own, for the purpose of the first, and names it (store/resends.h). Not of
  // what came whole, by SMTP.
  Task<Answer<Made>> resend(store::Account account, store::PublicId email,
                            std::optional<std::string> to, Repeatable repeatable = {});
  // How many mails accept_transaction() would make of it, or what it would refuse it for, whatever
  // is free or in use now.
  [[nodiscard]] Task<Answer<std::int64_t>> mails_of(store::Account account,
                                                    TransactionRequest request);
  // Counts so many against the account's limits, all or none: nothing is counted of a refusal. What
  // is not accepted after all is for who asked to give back.
  Task<std::optional<Refusal>> admit(const store::Account& account, std::int64_t mails,
                                     bool transactional);
  void give_back(const store::Account& account, std::int64_t mails);
  // A message that was submitted whole. Its answer is the delivery's id.
  Task<Answer<Made>> accept_submitted(store::Account account, SubmittedMail mail);
  // Another time for a delivery that is reserved: a transaction that waits for its own
  // (TransactionRequest::send_at), or a bulk.
  Task<Answer<void>> move_start(store::Account account, store::AskedBy by, store::PublicId delivery,
                                Instant send_at);
  // What would be registered of it, as a delivery of this type, or what it would be refused for;
  // nothing is stored.
  Task<Answer<store::NewDelivery>> look_at_content(store::Account account, BulkRequest request,
                                                   Problems problems, DeliveryType type);
  Task<Answer<store::PublicId>> begin_bulk(store::Account account, BulkRequest request,
                                           Problems problems = {}, Repeatable repeatable = {});
  // How many of `to` were folded into an earlier one with the same address.
  Task<Answer<std::size_t>> update_bulk(store::Account account, store::PublicId delivery,
                                        UpdateRequest request, Problems problems = {},
                                        Repeatable repeatable = {});
  // What update_bulk() would do, or what it would refuse; nothing is stored, and the state of the
  // delivery is not looked at. Of a message that came whole it is refused.
  Task<Answer<DraftUpdate>> look_at_update(store::Account account, store::PublicId delivery,
                                           UpdateRequest request, Problems problems);
  // Without a time: at once. Where the account's rules say so it waits for approval first
  // (store/approvals.h).
  Task<Answer<void>> commit_bulk(store::Account account, store::AskedBy by,
                                 store::PublicId delivery, std::optional<Instant> reservation,
                                 Repeatable repeatable = {}, store::SteeringChange steering = {});
  Task<Answer<void>> cancel(store::Account account, store::PublicId delivery);
  // What waits for approval goes, or is a draft again; `revision`: of what was looked at. On record
  // in the audit by the same commit. conflict: it is another one by now, or not theirs to decide.
  Task<Answer<void>> approve(store::Account account, Deciding who, store::PublicId delivery,
                             std::int64_t revision);
  Task<Answer<void>> send_back(store::Account account, Deciding who, store::PublicId delivery,
                               std::int64_t revision, std::string reason);
  // Of one that goes out: it is paused, goes on, or ends here (store/course.h).
  Task<Answer<void>> steer(store::Account account, store::PublicId delivery, store::Course course);
  // How a bulk is to go (store/steering.h), until it is over.
  Task<Answer<void>> say_how(store::Account account, store::AskedBy by, store::PublicId delivery,
                             store::SteeringChange change);
  Task<Answer<void>> remove(store::Account account, store::PublicId delivery);

  Task<Answer<store::PublicId>> add_recipient(store::Account account, store::PublicId delivery,
                                              RecipientRequest request, Problems problems = {},
                                              Repeatable repeatable = {});
  Task<Answer<void>> change_recipient(store::Account account, store::PublicId email,
                                      RecipientRequest request, Problems problems = {});
  Task<Answer<void>> remove_recipient(store::Account account, store::PublicId email);

  // The check that import() will repeat, for use before an upload is received.
  Task<Answer<void>> may_import(store::Account account, store::PublicId delivery);
  // Names of the lists that the account's imports, waiting and running, have on the disk.
  Task<Answer<std::vector<std::string>>> waiting_lists(store::AccountKey account);
  // The bytes of the upload are complete and kept (uploads.h).
  Task<Answer<store::PublicId>> import(store::Account account, store::PublicId delivery,
                                       store::NewImport request, Repeatable repeatable = {});
  // Of one that runs: its delivery is the draft that it was.
  Task<Answer<void>> cancel_import(store::Account account, store::PublicId job);

 private:
  // The template that a request names, if any: its texts are the request's then (from_template.h).
  // Answers why it cannot be read; that there is none is a problem.
  Task<std::optional<Refusal>> take_template(store::AccountKey account,
                                             const std::optional<TemplateRequest>& wanted,
                                             Content& content, Problems& problems);
  // Puts right and finds wrong; what it makes is only meaningful if it found nothing.
  struct Checked {
    std::vector<store::NewRecipient> recipients;
    Labels labels;
  };
  Checked check_request(const store::Account& account, TransactionRequest& request,
                        Problems& problems) const;
  Task<Answer<Made>> accept_now(store::NewDelivery delivery,
                                std::vector<store::NewRecipient> recipients, Repeatable repeatable,
                                bool sandbox);
  // `resend_of`: TransactionRequest.
  Task<Answer<Made>> keep_waiting(store::NewDelivery delivery,
                                  std::vector<store::NewRecipient> recipients,
                                  std::optional<Instant> send_at, Repeatable repeatable,
                                  std::optional<store::PublicId> resend_of = {});
  Task<Answer<Made>> make_submitted(store::Account account, SubmittedMail mail,
                                    Repeatable repeatable);
  Task<Answer<void>> decide(store::Account account, Deciding who, store::PublicId delivery,
                            store::Decision decision, bool approves);
  Task<void> wait_for_import(store::AccountKey account, store::PublicId delivery);
  Task<Answer<std::int64_t>> admit_bulk(store::Account account, store::PublicId delivery);

  store::Store& store_;
  const Clock& clock_;
  const Limits limits_;
  Handover& handover_;
  Repeats repeats_;
  ImportStarter* import_starter_ = nullptr;
  const Senders* senders_ = nullptr;
  MailLimit* mail_limit_ = nullptr;
  Histogram& accept_seconds_;
  Counter& accepted_total_;
};

}  // namespace todoku::intake
