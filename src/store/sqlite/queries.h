// SPDX-License-Identifier: Apache-2.0
// The questions of ReadTransaction on one connection; shared by readers and the writer, which sees
// its own uncommitted changes. Each function is documented in store/store.h.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/sqlite/address_index.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/dictionary.h"
#include "store/sqlite/stop_filter.h"
#include "store/store.h"

namespace todoku::store::sqlite {

// What the writer keeps up with every commit, so that nobody has to count, or to look in vain.
struct LiveFigures {
  std::atomic<std::int64_t> transactional_waiting{0};  // recipients not in a terminal state
  StopFilter stops;
  // How often values of the dictionary were replaced: who has one cached forgets it.
  std::atomic<std::uint64_t> dictionary_replaced{0};
};

// A batch as stored.
struct BatchRow {
  std::int64_t number = 0;
  std::int64_t delivery = 0;
  AccountKey account{};
  std::int64_t section = 0;  // 0: a transaction's
  TrafficClass traffic = TrafficClass::transactional;
  std::string domain;
  PublicId first_email_id = 0;
  std::int64_t capacity = 0;
  std::int64_t size = 0;
  std::int64_t removed = 0;
  std::int64_t open = 0;
  Instant created{};
  std::optional<Instant> ready_at;
  std::uint64_t token = 0;
  NodeKey holder = kNobody;
};

inline constexpr std::int64_t kSectionLive = 1;
inline constexpr std::int64_t kSectionStaged = 2;
inline constexpr std::int64_t kSectionDiscarded = 3;

class ReadAhead;

class Queries {
 public:
  Queries(Connection& db, const LiveFigures& figures, AddressHash hash)
      : db_(db), dictionary_(db), figures_(figures), hash_(hash) {}

  // What the store's clock says, for all that is asked until it is set again.
  // `wall`: what the calendar says, if that is not the same (base/forward_clock.h): reservations
  // are for an instant of it. Before anything is read: from then on a replaced value is cached anew
  // only as it is now.
  void set_now(Instant now, std::optional<Instant> wall = std::nullopt) {
    now_ = now;
    wall_ = wall.value_or(now);
    forget_stop_kinds();
    const std::uint64_t replaced = figures_.dictionary_replaced;
    if (std::exchange(dictionary_replaced_, replaced) != replaced) dictionary_.forget();
  }
  [[nodiscard]] Instant wall() const { return wall_; }
  // Who looks beforehand at what lies scattered; it must outlive this. nullptr: nobody does.
  void read_ahead_by(ReadAhead* ahead) { ahead_ = ahead; }

  [[nodiscard]] Result<std::optional<std::string>> setting(std::string_view name);

  [[nodiscard]] Result<ChangeNumbers> change_numbers();

  [[nodiscard]] Result<std::optional<KeptAnswer>> kept_answer(const IdempotencyKey& key);

  [[nodiscard]] Result<std::vector<Webhook>> webhooks(AccountKey account);
  [[nodiscard]] Result<Webhook> webhook(AccountKey account, std::string_view name);
  [[nodiscard]] Result<std::vector<Webhook>> webhooks_to_tell(std::string_view after,
                                                              std::int64_t limit);
  [[nodiscard]] Result<std::vector<SetAsideEvent>> set_aside_of(std::string_view name,
                                                                std::string_view after,
                                                                std::int64_t limit);
  [[nodiscard]] Result<std::string> webhook_calls(std::string_view name);
  // -- user names of the relay (smtp_credentials.cc)
  [[nodiscard]] Result<SmtpCredential> smtp_credential(std::string_view name);
  [[nodiscard]] Result<SmtpCredential> smtp_credential_of_uid(std::uint32_t uid);
  [[nodiscard]] Result<std::vector<std::string>> held_smtp_credentials(std::int64_t limit);
  [[nodiscard]] Result<std::string> smtp_habits(std::string_view name);
  [[nodiscard]] Result<std::vector<SmtpCredential>> smtp_credentials(
      std::optional<AccountKey> account, std::string_view after, std::int64_t limit);

