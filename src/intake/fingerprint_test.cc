// SPDX-License-Identifier: Apache-2.0
#include "intake/fingerprint.h"

#include <functional>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace todoku::intake {
namespace {

TransactionRequest transaction() {
  TransactionRequest request;
  request.content.from = {"shop@example.jp", "Shop"};
  request.content.subject = "Order";
  request.content.text_part = "Thank you";
  request.to = "a@example.com";
  return request;
}

Sha256 of(const TransactionRequest& request) {
  std::vector<Sha256> digests;
  for (const Attachment& attachment : request.content.attachments) {
    digests.push_back(sha256(attachment.data));
  }
  return fingerprint_of(request, digests);
}

// `changes`, each made to a request of its own: all fingerprints are different, and so is that of
// what is not changed.
template <class Request>
void expect_all_different(const Request& request,
                          const std::vector<std::function<void(Request&)>>& changes,
                          const std::function<Sha256(const Request&)>& fingerprint) {
  std::set<Sha256> seen{fingerprint(request)};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Request changed = request;
    changes[i](changed);
    EXPECT_TRUE(seen.insert(fingerprint(changed)).second) << "change " << i;
  }
}

TEST(Fingerprint, OfATransactionEveryFieldCounts) {
  using Change = std::function<void(TransactionRequest&)>;
  expect_all_different<TransactionRequest>(
      transaction(),
      {Change([](auto& r) { r.content.from.address = "shop@example.com"; }),
       Change([](auto& r) { r.content.from.name = ""; }),
       Change([](auto& r) { r.content.reply_to = Mailbox{"help@example.jp", ""}; }),
       Change([](auto& r) { r.content.reply_to = Mailbox{"help@example.jp", "Help"}; }),
       Change([](auto& r) { r.content.subject = "order"; }),
       Change([](auto& r) { r.content.text_part = ""; }),
       Change([](auto& r) { r.content.html_part = "Thank you"; }),
       Change([](auto& r) { r.content.encode = Encoding::iso_2022_jp; }),
       Change([](auto& r) { r.content.list_unsubscribe_mailto = "mailto:u@example.jp"; }),
       Change([](auto& r) { r.content.list_unsubscribe_url = "mailto:u@example.jp"; }),
       Change([](auto& r) { r.content.list_unsubscribe_one_click = true; }),
       Change([](auto& r) { r.content.attachments = {{"a.txt", "text/plain", "x"}}; }),
       Change([](auto& r) { r.content.attachments = {{"b.txt", "text/plain", "x"}}; }),
       Change([](auto& r) { r.content.attachments = {{"a.txt", "text/html", "x"}}; }),
       Change([](auto& r) { r.content.attachments = {{"a.txt", "text/plain", "y"}}; }),
       Change([](auto& r) {
         r.content.attachments = {{"a.txt", "text/plain", "x"}, {"a.txt", "text/plain", "x"}};
       }),
       Change([](auto& r) { r.content.attachments = {{"a.txt", "text/plain", "x", "logo"}}; }),
       Change([](auto& r) { r.content.headers = {{"X-A", "x"}}; }),
       Change([](auto& r) { r.content.headers = {{"X-A", "y"}}; }),
       Change([](auto& r) { r.content.headers = {{"X-A", "x"}, {"X-B", ""}}; }),
       Change([](auto& r) { r.at_most_once = true; }),
       Change([](auto& r) { r.send_at = from_epoch_ms(1); }),
       Change([](auto& r) { r.send_at = from_epoch_ms(2); }),
       Change([](auto& r) { r.expires_in = Milliseconds(1); }),
       Change([](auto& r) { r.to = "b@example.com"; }),
       Change([](auto& r) { r.cc = {"b@b.jp"}; }),
       Change([](auto& r) { r.bcc = {"b@b.jp"}; }),
       Change([](auto& r) { r.cc = {"b@b.jp", "c@c.jp"}; }),
       Change([](auto& r) { r.cc = {"c@c.jp", "b@b.jp"}; }),
       Change([](auto& r) { r.insert_codes = {{"__a__", "x"}}; }),
       Change([](auto& r) { r.insert_codes = {{"__b__", "x"}}; }),
       Change([](auto& r) { r.insert_codes = {{"__a__", "x"}, {"__b__", ""}}; }),
       Change([](auto& r) { r.insert_codes = {{"__a__", "x__b__"}}; }),
       Change([](auto& r) { r.attached.reference = "4711"; }),
       Change([](auto& r) { r.attached.metadata = {{"a", "x"}}; }),
       Change([](auto& r) { r.attached.metadata = {{"a", "x"}, {"b", ""}}; })},
      of);
}

