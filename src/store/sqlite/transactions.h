// SPDX-License-Identifier: Apache-2.0
// The writing transaction of store/store.h on SQLite, and the hot operations of store/work.h as the
// writer performs them. All questions are Queries.
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
#include "store/sqlite/read_transaction.h"
#include "store/store.h"

namespace todoku::store::sqlite {

// The one writer. It lives as long as the store; begin, commit and roll back are its owner's
// business (group_writer.h), which tells it the time and what became of its changes.
class SqliteWriteTransaction final : public WriteTransaction {
 public:
  // `figures` must outlive the transaction.
  SqliteWriteTransaction(Connection& db, LiveFigures& figures, AddressHash hash)
      : read_(db, figures, hash),
        queries_(read_.queries()),
        db_(db),
        counters_(db),
        figures_(figures) {}

  ReadTransaction& read() override { return read_; }

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
  Result<void> delete_delivery(DeliveryKey key) override;
  Result<bool> purge_deleted(std::int64_t rows) override;

  // -- its approval (approvals.cc)
  Result<void> approve(DeliveryKey key, const Decision& decision) override;
  Result<void> send_back(DeliveryKey key, const Decision& decision) override;
  Result<void> void_approval(DeliveryKey key, const std::optional<AskedBy>& by) override;
  Result<void> lapse_approval(DeliveryKey key) override;
  Result<void> settle_approval(DeliveryKey key) override;

  // -- its course (course.cc)
  // Nobody else writes meanwhile.
  Result<void> lock_deliveries(std::span<const DeliveryKey> /*keys*/) override { return {}; }
  Result<bool> steer_delivery(DeliveryKey key, Course course) override;
  Result<void> end_stopped(DeliveryKey key) override;

  // -- octets of relayed messages (relayed.cc)
  Result<RelayedKey> begin_relayed(NodeKey node) override;
  Result<void> add_relayed_piece(RelayedKey key, std::int64_t which,
                                 std::string_view octets) override;
  Result<void> drop_relayed(RelayedKey key) override;

  // -- imports (writes_imports.cc)
  Result<ImportJob> create_import(DeliveryKey key, const NewImport& import, NodeKey node) override;
  Result<void> cancel_import(PublicId job, AccountKey account) override;
  Result<void> end_import(PublicId job, AccountKey account, const ImportEnd& end,
                          NodeKey node) override;
  Result<void> restart_import(PublicId job, AccountKey account, NodeKey node) override;

  // -- reports of domains (domain_reports.cc)
  Result<void> hold_domain_reports(AccountKey account, std::string_view domain) override;
  Result<bool> add_domain_report(const DomainReport& report,
                                 std::span<const ReportLine> lines) override;
  Result<bool> drop_domain_reports(std::int64_t day, std::int64_t rows) override;

  // -- key slots (key_slots.cc)
  Result<bool> put_key_slots(const KeySlotsRow& row) override;
  Result<bool> remove_key_slots(const KeySlotsRow& row) override;
  // -- how lanes fare (lane_paces.cc)
  Result<void> note_lane_paces(std::span<const LanePace> paces) override;
  // -- how bulk is to go (steering.cc)
  Result<void> put_steering(DeliveryKey key, const SteeringRules& rules) override;
  Result<PaceTaken> take_pace(DeliveryKey key, std::int64_t want) override;
  Result<void> move_window(DeliveryKey key) override;
  Result<void> note_resend(DeliveryKey key, AccountKey account, PublicId email) override;

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
  Result<Link> use_link(std::string_view token_sha256) override;
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

  // -- the cluster (writes_cluster.cc)
  Result<Leader> lead(NodeKey node) override;
  Result<void> stop_leading(NodeKey node) override;
  Result<SourceOwner> take_source(NodeKey node, std::string_view source) override;
  Result<void> give_source(NodeKey node, std::string_view source) override;

