// SPDX-License-Identifier: Apache-2.0
// What is wrong with a request: each problem names its field by path and says why, in both
// languages of the contract (section 1.8). An empty path speaks of the request as a whole ("main").
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bilingual.h"
#include "base/result.h"
#include "mail/invisible.h"

namespace todoku::intake {

using Text = BilingualText;

struct Problem {
  std::vector<std::string> path;  // e.g. {"to", "0", "insert_code", "3", "key"}
  Text text;
  friend bool operator==(const Problem&, const Problem&) = default;
};

// At most kToldMax are kept; the others are counted.
class Problems {
 public:
  static constexpr std::size_t kToldMax = 100;

  // What is told of a field already is not told again. Of what either repeats of the request
  // everything is fit to be shown (base/printable.h).
  void add(std::vector<std::string> path, Text text);
  // Takes over what was found later, but for what concerns a field that has a problem already, or a
  // part of one: that a field of a wrong type is also empty need not be told.
  void add_others(Problems later);

  [[nodiscard]] bool empty() const { return list_.empty(); }
  [[nodiscard]] const std::vector<Problem>& list() const { return list_; }
  // Beyond those in the list.
  [[nodiscard]] std::size_t untold() const { return untold_; }

 private:
  std::vector<Problem> list_;
  std::size_t untold_ = 0;
};

// Why a request was not carried out. Nothing of it was stored.
struct Refusal {
  // That the key which names a request stands for another one, or for one that is in progress
  // (repeats.h): such a refusal's kind is conflict.
  enum class Key : std::uint8_t { no_trouble, other_request, in_progress };

  ErrorKind kind = ErrorKind::invalid_input;
  Problems problems;
  Key key = Key::no_trouble;
  // Of a limit in time: when it is free again, and its name (store::AccountLimits).
  std::optional<std::chrono::seconds> retry_after = {};
  std::string_view limit = {};

