// SPDX-License-Identifier: Apache-2.0
#include "feedback/reports/report_mail.h"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>

#include <fmt/format.h>
#include <gmime/gmime.h>

#include "base/bytes.h"
#include "feedback/reports/report_file.h"
#include "feedback/reports/report_text.h"
#include "mime/veiled_fields.h"

namespace todoku::feedback::reports {
namespace {

constexpr int kDepthOfPartsMax = 6;
// Every part is built before any is counted: a message with more lines that may delimit one is
// refused.
constexpr std::size_t kDelimitersMax = 1'000;
constexpr std::size_t kNameOctetsMax = 200;
constexpr std::string_view kMessageMark = "From ";  // of an mbox

struct UnrefPart {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using OwnedPart = std::unique_ptr<T, UnrefPart>;

struct FreeParserOptions {
  void operator()(GMimeParserOptions* options) const { g_mime_parser_options_free(options); }
};

std::string media_type_of(GMimeObject* object) {
  GMimeContentType* type = g_mime_object_get_content_type(object);
  if (type == nullptr) return "text/plain";
  const char* name = g_mime_content_type_get_media_type(type);
  const char* sub = g_mime_content_type_get_media_subtype(type);
  return to_ascii_lower(std::string(name == nullptr ? "text" : name) + "/" +
                        (sub == nullptr ? "plain" : sub));
}

// RFC 7489 section 7.2.1.1, RFC 8460 section 6, and what receivers write in their place.
bool is_report_type(std::string_view type) {
  constexpr std::array<std::string_view, 13> kTypes{"application/gzip",
                                                    "application/x-gzip",
                                                    "application/gzip-compressed",
                                                    "application/zip",
                                                    "application/x-zip",
                                                    "application/x-zip-compressed",
                                                    "application/xml",
                                                    "text/xml",
                                                    "application/json",
                                                    "application/tlsrpt+json",
                                                    "application/tlsrpt+gzip",
                                                    "application/dmarc+xml",
                                                    "application/dmarc+gzip"};
  return std::ranges::find(kTypes, type) != kTypes.end();
}

bool is_telling_name(std::string_view name) {
  const std::string lower = to_ascii_lower(name);
  return lower.ends_with(".xml") || lower.ends_with(".gz") || lower.ends_with(".zip") ||
         lower.ends_with(".json");
}

bool is_archive(std::string_view octets) {
  return octets.starts_with("\x1F\x8B") || octets.starts_with("PK\x03\x04");
}

std::string octets_in(GMimeStream* memory) {
  const GByteArray* array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
  return {reinterpret_cast<const char*>(array->data), array->len};
}

// A part as it was before its lines were veiled, its transfer encoding undone.
std::string decoded(GMimePart* part) {
  GMimeDataWrapper* content = g_mime_part_get_content(part);
  if (content == nullptr) return {};
  const OwnedPart<GMimeStream> veiled(g_mime_stream_mem_new());
  GMimeStream* source = g_mime_data_wrapper_get_stream(content);
  if (source == nullptr || g_mime_stream_reset(source) < 0) return {};
  if (g_mime_stream_write_to_stream(source, veiled.get()) < 0) return {};
  const std::string encoded = mime::unveil_fields(octets_in(veiled.get()));
  const OwnedPart<GMimeStream> unveiled(
      g_mime_stream_mem_new_with_buffer(encoded.data(), encoded.size()));
  const OwnedPart<GMimeDataWrapper> wrapper(g_mime_data_wrapper_new_with_stream(
      unveiled.get(), g_mime_data_wrapper_get_encoding(content)));
  const OwnedPart<GMimeStream> memory(g_mime_stream_mem_new());
  if (g_mime_data_wrapper_write_to_stream(wrapper.get(), memory.get()) < 0) return {};
  return octets_in(memory.get());
}

// Past kReportsOfMessageMax one more is kept, to tell.
void find_reports(GMimeObject* object, std::vector<HandedOver>& found, int depth) {
  if (object == nullptr || depth > kDepthOfPartsMax || found.size() > kReportsOfMessageMax) return;
  if (GMIME_IS_MULTIPART(object)) {
    const int count = g_mime_multipart_get_count(GMIME_MULTIPART(object));
    for (int i = 0; i < count; ++i) {
      find_reports(g_mime_multipart_get_part(GMIME_MULTIPART(object), i), found, depth + 1);
    }
    return;
  }
  if (GMIME_IS_MESSAGE_PART(object)) {
    GMimeMessage* message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
    if (message != nullptr) find_reports(g_mime_message_get_mime_part(message), found, depth + 1);
    return;
  }
  if (!GMIME_IS_PART(object)) return;
  const char* given = g_mime_part_get_filename(GMIME_PART(object));
  const std::string name =
      on_one_line(std::string_view(given == nullptr ? "" : given).substr(0, kNameOctetsMax));
  const std::string type = media_type_of(object);
  const bool tells = is_report_type(type) || is_telling_name(name);
  if (!tells && type.starts_with("text/")) return;
  std::string octets = decoded(GMIME_PART(object));
  if (tells || is_archive(octets)) found.push_back({.name = name, .octets = std::move(octets)});
}

bool begins_field(std::string_view line) {
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == ':') return at > 0;
    if (line[at] < '!' || line[at] > '~') return false;
  }
  return false;
}

// GMime keeps some hundred octets for each field, also of messages within messages, and GLib ends
// the process where it gets none: what looks like header fields is bounded before. Addresses it is
// not shown (mime/veiled_fields.h).
Result<void> check_fields(std::string_view octets) {
  constexpr std::size_t kFieldsMax = 20'000;
  constexpr std::size_t kSectionOctetsMax = std::size_t{1} << 20U;
  std::size_t fields = 0;
  std::size_t section = 0;
  for (std::size_t begin = 0; begin < octets.size();) {
    const std::size_t end = std::min(octets.find('\n', begin), octets.size());
    const std::string_view line = octets.substr(begin, end - begin);
    begin = end + 1;
    const bool field = begins_field(line);
    const bool goes_on = section > 0 && (line.starts_with(' ') || line.starts_with('\t'));
    section = field || goes_on ? section + line.size() + 1 : 0;
    fields += field ? 1 : 0;
    if (fields > kFieldsMax) {
      return fail(ErrorKind::limit_exceeded,
                  fmt::format("the message has more than {} header fields", kFieldsMax));
    }
    if (section > kSectionOctetsMax) {
      return fail(ErrorKind::limit_exceeded,
                  fmt::format("the message has header fields of more than {} octets together",
                              kSectionOctetsMax));
    }
  }
  return {};
}

Result<void> check_delimiters(std::string_view octets) {
  std::size_t delimiters = 0;
  for (std::size_t at = octets.find("\n--"); at != std::string_view::npos;
       at = octets.find("\n--", at + 1)) {
    if (++delimiters > kDelimitersMax) {
      return fail(
          ErrorKind::limit_exceeded,
          fmt::format("the message has more than {} lines that may begin a part", kDelimitersMax));
    }
  }
  return {};
}

Result<std::vector<HandedOver>> reports_of_message(std::string_view octets) {
  static std::once_flag once;
  std::call_once(once, [] { g_mime_init(); });
  if (auto good = check_delimiters(octets); !good) return fail(std::move(good.error()));
  if (auto good = check_fields(octets); !good) return fail(std::move(good.error()));
  const std::string veiled = mime::veil_fields(octets);
  const OwnedPart<GMimeStream> stream(
      g_mime_stream_mem_new_with_buffer(veiled.data(), veiled.size()));
  const OwnedPart<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  const std::unique_ptr<GMimeParserOptions, FreeParserOptions> options(g_mime_parser_options_new());
  const OwnedPart<GMimeMessage> message(
      g_mime_parser_construct_message(parser.get(), options.get()));
  std::vector<HandedOver> found;
  if (message) find_reports(g_mime_message_get_mime_part(message.get()), found, 0);
  if (found.empty()) {
    return fail(ErrorKind::invalid_input, "the message carries no report as an attachment");
  }
  if (found.size() > kReportsOfMessageMax) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("the message carries more than {} reports", kReportsOfMessageMax));
  }
  return found;
}