  // -- events (events.cc)
  Result<bool> drop_events(Instant before, std::int64_t sheets) override;
  Result<void> begin_event_generation() override;
  void tell_of_recipient(EventKind kind, AccountKey account, const RecipientKey& key) override;

  // -- hot operations: each item is answered in its place. An error: the engine refused, and what
  // was changed must be rolled back.
  Result<void> perform(Together<Accept> items);                    // writes_accept.cc
  Result<void> perform(Together<Settle> items);                    // writes_settle.cc
  Result<void> perform(Together<Claim> items);                     // writes_claims.cc
  Result<void> perform(Together<StageRows> items);                 // writes_imports.cc
  [[nodiscard]] Result<BellsHeard> perform(const BellWork& work);  // bells.cc
  // One item alone, for owners without a group.
  template <class Op>
  [[nodiscard]] Result<typename Op::Answer> perform_one(Op op) {
    Pending<Op> item{std::move(op), {}, {}};
    Pending<Op>* const items[] = {&item};
    auto done = perform(Together<Op>(items));
    if (!done) return fail(std::move(done.error()));
    return std::move(item.answer);
  }

  // Due, for owners without readers.
  [[nodiscard]] Result<DueDomains> due(const Due& due) { return queries_.due(due); }

  // -- for the owner

  // The store's clock at the beginning of the group; everything in it happens then.
  void set_now(Instant now, std::optional<Instant> wall = std::nullopt) {
    now_ = now;
    read_.set_now(now, wall);
  }
  // Counts how many recipients wait, when the store is opened.
  [[nodiscard]] Result<void> load_figures();
  // What changes in memory is undone with the piece of work that changed it.
  struct Mark {
    std::int64_t waiting = 0;
    std::size_t counters = 0;
    std::size_t events = 0;
  };
  [[nodiscard]] Mark mark() const { return {waiting_, counters_.mark(), events_.mark()}; }
  // The last thing before the commit.
  [[nodiscard]] Result<void> write_events();
  // Everything since `mark` was rolled back.
  void rolled_back(const Mark& mark);
  void committed();
  // The whole transaction was rolled back, or (`in_doubt`) nobody knows what a crash would find.
  void lost(bool in_doubt);
  [[nodiscard]] Connection& connection() { return db_; }
  [[nodiscard]] Counters& counters() { return counters_; }
  // Addresses written so far, committed or not; read by other threads.
  [[nodiscard]] const std::atomic<std::uint64_t>& addresses_written() const {
    return addresses_written_;
  }

  // -- personal data (personal_data.cc)
  Result<ErasedRecipient> erase_recipient(const RecipientKey& key,
                                          std::string_view address) override;
  Result<ErasedStops> erase_suppressions(AccountKey account, std::string_view subject) override;
  Result<std::int64_t> expire_copies(AccountKey account) override;
  Result<bool> erase_content(DeliveryKey key) override;
  Result<void> add_audit(const AuditEntry& entry, std::string_view address) override;
  Result<bool> drop_audit(Instant before, std::int64_t rows) override;

 private:
  friend class RecipientAppender;

  [[nodiscard]] Result<bool> has_unerased(std::int64_t batch);
  [[nodiscard]] Result<bool> others_left(DeliveryKey key);
  [[nodiscard]] Result<void> erase_in_histogram(const RecipientKey& key, std::string_view address);
  [[nodiscard]] Result<void> erase_in_history(std::int64_t row, std::string_view address);
  [[nodiscard]] Result<void> erase_in_header(DeliveryKey key, std::string_view address);

