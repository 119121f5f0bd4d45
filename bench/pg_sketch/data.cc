// SPDX-License-Identifier: Apache-2.0
#include "data.h"

#include <cstdlib>

#include <fmt/format.h>

#include "schema.h"

namespace todoku::pg_sketch {
namespace {

constexpr std::string_view kInsertBatches =
    "INSERT INTO batches SELECT {0} + n, {0}, 1, NULL, 1, '', 1, {2}, 0, {2}, 0, {3}, {4}, {5}, 0"
    " FROM generate_series(0, {1} - 1) n";

void store_delivery(Link& link, std::int64_t key, std::int64_t total) {
  must(link, fmt::format("INSERT INTO deliveries VALUES({0}, 1, {0}, 2, 1, 5, 0, 0, 0, 0, 0, {1},"
                         " NULL, {2}, 0, 0, 0, 0, 0, 0, 0, '')",
                         key, std::int64_t{1} << 50, total));
}

}  // namespace

void must(Link& link, const std::string& sql) {
  if (const auto done = link.simple(sql); !done) {
    fmt::print(stderr, "{}\n", done.error().detail);
    std::exit(1);
  }
}

void store_accounts_and_nodes(Link& link) {
  must(link, kSchema);
  must(link, fmt::format("INSERT INTO accounts SELECT n, 'account' || n, 1, 1"
                         " FROM generate_series(1, {}) n;"
                         "INSERT INTO nodes VALUES(1, 'a', 0), (2, 'b', 1), (3, 'c', 0);"
                         "INSERT INTO node_leases VALUES(1, {}), (2, 0), (3, 0)",
                         kAccounts, std::int64_t{1} << 50));
}

void store_held(Link& link, std::int64_t first, std::int64_t batches) {
  store_delivery(link, first, batches * kBatchSize);
  must(link, fmt::format(kInsertBatches, first, batches, kBatchSize, "NULL", 1, 1));
}

void store_claimable(Link& link, std::int64_t first, std::int64_t batches) {
  store_delivery(link, first, batches * kBatchSize);
  must(link, fmt::format(kInsertBatches, first, batches, kBatchSize, 0, 0, 0));
  must(link, fmt::format("INSERT INTO recipients SELECT {} + b, s, 'user' || s || '@example.com',"
                         " decode('000000085f5f6e616d655f5f00000005', 'hex') || convert_to('Alice',"
                         " 'UTF8') FROM generate_series(0, {} - 1) b, generate_series(0, {}) s",
                         first, batches, kBatchSize - 1));
}

void offer(Link& link, std::int64_t first, std::int64_t batches) {
  must(link, fmt::format("UPDATE batches SET holder = 0, ready_at = 0 WHERE number >= {}"
                         " AND number < {}",
                         first, first + batches));
}

void store_job(Link& link, std::int64_t delivery, std::int64_t job) {
  must(link,
       fmt::format("INSERT INTO import_jobs VALUES(1, {}, {}, 1, 1, 1, 0, 0)", job, delivery));
}

void store_due(Link& link, std::int64_t first, std::int64_t batches, std::int64_t domains) {
  must(link, fmt::format("INSERT INTO batches SELECT {0} + n, {0} + n, 1, NULL, 0,"
                         " 'site' || n % {2} || '.example', 1, 1, 0, 1, 0, n, 0, 0, 0"
                         " FROM generate_series(0, {1} - 1) n",
                         first, batches, domains));
}

void store_bulk_due(Link& link, std::int64_t key, std::int64_t batches, std::int64_t domains,
                    std::int64_t sections) {
  store_delivery(link, key, batches);
  must(link, fmt::format("INSERT INTO sections SELECT {0} + n, {0}, 1"
                         " FROM generate_series(0, {1} - 1) n",
                         key, sections));
  must(link, fmt::format("INSERT INTO batches SELECT {0} + n, {0}, 1, {0} + n / {2} % {3}, 1,"
                         " 'site' || n % {2} || '.example', 1, 1, 0, 1, 0, n, 0, 0, 0"
                         " FROM generate_series(0, {1} - 1) n",
                         key, batches, domains, sections));
}

std::vector<store::NewRecipient> some_recipients(std::size_t count) {
  std::vector<store::NewRecipient> recipients;
  for (std::size_t i = 0; i < count; ++i) {
    // Two in five have one of four large domains.
    const std::string domain = i % 5 < 2 ? fmt::format("large{}.example", i % 4)
                                         : fmt::format("site{}.example", i * 7919 % 2'000);
    recipients.push_back({fmt::format("user{}@{}", i, domain), domain, {{"__name__", "Alice"}}});
  }
  return recipients;
}

std::vector<store::Accept> some_accepts(std::size_t count) {
  std::vector<store::Accept> accepts;
  for (std::size_t i = 0; i < count; ++i) {
    store::Accept accept;
    accept.delivery.account = store::AccountKey{1 + static_cast<std::int64_t>(i) % kAccounts};
    accept.delivery.content.from = {"sender@example.com", "Sender"};
    accept.delivery.content.subject = "Your order";
    accept.delivery.content.text_part = std::string(2'000, 'x');
    accept.recipients = some_recipients(1);
    accept.signing = "example.com/s1";
    accept.life_time = std::chrono::hours(24);
    accept.holder = kNode;
    accepts.push_back(std::move(accept));
  }
  return accepts;
}

store::OutcomeRecord some_outcome(const store::RecipientKey& key) {
  store::OutcomeRecord record;
  record.key = key;
  record.age = Milliseconds(3);
  record.duration = Milliseconds(120);
  record.outcome = {.state = RecipientState::delivered,
                    .stage = Stage::accepted,
                    .reply = {250, "2.0.0 Ok: queued as 4Zx8Qk1jT2z9vN"}};
  if (key.seq % 20 == 19) {
    record.outcome = {.state = RecipientState::deferred,
                      .stage = Stage::rcpt_to,
                      .reply = {450, "4.2.1 try again later"}};
    record.wait = std::chrono::minutes(15);
  }
  record.path = {"mx1.example.com", "192.0.2.25", "default", TlsUse::verified,
                 "TLSv1.3 TLS_AES_256_GCM_SHA384"};
  return record;
}

}  // namespace todoku::pg_sketch