  [[nodiscard]] Result<std::vector<Account>> accounts(AccountKey after, std::int64_t limit);
  [[nodiscard]] Result<std::map<AccountKey, std::int64_t>> active_keys(AccountKey first,
                                                                       AccountKey last);
  [[nodiscard]] Result<std::vector<Account>> suspended_accounts(std::int64_t limit);
  [[nodiscard]] Result<Account> account(AccountKey key);
  [[nodiscard]] Result<Account> account_by_name(std::string_view name);
  [[nodiscard]] Result<KeyHolder> key_by_token(std::string_view token_sha256);
  [[nodiscard]] Result<std::vector<ApiKey>> api_keys(AccountKey account);
  [[nodiscard]] Result<std::vector<DkimKey>> dkim_keys(const DkimPlace& after, std::int64_t limit);

  [[nodiscard]] Result<std::vector<Domain>> domains(const DomainPlace& after, std::int64_t limit);
  [[nodiscard]] Result<std::vector<Domain>> proven_domains(const DomainPlace& after,
                                                           std::int64_t limit);
  [[nodiscard]] Result<Domain> domain(AccountKey account, std::string_view domain);
  [[nodiscard]] Result<std::vector<Domain>> holders(std::span<const std::string> domains);
  [[nodiscard]] Result<std::vector<Domain>> domains_to_look_at(std::int64_t limit);
  [[nodiscard]] Result<std::vector<DomainPlace>> domains_to_check(std::int64_t limit);
  [[nodiscard]] Result<DomainCheck> domain_check(AccountKey account, std::string_view domain);
  [[nodiscard]] Result<std::vector<MailCount>> mail_counts(std::span<const AccountKey> accounts,
                                                           DayNumber first);

  [[nodiscard]] Result<Delivery> delivery(AccountKey account, PublicId id);
  [[nodiscard]] Result<Delivery> delivery(DeliveryKey key);
  [[nodiscard]] Result<Delivery> delivery_head(AccountKey account, PublicId id);
  [[nodiscard]] Result<Delivery> delivery_head(DeliveryKey key);
  [[nodiscard]] Result<std::vector<Delivery>> delivery_heads(std::span<const DeliveryKey> keys);
  [[nodiscard]] Result<DeliveryStretch> match_deliveries(const DeliveryFilter& filter,
                                                         DeliveryOrder order,
                                                         std::optional<DeliveryPlace> from,
                                                         std::int64_t wanted);
  [[nodiscard]] Result<Content> content(DeliveryKey key);
  [[nodiscard]] Result<std::string> attachment_part(DeliveryKey key, std::size_t which,
                                                    std::uint64_t offset, std::size_t octets);
  // Of a message that is kept in pieces: as many octets as there must be.
  [[nodiscard]] Result<std::string> relayed_part(std::int64_t relayed, std::uint64_t offset,
                                                 std::size_t octets);
  [[nodiscard]] Result<std::int64_t> count_drafts(AccountKey account, DeliveryType type,
                                                  std::int64_t most);

  [[nodiscard]] Result<Recipient> recipient(AccountKey account, PublicId email_id);
  [[nodiscard]] Result<StoryPage> stories(std::string_view address,
                                          std::optional<AccountKey> account, std::int64_t limit,
                                          std::optional<std::int64_t> from);
  [[nodiscard]] Result<StoryPage> marked_stories(const Mark& mark,
                                                 std::optional<AccountKey> account,
                                                 std::int64_t limit,
                                                 std::optional<std::int64_t> from);
  [[nodiscard]] Result<Story> story(const RecipientKey& key);

  // domain_counts.cc
  [[nodiscard]] Result<DomainCountPage> domain_counts(DeliveryKey key,
                                                      const std::optional<DomainCountPlace>& from,
                                                      std::int64_t limit);
  [[nodiscard]] Result<std::vector<SampledRecipient>> sample_recipients(DeliveryKey key,
                                                                        std::size_t wanted);

