// SPDX-License-Identifier: Apache-2.0
// The two transactions of store/store.h on PostgreSQL: what is done per request of a person. What
// is done per mail are the hot operations (hot.h).
//
// A question is one statement wherever that can be, because each is a round trip. A change locks
// rows in the one order of store/work.h, and names in its condition what it relies on.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/postgres/session.h"
#include "store/store.h"

namespace todoku::store::postgres {

// sections.state
inline constexpr std::int64_t kSectionLive = 1;
inline constexpr std::int64_t kSectionStaged = 2;
inline constexpr std::int64_t kSectionDiscarded = 3;

class Questions final : public ReadTransaction {
 public:
  explicit Questions(Session& session) : session_(session) {}

  // -- settings, accounts (reads_accounts.cc)
  Result<std::optional<std::string>> setting(std::string_view name) override;
  Result<ChangeNumbers> change_numbers() override;
  Result<std::vector<Account>> accounts(AccountKey after, std::int64_t limit) override;
  Result<std::map<AccountKey, std::int64_t>> active_keys(AccountKey first,
                                                         AccountKey last) override;
  Result<std::vector<Account>> suspended_accounts(std::int64_t limit) override;
  Result<Account> account(AccountKey key) override;
  Result<Account> account_by_name(std::string_view name) override;
  Result<KeyHolder> key_by_token(std::string_view token_sha256) override;
  Result<std::vector<ApiKey>> api_keys(AccountKey account) override;
  Result<std::vector<DkimKey>> dkim_keys(const DkimPlace& after, std::int64_t limit) override;

  // -- domains, counts of mail (domains.cc)
  Result<std::vector<Domain>> domains(const DomainPlace& after, std::int64_t limit) override;
  Result<std::vector<Domain>> proven_domains(const DomainPlace& after, std::int64_t limit) override;
  Result<Domain> domain(AccountKey account, std::string_view domain) override;
  Result<std::vector<Domain>> holders(std::span<const std::string> domains) override;
  Result<std::vector<Domain>> domains_to_look_at(std::int64_t limit) override;
  Result<std::vector<DomainPlace>> domains_to_check(std::int64_t limit) override;
  Result<DomainCheck> domain_check(AccountKey account, std::string_view domain) override;
  Result<std::vector<MailCount>> mail_counts(std::span<const AccountKey> accounts,
                                             DayNumber first) override;

  // -- deliveries (reads_deliveries.cc; what is to be started: reads_scheduling.cc)
  Result<Delivery> delivery(AccountKey account, PublicId id) override;
  Result<Delivery> delivery(DeliveryKey key) override;
  Result<Delivery> delivery_head(AccountKey account, PublicId id) override;
  Result<Delivery> delivery_head(DeliveryKey key) override;
  Result<std::vector<Delivery>> delivery_heads(std::span<const DeliveryKey> keys) override;
  Result<DeliveryStretch> match_deliveries(const DeliveryFilter& filter, DeliveryOrder order,
                                           std::optional<DeliveryPlace> from,
                                           std::int64_t wanted) override;
  Result<Content> content(DeliveryKey key) override;
  Result<std::string> attachment_part(DeliveryKey key, std::size_t which, std::uint64_t offset,
                                      std::size_t octets) override;
  Result<std::int64_t> count_drafts(AccountKey account, DeliveryType type,
                                    std::int64_t most) override;
  Result<std::vector<StartingDelivery>> deliveries_to_start(std::int64_t limit) override;
  Result<std::optional<Milliseconds>> next_reservation() override;
  Result<ReservedWork> reserved_work() override;
  Result<std::vector<SendingDelivery>> sending_bulk() override;

  // -- their approval (approvals.cc)
  Result<std::optional<Approval>> approval(DeliveryKey key) override;
  Result<std::vector<Approval>> approvals_waiting(AccountKey account, std::int64_t limit) override;

  // -- their course (course.cc)
  Result<std::vector<DeliveryKey>> held_deliveries(std::int64_t limit) override;
  Result<StoppedWork> stopped_work(DeliveryKey after, std::int64_t recipients) override;

