// SPDX-License-Identifier: Apache-2.0
// The reading transaction of store/store.h on SQLite. All questions are Queries.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "store/event_sheet.h"
#include "store/pending.h"
#include "store/sqlite/counters.h"
#include "store/sqlite/queries.h"
#include "store/store.h"

namespace todoku::store::sqlite {

class SqliteReadTransaction final : public ReadTransaction {
 public:
  SqliteReadTransaction(Connection& db, const LiveFigures& figures, AddressHash hash)
      : queries_(db, figures, hash) {}

  // What the store's clock says, for all that is asked until it is set again.
  void set_now(Instant now, std::optional<Instant> wall = std::nullopt) {
    queries_.set_now(now, wall);
  }
  [[nodiscard]] Queries& queries() { return queries_; }

  Result<std::optional<std::string>> setting(std::string_view name) override {
    return queries_.setting(name);
  }
  Result<ChangeNumbers> change_numbers() override { return queries_.change_numbers(); }
  Result<std::vector<Account>> accounts(AccountKey after, std::int64_t limit) override {
    return queries_.accounts(after, limit);
  }
  Result<std::map<AccountKey, std::int64_t>> active_keys(AccountKey first,
                                                         AccountKey last) override {
    return queries_.active_keys(first, last);
  }
  Result<std::vector<Account>> suspended_accounts(std::int64_t limit) override {
    return queries_.suspended_accounts(limit);
  }
  Result<Account> account(AccountKey key) override { return queries_.account(key); }
  Result<Account> account_by_name(std::string_view name) override {
    return queries_.account_by_name(name);
  }
  Result<KeyHolder> key_by_token(std::string_view token_sha256) override {
    return queries_.key_by_token(token_sha256);
  }
  Result<std::vector<ApiKey>> api_keys(AccountKey account) override {
    return queries_.api_keys(account);
  }
  Result<std::vector<DkimKey>> dkim_keys(const DkimPlace& after, std::int64_t limit) override {
    return queries_.dkim_keys(after, limit);
  }

  Result<std::vector<Domain>> domains(const DomainPlace& after, std::int64_t limit) override {
    return queries_.domains(after, limit);
  }
  Result<std::vector<Domain>> proven_domains(const DomainPlace& after,
                                             std::int64_t limit) override {
    return queries_.proven_domains(after, limit);
  }
  Result<Domain> domain(AccountKey account, std::string_view domain) override {
    return queries_.domain(account, domain);
  }
  Result<std::vector<Domain>> holders(std::span<const std::string> domains) override {
    return queries_.holders(domains);
  }
  Result<std::vector<Domain>> domains_to_look_at(std::int64_t limit) override {
    return queries_.domains_to_look_at(limit);
  }
  Result<std::vector<DomainPlace>> domains_to_check(std::int64_t limit) override {
    return queries_.domains_to_check(limit);
  }
  Result<DomainCheck> domain_check(AccountKey account, std::string_view domain) override {
    return queries_.domain_check(account, domain);
  }
  Result<std::vector<MailCount>> mail_counts(std::span<const AccountKey> accounts,
                                             DayNumber first) override {
    return queries_.mail_counts(accounts, first);
  }