  // reads_logs.cc
  [[nodiscard]] Result<std::vector<LogRange>> log_ranges(DeliveryKey key);
  [[nodiscard]] Result<PublicId> log_id_since(AccountKey account, Instant at);
  [[nodiscard]] Result<std::vector<DeliveryKey>> late_starts(AccountKey account, Instant from,
                                                             Instant to, std::int64_t limit);
  [[nodiscard]] Result<std::vector<LogHit>> not_sent(AccountKey account, LogKey key, LogRange range,
                                                     std::int64_t limit);
  [[nodiscard]] Result<std::vector<LogBatch>> log_batches(AccountKey account, LogRange range,
                                                          std::int64_t limit);
  [[nodiscard]] Result<std::vector<LogHit>> log_hits(std::span<const LogBatch> batches,
                                                     std::int64_t limit);
  [[nodiscard]] Result<LogReads::Addressed> log_ids_of(const LogReads::AddressQuestion& question);
  [[nodiscard]] Result<std::vector<Story>> log_stories(AccountKey account,
                                                       std::span<const PublicId> ids);
  [[nodiscard]] Result<std::vector<Usage>> usages(AccountKey account, Month first, Month last);

  // key_slots.cc
  [[nodiscard]] Result<std::vector<KeySlotsRow>> key_slots(const DomainPlace& after,
                                                           std::int64_t limit);
  [[nodiscard]] Result<std::optional<KeySlotsRow>> key_slots_of(AccountKey account,
                                                                std::string_view domain);
  [[nodiscard]] Result<std::vector<KeySlotsRow>> key_slots_due(std::int64_t limit);

  // receiver_tls.cc
  [[nodiscard]] Result<std::optional<StsPolicy>> sts_policy(std::string_view domain);
  [[nodiscard]] Result<std::vector<TlsCount>> tls_counts(const TlsCountQuestion& question);
  // probes.cc
  [[nodiscard]] Result<std::vector<Probe>> probes(const ProbeQuestion& question);
  [[nodiscard]] Result<std::int64_t> probes_open();
  // templates.cc
  [[nodiscard]] Result<Template> content_template(AccountKey account, const TemplateChoice& choice);
  [[nodiscard]] Result<std::vector<TemplateHead>> content_templates(AccountKey account,
                                                                    PublicId after,
                                                                    std::int64_t limit);
  [[nodiscard]] Result<std::vector<TemplateVersionHead>> template_versions(AccountKey account,
                                                                           PublicId id);
  // people.cc
  [[nodiscard]] Result<Person> person(PersonKey key);
  [[nodiscard]] Result<Person> person_by_email(std::string_view email);
  [[nodiscard]] Result<std::vector<Person>> people(AccountKey account, PersonKey after,
                                                   std::int64_t limit);
  [[nodiscard]] Result<SignIn> sign_in(std::string_view token_sha256);
  [[nodiscard]] Result<std::vector<SignIn>> sign_ins(PersonKey person);
  [[nodiscard]] Result<Link> link(std::string_view token_sha256);
  [[nodiscard]] Result<bool> has_link(PersonKey person);
  [[nodiscard]] Result<SignInRules> sign_in_rules(AccountKey account);
  [[nodiscard]] Result<std::vector<KeptText>> kept_texts(PersonKey person, std::string_view place);
  // lane_paces.cc
  [[nodiscard]] Result<std::vector<LanePace>> lane_paces(const LanePaceQuestion& question);
  [[nodiscard]] Result<std::vector<WarmUpCount>> warm_up_counts(std::string_view source,
                                                                WarmUpDay since,
                                                                std::int64_t limit);

  // outcome_counts.cc
  [[nodiscard]] Result<std::vector<OutcomeCount>> outcomes_of(
      DeliveryKey key, const std::optional<std::string>& site, std::int64_t limit);
  [[nodiscard]] Result<std::vector<OutcomeCount>> outcomes_within(
      const OutcomeCountReads::Hours& hours, std::int64_t limit);
  [[nodiscard]] Result<std::vector<OutcomeCount>> with_samples(
      const std::map<OutcomeTally::Kind, OutcomeTally::Of>& sums, std::int64_t limit);

