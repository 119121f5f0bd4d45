// SPDX-License-Identifier: Apache-2.0
// The store: every promise of the engine rests on it. One interface in the words of the domain, by
// facet (settings, changes, accounts, domains, key slots and reports of them, counts of mail,
// deliveries, approvals, recipients, domains of lists, samples, imports, exports, uploads, relayed
// messages, suppressions, idempotency, webhooks, SMTP credentials, nodes, news, the cluster, bells,
// events, who reads them, logs, personal data, receivers' TLS, paces of lanes, people, work), with
// a back end per folder and one conformance suite (tests/conformance/store).
//
// What happens per mail is handed over as data (work.h) and merged with what else waits. What
// happens per request of a person is a function of a transaction. Writes are grouped: one commit
// with sync serves everything that arrived while the one before was syncing. A function may be run
// again when its group has to be repeated, so it must have no effect but through the transaction.
// No function may wait for anything outside the store.
//
// Every question and every change is short: what grows with recipients stored or with an account's
// deliveries is answered in stretches or done in slices (walks.h goes through stretches).
//
// Errors of every operation: not_found (no such thing in this account), conflict (its state forbids
// it), invalid_input; and from the engine below: unavailable (disk full, too much queued, shutting
// down: nothing was stored, try later), io (the operating system refused; after a failed commit a
// crash may show that it was stored after all), corrupt.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "async/callback.h"
#include "base/clock.h"
#include "base/result.h"
#include "store/accounts.h"
#include "store/approvals.h"
#include "store/bells.h"
#include "store/changes.h"
#include "store/cluster.h"
#include "store/course.h"
#include "store/deliveries.h"
#include "store/domain_counts.h"
#include "store/domain_reports.h"
#include "store/domains.h"
#include "store/event_readers.h"
#include "store/events.h"
#include "store/exports.h"
#include "store/idempotency.h"
#include "store/imports.h"
#include "store/key_slots.h"
#include "store/lane_paces.h"
#include "store/logs.h"
#include "store/mail_counts.h"
#include "store/news.h"
#include "store/nodes.h"
#include "store/opens.h"
#include "store/outcome_counts.h"
#include "store/people.h"
#include "store/personal_data.h"
#include "store/probes.h"
#include "store/rates.h"
#include "store/receiver_tls.h"
#include "store/recipient_sample.h"
#include "store/recipients.h"
#include "store/relayed.h"
#include "store/resends.h"
#include "store/settings.h"
#include "store/smtp_credentials.h"
#include "store/steering.h"
#include "store/suppressions.h"
#include "store/templates.h"
#include "store/uploads.h"
#include "store/usages.h"
#include "store/waiting.h"
#include "store/warm_up.h"
#include "store/webhooks.h"
#include "store/work.h"

