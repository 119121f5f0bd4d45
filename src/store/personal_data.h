// SPDX-License-Identifier: Apache-2.0
// Erasing what is kept of an address, and the record of who looked at what (docs/personal-data.md).
//
// Rows stay, because counts and other recipients' stories hang on them; what names somebody goes
// out of them. Everything here may be done again: what is erased already is not found any more.
//
// An entry of a suppression list has to stop mail after its subject was erased, too: in its place
// stands erased_subject(), made of the keyed hash by which the subject is looked up anyway. Only
// who has the store's secret and the address can tell that it is of that address.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/states.h"
#include "store/address_hash.h"
#include "store/dictionary.h"
#include "store/keys.h"

namespace todoku::store {

// In the place of an address (RFC 2606 section 2: nobody has mail there).
inline constexpr std::string_view kErasedAddress = "erased@erased.invalid";
// In the place of words, texts and subjects.
inline constexpr std::string_view kErasedText = "[erased]";
// Before the number of an erased subject: no address and no domain begins so.
inline constexpr std::string_view kErasedSubject = "erased:";

// "erased:1f", of the hash of a subject in hex.
[[nodiscard]] std::string erased_subject(std::uint64_t hash);
// The hash by which entries of this subject are kept: an erased one says it itself.
[[nodiscard]] std::uint64_t stop_hash(const AddressHash& hash, std::string_view subject);

// Whether the whole address stands in `text`, in whatever case, and not as a part of another.
[[nodiscard]] bool quotes_address(std::string_view text, std::string_view address);
// `text` without the address, in whatever case: the whole of it, and its local part where that
// stands for it: in angle brackets or quotes, or before a domain ("<user>", "user@mx.example.jp",
// "user=example.jp"). As a mere word it stays: "user" is one of many a reply. kErasedText stands
// for each.
[[nodiscard]] std::string without_address(std::string_view text, std::string_view address);
// A history (records.h) whose replies do not name the address. `numbers`: of the dictionary's
// values that quote the whole address, which are to be replaced, too. Others stay as they are for
// all who share them: the history has values of its own instead.
[[nodiscard]] Result<std::string> without_address(Dictionary& dictionary, std::string_view history,
                                                  std::string_view address,
                                                  std::vector<std::int64_t>& numbers);

// Nothing of it will go out any more.
[[nodiscard]] constexpr bool is_over(DeliveryStatus status) {
  return status == DeliveryStatus::sent || status == DeliveryStatus::failed;
}

struct ErasedRecipient {
  // Nobody else is left in its delivery: what was said is erased, too. Never of bulk, whose content
  // is everybody's.
  bool content_erased = false;
  // What was said stays for others, and may name the address in its text.
  bool content_stays = false;
};

struct ErasedStops {
  std::int64_t hashed = 0;    // go on stopping mail
  std::int64_t removed = 0;   // hard errors, which are counted anew, and what has expired
  std::int64_t removals = 0;  // records of what was taken off
};

// One line of the audit: who looked at what of somebody's, or exported or erased it.
struct AuditEntry {
  Instant at{};        // the store's, when it is read
  std::string actor;   // "api key 3", "operator"
  std::string action;  // "content", "message", "personal_data.export", ...
  AccountKey account{};
  PublicId delivery = 0;           // 0: none
  PublicId email = 0;              // likewise
  std::uint64_t address_hash = 0;  // of whom it was about; 0: nobody alone
  std::string origin;              // from where: "192.0.2.7", "admin socket"
  std::int64_t number = 0;         // later ones have greater numbers, as removals of suppressions.h
};
inline constexpr std::size_t kAuditTextMax = 200;  // octets of each text

struct AuditQuestion {
  std::optional<Instant> since;  // inclusive
  std::string address;           // canonical; empty: of all
  std::int64_t after = 0;        // AuditEntry::number of the last of the page before
  std::int64_t limit = 100;
  std::optional<AccountKey> account = {};  // of this one alone; nullopt: of all
  bool newest_first = false;
};
// invalid_input: an address and an account at once, for which there is no index.
[[nodiscard]] Result<void> check_sound(const AuditQuestion& question);

// Numbers of the entries that may be asked for, both inclusive.
struct AuditStretch {
  std::int64_t first = 0;
  std::int64_t last = 0;
};
// `since`: the number of the first entry since then, or 0.
[[nodiscard]] AuditStretch stretch_of(const AuditQuestion& question, std::int64_t since);

class PersonalDataReads {
 public:
  virtual ~PersonalDataReads() = default;
  // Oldest first, unless it is asked otherwise. What is added meanwhile is behind a page that goes
  // back, and ahead of one that goes on.
  [[nodiscard]] virtual Result<std::vector<AuditEntry>> audit(const AuditQuestion& question) = 0;
};

class PersonalDataWrites {
 public:
  virtual ~PersonalDataWrites() = default;
  // Of a recipient in an end state: address, insert codes, what replies quote of the address, and
  // when it was opened. not_found: no such recipient has this address (any more); conflict: it is
  // on its way, or others of its delivery are, whose header names it and has to stay as it is.
  // Nothing is changed then.
  [[nodiscard]] virtual Result<ErasedRecipient> erase_recipient(const RecipientKey& key,
                                                                std::string_view address) = 0;
  // Of one list (kInstallation: the installation's). `subject`: of an address. Of an entry that was
  // erased before and one that was put since one goes on, until the later expiry of both.
  [[nodiscard]] virtual Result<ErasedStops> erase_suppressions(AccountKey account,
                                                               std::string_view subject) = 0;
  // Files of exports that have ended are removed by the next sweep, as if their time was over, and
  // what endpoints were sent last is forgotten. How many exports. Those under way are nobody's any
  // more and begin anew: who makes one is told conflict, and has read what was there before.
  [[nodiscard]] virtual Result<std::int64_t> expire_copies(AccountKey account) = 0;
  // What was said in a delivery that is over. Its subject, too; who sent it stays. False: it is
  // erased already, or there is none.
  [[nodiscard]] virtual Result<bool> erase_content(DeliveryKey key) = 0;
  // `address`: of whom it is about; kept as a hash. Of what is in `entry` not at, number and hash.
  [[nodiscard]] virtual Result<void> add_audit(const AuditEntry& entry,
                                               std::string_view address) = 0;
  // Deletes at most `rows` of before that instant. False when none is left.
  [[nodiscard]] virtual Result<bool> drop_audit(Instant before, std::int64_t rows) = 0;
};

}  // namespace todoku::store
