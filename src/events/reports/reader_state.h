// SPDX-License-Identifier: Apache-2.0
// How far events were read for reports, and of whom something is to be told: kept in one row of the
// store (store/event_readers.h), so that a report and the step past it are one commit. Pure.
//
// What fails of one delivery within a while is told together. The first while is two seconds, and
// each one after a report twice as long as the one before, up to five minutes: a mail whose
// thousand recipients fail one after the other for an hour is told of some twenty times, and a
// single failure at once.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mime/delivery_report.h"
#include "store/event_sheet.h"
#include "store/keys.h"

namespace todoku::events::reports {

inline constexpr Milliseconds kFirstWhile = std::chrono::seconds(2);
inline constexpr Milliseconds kLongestWhile = std::chrono::minutes(5);
inline constexpr std::size_t kWaitingMax = 5'000;     // recipients; then nothing more is read
inline constexpr std::size_t kDeliveriesMax = 5'000;  // remembered, of whom nothing waits included
inline constexpr std::size_t kToldAtOnceMax = mime::kReportedRecipientsMax;

// A recipient whose story has something that its sender may want to know.
struct Concerned {
  std::uint32_t batch = 0;
  std::uint32_t seq = 0;
  // When it was deferred late; nullopt: it has come to an end.
  std::optional<Instant> delayed;
  friend auto operator<=>(const Concerned&, const Concerned&) = default;
};

struct DueReport {
  store::DeliveryKey delivery{};
  std::vector<Concerned> recipients;  // up to kToldAtOnceMax
};

class ReportSchedule {
 public:
  void note(store::DeliveryKey delivery, const Concerned& recipient, Instant now);
  // The one that is due for the longest; all are when it is full.
  [[nodiscard]] std::optional<DueReport> next(Instant now) const;
  // What next() gave was told, or is not to be.
  void done(const DueReport& report, Instant now);
  // Forgets deliveries that were quiet for their while.
  void forget(Instant now);

  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  [[nodiscard]] bool is_full() const;

  void pack(std::string& out) const;
  // Errors: corrupt.
  [[nodiscard]] static Result<ReportSchedule> unpack(std::string_view packed);
  friend bool operator==(const ReportSchedule&, const ReportSchedule&) = default;

 private:
  struct Entry {
    Instant due{};  // of what waits; else until when it was to be quiet
    std::uint32_t reports = 0;
    std::set<Concerned> recipients;
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  std::map<store::DeliveryKey, Entry> entries_;
  std::size_t waiting_ = 0;
};

struct ReaderState {
  store::EventPlace after;
  store::AccountKey after_account{};
  ReportSchedule schedule;
  friend bool operator==(const ReaderState&, const ReaderState&) = default;
};

[[nodiscard]] std::string pack(const ReaderState& state);
// Errors: corrupt.
[[nodiscard]] Result<ReaderState> unpack_reader_state(std::string_view packed);

}  // namespace todoku::events::reports