namespace todoku::store {

// What is committed first when the store is busy, from urgent to patient.
enum class WritePriority : std::uint8_t { accept, outcomes, claims, import, retention };
inline constexpr std::size_t kWritePriorities = 5;

// Questions. Everything a ReadTransaction answers is of one moment.
class ReadTransaction : public SettingReads,
                        public ChangeReads,
                        public AccountReads,
                        public DomainReads,
                        public KeySlotsReads,
                        public DomainReportReads,
                        public MailCountReads,
                        public DeliveryReads,
                        public ApprovalReads,
                        public CourseReads,
                        public SteeringReads,
                        public ResendReads,
                        public RecipientReads,
                        public DomainCountReads,
                        public SampleReads,
                        public LogReads,
                        public UsageReads,
                        public OpenReads,
                        public ImportReads,
                        public ExportReads,
                        public UploadReads,
                        public IdempotencyReads,
                        public SuppressionReads,
                        public WebhookReads,
                        public SmtpCredentialReads,
                        public NodeReads,
                        public NewsReads,
                        public ClusterReads,
                        public WaitingReads,
                        public BellReads,
                        public EventReads,
                        public PersonalDataReads,
                        public ReceiverTlsReads,
                        public OutcomeCountReads,
                        public LanePaceReads,
                        public WarmUpReads,
                        public RateReads,
                        public ProbeReads,
                        public TemplateReads,
                        public PeopleReads,
                        public WorkReads {};

// Changes. What they have done is seen by their own questions.
class WriteTransaction : public SettingWrites,
                         public AccountWrites,
                         public DomainWrites,
                         public KeySlotsWrites,
                         public DomainReportWrites,
                         public MailCountWrites,
                         public DeliveryWrites,
                         public ApprovalWrites,
                         public CourseWrites,
                         public SteeringWrites,
                         public ResendWrites,
                         public RecipientWrites,
                         public ImportWrites,
                         public ExportWrites,
                         public UploadWrites,
                         public RelayedWrites,
                         public IdempotencyWrites,
                         public SuppressionWrites,
                         public WebhookWrites,
                         public SmtpCredentialWrites,
                         public NodeWrites,
                         public NewsWrites,
                         public ClusterWrites,
                         public EventWrites,
                         public EventReaderWrites,
                         public OpenWrites,
                         public PersonalDataWrites,
                         public ReceiverTlsWrites,
                         public OutcomeCountWrites,
                         public LanePaceWrites,
                         public WarmUpWrites,
                         public RateWrites,
                         public ProbeWrites,
                         public TemplateWrites,
                         public PeopleWrites,
                         public WorkWrites {
 public:
  [[nodiscard]] virtual ReadTransaction& read() = 0;
};

using ReadWork = std::move_only_function<Result<void>(ReadTransaction&)>;
using WriteWork = std::move_only_function<Result<void>(WriteTransaction&)>;
using Done = std::move_only_function<void(Result<void>)>;
template <class Op>
using Answered = std::move_only_function<void(Result<typename Op::Answer>)>;

// Figures of the group-commit writer, for metrics. Totals since start.
struct StoreFigures {
  std::uint64_t commits = 0;
  std::uint64_t writes = 0;  // functions and operations committed
  std::uint64_t failed_commits = 0;
  std::uint64_t doubts = 0;  // commits of which it was told that they may be stored or not
  std::uint64_t queued = 0;  // waiting now
  // Since when the oldest of what is not answered yet is performed, by the machine's steady clock:
  // what it leased may be stored, and not known to who asked for it. nullopt: there is none, or all
  // is answered with its commit.
  std::optional<SteadyInstant> performing_since;
  Microseconds commit_time{};
};

// Thread-safe: every member may be called from any thread. `done` is called exactly once, on a
// thread of the store, after the commit with sync (or the answer); it must not block or throw.
// Too many waiting are refused with unavailable at once, which is told on the caller's own thread.
class Store {
 public:
  virtual ~Store() = default;

  virtual void submit(Accept accept, Answered<Accept> done) = 0;
  virtual void submit(Settle settle, Answered<Settle> done) = 0;
  virtual void submit(Claim claim, Answered<Claim> done) = 0;
  virtual void submit(StageRows stage, Answered<StageRows> done) = 0;
  virtual void submit(Due due, Answered<Due> done) = 0;
  virtual void submit(BellWork work, Answered<BellWork> done) = 0;

  virtual void submit_write(WritePriority priority, WriteWork work, Done done) = 0;
  // Runs `work` on a reader. A reader may hold a snapshot for 100 ms at most: longer ones are given
  // up with unavailable.
  virtual void submit_read(ReadWork work, Done done) = 0;
  [[nodiscard]] virtual StoreFigures figures() const = 0;
  // By which the store's time runs, as closely as that can be told here: what instants that come
  // out of it are compared with. As long as the store.
  [[nodiscard]] virtual const Clock& clock() const = 0;
  // Commits what is queued, refuses what comes, closes. Blocks; idempotent.
  virtual void close() = 0;

  // The same for coroutines: an operation, or a function Result<T>(WriteTransaction&) and
  // Result<T>(ReadTransaction&).
  template <class Op>
  Task<Result<typename Op::Answer>> perform(Op op);
  template <class Work>
  Task<std::invoke_result_t<Work&, WriteTransaction&>> write(WritePriority priority, Work work);
  template <class Work>
  Task<std::invoke_result_t<Work&, ReadTransaction&>> read(Work work);

