// SPDX-License-Identifier: Apache-2.0
#include "mime/composer.h"

#include <array>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/check.h"
#include "base/digest.h"
#include "mime/date.h"
#include "mime/header.h"
#include "mime/message_id.h"
#include "mime/text.h"
#include "mime/uri.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kHexOfHash = 32;
// RFC 2387 section 3.1: what its first part is, which shows the others.
constexpr std::string_view kRelated = "related; type=\"text/html\"";

std::uint64_t little_endian(std::span<const std::uint8_t, 8> octets) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < octets.size(); ++i) value |= std::uint64_t{octets[i]} << (8 * i);
  return value;
}

void put_little_endian(char*& out, std::uint64_t value, std::size_t octets) {
  for (std::size_t i = 0; i < octets; ++i) *out++ = static_cast<char>(value >> (8 * i));
}

// A domain that can do no harm in a header, whatever the configuration holds.
void append_domain(std::string& out, std::string_view domain) {
  const std::size_t before = out.size();
  for (const char c : domain.substr(0, 253)) {
    const char lower = ascii_lower(c);
    const bool harmless = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
                          c == '-' || c == '_';
    if (harmless) out += lower;
  }
  if (out.size() == before) out += "localhost.invalid";
}

template <std::size_t kSize>
std::string_view view(const std::array<char, kSize>& text) {
  return {text.data(), text.size()};
}

struct Hash {
  std::uint64_t high;
  std::uint64_t low;
};

// `is_one_for_all`: the recipient makes no difference.
Hash hash_of(const Identity& identity, bool is_one_for_all, char purpose) {
  const std::span secret(identity.secret);
  const std::uint64_t key0 = little_endian(secret.first<8>());
  const std::uint64_t key1 = little_endian(secret.last<8>());
  std::array<char, 18> input;
  char* at = input.data();
  *at++ = purpose;
  put_little_endian(at, static_cast<std::uint64_t>(identity.delivery), 8);
  put_little_endian(at, is_one_for_all ? 0 : identity.batch, 4);
  put_little_endian(at, is_one_for_all ? 0 : identity.seq, 4);
  *at = 'h';
  const std::uint64_t high = siphash64(key0, key1, view(input));
  *at = 'l';
  return {high, siphash64(key0, key1, view(input))};
}

}  // namespace

void append_message_id(std::string& out, const Identity& identity, bool is_one_for_all) {
  const auto text = seal_copy({.delivery = identity.delivery,
                               .batch = is_one_for_all ? 0 : identity.batch,
                               .seq = is_one_for_all ? 0 : identity.seq},
                              identity.secret);
  out += '<';
  out += view(text);
  out += '@';
  append_domain(out, identity.message_id_domain);
  out += '>';
}

std::string content_id_tail(const Identity& identity) {
  std::array<char, kHexOfHash> hex;
  const Hash hash = hash_of(identity, true, 'c');
  write_hex(hash.high, std::span(hex).first<16>());
  write_hex(hash.low, std::span(hex).last<16>());
  std::string tail = ".";
  tail += view(hex);
  tail += '@';
  append_domain(tail, identity.message_id_domain);
  return tail;
}

std::size_t MessageTemplate::Parts::memory_octets() const {
  std::size_t octets = sizeof(*this) + to.capacity() + cc.capacity() + feedback_id.capacity() +
                       unsubscribe_at_ours.capacity() + unsubscribe_mail_to_us.capacity() +
                       link_at_ours.capacity() + subject.text().capacity() +
                       unsubscribe_url.text().capacity() + unsubscribe_mailto.text().capacity() +
                       keys.memory_octets() + size.memory_octets();
  for (const NamedFields& fields : named) {
    octets += fields.from.capacity() + fields.reply_to.capacity();
  }
  for (const ExtraField& field : extra) {
    octets +=
        sizeof(field) + field.name.capacity() + field.raw.capacity() + field.text.text().capacity();
  }
  for (const PartTemplate& part : texts) octets += part.memory_octets();
  for (const std::string& file : files) octets += file.capacity();
  octets += (inline_files.capacity() + attached_files.capacity()) * sizeof(std::size_t);
  return octets;
}