  // -- mails once more (resends.cc)
  Result<std::optional<PublicId>> resend_of(DeliveryKey key) override;
  Result<std::vector<PublicId>> resends_of(AccountKey account, PublicId email,
                                           std::int64_t limit) override;

  // -- how bulk is to go (steering.cc)
  Result<Steering> steering(DeliveryKey key) override;
  Result<std::vector<SteeringRevision>> steering_revisions(std::int64_t limit) override;

  // -- recipients (reads_recipients.cc)
  Result<Recipient> recipient(AccountKey account, PublicId email_id) override;
  Result<StoryPage> stories(std::string_view address, std::optional<AccountKey> account,
                            std::int64_t limit, std::optional<std::int64_t> from) override;
  Result<StoryPage> marked_stories(const Mark& mark, std::optional<AccountKey> account,
                                   std::int64_t limit, std::optional<std::int64_t> from) override;
  Result<Story> story(const RecipientKey& key) override;

  // -- domains of lists, samples (domain_counts.cc)
  Result<DomainCountPage> domain_counts(DeliveryKey key,
                                        const std::optional<DomainCountPlace>& from,
                                        std::int64_t limit) override;
  Result<std::vector<SampledRecipient>> sample_recipients(DeliveryKey key,
                                                          std::size_t wanted) override;

  // -- the log, usages (reads_logs.cc; stories: reads_recipients.cc)
  Result<std::vector<LogRange>> log_ranges(DeliveryKey key) override;
  Result<PublicId> log_id_since(AccountKey account, Instant at) override;
  Result<std::vector<DeliveryKey>> late_starts(AccountKey account, Instant from, Instant to,
                                               std::int64_t limit) override;
  Result<std::vector<LogHit>> not_sent(AccountKey account, LogKey key, LogRange range,
                                       std::int64_t limit) override;
  Result<std::vector<LogBatch>> log_batches(AccountKey account, LogRange range,
                                            std::int64_t limit) override;
  Result<std::vector<LogHit>> log_hits(std::span<const LogBatch> batches,
                                       std::int64_t limit) override;
  Result<Addressed> log_ids_of(const AddressQuestion& question) override;
  Result<std::vector<Story>> log_stories(AccountKey account,
                                         std::span<const PublicId> ids) override;
  Result<std::vector<Usage>> usages(AccountKey account, Month first, Month last) override;

  // -- key slots (key_slots.cc)
  Result<std::vector<KeySlotsRow>> key_slots(const DomainPlace& after, std::int64_t limit) override;
  Result<std::optional<KeySlotsRow>> key_slots_of(AccountKey account,
                                                  std::string_view domain) override;
  Result<std::vector<KeySlotsRow>> key_slots_due(std::int64_t limit) override;

  // -- receivers' TLS (receiver_tls.cc)
  Result<std::optional<StsPolicy>> sts_policy(std::string_view domain) override;
  Result<std::vector<TlsCount>> tls_counts(const TlsCountQuestion& question) override;
  Result<std::vector<Probe>> probes(const ProbeQuestion& question) override;
  Result<std::int64_t> probes_open() override;

  // -- contents that accounts keep (templates.cc)
  Result<Template> content_template(AccountKey account, const TemplateChoice& choice) override;
  Result<std::vector<TemplateHead>> content_templates(AccountKey account, PublicId after,
                                                      std::int64_t limit) override;
  Result<std::vector<TemplateVersionHead>> template_versions(AccountKey account,
                                                             PublicId id) override;

  // -- people who sign in (people.cc)
  Result<Person> person(PersonKey key) override;
  Result<Person> person_by_email(std::string_view email) override;
  Result<std::vector<Person>> people(AccountKey account, PersonKey after,
                                     std::int64_t limit) override;
  Result<SignIn> sign_in(std::string_view token_sha256) override;
  Result<std::vector<SignIn>> sign_ins(PersonKey person) override;
  Result<store::Link> link(std::string_view token_sha256) override;
  Result<bool> has_link(PersonKey person) override;
  Result<SignInRules> sign_in_rules(AccountKey account) override;
  Result<std::vector<KeptText>> kept_texts(PersonKey person, std::string_view place) override;

