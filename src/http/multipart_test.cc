// SPDX-License-Identifier: Apache-2.0
#include "http/multipart.h"

#include <gtest/gtest.h>

#include "async/runtime.h"
#include "base/random.h"
#include "http/multipart_reader.h"

namespace todoku::http {
namespace {

struct Got {
  std::string name;
  std::optional<std::string> file_name;
  std::string media_type;
  std::string data;
  friend bool operator==(const Got&, const Got&) = default;
};

void PrintTo(const Got& got, std::ostream* out) {
  *out << got.name << " / " << got.file_name.value_or("(none)") << " / " << got.media_type << " / "
       << got.data;
}

struct Outcome {
  std::vector<Got> parts;
  std::string error;  // empty: finished
};

// Takes what is there; false once finished or failed.
bool drain(MultipartParser& parser, Outcome& outcome) {
  for (;;) {
    const auto event = parser.next();
    if (!event) {
      outcome.error = event.error().detail;
      return false;
    }
    switch (event->kind) {
      case MultipartEvent::Kind::need_more:
        return true;
      case MultipartEvent::Kind::part_begin:
        outcome.parts.push_back(
            {parser.part().name, parser.part().file_name, parser.part().media_type, {}});
        break;
      case MultipartEvent::Kind::data:
        EXPECT_FALSE(event->data.empty());
        outcome.parts.back().data += event->data;
        break;
      case MultipartEvent::Kind::part_end:
        break;
      case MultipartEvent::Kind::finished:
        return false;
    }
  }
}

template <class NextSize>
Outcome parse_in_pieces(std::string_view boundary, std::string_view body, NextSize next_size,
                        MultipartLimits limits = {}) {
  Outcome outcome;
  MultipartParser parser(boundary, limits);
  bool going_on = drain(parser, outcome);
  while (going_on && !body.empty()) {
    const std::size_t size = std::min<std::size_t>(next_size(), body.size());
    parser.push(body.substr(0, size));
    body.remove_prefix(size);
    going_on = drain(parser, outcome);
  }
  if (going_on) {
    parser.end_of_input();
    drain(parser, outcome);
  }
  return outcome;
}

Outcome parse(std::string_view boundary, std::string_view body, MultipartLimits limits = {}) {
  return parse_in_pieces(boundary, body, [] { return SIZE_MAX; }, limits);
}

// One client of blastengine-api.md section 2.2: what its request looks like, byte for byte.
struct ClientCase {
  std::string_view client;
  std::string_view content_type;
  std::string_view body;
  std::vector<Got> parts;
};

const std::string kJson = R"({"subject":"s"})";

const std::vector<ClientCase>& client_cases() {
  static const std::vector<ClientCase> cases = {
      {"Node",
       "multipart/form-data; boundary=--------------------------735323031399963166993862",
       "----------------------------735323031399963166993862\r\n"
       "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n"
       "Content-Type: text/plain\r\n\r\n"
       "line 1\r\nline 2\r\n\r\n"
       "----------------------------735323031399963166993862\r\n"
       "Content-Disposition: form-data; name=\"data\"\r\n"
       "Content-Type: application/json\r\n\r\n"
       "{\"subject\":\"s\"}\r\n"
       "----------------------------735323031399963166993862--\r\n",
       {{"file", "a.txt", "text/plain", "line 1\r\nline 2\r\n"},
        {"data", std::nullopt, "application/json", kJson}}},
      {"Python",
       "multipart/form-data; boundary=8a0c6dfc0a9c4b7d9f0e6a5b4c3d2e1f",
       "--8a0c6dfc0a9c4b7d9f0e6a5b4c3d2e1f\r\n"
       "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n"
       "Content-Type: ('text/plain', None)\r\n\r\n"
       "x\r\n"
       "--8a0c6dfc0a9c4b7d9f0e6a5b4c3d2e1f\r\n"
       "Content-Disposition: form-data; name=\"data\"; filename=\"data.json\"\r\n"
       "Content-Type: application/json\r\n\r\n"
       "{\"subject\":\"s\"}\r\n"
       "--8a0c6dfc0a9c4b7d9f0e6a5b4c3d2e1f--\r\n",
       {{"file", "a.txt", "text/plain", "x"}, {"data", "data.json", "application/json", kJson}}},
      {"PHP",
       "multipart/form-data; boundary=2f4ad2e5d2c7ee0f4f2ab0d3b9aa7ff8b5a1a0d1",
       "--2f4ad2e5d2c7ee0f4f2ab0d3b9aa7ff8b5a1a0d1\r\n"
       "Content-Disposition: form-data; name=\"data\"\r\n"
       "Content-Length: 15\r\n"
       "Content-Type: application/json\r\n\r\n"
       "{\"subject\":\"s\"}\r\n"
       "--2f4ad2e5d2c7ee0f4f2ab0d3b9aa7ff8b5a1a0d1\r\n"
       "Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n"
       "Content-Length: 3\r\n"
       "Content-Type: image/png\r\n\r\n"
       "\x89PN\r\n"
       "--2f4ad2e5d2c7ee0f4f2ab0d3b9aa7ff8b5a1a0d1--\r\n",
       {{"data", std::nullopt, "application/json", kJson},
        {"file", "a.png", "image/png", "\x89PN"}}},
      {"Ruby",
       "multipart/form-data; boundary=-----------RubyMultipartPost-4a2c",
       "-------------RubyMultipartPost-4a2c\r\n"
       "Content-Disposition: form-data; name=\"data\"\r\n"
       "Content-Type: application/json\r\n\r\n"
       "{\"subject\":\"s\"}\r\n"
       "-------------RubyMultipartPost-4a2c\r\n"
       "Content-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n"
       "Content-Length: 6\r\n"
       "Content-Type: text/csv\r\n"
       "Content-Transfer-Encoding: binary\r\n\r\n"
       "email\n\r\n"
       "-------------RubyMultipartPost-4a2c\r\n"
       "Content-Disposition: form-data; name=\"file\"; filename=\"b.csv\"\r\n"
       "Content-Length: 0\r\n"
       "Content-Type: text/csv\r\n"
       "Content-Transfer-Encoding: binary\r\n\r\n"
       "\r\n"
       "-------------RubyMultipartPost-4a2c--\r\n\r\n",
       {{"data", std::nullopt, "application/json", kJson},
        {"file", "a.csv", "text/csv", "email\n"},
        {"file", "b.csv", "text/csv", ""}}},
      {"Go",
       "multipart/form-data; boundary=7c1e9e3d5b0f4b7a6f8e2d4c1b3a59687f6e5d4c3b2a1908f7e6d5c4b3a2",
       "--7c1e9e3d5b0f4b7a6f8e2d4c1b3a59687f6e5d4c3b2a1908f7e6d5c4b3a2\r\n"
       "Content-Disposition: form-data; name=\"data\"\r\n"
       "Content-Type: application/json\r\n\r\n"
       "{\"subject\":\"s\"}\r\n"
       "--7c1e9e3d5b0f4b7a6f8e2d4c1b3a59687f6e5d4c3b2a1908f7e6d5c4b3a2\r\n"
       "Content-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".txt\"\r\n"
       "Content-Type: application/octet-stream\r\n\r\n"
       "x\r\n"
       "--7c1e9e3d5b0f4b7a6f8e2d4c1b3a59687f6e5d4c3b2a1908f7e6d5c4b3a2--\r\n",
       {{"data", std::nullopt, "application/json", kJson},
        {"file", "a \"b\".txt", "application/octet-stream", "x"}}},
      {"Java",
       "multipart/form-data; boundary=aZ_-9xQ3kP; charset=UTF-8",
       "--aZ_-9xQ3kP\r\n"
       "Content-Disposition: form-data; name=\"data\"; filename=\"data\"\r\n"
       "Content-Type: application/json; charset=UTF-8\r\n\r\n"
       "{\"subject\":\"s\"}\r\n"
       "--aZ_-9xQ3kP\r\n"
       "Content-Disposition: form-data; name=\"file\"; filename=\"届.txt\"\r\n"
       "Content-Type: text/plain\r\n\r\n"
       "x\r\n"
       "--aZ_-9xQ3kP--\r\n",
       {{"data", "data", "application/json", kJson}, {"file", "届.txt", "text/plain", "x"}}},
      {"C#",
       "multipart/form-data; boundary=\"0c2f8d0e-5d0c-4b52-9c1e-0a3b9a1d7e11\"",
       "--0c2f8d0e-5d0c-4b52-9c1e-0a3b9a1d7e11\r\n"
       "Content-Type: application/json; charset=utf-8\r\n"
       "Content-Disposition: form-data; name=data\r\n\r\n"
       "{\"subject\":\"s\"}\r\n"
       "--0c2f8d0e-5d0c-4b52-9c1e-0a3b9a1d7e11\r\n"
       "Content-Type: application/octet-stream\r\n"
       "Content-Disposition: form-data; name=file; filename=\"=?utf-8?B?5bGKLnR4dA==?=\"; "
       "filename*=utf-8''%E5%B1%8A.txt\r\n\r\n"
       "x\r\n"
       "--0c2f8d0e-5d0c-4b52-9c1e-0a3b9a1d7e11--\r\n",
       {{"data", std::nullopt, "application/json", kJson},
        {"file", "届.txt", "application/octet-stream", "x"}}},
      {"Google Apps Script",
       "multipart/form-data; boundary=--blastengine1700000000000",
       "----blastengine1700000000000\r\n"
       "Content-Disposition: form-data; name=\"file\"; filename=\"=?UTF-8?B?5bGKLnR4dA==?=\"\r\n"
       "Content-Type: text/plain; charset=UTF-8\r\n\r\n"
       "x\r\n"
       "----blastengine1700000000000\r\n"
       "Content-Disposition: form-data; name=\"data\"; "
       "filename=\"=?UTF-8?B?ZGF0YS5qc29u?=\"\r\n"
       "Content-Type: application/json; charset=UTF-8\r\n\r\n"
       "{\"subject\":\"s\"}\r\n"
       "----blastengine1700000000000--\r\n",
       {{"file", "届.txt", "text/plain", "x"}, {"data", "data.json", "application/json", kJson}}},
      {"VBA",
       "multipart/form-data; boundary=--base1234;",
       "----base1234\r\n"
       "Content-Disposition: form-data; name=\"data\"; filename=\"base.json\"\r\n"
       "Content-Type: application/json\r\n\r\n"
       "{\"subject\":\"s\"}\r\n"
       "----base1234\r\n"
       "Content-Disposition: form-data; name=\"file\"; filename=\"a.xlsx\"\r\n"
       "Content-Type: application/vnd.ms-excel\r\n\r\n"
       "PK\x03\x04\r\n----base123\r\n--\r\n"
       "----base1234--",
       {{"data", "base.json", "application/json", kJson},
        {"file", "a.xlsx", "application/vnd.ms-excel", "PK\x03\x04\r\n----base123\r\n--"}}},
      {"MCP",
       "multipart/form-data; boundary=----formdata-undici-012345678901",
       "------formdata-undici-012345678901\r\n"
       "Content-Disposition: form-data; name=\"file\"; filename=\"recipients.csv\"\r\n"
       "Content-Type: text/csv\r\n\r\n"
       "email,__name__\r\na@example.jp,A\r\n\r\n"
       "------formdata-undici-012345678901\r\n"
       "Content-Disposition: form-data; name=\"data\"; filename=\"data.json\"\r\n"
       "Content-Type: application/json\r\n\r\n"
       "{\"ignore_errors\":\"true\"}\r\n"
       "------formdata-undici-012345678901--\r\n",
       {{"file", "recipients.csv", "text/csv", "email,__name__\r\na@example.jp,A\r\n"},
        {"data", "data.json", "application/json", R"({"ignore_errors":"true"})"}}},
  };
  return cases;
}

TEST(Multipart, ReadsTheBytesOfEveryKnownClient) {
  for (const ClientCase& client : client_cases()) {
    const auto boundary = multipart_boundary(client.content_type);
    ASSERT_TRUE(boundary) << client.client;
    const Outcome outcome = parse(*boundary, client.body);
    EXPECT_EQ(outcome.error, "") << client.client;
    EXPECT_EQ(outcome.parts, client.parts) << client.client;
  }
}

TEST(Multipart, ReadsTheSameHoweverTheBodyIsCut) {
  for (const ClientCase& client : client_cases()) {
    const std::string boundary = multipart_boundary(client.content_type).value();
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      SeededRandom random(seed);
      const std::uint64_t largest = 1 + random.below(60);
      const Outcome outcome =
          parse_in_pieces(boundary, client.body, [&] { return 1 + random.below(largest); });
      ASSERT_EQ(outcome.error, "") << client.client << ", seed " << seed;
      ASSERT_EQ(outcome.parts, client.parts) << client.client << ", seed " << seed;
    }
  }
}

TEST(Multipart, EveryTruncationIsFound) {
  for (const ClientCase& client : client_cases()) {
    const std::string boundary = multipart_boundary(client.content_type).value();
    const std::size_t whole = client.body.rfind("--") + 2;
    for (std::size_t size = 0; size < whole; ++size) {
      const Outcome outcome = parse(boundary, client.body.substr(0, size));
      ASSERT_TRUE(outcome.error.starts_with("the multipart body is truncated"))
          << client.client << " cut to " << size << ": " << outcome.error;
    }
    EXPECT_EQ(parse(boundary, client.body.substr(0, whole)).error, "") << client.client;
  }
}

TEST(Multipart, SaysWhereItIsTruncated) {
  EXPECT_EQ(parse("b", "--b\r\nContent-Disposition: form-data; name=file\r\n\r\nabc").error,
            "the multipart body is truncated: it ends in part 1 (\"file\"), before its closing "
            "boundary");
  EXPECT_EQ(parse("b", "--b\r\nContent-Disp").error,
            "the multipart body is truncated: it ends in the headers of part 1");
  EXPECT_EQ(parse("b", "").error,
            "the multipart body is truncated: it ends before its first boundary");
}

TEST(Multipart, SkipsPreambleEpiloguePaddingAndFoldedHeaders) {
  const Outcome outcome =
      parse("b",
            "This is a preamble.\r\n--bc\r\n--b \t\r\nContent-Disposition: form-data;\r\n"
            " name=\"x\"\r\n\r\n1\r\n--b--\r\nepilogue\r\n--b\r\n");
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.parts, (std::vector<Got>{{"x", std::nullopt, "", "1"}}));
}

