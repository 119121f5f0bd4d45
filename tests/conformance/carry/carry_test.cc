// SPDX-License-Identifier: Apache-2.0
// A store with everything in it that a SQLite store can hold is carried to PostgreSQL: both are
// asked through the store's own interface, and must say the same.
#include "store/carry.h"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "all_that_is_said.h"
#include "base/bytes.h"
#include "store/postgres/carry_target.h"
#include "store/postgres/postgres_store.h"
#include "store/sqlite/carry_source.h"
#include "store/sqlite/sqlite_store.h"
#include "store/walks.h"
#include "support/postgres/server.h"
#include "support/shared_clock.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAreArray;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kDraftsMax = 1'000;
constexpr Milliseconds kLifeTime = std::chrono::hours(24);

// -- a store with everything in it

NewRecipient recipient(std::string_view local, std::string_view domain = "example.jp") {
  return {fmt::format("{}@{}", local, domain),
          std::string(domain),
          {{"__name__", fmt::format("Name of {}", local)}, {"__empty__", ""}}};
}

std::vector<NewRecipient> recipients(std::size_t count, std::string_view domain,
                                     std::string_view mark) {
  std::vector<NewRecipient> made;
  for (std::size_t i = 0; i < count; ++i) {
    made.push_back(recipient(fmt::format("{}{}", mark, i), domain));
  }
  return made;
}

NewDelivery bulk(AccountKey account, std::string_view subject) {
  NewDelivery delivery;
  delivery.account = account;
  delivery.type = DeliveryType::bulk;
  delivery.traffic = TrafficClass::bulk;
  delivery.content.from = {"news@example.com", "お知らせ"};
  delivery.content.subject = subject;
  delivery.content.text_part = "Good morning __name__";
  delivery.content.html_part = "<p>おはようございます</p>";
  delivery.content.list_unsubscribe_url = "https://example.com/out?__name__";
  delivery.content.headers = {{"X-Campaign", "__name__"}, {"References", "<1@example.com>"}};
  delivery.life = std::chrono::hours(3);
  return delivery;
}

OutcomeRecord outcome(const BatchKey& batch, std::uint32_t seq, RecipientState state, int code,
                      std::string_view words) {
  OutcomeRecord record;
  record.key = {batch.delivery, batch.batch, seq};
  record.duration = Milliseconds(120 + seq);
  record.outcome.state = state;
  record.outcome.stage = Stage::accepted;
  record.outcome.reply = {code, std::string(words)};
  record.path = {"mx1.example.jp", "192.0.2.25", "pool-a", TlsUse::verified,
                 "TLSv1.3 TLS_AES_256_GCM_SHA384"};
  return record;
}

class Filling {
 public:
  Filling(Store& store, SharedClock& clock) : store_(store), clock_(clock) {}