TEST(Fingerprint, WhatMovesFromOneFieldToTheNextCounts) {
  TransactionRequest one = transaction();
  one.cc = {"ab", "c"};
  TransactionRequest other = transaction();
  other.cc = {"a", "bc"};
  EXPECT_NE(of(one), of(other));
  one.cc = {};
  other.cc = {};
  one.content.subject = "Ordertext_part";
  one.content.text_part = "x";
  other.content.subject = "Order";
  other.content.text_part = "text_partx";
  EXPECT_NE(of(one), of(other));
}

TEST(Fingerprint, HeaderFieldsComeInAnyOrder) {
  TransactionRequest one = transaction();
  one.content.headers = {{"X-A", "1"}, {"X-B", "2"}};
  TransactionRequest other = transaction();
  other.content.headers = {{"X-B", "2"}, {"X-A", "1"}};
  EXPECT_EQ(of(one), of(other));
}

// What the account decides, and what checking puts there, are not the request's.
TEST(Fingerprint, WhatIsNoFieldOfTheRequestDoesNotCount) {
  TransactionRequest request = transaction();
  const Sha256 before = of(request);
  request.content.text_from_html = false;
  request.content.open_tracking = true;
  request.content.header_to = {"a@example.com"};
  request.content.header_cc = {"a@example.com"};
  EXPECT_EQ(of(request), before);
}

// A client may repeat a request to a later version.
TEST(Fingerprint, StaysTheSameInLaterVersions) {
  EXPECT_EQ(to_hex(as_text(of(transaction()))),
            "b4bfd90d82d26f356a780992bd2ee6b2f82ca08a8658ee1ff16337017d13b64f");
}

TEST(Fingerprint, WhatIsSaidOfOpeningsCounts) {
  TransactionRequest request = transaction();
  const Sha256 before = of(request);
  request.open_tracking = true;
  const Sha256 on = of(request);
  request.open_tracking = false;
  EXPECT_NE(on, before);
  EXPECT_NE(of(request), before);
  EXPECT_NE(of(request), on);
}

TEST(Fingerprint, ABulkIsNoTransaction) {
  const TransactionRequest mail = transaction();
  EXPECT_NE(fingerprint_of(BulkRequest{.content = mail.content}, {}),
            fingerprint_of(TransactionRequest{.content = mail.content}, {}));
  EXPECT_NE(fingerprint_of(BulkRequest{.content = mail.content}, {}),
            fingerprint_of(BulkRequest{.content = mail.content, .at_most_once = true}, {}));
  EXPECT_NE(fingerprint_of(BulkRequest{.content = mail.content}, {}),
            fingerprint_of(BulkRequest{.content = mail.content,
                                       .labels = {.tags = {}, .list_id = "weekly", .purpose = {}}},
                           {}));
}