TEST(Multipart, PartsMayBeEmptyOrHaveNoHeaders) {
  const Outcome outcome = parse("b",
                                "--b\r\n\r\nx\r\n--b\r\n\r\n\r\n--b\r\n\r\n--b\r\nA: b\r\n\r\n"
                                "--b--");
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.parts, (std::vector<Got>{{"", std::nullopt, "", "x"},
                                             {"", std::nullopt, "", ""},
                                             {"", std::nullopt, "", ""},
                                             {"", std::nullopt, "", ""}}));
  EXPECT_EQ(parse("b", "--b--").error, "");
}

TEST(Multipart, RefusesLinesThatEndWithLineFeedAlone) {
  const std::string expected = "the lines of a multipart body end with CR LF, these with LF alone";
  EXPECT_EQ(parse("b", "--b\nContent-Disposition: form-data; name=x\n\n1\n--b--\n").error,
            expected);
  EXPECT_EQ(parse("b", "--b\r\nContent-Disposition: form-data; name=x\n\n1\r\n--b--\r\n").error,
            expected);
}

TEST(Multipart, KeepsToItsLimits) {
  const std::string part = "--b\r\n\r\nx\r\n";
  EXPECT_EQ(parse("b", part + part + part + "--b--", {.parts_max = 2}).error,
            "the multipart body has more than 2 parts");
  EXPECT_EQ(parse("b", "--b\r\nX: " + std::string(100, 'y'), {.part_header_max = 50}).error,
            "the headers of multipart part 1 are longer than 50 octets");
  EXPECT_EQ(parse("b", std::string(200, 'y'), {.preamble_max = 100}).error,
            "the multipart body has no boundary line within its first 100 octets");
}

