// SPDX-License-Identifier: Apache-2.0
#include "mime/message_size.h"

#include <algorithm>
#include <limits>

#include "base/utf8.h"
#include "mime/inline_parts.h"
#include "mime/made_text.h"
#include "mime/media_type.h"
#include "mime/message_template.h"
#include "mime/open_pixel.h"
#include "mime/text.h"
#include "mime/uri.h"

namespace todoku::mime {
namespace {

// Of the fields that have a fixed form (Date, Message-ID, MIME-Version, Content-Type, Feedback-ID,
// List-Unsubscribe-Post, a List-Unsubscribe of ours: kUnsubscribeTokenOctetsMax), of delimiters,
// and of a bulk mail's To.
constexpr std::uint64_t kFrameOctets = 4096;
constexpr std::uint64_t kPartHeadOctets = 300;
// Both names and the media type of an attachment are shortened (mime/attachment.cc).
constexpr std::uint64_t kAttachmentHeadOctets =
    2048 + kMediaTypeOctetsMax + kContentIdOctetsMax + kContentIdTailOctetsMax;
constexpr std::uint64_t kFrameOctetsOfUri = 64;
constexpr std::uint64_t kFrameOctetsOfField = 8;  // the colon and line ends
constexpr std::uint64_t kAddressOctets = 1024;    // any address, even said in encoded-words
constexpr std::uint64_t kEscapeOctets = 3;        // into and out of kanji
constexpr std::uint64_t kLineEndOctets = 2;
// At most a space before the line's end and a "." or "F" at its beginning become three octets.
constexpr std::uint64_t kQuotedLineOctets = 4;

std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::uint64_t>::max() : sum;
}

std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::uint64_t>::max()
                                                : product;
}

// Lines of 57 octets, one of them shorter on each side of a section that is shared; sections have
// 2,048 octets or more (mime/part_template.cc).
std::uint64_t base64_octets(std::uint64_t octets) {
  const std::uint64_t lines = octets / 57 + octets / 1024 + 3;
  return plus(times(octets / 3 + 1, 4), 2 * lines);
}

// A line is broken after 73 columns or more, and what follows "=" CRLF may begin with three octets
// instead of one: five for 73, less those five.
std::uint64_t quoted_printable_octets(std::uint64_t quoted) {
  return plus(quoted, quoted / 12 + 16);
}

// Encoded-words hold 32 octets or more, but for the first one, on lines of 78.
std::uint64_t encoded_word_octets(std::uint64_t octets) {
  return times(octets / 32 + 3, 78);
}

// Adds up one text, a character at a time. Nothing here can overflow: the text is in memory.
class Counter {
 public:
  [[nodiscard]] TextCost count(std::string_view text) {
    while (!text.empty()) {
      const std::size_t plain = printable_octets(text);
      if (plain > 0) {
        const auto equals =
            static_cast<std::size_t>(std::ranges::count(text.substr(0, plain), '='));
        add(plain, plain + 2 * equals, false, plain);
        text.remove_prefix(plain);
      }
      const std::size_t wide = wide_octets(text);
      if (wide > 0) {
        cost_.is_ascii = false;
        add(wide, 3 * wide, true, wide / 3 * 2);
        text.remove_prefix(wide);
      }
      if (!text.empty()) text.remove_prefix(take_other(text));
    }
    if (in_kanji_) cost_.jis += kEscapeOctets;
    return cost_;
  }

 private:
  // Of the character at the start of `text`, a line end, or an octet that begins neither.
  std::size_t take_other(std::string_view text) {
    if (text.front() == '\r' || text.front() == '\n') {
      add(kLineEndOctets, kLineEndOctets + kQuotedLineOctets, false, kLineEndOctets);
      return text.starts_with("\r\n") ? 2 : 1;
    }
    if (static_cast<unsigned char>(text.front()) < 0x80) {
      add(1, text.front() == '\t' ? 1 : 3, false, 1);
      return 1;
    }
    const CodePoint point = decode_utf8(text);
    const std::size_t octets = point.octets == 0 ? kReplacementCharacter.size() : point.octets;
    cost_.is_ascii = false;
    add(octets, 3 * octets, true, 2);
    return std::max<std::size_t>(point.octets, 1);
  }

  void add(std::size_t octets, std::size_t quoted, bool kanji, std::size_t jis) {
    cost_.octets += octets;
    cost_.quoted += quoted;
    cost_.jis += jis + (kanji == in_kanji_ ? 0 : kEscapeOctets);
    in_kanji_ = kanji;
  }

  TextCost cost_;
  bool in_kanji_ = false;
};

}  // namespace

void TextCost::add(const TextCost& other, std::uint64_t number) {
  if (number == 0) return;
  octets = plus(octets, times(other.octets, number));
  quoted = plus(quoted, times(other.quoted, number));
  jis = plus(jis, times(other.jis, number));
  is_ascii &= other.is_ascii;
}

TextCost text_cost(std::string_view text) {
  return Counter().count(text);
}

namespace {

// At least what text the markup of a value becomes (mime/insert_code.h), its line ends as CRLF. Its
// references may say characters beyond ASCII.
TextCost plain_cost(const TextCost& value) {
  const std::uint64_t octets = plus(times(value.octets, 3), 128);
  return {.octets = octets, .quoted = times(octets, 3), .jis = times(octets, 3), .is_ascii = false};
}

}  // namespace

