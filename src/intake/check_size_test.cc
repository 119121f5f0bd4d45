// SPDX-License-Identifier: Apache-2.0
#include "intake/check_size.h"

#include <gtest/gtest.h>

namespace todoku::intake {
namespace {

std::string told(const Problems& problems) {
  std::string out;
  for (const Problem& problem : problems.list()) {
    for (const std::string& step : problem.path) out += step + ".";
    out += " " + problem.text.en + "\n";
  }
  return out;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

// 119 KB of request for mails of hundreds of megabytes, within every other limit.
TransactionRequest explosive() {
  TransactionRequest request;
  request.content.from = {"shop@shop.example", ""};
  request.content.subject = "s";
  request.content.text_part = repeated("%%a%%", 6'144);
  request.content.html_part = repeated("%%a%%", 14'336);
  request.to = "a@example.jp";
  request.insert_codes = {{"__b__", "harmless"}, {"%%a%%", repeated("値", 4096)}};
  return request;
}

TEST(CheckSize, NamesTheValueItsPlacesAndTheLimit) {
  TransactionRequest request = explosive();
  Problems problems;
  (void)check_transaction(request, Limits{}, problems);
  const std::string found = told(problems);
  EXPECT_TRUE(
      found.starts_with("insert_code.1.value. this value for %%a%% stands in 20480 places "
                        "and makes a mail of 34"))
      << found;
  EXPECT_TRUE(found.ends_with(" bytes; the limit is 10240000 bytes.\n")) << found;
}

TEST(CheckSize, TakesWhatPeopleSend) {
  TransactionRequest request = explosive();
  request.insert_codes[1].value = "山田太郎";
  Problems problems;
  (void)check_transaction(request, Limits{}, problems);
  EXPECT_EQ(told(problems), "");
  // Every other limit at its end at once.
  request.content.text_part = repeated("😀", 30 * 1024);
  request.content.html_part = repeated("😀", 70 * 1024 - 5) + "%%a%%";
  request.insert_codes[1].value = repeated("😀", 4096);
  request.content.attachments = {{"a.bin", "", std::string(std::size_t{1} << 20U, 'x')}};
  for (int i = 0; i < 10; ++i) request.cc.push_back("c" + std::to_string(i) + "@example.jp");
  (void)check_transaction(request, Limits{}, problems);
  EXPECT_EQ(told(problems), "");
}

TEST(CheckSize, OfTheContentAloneNamesItsLargestField) {
  Limits limits;
  limits.message_octets_max = 100'000;
  Content content = explosive().content;
  content.html_part = std::string(70'000, '=');
  Problems problems;
  check_content(content, limits, problems);
  EXPECT_TRUE(told(problems).starts_with("html_part. makes a mail of 2")) << told(problems);
  content.html_part.clear();
  content.attachments = {{"a.bin", "", std::string(200'000, 'x')}};
  problems = {};
  check_content(content, limits, problems);
  EXPECT_TRUE(told(problems).starts_with("file. makes a mail of 3")) << told(problems);
}

TEST(CheckSize, OfADraftCountsItsAttachmentsAndTheRecipientsPath) {
  store::Delivery draft;
  draft.content = explosive().content;
  draft.content.attachments.clear();
  Problems problems;
  check_draft_size(draft, size_of(draft), Limits{}, problems);
  EXPECT_EQ(told(problems), "");
  check_codes_size({{"%%a%%", std::string(4096, 'x')}}, size_of(draft), {"to", "7"}, Limits{},
                   problems);
  EXPECT_TRUE(told(problems).starts_with("to.7.insert_code.0.value. this value")) << told(problems);
  draft.attachments.push_back({.size = 20'000'000});
  problems = {};
  check_draft_size(draft, size_of(draft), Limits{}, problems);
  EXPECT_TRUE(told(problems).starts_with("file. makes a mail of 27")) << told(problems);
}

}  // namespace
}  // namespace todoku::intake
