// SPDX-License-Identifier: Apache-2.0
// Each struct is taken apart by a structured binding: a field that is added to one does not compile
// here until it has its place.
#include "intake/fingerprint.h"

#include <cstdint>
#include <string_view>

#include "async/yield.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/sha256_stream.h"
#include "intake/field_digest.h"

namespace todoku::intake {
namespace {

// Hashed before others get their turn: some hundred microseconds.
constexpr std::size_t kPieceOctets = std::size_t{128} * 1024;

void add(FieldDigest& digest, const std::vector<Attachment>& files,
         std::span<const Sha256> file_digests) {
  check(files.size() == file_digests.size(), "of each file there is a digest");
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& [file_name, mime_type, data, content_id] = files[i];
    digest.text("attachment");
    digest.text(file_name);
    digest.text(mime_type);
    digest.text(as_text(file_digests[i]));
    digest.field("content_id", content_id);
  }
}

void add(FieldDigest& digest, const Content& value, std::span<const Sha256> attachment_digests) {
  // header_to, header_cc, text_from_html, open_tracking and relayed are no fields of a request;
  // what a template says is not there yet.
  const auto& [from, reply_to, header_to, header_cc, subject, text_part, html_part, text_from_html,
               open_tracking, encode, unsubscribe_mailto, unsubscribe_url, one_click, headers,
               attachments, relayed, escape, from_template] = value;
  digest.field("from", from);
  digest.field("reply_to", reply_to);
  digest.field("subject", subject);
  digest.field("text_part", text_part);
  digest.field("html_part", html_part);
  digest.field("iso_2022_jp", encode == Encoding::iso_2022_jp);
  digest.field("unsubscribe_mailto", unsubscribe_mailto);
  digest.field("unsubscribe_url", unsubscribe_url);
  digest.field("unsubscribe_one_click", one_click);
  digest.field("headers", headers);
  add(digest, attachments, attachment_digests);
  // Said only where they are asked for: keys of before they could be stay the same.
  if (escape != Escape::none) digest.field("escape", escape == Escape::html);
}

void add(FieldDigest& digest, const LabelsRequest& value) {
  const auto& [tags, list_id, purpose] = value;
  digest.field("tags", tags);
  digest.field("list_id", list_id);
  digest.field("purpose", purpose);
}

// Which one, and not what it says: templates change between a request and its repeat.
void add(FieldDigest& digest, const std::optional<TemplateRequest>& value) {
  if (!value) return;
  digest.text("template");
  digest.number(static_cast<std::uint64_t>(value->choice.id));
  digest.text(value->choice.name);
  digest.number(static_cast<std::uint64_t>(value->choice.version));
  digest.number(value->escape ? 1 + static_cast<std::uint64_t>(*value->escape) : 0);
}

// Where nothing is said, as before there was anything to say: answers are kept across versions.
void add(FieldDigest& digest, const store::SteeringChange& value) {
  const auto& [pace, quiet] = value;
  if (pace && *pace) digest.field("pace", to_string(**pace));
  if (quiet && *quiet) digest.field("quiet_hours", to_string(**quiet));
}

FieldDigest of_delivery(std::string_view kind, store::PublicId delivery) {
  FieldDigest digest(kind);
  digest.number(static_cast<std::uint64_t>(delivery));
  return digest;
}

}  // namespace

Task<std::vector<Sha256>> digests_of(const std::vector<Attachment>& attachments) {
  std::vector<Sha256> digests;
  for (const Attachment& attachment : attachments) {
    Sha256Stream stream;
    for (std::string_view rest = attachment.data; !rest.empty();) {
      const std::string_view piece = rest.substr(0, kPieceOctets);
      rest.remove_prefix(piece.size());
      stream.add(piece);
      co_await async::give_way();
    }
    digests.push_back(stream.finish());
  }
  co_return digests;
}

Sha256 fingerprint_of(const TransactionRequest& request, std::span<const Sha256> attachments) {
  const auto& [content, at_most_once, send_at, expires_in, to, more_to, cc, bcc, insert_codes,
               labels, open_tracking, from_template, resend_of, attached] = request;
  FieldDigest digest("transaction");
  check(!resend_of, "what is sent once more has a fingerprint of its own");
  add(digest, content, attachments);
  digest.field("at_most_once", at_most_once);
  digest.field("send_at", send_at);
  digest.field("expires_in", expires_in);
  digest.field("to", to);
  digest.field("more_to", more_to);
  digest.field("cc", cc);
  digest.field("bcc", bcc);
  digest.field("insert_codes", insert_codes);
  add(digest, labels);
  digest.field("open_tracking", open_tracking);
  add(digest, from_template);
  digest.field(attached);
  return digest.finish();
}

