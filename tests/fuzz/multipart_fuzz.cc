// SPDX-License-Identifier: Apache-2.0
// Any octets as a multipart body. Oracles: nothing dies; parts do not depend on how the octets come
// in pieces; what is put into a part comes out of it; file names are harmless.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "base/random.h"
#include "http/header_value.h"
#include "http/multipart.h"

namespace todoku::http {
namespace {

constexpr MultipartLimits kLimits{.parts_max = 20, .part_header_max = 200, .preamble_max = 300};

struct Parsed {
  std::vector<std::string> parts;  // name, file name, type and content of each
  std::string error;
  bool finished = false;
  friend bool operator==(const Parsed&, const Parsed&) = default;
};

void check_part(const Part& part) {
  if (!part.file_name) return;
  check(is_utf8(*part.file_name), "a file name is UTF-8");
  check(part.file_name->find_first_of("/\\\r\n") == std::string::npos, "a file name is a name");
}

// True while more is wanted.
bool drain(MultipartParser& parser, Parsed& parsed) {
  for (;;) {
    const auto event = parser.next();
    if (!event) {
      parsed.error = event.error().detail;
      return false;
    }
    switch (event->kind) {
      case MultipartEvent::Kind::need_more:
        return true;
      case MultipartEvent::Kind::part_begin: {
        const Part& part = parser.part();
        check_part(part);
        parsed.parts.push_back(part.name + "\n" + part.file_name.value_or("") + "\n" +
                               part.media_type + "\n");
        break;
      }
      case MultipartEvent::Kind::data:
        check(!event->data.empty(), "data is not empty");
        parsed.parts.back() += event->data;
        break;
      case MultipartEvent::Kind::part_end:
        break;
      case MultipartEvent::Kind::finished:
        parsed.finished = true;
        return false;
    }
  }
}

Parsed parse(std::string_view boundary, std::string_view octets, Random& random,
             std::size_t piece_max) {
  Parsed parsed;
  MultipartParser parser(boundary, kLimits);
  bool more = drain(parser, parsed);
  while (more && !octets.empty()) {
    const std::size_t size =
        piece_max == 0 ? octets.size()
                       : std::min<std::size_t>(1 + random.below(piece_max), octets.size());
    parser.push(octets.substr(0, size));
    octets.remove_prefix(size);
    more = drain(parser, parsed);
  }
  if (more) {
    parser.end_of_input();
    check(!drain(parser, parsed), "the end is the end");
    check(!parsed.error.empty(), "what ends without its last boundary is truncated");
  }
  return parsed;
}

void check_round_trip(std::string_view boundary, std::string_view content, Random& random) {
  const std::string line = "\r\n--" + std::string(boundary);
  if (("\r\n" + std::string(content)).contains(line)) return;
  const std::string body = line.substr(2) +
                           "\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n" +
                           std::string(content) + line + "--\r\n";
  const Parsed parsed = parse(boundary, body, random, 7);
  check(parsed.finished && parsed.parts.size() == 1, "one part comes out");
  check(parsed.parts.front() == "x\n\n\n" + std::string(content), "the content comes out");
}

}  // namespace
}  // namespace todoku::http

// The first octet seeds the pieces; the first line is the Content-Type; the rest is the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku;
  if (size == 0) return 0;
  SeededRandom random(data[0]);
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t line = std::min(input.find('\n'), input.size());
  const auto boundary = http::multipart_boundary(input.substr(0, line));
  (void)http::media_type(input.substr(0, line));
  if (!boundary) return 0;
  const std::string_view body = input.substr(std::min(line + 1, input.size()));
  const http::Parsed whole = http::parse(*boundary, body, random, 0);
  const http::Parsed pieces = http::parse(*boundary, body, random, 1 + data[0] % 32);
  // Broken headers are refused as a block, so the parts before a mistake are the same, too.
  check(whole == pieces, "pieces do not matter");
  http::check_round_trip(*boundary, body, random);
  return 0;
}