// Where the next one's line begins: it stands behind a blank one.
std::size_t end_of_message(std::string_view octets) {
  for (std::size_t at = octets.find("\nFrom "); at != std::string_view::npos;
       at = octets.find("\nFrom ", at + 1)) {
    std::string_view before = octets.substr(0, at);
    if (before.ends_with('\r')) before.remove_suffix(1);
    if (before.empty() || before.ends_with('\n')) return at + 1;
  }
  return octets.size();
}

}  // namespace

std::vector<std::string_view> messages_in(std::string_view octets, std::size_t at_most) {
  if (!octets.starts_with(kMessageMark)) return {octets};
  std::vector<std::string_view> messages;
  while (!octets.empty() && messages.size() < at_most) {
    octets.remove_prefix(std::min(octets.find('\n'), octets.size() - 1) + 1);
    const std::size_t end = end_of_message(octets);
    if (end > 0) messages.push_back(octets.substr(0, end));
    octets.remove_prefix(end);
  }
  return messages;
}

bool is_message(std::string_view octets) {
  const std::string_view line = octets.substr(0, octets.find('\n'));
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  // RFC 5322 section 3.6.8.
  return std::ranges::all_of(line.substr(0, colon), [](char c) { return c > ' ' && c < '\x7F'; }) &&
         line.front() != '<' && line.front() != '{';
}

Result<std::vector<HandedOver>> reports_in(std::string_view octets, std::string_view name) {
  if (octets.size() > kHandedOverMax) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("has {} octets, more than {}", octets.size(), kHandedOverMax));
  }
  if (is_message(octets)) return reports_of_message(octets);
  std::vector<HandedOver> itself;
  itself.push_back(
      {.name = on_one_line(name.substr(0, kNameOctetsMax)), .octets = std::string(octets)});
  return itself;
}

}  // namespace todoku::feedback::reports
