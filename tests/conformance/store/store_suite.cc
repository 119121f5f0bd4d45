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
  me_ = enter("me");
  other_ = enter("other");
}

void StoreSuite::TearDown() {
  if (store_) store_->close();
  if (GetParam().drop && directory_) GetParam().drop(directory_->path());
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
  return must(write([&](WriteTransaction& t) { return t.create_account(name); }));
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
  return must(
      write([&](WriteTransaction& t) { return t.create_draft(bulk(account), kDraftsMax); }));
}

std::vector<PublicId> StoreSuite::append(DeliveryKey key,
                                         const std::vector<NewRecipient>& recipients) {
  return must(write([&](WriteTransaction& t) { return t.append_recipients(key, recipients); }));
}

NodeKey StoreSuite::enter(std::string_view name) {
  return must(write([&](WriteTransaction& t) {
    return t.enter_node({.name = std::string(name), .roles = "test", .version = "0"});
  }));
}

Accept StoreSuite::acceptance(AccountKey account, std::vector<NewRecipient> recipients) const {
  return {.delivery = transaction(account),
          .recipients = std::move(recipients),
          .signing = "sel1",
          .life_time = kLifeTime,
          .holder = me_};
}

Accepted StoreSuite::accept(AccountKey account, const std::vector<NewRecipient>& recipients) {
  must(write([&](WriteTransaction& t) { return t.renew_node(me_); }));
  return must(store_->perform_and_wait(acceptance(account, recipients)));
}

Delivery StoreSuite::started(AccountKey account, const std::vector<NewRecipient>& recipients) {
  return started(bulk(account), recipients);
}

Delivery StoreSuite::started(const NewDelivery& delivery,
                             const std::vector<NewRecipient>& recipients) {
  const Delivery made =
      must(write([&](WriteTransaction& t) { return t.create_draft(delivery, kDraftsMax); }));
  append(made.key, recipients);
  commit_and_start(made.key);
  return get(made.key);
}

void StoreSuite::commit_and_start(DeliveryKey key) {
  must(write([&](WriteTransaction& t) -> Result<void> {
    auto done = t.commit_draft(key, std::nullopt, {});
    if (!done) return done;
    return t.start_delivery(key, "sel1", kLifeTime);
  }));
}

std::vector<BatchKey> StoreSuite::due_keys(DeliveryKey key) {
  std::vector<BatchKey> keys;
  std::optional<std::string> after;
  do {
    const auto due =
        must(store_->perform_and_wait(Due{.workload = key, .after = after, .limit = 100}));
    for (const DueDomain& domain : due.domains) {
      const auto all = must(store_->perform_and_wait(
          Due{.workload = key, .only = domain.domain, .limit = 1'000'000}));
      for (const DueBatch& batch : all.domains.at(0).batches) keys.push_back(batch.key);
    }
    after = due.next;
  } while (after);
  return keys;
}

std::vector<DueBatch> StoreSuite::due_transactional() {
  const auto due = must(store_->perform_and_wait(Due{.limit = 50}));
  std::vector<DueBatch> batches;
  for (const DueDomain& domain : due.domains) {
    batches.insert(batches.end(), domain.batches.begin(), domain.batches.end());
  }
  return batches;
}

std::optional<Instant> StoreSuite::upcoming(Workload workload) {
  const auto due = must(store_->perform_and_wait(Due{.workload = workload, .limit = 10}));
  return due.upcoming ? std::optional(now() + *due.upcoming) : std::nullopt;
}

std::vector<LeasedBatch> StoreSuite::claim(NodeKey node, const std::vector<BatchKey>& batches) {
  must(write([&](WriteTransaction& t) { return t.renew_node(node); }));
  auto claimed = must(store_->perform_and_wait(Claim{.node = node, .batches = batches}));
  EXPECT_EQ(claimed.batches.size(), batches.size());
  std::vector<LeasedBatch> leases;
  for (auto& lease : claimed.batches) {
    if (lease) leases.push_back(std::move(*lease));
  }
  return leases;
}

std::vector<LeasedBatch> StoreSuite::claim_all(DeliveryKey key, NodeKey node) {
  return claim(node, due_keys(key));
}

Result<BatchReleased> StoreSuite::release(const LeasedBatch& lease, Milliseconds not_before) {
  return settle({}, {{.held = lease.held(), .not_before = not_before}}).releases.at(0);
}

OfferedAgain StoreSuite::bury(NodeKey node) {
  for (const Node& dead : must(read([](ReadTransaction& t) { return t.nodes(); }))) {
    if (dead.key == node) (void)enter(dead.name);  // its successor
  }
  return must(write([&](WriteTransaction& t) { return t.offer_again(node, 1'000); }));
}

OutcomeRecord StoreSuite::outcome(const BatchKey& batch, std::uint32_t seq, RecipientState state,
                                  int code, std::string_view text) const {
  OutcomeRecord record;
  record.key = {batch.delivery, batch.batch, seq};
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
  record.wait = due - now();
  return record;
}

Settled StoreSuite::settle(const std::vector<OutcomeRecord>& outcomes,
                           const std::vector<BatchRelease>& releases) {
  auto settled = must(store_->perform_and_wait(Settle{.outcomes = outcomes, .releases = releases}));
  EXPECT_EQ(settled.outcomes.size(), outcomes.size());
  EXPECT_EQ(settled.releases.size(), releases.size());
  return settled;
}

Recorded StoreSuite::record(const std::vector<OutcomeRecord>& outcomes) {
  auto settled = settle(outcomes);
  Recorded all{.finished = std::move(settled.finished)};
  for (const auto& outcome : settled.outcomes) {
    if (!outcome) continue;
    ++(outcome->superseded ? all.superseded : all.recorded);
  }
  return all;
}

void StoreSuite::fail_for_good(AccountKey account, std::string_view local, bool against_address,
                               ErrorStop rule) {
  const Accepted accepted = accept(account, {recipient(local)});
  OutcomeRecord record = outcome(accepted.batches.at(0).key, 0, RecipientState::bounced, 550,
                                 "5.1.1 no such user here");
  record.against_address = against_address;
  const auto settled = must(store_->perform_and_wait(
      Settle{.outcomes = std::span(&record, 1), .releases = {}, .error_stop = rule}));
  (void)must(settled.outcomes.at(0));
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
