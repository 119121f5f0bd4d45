// SPDX-License-Identifier: Apache-2.0
// The members that a request's JSON may have, by endpoint (blastengine-api.md section 2), and which
// of those that came are none of them. The contract's clients send more than it knows, so that is
// no mistake; but who wrote `replyTo` or `insert_codes` has to hear that nobody read it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "intake/problem.h"

namespace todoku::api {

// `inside`: of the object that is its value, or of each object in the list that is; empty if there
// is none to look into.
struct Member {
  std::string_view name;
  std::span<const Member> inside = {};
};

namespace members {

inline constexpr std::array kMailbox{Member{"email"}, Member{"name"}};
inline constexpr std::array kUnsubscribe{Member{"mailto"}, Member{"url"}, Member{"one_click"}};
inline constexpr std::array kInsertCode{Member{"key"}, Member{"value"}};
inline constexpr std::array kRecipient{Member{"email"}, Member{"insert_code", kInsertCode},
                                       Member{"data"}, Member{"reference"}, Member{"metadata"}};

// `first` and what an endpoint takes besides.
template <std::size_t kFirst, std::size_t kMore>
constexpr std::array<Member, kFirst + kMore> with(const std::array<Member, kFirst>& first,
                                                  const std::array<Member, kMore>& more) {
  std::array<Member, kFirst + kMore> all;
  std::ranges::copy(more, std::ranges::copy(first, all.begin()).out);
  return all;
}

inline constexpr std::array kInlinePart{Member{"content_id"}, Member{"file_name"}, Member{"mime"},
                                        Member{"content"}};

inline constexpr std::array kContent{
    Member{"from", kMailbox}, Member{"reply_to", kMailbox},
    Member{"subject"},        Member{"text_part"},
    Member{"html_part"},      Member{"list_unsubscribe", kUnsubscribe},
    Member{"headers"},        Member{"inline_parts", kInlinePart}};
inline constexpr std::array kLabels{Member{"tags"}, Member{"list_id"}, Member{"purpose"}};
inline constexpr std::array kPace{Member{"mails"}, Member{"per"}};
inline constexpr std::array kQuietHours{Member{"from"}, Member{"until"}, Member{"time_zone"}};
inline constexpr std::array kSteering{Member{"pace", kPace}, Member{"quiet_hours", kQuietHours}};
inline constexpr auto kMail =
    with(with(kContent, kLabels),
         std::array{Member{"encode"}, Member{"duplicate_policy"}, Member{"open_tracking"},
                    Member{"template"}, Member{"template_version"}, Member{"escape"}});
inline constexpr auto kBegin = with(kMail, kSteering);
inline constexpr auto kTransaction =
    with(kMail, std::array{Member{"to"}, Member{"cc"}, Member{"bcc"},
                           Member{"insert_code", kInsertCode}, Member{"data"}, Member{"send_at"},
                           Member{"expires_in"}, Member{"reference"}, Member{"metadata"}});
inline constexpr std::array kTransactionBatch{Member{"mails", kTransaction}};
inline constexpr auto kUpdate = with(
    with(with(kContent, kLabels), kSteering),
    std::array{Member{"to", kRecipient}, Member{"keep_duplicates"}, Member{"duplicate_policy"}});
inline constexpr std::array kWhomToShow{Member{"email"}, Member{"insert_code", kInsertCode},
                                        Member{"data"}};
// Of a mail without a list, and of the beginning of a bulk.
inline constexpr auto kPreviewOfMail =
    with(with(kMail, kWhomToShow), std::array{Member{"delivery_type"}});
inline constexpr auto kPreviewOfBulk = with(kPreviewOfMail, kSteering);
inline constexpr auto kPreviewOfStored = with(kUpdate, kWhomToShow);
inline constexpr std::array kResend{Member{"to"}};
inline constexpr std::array kSendAt{Member{"send_at"}};
inline constexpr std::array kApprove{Member{"revision"}};
inline constexpr std::array kSendBack{Member{"revision"}, Member{"reason"}};
inline constexpr auto kCommit = with(std::array{Member{"reservation_time"}}, kSteering);
inline constexpr std::array kTemplate{Member{"name"},      Member{"from", kMailbox},
                                      Member{"subject"},   Member{"text_part"},
                                      Member{"html_part"}, Member{"escape"}};
inline constexpr std::array kErrorList{Member{"error_start"}, Member{"error_end"}, Member{"email"},
                                       Member{"response_code"}};
inline constexpr std::array kRecipientExport{Member{"states"}};
inline constexpr std::array kSuppression{Member{"email"},   Member{"reason"}, Member{"scope"},
                                         Member{"list_id"}, Member{"note"},   Member{"days"}};
inline constexpr std::array kWishes{Member{"kinds"},    Member{"tags"},         Member{"domains"},
                                    Member{"purposes"}, Member{"insert_codes"}, Member{"single"}};
inline constexpr auto kWebhook =
    with(kWishes, std::array{Member{"url"}, Member{"form"}, Member{"signature"}});
inline constexpr auto kWebhookChange = with(kWishes, std::array{Member{"url"}, Member{"enabled"}});
inline constexpr std::array kOverlap{Member{"overlap_hours"}};
inline constexpr std::array kReplay{Member{"from"}, Member{"delivery_id"}, Member{"events"},
                                    Member{"set_aside"}};
inline constexpr std::array kImport{Member{"ignore_errors"}, Member{"immediate"},
                                    Member{"keep_duplicates"}, Member{"dry_run"}};

}  // namespace members

// What other services take and would be lost: files as a member, a time for a transaction. And what
// the contract has not and todoku adds, beside `known`, must not be lost by a slip: whoever
// writes `duplicatePolicy`, or `duplicate_policy` where it decides nothing, wants no second copy
// and would get one. The contract's clients have no such members, so nothing that they send is
// refused.
void refuse_lost_members(const boost::json::object& object, std::span<const Member> known,
                         intake::Problems& problems);

// "to[0].insert_codes, replyTo and 3 more" for the value of a header field: ten names at most, each
// of 64 octets, printable ASCII. Empty if there are none.
class UnreadNames {
 public:
  void add(std::string_view path, std::string_view name);
  [[nodiscard]] std::string text() const;

 private:
  std::string names_;
  std::size_t count_ = 0;
};

// Those of a request's JSON that are not known.
[[nodiscard]] std::string unknown_members(const boost::json::object& object,
                                          std::span<const Member> known);

}  // namespace todoku::api
