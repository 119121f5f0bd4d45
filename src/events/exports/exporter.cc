// SPDX-License-Identifier: Apache-2.0
#include "events/exports/exporter.h"

#include <exception>
#include <utility>

#include <fmt/format.h>

#include "async/task_group.h"
#include "base/log.h"
#include "intake/zip.h"

namespace todoku::events::exports {
namespace {

constexpr std::int64_t kJobsAtOnce = 20;
constexpr std::int64_t kRemovedAtOnce = 100;

}  // namespace

Exporter::Exporter(store::Store& store, intake::Uploads& uploads, NodeOf node, const Clock& clock,
                   Waiting waiting)
    : store_(store), uploads_(uploads), node_(std::move(node)), clock_(clock), waiting_(waiting) {}

Exporter::~Exporter() {
  stop();
}

void Exporter::add(store::ExportKind kind, std::string name, Produce produce) {
  kinds_.insert_or_assign(kind, Kind{std::move(name), std::move(produce)});
}

void Exporter::start_thread() {
  thread_ = std::thread([this] { work(); });
}

void Exporter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Exporter::work() {
  SteadyInstant sweep_at = clock_.steady_now();
  while (!stopping_) {
    try {
      (void)do_waiting();
      if (clock_.steady_now() >= sweep_at) {
        remove_old();
        sweep_at = clock_.steady_now() + waiting_.sweep_every;
      }
    } catch (const std::exception&) {
      async::report_exception("making an export", std::current_exception());
    }
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, waiting_.look_every, [this] { return stopping_.load(); });
  }
}

std::size_t Exporter::do_waiting() {
  const auto jobs = store_.read_and_wait([this](store::ReadTransaction& reader) {
    return reader.running_exports(node_(), kJobsAtOnce);
  });
  if (!jobs) {
    looking_.failed(clock_.steady_now(), {{"reason", jobs.error().detail}});
    return 0;
  }
  looking_.worked(clock_.steady_now());
  std::size_t ended = 0;
  for (const store::ExportJob& job : *jobs) {
    if (stopping_) break;
    if (run(job)) ++ended;
  }
  return ended;
}

bool Exporter::tell(const store::ExportJob& job, std::int32_t percentage) {
  if (stopping_) return false;
  const auto told =
      store_.write_and_wait(store::WritePriority::import, [&](store::WriteTransaction& writer) {
        return writer.tell_export(job.account, job.id, node_(), percentage);
      });
  return told || told.error().kind != ErrorKind::conflict;
}

Result<store::ExportEnd> Exporter::produce(const store::ExportJob& job) {
  const auto kind = kinds_.find(job.kind);
  if (kind == kinds_.end()) {
    return fail(ErrorKind::unsupported, "this version does not know what to export");
  }
  Sheet sheet([&](std::int32_t percentage) { return tell(job, percentage); });
  auto made = kind->second.produce(job, sheet);
  if (!made) return fail(std::move(made.error()));
  const std::string name = intake::export_name(job.account, job.id);
  auto writer = uploads_.create(name);
  if (!writer) return fail(std::move(writer.error()));
  auto written = intake::write_zip(sheet.pieces(),
                                   fmt::format("{}_{}.csv", kind->second.name, job.id), **writer);
  if (written) written = (*writer)->keep();
  if (!written) return fail(std::move(written.error()));
  return store::ExportEnd{
      .status = store::ExportStatus::finished, .total = sheet.rows(), .file = name};
}

bool Exporter::run(const store::ExportJob& job) {
  const auto taken =
      store_.write_and_wait(store::WritePriority::import, [&](store::WriteTransaction& writer) {
        return writer.take_export(job.account, job.id, node_());
      });
  if (!taken) return false;  // another node has it, or the store is away: at the next look
  auto end = produce(job);
  if (!end) {
    const ErrorKind kind = end.error().kind;
    // The next look, here or elsewhere, begins it again.
    if (kind == ErrorKind::unavailable || kind == ErrorKind::cancelled) return false;
    log::error("export failed", {{"job", job.id}, {"reason", end.error().detail}});
    end = store::ExportEnd{.status = store::ExportStatus::failed, .total = 0, .file = {}};
  }
  const auto ended =
      store_.write_and_wait(store::WritePriority::import, [&](store::WriteTransaction& writer) {
        return writer.end_export(job.account, job.id, node_(), *end);
      });
  if (ended) {
    log::info("export ended", {{"job", job.id}, {"rows", end->total}});
    return true;
  }
  return false;
}

void Exporter::remove_old() {
  const Instant before = store_.clock().now() - waiting_.keep;
  const auto jobs = store_.read_and_wait(
      [&](store::ReadTransaction& reader) { return reader.ended_exports(before, kRemovedAtOnce); });
  if (!jobs) return;  // at the next time
  for (const store::ExportJob& job : *jobs) {
    const auto dropped = store_.write_and_wait(
        store::WritePriority::retention,
        [&](store::WriteTransaction& writer) { return writer.drop_export(job.account, job.id); });
    if (dropped && !job.file.empty()) uploads_.remove(job.file);
  }
}

}  // namespace todoku::events::exports