  // rates.cc
  [[nodiscard]] Result<std::vector<RateFound>> rates(std::span<const RateSubject> subjects,
                                                     RateHour from, RateHour now);
  [[nodiscard]] Result<std::vector<RateSubject>> rate_subjects(const RateQuestion& question);
  [[nodiscard]] Result<std::vector<HeldReceiver>> held_receivers(std::int64_t limit);
  [[nodiscard]] Result<std::int64_t> rates_at(std::uint8_t level);

  // opens.cc
  [[nodiscard]] Result<std::vector<OpenRecord>> opens_of(AccountKey account,
                                                         std::span<const PublicId> ids);
  [[nodiscard]] Result<std::vector<OpenRecord>> opens_in(AccountKey account, LogRange range,
                                                         std::int64_t limit);
  [[nodiscard]] Result<OpenCounts> open_counts(DeliveryKey key);

  [[nodiscard]] Result<std::vector<StartingDelivery>> deliveries_to_start(std::int64_t limit);
  [[nodiscard]] Result<std::optional<Milliseconds>> next_reservation();
  [[nodiscard]] Result<ReservedWork> reserved_work();
  [[nodiscard]] Result<std::vector<SendingDelivery>> sending_bulk();
  [[nodiscard]] Result<DueDomains> due(const Due& due);

  // approvals.cc
  [[nodiscard]] Result<std::optional<Approval>> approval(DeliveryKey key);
  [[nodiscard]] Result<std::vector<Approval>> approvals_waiting(AccountKey account,
                                                                std::int64_t limit);

  // steering.cc
  [[nodiscard]] Result<Steering> steering(DeliveryKey key);
  [[nodiscard]] Result<std::vector<SteeringRevision>> steering_revisions(std::int64_t limit);

  // resends.cc
  [[nodiscard]] Result<std::optional<PublicId>> resend_of(DeliveryKey key);
  [[nodiscard]] Result<std::vector<PublicId>> resends_of(AccountKey account, PublicId email,
                                                         std::int64_t limit);

  // course.cc
  [[nodiscard]] Result<std::vector<DeliveryKey>> held_deliveries(std::int64_t limit);
  [[nodiscard]] Result<StoppedWork> stopped_work(DeliveryKey after, std::int64_t recipients);

  [[nodiscard]] Result<ImportJob> import_job(AccountKey account, PublicId id);
  [[nodiscard]] Result<std::vector<ImportJob>> running_imports(NodeKey node);
  [[nodiscard]] Result<std::vector<std::string>> waiting_lists(AccountKey account);
  [[nodiscard]] Result<std::vector<std::string>> import_errors(DeliveryKey key);

  // exports.cc
  [[nodiscard]] Result<ExportJob> export_job(AccountKey account, ExportKind kind, PublicId id);
  [[nodiscard]] Result<std::vector<ExportJob>> running_exports(NodeKey node, std::int64_t limit);
  [[nodiscard]] Result<std::vector<ExportJob>> ended_exports(Instant before, std::int64_t limit);

  // suppressions.cc
  [[nodiscard]] Result<std::vector<StoppedSubject>> stops_of(AccountKey account,
                                                             std::span<const std::string> subjects);
  [[nodiscard]] Result<SuppressionPage> suppressions(AccountKey account,
                                                     const std::optional<SuppressionPlace>& from,
                                                     std::int64_t limit);
  [[nodiscard]] Result<SuppressionPage> error_list(const ErrorListFilter& filter,
                                                   const std::optional<SuppressionPlace>& from,
                                                   std::int64_t skip, std::int64_t limit);
  [[nodiscard]] Result<std::vector<RecentStop>> recent_suppressions(Instant from,
                                                                    std::int64_t limit);
  [[nodiscard]] Result<std::vector<SuppressionChange>> removals_of(AccountKey account,
                                                                   std::string_view subject);
  [[nodiscard]] Result<std::vector<SuppressionChange>> removals_after(std::int64_t number,
                                                                      std::int64_t limit);
  // Why such a mail to the address is stopped; nullopt: it is not.
  [[nodiscard]] Result<std::optional<StopReason>> stopped(AccountKey account,
                                                          std::string_view address, Purpose purpose,
                                                          std::string_view list_id);
  // Entries were added: which kinds there are is asked again.
  void forget_stop_kinds() { stop_kinds_.reset(); }
  // The first of the row ids that entries of a subject have.
  [[nodiscard]] std::int64_t suppression_place(AccountKey account, std::string_view subject) const;