TEST(Multipart, RefusesEncodedPartsAndBrokenHeaders) {
  EXPECT_EQ(parse("b", "--b\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--b--").error,
            "multipart part 1 has Content-Transfer-Encoding base64; send it as binary");
  EXPECT_EQ(parse("b", "--b\r\nnonsense\r\n\r\nx\r\n--b--").error,
            "multipart part 1 has a header line without a name and a colon");
}

TEST(Multipart, AnErrorStays) {
  MultipartParser parser("b");
  parser.push("--b\n");
  const auto first = parser.next();
  ASSERT_FALSE(first);
  parser.push("--b\r\n\r\nx\r\n--b--");
  const auto second = parser.next();
  ASSERT_FALSE(second);
  EXPECT_EQ(first.error(), second.error());
}

TEST(MultipartBoundary, IsReadTolerantlyAndNeeded) {
  EXPECT_EQ(multipart_boundary("Multipart/Form-Data;BOUNDARY=a=b"), "a=b");
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=\"a b\"; x=y"), "a b");
  EXPECT_FALSE(multipart_boundary("multipart/form-data"));
  EXPECT_FALSE(multipart_boundary("multipart/form-data; boundary="));
  EXPECT_FALSE(multipart_boundary("application/json"));
  EXPECT_FALSE(multipart_boundary("multipart/form-data; boundary=" + std::string(300, 'x')));
}

