// SPDX-License-Identifier: Apache-2.0
#include "mime/message_template.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/base64_lines.h"
#include "base/check.h"
#include "mail/unsubscribe_token.h"
#include "mime/attachment.h"
#include "mime/composable.h"
#include "mime/composer.h"
#include "mime/extra_header.h"
#include "mime/header.h"
#include "mime/inline_parts.h"
#include "mime/made_text.h"
#include "mime/open_pixel.h"
#include "mime/text.h"
#include "mime/uri.h"

namespace todoku::mime {
namespace {

static_assert(UnsubscribeTokens::kTextOctetsMax <= kUnsubscribeTokenOctetsMax);

constexpr std::size_t kFeedbackPartsMax = 4;
constexpr std::size_t kFeedbackOctetsMax = 200;
constexpr int kOffsetMinutesMax = 24 * 60 - 1;

struct Sender {
  std::string name;
  std::string addr_spec;
};

// Of a mailbox that check_composable() has seen.
Sender make_sender(const Mailbox& mailbox) {
  auto addr_spec = sender_addr_spec(mailbox.address);
  check(addr_spec.has_value(), "a sender that was checked can be written");
  return {header_text(mailbox.name), std::move(*addr_spec)};
}

// The whole field; empty if the charset cannot say the name.
std::string sender_field(std::string_view field, const Sender& sender, Encoding charset) {
  std::string out;
  FoldedLine line(out, field);
  if (!append_mailbox(line, sender.name, sender.addr_spec, charset)) return {};
  line.finish();
  return out;
}

std::string address_list_field(std::string_view field, const std::vector<std::string>& addresses) {
  std::string out;
  if (addresses.empty()) return out;
  FoldedLine line(out, field);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    if (i > 0) line.glue(",");
    append_address(line, addresses[i]);
  }
  line.finish();
  return out;
}

Result<std::string> feedback_field(const std::vector<std::string>& parts) {
  if (parts.empty()) return std::string();
  if (parts.size() > kFeedbackPartsMax) {
    return fail(ErrorKind::invalid_input, "Feedback-ID: has more than four parts");
  }
  for (const std::string& part : parts) {
    const bool valid = !part.empty() && std::ranges::all_of(part, [](char c) {
      return c > ' ' && c <= '~' && c != ':';
    });
    if (!valid) {
      return fail(
          ErrorKind::invalid_input,
          "Feedback-ID: a part is empty or holds a colon, a space or a character beyond ASCII");
    }
  }
  const std::string value = fmt::format("{}", fmt::join(parts, ":"));
  if (value.size() > kFeedbackOctetsMax) {
    return fail(ErrorKind::invalid_input, "Feedback-ID: is longer than 200 octets");
  }
  return "Feedback-ID: " + value + "\r\n";
}

// The charset that the delivery's own texts allow.
Encoding usable_charset(const Content& content) {
  if (content.encode == Encoding::utf_8) return Encoding::utf_8;
  const bool fits = fits_iso_2022_jp(header_text(content.subject)) &&
                    fits_iso_2022_jp(header_text(content.from.name)) &&
                    (!content.reply_to || fits_iso_2022_jp(header_text(content.reply_to->name))) &&
                    fits_iso_2022_jp(body_text(content.text_part)) &&
                    fits_iso_2022_jp(body_text(content.html_part));
  return fits ? Encoding::iso_2022_jp : Encoding::utf_8;
}

void build_address_fields(MessageTemplate::Parts& parts, const Content& content) {
  const Sender from = make_sender(content.from);
  for (const Encoding charset : {Encoding::utf_8, Encoding::iso_2022_jp}) {
    parts.named_fields(charset).from = sender_field("From", from, charset);
  }
  if (content.reply_to) {
    const Sender reply_to = make_sender(*content.reply_to);
    for (const Encoding charset : {Encoding::utf_8, Encoding::iso_2022_jp}) {
      parts.named_fields(charset).reply_to = sender_field("Reply-To", reply_to, charset);
    }
  }
  parts.to = address_list_field("To", content.header_to);
  parts.cc = address_list_field("Cc", content.header_cc);
}

void build_extra_fields(MessageTemplate::Parts& parts, const Content& content) {
  for (const UsableHeader& header : usable_headers(content)) {
    auto& field = parts.extra.emplace_back();
    field.name = header.name;
    if (header.form == HeaderForm::text) {
      field.text = CompiledText(header_text(header.value), parts.keys);
    } else {
      append_words(field.raw, header.name, header.value);
    }
  }
}

// Whether it is a page for every recipient, whatever his insert codes are.
bool has_page_of_its_own(const CompiledText& url) {
  if (!url.is_literal()) return false;
  const auto valid = valid_uri(url.text());
  return valid && !valid->starts_with("mailto:");
}

// Nothing but the copy's own segment is a recipient's: the rest stays shared.
CompiledText with_pixel(std::string html, std::string_view url, MessageTemplate::Parts& parts,
                        KeyForms forms) {
  // No insert key is written so.
  constexpr std::string_view kPixelKey = "pixel";
  parts.pixel_key = parts.keys.intern(kPixelKey);
  const std::size_t place = pixel_place(html);
  CompiledText text(std::move(html), parts.keys, forms);
  const PixelMarkup markup = pixel_markup(url);
  text.insert(place, {markup.before, *parts.pixel_key, markup.after});
  return text;
}

void build_texts(MessageTemplate::Parts& parts, const Content& content,
                 std::string_view pixel_url) {
  const KeyForms forms = key_forms(content);
  parts.subject = CompiledText(header_text(content.subject), parts.keys, forms);
  parts.unsubscribe_url = CompiledText(header_text(content.list_unsubscribe_url), parts.keys);
  parts.is_one_click = content.list_unsubscribe_one_click;
  parts.unsubscribe_mailto = CompiledText(header_text(content.list_unsubscribe_mailto), parts.keys);
  const auto add_part = [&](std::string_view subtype, CompiledText text,
                            ValueForm values = ValueForm::body) {
    parts.texts.emplace_back(subtype, std::move(text), parts.charset, values);
  };
  // A mail with html only has no empty text part beside it.
  if (!content.text_part.empty() || content.html_part.empty()) {
    // A value that HTML shows as it is has no markup to be read.
    const bool reads_markup = parts.text_is_made && content.escape == Escape::none;
    parts.wanted.plain = reads_markup;
    add_part("plain", CompiledText(body_text(content.text_part), parts.keys, forms),
             reads_markup ? ValueForm::plain : ValueForm::body);
  }
  if (content.html_part.empty()) return;
  parts.wanted.html = content.escape == Escape::html;
  const ValueForm values = parts.wanted.html ? ValueForm::html : ValueForm::body;
  std::string html = body_text(content.html_part);
  if (content.open_tracking && !pixel_url.empty()) {
    add_part("html", with_pixel(std::move(html), pixel_url, parts, forms), values);
  } else {
    add_part("html", CompiledText(std::move(html), parts.keys, forms), values);
  }
}

// `has_html`: without it nothing shows a part, and it is attached.
void build_files(MessageTemplate::Parts& parts, std::vector<Attachment> attachments, bool has_html,
                 const MessageOptions& options) {
  for (std::size_t i = 0; i < attachments.size(); ++i) {
    Attachment& attachment = attachments[i];
    const bool is_outside = !options.data_outside.empty();
    const std::uint64_t octets = is_outside ? options.data_outside[i] : attachment.data.size();
    parts.size.add_attachment(octets);
    if (is_outside) {
      attachment.data.clear();
      parts.gaps.push_back(base64_lines_size(octets));
    }
    const bool is_inline = has_html && is_content_id(attachment.content_id);
    (is_inline ? parts.inline_files : parts.attached_files).push_back(i);
    parts.files.push_back(encode_attachment(
        attachment, parts.charset,
        is_inline ? whole_content_id(attachment.content_id, options.content_id_tail) : ""));
    attachment = {};  // its encoded form is enough: the raw one need not stay beside it
  }
}

}  // namespace

