// SPDX-License-Identifier: Apache-2.0
#include "conformance/store/store_suite.h"

#include <cstdlib>

#include <fmt/format.h>

namespace todoku::store {

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "todoku-store-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void StoreSuite::SetUp() {
  directory_ = std::make_unique<TemporaryDirectory>();
  store_ = must(GetParam().open(directory_->path(), clock_));
}

void StoreSuite::TearDown() {
  if (store_) store_->close();
}

void StoreSuite::shut() {
  store_->close();
  store_.reset();
}

void StoreSuite::reopen() {
  if (store_) shut();
  store_ = must(GetParam().open(directory_->path(), clock_));
}

void StoreSuite::crash() {
  auto left = std::make_unique<TemporaryDirectory>();
  GetParam().crash_copy(directory_->path(), left->path());
  store_->close();
  store_.reset();
  directory_ = std::move(left);
  store_ = must(GetParam().open(directory_->path(), clock_));
}

Account StoreSuite::account(std::string_view name) {
  return must(write([&](WriteTransaction& t) { return t.create_account(name, now()); }));
}

NewDelivery StoreSuite::bulk(AccountKey account) {
  NewDelivery delivery;
  delivery.account = account;
  delivery.type = DeliveryType::bulk;
  delivery.traffic = TrafficClass::bulk;
  delivery.content.from = {"news@example.com", "Example News"};
  delivery.content.subject = "News for __name__";
  delivery.content.text_part = "Good morning __name__";
  return delivery;
}

NewDelivery StoreSuite::transaction(AccountKey account) {
  NewDelivery delivery = bulk(account);
  delivery.type = DeliveryType::transaction;
  delivery.traffic = TrafficClass::transactional;
  return delivery;
}

NewRecipient StoreSuite::recipient(std::string_view local, std::string_view domain) {
  return {fmt::format("{}@{}", local, domain),
          std::string(domain),
          {{"__name__", fmt::format("Name of {}", local)}}};
}

std::vector<NewRecipient> StoreSuite::recipients(std::size_t count, std::string_view domain,
                                                 std::size_t from) {
  std::vector<NewRecipient> made;
  for (std::size_t i = 0; i < count; ++i) {
    made.push_back(recipient(fmt::format("user{}", from + i), domain));
  }
  return made;
}

Delivery StoreSuite::draft(AccountKey account) {
  return must(write([&](WriteTransaction& t) { return t.create_draft(bulk(account), now()); }));
}

std::vector<PublicId> StoreSuite::append(DeliveryKey key,
                                         const std::vector<NewRecipient>& recipients) {
  return must(
      write([&](WriteTransaction& t) { return t.append_recipients(key, recipients, now()); }));
}

WriteTransaction::AcceptedTransaction StoreSuite::accept(
    AccountKey account, const std::vector<NewRecipient>& recipients) {
  return must(write([&](WriteTransaction& t) {
    return t.accept_transaction(transaction(account), recipients, "sel1", kMe, after(60), now());
  }));
}

Delivery StoreSuite::started(AccountKey account, const std::vector<NewRecipient>& recipients) {
  const Delivery made = draft(account);
  append(made.key, recipients);
  commit_and_start(made.key);
  return get(made.key);
}

void StoreSuite::commit_and_start(DeliveryKey key) {
  must(write([&](WriteTransaction& t) -> Result<void> {
    auto done = t.commit_draft(key, std::nullopt, now());
    if (!done) return done;
    return t.start_delivery(key, "sel1", now());
  }));
}

std::vector<BatchKey> StoreSuite::due_keys(DeliveryKey key) {
  return must(read([&](ReadTransaction& t) -> Result<std::vector<BatchKey>> {
    std::vector<BatchKey> keys;
    std::optional<std::string> after;
    do {
      const auto due = t.due_domains(key, now(), after, 100);
      if (!due) return fail(due.error());
      for (const DueDomain& domain : due->domains) {
        const auto batches = t.due_batches(key, domain.domain, now(), 1'000'000);
        if (!batches) return fail(batches.error());
        for (const DueBatch& batch : *batches) keys.push_back(batch.key);
      }
      after = due->next;
    } while (after);
    return keys;
  }));
}

std::vector<DueBatch> StoreSuite::due_transactional() {
  const auto due = must(read(
      [&](ReadTransaction& t) { return t.due_domains(std::nullopt, now(), std::nullopt, 50); }));
  std::vector<DueBatch> batches;
  for (const DueDomain& domain : due.domains) {
    batches.insert(batches.end(), domain.batches.begin(), domain.batches.end());
  }
  return batches;
}

std::optional<Instant> StoreSuite::upcoming(Workload workload) {
  return must(read([&](ReadTransaction& t) {
           return t.due_domains(workload, now(), std::nullopt, 10);
         }))
      .upcoming;
}

std::vector<LeasedBatch> StoreSuite::claim_all(DeliveryKey key, Holder holder,
                                               std::int64_t lease_seconds) {
  const auto keys = due_keys(key);
  return must(write([&](WriteTransaction& t) {
    return t.claim_batches(keys, holder, after(lease_seconds), now());
  }));
}

OutcomeRecord StoreSuite::outcome(const BatchKey& batch, std::uint32_t seq, RecipientState state,
                                  int code, std::string_view text) const {
  OutcomeRecord record;
  record.key = {batch.delivery, batch.batch, seq};
  record.at = now();
  record.duration = Milliseconds(120);
  record.outcome.state = state;
  record.outcome.stage = Stage::accepted;
  record.outcome.reply = {code, std::string(text)};
  record.path = {"mx1.example.jp", "192.0.2.25", "pool-a", TlsUse::verified,
                 "TLSv1.3 TLS_AES_256_GCM_SHA384"};
  return record;
}

OutcomeRecord StoreSuite::deferral(const BatchKey& batch, std::uint32_t seq, Instant due) const {
  OutcomeRecord record =
      outcome(batch, seq, RecipientState::deferred, 451, "4.7.1 Greylisted, try again");
  record.outcome.stage = Stage::rcpt_to;
  record.due = due;
  return record;
}

OutcomesRecorded StoreSuite::record(const std::vector<OutcomeRecord>& outcomes) {
  return must(write([&](WriteTransaction& t) { return t.record_outcomes(outcomes); },
                    WritePriority::outcomes));
}

Delivery StoreSuite::get(DeliveryKey key) {
  return must(read([&](ReadTransaction& t) { return t.delivery(key); }));
}

std::vector<Story> StoreSuite::stories(std::string_view address) {
  return stories_of(*store_, address);
}

std::vector<Delivery> deliveries_of(Store& store, DeliveryFilter filter) {
  DeliveryList list(std::move(filter));
  must(walk_and_wait(store, list));
  return list.take();
}

std::vector<Story> stories_of(Store& store, std::string_view address,
                              std::optional<AccountKey> account, std::int64_t limit) {
  StorySearch search(std::string(address), account, limit);
  must(walk_and_wait(store, search));
  return search.take();
}

}  // namespace todoku::store
