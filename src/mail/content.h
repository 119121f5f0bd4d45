// SPDX-License-Identifier: Apache-2.0
// What a delivery says, once for all of its recipients, and what is put in for each of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mail/address.h"

namespace todoku {

// One merge field. The key includes its delimiters: `__name__`, `%%name%%`, or, of what comes from
// a template, `{{name}}`.
struct InsertCode {
  std::string key;
  std::string value;
  friend bool operator==(const InsertCode&, const InsertCode&) = default;
};

// Stored as these numbers: never renumber.
enum class Encoding : std::uint8_t { utf_8 = 0, iso_2022_jp = 1 };

struct Attachment {
  std::string file_name;  // UTF-8
  std::string mime_type;  // as given by the sender, e.g. "application/pdf"; may be nonsense
  std::string data;
  // Of a part that the HTML shows by it (mime/inline_parts.h); empty: an attachment.
  std::string content_id = {};
  friend bool operator==(const Attachment&, const Attachment&) = default;
};

// A header field that the sender adds; mime/extra_header.h says which can be written.
struct ExtraHeader {
  std::string name;
  std::string value;
  friend bool operator==(const ExtraHeader&, const ExtraHeader&) = default;
};

// Of a message that came whole by SMTP and goes on as it is; its octets are the content's only
// attachment.
struct RelayedEnvelope {
  std::string mail_from;  // the client's; empty: the null path
  bool smtputf8 = false;  // the client asked for it (RFC 6531)
  // What the sender wishes to be told (RFC 3461): ENVID without xtext, RET as mail/dsn.h numbers
  // it.
  std::string envid;
  std::uint8_t ret = 0;
  std::string credential;  // by whose user name it came
  // What is known of the octets, so that nobody has to go through them again.
  std::uint64_t head_octets = 0;  // the header section with its blank line
  bool has_leading_dot = false;   // of a line
  bool is_eight_bit = false;
  bool has_long_line = false;  // of over 998 octets
  friend bool operator==(const RelayedEnvelope&, const RelayedEnvelope&) = default;
};

// How the values of insert codes stand in the HTML part: as they were given (the contract's way),
// or with what HTML takes for markup said as references. Stored as these numbers: never renumber.
enum class Escape : std::uint8_t { none = 0, html = 1 };

// The template that a content was taken from, as it was: templates change, what was taken does not.
struct TemplatePin {
  std::int64_t id = 0;  // the account's public id of it
  std::int64_t version = 0;
  friend bool operator==(const TemplatePin&, const TemplatePin&) = default;
};

struct Content {
  Mailbox from;
  std::optional<Mailbox> reply_to;
  // A transaction's To and Cc, which stand in the header of every copy; both empty for bulk, whose
  // To is the recipient. Bcc is never here.
  std::vector<std::string> header_to;
  std::vector<std::string> header_cc;
  std::string subject;
  std::string text_part;  // empty: none
  std::string html_part;  // likewise; one of them is there
  // A mail without text part gets one that is made from its HTML. Pinned when the delivery is
  // registered, so that a retry repeats every octet.
  bool text_from_html = true;
  // Whose HTML is opened is told by an image in it. Pinned like that.
  bool open_tracking = false;
  Encoding encode = Encoding::utf_8;
  std::string list_unsubscribe_mailto;  // "mailto:..." or empty
  std::string list_unsubscribe_url;     // http(s) URL or empty
  // The sender's https URL unsubscribes whoever it is POSTed for, and nobody else (RFC 8058), so
  // that the header may say so.
  bool list_unsubscribe_one_click = false;
  std::vector<ExtraHeader> headers;
  std::vector<Attachment> attachments;
  std::optional<RelayedEnvelope> relayed = {};
  Escape escape = Escape::none;
  // With it, codes in braces are insert codes in the subject and both parts (mime/insert_code.h).
  std::optional<TemplatePin> from_template = {};
  friend bool operator==(const Content&, const Content&) = default;
};

}  // namespace todoku