  // -- outcomes by cause (outcome_counts.cc)
  Result<std::vector<OutcomeCount>> outcomes_of(DeliveryKey key,
                                                const std::optional<std::string>& site,
                                                std::int64_t limit) override;
  Result<std::vector<OutcomeCount>> outcomes_within(const Hours& hours,
                                                    std::int64_t limit) override;
  // -- how lanes fare (lane_paces.cc)
  Result<std::vector<LanePace>> lane_paces(const LanePaceQuestion& question) override;
  // -- sources that are warming up (warm_up.cc)
  Result<std::vector<WarmUpCount>> warm_up_counts(std::string_view source, WarmUpDay since,
                                                  std::int64_t limit) override;
  // -- rates (rates.cc)
  Result<std::vector<RateFound>> rates(std::span<const RateSubject> subjects, RateHour from,
                                       RateHour now) override;
  Result<std::vector<RateSubject>> rate_subjects(const RateQuestion& question) override;
  Result<std::vector<HeldReceiver>> held_receivers(std::int64_t limit) override;
  Result<std::int64_t> rates_at(std::uint8_t level) override;

  // -- opens (opens.cc)
  Result<std::vector<OpenRecord>> opens_of(AccountKey account,
                                           std::span<const PublicId> ids) override;
  Result<std::vector<OpenRecord>> opens_in(AccountKey account, LogRange range,
                                           std::int64_t limit) override;
  Result<OpenCounts> open_counts(DeliveryKey key) override;

  // -- imports (reads_scheduling.cc)
  Result<ImportJob> import_job(AccountKey account, PublicId id) override;
  Result<std::vector<ImportJob>> running_imports(NodeKey node) override;
  Result<std::vector<std::string>> waiting_lists(AccountKey account) override;
  Result<std::vector<std::string>> import_errors(DeliveryKey key) override;

  // -- exports (exports.cc)
  Result<ExportJob> export_job(AccountKey account, ExportKind kind, PublicId id) override;
  Result<std::vector<ExportJob>> running_exports(NodeKey node, std::int64_t limit) override;
  Result<std::vector<ExportJob>> ended_exports(Instant before, std::int64_t limit) override;

  // -- suppression lists (suppressions.cc)
  Result<std::vector<StoppedSubject>> stops_of(AccountKey account,
                                               std::span<const std::string> subjects) override;
  Result<SuppressionPage> suppressions(AccountKey account,
                                       const std::optional<SuppressionPlace>& from,
                                       std::int64_t limit) override;
  Result<SuppressionPage> error_list(const ErrorListFilter& filter,
                                     const std::optional<SuppressionPlace>& from, std::int64_t skip,
                                     std::int64_t limit) override;
  Result<std::vector<RecentStop>> recent_suppressions(Instant from, std::int64_t limit) override;
  [[nodiscard]] AddressHash subject_hash() const override { return session_.hash(); }
  Result<std::vector<SuppressionChange>> removals_of(AccountKey account,
                                                     std::string_view subject) override;
  Result<std::vector<SuppressionChange>> removals_after(std::int64_t number,
                                                        std::int64_t limit) override;

  // -- uploads (reads_uploads.cc)
  Result<KeptUpload> upload(std::string_view name) override;
  Result<std::string> upload_piece(UploadKey key, std::int64_t which) override;

  // -- nodes (reads_nodes.cc)
  Result<std::vector<Node>> nodes() override;
  Result<void> all_know(Novelty what) override;
  Result<std::vector<NodeHolds>> held_by_nodes() override;
  Result<WaitingStretch> waiting_deliveries(DeliveryKey after, std::int64_t limit) override;
  Result<OpenStretch> open_recipients(std::int64_t from, std::int64_t limit) override;
  Result<std::vector<HeldBatch>> lost_by(NodeKey node, std::span<const HeldBatch> held) override;
  Result<std::vector<HeldBatch>> held_by(NodeKey node, const std::optional<BatchKey>& after,
                                         std::int64_t limit) override;