Composer::Composer(const MessageTemplate::Parts& parts, const RecipientFields& recipient,
                   const Identity& identity, ComposedMessage& out)
    : parts_(parts), recipient_(recipient), identity_(identity), out_(out) {
  if (is_mixed()) mixed_ = make_boundary('m');
  if (is_alternative()) alternative_ = make_boundary('a');
  if (is_related()) related_ = make_boundary('r');
}

void Composer::run() {
  out_.values_.resolve(parts_.keys, recipient_.codes, parts_.wanted);
  if (parts_.pixel_key) out_.values_.put(*parts_.pixel_key, recipient_.pixel_token);
  if (parts_.link_key) {
    out_.link_.clear();
    if (!parts_.link_at_ours.empty() && has_own_segment()) {
      out_.link_.append(parts_.link_at_ours).append(recipient_.unsubscribe_token);
    }
    out_.values_.put(*parts_.link_key, out_.link_);
  }
  out_.charset_fell_back_ = parts_.charset_fell_back;
  if (!compose_in(parts_.charset)) {
    out_.charset_fell_back_ = true;
    check(compose_in(Encoding::utf_8), "UTF-8 can say everything");
  }
  finish_head();
  finish_body();
}

bool Composer::compose_in(Encoding charset) {
  // The body first: it decides what the head says about its encoding.
  return compose_body(charset) && compose_head(charset);
}

// ---- body --------------------------------------------------------------------------------------

bool Composer::compose_body(Encoding charset) {
  out_.writer_.clear();
  out_.gaps_.clear();
  single_encoding_.reset();
  if (is_mixed() || is_alternative() || is_related()) return compose_multipart(charset);
  single_encoding_ = parts_.texts.front().compose(
      {out_.writer_, out_.values_, out_.text_, charset, PartPlace::whole_body});
  return single_encoding_.has_value();
}

bool Composer::compose_multipart(Encoding charset) {
  if (!is_mixed()) return compose_texts(charset);
  std::string& octets = out_.writer_.personal();
  add_delimiter(mixed_, "\r\n");
  if (is_alternative() || is_related()) {
    append_multipart_type(octets);
    octets += "\r\n";
  }
  if (!compose_texts(charset)) return false;
  add_files(parts_.attached_files, mixed_);
  add_delimiter(mixed_, "--\r\n");
  return true;
}

void Composer::add_files(std::span<const std::size_t> files, const Boundary& boundary) {
  for (const std::size_t file : files) {
    add_delimiter(boundary, "\r\n");
    out_.writer_.share(parts_.files[file]);
    if (!parts_.gaps.empty()) out_.gaps_.push_back({out_.writer_.mark().pieces, file});
  }
}

// Of what holds the texts: alternative, or related where there is only HTML.
void Composer::append_multipart_type(std::string& out) const {
  if (is_alternative()) {
    append_multipart_field(out, "alternative", alternative_);
  } else {
    append_multipart_field(out, kRelated, related_);
  }
}

void Composer::append_multipart_field(std::string& out, std::string_view type,
                                      const Boundary& boundary) {
  out += "Content-Type: multipart/";
  out += type;
  out += ";\r\n boundary=\"";
  out += view(boundary);
  out += "\"\r\n";
}