Task<void> read_parts(MultipartReader& reader, std::vector<std::string>& contents,
                      std::string& error) {
  for (;;) {
    const auto event = co_await reader.next();
    if (!event) error = event.error().detail;
    if (!event || event->kind == MultipartEvent::Kind::finished) co_return;
    if (reader.part().name == "skipped") {
      const auto skipped = co_await reader.skip_part();
      if (!skipped) error = skipped.error().detail;
      continue;
    }
    const auto content = co_await reader.read_part(8);
    if (!content) {
      error = content.error().detail;
      co_return;
    }
    contents.push_back(*content);
  }
}

TEST(MultipartReader, ReadsPartsFromABody) {
  Request request;
  request.headers.add("content-type", "multipart/form-data; boundary=b");
  TextBody body(
      "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n12345678\r\n"
      "--b\r\nContent-Disposition: form-data; name=skipped\r\n\r\n123456789\r\n"
      "--b\r\nContent-Disposition: form-data; name=c\r\n\r\n123456789\r\n--b--");
  auto reader = MultipartReader::open(request, body);
  ASSERT_TRUE(reader);
  std::vector<std::string> contents;
  std::string error;
  async::run_to_completion(read_parts(*reader, contents, error));
  EXPECT_EQ(contents, std::vector<std::string>{"12345678"});
  EXPECT_EQ(error, "multipart part \"c\" is longer than 8 octets");
}

}  // namespace
}  // namespace todoku::http