TEST(Fingerprint, OfAnUpdateEveryFieldCountsAndEmptyIsNotAbsent) {
  using Change = std::function<void(UpdateRequest&)>;
  expect_all_different<UpdateRequest>(
      {},
      {Change([](auto& r) { r.from = Mailbox{"a@example.jp", ""}; }),
       Change([](auto& r) { r.reply_to = Mailbox{"a@example.jp", ""}; }),
       Change([](auto& r) { r.subject = ""; }),
       Change([](auto& r) { r.subject = "x"; }),
       Change([](auto& r) { r.text_part = ""; }),
       Change([](auto& r) { r.html_part = ""; }),
       Change([](auto& r) { r.list_unsubscribe_mailto = ""; }),
       Change([](auto& r) { r.list_unsubscribe_url = ""; }),
       Change([](auto& r) { r.list_unsubscribe_one_click = false; }),
       Change([](auto& r) { r.list_unsubscribe_one_click = true; }),
       Change([](auto& r) { r.headers.emplace(); }),
       Change([](auto& r) { r.headers = std::vector<ExtraHeader>{{"X-A", "x"}}; }),
       Change([](auto& r) { r.inline_parts.emplace(); }),
       Change([](auto& r) { r.inline_parts = {{Attachment{"a.png", "image/png", "x", "logo"}}}; }),
       Change([](auto& r) { r.inline_parts = {{Attachment{"a.png", "image/png", "x", "l"}}}; }),
       Change([](auto& r) { r.to.emplace(); }),
       Change([](auto& r) { r.to = {RecipientRequest{"a@example.jp", {}}}; }),
       Change([](auto& r) { r.to = {RecipientRequest{"a@example.jp", {{"__a__", "x"}}}}; }),
       Change([](auto& r) { r.at_most_once = false; }),
       Change([](auto& r) { r.at_most_once = true; }),
       Change([](auto& r) { r.labels.tags.emplace(); }),
       Change([](auto& r) { r.labels.tags = {"spring"}; }),
       Change([](auto& r) { r.labels.list_id = "weekly"; }),
       Change([](auto& r) { r.labels.purpose = "notice"; }),
       Change([](auto& r) { r.keep_duplicates = true; })},
      [](const UpdateRequest& request) {
        const std::vector<Sha256> digests(request.inline_parts ? request.inline_parts->size() : 0);
        return fingerprint_of(7, request, digests);
      });
  EXPECT_NE(fingerprint_of(7, UpdateRequest{}), fingerprint_of(8, UpdateRequest{}));
}

TEST(Fingerprint, OfACommitItsDeliveryAndItsTimeCount) {
  const Instant time = from_epoch_ms(1'800'000'000'000);
  const std::set<Sha256> seen{fingerprint_of(7, std::optional<Instant>()),
                              fingerprint_of(7, std::optional(time)),
                              fingerprint_of(8, std::optional(time)),
                              fingerprint_of(7, std::optional(time + Milliseconds(1)))};
  EXPECT_EQ(seen.size(), 4U);
}

TEST(Fingerprint, OfARecipientAndAnImportEveryFieldCounts) {
  using Change = std::function<void(RecipientRequest&)>;
  expect_all_different<RecipientRequest>(
      {.email = "a@example.jp"},
      {Change([](auto& r) { r.email = "b@example.jp"; }),
       Change([](auto& r) { r.insert_codes = {{"__a__", ""}}; }),
       Change([](auto& r) { r.attached.reference = "4711"; })},
      [](const RecipientRequest& request) { return fingerprint_of(7, request); });
  using Other = std::function<void(store::NewImport&)>;
  const Sha256 list = sha256("email\n");
  expect_all_different<store::NewImport>(
      {},
      {Other([](auto& i) { i.ignore_errors = true; }), Other([](auto& i) { i.immediate = true; }),
       Other([](auto& i) { i.keep_duplicates = true; }), Other([](auto& i) { i.dry_run = true; }),
       Other([](auto& i) { i.form = store::ImportForm::ndjson; })},
      [&](const store::NewImport& import) { return fingerprint_of(7, import, list); });
  const store::NewImport japanese{.language = Language::japanese, .upload = "another name"};
  EXPECT_EQ(fingerprint_of(7, japanese, list), fingerprint_of(7, store::NewImport{}, list));
  EXPECT_NE(fingerprint_of(7, japanese, sha256("email")), fingerprint_of(7, japanese, list));
}

TEST(Fingerprint, OfASuppressionAndAnExportEveryFieldCounts) {
  using Change = std::function<void(SuppressionRequest&)>;
  expect_all_different<SuppressionRequest>(
      {.address = "a@example.jp"},
      {Change([](auto& r) { r.address = "b@example.jp"; }),
       Change([](auto& r) { r.reason = "unsubscribe"; }),
       Change([](auto& r) { r.scope = "advertisements"; }),
       Change([](auto& r) { r.list_id = "advertisements"; }),
       Change([](auto& r) { r.note = "advertisements"; }), Change([](auto& r) { r.days = 1; })},
      [](const SuppressionRequest& request) { return fingerprint_of(request); });
  using Other = std::function<void(store::NewExport&)>;
  expect_all_different<store::NewExport>(
      {.kind = store::ExportKind::error_list, .parameters = "x"},
      {Other([](auto& e) { e.kind = store::ExportKind::open_report; }),
       Other([](auto& e) { e.parameters = "y"; })},
      [](const store::NewExport& wanted) { return fingerprint_of(wanted); });
}

}  // namespace
}  // namespace todoku::intake
