// SPDX-License-Identifier: Apache-2.0
// Suppression lists: whom mail is not sent to, of each account and of the installation as a whole
// (mail/suppression.h says what an entry stops). An entry has a copy of its cause, because it
// outlives the mail.
//
// They are asked by Accept, and for bulk by Claim, in the commit of each (work.h): who is stopped
// becomes dropped there and is leased to nobody. Settle writes entries for hard errors.
//
// Of one subject an account has an entry for each reason, and for each list that somebody left.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/suppression.h"
#include "store/address_hash.h"
#include "store/keys.h"

namespace todoku::store {

// Whose the installation's list is.
inline constexpr AccountKey kInstallation{0};

// Texts that are longer are cut.
inline constexpr std::size_t kStopTextCharactersMax = 500;
// Entries of one subject and account for lists. Whoever left so many may still leave everything: of
// the others there is one for each reason.
inline constexpr std::int64_t kStopsOfSubjectMax = 200;

// What a receiver said when the last hard error came, or another sign of the recipient's.
struct StopCause {
  int code = 0;
  std::string text;
  std::optional<Instant> at;
  PublicId delivery_id = 0;  // 0: no mail of ours
  PublicId email_id = 0;
};

struct Suppression {
  AccountKey account{};  // kInstallation: for all
  std::string subject;   // mail/suppression.h
  StopReason reason = StopReason::manual;
  StopScope scope = StopScope::all;
  std::string list_id;  // of scope list, else empty
  std::string note;     // why, in somebody's words
  StopCause cause;
  std::optional<Instant> expires;
  Instant created{};
  Instant updated{};
};

struct NewSuppression {
  AccountKey account{};
  std::string subject;
  StopReason reason = StopReason::manual;
  StopScope scope = StopScope::all;
  std::string list_id;
  std::string note;
  StopCause cause = {};
  std::optional<Milliseconds> lasts = {};  // nullopt: until it is removed
};

// When hard errors of an address stop it: so many of different deliveries, each no longer than
// `within` after the one before. The stop lasts so long from the last of them. Errors 0: never.
//
// An entry of that reason may be there already, put by somebody: fewer errors change nothing of it
// but its cause. With enough of them both hold, as one entry: the later expiry, the scope `all`,
// and the note.
struct ErrorStop {
  std::uint32_t errors = 2;
  Milliseconds within = std::chrono::hours(14 * 24);
  Milliseconds lasts = std::chrono::hours(14 * 24);
};

// Where going through a list goes on. Opaque.
struct SuppressionPlace {
  std::int64_t time_ms = 0;
  std::int64_t number = 0;
  std::int64_t reason = 0;
  std::string list_id;
};

struct SuppressionPage {
  std::vector<Suppression> entries;
  std::optional<SuppressionPlace> next;  // nullopt: there are no more
};

// The contract's error-stop list: entries of reason hard_error that stop, by when they were
// updated.
struct ErrorListFilter {
  AccountKey account{};
  std::optional<Instant> from;   // inclusive
  std::optional<Instant> until;  // inclusive
  bool newest_first = true;
  // What is looked at in each entry (matches() below).
  std::string subject = {};     // empty: any
  std::vector<int> codes = {};  // empty: any
};

// A transaction that nobody has had for so long since it was accepted, because its account was
// suspended, say, is asked once more when it is claimed. Shorter than what connections know of
// additions (delivery/stop_list.h).
inline constexpr Milliseconds kAskedAgainAfter = std::chrono::minutes(5);

// An entry that stops one of several subjects that were asked for.
struct StoppedSubject {
  std::size_t place = 0;  // of what was asked for
  Suppression entry;
};

struct RecentStop {
  AccountKey account{};
  std::string subject;
  Instant updated{};
};

// Who changed a list, for whoever asks later.
struct SuppressionChange {
  AccountKey account{};
  std::string subject;
  StopReason reason = StopReason::manual;
  std::string list_id;
  std::string why;    // in somebody's words
  std::string actor;  // "api key 3", "operator"
  Instant at{};
  std::int64_t number = 0;  // of what is told later by one writer the greater
};

class SuppressionReads {
 public:
  virtual ~SuppressionReads() = default;
  // Entries of these subjects and of their domains, the account's and the installation's, that have
  // not expired; also those that stop nothing yet are left out. One statement.
  [[nodiscard]] virtual Result<std::vector<StoppedSubject>> stops_of(
      AccountKey account, std::span<const std::string> subjects) = 0;
  // An account's list by when entries were made, oldest first, on from after `from`. Expired
  // entries that are not removed yet are left out: a page may hold fewer than `limit` and not be
  // the last.
  [[nodiscard]] virtual Result<SuppressionPage> suppressions(
      AccountKey account, const std::optional<SuppressionPlace>& from, std::int64_t limit) = 0;
  // `skip` entries are passed over before: at most 20,000.
  [[nodiscard]] virtual Result<SuppressionPage> error_list(
      const ErrorListFilter& filter, const std::optional<SuppressionPlace>& from, std::int64_t skip,
      std::int64_t limit) = 0;
  // Whose entries, of all accounts, were made or changed at `from` or later, in the order of that,
  // also those that stop nothing: for who keeps subjects in memory and asks about those.
  [[nodiscard]] virtual Result<std::vector<RecentStop>> recent_suppressions(Instant from,
                                                                            std::int64_t limit) = 0;
  // By which subjects are looked up, also erased ones (stop_hash() of personal_data.h). It stays
  // the same as long as the store is open.
  [[nodiscard]] virtual AddressHash subject_hash() const = 0;
  // Removals of a subject, newest first, at most 100.
  [[nodiscard]] virtual Result<std::vector<SuppressionChange>> removals_of(
      AccountKey account, std::string_view subject) = 0;
  // Removals with greater numbers, of all accounts, in the order of these, without `why`. Of
  // writers at once one that is seen later may have a smaller number than one that was seen, but
  // not than one of some seconds before: numbers follow time, or are given one by one.
  [[nodiscard]] virtual Result<std::vector<SuppressionChange>> removals_after(
      std::int64_t number, std::int64_t limit) = 0;
};

struct PutSuppressions {
  std::int64_t made = 0;  // new ones; the others were changed
  // Places of those for which their subject has too many entries already, in order: not stored.
  std::vector<std::size_t> refused;
};

class SuppressionWrites {
 public:
  virtual ~SuppressionWrites() = default;
  // Makes entries, or changes those that are there, whose cause stays if the new one has none. At
  // most 1,000 at once. Errors: invalid_input (an opt-out for everything, a list without a name
  // ...); nothing is stored then.
  [[nodiscard]] virtual Result<PutSuppressions> put_suppressions(
      std::span<const NewSuppression> entries) = 0;
  // Those of this subject with this reason and list (nullopt: any), and says who did it. What was
  // removed; empty: there was nothing.
  [[nodiscard]] virtual Result<std::vector<Suppression>> remove_suppressions(
      AccountKey account, std::string_view subject, std::optional<StopReason> reason,
      const std::optional<std::string>& list_id, std::string_view why, std::string_view actor) = 0;
};

// Of the entries that stop a mail the reason that is told is the first: `first` becomes it with
// this one, if it stops such a mail.
void take_reason(std::optional<StopReason>& first, const Suppression& entry, Purpose purpose,
                 std::string_view list_id);

// Whether an entry has the subject and one of the codes.
[[nodiscard]] bool matches(const ErrorListFilter& filter, const Suppression& entry);
// A filter as the parameters of an export job, and back. Errors: corrupt.
[[nodiscard]] std::string written(const ErrorListFilter& filter);
[[nodiscard]] Result<ErrorListFilter> read_error_list_filter(AccountKey account,
                                                             std::string_view written);

// What no back end takes.
[[nodiscard]] Result<void> check_sound(const NewSuppression& entry);
// Whether it says nothing.
[[nodiscard]] bool is_none(const StopCause& cause);
// Its first kStopTextCharactersMax characters.
[[nodiscard]] std::string_view cut_stop_text(std::string_view text);

}  // namespace todoku::store
