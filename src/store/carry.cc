// SPDX-License-Identifier: Apache-2.0
#include "store/carry.h"

#include <array>

#include <fmt/format.h>

#include "base/check.h"
#include "base/digest.h"
#include "store/codec.h"

namespace todoku::store {
namespace carried {

using enum CarriedKind;

// The columns of PostgreSQL's schema; what they mean is said with the tables
// (sqlite/schema_versions.h, postgres/schema.cc).
constexpr std::array<CarriedColumn, 2> kSettings{{{"name", text}, {"value", octets}}};
constexpr std::array<CarriedColumn, 19> kAccounts{{{"key", integer},
                                                   {"name", text},
                                                   {"weight", integer},
                                                   {"suspended", integer},
                                                   {"text_from_html", integer},
                                                   {"created", integer},
                                                   {"next_delivery_id", integer},
                                                   {"next_email_id", integer},
                                                   {"next_job_id", integer},
                                                   {"requests_per_minute", integer},
                                                   {"mails_per_minute", integer},
                                                   {"mails_per_day", integer},
                                                   {"mails_per_month", integer},
                                                   {"open_tracking", integer},
                                                   {"preflight", integer},
                                                   {"told_of_day", integer},
                                                   {"told_of_month", integer},
                                                   {"sandbox", integer},
                                                   {"allowed_recipients", text}}};
constexpr std::array<CarriedColumn, 12> kApiKeys{{{"id", integer},
                                                  {"account", integer},
                                                  {"label", text},
                                                  {"token", text},
                                                  {"created", integer},
                                                  {"revoked", integer},
                                                  {"scopes", integer},
                                                  {"networks", text},
                                                  {"expires", integer},
                                                  {"life", integer},
                                                  {"used", integer},
                                                  {"made_by", integer}}};
constexpr std::array<CarriedColumn, 7> kDkimKeys{{{"account", integer},
                                                  {"domain", text},
                                                  {"selector", text},
                                                  {"algorithm", text},
                                                  {"sealed", octets},
                                                  {"dns_record", text},
                                                  {"created", integer}}};
constexpr std::array<CarriedColumn, 14> kDomains{{{"account", integer},
                                                  {"domain", text},
                                                  {"token", text},
                                                  {"state", integer},
                                                  {"vouched", integer},
                                                  {"consents", text},
                                                  {"created", integer},
                                                  {"proven", integer},
                                                  {"answered", integer},
                                                  {"failing", integer},
                                                  {"failed_for", integer},
                                                  {"look_at", integer},
                                                  {"check_at", integer},
                                                  {"check_found", octets}}};
constexpr std::array<CarriedColumn, 4> kMailCounts{
    {{"account", integer}, {"day", integer}, {"node", integer}, {"mails", integer}}};
constexpr std::array<CarriedColumn, 32> kDeliveries{
    {{"key", integer},       {"account", integer},     {"id", integer},
     {"type", integer},      {"traffic", integer},     {"status", integer},
     {"phase", integer},     {"deleted", integer},     {"at_most_once", integer},
     {"created", integer},   {"updated", integer},     {"reservation", integer},
     {"started", integer},   {"expires", integer},     {"finished", integer},
     {"agenda", integer},    {"total", integer},       {"delivered", integer},
     {"bounced", integer},   {"dropped", integer},     {"expired", integer},
     {"cancelled", integer}, {"unknown", integer},     {"deferred", integer},
     {"signing", text},      {"failure_reason", text}, {"purpose", integer},
     {"list_id", text},      {"tags", text},           {"life", integer},
     {"course", integer},    {"credential", text}}};
constexpr std::array<CarriedColumn, 22> kContents{
    {{"delivery", integer},        {"from_address", text},   {"from_name", text},
     {"reply_address", text},      {"reply_name", text},     {"header_to", octets},
     {"header_cc", octets},        {"encode", integer},      {"unsubscribe_mailto", text},
     {"unsubscribe_url", text},    {"attachments", integer}, {"subject", text},
     {"text_part", text},          {"html_part", text},      {"text_from_html", integer},
     {"open_tracking", integer},   {"headers", octets},      {"envelope", octets},
     {"one_click", integer},       {"escaping", integer},    {"template", integer},
     {"template_version", integer}}};
constexpr std::array<CarriedColumn, 9> kAttachments{{{"id", integer},
                                                     {"delivery", integer},
                                                     {"file_name", text},
                                                     {"mime_type", text},
                                                     {"size", integer},
                                                     {"created", integer},
                                                     {"data", octets},
                                                     {"content_id", text},
                                                     {"relayed", integer}}};
constexpr std::array<CarriedColumn, 7> kRelayed{{{"key", integer},
                                                 {"node", integer},
                                                 {"octets", integer},
                                                 {"pieces", integer},
                                                 {"touched", integer},
                                                 {"delivery", integer},
                                                 {"gone", integer}}};
constexpr std::array<CarriedColumn, 3> kRelayedPieces{
    {{"relayed", integer}, {"which", integer}, {"data", octets}}};
constexpr std::array<CarriedColumn, 5> kSections{{{"id", integer},
                                                  {"delivery", integer},
                                                  {"state", integer},
                                                  {"open_batch", integer},
                                                  {"domains", integer}}};
constexpr std::array<CarriedColumn, 3> kDomainCounts{
    {{"section", integer}, {"domain", text}, {"recipients", integer}}};
constexpr std::array<CarriedColumn, 22> kBatches{
    {{"number", integer},         {"delivery", integer}, {"account", integer},
     {"section", integer},        {"traffic", integer},  {"domain", text},
     {"first_email_id", integer}, {"capacity", integer}, {"size", integer},
     {"removed", integer},        {"open", integer},     {"created", integer},
     {"ready_at", integer},       {"token", integer},    {"holder", integer},
     {"losses", integer},         {"alone", integer},    {"begun", integer},
     {"underway", integer},       {"doubted", integer},  {"lost_at", integer},
     {"late_until", integer}}};
constexpr std::array<CarriedColumn, 7> kRecipients{{{"batch", integer},
                                                    {"seq", integer},
                                                    {"address", text},
                                                    {"hash", integer},
                                                    {"codes", octets},
                                                    {"created", integer},
                                                    {"updated", integer}}};
constexpr std::array<CarriedColumn, 4> kMarks{
    {{"batch", integer}, {"seq", integer}, {"reference", integer}, {"message_id", integer}}};
constexpr std::array<CarriedColumn, 6> kProgressColumns{{{"batch", integer},
                                                         {"seq", integer},
                                                         {"state", integer},
                                                         {"attempts", integer},
                                                         {"due", integer},
                                                         {"history", octets}}};
constexpr std::array<CarriedColumn, 4> kSuspects{
    {{"batch", integer}, {"seq", integer}, {"deaths", integer}, {"aside", integer}}};
constexpr std::array<CarriedColumn, 2> kOnItsWay{{{"batch", integer}, {"seq", integer}}};
constexpr std::array<CarriedColumn, 4> kNotSent{
    {{"account", integer}, {"state", integer}, {"id", integer}, {"code", integer}}};
constexpr std::array<CarriedColumn, 5> kUsages{{{"account", integer},
                                                {"month", integer},
                                                {"slot", integer},
                                                {"mails", integer},
                                                {"updated", integer}}};
constexpr std::array<CarriedColumn, 25> kImportJobs{
    {{"account", integer},     {"id", integer},
     {"delivery", integer},    {"section", integer},
     {"status", integer},      {"ignore_errors", integer},
     {"immediate", integer},   {"keep_duplicates", integer},
     {"language", integer},    {"percentage", integer},
     {"staged", integer},      {"folded", integer},
     {"success", integer},     {"failed", integer},
     {"total", integer},       {"upload_file", text},
     {"error_file", text},     {"created", integer},
     {"node", integer},        {"form", integer},
     {"dry_run", integer},     {"findings", text},
     {"dry_file", text},       {"asked_by", text},
     {"asked_person", integer}}};
constexpr std::array<CarriedColumn, 6> kKeptAnswers{{{"key", octets},
                                                     {"account", integer},
                                                     {"route", integer},
                                                     {"fingerprint", octets},
                                                     {"answer", integer},
                                                     {"until", integer}}};

constexpr std::array<CarriedColumn, 4> kEventSheets{
    {{"account", integer}, {"place", integer}, {"at", integer}, {"entries", octets}}};

constexpr std::array<CarriedColumn, 3> kEventReaders{
    {{"name", text}, {"node", integer}, {"state", octets}}};

constexpr std::array<CarriedColumn, 12> kWebhooks{{{"name", text},
                                                   {"account", integer},
                                                   {"form", integer},
                                                   {"status", integer},
                                                   {"shown", text},
                                                   {"sealed", octets},
                                                   {"wishes", octets},
                                                   {"state", octets},
                                                   {"node", integer},
                                                   {"turn", integer},
                                                   {"created", integer},
                                                   {"changed", integer}}};
constexpr std::array<CarriedColumn, 3> kWebhookSetAside{
    {{"webhook", text}, {"event", text}, {"at", integer}}};
constexpr std::array<CarriedColumn, 13> kSmtpCredentials{{{"name", text},
                                                          {"account", integer},
                                                          {"settings", octets},
                                                          {"secret", text},
                                                          {"previous_secret", text},
                                                          {"previous_until", integer},
                                                          {"created", integer},
                                                          {"revoked", integer},
                                                          {"uid", integer},
                                                          {"held", integer},
                                                          {"held_because", text},
                                                          {"released", integer},
                                                          {"used", integer}}};
constexpr std::array<CarriedColumn, 2> kSmtpHabits{{{"name", text}, {"habits", octets}}};

constexpr std::array<CarriedColumn, 18> kSuppressions{{{"hash", integer},
                                                       {"account", integer},
                                                       {"subject", text},
                                                       {"reason", integer},
                                                       {"list_id", text},
                                                       {"scope", integer},
                                                       {"stopping", integer},
                                                       {"errors", integer},
                                                       {"note", text},
                                                       {"code", integer},
                                                       {"words", text},
                                                       {"error_at", integer},
                                                       {"delivery", integer},
                                                       {"email", integer},
                                                       {"expires", integer},
                                                       {"created", integer},
                                                       {"updated", integer},
                                                       {"domain", integer}}};
constexpr std::array<CarriedColumn, 8> kRemovals{{{"key", integer},
                                                  {"account", integer},
                                                  {"subject", text},
                                                  {"reason", integer},
                                                  {"list_id", text},
                                                  {"why", text},
                                                  {"actor", text},
                                                  {"at", integer}}};

constexpr std::array<CarriedColumn, 8> kOpens{{{"account", integer},
                                               {"id", integer},
                                               {"opened", integer},
                                               {"opened_last", integer},
                                               {"times", integer},
                                               {"prefetched", integer},
                                               {"prefetched_last", integer},
                                               {"complained", integer}}};
constexpr std::array<CarriedColumn, 3> kOpenCounts{
    {{"delivery", integer}, {"opened", integer}, {"prefetched", integer}}};

constexpr std::array<CarriedColumn, 9> kAudit{{{"key", integer},
                                               {"at", integer},
                                               {"actor", text},
                                               {"action", text},
                                               {"account", integer},
                                               {"delivery", integer},
                                               {"email", integer},
                                               {"hash", integer},
                                               {"origin", text}}};

constexpr std::array<CarriedColumn, 12> kDomainReports{{{"account", integer},
                                                        {"domain", text},
                                                        {"day", integer},
                                                        {"id", octets},
                                                        {"kind", integer},
                                                        {"organization", text},
                                                        {"reported", text},
                                                        {"policy", text},
                                                        {"begins", integer},
                                                        {"ends", integer},
                                                        {"messages", integer},
                                                        {"received", integer}}};
constexpr std::array<CarriedColumn, 6> kReportLines{{{"account", integer},
                                                     {"domain", text},
                                                     {"day", integer},
                                                     {"words", octets},
                                                     {"messages", integer},
                                                     {"failed", integer}}};

constexpr std::array<CarriedColumn, 5> kKeySlots{{{"account", integer},
                                                  {"domain", text},
                                                  {"revision", integer},
                                                  {"look", integer},
                                                  {"state", octets}}};

constexpr std::array<CarriedColumn, 4> kWarmUp{
    {{"source", text}, {"day", integer}, {"site", text}, {"taken", integer}}};

constexpr std::array<CarriedColumn, 3> kTemplateIds{
    {{"account", integer}, {"last", integer}, {"octets", integer}}};
constexpr std::array<CarriedColumn, 6> kTemplates{{{"account", integer},
                                                   {"id", integer},
                                                   {"name", text},
                                                   {"latest", integer},
                                                   {"created", integer},
                                                   {"updated", integer}}};
constexpr std::array<CarriedColumn, 6> kTemplateVersions{{{"account", integer},
                                                          {"template", integer},
                                                          {"version", integer},
                                                          {"created", integer},
                                                          {"octets", integer},
                                                          {"content", octets}}};

constexpr std::array<CarriedColumn, 10> kSteering{{{"delivery", integer},
                                                   {"revision", integer},
                                                   {"mails", integer},
                                                   {"minutes", integer},
                                                   {"quiet_from", integer},
                                                   {"quiet_until", integer},
                                                   {"zone", text},
                                                   {"goes_from", integer},
                                                   {"goes_until", integer},
                                                   {"used_to", integer}}};
constexpr std::array<CarriedColumn, 12> kApprovals{{{"delivery", integer},
                                                    {"account", integer},
                                                    {"state", integer},
                                                    {"revision", integer},
                                                    {"asked_by", text},
                                                    {"asked_person", integer},
                                                    {"asked", integer},
                                                    {"lapses", integer},
                                                    {"decided_by", text},
                                                    {"decided_person", integer},
                                                    {"decided", integer},
                                                    {"reason", text}}};
constexpr std::array<CarriedColumn, 3> kResends{
    {{"delivery", integer}, {"account", integer}, {"email", integer}}};

constexpr std::array<CarriedColumn, 16> kPeople{{{"key", integer},
                                                 {"account", integer},
                                                 {"email", text},
                                                 {"name", text},
                                                 {"role", integer},
                                                 {"language", text},
                                                 {"password_hash", text},
                                                 {"totp", octets},
                                                 {"totp_offered", octets},
                                                 {"totp_step", integer},
                                                 {"recovery", octets},
                                                 {"suspended", integer},
                                                 {"created", integer},
                                                 {"confirmed", integer},
                                                 {"seen", integer},
                                                 {"stands_for", text}}};
constexpr std::array<CarriedColumn, 11> kSignIns{{{"key", integer},
                                                  {"person", integer},
                                                  {"token", text},
                                                  {"half", integer},
                                                  {"acting_for", integer},
                                                  {"created", integer},
                                                  {"used", integer},
                                                  {"idle_ends", integer},
                                                  {"ends", integer},
                                                  {"came_from", text},
                                                  {"agent", text}}};
constexpr std::array<CarriedColumn, 5> kSignInLinks{{{"token", text},
                                                     {"purpose", integer},
                                                     {"person", integer},
                                                     {"created", integer},
                                                     {"ends", integer}}};
constexpr std::array<CarriedColumn, 4> kSignInRules{
    {{"account", integer}, {"second_factor", integer}, {"networks", text}, {"approval", integer}}};
constexpr std::array<CarriedColumn, 4> kKeptTexts{
    {{"person", integer}, {"place", text}, {"kept", integer}, {"body", text}}};

constexpr std::array<CarriedTable, 49> kTables{{{"settings", kSettings},
                                                {"accounts", kAccounts},
                                                {"api_keys", kApiKeys},
                                                {"dkim_keys", kDkimKeys},
                                                {"domains", kDomains},
                                                {"mail_counts", kMailCounts},
                                                {"import_jobs", kImportJobs},
                                                {"suspects", kSuspects},
                                                {"on_its_way", kOnItsWay},
                                                {"event_readers", kEventReaders},
                                                {"webhooks", kWebhooks},
                                                {"webhook_set_aside", kWebhookSetAside},
                                                {"smtp_credentials", kSmtpCredentials},
                                                {"template_ids", kTemplateIds},
                                                {"templates", kTemplates},
                                                {"template_versions", kTemplateVersions},
                                                {"smtp_habits", kSmtpHabits},
                                                {"people", kPeople},
                                                {"sign_ins", kSignIns},
                                                {"sign_in_links", kSignInLinks},
                                                {"sign_in_rules", kSignInRules},
                                                {"kept_texts", kKeptTexts},
                                                {"kept_answers", kKeptAnswers},
                                                {"usages", kUsages},
                                                {"not_sent", kNotSent},
                                                {"opens", kOpens},
                                                {"open_counts", kOpenCounts},
                                                {"sections", kSections},
                                                {"domain_counts", kDomainCounts},
                                                {"deliveries", kDeliveries},
                                                {"contents", kContents},
                                                {"attachments", kAttachments},
                                                {"relayed", kRelayed},
                                                {"relayed_pieces", kRelayedPieces},
                                                {"batches", kBatches},
                                                {"recipients", kRecipients},
                                                {"recipient_marks", kMarks},
                                                {"progress", kProgressColumns},
                                                {"event_sheets", kEventSheets},
                                                {"suppressions", kSuppressions},
                                                {"suppression_removals", kRemovals},
                                                {"audit", kAudit},
                                                {"domain_reports", kDomainReports},
                                                {"report_lines", kReportLines},
                                                {"key_slots", kKeySlots},
                                                {"warm_up", kWarmUp},
                                                {"steering", kSteering},
                                                {"resends", kResends},
                                                {"approvals", kApprovals}}};

}  // namespace carried

std::span<const CarriedTable> carried_tables() {
  return carried::kTables;
}

void TableSum::add(const CarriedTable& table, CarriedRow row) {
  check(row.size() == table.columns.size(), "a carried row has its table's columns");
  packed_.clear();
  for (std::size_t column = 0; column < row.size(); ++column) {
    const CarriedValue& value = row[column];
    if (value.is_null) {
      packed_.push_back('\0');
    } else if (table.columns[column].kind == CarriedKind::integer) {
      packed_.push_back('\1');
      put_zigzag(packed_, value.integer);
    } else {
      packed_.push_back('\2');
      put_text(packed_, value.octets);
    }
  }
  ++rows_;
  low_ += siphash64(0, 1, packed_);
  high_ += siphash64(2, 3, packed_);
}

std::string TableSum::hex() const {
  return fmt::format("{:016x}{:016x}", high_, low_);
}

namespace {

constexpr std::int64_t kStepRows = 50'000;

Result<TableSum> give_table(CarrySource& source, CarryTarget& target, const CarriedTable& table,
                            const CarryProgress& progress) {
  TableSum sum;
  auto done = source.read(table, [&](CarriedRow row) {
    sum.add(table, row);
    if (progress && sum.rows() % kStepRows == 0) {
      progress({.table = table.name, .rows = sum.rows(), .comparing = false});
    }
    return target.put(table, row);
  });
  if (done) done = target.end(table);
  if (!done) return fail(fmt::format("the table {}", table.name), std::move(done.error()));
  if (progress) progress({.table = table.name, .rows = sum.rows(), .comparing = false});
  return sum;
}

Result<TableSum> read_table_back(CarryTarget& target, const CarriedTable& table,
                                 const CarryProgress& progress) {
  TableSum sum;
  auto done = target.read(table, [&](CarriedRow row) -> Result<void> {
    sum.add(table, row);
    if (progress && sum.rows() % kStepRows == 0) {
      progress({.table = table.name, .rows = sum.rows(), .comparing = true});
    }
    return {};
  });
  if (!done) return fail(fmt::format("the table {}", table.name), std::move(done.error()));
  if (progress) progress({.table = table.name, .rows = sum.rows(), .comparing = true});
  return sum;
}

}  // namespace

Result<std::vector<Carried>> carry_store(CarrySource& source, CarryTarget& target,
                                         const CarryProgress& progress) {
  const auto head = source.head();
  if (!head) return fail(head.error());
  auto begun = target.begin(*head);
  if (!begun) return fail(std::move(begun.error()));
  std::vector<Carried> all;
  for (const CarriedTable& table : carried_tables()) {
    const auto given = give_table(source, target, table, progress);
    if (!given) return fail(given.error());
    all.push_back({std::string(table.name), *given, {}});
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto stored = read_table_back(target, carried_tables()[i], progress);
    if (!stored) return fail(stored.error());
    all[i].stored = *stored;
    if (all[i].given == all[i].stored) continue;
    return fail(ErrorKind::corrupt,
                fmt::format("the table {} has {} rows with the sum {}, but was given {} with {}",
                            all[i].table, stored->rows(), stored->hex(), all[i].given.rows(),
                            all[i].given.hex()));
  }
  // The old store first: between the two neither can be worked on, and the same again begins anew.
  auto done = source.carried_away();
  if (done) done = target.finish(*head);
  if (!done) return fail(std::move(done.error()));
  return all;
}

}  // namespace todoku::store