  // -- answers to requests that may be repeated (idempotency.cc)
  Result<std::optional<KeptAnswer>> kept_answer(const IdempotencyKey& key) override;

  // -- user names of the relay (smtp_credentials.cc)
  Result<SmtpCredential> smtp_credential(std::string_view name) override;
  Result<SmtpCredential> smtp_credential_of_uid(std::uint32_t uid) override;
  Result<std::vector<std::string>> held_smtp_credentials(std::int64_t limit) override;
  Result<std::string> smtp_habits(std::string_view name) override;
  Result<std::vector<SmtpCredential>> smtp_credentials(std::optional<AccountKey> account,
                                                       std::string_view after,
                                                       std::int64_t limit) override;

  // -- endpoints of webhooks (webhooks.cc)
  Result<std::vector<Webhook>> webhooks(AccountKey account) override;
  Result<Webhook> webhook(AccountKey account, std::string_view name) override;
  Result<std::vector<Webhook>> webhooks_to_tell(std::string_view after,
                                                std::int64_t limit) override;
  Result<std::vector<SetAsideEvent>> set_aside_of(std::string_view name, std::string_view after,
                                                  std::int64_t limit) override;
  Result<std::string> webhook_calls(std::string_view name) override;

  // -- news (news.cc)
  Result<std::vector<NewsItem>> news(std::int64_t limit) override;

  // -- the cluster (cluster.cc)
  Result<std::optional<Leader>> leader() override;
  Result<std::vector<SourceOwner>> source_owners() override;

  // -- bells (bells.cc)
  Result<BellDepth> bell_depth(const BellChannel& channel) override;

  // -- events (events.cc)
  Result<EventPage> events(const EventQuestion& question) override;
  Result<EventPlace> last_event_place() override;
  Result<std::optional<std::vector<AccountKey>>> accounts_told(const EventPlace& after,
                                                               const EventPlace& until,
                                                               std::int64_t sheets_max) override;

  // -- figures (reads_scheduling.cc)
  Result<std::vector<QueueFigures>> queue_figures() override;
  Result<AccountWork> work_of(AccountKey account) override;
  Result<bool> begun_before(AccountKey account, Instant at) override;
  Result<std::vector<SetAside>> set_aside(std::int64_t limit) override;

  // -- reports of domains (domain_reports.cc)
  Result<std::vector<DomainReport>> domain_reports(AccountKey account, std::string_view domain,
                                                   const ReportPlace& after,
                                                   std::int64_t limit) override;
  Result<std::vector<DatedLine>> report_lines(AccountKey account, std::string_view domain,
                                              const ReportPlace& after,
                                              std::int64_t limit) override;

  // -- audit (personal_data.cc)
  Result<std::vector<AuditEntry>> audit(const AuditQuestion& question) override;

 private:
  Session& session_;
};

class Changes final : public WriteTransaction {
 public:
  explicit Changes(Session& session) : session_(session), questions_(session) {}

  ReadTransaction& read() override { return questions_; }

  // -- settings, accounts (writes_accounts.cc)
  Result<void> put_setting(std::string_view name, std::string_view value) override;
  Result<std::string> put_setting_once(std::string_view name, std::string_view value) override;
  Result<Account> create_account(std::string_view name, bool sandbox) override;
  Result<void> change_account(const Account& account) override;
  Result<ApiKey> add_api_key(AccountKey account, const NewApiKey& key) override;
  Result<void> revoke_api_key(AccountKey account, std::int64_t id) override;
  Result<void> expire_api_key(AccountKey account, std::int64_t id, Milliseconds in) override;
  Result<void> use_api_keys(std::span<const std::int64_t> ids) override;
  Result<void> put_dkim_key(const DkimKey& key) override;
  Result<void> remove_dkim_key(AccountKey account, std::string_view domain,
                               std::string_view selector) override;

