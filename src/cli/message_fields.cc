// SPDX-License-Identifier: Apache-2.0
#include "cli/message_fields.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/text_encoding.h"
#include "cli/user_files.h"

namespace todoku::cli {
namespace {

constexpr std::size_t kPartOctetsMax = std::size_t{32} << 20U;

void write_party(http::JsonWriter& json, std::string_view member, std::string_view given) {
  if (given.empty()) return;
  const std::string_view text = trim(given);
  const std::size_t open = text.rfind('<');
  json.key(member);
  json.begin_object();
  if (open != std::string_view::npos && text.ends_with('>')) {
    json.member("email", text.substr(open + 1, text.size() - open - 2));
    std::string_view name = trim(text.substr(0, open));
    if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"')) {
      name = name.substr(1, name.size() - 2);
    }
    if (!name.empty()) json.member("name", name);
  } else {
    json.member("email", text);
  }
  json.end_object();
}

void write_text(http::JsonWriter& json, std::string_view member, const std::string& value) {
  if (!value.empty()) json.member(member, value);
}

Result<void> write_headers(http::JsonWriter& json, const std::vector<std::string>& headers) {
  if (headers.empty()) return {};
  json.key("headers");
  json.begin_object();
  for (const std::string& header : headers) {
    const std::size_t colon = header.find(':');
    if (colon == std::string::npos || colon == 0) {
      return fail(ErrorKind::invalid_input, fmt::format("--header {}: \"Name: value\"", header));
    }
    json.member(trim(std::string_view(header).substr(0, colon)),
                trim(std::string_view(header).substr(colon + 1)));
  }
  json.end_object();
  return {};
}

// Types that receivers show; the engine takes any other as application/octet-stream.
std::string type_of(std::string_view name) {
  constexpr auto kTypes = std::to_array<std::pair<std::string_view, std::string_view>>({
      {".csv", "text/csv"},
      {".gif", "image/gif"},
      {".ics", "text/calendar"},
      {".jpeg", "image/jpeg"},
      {".jpg", "image/jpeg"},
      {".pdf", "application/pdf"},
      {".png", "image/png"},
      {".txt", "text/plain"},
      {".zip", "application/zip"},
  });
  const std::string lower = to_ascii_lower(name);
  for (const auto& [ending, type] : kTypes) {
    if (lower.ends_with(ending)) return std::string(type);
  }
  return "application/octet-stream";
}

// In a quoted string of a part's head. RFC 7578 section 4.2: as UTF-8, with what would end it
// percent-encoded, as browsers do.
std::string in_quotes(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

Result<MessageParts> read_parts(const MessageFields& fields, std::istream& input) {
  MessageParts parts;
  if (fields.text) parts.text = *fields.text;
  const auto take = [&](const std::string& path, std::string& to) -> Result<void> {
    auto read = read_octets(path, input, kPartOctetsMax);
    if (!read) return fail(std::move(read.error()));
    to = std::move(*read);
    return {};
  };
  if (!fields.text_file.empty()) {
    if (auto taken = take(fields.text_file, parts.text); !taken) return fail(taken.error());
  }
  if (!fields.html_file.empty()) {
    if (auto taken = take(fields.html_file, parts.html); !taken) return fail(taken.error());
  }
  for (const std::string& path : fields.attach) {
    MessageParts::Attachment attachment{.name = std::filesystem::path(path).filename().string(),
                                        .content = {}};
    if (auto taken = take(path, attachment.content); !taken) return fail(taken.error());
    parts.attachments.push_back(std::move(attachment));
  }
  return parts;
}

Result<void> check_encoding(std::string_view option, std::string_view text, Language language) {
  const Sentence found = foreign_encoding(text);
  if (found.en.empty()) return {};
  return fail(ErrorKind::invalid_input, fmt::format("{}: {}", option, found.in(language)));
}

Result<void> check_encoding(const MessageFields& fields, const MessageParts& parts,
                            Language language) {
  std::vector<std::pair<std::string, std::string_view>> texts = {
      {"--from", fields.from},
      {"--reply-to", fields.reply_to},
      {"--subject", fields.subject},
      {fields.text_file.empty() ? "--text" : "--text-file " + fields.text_file, parts.text},
      {"--html-file " + fields.html_file, parts.html},
      {"--purpose", fields.purpose},
      {"--list-id", fields.list_id},
      {"--encode", fields.encode},
      {"--duplicate-policy", fields.duplicate_policy},
      {"--unsubscribe-url", fields.unsubscribe_url},
      {"--unsubscribe-mailto", fields.unsubscribe_mailto},
      {"--template", fields.from_template},
      {"--escape", fields.escape}};
  for (const std::string& header : fields.headers) texts.emplace_back("--header", header);
  for (const std::string& tag : fields.tags) texts.emplace_back("--tag", tag);
  for (const auto& [option, text] : texts) {
    if (auto checked = check_encoding(option, text, language); !checked) return checked;
  }
  return {};
}

Result<void> write_fields(http::JsonWriter& json, const MessageFields& fields,
                          const MessageParts& parts) {
  write_party(json, "from", fields.from);
  write_party(json, "reply_to", fields.reply_to);
  write_text(json, "subject", fields.subject);
  write_text(json, "text_part", parts.text);
  write_text(json, "html_part", parts.html);
  write_text(json, "purpose", fields.purpose);
  write_text(json, "list_id", fields.list_id);
  write_text(json, "encode", fields.encode);
  write_text(json, "duplicate_policy", fields.duplicate_policy);
  write_text(json, "template", fields.from_template);
  if (fields.template_version) json.member("template_version", *fields.template_version);
  write_text(json, "escape", fields.escape);
  if (!fields.tags.empty()) {
    json.key("tags");
    json.begin_array();
    for (const std::string& tag : fields.tags) json.value(tag);
    json.end_array();
  }
  if (!fields.unsubscribe_url.empty() || !fields.unsubscribe_mailto.empty() ||
      fields.unsubscribe_one_click) {
    json.key("list_unsubscribe");
    json.begin_object();
    write_text(json, "url", fields.unsubscribe_url);
    write_text(json, "mailto", fields.unsubscribe_mailto);
    if (fields.unsubscribe_one_click) json.member("one_click", true);
    json.end_object();
  }
  return write_headers(json, fields.headers);
}

std::vector<FormFile> form_files(const MessageParts& parts) {
  std::vector<FormFile> files;
  for (const auto& attachment : parts.attachments) {
    files.push_back({.name = "file",
                     .file_name = attachment.name,
                     .type = type_of(attachment.name),
                     .content = attachment.content});
  }
  return files;
}

void set_body(ApiRequest& request, std::string json, const std::vector<FormFile>& files) {
  if (files.empty()) {
    request.body = std::move(json);
    return;
  }
  // 128 bits by chance stand in no file.
  const std::string boundary = "todoku-" + to_hex(random_octets(16));
  request.content_type = "multipart/form-data; boundary=" + boundary;
  request.body = fmt::format(
      "--{}\r\nContent-Disposition: form-data; name=\"data\"\r\nContent-Type: "
      "application/json\r\n\r\n{}\r\n",
      boundary, json);
  for (const FormFile& file : files) {
    request.body += fmt::format(
        "--{}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: "
        "{}\r\n\r\n",
        boundary, file.name, in_quotes(file.file_name),
        file.type.empty() ? "application/octet-stream" : file.type);
    request.body += file.content;
    request.body += "\r\n";
  }
  request.body += fmt::format("--{}--\r\n", boundary);
}

Result<void> write_insert_codes(http::JsonWriter& json, const std::vector<std::string>& codes) {
  if (codes.empty()) return {};
  json.key("insert_code");
  json.begin_array();
  for (const std::string& code : codes) {
    const std::size_t equals = code.find('=');
    if (equals == std::string::npos) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("--insert-code {}: \"__key__=value\"", code));
    }
    json.begin_object();
    json.member("key", std::string_view(code).substr(0, equals));
    json.member("value", std::string_view(code).substr(equals + 1));
    json.end_object();
  }
  json.end_array();
  return {};
}

Result<void> write_data(http::JsonWriter& json, const std::vector<std::string>& data) {
  if (data.empty()) return {};
  json.key("data");
  json.begin_object();
  for (const std::string& each : data) {
    const std::size_t equals = each.find('=');
    if (equals == std::string::npos) {
      return fail(ErrorKind::invalid_input, fmt::format("--data {}: \"name=value\"", each));
    }
    json.member(std::string_view(each).substr(0, equals),
                std::string_view(each).substr(equals + 1));
  }
  json.end_object();
  return {};
}

}  // namespace todoku::cli
