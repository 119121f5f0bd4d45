// SPDX-License-Identifier: Apache-2.0
// What a mail of the command line has, as the request bodies of the API say it: fields as JSON,
// with files as multipart/form-data (RFC 7578). What is right in them is the engine's to say.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "base/result.h"
#include "cli/api_port.h"
#include "http/json.h"

namespace todoku::cli {

struct MessageFields {
  std::string from;  // "a@example.jp" or "Name <a@example.jp>"
  std::string reply_to;
  std::string subject;
  std::optional<std::string> text;
  std::string text_file;  // "-": standard input
  std::string html_file;
  std::vector<std::string> attach;   // files
  std::vector<std::string> headers;  // "Name: value"
  std::vector<std::string> tags;
  std::string purpose;
  std::string list_id;
  std::string encode;
  std::string duplicate_policy;
  std::string unsubscribe_url;
  std::string unsubscribe_mailto;
  bool unsubscribe_one_click = false;
  std::string from_template;  // its id or its name
  std::optional<std::int64_t> template_version;
  std::string escape;  // html or none
};

// Files that were read: what the fields name.
struct MessageParts {
  std::string text;
  std::string html;
  struct Attachment {
    std::string name;  // without its folder
    std::string content;
  };
  std::vector<Attachment> attachments;
};

// Errors: not_found, io, limit_exceeded (32 MiB a file).
[[nodiscard]] Result<MessageParts> read_parts(const MessageFields& fields, std::istream& input);

// What is sent as text must be UTF-8: what is not would be sent as U+FFFD. Errors: invalid_input, a
// sentence for the user that names the option and its file.
[[nodiscard]] Result<void> check_encoding(const MessageFields& fields, const MessageParts& parts,
                                          Language language);
// The same of one option's value.
[[nodiscard]] Result<void> check_encoding(std::string_view option, std::string_view text,
                                          Language language);

// Members of an object that is open. Errors: invalid_input (a header without a colon).
[[nodiscard]] Result<void> write_fields(http::JsonWriter& json, const MessageFields& fields,
                                        const MessageParts& parts);

// The member `insert_code` of an object that is open, of "__key__=value" each; none of none.
// Errors: invalid_input, a sentence that names the option.
[[nodiscard]] Result<void> write_insert_codes(http::JsonWriter& json,
                                              const std::vector<std::string>& codes);

// The member `data` of an object that is open, of "name=value" each; none of none. Errors:
// invalid_input, a sentence that names the option.
[[nodiscard]] Result<void> write_data(http::JsonWriter& json, const std::vector<std::string>& data);

struct FormFile {
  std::string name;  // of the part: "file"
  std::string file_name;
  std::string type;  // empty: application/octet-stream
  std::string content;
};
// `request` with this body: JSON alone, or a form with it in the part `data`.
void set_body(ApiRequest& request, std::string json, const std::vector<FormFile>& files);
[[nodiscard]] std::vector<FormFile> form_files(const MessageParts& parts);

}  // namespace todoku::cli