  // -- domains, counts of mail (domains.cc)
  Result<Domain> add_domain(const Domain& domain) override;
  Result<void> change_domain(const Domain& domain) override;
  Result<void> note_look(const Domain& domain) override;
  Result<bool> take_domain_check(AccountKey account, std::string_view domain,
                                 Instant until) override;
  Result<void> keep_domain_check(AccountKey account, std::string_view domain,
                                 const DomainCheck& check) override;
  void tell_of_domain_check(EventKind kind, AccountKey account, std::string_view domain,
                            std::string_view because) override;
  Result<void> remove_domain(AccountKey account, std::string_view domain) override;
  Result<void> hold_domains() override;
  Result<void> count_mails(NodeKey node, std::span<const MailCount> counts) override;
  Result<bool> tell_of_limit(const LimitNotice& notice) override;
  Result<bool> drop_mail_counts(DayNumber before, std::int64_t rows) override;

  // -- drafts (writes_drafts.cc)
  Result<Delivery> create_draft(const NewDelivery& delivery,
                                std::optional<std::int64_t> drafts_max) override;
  Result<void> change_draft(DeliveryKey key, const DraftChange& change) override;
  Result<std::vector<PublicId>> append_recipients(
      DeliveryKey key, std::span<const NewRecipient> recipients) override;
  Result<void> clear_recipients(DeliveryKey key) override;
  Result<void> change_recipient(const RecipientKey& key, const NewRecipient& recipient) override;
  Result<void> remove_recipient(const RecipientKey& key) override;
  Result<void> withdraw_recipient(const RecipientKey& key) override;

  // -- life of a delivery (writes_life.cc)
  Result<void> commit_draft(DeliveryKey key, std::optional<Instant> reservation,
                            const AskedBy& by) override;
  Result<void> cancel_reservation(DeliveryKey key) override;
  Result<void> move_reservation(DeliveryKey key, Instant reservation, const AskedBy& by) override;
  Result<void> start_delivery(DeliveryKey key, std::string_view signing,
                              Milliseconds life_time) override;
  Result<void> fail_delivery(DeliveryKey key, std::string_view reason) override;
  Result<void> lock_deliveries(std::span<const DeliveryKey> keys) override;  // course.cc
  Result<bool> steer_delivery(DeliveryKey key, Course course) override;
  Result<void> approve(DeliveryKey key, const Decision& decision) override;  // approvals.cc
  Result<void> send_back(DeliveryKey key, const Decision& decision) override;
  Result<void> void_approval(DeliveryKey key, const std::optional<AskedBy>& by) override;
  Result<void> lapse_approval(DeliveryKey key) override;
  Result<void> settle_approval(DeliveryKey key) override;
  Result<void> put_steering(DeliveryKey key, const SteeringRules& rules) override;  // steering.cc
  Result<PaceTaken> take_pace(DeliveryKey key, std::int64_t want) override;
  Result<void> move_window(DeliveryKey key) override;
  Result<void> note_resend(DeliveryKey key, AccountKey account, PublicId email) override;
  Result<void> end_stopped(DeliveryKey key) override;
  Result<void> delete_delivery(DeliveryKey key) override;
  Result<bool> purge_deleted(std::int64_t rows) override;

  // -- imports (writes_imports.cc)
  Result<ImportJob> create_import(DeliveryKey key, const NewImport& import, NodeKey node) override;
  Result<void> cancel_import(PublicId job, AccountKey account) override;
  Result<void> end_import(PublicId job, AccountKey account, const ImportEnd& end,
                          NodeKey node) override;
  Result<void> restart_import(PublicId job, AccountKey account, NodeKey node) override;

  // -- key slots (key_slots.cc)
  Result<bool> put_key_slots(const KeySlotsRow& row) override;
  Result<bool> remove_key_slots(const KeySlotsRow& row) override;
  // -- how lanes fare (lane_paces.cc)
  Result<void> note_lane_paces(std::span<const LanePace> paces) override;
  // -- sources that are warming up (warm_up.cc)
  Result<std::int64_t> take_warm_up(const WarmUpTake& take) override;
  Result<void> give_back_warm_up(std::string_view source, const WarmUpCount& unsent) override;