  [[nodiscard]] Result<void> changed(Topic topic);
  [[nodiscard]] Result<void> check_uid_free(const SmtpCredential& credential);
  // people.cc. Nobody who is in charge now, once `person` is not: conflict.
  [[nodiscard]] Result<void> check_others_in_charge(const Person& person);
  [[nodiscard]] Result<void> count_template_octets(AccountKey account, std::int64_t octets);
  [[nodiscard]] Result<void> add_template_version(AccountKey account, PublicId id,
                                                  std::int64_t version, const Content& content);
  [[nodiscard]] Result<Delivery> draft(DeliveryKey key);
  [[nodiscard]] Result<void> touch(DeliveryKey key);
  [[nodiscard]] Result<void> changed_one(DeliveryKey key, std::string_view wanted);
  [[nodiscard]] Result<void> not_in_status(DeliveryKey key, std::string_view wanted);
  // approvals.cc
  [[nodiscard]] Result<void> ask_approval(DeliveryKey key, AccountKey account,
                                          std::optional<Instant> reservation, const AskedBy& by);
  [[nodiscard]] Result<void> forget_approval(DeliveryKey key);
  [[nodiscard]] Result<void> end_approval(DeliveryKey key);
  [[nodiscard]] Result<void> tell_each(DeliveryKey key, AccountKey account, EventKind kind);
  [[nodiscard]] Result<void> insert_delivery(const Delivery& delivery, const NewDelivery& wanted,
                                             std::optional<Milliseconds> life);
  [[nodiscard]] Result<void> insert_attachments(Delivery& delivery,
                                                std::span<const Attachment> attachments,
                                                const std::optional<RelayedData>& relayed = {});
  [[nodiscard]] Result<void> replace_inline_parts(Delivery& delivery,
                                                  std::span<const Attachment> parts);
  [[nodiscard]] Result<void> insert_content(Delivery& delivery, const NewDelivery& wanted);
  // not_found, see NewDelivery::relayed_data.
  [[nodiscard]] Result<void> find_relayed(const RelayedData& data);
  [[nodiscard]] Result<void> name_relayed(RelayedKey key, DeliveryKey delivery);
  [[nodiscard]] Result<void> drop_unnamed_relayed();
  [[nodiscard]] Result<bool> purge_relayed(std::int64_t& rows);
  [[nodiscard]] Result<Delivery> new_delivery(const NewDelivery& delivery, std::int64_t number);
  [[nodiscard]] Result<BatchRow> batch_to_change(const Result<Delivery>& delivery,
                                                 const RecipientKey& key);
  [[nodiscard]] Result<void> remove_from(const Result<BatchRow>& batch, const RecipientKey& key);
  [[nodiscard]] Result<void> make_shared_batch(const BatchRow& batch);
  [[nodiscard]] Result<std::int64_t> live_section(const Delivery& delivery);
  // domain_counts.cc: of recipients that come, and of one that goes.
  [[nodiscard]] Result<void> count_domains(std::int64_t section,
                                           std::span<const DomainTally> tallies);
  [[nodiscard]] Result<void> discount_domain(std::int64_t section, std::string_view domain);
  // The domain of one that is there.
  [[nodiscard]] Result<std::string> domain_at(std::int64_t row, const BatchRow& batch);
  [[nodiscard]] Result<void> remember_address(std::int64_t row, std::string_view address);

  // suppressions.cc
  struct SuppressionSeat;
  [[nodiscard]] Result<SuppressionSeat> suppression_seat(AccountKey account,
                                                         std::string_view subject,
                                                         StopReason reason,
                                                         std::string_view list_id);
  [[nodiscard]] Result<void> count_hard_error(const OutcomeRecord& outcome, const ErrorStop& rule);
  [[nodiscard]] Result<bool> purge_suppressions(std::int64_t& rows);

  [[nodiscard]] Result<bool> node_lives(NodeKey node);
  [[nodiscard]] Result<std::vector<std::optional<StopReason>>> stops_for(const Accept& accept,
                                                                         Delivery& made);
  [[nodiscard]] Result<Accepted> accept(Accept& accept, NodeKey holder);

