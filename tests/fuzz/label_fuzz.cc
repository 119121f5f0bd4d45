// SPDX-License-Identifier: Apache-2.0
// What others write about their files and links: media types, file names, URIs. Oracles: whatever
// is given, what stands in the mail is ASCII without line breaks of its own, bounded, and stays as
// it is when it is read again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "mime/file_name.h"
#include "mime/media_type.h"
#include "mime/text.h"
#include "mime/uri.h"

namespace todoku::mime {
namespace {

bool is_line(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

void check_media_type(std::string_view given) {
  std::string value = content_type_value(given);
  check(value.size() <= kMediaTypeOctetsMax, "a media type is bounded");
  std::string unfolded;
  for (std::string_view rest = value; !rest.empty();) {
    const std::size_t end = std::min(rest.find("\r\n "), rest.size());
    unfolded += rest.substr(0, end);
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  check(is_line(unfolded), "a media type is one field");
  check(content_type_value(unfolded) == value, "a media type reads as it was written");
}

void check_uri(std::string_view given) {
  const auto uri = valid_uri(given);
  if (!uri) return;
  check(uri->size() <= kUriOctetsMax && is_line(*uri), "a URI is one line");
  check(uri->find_first_of("<>\" ,\\") == std::string::npos, "a URI stays in its brackets");
  const auto again = valid_uri(*uri);
  check(again && *again == *uri, "what is valid stays");
}

void check_file_name(std::string_view given) {
  const std::string name = clean_file_name(given);
  check(!name.empty() && name.size() <= 200 && is_clean_text(name), "a name is one line");
  for (const std::string& extension : file_extensions(given)) {
    check(extension.find_first_of(":/\\.") == std::string::npos, "an extension is one");
  }
}

void run(std::string_view input) {
  check_media_type(input);
  check_media_type("text/plain;" + std::string(input));
  check_uri(input);
  check_uri("https://" + std::string(input));
  check_file_name(input);
}

}  // namespace
}  // namespace todoku::mime

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  todoku::mime::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