  // -- receivers' TLS (receiver_tls.cc)
  Result<void> keep_sts_policy(const StsPolicy& policy) override;
  Result<void> add_tls_counts(std::span<const TlsCount> counts, std::int64_t keep_since) override;

  // -- probes of receivers' mailboxes (probes.cc)
  Result<bool> ask_probe(const Probe& probe) override;
  Result<std::vector<Probe>> take_probes(Instant now, Instant until, std::int64_t limit) override;
  Result<bool> keep_probe(const Probe& probe, Instant taken) override;
  Result<std::int64_t> drop_probes(Instant before) override;

  // -- contents that accounts keep (templates.cc)
  Result<Template> create_template(AccountKey account, const NewTemplate& wanted) override;
  Result<Template> change_template(
      AccountKey account, PublicId id,
      const std::function<Result<NewTemplate>(const Template&)>& make) override;
  Result<void> delete_template(AccountKey account, PublicId id) override;

  // -- people who sign in (people.cc)
  Result<Person> add_person(const NewPerson& wanted) override;
  Result<Person> hold_person(PersonKey key) override;
  Result<void> change_person(const Person& person) override;
  Result<void> remove_person(PersonKey key) override;
  Result<SignIn> add_sign_in(const NewSignIn& wanted) override;
  Result<SignIn> rotate_sign_in(SignInKey key, std::string_view token_sha256, bool half,
                                Milliseconds idle, Milliseconds life) override;
  Result<bool> use_sign_in(SignInKey key, Milliseconds idle) override;
  Result<bool> act_for(SignInKey key, AccountKey account) override;
  Result<void> end_sign_in(PersonKey person, SignInKey key) override;
  Result<std::int64_t> end_sign_ins(PersonKey person, SignInKey left) override;
  Result<void> make_room_for_sign_in(PersonKey person, bool half, SignInKey coming);
  Result<void> add_link(std::string_view token_sha256, LinkPurpose purpose, PersonKey person,
                        Milliseconds life, Earlier earlier) override;
  Result<store::Link> use_link(std::string_view token_sha256) override;
  Result<void> void_links(PersonKey person) override;
  Result<void> put_sign_in_rules(AccountKey account, const SignInRules& rules) override;
  Result<void> keep_text(PersonKey person, std::string_view place, std::string_view text) override;
  Result<void> drop_texts(PersonKey person) override;
  Result<bool> drop_old_texts(std::int64_t rows) override;
  Result<bool> drop_ended_sign_ins(std::int64_t rows) override;

  // -- outcomes by cause (outcome_counts.cc)
  Result<bool> drop_outcome_hours(HourNumber before, std::int64_t rows) override;
  // -- rates (rates.cc)
  Result<void> count_rates(std::span<const RateIncrement> increments) override;
  Result<void> put_rate_state(const RateState& state) override;
  void tell_of_rate(EventKind kind, AccountKey account, std::string_view what,
                    std::string_view because) override;
  Result<bool> drop_rates(RateHour before, std::int64_t rows) override;

  // -- opens (opens.cc)
  Result<std::vector<OpenRecorded>> record_opens(std::span<const OpenSeen> seen) override;
  Result<OpenRecorded> record_complaint(AccountKey account, const RecipientKey& key,
                                        ComplaintEvent event) override;

  // -- exports (exports.cc)
  Result<ExportJob> create_export(const NewExport& wanted) override;
  Result<void> take_export(AccountKey account, PublicId id, NodeKey node) override;
  Result<void> tell_export(AccountKey account, PublicId id, NodeKey node,
                           std::int32_t percentage) override;
  Result<void> end_export(AccountKey account, PublicId id, NodeKey node,
                          const ExportEnd& end) override;
  Result<void> drop_export(AccountKey account, PublicId id) override;

  // -- suppression lists (suppressions.cc)
  Result<PutSuppressions> put_suppressions(std::span<const NewSuppression> entries) override;
  Result<std::vector<Suppression>> remove_suppressions(AccountKey account, std::string_view subject,
                                                       std::optional<StopReason> reason,
                                                       const std::optional<std::string>& list_id,
                                                       std::string_view why,
                                                       std::string_view actor) override;