  void fill() {
    write(store_, [](WriteTransaction& t) { return t.put_setting("master_key_check", "checks"); });
    write(store_, [](WriteTransaction& t) { return t.put_setting("odd", "\xff\x01 octets"); });
    acme_ = write(store_, [](WriteTransaction& t) { return t.create_account("acme"); });
    Account shop = write(store_, [](WriteTransaction& t) { return t.create_account("shop"); });
    keys(shop);
    write(store_, [&](WriteTransaction& t) {
      return t.keep_answer({.key = {acme_.key, KeyedRoute::bulk_commit, sha256("key")},
                            .fingerprint = sha256("fields"),
                            .answer = 71,
                            .begins = clock_.now() + std::chrono::hours(1'000)});
    });
    node_ = enter("me");
    write(store_, [&](WriteTransaction& t) { return t.take_event_reader(node_, "reports"); });
    write(store_, [&](WriteTransaction& t) {
      return t.save_event_reader(node_, "reports", std::string("so\0far", 6));
    });
    write(store_, [](WriteTransaction& t) {
      return t.take_warm_up({.source = "main",
                             .day = 20'000,
                             .site = "google",
                             .want = 3,
                             .volume = 9,
                             .site_volume = 5});
    });
    set_aside();
    sent_transactions();
    bulk_on_its_way();
    drafts(shop.key);
    imports();
    deleted();
    at_most_once();
    suspects();
    suppressions();
    shop.suspended = true;
    shop.weight = 7;
    shop.text_from_html = false;
    shop.open_tracking = false;
    shop.preflight = PreflightMode::enforce;
    shop.allowed_recipients = "example.com\nken@example.jp";
    shop.limits = {
        .requests_per_minute = 1, .mails_per_minute = 2, .mails_per_day = 3, .mails_per_month = 4};
    write(store_, [&](WriteTransaction& t) { return t.change_account(shop); });
  }

 private:
  NodeKey enter(std::string_view name) {
    return write(store_, [&](WriteTransaction& t) {
      return t.enter_node({.name = std::string(name), .roles = "test", .version = "0"});
    });
  }

  void people(AccountKey shop) {
    const PersonKey key = write(store_, [&](WriteTransaction& t) {
                            return t.add_person({.account = shop,
                                                 .email = "hanako@example.jp",
                                                 .name = "花子",
                                                 .role = Role::owner,
                                                 .language = "ja"});
                          }).key;
    write(store_, [&](WriteTransaction& t) -> Result<void> {
      Person person = must(t.hold_person(key));
      person.password_hash = "$argon2id$";
      person.sealed_totp = std::string("\0sealed\xfd", 8);
      person.sealed_totp_offered = "offered";
      person.totp_step_used = 57'000'000;
      person.recovery = {sha256_hex("one"), sha256_hex("two")};
      person.confirmed = clock_.now();
      must(t.change_person(person));
      must(t.add_sign_in({.person = key,
                          .token_sha256 = sha256_hex("signed in"),
                          .acting_for = shop,
                          .idle = std::chrono::hours(1'000),
                          .life = std::chrono::hours(2'000),
                          .from = "192.0.2.7",
                          .agent = "ブラウザー"}));
      must(t.add_link(sha256_hex("link"), LinkPurpose::confirm, key, std::chrono::hours(1'000),
                      Earlier::are_void));
      must(t.put_sign_in_rules(
          shop, {.second_factor = true, .networks = {"192.0.2.0/24"}, .approval = true}));
      return t.keep_text(key, "compose:1", "{\"subject\":\"件名\"}");
    });
  }

  void keys(const Account& shop) {
    const NewApiKey one{.label = "one", .token_sha256 = "a1", .made_by = PersonKey{1}};
    write(store_, [&](WriteTransaction& t) { return t.add_api_key(acme_.key, one); });
    const auto second = write(store_, [&](WriteTransaction& t) {
      return t.add_api_key(shop.key, {.label = "二",
                                      .token_sha256 = "b2",
                                      .scopes = Scope::send | Scope::read,
                                      .networks = {"192.0.2.0/24"},
                                      .life = std::chrono::hours(5)});
    });
    clock_.advance(Milliseconds(1'500));
    write(store_, [&](WriteTransaction& t) { return t.revoke_api_key(shop.key, second.id); });
    write(store_, [&](WriteTransaction& t) { return t.use_api_keys(std::span(&second.id, 1)); });
    Domain domain;
    domain.account = shop.key;
    domain.domain = "example.com";
    domain.token = "token";
    domain.state = DomainState::proven;
    domain.consents = {acme_.key};
    domain.proven = clock_.now();
    domain.look_at = clock_.now();
    write(store_, [&](WriteTransaction& t) { return t.add_domain(domain); });
    const std::vector<MailCount> counts = {{shop.key, 20'454, 12}};
    write(store_, [&](WriteTransaction& t) { return t.count_mails(NodeKey{3}, counts); });
    write(store_, [&](WriteTransaction& t) {
      return t.create_webhook({.name = "hook",
                               .account = shop.key,
                               .terms = {.shown = "https://hooks.example.com/",
                                         .sealed = std::string("\0sealed\xfd", 8),
                                         .wishes = {.kinds = {"recipient.sent"}}},
                               .state = std::string("\0state", 6)});
    });
    NewTemplate kept{.name = "歓迎", .content = {}};
    kept.content.subject = "{{first_name|お客様}}";
    kept.content.html_part = "<p>x</p>";
    kept.content.escape = Escape::html;
    const PublicId id = write(store_, [&](WriteTransaction& t) {
                          return t.create_template(shop.key, kept);
                        }).head.id;
    write(store_, [&](WriteTransaction& t) {
      return t.change_template(shop.key, id, [&](const Template&) -> Result<NewTemplate> {
        NewTemplate next = kept;
        next.content.text_part = "t";
        return next;
      });
    });
    people(shop.key);
    for (const char* name : {"relay", "Cron@example.jp"}) {
      SmtpCredential credential{.account = shop.key, .name = name};
      credential.settings.networks = {"192.0.2.0/24"};
      credential.settings.from_address = "印刷@example.jp";
      if (credential.name != "relay") credential.settings.uid = 1'000;
      credential.secret = "secret";
      credential.previous_secret = "before";
      credential.previous_until = clock_.now();
      credential =
          write(store_, [&](WriteTransaction& t) { return t.add_smtp_credential(credential); });
      if (credential.name == "relay") {
        credential.revoked = clock_.now();
        credential.held = clock_.now();
        credential.held_because = "much mail";
        credential.released = clock_.now();
      }
      write(store_, [&](WriteTransaction& t) {
        return t.keep_smtp_habits(credential.name, std::string("h\0abits", 7));
      });
      write(store_, [&](WriteTransaction& t) { return t.change_smtp_credential(credential); });
      write(store_, [&](WriteTransaction& t) { return t.use_smtp_credential(credential.name); });
    }
    write(store_, [&](WriteTransaction& t) {
      return t.add_audit({.actor = "api key 1",
                          .action = "content",
                          .account = acme_.key,
                          .delivery = 7,
                          .origin = "192.0.2.7"},
                         "user1@example.jp");
    });
    write(store_, [&](WriteTransaction& t) {
      return t.add_domain({.account = acme_.key,
                           .domain = "example.net",
                           .token = "token",
                           .state = DomainState::proven});
    });
    write(store_, [&](WriteTransaction& t) {
      must(t.put_key_slots({.account = acme_.key,
                            .domain = "example.net",
                            .revision = 0,
                            .look = clock_.now(),
                            .state = std::string("slots\0", 6)}));
      DomainReport report{.account = acme_.key, .domain = "example.net"};
      report.id = report_id_of(ReportKind::dmarc, "受信", "1", "example.net", clock_.now());
      report.day = report_day_of(clock_.now());
      report.organization = "受信";
      report.reported = "a.example.net";
      report.policy = "p=none";
      report.begin = clock_.now();
      report.end = clock_.now();
      report.messages = 7;
      const ReportLine line{
          .words = pack_line(DmarcLine{.source = "192.0.2.7", .header_from = "a.example.net"}),
          .messages = 7,
          .failed = 1};
      return t.add_domain_report(report, std::span(&line, 1));
    });
    for (const char* selector : {"s1", "s2"}) {
      write(store_, [&](WriteTransaction& t) {
        return t.put_dkim_key({.account = acme_.key,
                               .domain = "example.com",
                               .selector = selector,
                               .algorithm = "rsa-sha256",
                               .sealed_private_key = std::string("\0sealed\xfe", 8),
                               .dns_record = "v=DKIM1; p=abc",
                               .created = {}});
      });
    }
  }

  void set_aside() {
    write(store_, [&](WriteTransaction& t) -> Result<void> {
      const auto taken = t.take_webhook(node_, "hook");
      if (!taken) return fail(taken.error());
      return t.save_webhook({.name = "hook",
                             .node = node_,
                             .turn = taken->turn,
                             .state = taken->state,
                             .set_aside = {"one", "two"}});
    });
  }

  Accepted accept(Accept accept) {
    write(store_, [&](WriteTransaction& t) { return t.renew_node(node_); });
    return must(store_.perform_and_wait(std::move(accept)));
  }
  Accept acceptance(std::vector<NewRecipient> to, bool once = false) {
    Accept accept;
    accept.delivery = bulk(acme_.key, "Order");
    accept.delivery.type = DeliveryType::transaction;
    accept.delivery.traffic = TrafficClass::transactional;
    accept.delivery.at_most_once = once;
    accept.delivery.content.reply_to = Mailbox{"help@example.com", "Help"};
    accept.delivery.content.header_to = {"a@example.jp", "b@example.jp"};
    accept.recipients = std::move(to);
    accept.signing = "sel1";
    accept.life_time = kLifeTime;
    accept.holder = node_;
    return accept;
  }
  void settle(const std::vector<OutcomeRecord>& outcomes,
              const std::vector<BatchRelease>& releases) {
    (void)must(store_.perform_and_wait(Settle{.outcomes = outcomes, .releases = releases}));
    clock_.advance(Milliseconds(777));
  }

  void sent_transactions() {
    Accept first =
        acceptance({recipient("one"), recipient("Two.Case"), recipient("x", "example.org")});
    attach({.reference = "order 4711", .metadata = {{"customer", "42"}}},
           first.recipients[0].insert_codes);
    attach({.message_id = "1@example.com"}, first.recipients[1].insert_codes);
    first.delivery.content.open_tracking = true;
    first.delivery.content.attachments = {
        {"a.bin", "application/octet-stream", std::string(300'000, '\xee')},
        {"空.txt", "text/plain", ""},
        {"logo.png", "image/png", "png", "logo"}};
    const Accepted done = accept(std::move(first));
    const LeasedBatch& lease = done.batches.at(0);
    settle({outcome(lease.key, 0, RecipientState::delivered, 250, "2.0.0 Ok: queued"),
            outcome(lease.key, 1, RecipientState::bounced, 550, "5.1.1 unknown 不明"),
            outcome(lease.key, 2, RecipientState::delivered, 250, "2.0.0 Ok: queued")},
           {{.held = lease.held(), .not_before = {}}});
    for (const OpenedBy by : {OpenedBy::reader, OpenedBy::prefetch}) {
      const OpenSeen seen{.account = acme_.key,
                          .recipient = {lease.key.delivery, lease.key.batch, 0},
                          .by = by,
                          .age = {}};
      write(store_, [&](WriteTransaction& t) { return t.record_opens(std::span(&seen, 1)); });
    }
    write(store_, [&](WriteTransaction& t) {
      return t.record_complaint(acme_.key, {lease.key.delivery, lease.key.batch, 2},
                                ComplaintEvent::told);
    });
    Accept in_pieces = acceptance({recipient("relayed")});
    in_pieces.delivery.type = DeliveryType::smtp;
    in_pieces.delivery.content.relayed = RelayedEnvelope{.mail_from = "a@example.jp"};
    in_pieces.delivery.content.attachments = {{"", "message/rfc822", ""}};
    const auto whole = write(store_, [&](WriteTransaction& t) { return t.begin_relayed(node_); });
    in_pieces.delivery.relayed_data = RelayedData{.key = whole, .octets = kRelayedPieceOctets + 1};
    write(store_, [&](WriteTransaction& t) {
      return t.add_relayed_piece(whole, 0, std::string(kRelayedPieceOctets, '\xee'));
    });
    write(store_, [&](WriteTransaction& t) { return t.add_relayed_piece(whole, 1, "\n"); });
    (void)accept(std::move(in_pieces));
    write(store_, [&](WriteTransaction& t) {  // of nobody: stays behind
      const auto unnamed = t.begin_relayed(node_);
      return unnamed ? t.add_relayed_piece(*unnamed, 0, "unnamed") : fail(unnamed.error());
    });
    const Accepted waits = accept(acceptance({recipient("later")}));
    OutcomeRecord deferral =
        outcome(waits.batches.at(0).key, 0, RecipientState::deferred, 451, "4.7.1 try again");
    deferral.wait = std::chrono::minutes(15);
    settle({deferral}, {{.held = waits.batches.at(0).held(), .not_before = {}}});
    (void)accept(acceptance({recipient("leased")}));  // and never heard of again
  }

  Delivery draft(const NewDelivery& delivery, const std::vector<NewRecipient>& to) {
    const auto made =
        write(store_, [&](WriteTransaction& t) { return t.create_draft(delivery, kDraftsMax); });
    if (!to.empty()) {
      write(store_, [&](WriteTransaction& t) { return t.append_recipients(made.key, to); });
    }
    return made;
  }
  Delivery started(const NewDelivery& delivery, const std::vector<NewRecipient>& to) {
    const Delivery made = draft(delivery, to);
    write(store_, [&](WriteTransaction& t) { return t.commit_draft(made.key, std::nullopt, {}); });
    write(store_, [&](WriteTransaction& t) { return t.start_delivery(made.key, "s1", kLifeTime); });
    return made;
  }
  std::vector<LeasedBatch> claim(const Delivery& delivery, NodeKey node) {
    std::vector<BatchKey> keys;
    const auto due = must(store_.perform_and_wait(Due{.workload = delivery.key, .limit = 100}));
    for (const DueDomain& domain : due.domains) {
      for (const DueBatch& batch : domain.batches) keys.push_back(batch.key);
    }
    write(store_, [&](WriteTransaction& t) { return t.renew_node(node); });
    auto claimed = must(store_.perform_and_wait(Claim{.node = node, .batches = keys}));
    std::vector<LeasedBatch> leases;
    for (auto& lease : claimed.batches) leases.push_back(must(std::move(lease)));
    return leases;
  }

  void bulk_on_its_way() {
    auto to = recipients(510, "example.jp", "many");
    for (auto& each : recipients(60, "example.org", "others")) to.push_back(each);
    for (int i = 0; i < 20; ++i) to.push_back(recipient("few", fmt::format("d{}.example", i)));
    const Delivery sending = started(bulk(acme_.key, "On its way"), to);
    write(store_, [&](WriteTransaction& t) {
      return change_steering(t, sending.key,
                             {.pace = Pace{600, std::chrono::minutes(1)},
                              .quiet = QuietHours{.from = std::chrono::hours(3),
                                                  .until = std::chrono::hours(4),
                                                  .zone = "Asia/Tokyo"}},
                             {});
    });
    write(store_, [&](WriteTransaction& t) { return t.note_resend(sending.key, acme_.key, 3); });
    auto leases = claim(sending, node_);
    std::vector<OutcomeRecord> outcomes;
    const LeasedBatch& lease = leases.at(0);
    for (const LeasedRecipient& each : lease.recipients) {
      if (each.seq % 3 == 0) continue;
      outcomes.push_back(each.seq % 3 == 1
                             ? outcome(lease.key, each.seq, RecipientState::delivered, 250,
                                       fmt::format("2.0.0 queued as {}", each.seq))
                             : outcome(lease.key, each.seq, RecipientState::deferred, 451,
                                       "4.7.1 Greylisted, try again"));
      if (each.seq % 3 == 2) outcomes.back().wait = Milliseconds(60'000 + each.seq);
    }
    settle(outcomes, {{.held = lease.held(), .not_before = {}}});  // the others stay leased
    const Delivery over = started(bulk(acme_.key, "All sent"), {recipient("done")});
    const LeasedBatch last = claim(over, node_).at(0);
    settle({outcome(last.key, 0, RecipientState::delivered, 250, "2.0.0 Ok: queued")},
           {{.held = last.held(), .not_before = {}}});
  }

  void drafts(AccountKey other) {
    NewDelivery with_file = bulk(other, "Draft");
    with_file.content.attachments = {{"b.txt", "text/plain", "content"}};
    const Delivery edited = draft(with_file, recipients(5, "example.com", "draft"));
    const auto second = write(store_, [&](WriteTransaction& t) {
      return t.append_recipients(edited.key, recipients(3, "example.net", "draft"));
    });
    const auto changed =
        read(store_, [&](ReadTransaction& t) { return t.recipient(other, second.at(0)); });
    clock_.advance(Milliseconds(2'000));
    write(store_, [&](WriteTransaction& t) {
      return t.change_recipient(changed.key, recipient("changed", "example.edu"));
    });
    const auto removed =
        read(store_, [&](ReadTransaction& t) { return t.recipient(other, second.at(1)); });
    write(store_, [&](WriteTransaction& t) { return t.remove_recipient(removed.key); });
    const Delivery reserved = draft(bulk(other, "Reserved"), recipients(2, "example.com", "res"));
    write(store_, [&](WriteTransaction& t) {
      return t.commit_draft(reserved.key, clock_.now() + std::chrono::hours(2),
                            {.actor = "person 1 (花子)", .person = PersonKey{1}});
    });
    const Delivery waits = draft(bulk(acme_.key, "Waits"), recipients(2, "example.com", "wait"));
    write(store_, [&](WriteTransaction& t) { return t.commit_draft(waits.key, std::nullopt, {}); });
    (void)draft(bulk(other, "Empty"), {});
  }

  void imports() {
    const Delivery filled = draft(bulk(acme_.key, "Imported"), {recipient("before")});
    write(store_, [&](WriteTransaction& t) { return t.renew_node(node_); });
    const auto job = write(store_, [&](WriteTransaction& t) {
      return t.create_import(filled.key,
                             {.ignore_errors = true,
                              .keep_duplicates = true,
                              .language = Language::japanese,
                              .upload = "1.upload",
                              .form = ImportForm::ndjson},
                             node_);
    });
    (void)must(store_.perform_and_wait(StageRows{.job = job.id,
                                                 .account = acme_.key,
                                                 .node = node_,
                                                 .recipients = recipients(70, "example.jp", "imp"),
                                                 .folded = 2,
                                                 .percentage = 50}));
    write(store_, [&](WriteTransaction& t) {
      return t.end_import(job.id, acme_.key,
                          {.status = ImportStatus::finished,
                           .success_count = 70,
                           .failed_count = 3,
                           .total_count = 75,
                           .errors = "1-1.zip",
                           .folded = 2},
                          node_);
    });
  }

  void deleted() {
    const Delivery gone = draft(bulk(acme_.key, "Gone"), recipients(4, "example.com", "gone"));
    write(store_, [&](WriteTransaction& t) { return t.delete_delivery(gone.key); });
    const Delivery cleared = draft(bulk(acme_.key, "Cleared"), recipients(4, "example.com", "cl"));
    write(store_, [&](WriteTransaction& t) { return t.clear_recipients(cleared.key); });
  }

  void at_most_once() {
    const Accepted once = accept(acceptance({recipient("once"), recipient("only")}, true));
    write(store_, [&](WriteTransaction& t) {
      return t.mark_on_its_way(once.batches.at(0).held(), 1, true);
    });
  }

  void suppressions() {
    const std::vector<NewSuppression> entries{
        {.account = acme_.key, .subject = "stopped@example.com", .note = "二"},
        {.account = kInstallation, .subject = "@stopped.example"},
        {.account = acme_.key,
         .subject = "left@example.com",
         .reason = StopReason::unsubscribe,
         .scope = StopScope::list,
         .list_id = "weekly",
         .cause = {.code = 550, .text = "no", .at = clock_.now(), .delivery_id = 1}},
        {.account = acme_.key, .subject = "gone@example.com", .lasts = std::chrono::hours(9)}};
    write(store_, [&](WriteTransaction& t) { return t.put_suppressions(entries); });
    write(store_, [&](WriteTransaction& t) {
      return t.remove_suppressions(acme_.key, "gone@example.com", {}, {}, "mistake", "test");
    });
  }

  void suspects() {
    const Delivery deadly =
        started(bulk(acme_.key, "Deadly"), recipients(3, "deadly.example", "d"));
    for (int death = 0; death < 5; ++death) {
      const NodeKey victim = enter("victim");
      const LeasedBatch lease = claim(deadly, victim).at(0);
      if (lease.suspect) {
        write(store_, [&](WriteTransaction& t) { return t.mark_begun(lease.held(), true); });
      }
      (void)enter("victim");
      write(store_, [&](WriteTransaction& t) { return t.offer_again(victim, 10); });
    }
  }

  Store& store_;
  SharedClock& clock_;
  Account acme_;
  NodeKey node_{};
};

class CarryTest : public ::testing::Test {
 protected:
  CarryTest() {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("todoku-carry-{}", ::getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
  }
  ~CarryTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::filesystem::path path() const { return folder_ / "todoku.db"; }
  std::unique_ptr<SqliteStore> open_old() {
    SqliteStore::Options options;
    options.path = path();
    options.clock = &clock_;
    return must(SqliteStore::open(options));
  }
  Result<std::unique_ptr<SqliteCarrySource>> open_source() {
    return SqliteCarrySource::open(
        {.path = path(), .clock = &clock_, .lock_wait = {}, .to = "the new one"});
  }
  std::unique_ptr<postgres::CarryTarget> open_target() {
    return must(postgres::CarryTarget::open(dial(), false));
  }
  [[nodiscard]] postgres::DialOptions dial() const {
    return {.address = database_.address(), .password = {}};
  }
  Result<std::unique_ptr<PostgresStore>> open_new() {
    return PostgresStore::open({.dial = dial(), .clock = &clock_});
  }
  void fill() {
    const auto old = open_old();
    Filling(*old, clock_).fill();
  }

  SharedClock clock_;
  std::filesystem::path folder_;
  PostgresDatabase database_;
};

TEST_F(CarryTest, BothStoresSayTheSame) {
  fill();
  std::vector<std::string> before;
  std::vector<Carried> carried;
  {
    const auto source = must(open_source());
    before = all_of(source->store());
    const auto target = open_target();
    carried = must(carry_store(*source, *target, {}));
  }
  ASSERT_THAT(carried, SizeIs(carried_tables().size()));
  for (const Carried& table : carried) {
    if (table.table != "on_its_way") EXPECT_THAT(table.stored.rows(), Gt(0)) << table.table;
    EXPECT_EQ(table.stored, table.given) << table.table;
  }
  const auto store = must(open_new());
  EXPECT_THAT(before, SizeIs(Gt(1'000)));
  EXPECT_THAT(all_of(*store), ElementsAreArray(before));
  EXPECT_EQ(database_.ask("SELECT count(*) FROM batches WHERE holder <> 0"), "0\n");
}

// What was given out is not given out again, and what was begun goes on.
TEST_F(CarryTest, TheNewStoreGoesOn) {
  fill();
  EventPlace read_before;
  {
    const auto source = must(open_source());
    read_before = read(source->store(), [](ReadTransaction& t) { return t.last_event_place(); });
    const auto target = open_target();
    must(carry_store(*source, *target, {}));
  }
  const auto store = must(open_new());
  const Account acme = read(*store, [](ReadTransaction& t) { return t.account_by_name("acme"); });
  EXPECT_EQ(read(*store, [](ReadTransaction& t) { return t.key_by_token("a1"); }).account.name,
            "acme");
  DeliveryList list({.account = acme.key});
  must(walk_and_wait(*store, list));
  std::map<std::string, Delivery> deliveries;
  PublicId last = 0;
  std::int64_t last_key = 0;
  for (const Delivery& each : list.take()) {
    deliveries.insert_or_assign(each.content.subject, each);
    last = std::max(last, each.id);
    last_key = std::max(last_key, static_cast<std::int64_t>(each.key));
  }
  const auto made = write(*store, [&](WriteTransaction& t) {
    return t.create_draft(bulk(acme.key, "New"), kDraftsMax);
  });
  EXPECT_GT(made.id, last);
  EXPECT_GT(static_cast<std::int64_t>(made.key), last_key);
  // A draft that was begun there takes more recipients, in the batch that is open.
  const auto& imported = deliveries.at("Imported");
  write(*store, [&](WriteTransaction& t) {
    return t.append_recipients(imported.key, recipients(3, "example.net", "more"));
  });
  EXPECT_EQ(read(*store, [&](ReadTransaction& t) { return t.delivery(imported.key); }).counts.total,
            74);
  // The bulk on its way is sent to its end.
  const NodeKey me = write(*store, [](WriteTransaction& t) {
    return t.enter_node({.name = "new", .roles = "test", .version = "1"});
  });
  const auto& sending = deliveries.at("On its way");
  clock_.advance(std::chrono::minutes(30));
  for (int round = 0; round < 10; ++round) {
    write(*store, [&](WriteTransaction& t) { return t.renew_node(me); });
    const auto due = must(store->perform_and_wait(Due{.workload = sending.key, .limit = 100}));
    std::vector<BatchKey> keys;
    for (const DueDomain& domain : due.domains) {
      for (const DueBatch& batch : domain.batches) keys.push_back(batch.key);
    }
    if (keys.empty()) break;
    auto claimed = must(store->perform_and_wait(Claim{.node = me, .batches = keys}));
    for (auto& each : claimed.batches) {
      const LeasedBatch lease = must(std::move(each));
      std::vector<OutcomeRecord> outcomes;
      for (const LeasedRecipient& to : lease.recipients) {
        outcomes.push_back(
            outcome(lease.key, to.seq, RecipientState::delivered, 250, "2.0.0 Ok: queued"));
      }
      const std::vector<BatchRelease> releases{{.held = lease.held(), .not_before = {}}};
      (void)must(store->perform_and_wait(Settle{.outcomes = outcomes, .releases = releases}));
    }
  }
  const auto sent = read(*store, [&](ReadTransaction& t) { return t.delivery(sending.key); });
  EXPECT_EQ(sent.status, DeliveryStatus::sent);
  EXPECT_EQ(sent.counts.delivered, 590);
  // Who had read the old one's events to their end reads on.
  const EventPage after = read(*store, [&](ReadTransaction& t) {
    return t.events({.account = acme.key, .after = read_before, .limit = 1'000});
  });
  EXPECT_FALSE(after.lost);
  ASSERT_THAT(after.events, SizeIs(Gt(300)));
  EXPECT_EQ(after.events.front().place.generation, read_before.generation + 1);
  EXPECT_EQ(after.events.back().entry.kind, EventKind::delivery_finished);
  // What was deleted is removed.
  for (bool more = true; more;) {
    more = write(*store, [](WriteTransaction& t) { return t.purge_deleted(1'000); });
  }
  EXPECT_EQ(database_.ask("SELECT count(*) FROM deliveries WHERE deleted = 1"), "0\n");
  EXPECT_EQ(database_.ask("SELECT count(*) FROM sections WHERE state = 3"), "0\n");
}

// Fails while one table is being read, as if the process had been killed then.
class BrokenOff final : public CarrySource {
 public:
  BrokenOff(CarrySource& source, std::string table, std::int64_t after)
      : source_(source), table_(std::move(table)), left_(after) {}
  Result<CarriedHead> head() override { return source_.head(); }
  Result<void> read(const CarriedTable& table, const EachRow& each) override {
    return source_.read(table, [&](CarriedRow row) -> Result<void> {
      if (table.name == table_ && --left_ < 0) return fail(ErrorKind::cancelled, "broken off");
      return each(row);
    });
  }
  Result<void> carried_away() override { return source_.carried_away(); }

 private:
  CarrySource& source_;
  const std::string table_;
  std::int64_t left_;
};

TEST_F(CarryTest, WhatWasBrokenOffIsNotStartedOnAndBeginsAnew) {
  fill();
  for (const char* table : {"accounts", "deliveries", "recipients", "progress"}) {
    const auto source = must(open_source());
    const auto target = open_target();
    BrokenOff broken(*source, table, 1);
    const auto carried = carry_store(broken, *target, {});
    ASSERT_FALSE(carried);
    EXPECT_THAT(carried.error().detail, HasSubstr("broken off"));
    const auto opened = open_new();
    ASSERT_FALSE(opened) << table;
    EXPECT_EQ(opened.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(opened.error().detail, HasSubstr("unfinished"));
  }
  EXPECT_FALSE(read(*open_old(), [](ReadTransaction& t) { return t.setting(kCarriedAwaySetting); }))
      << "an engine may go on with the old store";
  const auto source = must(open_source());
  must(carry_store(*source, *open_target(), {}));
  EXPECT_EQ(read(*must(open_new()), [](ReadTransaction& t) { return t.setting("odd"); }),
            "\xff\x01 octets");
  EXPECT_EQ(
      read(source->store(), [](ReadTransaction& t) { return t.setting(kCarriedAwaySetting); }),
      "the new one");
}

// What the target holds otherwise than it was given.
TEST_F(CarryTest, WhatIsNotTheSameIsFound) {
  fill();
  database_.execute(
      "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
      " NEW.address := CASE NEW.seq WHEN 3 THEN 'somebody@' ELSE NEW.address END; RETURN NEW; END"
      " $$; CREATE TRIGGER spoil BEFORE INSERT ON recipients FOR EACH ROW EXECUTE FUNCTION "
      "spoil()");
  const auto source = must(open_source());
  const auto carried = carry_store(*source, *open_target(), {});
  ASSERT_FALSE(carried);
  EXPECT_EQ(carried.error().kind, ErrorKind::corrupt);
  EXPECT_THAT(carried.error().detail, HasSubstr("the table recipients has"));
  EXPECT_FALSE(open_new());
}

TEST_F(CarryTest, ADatabaseThatIsInUseIsLeftAlone) {
  fill();
  const auto store = must(open_new());
  write(*store, [](WriteTransaction& t) { return t.create_account("somebody"); });
  const auto source = must(open_source());
  const auto carried = carry_store(*source, *open_target(), {});
  ASSERT_FALSE(carried);
  EXPECT_EQ(carried.error().kind, ErrorKind::conflict);
  EXPECT_THAT(carried.error().detail, HasSubstr("not empty (there are accounts)"));
  EXPECT_TRUE(open_new()) << "it is not marked";
}

// One that had opened it before and enters meanwhile is refused; one that has entered is found.
TEST_F(CarryTest, NoEngineEntersMeanwhile) {
  fill();
  const auto store = must(open_new());
  const auto source = must(open_source());
  const auto target = open_target();
  must(target->begin(must(source->head())));
  const auto entered = store->write_and_wait(WritePriority::claims, [](WriteTransaction& t) {
    return t.enter_node({.name = "new", .roles = "test", .version = "1"});
  });
  ASSERT_FALSE(entered);
  EXPECT_EQ(entered.error().kind, ErrorKind::conflict);
  const auto other = open_target();
  must(other->begin(must(source->head())));
  const std::vector<CarriedValue> row{CarriedValue::of("odd"), CarriedValue::of("value")};
  EXPECT_FALSE(target->put(carried_tables()[0], row)) << "the other one has begun anew";
  EXPECT_TRUE(other->put(carried_tables()[0], row));
}

TEST_F(CarryTest, AnImportUnderWayIsRefused) {
  {
    const auto old = open_old();
    const Account acme = write(*old, [](WriteTransaction& t) { return t.create_account("acme"); });
    const NodeKey node = write(*old, [](WriteTransaction& t) {
      return t.enter_node({.name = "embedded", .roles = "test", .version = "0"});
    });
    const auto made = write(
        *old, [&](WriteTransaction& t) { return t.create_draft(bulk(acme.key, "s"), kDraftsMax); });
    write(*old, [&](WriteTransaction& t) {
      return t.create_import(made.key, {.upload = "1.upload"}, node);
    });
  }
  const auto source = open_source();
  ASSERT_FALSE(source);
  EXPECT_THAT(source.error().detail, HasSubstr("an import is under way (account acme, job 1"));
}

}  // namespace
}  // namespace todoku::store
