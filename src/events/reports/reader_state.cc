// SPDX-License-Identifier: Apache-2.0
#include "events/reports/reader_state.h"

#include <algorithm>
#include <limits>

#include "store/codec.h"

namespace todoku::events::reports {
namespace {

constexpr std::uint8_t kForm = 1;
constexpr std::uint32_t kDoublings = 8;  // more than lead to kLongestWhile

Milliseconds while_after(std::uint32_t reports) {
  return std::min(kFirstWhile * (1 << std::min(reports, kDoublings)), kLongestWhile);
}

std::unexpected<Error> damaged() {
  return fail(ErrorKind::corrupt, "what waits to be reported is damaged in the store");
}

std::uint32_t small(store::BlobReader& in) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(in.varint(), std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

void ReportSchedule::note(store::DeliveryKey delivery, const Concerned& recipient, Instant now) {
  Entry& entry = entries_[delivery];
  if (entry.recipients.empty()) entry.due = std::max(entry.due, now + kFirstWhile);
  if (entry.recipients.insert(recipient).second) ++waiting_;
}

std::optional<DueReport> ReportSchedule::next(Instant now) const {
  const bool all = is_full();
  auto best = entries_.end();
  for (auto each = entries_.begin(); each != entries_.end(); ++each) {
    const Entry& entry = each->second;
    if (entry.recipients.empty() || (!all && entry.due > now)) continue;
    if (best == entries_.end() || entry.due < best->second.due) best = each;
  }
  if (best == entries_.end()) return std::nullopt;
  DueReport report{.delivery = best->first, .recipients = {}};
  for (const Concerned& recipient : best->second.recipients) {
    if (report.recipients.size() == kToldAtOnceMax) break;
    report.recipients.push_back(recipient);
  }
  return report;
}

void ReportSchedule::done(const DueReport& report, Instant now) {
  const auto found = entries_.find(report.delivery);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  for (const Concerned& recipient : report.recipients) {
    waiting_ -= entry.recipients.erase(recipient);
  }
  if (!entry.recipients.empty()) return;
  entry.due = now + while_after(++entry.reports);
}

void ReportSchedule::forget(Instant now) {
  std::erase_if(entries_, [&](const auto& each) {
    return each.second.recipients.empty() && each.second.due <= now;
  });
  for (auto each = entries_.begin(); each != entries_.end() && entries_.size() >= kDeliveriesMax;) {
    each = each->second.recipients.empty() ? entries_.erase(each) : std::next(each);
  }
}

bool ReportSchedule::is_full() const {
  return waiting_ >= kWaitingMax;
}

void ReportSchedule::pack(std::string& out) const {
  for (const auto& [delivery, entry] : entries_) {
    store::put_zigzag(out, static_cast<std::int64_t>(delivery));
    store::put_zigzag(out, to_epoch_ms(entry.due));
    store::put_varint(out, entry.reports);
    store::put_varint(out, entry.recipients.size());
    for (const Concerned& recipient : entry.recipients) {
      store::put_varint(out, recipient.batch);
      store::put_varint(out, recipient.seq);
      store::put_zigzag(out, recipient.delayed ? to_epoch_ms(*recipient.delayed) : 0);
    }
  }
}

Result<ReportSchedule> ReportSchedule::unpack(std::string_view packed) {
  ReportSchedule schedule;
  store::BlobReader in(packed);
  while (!in.at_end() && !in.failed()) {
    Entry& entry = schedule.entries_[store::DeliveryKey{in.zigzag()}];
    entry.due = from_epoch_ms(in.zigzag());
    entry.reports = small(in);
    for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
      Concerned recipient{.batch = small(in), .seq = small(in), .delayed = {}};
      if (const std::int64_t at = in.zigzag(); at != 0) recipient.delayed = from_epoch_ms(at);
      if (entry.recipients.insert(recipient).second) ++schedule.waiting_;
    }
  }
  if (in.failed()) return damaged();
  return schedule;
}

std::string pack(const ReaderState& state) {
  std::string out;
  out.push_back(static_cast<char>(kForm));
  store::put_varint(out, state.after.generation);
  store::put_varint(out, state.after.commit);
  store::put_varint(out, state.after.entry);
  store::put_zigzag(out, static_cast<std::int64_t>(state.after_account));
  std::string schedule;
  state.schedule.pack(schedule);
  store::put_text(out, schedule);
  return out;
}

Result<ReaderState> unpack_reader_state(std::string_view packed) {
  store::BlobReader in(packed);
  const std::uint8_t form = in.octet();
  ReaderState state;
  state.after.generation = in.varint();
  state.after.commit = in.varint();
  state.after.entry = small(in);
  state.after_account = store::AccountKey{in.zigzag()};
  const std::string_view text = in.text();
  if (in.failed() || form != kForm || !in.at_end()) return damaged();
  auto schedule = ReportSchedule::unpack(text);
  if (!schedule) return fail(std::move(schedule.error()));
  state.schedule = std::move(*schedule);
  return state;
}

}  // namespace todoku::events::reports