  Result<Delivery> delivery(AccountKey account, PublicId id) override {
    return queries_.delivery(account, id);
  }
  Result<Delivery> delivery(DeliveryKey key) override { return queries_.delivery(key); }
  Result<Delivery> delivery_head(AccountKey account, PublicId id) override {
    return queries_.delivery_head(account, id);
  }
  Result<Delivery> delivery_head(DeliveryKey key) override { return queries_.delivery_head(key); }
  Result<std::vector<Delivery>> delivery_heads(std::span<const DeliveryKey> keys) override {
    return queries_.delivery_heads(keys);
  }
  Result<DeliveryStretch> match_deliveries(const DeliveryFilter& filter, DeliveryOrder order,
                                           std::optional<DeliveryPlace> from,
                                           std::int64_t wanted) override {
    return queries_.match_deliveries(filter, order, from, wanted);
  }
  Result<Content> content(DeliveryKey key) override { return queries_.content(key); }
  Result<std::string> attachment_part(DeliveryKey key, std::size_t which, std::uint64_t offset,
                                      std::size_t octets) override {
    return queries_.attachment_part(key, which, offset, octets);
  }
  Result<std::int64_t> count_drafts(AccountKey account, DeliveryType type,
                                    std::int64_t most) override {
    return queries_.count_drafts(account, type, most);
  }
  Result<std::vector<StartingDelivery>> deliveries_to_start(std::int64_t limit) override {
    return queries_.deliveries_to_start(limit);
  }
  Result<std::optional<Milliseconds>> next_reservation() override {
    return queries_.next_reservation();
  }
  Result<ReservedWork> reserved_work() override { return queries_.reserved_work(); }
  Result<std::vector<SendingDelivery>> sending_bulk() override { return queries_.sending_bulk(); }

  Result<std::vector<DeliveryKey>> held_deliveries(std::int64_t limit) override {
    return queries_.held_deliveries(limit);
  }
  Result<StoppedWork> stopped_work(DeliveryKey after, std::int64_t recipients) override {
    return queries_.stopped_work(after, recipients);
  }
  Result<std::optional<PublicId>> resend_of(DeliveryKey key) override {
    return queries_.resend_of(key);
  }
  Result<std::vector<PublicId>> resends_of(AccountKey account, PublicId email,
                                           std::int64_t limit) override {
    return queries_.resends_of(account, email, limit);
  }
  Result<std::optional<Approval>> approval(DeliveryKey key) override {
    return queries_.approval(key);
  }
  Result<std::vector<Approval>> approvals_waiting(AccountKey account, std::int64_t limit) override {
    return queries_.approvals_waiting(account, limit);
  }
  Result<Steering> steering(DeliveryKey key) override { return queries_.steering(key); }
  Result<std::vector<SteeringRevision>> steering_revisions(std::int64_t limit) override {
    return queries_.steering_revisions(limit);
  }

  Result<Recipient> recipient(AccountKey account, PublicId email_id) override {
    return queries_.recipient(account, email_id);
  }
  Result<StoryPage> stories(std::string_view address, std::optional<AccountKey> account,
                            std::int64_t limit, std::optional<std::int64_t> from) override {
    return queries_.stories(address, account, limit, from);
  }
  Result<StoryPage> marked_stories(const Mark& mark, std::optional<AccountKey> account,
                                   std::int64_t limit, std::optional<std::int64_t> from) override {
    return queries_.marked_stories(mark, account, limit, from);
  }
  Result<Story> story(const RecipientKey& key) override { return queries_.story(key); }

  Result<DomainCountPage> domain_counts(DeliveryKey key,
                                        const std::optional<DomainCountPlace>& from,
                                        std::int64_t limit) override {
    return queries_.domain_counts(key, from, limit);
  }
  Result<std::vector<SampledRecipient>> sample_recipients(DeliveryKey key,
                                                          std::size_t wanted) override {
    return queries_.sample_recipients(key, wanted);
  }

  Result<std::vector<LogRange>> log_ranges(DeliveryKey key) override {
    return queries_.log_ranges(key);
  }
  Result<PublicId> log_id_since(AccountKey account, Instant at) override {
    return queries_.log_id_since(account, at);
  }
  Result<std::vector<DeliveryKey>> late_starts(AccountKey account, Instant from, Instant to,
                                               std::int64_t limit) override {
    return queries_.late_starts(account, from, to, limit);
  }
  Result<std::vector<LogHit>> not_sent(AccountKey account, LogKey key, LogRange range,
                                       std::int64_t limit) override {
    return queries_.not_sent(account, key, range, limit);
  }
  Result<std::vector<LogBatch>> log_batches(AccountKey account, LogRange range,
                                            std::int64_t limit) override {
    return queries_.log_batches(account, range, limit);
  }
  Result<std::vector<LogHit>> log_hits(std::span<const LogBatch> batches,
                                       std::int64_t limit) override {
    return queries_.log_hits(batches, limit);
  }
  Result<Addressed> log_ids_of(const AddressQuestion& question) override {
    return queries_.log_ids_of(question);
  }
  Result<std::vector<Story>> log_stories(AccountKey account,
                                         std::span<const PublicId> ids) override {
    return queries_.log_stories(account, ids);
  }
  Result<std::vector<Usage>> usages(AccountKey account, Month first, Month last) override {
    return queries_.usages(account, first, last);
  }

