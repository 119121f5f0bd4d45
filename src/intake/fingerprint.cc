// SPDX-License-Identifier: Apache-2.0
// Each struct is taken apart by a structured binding: a field that is added to one does not compile
// here until it has its place.
//
//   fields = *( text value )          text: the field's name
//   value  = text | number | list     text: length, octets; number: 8 octets
//   list   = number *item
#include "intake/fingerprint.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "async/yield.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/sha256_stream.h"

namespace todoku::intake {
namespace {

// Hashed before others get their turn: some hundred microseconds.
constexpr std::size_t kPieceOctets = std::size_t{128} * 1024;

class FieldDigest {
 public:
  explicit FieldDigest(std::string_view kind) { text(kind); }
  [[nodiscard]] Sha256 finish() { return stream_.finish(); }

  void text(std::string_view octets) {
    number(octets.size());
    stream_.add(octets);
  }
  void number(std::uint64_t value) {
    char octets[sizeof value];
    for (char& octet : octets) {
      octet = static_cast<char>(value & 0xFFU);
      value >>= 8U;
    }
    stream_.add({octets, sizeof octets});
  }

  // With its name, unless it has no value.
  void field(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    text(name);
    text(value);
  }
  void field(std::string_view name, bool value) {
    if (!value) return;
    text(name);
    number(1);
  }
  void field(std::string_view name, const Mailbox& value) {
    text(name);
    mailbox(value);
  }
  void field(std::string_view name, const std::vector<std::string>& list) {
    if (list.empty()) return;
    text(name);
    number(list.size());
    for (const std::string& item : list) text(item);
  }
  void field(std::string_view name, const std::vector<ExtraHeader>& list) {
    if (list.empty()) return;
    text(name);
    headers(list);
  }
  void field(std::string_view name, const std::vector<InsertCode>& list) {
    if (list.empty()) return;
    text(name);
    codes(list);
  }
  // Given as nothing is not the same as not given.
  void field(std::string_view name, const std::optional<std::vector<std::string>>& list) {
    if (!list) return;
    text(name);
    number(list->size());
    for (const std::string& item : *list) text(item);
  }
  template <class T>
  void field(std::string_view name, const std::optional<T>& value) {
    if (!value) return;
    text(name);
    if constexpr (std::is_same_v<T, bool>) {
      number(*value ? 1 : 0);
    } else if constexpr (std::is_same_v<T, Instant>) {
      number(static_cast<std::uint64_t>(to_epoch_ms(*value)));
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
      number(static_cast<std::uint64_t>(*value));
    } else if constexpr (std::is_same_v<T, Mailbox>) {
      mailbox(*value);
    } else if constexpr (std::is_same_v<T, Milliseconds>) {
      number(static_cast<std::uint64_t>(value->count()));
    } else if constexpr (std::is_same_v<T, std::vector<ExtraHeader>>) {
      headers(*value);
    } else {
      text(*value);
    }
  }

  void mailbox(const Mailbox& value) {
    const auto& [address, name] = value;
    text(address);
    text(name);
  }
  // In any order, as the members of an object.
  void headers(const std::vector<ExtraHeader>& list) {
    std::vector<const ExtraHeader*> in_order;
    for (const ExtraHeader& header : list) in_order.push_back(&header);
    std::ranges::sort(in_order, {}, &ExtraHeader::name);
    number(list.size());
    for (const ExtraHeader* header : in_order) {
      const auto& [header_name, value] = *header;
      text(header_name);
      text(value);
    }
  }
  void codes(const std::vector<InsertCode>& list) {
    number(list.size());
    for (const auto& [key, value] : list) {
      text(key);
      text(value);
    }
  }
  void recipient(const RecipientRequest& value) {
    const auto& [email, insert_codes] = value;
    text(email);
    codes(insert_codes);
  }

 private:
  Sha256Stream stream_;
};

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
  // header_to, header_cc, text_from_html and open_tracking are no fields of a request.
  const auto& [from, reply_to, header_to, header_cc, subject, text_part, html_part, text_from_html,
               open_tracking, encode, unsubscribe_mailto, unsubscribe_url, headers, attachments] =
      value;
  digest.field("from", from);
  digest.field("reply_to", reply_to);
  digest.field("subject", subject);
  digest.field("text_part", text_part);
  digest.field("html_part", html_part);
  digest.field("iso_2022_jp", encode == Encoding::iso_2022_jp);
  digest.field("unsubscribe_mailto", unsubscribe_mailto);
  digest.field("unsubscribe_url", unsubscribe_url);
  digest.field("headers", headers);
  add(digest, attachments, attachment_digests);
}

void add(FieldDigest& digest, const LabelsRequest& value) {
  const auto& [tags, list_id, purpose] = value;
  digest.field("tags", tags);
  digest.field("list_id", list_id);
  digest.field("purpose", purpose);
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
  const auto& [content, at_most_once, send_at, expires_in, to, cc, bcc, insert_codes, labels,
               open_tracking] = request;
  FieldDigest digest("transaction");
  add(digest, content, attachments);
  digest.field("at_most_once", at_most_once);
  digest.field("send_at", send_at);
  digest.field("expires_in", expires_in);
  digest.field("to", to);
  digest.field("cc", cc);
  digest.field("bcc", bcc);
  digest.field("insert_codes", insert_codes);
  add(digest, labels);
  digest.field("open_tracking", open_tracking);
  return digest.finish();
}

Sha256 fingerprint_of(const BulkRequest& request, std::span<const Sha256> attachments) {
  const auto& [content, at_most_once, labels, open_tracking] = request;
  FieldDigest digest("bulk");
  add(digest, content, attachments);
  digest.field("at_most_once", at_most_once);
  add(digest, labels);
  digest.field("open_tracking", open_tracking);
  return digest.finish();
}

Sha256 fingerprint_of(store::PublicId delivery, const UpdateRequest& request,
                      std::span<const Sha256> inline_digests) {
  const auto& [from, reply_to, subject, text_part, html_part, unsubscribe_mailto, unsubscribe_url,
               headers, inline_parts, to, at_most_once, labels, keep_duplicates] = request;
  FieldDigest digest = of_delivery("update", delivery);
  digest.field("from", from);
  digest.field("reply_to", reply_to);
  digest.field("subject", subject);
  digest.field("text_part", text_part);
  digest.field("html_part", html_part);
  digest.field("unsubscribe_mailto", unsubscribe_mailto);
  digest.field("unsubscribe_url", unsubscribe_url);
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

Sha256 fingerprint_of(store::PublicId delivery, std::optional<Instant> reservation) {
  FieldDigest digest = of_delivery("commit", delivery);
  digest.field("reservation", reservation);
  return digest.finish();
}

Sha256 fingerprint_of(store::PublicId delivery, const store::NewImport& import,
                      const Sha256& upload) {
  // The language is that of the answer, and the name of the bytes is ours.
  const auto& [ignore_errors, immediate, keep_duplicates, language, upload_name] = import;
  FieldDigest digest = of_delivery("import", delivery);
  digest.field("ignore_errors", ignore_errors);
  digest.field("immediate", immediate);
  digest.field("keep_duplicates", keep_duplicates);
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