Sha256 fingerprint_of_resend(store::PublicId email, const std::optional<std::string>& to) {
  FieldDigest digest("resend");
  digest.number(static_cast<std::uint64_t>(email));
  digest.field("to", to);
  return digest.finish();
}

Sha256 fingerprint_of(const BulkRequest& request, std::span<const Sha256> attachments) {
  const auto& [content, at_most_once, labels, open_tracking, from_template, steering] = request;
  FieldDigest digest("bulk");
  add(digest, steering);
  add(digest, content, attachments);
  digest.field("at_most_once", at_most_once);
  add(digest, labels);
  digest.field("open_tracking", open_tracking);
  add(digest, from_template);
  return digest.finish();
}

Sha256 fingerprint_of(store::PublicId delivery, const UpdateRequest& request,
                      std::span<const Sha256> inline_digests) {
  const auto& [from, reply_to, subject, text_part, html_part, unsubscribe_mailto, unsubscribe_url,
               one_click, headers, inline_parts, to, at_most_once, labels, steering,
               keep_duplicates] = request;
  FieldDigest digest = of_delivery("update", delivery);
  add(digest, steering);
  digest.field("from", from);
  digest.field("reply_to", reply_to);
  digest.field("subject", subject);
  digest.field("text_part", text_part);
  digest.field("html_part", html_part);
  digest.field("unsubscribe_mailto", unsubscribe_mailto);
  digest.field("unsubscribe_url", unsubscribe_url);
  digest.field("unsubscribe_one_click", one_click);
  digest.field("headers", headers);
  if (inline_parts) {
    digest.text("inline_parts");
    digest.number(inline_parts->size());
    add(digest, *inline_parts, inline_digests);
  }
  if (to) {
    digest.text("to");
    digest.number(to->size());
    for (const RecipientRequest& recipient : *to) digest.recipient(recipient);
  }
  digest.field("at_most_once", at_most_once);
  add(digest, labels);
  digest.field("keep_duplicates", keep_duplicates);
  return digest.finish();
}

Sha256 fingerprint_of(store::PublicId delivery, const RecipientRequest& request) {
  FieldDigest digest = of_delivery("recipient", delivery);
  digest.recipient(request);
  return digest.finish();
}

Sha256 fingerprint_of(store::PublicId delivery, std::optional<Instant> reservation,
                      const store::SteeringChange& steering) {
  FieldDigest digest = of_delivery("commit", delivery);
  add(digest, steering);
  digest.field("reservation", reservation);
  return digest.finish();
}

Sha256 fingerprint_of(store::PublicId delivery, const store::NewImport& import,
                      const Sha256& upload) {
  // The language is that of the answer, the name of the bytes is ours, and whoever asks again is
  // the same account.
  const auto& [ignore_errors, immediate, keep_duplicates, language, upload_name, form, dry_run,
               asked_by] = import;
  FieldDigest digest = of_delivery("import", delivery);
  digest.field("ignore_errors", ignore_errors);
  digest.field("immediate", immediate);
  digest.field("keep_duplicates", keep_duplicates);
  // Said only where they are asked for: keys of before they could be stay the same.
  if (form != store::ImportForm::csv) digest.number(static_cast<std::uint64_t>(form));
  if (dry_run) digest.field("dry_run", dry_run);
  digest.text(as_text(upload));
  return digest.finish();
}

Sha256 fingerprint_of(const store::NewExport& wanted) {
  // The account is that of the key, and the language that of the answer.
  const auto& [account, kind, parameters, language] = wanted;
  FieldDigest digest("export");
  digest.number(static_cast<std::uint64_t>(kind));
  digest.text(parameters);
  return digest.finish();
}

Sha256 fingerprint_of(const SuppressionRequest& request) {
  const auto& [address, reason, scope, list_id, note, days, expires, response_code,
               response_message] = request;
  FieldDigest digest("suppression");
  digest.field("address", address);
  digest.field("reason", reason);
  digest.field("scope", scope);
  digest.field("list_id", list_id);
  digest.field("note", note);
  digest.field("days", days);
  digest.field("expires", expires);
  digest.field("response_code", response_code);
  digest.field("response_message", response_message);
  return digest.finish();
}

}  // namespace todoku::intake