  Result<std::vector<DomainReport>> domain_reports(AccountKey account, std::string_view domain,
                                                   const ReportPlace& after,
                                                   std::int64_t limit) override {
    return queries_.domain_reports(account, domain, after, limit);
  }
  Result<std::vector<DatedLine>> report_lines(AccountKey account, std::string_view domain,
                                              const ReportPlace& after,
                                              std::int64_t limit) override {
    return queries_.report_lines(account, domain, after, limit);
  }
  Result<std::vector<KeySlotsRow>> key_slots(const DomainPlace& after,
                                             std::int64_t limit) override {
    return queries_.key_slots(after, limit);
  }
  Result<std::optional<KeySlotsRow>> key_slots_of(AccountKey account,
                                                  std::string_view domain) override {
    return queries_.key_slots_of(account, domain);
  }
  Result<std::vector<KeySlotsRow>> key_slots_due(std::int64_t limit) override {
    return queries_.key_slots_due(limit);
  }
  Result<std::optional<StsPolicy>> sts_policy(std::string_view domain) override {
    return queries_.sts_policy(domain);
  }
  Result<std::vector<TlsCount>> tls_counts(const TlsCountQuestion& question) override {
    return queries_.tls_counts(question);
  }
  Result<std::vector<Probe>> probes(const ProbeQuestion& question) override {
    return queries_.probes(question);
  }
  Result<std::int64_t> probes_open() override { return queries_.probes_open(); }
  Result<Template> content_template(AccountKey account, const TemplateChoice& choice) override {
    return queries_.content_template(account, choice);
  }
  Result<std::vector<TemplateHead>> content_templates(AccountKey account, PublicId after,
                                                      std::int64_t limit) override {
    return queries_.content_templates(account, after, limit);
  }
  Result<std::vector<TemplateVersionHead>> template_versions(AccountKey account,
                                                             PublicId id) override {
    return queries_.template_versions(account, id);
  }
  Result<Person> person(PersonKey key) override { return queries_.person(key); }
  Result<Person> person_by_email(std::string_view email) override {
    return queries_.person_by_email(email);
  }
  Result<std::vector<Person>> people(AccountKey account, PersonKey after,
                                     std::int64_t limit) override {
    return queries_.people(account, after, limit);
  }
  Result<SignIn> sign_in(std::string_view token_sha256) override {
    return queries_.sign_in(token_sha256);
  }
  Result<std::vector<SignIn>> sign_ins(PersonKey person) override {
    return queries_.sign_ins(person);
  }
  Result<Link> link(std::string_view token_sha256) override { return queries_.link(token_sha256); }
  Result<bool> has_link(PersonKey person) override { return queries_.has_link(person); }
  Result<SignInRules> sign_in_rules(AccountKey account) override {
    return queries_.sign_in_rules(account);
  }
  Result<std::vector<KeptText>> kept_texts(PersonKey person, std::string_view place) override {
    return queries_.kept_texts(person, place);
  }
  Result<std::vector<OutcomeCount>> outcomes_of(DeliveryKey key,
                                                const std::optional<std::string>& site,
                                                std::int64_t limit) override {
    return queries_.outcomes_of(key, site, limit);
  }
  Result<std::vector<OutcomeCount>> outcomes_within(const Hours& hours,
                                                    std::int64_t limit) override {
    return queries_.outcomes_within(hours, limit);
  }
  Result<std::vector<LanePace>> lane_paces(const LanePaceQuestion& question) override {
    return queries_.lane_paces(question);
  }
  Result<std::vector<WarmUpCount>> warm_up_counts(std::string_view source, WarmUpDay since,
                                                  std::int64_t limit) override {
    return queries_.warm_up_counts(source, since, limit);
  }