MessageTemplate::MessageTemplate(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}
MessageTemplate::MessageTemplate(MessageTemplate&&) noexcept = default;
MessageTemplate& MessageTemplate::operator=(MessageTemplate&&) noexcept = default;
MessageTemplate::~MessageTemplate() = default;

Result<MessageTemplate> MessageTemplate::build(Content content, const MessageOptions& options) {
  if (std::abs(options.date_offset_minutes) > kOffsetMinutesMax) {
    return fail(ErrorKind::invalid_input, "the time zone of Date is a day or more from UTC");
  }
  if (options.pixel_url.size() > kPixelUrlOctetsMax) {
    return fail(ErrorKind::invalid_input, "the URL of pixels is longer than 300 octets");
  }
  if (options.unsubscribe_url.size() > kUnsubscribeUrlOctetsMax) {
    return fail(ErrorKind::invalid_input, "the URL of opt-outs is longer than 100 octets");
  }
  if (options.unsubscribe_mailto.size() > kUnsubscribeUrlOctetsMax) {
    return fail(ErrorKind::invalid_input, "the address of opt-outs is longer than 100 octets");
  }
  auto parts = std::make_unique<Parts>();
  parts->date_offset_minutes = options.date_offset_minutes;
  auto feedback = feedback_field(options.feedback_id);
  if (!feedback) return fail(feedback.error());
  parts->feedback_id = std::move(*feedback);
  if (auto unwritable = check_composable(content); !unwritable.empty()) {
    Unwritable& first = unwritable.front();
    return fail(to_string(first.field), Error{ErrorKind::invalid_input, std::move(first.reason)});
  }
  std::vector<Attachment> attachments = std::exchange(content.attachments, {});
  if (!options.data_outside.empty() && options.data_outside.size() != attachments.size()) {
    return fail(ErrorKind::invalid_input, "the attachments are not those whose data is outside");
  }
  parts->size = MessageSize(content);
  if (std::string made = made_text(content); !made.empty()) {
    content.text_part = std::move(made);
    parts->text_is_made = true;
  }
  content.html_part =
      with_whole_ids(std::move(content.html_part), attachments, options.content_id_tail);
  build_address_fields(*parts, content);
  parts->charset = usable_charset(content);
  parts->charset_fell_back = parts->charset != content.encode;
  build_texts(*parts, content, options.pixel_url);
  // Else no copy needs a segment of its own.
  if (!has_page_of_its_own(parts->unsubscribe_url)) {
    parts->unsubscribe_at_ours = options.unsubscribe_url;
    parts->unsubscribe_mail_to_us = options.unsubscribe_mailto;
  }
  parts->link_key = parts->keys.find(kUnsubscribeKey);
  if (parts->link_key) parts->link_at_ours = options.unsubscribe_url;
  build_extra_fields(*parts, content);
  build_files(*parts, std::move(attachments), !content.html_part.empty(), options);
  return MessageTemplate(std::move(parts));
}

void MessageTemplate::compose(const RecipientFields& recipient, const Identity& identity,
                              ComposedMessage& out) const {
  Composer(*parts_, recipient, identity, out).run();
}

std::uint64_t MessageTemplate::expanded_octets(std::span<const InsertCodeView> codes) const {
  return parts_->size.octets(codes);
}

bool MessageTemplate::has_pixel() const {
  return parts_->pixel_key.has_value();
}

bool MessageTemplate::may_link_to_us() const {
  return !parts_->unsubscribe_at_ours.empty() || !parts_->link_at_ours.empty();
}

std::size_t MessageTemplate::memory_octets() const {
  return parts_->memory_octets();
}

}  // namespace todoku::mime
