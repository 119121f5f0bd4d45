// SPDX-License-Identifier: Apache-2.0
// The rules of what may come in. Pure: a request and the limits in, its problems out. All problems
// are found, not only the first. Put right in place: addresses and URIs lose what is invisible
// around them, names and subjects what would make them show otherwise (mail/invisible.h).
//
// What passes can be carried out: mime::check_composable() has nothing against it, every text is
// UTF-8 without U+0000, which not every store can hold, and no recipient's mail is larger than the
// limit (check_size.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "intake/limits.h"
#include "intake/problem.h"
#include "intake/request.h"
#include "intake/senders.h"
#include "mail/labels.h"
#include "mime/composable.h"
#include "mime/extra_header.h"
#include "store/deliveries.h"
#include "store/recipients.h"

namespace todoku::intake {

using Path = std::vector<std::string>;

// So many fields a sender may add to the header.
inline constexpr std::size_t kHeadersMax = mime::kExtraHeadersMax;

// Why no mail is sent to a domain that an address may have, as a clause: RFC 5321 section 4.1.3
// lets it be an IP address in brackets, and nothing forbids digits (of which no top-level domain is
// made, RFC 3696 section 2). Nobody is found there, so it is said at once. Empty: mail is sent
// there.
[[nodiscard]] std::string_view why_not_sent_to(std::string_view domain);

// The problems of what mime::check_composable() found.
void add_unwritable(const std::vector<mime::Unwritable>& found, Problems& problems);

// A mail says something: a text part, HTML, or both.
void check_has_text(const Content& content, Problems& problems);
// kUnsubscribeKey stands in texts only where there is a link to put in. `purpose`: never by_type.
void check_unsubscribe_link(const Content& content, Purpose purpose, const Limits& limits,
                            Problems& problems);
// One click is offered of an https URL (RFC 8058 section 3.1).
void check_one_click(const Content& content, Problems& problems);

// Header fields that the sender adds, at `headers`/name.
void check_headers(std::vector<ExtraHeader>& headers, Problems& problems);
void check_content(Content& content, const Limits& limits, Problems& problems);
// What is wrong with sending as that, if anything; else as check_sender().
[[nodiscard]] std::optional<Text> fault_of_sender(const Mailbox& from, store::AccountKey account,
                                                  const Senders* senders);
// Whether it may send as that. Of an address that is none something is said elsewhere. `senders`
// nullptr: everybody may.
void check_sender(const Mailbox& from, store::AccountKey account, const Senders* senders,
                  Problems& problems);
// Those that have an id are inline parts, at `inline_parts`; the others at `file`.
void check_attachments(const std::vector<Attachment>& attachments, const Limits& limits,
                       Problems& problems);
// The files that a draft has beside one another, with the parts that a change brings.
void check_files_of_draft(const store::Delivery& draft, const Limits& limits, Problems& problems);
// A word that is compared: invisible and control characters in it are refused, U+3000 aside, which
// is as visible as a space.
void check_label(std::string_view text, std::size_t min, std::size_t max, const Path& path,
                 Problems& problems);
// The labels that are given; the result is only meaningful if no problem was added.
Labels check_labels(const LabelsRequest& labels, Problems& problems);

void check_update(UpdateRequest& update, const Limits& limits, Problems& problems);
// Of a list at `path`, each told by its index.
void check_insert_codes(const std::vector<InsertCode>& codes, const Path& path,
                        const Limits& limits, Problems& problems);
// Of a recipient, or a transaction, at that path.
void check_codes_of(const std::vector<InsertCode>& codes, const Path& recipient,
                    const Limits& limits, Problems& problems);
// Where a code is told: one in braces in data, by its name; others in insert_code, by its index
// among all codes and that member, "key" or "value".
[[nodiscard]] Path path_of_code(const Path& recipient, std::string_view key, std::size_t index,
                                std::string_view member);
// Within the limits of mail/attached.h.
void check_attached(const Attached& attached, const Path& path, Problems& problems);

// When a delivery is to start: not before now, but for what clocks differ, and not too far ahead.
void check_start(Instant start, Instant now, const Path& path, const Limits& limits,
                 Problems& problems);

// Checks one recipient; problems are reported at `path`/email and `path`/insert_code. The result is
// only meaningful if no problem was added.
store::NewRecipient check_recipient(const RecipientRequest& recipient, const Path& path,
                                    const Limits& limits, Problems& problems);

// Whether the account may send to an address that was accepted; empty: it was not. `allowed`: of
// store::Account.
void check_allowed(std::string_view allowed, std::string_view address, const Path& path,
                   Problems& problems);

// How long a mail may be on its way: from a second to `life_time`, the installation's.
void check_life(Milliseconds life, Milliseconds life_time, const Path& path, Problems& problems);

// When a transaction starts, and how long it may be on its way: `life_time` at most.
void check_times(const TransactionRequest& request, Instant now, Milliseconds life_time,
                 const Limits& limits, Problems& problems);

// to, cc and bcc of a transaction as recipients, without doubles (the same address given twice is
// one recipient). Puts to and cc into the content, too.
// `allowed`: as above.
std::vector<store::NewRecipient> check_transaction(TransactionRequest& request,
                                                   const Limits& limits, Problems& problems,
                                                   std::string_view allowed = {});

}  // namespace todoku::intake