MessageSize::MessageSize(const Content& content) : charset_(content.encode) {
  const auto add_mailbox = [&](const Mailbox& mailbox) {
    const TextCost name = text_cost(mailbox.name);
    fixed_ += kAddressOctets + encoded_word_octets(std::max(name.octets, name.jis));
  };
  fixed_ = kFrameOctets + kQuotedLineOctets;
  add_mailbox(content.from);
  if (content.reply_to) add_mailbox(*content.reply_to);
  fixed_ += kAddressOctets * (content.header_to.size() + content.header_cc.size());
  if (content.open_tracking && !content.html_part.empty()) fixed_ += kPixelOctetsMax;
  const auto headers = usable_headers(content);
  texts_.reserve(kTextsMax - kExtraHeadersMax + headers.size());
  const KeyForms forms = key_forms(content);
  const bool escapes = content.escape == Escape::html;
  add_text(Form::header, content.subject, forms);
  add_text(Form::uri, content.list_unsubscribe_url);
  add_text(Form::uri, content.list_unsubscribe_mailto);
  const std::string made = made_text(content);
  if (made.empty()) {
    add_text(Form::part, content.text_part, forms);
  } else {
    add_text(escapes ? Form::part : Form::made_part, made, forms);
  }
  add_text(escapes ? Form::html_part : Form::part, content.html_part, forms);
  if (!content.html_part.empty()) {
    // Each may refer to a part whose id is written whole.
    texts_.back().literal.add(text_cost(std::string(kContentIdTailOctetsMax, 'x')),
                              content_references(content.html_part).size());
  }
  for (const UsableHeader& header : headers) {
    fixed_ += header.name.size() + kFrameOctetsOfField;
    if (header.form == HeaderForm::text) {
      add_text(Form::header, header.value);
    } else {
      fixed_ += 2 * header.value.size();  // of its words each may begin a line
    }
  }
  for (const Attachment& attachment : content.attachments) add_attachment(attachment.data.size());
}

void MessageSize::add_attachment(std::uint64_t octets) {
  fixed_ = plus(fixed_, plus(kAttachmentHeadOctets, base64_octets(octets)));
}

void MessageSize::add_text(Form form, std::string_view text, KeyForms forms) {
  // As composing does: keys are found in what cleaning leaves. In a part it moves no key, and its
  // cost is counted as if it were clean.
  std::string clean;
  if (form == Form::header || form == Form::uri) {
    append_header_text(clean, text);
    text = clean;
  }
  if (text.empty()) return;
  Text added{.form = form, .literal = text_cost(text), .uses = {}};
  count_uses(text, keys_, added.uses, forms);
  if (const auto link = keys_.find(kUnsubscribeKey); link && *link < added.uses.size()) {
    const std::string longest(kUnsubscribeUrlOctetsMax + kUnsubscribeTokenOctetsMax, 'x');
    added.literal.add(text_cost(longest), added.uses[*link]);
  }
  texts_.push_back(std::move(added));
}

std::uint64_t MessageSize::expanded(Form form, const TextCost& cost) const {
  switch (form) {
    case Form::uri:
      // Percent-encoded; the labels of a host grow less. Beyond a line it is left out.
      return std::min<std::uint64_t>(times(cost.octets, 3), kUriOctetsMax) + kFrameOctetsOfUri;
    case Form::header:
      return encoded_word_octets(charset_ == Encoding::utf_8 ? cost.octets
                                                             : std::max(cost.octets, cost.jis));
    case Form::part:
    case Form::html_part:
    case Form::made_part: {
      // Whether a made text is ASCII is not known: either may be the larger form.
      std::uint64_t utf8 = 0;
      if (cost.is_ascii || form == Form::made_part) utf8 = quoted_printable_octets(cost.quoted);
      if (!cost.is_ascii) utf8 = std::max(utf8, base64_octets(cost.octets));
      const std::uint64_t jis = charset_ == Encoding::utf_8 ? 0 : base64_octets(cost.jis);
      return plus(kPartHeadOctets, std::max(utf8, jis));
    }
  }
  return 0;
}

std::uint64_t MessageSize::octets(std::span<const InsertCodeView> codes) const {
  std::array<TextCost, kTextsMax> costs;
  for (std::size_t i = 0; i < texts_.size(); ++i) costs[i] = texts_[i].literal;
  for (const InsertCodeView& code : codes) {
    const auto number = keys_.find(code.key);
    if (!number) continue;
    const TextCost value = text_cost(code.value);
    TextCost escaped = value;
    if (needs_escape(code.value)) {
      std::string references;
      append_escaped(references, code.value);
      escaped = text_cost(references);
    }
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      const std::vector<std::uint32_t>& uses = texts_[i].uses;
      if (*number >= uses.size()) continue;
      const bool plain = texts_[i].form == Form::made_part && may_have_markup(code.value);
      const TextCost& cost = texts_[i].form == Form::html_part ? escaped : value;
      costs[i].add(plain ? plain_cost(value) : cost, uses[*number]);
    }
  }
  std::uint64_t total = fixed_;
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    total = plus(total, expanded(texts_[i].form, costs[i]));
  }
  return total;
}

std::uint64_t MessageSize::uses(std::string_view key) const {
  const auto number = keys_.find(key);
  std::uint64_t total = 0;
  if (!number) return total;
  for (const Text& text : texts_) {
    if (*number < text.uses.size()) total += text.uses[*number];
  }
  return total;
}

std::size_t MessageSize::memory_octets() const {
  std::size_t octets = keys_.memory_octets() + texts_.capacity() * sizeof(Text);
  for (const Text& text : texts_) octets += text.uses.capacity() * sizeof(std::uint32_t);
  return octets;
}

}  // namespace todoku::mime