  struct ClaimableBatch;
  [[nodiscard]] Result<std::optional<ClaimableBatch>> claimable(const BatchKey& key);
  [[nodiscard]] Result<std::vector<LeasedRecipient>> due_recipients(const ClaimableBatch& batch);
  Result<void> hold_back(const ClaimableBatch& batch);
  // Those whom a suppression list stops become dropped, and are taken out of `recipients`.
  [[nodiscard]] Result<void> drop_stopped(const BatchKey& key, ClaimableBatch& batch,
                                          std::vector<LeasedRecipient>& recipients);
  [[nodiscard]] Result<Result<LeasedBatch>> refused(const BatchKey& key, NodeKey node);
  [[nodiscard]] Result<Result<LeasedBatch>> claim(const BatchKey& key, NodeKey node);

  // outcome_counts.cc
  [[nodiscard]] Result<void> count_outcomes(const OutcomeTally& tally);

  // writes_settle.cc
  struct BatchSettling;
  struct Settling;
  [[nodiscard]] Result<void> settle_batch(BatchSettling& batch, Settling& settling);
  [[nodiscard]] Result<void> record(const OutcomeRecord& outcome, BatchSettling& batch,
                                    DeliveryCounts& counts, Result<OutcomeRecorded>& answer);
  [[nodiscard]] Result<void> release(const BatchRelease& release, BatchSettling& batch,
                                     DeliveryCounts& counts, Result<BatchReleased>& answer);
  [[nodiscard]] Result<void> keep_not_sent(AccountKey account, PublicId id, RecipientState was,
                                           RecipientState is, int code);
  [[nodiscard]] Result<void> count_usage(AccountKey account, std::int64_t mails);  // writes_life.cc
  [[nodiscard]] Result<void> count_delivery(DeliveryKey key, const DeliveryCounts& by,
                                            Settling& settling);
  [[nodiscard]] Result<std::optional<Instant>> earliest_due(std::int64_t batch, std::int64_t open);

  [[nodiscard]] Result<void> make_way(const NewNode& node);
  [[nodiscard]] Result<void> must_be_known(NodeKey node);
  [[nodiscard]] Result<void> give_all(NodeKey node);
  [[nodiscard]] Result<void> lose_batch(std::int64_t number, NodeEnd end, OfferedAgain& offered);
  [[nodiscard]] Result<std::vector<OutcomeRecord>> doubtful(const BatchKey& batch);
  [[nodiscard]] Result<std::int64_t> doubt_those_on_their_way(const BatchKey& batch);
  [[nodiscard]] Result<bool> keep_aside(std::int64_t row, bool is_over);
  [[nodiscard]] Result<bool> count_death(std::int64_t row, Instant expires);

  // domain_reports.cc. False: it was there.
  [[nodiscard]] Result<bool> insert_report(const DomainReport& report);

  // opens.cc
  [[nodiscard]] Result<PublicId> opened_id(AccountKey account, const RecipientKey& key);
  [[nodiscard]] Result<OpenRecorded> record_open(const OpenSeen& seen, OpenCounts& counts);

  // Parts of purge_deleted(): true when nothing of their kind is left.
  [[nodiscard]] Result<bool> purge_answers(std::int64_t rows);
  [[nodiscard]] Result<bool> purge_sections(std::int64_t& rows);
  [[nodiscard]] Result<void> purge_section(std::int64_t section, std::int64_t& rows);
  [[nodiscard]] Result<bool> purge_deliveries(std::int64_t& rows);
  [[nodiscard]] Result<void> purge_batch(std::int64_t number, std::int64_t& rows);

  struct StagedImport;
  [[nodiscard]] Result<StagedImport> running_import(PublicId job, AccountKey account, NodeKey node);
  [[nodiscard]] Result<Staged> stage(const StageRows& stage);

  SqliteReadTransaction read_;
  Queries& queries_;
  Connection& db_;
  Counters counters_;
  LiveFigures& figures_;
  CommitEvents events_;
  Instant now_{};
  std::atomic<std::uint64_t> addresses_written_{0};
  std::int64_t waiting_ = 0;          // added to figures_ when it is committed
  bool dictionary_replaced_ = false;  // readers are told when it is committed
  std::string history_;               // reused between outcomes
  std::string address_;
};

}  // namespace todoku::store::sqlite