  [[nodiscard]] static Refusal of(ErrorKind kind, Text text) {
    Refusal refusal{kind, {}};
    refusal.problems.add({}, std::move(text));
    return refusal;
  }
};

// What an error of the store, or of anything else a request needs, means for who made the request:
// the one place where that is said.
[[nodiscard]] Refusal refusal_of(const Error& error);
// The same of a change. Of `io` the store does not say whether it was stored (store/store.h), and
// the refusal's kind is that, too.
[[nodiscard]] Refusal refusal_of_change(const Error& error);

template <class T>
using Answer = std::expected<T, Refusal>;

// The sentences, one function each, so that a message is worded once. Of what a caller gave no more
// is repeated than it takes to recognise it.
namespace texts {
// A sentence as a part of another.
[[nodiscard]] std::string_view without_stop(std::string_view sentence);
[[nodiscard]] Text required();
// Behind required(), of text_part.
[[nodiscard]] Text html_would_do();
[[nodiscard]] Text wrong_type(std::string_view expected_en, std::string_view expected_ja);
[[nodiscard]] Text length(std::size_t min, std::size_t max);
[[nodiscard]] Text too_many(std::size_t max);
[[nodiscard]] Text octets(std::size_t max);
[[nodiscard]] Text name_octets(std::size_t max);
// Of what is attached to a recipient, where it is changed.
[[nodiscard]] Text attached_stays();
// Of a From address; `of_another`: another account has proven it.
[[nodiscard]] Text not_your_domain(std::string_view domain, bool of_another);
// Of a recipient, by store::Account::allowed_recipients.
[[nodiscard]] Text not_allowed_recipient(std::string_view address);
// `reason` is a clause of mail/address.h.
[[nodiscard]] Text invalid_email(std::string_view reason);
// Of a character before the @ in the place of one of ASCII's.
[[nodiscard]] Text fullwidth(std::string_view found, char meant);
// Of a clause of mail/address.h or mime/uri.h, such as "has no @"; empty if it is not known.
[[nodiscard]] std::string in_japanese(std::string_view clause);
[[nodiscard]] Text invalid_format(std::string_view value);
// Of an unsubscribe address.
[[nodiscard]] Text lacks_scheme(std::string_view uri, std::string_view schemes);
[[nodiscard]] Text not_one_of(std::string_view value, std::string_view allowed);
[[nodiscard]] Text no_data_found();
[[nodiscard]] Text refused_extension(std::string_view file_name);
// Of inline parts: nothing shows them.
[[nodiscard]] Text wants_html();
// Of the insert code for the link by which a recipient leaves.
[[nodiscard]] Text no_unsubscribe_link(std::string_view key);
[[nodiscard]] Text link_of_advertisements(std::string_view key);
// Of one_click: there is no such url.
[[nodiscard]] Text wants_https_url();
[[nodiscard]] Text invalid_content_id();
[[nodiscard]] Text not_base64();
[[nodiscard]] Text data_url();
[[nodiscard]] Text attachments_too_big(std::size_t octets, std::size_t max);
[[nodiscard]] Text duplicate_key(std::string_view key);
[[nodiscard]] Text given_twice();
// Of a member, told under the name that it has.
[[nodiscard]] Text written_otherwise(std::string_view found, std::string_view name);
// Of duplicate_policy.
[[nodiscard]] Text not_taken_here();
// Of send_at and expires_in.
[[nodiscard]] Text only_of_transactions();
[[nodiscard]] Text policy_stays(bool at_most_once);
// Of a transaction that is to be paused.
[[nodiscard]] Text only_stopped();
// Of a pace and quiet hours.
[[nodiscard]] Text only_of_bulk();
// Of what somebody was about to approve, or to send back.
[[nodiscard]] Text not_as_it_waits();
// Of a message that came by SMTP, when something in it is to be another.
[[nodiscard]] Text is_as_it_came();
// Of a mail that is to be sent once more.
[[nodiscard]] Text not_over_yet();
[[nodiscard]] Text came_whole();
[[nodiscard]] Text is_erased();
[[nodiscard]] Text unknown_zone(std::string_view value);
[[nodiscard]] Text ends_when_it_begins();
[[nodiscard]] Text no_part_for_files();
[[nodiscard]] Text no_name_of_part();
[[nodiscard]] Text control_character();
[[nodiscard]] Text invisible_character(const Invisible& found);
[[nodiscard]] Text not_utf8();
[[nodiscard]] Text nul_character();
// `reason` is a clause of mime/extra_header.h.
[[nodiscard]] Text invalid_header(std::string_view reason);
[[nodiscard]] Text not_in_range(std::int64_t min, std::int64_t max);
[[nodiscard]] Text invalid_uri(std::string_view reason);
[[nodiscard]] Text mail_too_big(std::uint64_t octets, std::uint64_t max);
// A value that stands in `uses` places of the content.
struct Expansion {
  std::string_view key;
  std::uint64_t uses = 0;
  std::uint64_t octets = 0;  // of the whole mail
};
[[nodiscard]] Text value_too_big(const Expansion& expansion, std::uint64_t max);
[[nodiscard]] Text html_construct(std::string_view construct);
[[nodiscard]] Text import_has_ended();
[[nodiscard]] Text wrong_state(std::string_view state, std::string_view needed);
[[nodiscard]] Text drafts_limit(std::size_t max);
// Of a delivery that is to be deleted.
[[nodiscard]] Text still_stopping();
[[nodiscard]] Text no_recipients();
[[nodiscard]] Text in_the_past();
[[nodiscard]] Text too_far_ahead();
[[nodiscard]] Text invalid_date(std::string_view value);
[[nodiscard]] Text account_suspended();
[[nodiscard]] Text mail_limit(std::string_view limit, std::int64_t most);
// Of mails that are more than the limit lets through in all.
[[nodiscard]] Text beyond_limit(std::string_view limit, std::int64_t most, std::int64_t mails);
[[nodiscard]] Text limit_wants_commit();
[[nodiscard]] Text preflight_wants_commit();
// `reason` is English, for who operates; the Japanese sentence does without.
[[nodiscard]] Text unavailable(std::string_view reason);
// Of a change that may be stored or not.
[[nodiscard]] Text in_doubt(std::string_view reason);
[[nodiscard]] Text busy(std::string_view reason);
[[nodiscard]] Text not_possible(std::string_view reason);
[[nodiscard]] Text more_problems(std::size_t count);
[[nodiscard]] Text too_large(std::uint64_t max);
// Of an idempotency key.
[[nodiscard]] Text invalid_key(std::size_t characters_max);
[[nodiscard]] Text key_of_other_request();
[[nodiscard]] Text key_in_progress();
}  // namespace texts

}  // namespace todoku::intake