  // The same for threads that may wait: tools, tests, start-up. Of perform_soon() they wait when
  // they need the answer, and have done something else meanwhile.
  template <class Op>
  std::future<Result<typename Op::Answer>> perform_soon(Op op);
  template <class Op>
  Result<typename Op::Answer> perform_and_wait(Op op);
  template <class Work>
  std::invoke_result_t<Work&, WriteTransaction&> write_and_wait(WritePriority priority, Work work);
  template <class Work>
  std::invoke_result_t<Work&, ReadTransaction&> read_and_wait(Work work);
};

namespace internal {

// A work that leaves its own kind of answer in `slot`, and who is told of it: one kind for each
// call, and one for each kind of answer.
template <class R, class Transaction, class Work>
std::move_only_function<Result<void>(Transaction&)> filling(std::shared_ptr<std::optional<R>> slot,
                                                            Work work) {
  return [work = std::move(work),
          slot = std::move(slot)](Transaction& transaction) mutable -> Result<void> {
    slot->emplace(work(transaction));
    if (!slot->value()) return fail(slot->value().error());
    return {};
  };
}
template <class R>
Done telling(std::shared_ptr<std::optional<R>> slot, std::move_only_function<void(R)> finish) {
  return [slot = std::move(slot), finish = std::move(finish)](Result<void> result) mutable {
    if (!result) {
      finish(R(std::unexpect, std::move(result.error())));
    } else {
      finish(std::move(slot->value()));
    }
  };
}

// Submits `work` and calls `finish` with its own result type.
template <class R, class Transaction, class Work>
void submit_typed(Store& store, std::optional<WritePriority> priority, Work work,
                  std::move_only_function<void(R)> finish) {
  auto slot = std::make_shared<std::optional<R>>();
  auto run = filling<R, Transaction>(slot, std::move(work));
  auto done = telling<R>(std::move(slot), std::move(finish));
  if constexpr (std::is_same_v<Transaction, WriteTransaction>) {
    store.submit_write(*priority, std::move(run), std::move(done));
  } else {
    store.submit_read(std::move(run), std::move(done));
  }
}

// Calls `submit(done)`; the answer is there when it is.
template <class R, class Submit>
std::future<R> promised(Submit submit) {
  std::promise<R> promise;
  auto future = promise.get_future();
  submit(
      [promise = std::move(promise)](R result) mutable { promise.set_value(std::move(result)); });
  return future;
}

}  // namespace internal

template <class Op>
Task<Result<typename Op::Answer>> Store::perform(Op op) {
  using R = Result<typename Op::Answer>;
  // Behind a pointer: it passes several hands on the way, and a mail is many members to move.
  return async::from_callback<R>(
      [this, op = std::make_unique<Op>(std::move(op))](async::Callback<R> done) mutable {
        submit(std::move(*op), std::move(done));
      });
}

namespace internal {

// One coroutine for each kind of answer, not for each call.
template <class R>
using Initiate = std::move_only_function<void(async::Callback<R>)>;

}  // namespace internal

template <class Work>
Task<std::invoke_result_t<Work&, WriteTransaction&>> Store::write(WritePriority priority,
                                                                  Work work) {
  using R = std::invoke_result_t<Work&, WriteTransaction&>;
  return async::from_callback<R>(internal::Initiate<R>([this, priority, work = std::move(work)](
                                                           async::Callback<R> done) mutable {
    internal::submit_typed<R, WriteTransaction>(*this, priority, std::move(work), std::move(done));
  }));
}

template <class Work>
Task<std::invoke_result_t<Work&, ReadTransaction&>> Store::read(Work work) {
  using R = std::invoke_result_t<Work&, ReadTransaction&>;
  return async::from_callback<R>(
      internal::Initiate<R>([this, work = std::move(work)](async::Callback<R> done) mutable {
        internal::submit_typed<R, ReadTransaction>(*this, std::nullopt, std::move(work),
                                                   std::move(done));
      }));
}

template <class Op>
std::future<Result<typename Op::Answer>> Store::perform_soon(Op op) {
  return internal::promised<Result<typename Op::Answer>>(
      [&](auto done) { submit(std::move(op), std::move(done)); });
}

template <class Op>
Result<typename Op::Answer> Store::perform_and_wait(Op op) {
  return perform_soon(std::move(op)).get();
}

template <class Work>
std::invoke_result_t<Work&, WriteTransaction&> Store::write_and_wait(WritePriority priority,
                                                                     Work work) {
  using R = std::invoke_result_t<Work&, WriteTransaction&>;
  return internal::promised<R>([&](auto done) {
           internal::submit_typed<R, WriteTransaction>(*this, priority, std::move(work),
                                                       std::move(done));
         })
      .get();
}

template <class Work>
std::invoke_result_t<Work&, ReadTransaction&> Store::read_and_wait(Work work) {
  using R = std::invoke_result_t<Work&, ReadTransaction&>;
  return internal::promised<R>([&](auto done) {
           internal::submit_typed<R, ReadTransaction>(*this, std::nullopt, std::move(work),
                                                      std::move(done));
         })
      .get();
}

}  // namespace todoku::store