  // -- personal data (personal_data.cc)
  Result<ErasedRecipient> erase_recipient(const RecipientKey& key,
                                          std::string_view address) override;
  Result<ErasedStops> erase_suppressions(AccountKey account, std::string_view subject) override;
  Result<std::int64_t> expire_copies(AccountKey account) override;
  Result<bool> erase_content(DeliveryKey key) override;
  Result<void> add_audit(const AuditEntry& entry, std::string_view address) override;
  Result<bool> drop_audit(Instant before, std::int64_t rows) override;

  // -- reports of domains (domain_reports.cc)
  Result<void> hold_domain_reports(AccountKey account, std::string_view domain) override;
  Result<bool> add_domain_report(const DomainReport& report,
                                 std::span<const ReportLine> lines) override;
  Result<bool> drop_domain_reports(std::int64_t day, std::int64_t rows) override;

  // -- octets of relayed messages (relayed.cc)
  Result<RelayedKey> begin_relayed(NodeKey node) override;
  Result<void> add_relayed_piece(RelayedKey key, std::int64_t which,
                                 std::string_view octets) override;
  Result<void> drop_relayed(RelayedKey key) override;

  // -- uploads (writes_uploads.cc)
  Result<UploadKey> begin_upload(NodeKey node) override;
  Result<void> add_upload_piece(UploadKey key, std::int64_t which,
                                std::string_view octets) override;
  Result<void> keep_upload(UploadKey key, std::string_view name) override;
  Result<void> drop_upload(UploadKey key) override;
  Result<void> drop_upload(std::string_view name) override;

  // -- nodes (writes_nodes.cc)
  Result<NodeKey> enter_node(const NewNode& node) override;
  Result<void> renew_node(NodeKey node) override;
  Result<void> offer_sources(NodeKey node, std::span<const std::string> sources) override;
  Result<void> leave_node(NodeKey node) override;
  Result<bool> void_node(NodeKey node) override;
  Result<OfferedAgain> offer_again(NodeKey node, std::int64_t limit) override;
  Result<OfferedAgain> give_back(NodeKey node, std::span<const HeldBatch> held) override;
  Result<void> mark_begun(const HeldBatch& held, bool begun) override;
  Result<void> mark_on_its_way(const HeldBatch& held, std::uint32_t seq, bool on_its_way) override;
  Result<void> offer_set_aside(const RecipientKey& key) override;

  // -- answers to requests that may be repeated (idempotency.cc)
  Result<void> keep_answer(const IdempotencyRecord& record) override;

  // -- readers of events (event_readers.cc)
  Result<std::string> take_event_reader(NodeKey node, std::string_view name) override;
  Result<void> save_event_reader(NodeKey node, std::string_view name,
                                 std::string_view state) override;
  Result<void> give_event_reader(NodeKey node, std::string_view name) override;

  // -- user names of the relay (smtp_credentials.cc)
  Result<SmtpCredential> add_smtp_credential(const SmtpCredential& credential) override;
  Result<SmtpCredential> hold_smtp_credential(std::string_view name) override;
  Result<void> change_smtp_credential(const SmtpCredential& credential) override;
  void tell_of_smtp_credential(EventKind kind, const SmtpCredential& credential) override;
  Result<void> use_smtp_credential(std::string_view name) override;
  Result<void> keep_smtp_habits(std::string_view name, std::string_view habits) override;

  // -- endpoints of webhooks (webhooks.cc)
  Result<Webhook> create_webhook(const NewWebhook& webhook) override;
  Result<void> change_webhook(
      AccountKey account, std::string_view name,
      const std::function<Result<WebhookTerms>(const Webhook&)>& make) override;
  Result<void> redirect_webhook(
      AccountKey account, std::string_view name,
      const std::function<Result<std::string>(const Webhook&)>& make) override;
  Result<void> enable_webhook(AccountKey account, std::string_view name, bool on) override;
  Result<void> delete_webhook(AccountKey account, std::string_view name) override;
  Result<Webhook> take_webhook(NodeKey node, std::string_view name) override;
  Result<void> give_webhook(NodeKey node, std::string_view name) override;
  Result<void> save_webhook(const WebhookProgress& progress) override;
  Result<void> keep_webhook_calls(NodeKey node, std::string_view name,
                                  std::string_view calls) override;
  Result<void> drop_set_aside(std::string_view name, std::span<const std::string> events) override;

