// SPDX-License-Identifier: Apache-2.0
#include "intake/importer.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "async/task_group.h"
#include "base/log.h"
#include "intake/error_files.h"
#include "intake/import_run.h"
#include "intake/mail_limit.h"
#include "mail/suppression.h"
#include "store/suppressions.h"

namespace todoku::intake {

// Given back with it unless it is kept, which do_piece() then does.
class Importer::Claim {
 public:
  Claim(Importer& importer, JobKey key) : importer_(&importer), key_(std::move(key)) {
    const std::lock_guard lock(importer_->mutex_);
    if (!importer_->queued_.insert(key_).second) importer_ = nullptr;
  }
  ~Claim() { give_back(); }
  Claim(Claim&& other) noexcept
      : importer_(std::exchange(other.importer_, nullptr)), key_(other.key_) {}
  Claim& operator=(Claim&&) = delete;
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  // False: somebody else has the job.
  [[nodiscard]] bool holds() const { return importer_ != nullptr; }
  void keep() { importer_ = nullptr; }
  void give_back() {
    if (importer_ == nullptr) return;
    const std::lock_guard lock(importer_->mutex_);
    importer_->queued_.erase(key_);
    importer_ = nullptr;
  }

 private:
  Importer* importer_;
  const JobKey key_;
};

Importer::Importer(store::Store& store, Uploads& uploads, NodeOf node, Limits limits,
                   Handover& handover, const Clock& clock, Waiting waiting)
    : store_(store),
      uploads_(uploads),
      node_(std::move(node)),
      limits_(limits),
      handover_(handover),
      clock_(clock),
      waiting_(waiting),
      jobs_({.all = waiting.jobs_max,
             .of_owner = std::max<std::size_t>(1, waiting.jobs_max / 2),
             .at_work_of_owner = std::max<std::size_t>(2, waiting.threads) - 1}) {}

Importer::~Importer() {
  stop();
}

Result<void> Importer::start_thread() {
  // Of what stays there is the more next time.
  if (auto swept = sweep_uploads(); !swept) {
    log::warning("uploads that nobody wants stay", {{"reason", swept.error().detail}});
  }
  if (auto taken = take_unfinished(); !taken) return taken;
  while (threads_.size() < waiting_.threads) threads_.emplace_back([this] { work(); });
  return {};
}

Result<void> Importer::sweep_uploads() {
  const store::NodeKey node = node_();
  const auto running = store_.read_and_wait(
      [node](store::ReadTransaction& transaction) { return transaction.running_imports(node); });
  if (!running) return fail(running.error());
  const auto is_named = [&](std::string_view name) -> Result<bool> {
    const auto errors = errors_named(name);
    if (!errors) {
      return std::ranges::find(*running, name, &store::ImportJob::upload) != running->end();
    }
    const auto job = store_.read_and_wait([&](store::ReadTransaction& transaction) {
      return transaction.import_job(errors->account, errors->job);
    });
    if (job) return !job->errors.empty();  // or what open_errors() makes of it
    if (job.error().kind == ErrorKind::not_found) return false;
    return fail(job.error());
  };
  const auto swept = uploads_.sweep(is_named);
  if (!swept) return fail(swept.error());
  if (*swept > 0) log::info("uploads that no job names were removed", {{"files", *swept}});
  return {};
}

Result<void> Importer::take_unfinished() {
  const store::NodeKey node = node_();
  auto unfinished = store_.read_and_wait(
      [node](store::ReadTransaction& transaction) { return transaction.running_imports(node); });
  if (!unfinished) return fail(unfinished.error());
  for (store::ImportJob& job : *unfinished) {
    // Before it is begun again: another thread may be about to work at it.
    Claim claim(*this, key_of(job));
    if (!claim.holds()) continue;
    const auto restarted = store_.write_and_wait(
        store::WritePriority::import, [&job, node](store::WriteTransaction& transaction) {
          return transaction.restart_import(job.id, job.account, node);
        });
    // Ended, deleted or taken over since it was read.
    if (!restarted && (restarted.error().kind == ErrorKind::conflict ||
                       restarted.error().kind == ErrorKind::not_found)) {
      continue;
    }
    if (!restarted) return fail(restarted.error());
    queue(std::move(job), std::move(claim));
  }
  return {};
}

void Importer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  jobs_.close();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Importer::start(store::ImportJob job) {
  Claim claim(*this, key_of(job));
  if (claim.holds()) queue(std::move(job), std::move(claim));
}

void Importer::cancelled(const store::ImportJob& job) {
  const std::lock_guard lock(mutex_);
  if (queued_.contains(key_of(job))) cancelled_.insert(key_of(job));
}

bool Importer::is_cancelled(const store::ImportJob& job) {
  const std::lock_guard lock(mutex_);
  return cancelled_.contains(key_of(job));
}

void Importer::queue(store::ImportJob job, Claim claim) {
  const auto account = static_cast<std::int64_t>(job.account);
  // Kept before anybody can be done with it.
  const JobKey key = key_of(job);
  claim.keep();
  try {
    if (jobs_.try_push(account, std::move(job))) return;
  } catch (const std::exception&) {
    async::report_exception("queueing an import", std::current_exception());
  }
  const std::lock_guard lock(mutex_);
  queued_.erase(key);
  left_behind_ = true;
}

void Importer::discard(std::vector<std::string> errors) {
  if (errors.empty()) return;
  const auto of = errors_named(errors.front());
  const auto account = of ? static_cast<std::int64_t>(of->account) : 0;
  // Where too much waits, they stay until sweep_uploads().
  (void)jobs_.try_push(account, std::move(errors));
}

void Importer::work() {
  catch_up();
  while (!stopping_) {
    const auto taken = jobs_.pop_within(waiting_.look_every);
    if (stopping_) return;
    if (!taken) {
      look_for_others();
      continue;
    }
    const bool done = do_piece(taken->item);
    jobs_.done(taken->owner);
    if (!done) pause();
    catch_up();
  }
}

// Of a node that died, or of this one, if it has entered anew after others thought so.
void Importer::look_for_others() {
  {
    const std::lock_guard lock(mutex_);
    left_behind_ = true;
  }
  catch_up();
}

// What is thrown, where memory is refused, ends the piece and not the process: a job is still this
// node's, and begins again; files that stay go at the next start.
bool Importer::do_piece(const Piece& piece) {
  const auto* const job = std::get_if<store::ImportJob>(&piece);
  bool ended = false;
  try {
    if (job != nullptr) {
      ended = run(*job);
    } else {
      for (const auto& name : std::get<std::vector<std::string>>(piece)) {
        remove_errors(uploads_, name);
      }
    }
  } catch (const std::exception&) {
    async::report_exception("an import", std::current_exception());
  }
  if (job == nullptr) return true;
  const std::lock_guard lock(mutex_);
  queued_.erase(key_of(*job));
  cancelled_.erase(key_of(*job));
  if (!ended) left_behind_ = true;
  return ended;
}

void Importer::catch_up() {
  while (!stopping_ && jobs_.size() == 0) {
    {
      const std::lock_guard lock(mutex_);
      if (!std::exchange(left_behind_, false)) return;
    }
    Result<void> taken;
    try {
      taken = take_unfinished();
    } catch (const std::exception& error) {
      async::report_exception("finding imports", std::current_exception());
      taken = fail(ErrorKind::unavailable, error.what());
    }
    if (taken) {
      // With jobs to run, these tell.
      if (jobs_.size() == 0) storing_.worked(clock_.steady_now());
      continue;
    }
    storing_.failed(clock_.steady_now(), {{"reason", taken.error().detail}});
    {
      const std::lock_guard lock(mutex_);
      left_behind_ = true;
    }
    pause();
  }
}

void Importer::pause() {
  std::unique_lock lock(mutex_);
  stopped_.wait_for(lock, waiting_.retry_after, [this] { return stopping_.load(); });
}

bool Importer::run(const store::ImportJob& job) {
  log::info("import started", {{"job", job.id}, {"delivery", job.delivery_id}});
  Run run{.job = job};
  Result<void> read = read_file(run);
  // When the job ends nothing of it is under way any more.
  if (auto staged = wait_for_staging(run); read && !staged) read = std::move(staged);
  if (stopping_) return true;  // goes on at the next start
  if (!read && read.error().kind == ErrorKind::unavailable) {
    storing_.failed(clock_.steady_now(), {{"job", job.id}, {"reason", read.error().detail}});
    return false;
  }
  const bool ended = end(run, read);
  if (ended) storing_.worked(clock_.steady_now());
  return ended;
}

Result<void> Importer::wait_for_staging(Run& run) {
  if (!run.staging.valid()) return {};
  const auto staged = run.staging.get();
  return staged ? Result<void>{} : fail(staged.error());
}

Result<void> Importer::count_in_check(Run& run) {
  std::vector<std::string> subjects;
  for (const store::NewRecipient& recipient : run.staged) {
    run.check->count(recipient);
    subjects.push_back(subject_of_address(recipient.address));
  }
  const auto stops = store_.read_and_wait(
      [&](store::ReadTransaction& reader) { return reader.stops_of(run.job.account, subjects); });
  if (!stops) return fail(stops.error());
  std::set<std::size_t> stopped;
  for (const store::StoppedSubject& found : *stops) {
    std::optional<StopReason> reason;
    store::take_reason(reason, found.entry, run.purpose, run.list_id);
    if (reason) stopped.insert(found.place);
  }
  run.check->count_suppressed(static_cast<std::int64_t>(stopped.size()));
  run.staged.clear();
  return {};
}

Result<void> Importer::stage(Run& run) {
  // One at a time: rows keep the order of the file, and two slices of it are in memory at most.
  if (auto before = wait_for_staging(run); !before) return before;
  // A file that will fail as a whole need not be stored any further.
  const bool doomed = run.bad > 0 && !run.job.ignore_errors;
  if (run.staged.empty() || (doomed && !run.check)) {
    run.staged.clear();
    return {};
  }
  if (run.check) {
    if (auto counted = count_in_check(run); !counted) return counted;
  }
  // 99: the end of the job alone makes it 100, which is what clients wait for.
  const auto percentage =
      static_cast<std::int32_t>(run.file_octets == 0 ? 0 : run.octets_read * 99 / run.file_octets);
  run.staging = store_.perform_soon(store::StageRows{.job = run.job.id,
                                                     .account = run.job.account,
                                                     .node = node_(),
                                                     .recipients = std::exchange(run.staged, {}),
                                                     .folded = run.folded,
                                                     .percentage = percentage});
  return {};
}

std::string Importer::findings_of(const Run& run) {
  ListFindings findings{.form = run.job.form, .encoding = run.encoding, .separator = run.separator};
  if (run.check) {
    findings.check = run.check->json({.malformed = run.bad, .duplicates = run.folded});
  }
  if (run.already_there) findings.already_there = run.already_there->json();
  return json_of(findings);
}

namespace {

// As MailLimit counts what other ways accept; with the commit, as nobody passes it here.
Result<void> count_committed(store::WriteTransaction& tx, const store::ImportJob& job,
                             store::NodeKey node, Instant now) {
  const auto heads = tx.read().delivery_heads(std::span(&job.delivery, 1));
  if (!heads) return fail(heads.error());
  if (heads->empty()) return {};
  const store::MailCount count{
      .account = job.account, .day = day_of(now), .mails = heads->front().counts.total};
  return tx.count_mails(node, std::span(&count, 1));
}

}  // namespace

bool Importer::end(Run& run, const Result<void>& read) {
  const bool is_taken = read && (run.bad == 0 || run.job.ignore_errors);
  // Whoever asked for sending at once must not take it for done.
  const bool nobody = is_taken && run.job.immediate && run.good == 0 && run.recipients_before == 0;
  if (nobody) {
    run.refusal = Text{
        "there is nobody to send to, in this list or from before it, and the delivery stays a "
        "draft",
        "このリストにもそれ以前にも宛先が1件もないため送信していません。配信は下書きのままです"};
  }
  const bool bad_file = run.refusal.has_value() && (!read || nobody);
  if (bad_file) {
    if (!nobody) ++run.bad;
    add_error(run, fmt::format("[file: {}]", run.refusal->in(run.job.language)), {});
  }
  // On the disk before the job says that it is there.
  Result<void> kept;
  if (!run.errors.empty()) {
    kept = keep_errors(uploads_, run.job.account, run.job.id, run.errors);
  }
  if (!kept && kept.error().kind == ErrorKind::unavailable) {
    // A full disk: the job begins again, and nobody loses the list of what was wrong.
    storing_.failed(clock_.steady_now(), {{"job", run.job.id}, {"reason", kept.error().detail}});
    return false;
  }
  if (!kept) {
    log::error("import errors not kept", {{"job", run.job.id}, {"reason", kept.error().detail}});
  }
  const bool has_errors = kept && !run.errors.empty();
  run.errors.clear();
  store::ImportEnd end{.status = store::ImportStatus::finished,
                       .success_count = run.good,
                       .failed_count = run.bad,
                       .total_count = run.good + run.bad + run.folded,
                       .errors = has_errors ? errors_name(run.job.account, run.job.id) : "",
                       .folded = run.folded,
                       .findings = findings_of(run)};
  if (!read && !bad_file) {
    end.status = store::ImportStatus::system_error;
  } else if (bad_file || !is_taken) {
    end.status = store::ImportStatus::failed;
  }
  if (end.status != store::ImportStatus::finished) end.success_count = 0;

  const bool commit =
      run.job.immediate && !run.job.dry_run && end.status == store::ImportStatus::finished;
  bool is_gone = false;
  const auto ended = store_.write_and_wait(
      store::WritePriority::import, [&](store::WriteTransaction& tx) -> Result<void> {
        auto done = tx.end_import(run.job.id, run.job.account, end, node_());
        is_gone = !done && (done.error().kind == ErrorKind::conflict ||
                            done.error().kind == ErrorKind::not_found);
        if (!done || !commit) return done;
        done = tx.commit_draft(run.job.delivery, std::nullopt, run.job.asked_by);
        return done ? count_committed(tx, run.job, node_(), store_.clock().now()) : done;
      });
  if (is_gone) {
    // Cancelled, deleted or taken over meanwhile, as take_unfinished() has it.
    log::info("import was ended elsewhere", {{"job", run.job.id}});
    leave(run.job);
    return true;
  }
  if (!ended) {
    storing_.failed(clock_.steady_now(), {{"job", run.job.id}, {"reason", ended.error().detail}});
    return false;
  }
  uploads_.remove(run.job.upload);
  log::info("import ended", {{"job", run.job.id},
                             {"good", run.good},
                             {"bad", run.bad},
                             {"folded", run.folded},
                             {"reason", read ? "" : read.error().detail}});
  if (commit) handover_.work_arrived();
  return true;
}

// Whoever has taken it over needs its list.
void Importer::leave(const store::ImportJob& job) {
  const auto found = store_.read_and_wait([&](store::ReadTransaction& transaction) {
    return transaction.import_job(job.account, job.id);
  });
  const bool is_over = found ? found->status != store::ImportStatus::running
                             : found.error().kind == ErrorKind::not_found;
  if (!is_over) return;
  uploads_.remove(job.upload);
  if (!found || found->errors.empty()) remove_errors(uploads_, errors_name(job.account, job.id));
}

}  // namespace todoku::intake