  Result<std::vector<RateFound>> rates(std::span<const RateSubject> subjects, RateHour from,
                                       RateHour now) override {
    return queries_.rates(subjects, from, now);
  }
  Result<std::vector<RateSubject>> rate_subjects(const RateQuestion& question) override {
    return queries_.rate_subjects(question);
  }
  Result<std::vector<HeldReceiver>> held_receivers(std::int64_t limit) override {
    return queries_.held_receivers(limit);
  }
  Result<std::int64_t> rates_at(std::uint8_t level) override { return queries_.rates_at(level); }

  Result<std::vector<OpenRecord>> opens_of(AccountKey account,
                                           std::span<const PublicId> ids) override {
    return queries_.opens_of(account, ids);
  }
  Result<std::vector<OpenRecord>> opens_in(AccountKey account, LogRange range,
                                           std::int64_t limit) override {
    return queries_.opens_in(account, range, limit);
  }
  Result<OpenCounts> open_counts(DeliveryKey key) override { return queries_.open_counts(key); }

  Result<ImportJob> import_job(AccountKey account, PublicId id) override {
    return queries_.import_job(account, id);
  }
  Result<std::vector<ImportJob>> running_imports(NodeKey node) override {
    return queries_.running_imports(node);
  }
  Result<std::vector<std::string>> waiting_lists(AccountKey account) override {
    return queries_.waiting_lists(account);
  }
  Result<std::vector<std::string>> import_errors(DeliveryKey key) override {
    return queries_.import_errors(key);
  }

  Result<ExportJob> export_job(AccountKey account, ExportKind kind, PublicId id) override {
    return queries_.export_job(account, kind, id);
  }
  Result<std::vector<ExportJob>> running_exports(NodeKey node, std::int64_t limit) override {
    return queries_.running_exports(node, limit);
  }
  Result<std::vector<ExportJob>> ended_exports(Instant before, std::int64_t limit) override {
    return queries_.ended_exports(before, limit);
  }

  Result<std::vector<StoppedSubject>> stops_of(AccountKey account,
                                               std::span<const std::string> subjects) override {
    return queries_.stops_of(account, subjects);
  }
  Result<SuppressionPage> suppressions(AccountKey account,
                                       const std::optional<SuppressionPlace>& from,
                                       std::int64_t limit) override {
    return queries_.suppressions(account, from, limit);
  }
  Result<SuppressionPage> error_list(const ErrorListFilter& filter,
                                     const std::optional<SuppressionPlace>& from, std::int64_t skip,
                                     std::int64_t limit) override {
    return queries_.error_list(filter, from, skip, limit);
  }
  Result<std::vector<RecentStop>> recent_suppressions(Instant from, std::int64_t limit) override {
    return queries_.recent_suppressions(from, limit);
  }
  [[nodiscard]] AddressHash subject_hash() const override { return queries_.hash(); }
  Result<std::vector<SuppressionChange>> removals_of(AccountKey account,
                                                     std::string_view subject) override {
    return queries_.removals_of(account, subject);
  }
  Result<std::vector<SuppressionChange>> removals_after(std::int64_t number,
                                                        std::int64_t limit) override {
    return queries_.removals_after(number, limit);
  }

