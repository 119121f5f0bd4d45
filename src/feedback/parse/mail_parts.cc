// SPDX-License-Identifier: Apache-2.0
#include "feedback/parse/mail_parts.h"

#include <algorithm>
#include <memory>
#include <mutex>

#include <gmime/gmime.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "mime/encoded_words.h"
#include "mime/foreign_text.h"
#include "mime/header.h"
#include "mime/html_text.h"
#include "mime/veiled_fields.h"

namespace todoku::feedback::parse {
namespace {

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

struct FreeOptions {
  void operator()(GMimeParserOptions* options) const { g_mime_parser_options_free(options); }
};

void begin_gmime() {
  static std::once_flag once;
  std::call_once(once, [] { g_mime_init(); });
}

std::string_view cut(std::string_view text, std::size_t octets) {
  return text.substr(0, octets);
}

std::string with_line_feeds(std::string text) {
  std::erase(text, '\r');
  return text;
}

// Octets that are no UTF-8, which text of no charset or of a wrong one has, become U+FFFD.
std::string well_formed(std::string text) {
  if (is_utf8(text)) return text;
  std::string out;
  for (std::string_view rest = text; !rest.empty();) {
    const CodePoint point = decode_utf8(rest);
    if (point.octets == 0) {
      out += kReplacementCharacter;
      rest.remove_prefix(1);
    } else {
      out += rest.substr(0, point.octets);
      rest.remove_prefix(point.octets);
    }
  }
  return out;
}

std::string text_of(std::string_view octets, std::string_view charset) {
  return with_line_feeds(well_formed(mime::utf8_of(octets, charset)));
}

std::string type_of(GMimeObject* object) {
  GMimeContentType* type = g_mime_object_get_content_type(object);
  if (type == nullptr) return "text/plain";
  const char* name = g_mime_content_type_get_media_type(type);
  const char* sub = g_mime_content_type_get_media_subtype(type);
  return to_ascii_lower(std::string(name == nullptr ? "text" : name) + "/" +
                        (sub == nullptr ? "plain" : sub));
}

std::string parameter_of(GMimeObject* object, const char* name) {
  const char* value = g_mime_object_get_content_type_parameter(object, name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string_view written_to(GMimeStream* memory) {
  const GByteArray* array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
  return {reinterpret_cast<const char*>(array->data), array->len};
}

// The octets of a part, its fields unveiled and then its transfer encoding undone, at most
// kPartOctetsMax of them.
std::string octets_of(GMimePart* part) {
  GMimeDataWrapper* content = g_mime_part_get_content(part);
  if (content == nullptr) return {};
  const Owned<GMimeStream> veiled(g_mime_stream_mem_new());
  GMimeStream* source = g_mime_data_wrapper_get_stream(content);
  if (source == nullptr || g_mime_stream_reset(source) < 0) return {};
  if (g_mime_stream_write_to_stream(source, veiled.get()) < 0) return {};
  const std::string encoded = mime::unveil_fields(written_to(veiled.get()));
  const Owned<GMimeStream> unveiled(
      g_mime_stream_mem_new_with_buffer(encoded.data(), encoded.size()));
  const Owned<GMimeDataWrapper> wrapper(g_mime_data_wrapper_new_with_stream(
      unveiled.get(), g_mime_data_wrapper_get_encoding(content)));
  const Owned<GMimeStream> memory(g_mime_stream_mem_new());
  if (g_mime_data_wrapper_write_to_stream(wrapper.get(), memory.get()) < 0) return {};
  return std::string(cut(written_to(memory.get()), kPartOctetsMax));
}

std::string charset_of(GMimeObject* object, std::string_view octets) {
  std::string charset = parameter_of(object, "charset");
  // Old systems write ISO-2022-JP and say nothing of it, or that it is US-ASCII.
  const bool says_nothing = charset.empty() || equals_ignoring_case(charset, "us-ascii");
  if (says_nothing && octets.contains("\x1B$")) charset = "ISO-2022-JP";
  return charset.empty() ? "utf-8" : charset;
}

bool is_text(std::string_view type) {
  return type.starts_with("text/") || type.starts_with("message/") ||
         type == "application/octet-stream";
}

MailPart read_part(GMimeObject* object) {
  MailPart part{.type = type_of(object), .text = {}, .fields = {}};
  if (!is_text(part.type)) return part;
  const std::string octets = octets_of(GMIME_PART(object));
  part.text = text_of(octets, charset_of(object, octets));
  if (part.type == "text/html") part.text = mime::html_to_text(part.text);
  if (part.type == "text/rfc822-headers" || part.type == "message/global-headers") {
    part.fields = read_fields(part.text);
  }
  return part;
}

// A message in a message: its header section, and its text after it, as it stands.
MailPart read_message(GMimeMessagePart* object) {
  MailPart part{.type = "message/rfc822", .text = {}, .fields = {}};
  GMimeMessage* message = g_mime_message_part_get_message(object);
  if (message == nullptr) return part;
  const Owned<GMimeStream> memory(g_mime_stream_mem_new());
  if (g_mime_object_write_to_stream(GMIME_OBJECT(message), nullptr, memory.get()) < 0) return part;
  const std::string octets = mime::unveil_fields(written_to(memory.get()));
  part.text = text_of(cut(octets, kPartOctetsMax), "utf-8");
  part.fields = read_fields(part.text);
  return part;
}

void collect(GMimeObject* object, std::vector<MailPart>& parts, int depth) {
  constexpr int kDepthMax = 8;
  if (object == nullptr || parts.size() >= kPartsMax || depth > kDepthMax) return;
  if (GMIME_IS_MULTIPART(object)) {
    const int count = g_mime_multipart_get_count(GMIME_MULTIPART(object));
    for (int i = 0; i < count; ++i) {
      collect(g_mime_multipart_get_part(GMIME_MULTIPART(object), i), parts, depth + 1);
    }
  } else if (GMIME_IS_MESSAGE_PART(object)) {
    parts.push_back(read_message(GMIME_MESSAGE_PART(object)));
  } else if (GMIME_IS_PART(object)) {
    parts.push_back(read_part(object));
  }
}

// Every part is built before any is counted: beyond so many lines that may delimit one nothing is
// read.
std::string_view up_to_too_many_parts(std::string_view octets) {
  constexpr std::size_t kDelimitersMax = 1'000;
  std::size_t found = 0;
  for (std::size_t at = octets.find("\n--"); at != std::string_view::npos;
       at = octets.find("\n--", at + 1)) {
    if (++found > kDelimitersMax) return octets.substr(0, at);
  }
  return octets;
}

// A line that begins a field, as mail programs read it: a name without white space, and a colon.
bool begins_field(std::string_view line) {
  constexpr std::size_t kNameMax = 128;
  const std::size_t colon = line.substr(0, kNameMax).find(':');
  return colon != std::string_view::npos && colon > 0 &&
         line.substr(0, colon).find_first_of(" \t") == std::string_view::npos;
}

// Every field is kept as well, of each part and of each message in it. So beyond so many lines that
// may begin a field, wherever they stand, nothing is read, and of each, with the lines that
// continue it, only the beginning.
std::string within_field_bounds(std::string_view octets) {
  constexpr std::size_t kFieldLinesMax = 10'000;
  constexpr std::size_t kFieldRead = std::size_t{8} << 10U;
  std::string bounded;
  bounded.reserve(octets.size());
  std::size_t fields = 0;
  std::size_t left = 0;  // of the field at hand
  bool in_field = false;
  while (!octets.empty()) {
    const std::size_t end = octets.find('\n');
    const std::string_view line = octets.substr(0, end == std::string_view::npos ? end : end + 1);
    octets.remove_prefix(line.size());
    const bool goes_on = in_field && (line.front() == ' ' || line.front() == '\t');
    if (!goes_on) {
      in_field = begins_field(line);
      left = kFieldRead;
      if (in_field && ++fields > kFieldLinesMax) return bounded;
    }
    if (!in_field || line.size() <= left) {
      bounded += line;
    } else if (left > 0) {
      bounded.append(line.substr(0, left)).append("\n");
    }
    left -= std::min(left, line.size());
  }
  return bounded;
}

std::string_view without_envelope_line(std::string_view octets) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (octets.starts_with(kByteOrderMark)) octets.remove_prefix(kByteOrderMark.size());
  while (octets.starts_with("\n") || octets.starts_with("\r\n")) octets.remove_prefix(1);
  if (!octets.starts_with("From ")) return octets;
  const std::size_t end = octets.find('\n');
  return end == std::string_view::npos ? std::string_view() : octets.substr(end + 1);
}

}  // namespace

std::string_view MailFields::first(std::string_view name) const {
  const auto found = std::ranges::find(all, name, &std::pair<std::string, std::string>::first);
  return found == all.end() ? std::string_view() : std::string_view(found->second);
}

MailFields read_fields(std::string_view text) {
  MailFields fields;
  const auto keep = [&fields](std::string_view field) {
    const std::string_view name = mime::field_name(field);
    if (name.empty() || fields.all.size() >= kFieldsMax) return;
    const std::size_t colon = field.find(':');
    const std::string value = mime::unfolded(field.substr(colon + 1));
    fields.all.emplace_back(to_ascii_lower(name),
                            mime::decode_header_text(trim(value), kFieldOctetsMax));
  };
  std::string field;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool goes_on = line.starts_with(' ') || line.starts_with('\t');
    if (goes_on && !field.empty()) {
      if (field.size() < 4 * kFieldOctetsMax) field.append("\r\n").append(line);
      continue;
    }
    keep(field);
    field.clear();
    if (line.empty()) return fields;
    field = line;
  }
  keep(field);
  return fields;
}

Result<Mail> read_mail(std::string_view octets) {
  begin_gmime();
  const std::string bounded =
      within_field_bounds(up_to_too_many_parts(without_envelope_line(cut(octets, kMailOctetsMax))));
  octets = bounded;
  Mail mail{.fields = read_fields(octets), .type = {}, .report_type = {}, .parts = {}};
  if (mail.fields.all.empty()) {
    return fail(ErrorKind::invalid_input, "this is no mail: no header field is at its beginning");
  }
  const std::string veiled = mime::veil_fields(octets);
  const Owned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(veiled.data(), veiled.size()));
  const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  const std::unique_ptr<GMimeParserOptions, FreeOptions> options(g_mime_parser_options_new());
  const Owned<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), options.get()));
  GMimeObject* whole = message ? g_mime_message_get_mime_part(message.get()) : nullptr;
  if (whole == nullptr) return mail;
  mail.type = type_of(whole);
  mail.report_type = to_ascii_lower(parameter_of(whole, "report-type"));
  collect(whole, mail.parts, 0);
  return mail;
}

}  // namespace todoku::feedback::parse