  [[nodiscard]] Result<std::vector<Node>> nodes();
  [[nodiscard]] Result<std::vector<NodeHolds>> held_by_nodes();
  [[nodiscard]] Result<WaitingStretch> waiting_deliveries(DeliveryKey after, std::int64_t limit);
  [[nodiscard]] Result<OpenStretch> open_recipients(std::int64_t from, std::int64_t limit);
  [[nodiscard]] Result<std::vector<NewsItem>> news(std::int64_t limit);
  [[nodiscard]] Result<std::vector<HeldBatch>> lost_by(NodeKey node,
                                                       std::span<const HeldBatch> held);
  [[nodiscard]] Result<std::vector<HeldBatch>> held_by(NodeKey node,
                                                       const std::optional<BatchKey>& after,
                                                       std::int64_t limit);

  [[nodiscard]] Result<std::optional<Leader>> leader();
  [[nodiscard]] Result<std::vector<SourceOwner>> source_owners();

  [[nodiscard]] Result<BellDepth> bell_depth(const BellChannel& channel);

  [[nodiscard]] Result<EventPage> events(const EventQuestion& question);
  [[nodiscard]] Result<EventPlace> last_event_place();
  [[nodiscard]] Result<std::optional<std::vector<AccountKey>>> accounts_told(
      const EventPlace& after, const EventPlace& until, std::int64_t sheets_max);
  [[nodiscard]] Result<std::uint64_t> event_generation();

  // domain_reports.cc
  [[nodiscard]] Result<std::vector<DomainReport>> domain_reports(AccountKey account,
                                                                 std::string_view domain,
                                                                 const ReportPlace& after,
                                                                 std::int64_t limit);
  [[nodiscard]] Result<std::vector<DatedLine>> report_lines(AccountKey account,
                                                            std::string_view domain,
                                                            const ReportPlace& after,
                                                            std::int64_t limit);

  // personal_data.cc
  [[nodiscard]] Result<std::vector<AuditEntry>> audit(const AuditQuestion& question);

  [[nodiscard]] Result<std::vector<QueueFigures>> queue_figures();
  [[nodiscard]] Result<AccountWork> work_of(AccountKey account);
  [[nodiscard]] Result<bool> begun_before(AccountKey account, Instant at);
  [[nodiscard]] Result<std::vector<SetAside>> set_aside(std::int64_t limit);
  [[nodiscard]] Result<std::optional<SetAside>> set_aside_of(std::int64_t row);

  // -- parts that the writer uses too

  // The row of a delivery without its content; not_found if it is deleted.
  [[nodiscard]] Result<Delivery> delivery_row(DeliveryKey key);
  [[nodiscard]] Result<std::optional<BatchRow>> batch(std::int64_t number);
  // The ids of the live sections of a delivery.
  [[nodiscard]] Result<std::vector<std::int64_t>> live_sections(DeliveryKey delivery);
  // A row whose first columns are those that delivery_row() selects.
  [[nodiscard]] static Delivery delivery_in(const Query& row);
  // Whether a batch's recipients are to be seen: not staged, not discarded.
  [[nodiscard]] Result<bool> visible(const BatchRow& batch);

