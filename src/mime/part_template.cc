// SPDX-License-Identifier: Apache-2.0
#include "mime/part_template.h"

#include "base/bytes.h"
#include "mime/text.h"

namespace todoku::mime {
namespace {

// A shorter stretch costs less to encode again than to refer to.
constexpr std::size_t kSharedBase64OctetsMin = 2048;
constexpr std::size_t kSharedAsciiOctetsMin = 2048;
constexpr std::size_t kSharedJisOctetsMin = 256;  // converting is dearer than copying
constexpr std::size_t kBase64LineOctets = 57;

// Encodes a whole text with CRLF line ends. nullopt, with nothing written, if the charset cannot
// say it.
std::optional<EncodedText> append_encoded(std::string& out, std::string_view text,
                                          Encoding charset) {
  if (charset == Encoding::utf_8) {
    const TextTraits traits = text_traits(text);
    if (traits.fits_seven_bit()) {
      out += text;
      return EncodedText{TransferEncoding::seven_bit, traits.lines.has_leading_dot};
    }
    if (traits.is_ascii) {
      append_quoted_printable(out, text);
      return EncodedText{TransferEncoding::quoted_printable, false};
    }
    append_base64_lines(out, text);
    return EncodedText{TransferEncoding::base64, false};
  }
  const std::size_t before = out.size();
  if (!append_iso_2022_jp(out, text)) return std::nullopt;
  const LineTraits lines = line_traits(std::string_view(out).substr(before));
  if (lines.fit_seven_bit()) {
    return EncodedText{TransferEncoding::seven_bit, lines.has_leading_dot};
  }
  const std::string converted = out.substr(before);
  out.resize(before);
  append_base64_lines(out, converted);
  return EncodedText{TransferEncoding::base64, false};
}

void begin_part(const PartTemplate::Target& target, std::string_view subtype,
                TransferEncoding encoding) {
  if (target.place == PartPlace::whole_body) return;
  std::string& out = target.body.personal();
  append_text_content_type(out, subtype, target.charset);
  append_transfer_encoding(out, encoding);
  out += "\r\n";
}

// A boundary's line takes the CRLF before it as its own (RFC 2046 section 5.1.1), so in a multipart
// text needs one more than it has; base64 has one to spare.
void end_part(const PartTemplate::Target& target, TransferEncoding encoding) {
  BodyWriter& body = target.body;
  if (target.place == PartPlace::in_multipart) {
    if (encoding != TransferEncoding::base64) body.personal() += "\r\n";
  } else if (!body.is_empty() && !body.ends_with_crlf()) {
    body.personal() += "\r\n";
  }
}

// The whole lines within a literal run; empty if there are none.
CompiledText::Range whole_lines(std::string_view text, CompiledText::Range run) {
  const std::string_view stretch = text.substr(run.begin, run.end - run.begin);
  const std::size_t first = stretch.find("\r\n");
  if (first == std::string_view::npos) return {run.begin, run.begin};
  const std::size_t begin = run.begin == 0 ? 0 : first + 2;
  return {run.begin + begin, run.begin + stretch.rfind("\r\n") + 2};
}

}  // namespace

void append_text_content_type(std::string& out, std::string_view subtype, Encoding charset) {
  out += "Content-Type: text/";
  out += subtype;
  out += "; charset=";
  out += charset_name(charset);
  out += "\r\n";
}

void append_transfer_encoding(std::string& out, TransferEncoding encoding) {
  out += "Content-Transfer-Encoding: ";
  out += to_string(encoding);
  out += "\r\n";
}

PartTemplate::PartTemplate(std::string_view subtype, CompiledText text, Encoding charset,
                           ValueForm values)
    : subtype_(subtype),
      text_(std::move(text)),
      charset_(charset),
      form_(values),
      is_ascii_(todoku::is_ascii(text_.text())) {
  if (text_.is_literal()) {
    fixed_encoding_ = append_encoded(fixed_, text_.text(), charset_);
    return;
  }
  if (charset_ == Encoding::utf_8) prepare_base64_sections();
  if (charset_ == Encoding::iso_2022_jp || is_ascii_) prepare_line_sections();
}

void PartTemplate::prepare_base64_sections() {
  for (const CompiledText::Range run : text_.literal_runs()) {
    const std::size_t octets = run.end - run.begin;
    if (octets < kSharedBase64OctetsMin) continue;
    Section section{.begin = run.begin};
    for (std::size_t phase = 0; phase < section.end.size(); ++phase) {
      const std::size_t shared = (octets - phase) / kBase64LineOctets * kBase64LineOctets;
      const std::size_t begin = run.begin + phase;
      section.end[phase] = begin + shared;
      append_base64_lines(section.encoded[phase],
                          std::string_view(text_.text()).substr(begin, shared));
    }
    base64_sections_.push_back(std::move(section));
  }
}

void PartTemplate::prepare_line_sections() {
  const std::size_t shared_min =
      charset_ == Encoding::utf_8 ? kSharedAsciiOctetsMin : kSharedJisOctetsMin;
  const std::string_view text = text_.text();
  lines_possible_ = true;
  for (const CompiledText::Range run : text_.literal_runs()) {
    const CompiledText::Range lines = whole_lines(text, run);
    if (lines.end - lines.begin < shared_min) continue;
    Section section{.begin = lines.begin, .end = {lines.end}};
    const auto encoded = append_encoded(
        section.encoded[0], text.substr(lines.begin, lines.end - lines.begin), charset_);
    lines_possible_ &= encoded && encoded->encoding == TransferEncoding::seven_bit;
    section.has_leading_dot = encoded && encoded->has_leading_dot;
    line_sections_.push_back(std::move(section));
  }
  if (!lines_possible_) line_sections_.clear();
}

// Collects text in target.scratch, calling share(section) where a section begins, which returns the
// position in the text behind what it wrote.
template <class Share>
void PartTemplate::expand(const Target& target, const std::vector<Section>& sections,
                          Share&& share) const {
  const std::string& text = text_.text();
  std::string& pending = target.scratch;
  pending.clear();
  auto next = sections.begin();
  text_.expand(
      target.values,
      [&](std::size_t begin, std::size_t end) {
        for (; next != sections.end() && next->begin < end; ++next) {
          pending.append(text, begin, next->begin - begin);
          begin = share(*next);
        }
        pending.append(text, begin, end - begin);
      },
      [&](const InsertValue& value) { pending += in_form(value, form_); });
}

void PartTemplate::write_base64(const Target& target) const {
  std::string& pending = target.scratch;
  expand(target, base64_sections_, [&](const Section& section) {
    const std::size_t phase = (3 - pending.size() % 3) % 3;
    pending.append(text_.text(), section.begin, phase);
    append_base64_lines(target.body.personal(), pending);
    pending.clear();
    target.body.share(section.encoded[phase]);
    return section.end[phase];
  });
  append_base64_lines(target.body.personal(), pending);
}

bool PartTemplate::write_lines(const Target& target) const {
  std::string& pending = target.scratch;
  bool fits = true;
  const auto flush = [&] {
    const auto encoded =
        fits ? append_encoded(target.body.personal(), pending, target.charset) : std::nullopt;
    fits = encoded && encoded->encoding == TransferEncoding::seven_bit;
    target.body.note_leading_dot(fits && encoded->has_leading_dot);
    pending.clear();
  };
  expand(target, line_sections_, [&](const Section& section) {
    flush();
    target.body.share(section.encoded[0]);
    target.body.note_leading_dot(section.has_leading_dot);
    return section.end[0];
  });
  flush();
  return fits;
}

bool PartTemplate::try_lines(const Target& target) const {
  if (!lines_possible_ || target.charset != charset_) return false;
  const BodyWriter::Mark mark = target.body.mark();
  begin_part(target, subtype_, TransferEncoding::seven_bit);
  if (write_lines(target)) return true;
  target.body.roll_back(mark);
  return false;
}

std::optional<TransferEncoding> PartTemplate::compose_whole(const Target& target) const {
  target.scratch.clear();
  text_.append_to(target.scratch, target.values, form_);
  if (target.charset == Encoding::utf_8 && !todoku::is_ascii(target.scratch)) {
    begin_part(target, subtype_, TransferEncoding::base64);
    write_base64(target);
    return TransferEncoding::base64;
  }
  std::string text;
  const auto encoded = append_encoded(text, target.scratch, target.charset);
  if (!encoded) return std::nullopt;
  begin_part(target, subtype_, encoded->encoding);
  target.body.personal() += text;
  target.body.note_leading_dot(encoded->has_leading_dot);
  return encoded->encoding;
}

std::optional<TransferEncoding> PartTemplate::compose(const Target& target) const {
  std::optional<TransferEncoding> encoding;
  if (fixed_encoding_ && target.charset == charset_) {
    encoding = fixed_encoding_->encoding;
    begin_part(target, subtype_, *encoding);
    target.body.share(fixed_);
    target.body.note_leading_dot(fixed_encoding_->has_leading_dot);
  } else if (target.charset == Encoding::utf_8 && !is_ascii_) {
    encoding = TransferEncoding::base64;
    begin_part(target, subtype_, *encoding);
    write_base64(target);
  } else if (try_lines(target)) {
    encoding = TransferEncoding::seven_bit;
  } else {
    encoding = compose_whole(target);
    if (!encoding) return std::nullopt;
  }
  end_part(target, *encoding);
  return encoding;
}

std::size_t PartTemplate::memory_octets() const {
  std::size_t octets = sizeof(*this) + text_.text().capacity() + fixed_.capacity();
  for (const auto* sections : {&base64_sections_, &line_sections_}) {
    for (const Section& section : *sections) {
      octets += sizeof(section);
      for (const std::string& encoded : section.encoded) octets += encoded.capacity();
    }
  }
  return octets;
}

}  // namespace todoku::mime