bool Composer::compose_texts(Encoding charset) {
  for (const PartTemplate& part : parts_.texts) {
    if (is_alternative()) add_delimiter(alternative_, "\r\n");
    // The HTML is the last one.
    const bool shows_files = is_related() && &part == &parts_.texts.back();
    if (shows_files && is_alternative()) {
      append_multipart_field(out_.writer_.personal(), kRelated, related_);
      out_.writer_.personal() += "\r\n";
    }
    if (shows_files) add_delimiter(related_, "\r\n");
    const auto encoding =
        part.compose({out_.writer_, out_.values_, out_.text_, charset, PartPlace::in_multipart});
    if (!encoding) return false;
    if (!shows_files) continue;
    add_files(parts_.inline_files, related_);
    add_delimiter(related_, "--\r\n");
  }
  if (is_alternative()) add_delimiter(alternative_, "--\r\n");
  return true;
}

void Composer::add_delimiter(const Boundary& boundary, std::string_view end) {
  std::string& octets = out_.writer_.personal();
  octets += "--";
  octets += view(boundary);
  octets += end;
}

void Composer::finish_body() {
  out_.body_octets_ = out_.writer_.finish(out_.body_);
  for (const std::uint64_t octets : parts_.gaps) out_.body_octets_ += octets;
}

// ---- head --------------------------------------------------------------------------------------

bool Composer::compose_head(Encoding charset) {
  out_.head_.clear();
  out_.marks_.clear();
  const auto& named = parts_.named_fields(charset);
  add_date();
  add_field("From", named.from);
  add_to();
  add_field("Cc", parts_.cc);
  add_field("Reply-To", named.reply_to);
  if (!add_subject(charset)) return false;
  add_message_id();
  add_extra(charset);
  add_field("MIME-Version", "MIME-Version: 1.0\r\n");
  add_content_fields(charset);
  add_list_unsubscribe();
  add_field("Feedback-ID", parts_.feedback_id);
  return true;
}

void Composer::add_field(std::string_view name, std::string_view raw) {
  if (raw.empty()) return;
  begin_field(name);
  out_.head_ += raw;
}

void Composer::begin_field(std::string_view name) {
  out_.marks_.push_back({name, out_.head_.size()});
}

void Composer::add_date() {
  begin_field("Date");
  out_.head_ += "Date: ";
  append_date(out_.head_, identity_.date, parts_.date_offset_minutes);
  out_.head_ += "\r\n";
}

void Composer::add_to() {
  if (!parts_.to.empty()) return add_field("To", parts_.to);
  begin_field("To");
  FoldedLine line(out_.head_, "To");
  append_address(line, recipient_.address);
  line.finish();
}

bool Composer::add_subject(Encoding charset) {
  expand_header(parts_.subject);
  begin_field("Subject");
  return append_unstructured(out_.head_, "Subject", out_.text_, charset);
}

// Into out_.text_.
void Composer::expand_header(const CompiledText& text) {
  std::string& out = out_.text_;
  out.clear();
  text.expand(
      out_.values_,
      [&](std::size_t begin, std::size_t end) { out.append(text.text(), begin, end - begin); },
      [&](const InsertValue& value) { out += value.header; });
}

void Composer::add_extra(Encoding charset) {
  for (const MessageTemplate::Parts::ExtraField& field : parts_.extra) {
    if (!field.raw.empty()) {
      add_field(field.name, field.raw);
      continue;
    }
    expand_header(field.text);
    if (out_.text_.empty()) continue;
    begin_field(field.name);
    const std::size_t before = out_.head_.size();
    if (append_unstructured(out_.head_, field.name, out_.text_, charset)) continue;
    // Each encoded-word names its charset: for one field the mail need not change its own.
    out_.head_.resize(before);
    check(append_unstructured(out_.head_, field.name, out_.text_, Encoding::utf_8),
          "UTF-8 can say everything");
  }
}

void Composer::add_message_id() {
  begin_field("Message-ID");
  std::string& head = out_.head_;
  head += "Message-ID: ";
  message_id_begin_ = head.size();
  append_message_id(head, identity_, !parts_.to.empty());
  message_id_octets_ = head.size() - message_id_begin_;
  head += "\r\n";
}