  Result<std::vector<Node>> nodes() override { return queries_.nodes(); }
  Result<void> all_know(Novelty /*what*/) override { return {}; }
  Result<std::vector<NodeHolds>> held_by_nodes() override { return queries_.held_by_nodes(); }
  Result<WaitingStretch> waiting_deliveries(DeliveryKey after, std::int64_t limit) override {
    return queries_.waiting_deliveries(after, limit);
  }
  Result<OpenStretch> open_recipients(std::int64_t from, std::int64_t limit) override {
    return queries_.open_recipients(from, limit);
  }
  Result<std::vector<HeldBatch>> lost_by(NodeKey node, std::span<const HeldBatch> held) override {
    return queries_.lost_by(node, held);
  }
  Result<std::vector<HeldBatch>> held_by(NodeKey node, const std::optional<BatchKey>& after,
                                         std::int64_t limit) override {
    return queries_.held_by(node, after, limit);
  }

  Result<std::optional<KeptAnswer>> kept_answer(const IdempotencyKey& key) override {
    return queries_.kept_answer(key);
  }

  Result<std::vector<Webhook>> webhooks(AccountKey account) override {
    return queries_.webhooks(account);
  }
  Result<Webhook> webhook(AccountKey account, std::string_view name) override {
    return queries_.webhook(account, name);
  }
  Result<std::vector<Webhook>> webhooks_to_tell(std::string_view after,
                                                std::int64_t limit) override {
    return queries_.webhooks_to_tell(after, limit);
  }
  Result<std::vector<SetAsideEvent>> set_aside_of(std::string_view name, std::string_view after,
                                                  std::int64_t limit) override {
    return queries_.set_aside_of(name, after, limit);
  }
  Result<std::string> webhook_calls(std::string_view name) override {
    return queries_.webhook_calls(name);
  }
  Result<SmtpCredential> smtp_credential(std::string_view name) override {
    return queries_.smtp_credential(name);
  }
  Result<SmtpCredential> smtp_credential_of_uid(std::uint32_t uid) override {
    return queries_.smtp_credential_of_uid(uid);
  }
  Result<std::vector<std::string>> held_smtp_credentials(std::int64_t limit) override {
    return queries_.held_smtp_credentials(limit);
  }
  Result<std::string> smtp_habits(std::string_view name) override {
    return queries_.smtp_habits(name);
  }
  Result<std::vector<SmtpCredential>> smtp_credentials(std::optional<AccountKey> account,
                                                       std::string_view after,
                                                       std::int64_t limit) override {
    return queries_.smtp_credentials(account, after, limit);
  }

  Result<std::vector<NewsItem>> news(std::int64_t limit) override { return queries_.news(limit); }

  Result<std::optional<Leader>> leader() override { return queries_.leader(); }
  Result<std::vector<SourceOwner>> source_owners() override { return queries_.source_owners(); }

  Result<BellDepth> bell_depth(const BellChannel& channel) override {
    return queries_.bell_depth(channel);
  }

  Result<EventPage> events(const EventQuestion& question) override {
    return queries_.events(question);
  }
  Result<EventPlace> last_event_place() override { return queries_.last_event_place(); }
  Result<std::optional<std::vector<AccountKey>>> accounts_told(const EventPlace& after,
                                                               const EventPlace& until,
                                                               std::int64_t sheets_max) override {
    return queries_.accounts_told(after, until, sheets_max);
  }

  Result<std::vector<QueueFigures>> queue_figures() override { return queries_.queue_figures(); }
  Result<AccountWork> work_of(AccountKey account) override { return queries_.work_of(account); }
  Result<bool> begun_before(AccountKey account, Instant at) override {
    return queries_.begun_before(account, at);
  }
  Result<std::vector<SetAside>> set_aside(std::int64_t limit) override {
    return queries_.set_aside(limit);
  }

  // Due, work.h.
  [[nodiscard]] Result<DueDomains> due(const Due& due) { return queries_.due(due); }
  Result<std::vector<AuditEntry>> audit(const AuditQuestion& question) override {
    return queries_.audit(question);
  }

 private:
  Queries queries_;
};

}  // namespace todoku::store::sqlite