  [[nodiscard]] Connection& db() { return db_; }
  [[nodiscard]] Dictionary& dictionary() { return dictionary_; }
  [[nodiscard]] const AddressHash& hash() const { return hash_; }
  [[nodiscard]] std::uint64_t address_hash(std::string_view address) const {
    return hash_(address);
  }

 private:
  struct RecipientRow;
  [[nodiscard]] Result<std::optional<RateState>> rate_state(const RateSubject& subject);
  // Of the hours from `first` to `last`.
  [[nodiscard]] Result<OutcomeCounts> counted_between(const RateSubject& subject, RateHour first,
                                                      RateHour last);
  // The batch that begins at or before an email id; nullopt: there is none.
  struct IdPlace {
    std::int64_t number = 0;
    PublicId first = 0;
    std::int64_t size = 0;
    Instant created{};
  };
  [[nodiscard]] Result<void> add_sampled(const BatchRow& batch, std::int64_t from,
                                         std::int64_t limit, std::vector<SampledRecipient>& sample);
  [[nodiscard]] Result<std::vector<LogRange>> filled_ranges(DeliveryKey key);
  [[nodiscard]] Result<std::vector<SampledRecipient>> whole_list(DeliveryKey key,
                                                                 std::int64_t wanted);
  [[nodiscard]] Result<std::optional<IdPlace>> place_of_id(AccountKey account, PublicId id);
  // Of which kinds there may be entries, a bit each (suppressions.cc).
  [[nodiscard]] Result<unsigned> stop_kinds();
  [[nodiscard]] Result<void> add_stops(AccountKey account, std::string_view subject,
                                       std::vector<Suppression>& found);
  [[nodiscard]] Result<Delivery> with_content(Delivery delivery);
  [[nodiscard]] Result<DeliveryKey> key_of(AccountKey account, PublicId id);
  [[nodiscard]] Query deliveries_in_order(const DeliveryFilter& filter, DeliveryOrder order,
                                          std::optional<DeliveryPlace> from);
  [[nodiscard]] Result<bool> matches_texts(DeliveryKey key, const DeliveryFilter& filter,
                                           std::int64_t& effort);
  [[nodiscard]] Result<std::optional<RecipientRow>> recipient_row_of(std::int64_t row,
                                                                     const BatchRow& batch);
  enum class Told : std::uint8_t { all, without_content };
  [[nodiscard]] Result<StoryPage> stories_among(const AddressMatches& found,
                                                std::optional<AccountKey> account,
                                                std::int64_t limit,
                                                const std::function<bool(const Story&)>& is_it);
  [[nodiscard]] Result<std::optional<Story>> story_of(std::int64_t row, Told told = Told::all);
  [[nodiscard]] Result<void> add_content(DeliveryKey key, Story& story);
  [[nodiscard]] Result<std::vector<std::int64_t>> free_batches(DeliveryKey key, std::int64_t limit,
                                                               Instant until);
  [[nodiscard]] Result<void> add_open(DeliveryKey key, std::int64_t batch,
                                      std::vector<StoppedRecipient>& open);
  [[nodiscard]] static SetAside set_aside_in(const Query& row);
  [[nodiscard]] Query few_due(const Due& due);
  [[nodiscard]] Query page_of_due(const Due& due, std::string_view from);
  [[nodiscard]] Query due_of_domain(const Due& due);
  [[nodiscard]] static DueBatch due_batch(const Query& row);
  [[nodiscard]] Result<std::optional<DueDomains>> all_due(const Due& due);
  [[nodiscard]] Result<DueDomains> due_by_domain(const Due& due);
  [[nodiscard]] Result<std::optional<Milliseconds>> upcoming(Workload workload);

  Connection& db_;
  Dictionary dictionary_;
  const LiveFigures& figures_;
  AddressHash hash_;
  Instant now_{};
  Instant wall_{};
  ReadAhead* ahead_ = nullptr;
  std::vector<Suppression> stops_;  // reused between look-ups
  std::optional<unsigned> stop_kinds_;
  std::uint64_t dictionary_replaced_ = 0;  // as of what is cached
};

}  // namespace todoku::store::sqlite