void Composer::add_content_fields(Encoding charset) {
  std::string& head = out_.head_;
  begin_field("Content-Type");
  if (single_encoding_) {
    append_text_content_type(head, parts_.texts.front().subtype(), charset);
    begin_field("Content-Transfer-Encoding");
    append_transfer_encoding(head, *single_encoding_);
    return;
  }
  if (is_mixed()) {
    append_multipart_field(head, "mixed", mixed_);
  } else {
    append_multipart_type(head);
  }
}

std::string Composer::expanded_uri(const CompiledText& uri) {
  if (uri.text().empty()) return {};
  expand_header(uri);
  // Only a recipient's codes can make it wrong, e.g. a missing value for a host: no link is better
  // than a dead one.
  return valid_uri(out_.text_).value_or("");
}

bool Composer::has_own_segment() const {
  const std::string_view own = recipient_.unsubscribe_token;
  return !own.empty() && own.size() <= kUnsubscribeTokenOctetsMax;
}

void Composer::add_list_unsubscribe() {
  std::string url = expanded_uri(parts_.unsubscribe_url);
  std::string mailto = expanded_uri(parts_.unsubscribe_mailto);
  if (url.starts_with("mailto:")) url.clear();
  if (!mailto.starts_with("mailto:")) mailto.clear();
  bool one_click = parts_.is_one_click;
  if (url.empty() && has_own_segment() && !parts_.unsubscribe_at_ours.empty()) {
    one_click = true;
    url.append(parts_.unsubscribe_at_ours).append(recipient_.unsubscribe_token);
    if (mailto.empty() && !parts_.unsubscribe_mail_to_us.empty()) {
      mailto.append(parts_.unsubscribe_mail_to_us).append(recipient_.unsubscribe_token);
    }
  }
  if (url.empty() && mailto.empty()) return;
  begin_field("List-Unsubscribe");
  FoldedLine line(out_.head_, "List-Unsubscribe");
  if (!url.empty()) append_bracketed_uri(line, url);
  if (!url.empty() && !mailto.empty()) line.glue(",");
  if (!mailto.empty()) append_bracketed_uri(line, mailto);
  line.finish();
  // RFC 8058 section 3.1: one-click needs an HTTPS URI, and whoever says so has to unsubscribe
  // whom it is posted for: of a page of the sender's only the sender knows.
  if (one_click && url.starts_with("https:")) {
    add_field("List-Unsubscribe-Post", "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
  }
}

void Composer::finish_head() {
  const std::size_t fields_end = out_.head_.size();
  out_.head_ += "\r\n";
  const std::string_view head = out_.head_;
  out_.headers_.clear();
  for (std::size_t i = 0; i < out_.marks_.size(); ++i) {
    const std::size_t begin = out_.marks_[i].begin;
    const std::size_t end = i + 1 < out_.marks_.size() ? out_.marks_[i + 1].begin : fields_end;
    out_.headers_.push_back({out_.marks_[i].name, head.substr(begin, end - begin)});
  }
  out_.message_id_ = head.substr(message_id_begin_, message_id_octets_);
}

// ---- identity ----------------------------------------------------------------------------------

Composer::Boundary Composer::make_boundary(char purpose) const {
  Boundary boundary{kBoundaryPrefix[0], kBoundaryPrefix[1], purpose};
  const Hash hash = hash_of(identity_, !parts_.to.empty(), purpose);
  write_hex(hash.high, std::span(boundary).subspan<3, 16>());
  write_hex(hash.low, std::span(boundary).subspan<19, 16>());
  return boundary;
}

// ---- the message -------------------------------------------------------------------------------

std::size_t ComposedMessage::memory_octets() const {
  return head_.capacity() + text_.capacity() + link_.capacity() + writer_.memory_octets() +
         values_.memory_octets();
}

void ComposedMessage::trim(std::size_t octets_max) {
  if (memory_octets() <= octets_max) return;
  // Assigning empty strings would keep their memory.
  std::destroy_at(this);
  std::construct_at(this);
}

}  // namespace todoku::mime