  // -- news (news.cc)
  Result<void> tell_news(NodeKey teller, std::string_view body) override;
  Result<void> drop_news(std::span<const std::int64_t> keys) override;

  // -- the cluster (cluster.cc)
  Result<Leader> lead(NodeKey node) override;
  Result<void> stop_leading(NodeKey node) override;
  Result<SourceOwner> take_source(NodeKey node, std::string_view source) override;
  Result<void> give_source(NodeKey node, std::string_view source) override;

  // -- events (events.cc)
  Result<bool> drop_events(Instant before, std::int64_t sheets) override;
  Result<void> begin_event_generation() override;
  void tell_of_recipient(EventKind kind, AccountKey account, const RecipientKey& key) override;
  // For the owner: adds what was made true to the flight that commits it.
  void add_events();
  // The same of what is told at the end.
  void add_topics();

 private:
  // Of what is held it is told at the end: who holds back many locks many rows, and everybody who
  // resumes one waits for the topic's.
  [[nodiscard]] Result<void> changed(Topic topic);
  [[nodiscard]] Result<void> check_uid_free(const SmtpCredential& credential);
  // people.cc. Locks what those wait for each other at who change who is there.
  [[nodiscard]] Result<void> lock_people();
  // Nobody who is in charge now, once `person` is not: conflict.
  [[nodiscard]] Result<void> check_others_in_charge(const Person& person);
  [[nodiscard]] Result<void> count_template_octets(AccountKey account, std::int64_t octets);
  [[nodiscard]] Result<void> add_template_version(AccountKey account, PublicId id,
                                                  std::int64_t version, const Content& content);
  // False: it was there.
  [[nodiscard]] Result<bool> insert_report(const DomainReport& report);
  [[nodiscard]] Result<void> replace_inline_parts(Delivery& delivery,
                                                  std::span<const Attachment> parts);
  // Of a delivery that `may_be` lets pass.
  [[nodiscard]] Result<void> remove_if(Result<Delivery> (*may_be)(Result<Delivery>),
                                       const RecipientKey& key);
  [[nodiscard]] Result<void> room_for_draft(const NewDelivery& delivery, std::int64_t drafts_max);
  [[nodiscard]] Result<void> ask_approval(DeliveryKey key, AccountKey account,
                                          std::optional<Instant> reservation, const AskedBy& by);
  [[nodiscard]] Result<void> forget_approval(DeliveryKey key);
  [[nodiscard]] Result<void> end_approval(DeliveryKey key);
  [[nodiscard]] Result<void> tell_each(DeliveryKey key, AccountKey account, EventKind kind);
  // Parts of purge_deleted(): true when no removed message, no removed upload, no answer that is
  // not kept is left.
  [[nodiscard]] Result<bool> purge_relayed(std::int64_t& rows);
  [[nodiscard]] Result<bool> purge_uploads(std::int64_t& rows);
  [[nodiscard]] Result<bool> purge_answers(std::int64_t rows);
  // Another one: true when no expired entry is left.
  [[nodiscard]] Result<bool> purge_suppressions(std::int64_t& rows);
  [[nodiscard]] Result<std::int64_t> doubt_those_on_their_way(const std::set<BatchKey>& batches);
  [[nodiscard]] Result<bool> count_death(std::int64_t batch, std::int64_t seq, Instant expires);
  [[nodiscard]] Result<OfferedAgain> lose(const Column& numbers, NodeKey node, NodeEnd end);

  Session& session_;
  Questions questions_;
  CommitEvents events_;
  bool held_changed_ = false;
};

}  // namespace todoku::store::postgres
