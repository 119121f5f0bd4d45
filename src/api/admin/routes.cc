// SPDX-License-Identifier: Apache-2.0
#include "api/admin/routes.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>

#include "api/admin/account_change.h"
#include "api/admin/asker.h"
#include "api/admin/causes_json.h"
#include "api/admin/domain_checks.h"
#include "api/admin/failures.h"
#include "api/admin/json.h"
#include "api/admin/key_slots_json.h"
#include "api/admin/measured.h"
#include "api/admin/people_calls.h"
#include "api/admin/personal_json.h"
#include "api/admin/rates_json.h"
#include "api/admin/read_call.h"
#include "api/admin/report_json.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/date_time.h"
#include "base/printable.h"
#include "base/wipe.h"
#include "http/json.h"
#include "operate/calls/calls.h"

namespace todoku::api::admin {
namespace {

using http::Body;
using http::Method;
using http::Request;
using http::Response;
using operate::Given;
using operate::Operations;

Response done() {
  return Response::json(200, R"({"done":true})");
}

// -- the routes ----------------------------------------------------------------------------------

using Operation = Task<Response> (*)(Operations&, Given);

constexpr std::int64_t kListedUsually = 1'000;

Task<Response> list_accounts(Operations& operations, Given given) {
  const auto accounts = co_await operations.accounts(
      given.text("after"), given.number("limit").value_or(kListedUsually));
  co_return accounts ? Response::json(200, accounts_json(*accounts)) : failure(accounts.error());
}

Task<Response> show_account(Operations& operations, Given given) {
  const auto account = co_await operations.account_view(given.text("account"));
  co_return account ? Response::json(200, account_json(*account)) : failure(account.error());
}

using Named = std::optional<operate::Named>;

template <auto kOperation>
Task<Response> unnamed(Operations& operations, Given given) {
  co_return co_await kOperation(operations, std::move(given), std::nullopt);
}

Task<Response> add_named_account(Operations& operations, Given given, Named named) {
  const auto added =
      co_await operations.add_account({.name = given.text("name"),
                                       .weight = given.number("weight").value_or(1),
                                       .with_key = given.truth("with_key").value_or(true),
                                       .sandbox = given.truth("sandbox").value_or(false),
                                       .named = named});
  co_return added ? Response::json(201, account_json(*added)) : failure(added.error());
}

Task<Response> change_account(Operations& operations, Given given) {
  const auto changed =
      co_await operations.change_account(given.text("account"), account_change(given));
  co_return changed ? Response::json(200, changed_account_json(*changed))
                    : failure(changed.error());
}

Task<Response> list_keys(Operations& operations, Given given) {
  const auto keys = co_await operations.keys(given.text("account"));
  co_return keys ? Response::json(200, keys_json(*keys)) : failure(keys.error());
}

// A list that is given and empty would open more than one that names something: what was meant is
// not known.
Result<void> check_given(const Given& given, std::initializer_list<std::string_view> lists) {
  for (const std::string_view name : lists) {
    if (given.find(name) == nullptr || !given.text(name).empty()) continue;
    return fail(ErrorKind::invalid_input,
                fmt::format("{} is empty: leave it out, or name what it is to hold", name));
  }
  return {};
}

// For whom a credential is made.
Task<Result<std::string>> account_of(Operations& operations, Given& given) {
  if (!given.truth("sandbox").value_or(false)) co_return given.text("account");
  co_return co_await operations.sandbox_of(given.text("account"));
}

Task<Response> add_named_key(Operations& operations, Given given, Named named) {
  if (auto good = check_given(given, {"scopes", "networks"}); !good) {
    co_return failure(good.error());
  }
  auto account = co_await account_of(operations, given);
  if (!account) co_return failure(account.error());
  const auto key = co_await operations.add_key({.account = std::move(*account),
                                                .label = given.text("label"),
                                                .scopes = given.text("scopes"),
                                                .networks = given.text("networks"),
                                                .days = given.number("days"),
                                                .named = named});
  co_return key ? Response::json(201, issued_key_json(*key)) : failure(key.error());
}

constexpr std::int64_t kOverlapHours = 24;

Task<Response> rotate_key(Operations& operations, Given given) {
  const auto key =
      co_await operations.rotate_key(given.text("account"), given.number("id").value_or(0),
                                     given.number("overlap_hours").value_or(kOverlapHours));
  co_return key ? Response::json(201, rotated_key_json(*key)) : failure(key.error());
}

Task<Response> revoke_key(Operations& operations, Given given) {
  const auto revoked =
      co_await operations.revoke_key(given.text("account"), given.number("id").value_or(0));
  co_return revoked ? Response::json(200, fmt::format(R"({{"done":true,"keys":{}}})", *revoked))
                    : failure(revoked.error());
}

Task<Response> list_smtp_credentials(Operations& operations, Given given) {
  const auto credentials = co_await operations.smtp_credentials(
      given.text("account"), given.text("after"), given.number("limit").value_or(kListedUsually));
  co_return credentials ? Response::json(200, smtp_credentials_json(*credentials))
                        : failure(credentials.error());
}

Task<Response> show_smtp_credential(Operations& operations, Given given) {
  const auto credential =
      co_await operations.smtp_credential(given.text("account"), given.text("name"));
  co_return credential ? Response::json(200, smtp_credential_json(*credential))
                       : failure(credential.error());
}

operate::SmtpTerms smtp_terms(const Given& given) {
  const auto text = [&](std::string_view name) {
    return given.find(name) == nullptr ? std::nullopt : std::optional(given.text(name));
  };
  return {.traffic = text("traffic"),
          .purpose = text("purpose"),
          .options = text("options"),
          .networks = text("networks"),
          .from_address = text("from_address"),
          .days = given.number("days"),
          .show_client = given.truth("show_client"),
          .bounces = given.truth("bounces"),
          .messages_per_minute = given.number("messages_per_minute"),
          .recipients_per_minute = given.number("recipients_per_minute"),
          .bytes_per_minute = given.number("bytes_per_minute"),
          .connections_max = given.number("connections_max"),
          .uid = given.number("uid")};
}

Task<Response> add_smtp_credential(Operations& operations, Given given) {
  if (auto good = check_given(given, {"networks", "options"}); !good) {
    co_return failure(good.error());
  }
  auto account = co_await account_of(operations, given);
  if (!account) co_return failure(account.error());
  const auto issued = co_await operations.add_smtp_credential(
      std::move(*account), given.text("name"), smtp_terms(given), given.take_secret("password"));
  co_return issued ? Response::json(201, issued_smtp_json(*issued)) : failure(issued.error());
}

Task<Response> change_smtp_credential(Operations& operations, Given given) {
  const auto changed = co_await operations.change_smtp_credential(
      given.text("account"), given.text("name"), smtp_terms(given));
  co_return changed ? Response::json(200, smtp_credential_json(*changed))
                    : failure(changed.error());
}

Task<Response> rotate_smtp_credential(Operations& operations, Given given) {
  const auto issued = co_await operations.rotate_smtp_credential(
      given.text("account"), given.text("name"),
      given.number("overlap_hours").value_or(kOverlapHours), given.take_secret("password"));
  co_return issued ? Response::json(201, issued_smtp_json(*issued)) : failure(issued.error());
}

Task<Response> revoke_smtp_credential(Operations& operations, Given given) {
  const auto revoked =
      co_await operations.revoke_smtp_credential(given.text("account"), given.text("name"));
  co_return revoked ? Response::json(200, smtp_credential_json(*revoked))
                    : failure(revoked.error());
}

Task<Response> hold_smtp_credential(Operations& operations, Given given) {
  const auto held = co_await operations.hold_smtp_credential(
      given.text("account"), given.text("name"), given.text("because"));
  co_return held ? Response::json(200, smtp_credential_json(*held)) : failure(held.error());
}

Task<Response> release_smtp_credential(Operations& operations, Given given) {
  const auto released =
      co_await operations.release_smtp_credential(given.text("account"), given.text("name"));
  co_return released ? Response::json(200, smtp_credential_json(*released))
                     : failure(released.error());
}

Task<Response> list_dkim(Operations& operations, Given given) {
  const auto keys = co_await operations.dkim_keys(given.text("account"), given.text("after"),
                                                  given.number("limit").value_or(kListedUsually));
  co_return keys ? Response::json(200, dkim_keys_json(*keys)) : failure(keys.error());
}

Task<Response> add_dkim(Operations& operations, Given given) {
  const std::string algorithm = given.text("algorithm");
  operate::NewDkimKey request{.account = given.text("account"),
                              .domain = given.text("domain"),
                              .selector = given.text("selector"),
                              .algorithm = algorithm.empty() ? "rsa" : algorithm,
                              .private_key = given.take_secret("private_key")};
  const auto key = co_await operations.add_dkim_key(std::move(request));
  co_return key ? Response::json(201, dkim_key_json(*key)) : failure(key.error());
}

Task<Response> show_dkim(Operations& operations, Given given) {
  const auto key = co_await operations.dkim_key(given.text("account"), given.text("domain"),
                                                given.text("selector"));
  co_return key ? Response::json(200, dkim_key_json(*key)) : failure(key.error());
}

Task<Response> remove_dkim(Operations& operations, Given given) {
  const auto removed = co_await operations.remove_dkim_key(
      given.text("account"), given.text("domain"), given.text("selector"));
  co_return removed ? Response::json(200, work_json(*removed)) : failure(removed.error());
}

Task<Response> list_domains(Operations& operations, Given given) {
  const auto domains = co_await operations.domains(given.text("account"), given.text("after"),
                                                   given.number("limit").value_or(kListedUsually));
  co_return domains ? Response::json(200, domains_json(*domains)) : failure(domains.error());
}

Task<Response> add_named_domain(Operations& operations, Given given, Named named) {
  const auto domain =
      co_await operations.add_domain({.account = given.text("account"),
                                      .domain = given.text("domain"),
                                      .vouched = given.truth("proven").value_or(false),
                                      .named = named});
  co_return domain ? Response::json(201, domain_json(*domain)) : failure(domain.error());
}

Task<Response> verify_domain(Operations& operations, Given given) {
  const auto verified =
      co_await operations.verify_domain(given.text("account"), given.text("domain"));
  co_return verified ? Response::json(200, verified_domain_json(*verified))
                     : failure(verified.error());
}

Task<Response> remove_domain(Operations& operations, Given given) {
  const auto removed =
      co_await operations.remove_domain(given.text("account"), given.text("domain"));
  co_return removed ? done() : failure(removed.error());
}

Task<Response> next_keys(Operations& operations, Given given) {
  const auto keys = co_await operations.next_dkim_keys(given.text("account"), given.text("domain"));
  co_return keys ? Response::json(200, dkim_keys_json({.views = *keys, .next = {}}))
                 : failure(keys.error());
}

Task<Response> make_next_keys(Operations& operations, Given given) {
  const auto keys =
      co_await operations.make_next_dkim_keys(given.text("account"), given.text("domain"));
  co_return keys ? Response::json(201, dkim_keys_json({.views = *keys, .next = {}}))
                 : failure(keys.error());
}

Task<Response> begin_next_keys(Operations& operations, Given given) {
  const auto keys =
      co_await operations.begin_next_dkim_keys(given.text("account"), given.text("domain"));
  co_return keys ? Response::json(200, dkim_keys_json({.views = *keys, .next = {}}))
                 : failure(keys.error());
}

Task<Response> retire_keys(Operations& operations, Given given) {
  const auto retired =
      co_await operations.retire_dkim_keys(given.text("account"), given.text("domain"));
  co_return retired ? Response::json(200, retired_dkim_json(*retired)) : failure(retired.error());
}

Task<Response> list_key_slots(Operations& operations, Given given) {
  const auto slots = co_await operations.key_slots(given.text("account"), given.text("after"),
                                                   given.number("limit").value_or(kListedUsually));
  co_return slots ? Response::json(200, key_slots_json(*slots)) : failure(slots.error());
}

Task<Response> add_key_slots(Operations& operations, Given given) {
  const auto slots = co_await operations.add_key_slots(given.text("account"), given.text("domain"));
  co_return slots ? Response::json(201, key_slots_json(*slots)) : failure(slots.error());
}

using OfKeySlots = Task<Result<operate::KeySlotsView>> (Operations::*)(std::string, std::string);

template <OfKeySlots kChange>
Task<Response> change_key_slots(Operations& operations, Given given) {
  const auto slots = co_await (operations.*kChange)(given.text("account"), given.text("domain"));
  co_return slots ? Response::json(200, key_slots_json(*slots)) : failure(slots.error());
}

Task<Response> consent(Operations& operations, Given given) {
  const auto domain =
      co_await operations.consent(given.text("account"), given.text("domain"), given.text("to"),
                                  given.truth("withdrawn").value_or(false));
  co_return domain ? Response::json(200, domain_json(*domain)) : failure(domain.error());
}

Task<Response> explain_address(Operations& operations, Given given, todoku::Language wanted,
                               bool with_content) {
  operate::ExplainRequest request{
      .address = given.text(given.find("email") != nullptr ? "email" : "address"),
      .reference = given.text("reference"),
      .message_id = given.text("message_id"),
      .email = given.number("email_id").value_or(0),
      .account = given.text("account"),
      .language = wanted,
      .fills_subjects = with_content};
  request.limit = given.number("limit").value_or(request.limit);
  request.utc_offset_minutes =
      given.number("utc_offset_minutes").value_or(request.utc_offset_minutes);
  const auto language = request.language;
  const auto explanation = co_await operations.explain(std::move(request));
  co_return explanation ? Response::json(200, explanation_json(*explanation, language))
                        : failure(explanation.error());
}

Task<Response> explain_causes(Operations& operations, Given given, todoku::Language language) {
  operate::CausesRequest request{.delivery = given.number("delivery_id").value_or(0),
                                 .account = given.text("account"),
                                 .site = given.text("site"),
                                 .domain = given.text("domain"),
                                 .language = language};
  for (const auto& [name, into] : {std::pair("since", &request.since), {"until", &request.until}}) {
    if (given.find(name) == nullptr) continue;
    *into = parse_date_time(given.text(name));
    if (!*into) {
      co_return failure(400, fmt::format("{} is \"{}\", which is no time such as "
                                         "2026-04-01T09:00:00+09:00",
                                         name, todoku::printable_briefly(given.text(name))));
    }
  }
  request.limit = given.number("limit").value_or(request.limit);
  request.utc_offset_minutes =
      given.number("utc_offset_minutes").value_or(request.utc_offset_minutes);
  const auto told = co_await operations.explain_causes(std::move(request));
  co_return told ? Response::json(200, causes_json(*told, language)) : failure(told.error());
}

// One address, or many mails: of none that is named those of the last 24 hours.
Task<Response> explain_some(Operations& operations, Given given, bool with_content) {
  auto language = todoku::Language::english;
  if (given.find("lang") != nullptr) {
    const auto read = todoku::parse_language(given.text("lang"));
    if (!read) co_return failure(400, "the languages are en and ja");
    language = *read;
  }
  const auto has = [&](std::string_view name) { return given.find(name) != nullptr; };
  const bool of_many =
      has("delivery_id") || has("domain") || has("site") || has("since") || has("until");
  constexpr std::array<std::string_view, 5> kOfOne{"address", "email", "reference", "message_id",
                                                   "email_id"};
  const auto of_one = std::ranges::count_if(kOfOne, has);
  if (of_one > 0 && of_many) {
    co_return failure(400, fmt::format("{} does not go together with a delivery, receiver or time",
                                       *std::ranges::find_if(kOfOne, has)));
  }
  if (of_one > 1) {
    co_return failure(400, "give one of address, email, reference, message_id and email_id");
  }
  for (const std::string_view name : kOfOne) {
    if (name == "email_id" || !has(name)) continue;
    if (todoku::trim(given.text(name)).empty()) {
      co_return failure(400, fmt::format("{} is empty: name the one to explain", name));
    }
  }
  if (of_one > 0) {
    co_return co_await explain_address(operations, std::move(given), language, with_content);
  }
  co_return co_await explain_causes(operations, std::move(given), language);
}

Task<Response> explain_mail(Operations& operations, Given given) {
  co_return co_await explain_some(operations, std::move(given), true);
}

Task<Response> keep_for(Operations& operations, Given given) {
  const auto kept = co_await operations.keep_for(
      given.text("account"), given.number("content_days"), given.number("story_days"));
  co_return kept ? Response::json(200, fmt::format(R"({{"content_days":{},"story_days":{}}})",
                                                   kept->content_days, kept->story_days))
                 : failure(kept.error());
}

Task<Response> export_personal(Operations& operations, Given given) {
  const bool without_codes = given.truth("without_insert_codes").value_or(false);
  const auto page = co_await operations.personal_data({.address = given.text("email"),
                                                       .account = given.text("account"),
                                                       .after = given.text("after"),
                                                       .with_insert_codes = !without_codes,
                                                       .asker = asker_of(given)});
  co_return page ? Response::json(200, personal_json(*page)) : failure(page.error());
}

Task<Response> erase_personal(Operations& operations, Given given) {
  const auto erased =
      co_await operations.erase_personal_data({.address = given.text("email"),
                                               .account = given.text("account"),
                                               .after = given.text("after"),
                                               .stop = given.truth("stop").value_or(false),
                                               .asker = asker_of(given)});
  co_return erased ? Response::json(200, erasure_json(*erased)) : failure(erased.error());
}

std::chrono::minutes offset_of(const Given& given) {
  return std::chrono::minutes(
      given.number("utc_offset_minutes").value_or(operate::ExplainRequest{}.utc_offset_minutes));
}

template <Task<Result<std::string>> (*kAsk)(Operations&, Given), int kStatus = 200>
Task<Response> answered(Operations& operations, Given given) {
  auto json = co_await kAsk(operations, std::move(given));
  co_return json ? Response::json(kStatus, std::move(*json)) : failure(json.error());
}

Task<Response> list_audit(Operations& operations, Given given) {
  constexpr std::int64_t kUsual = 100;
  const auto offset = offset_of(given);
  const auto page = co_await operations.audit({.since = given.text("since"),
                                               .address = given.text("address"),
                                               .after = given.number("after").value_or(0),
                                               .limit = given.number("limit").value_or(kUsual)});
  co_return page ? Response::json(200, audit_json(*page, offset)) : failure(page.error());
}

Task<Response> show_rates(Operations& operations, Given given) {
  const auto report = co_await operations.rates(
      {.account = given.text("account"),
       .delivery = given.number("delivery_id").value_or(0),
       .hours = given.number("hours").value_or(operate::kRateHoursUsual)});
  co_return report ? Response::json(200, rates_json(*report)) : failure(report.error());
}

Task<Response> limit_rates(Operations& operations, Given given) {
  const auto given_text = [&](std::string_view name) -> std::optional<std::string> {
    if (given.find(name) == nullptr) return std::nullopt;
    return given.text(name);
  };
  const auto limits = co_await operations.limit_rates(
      given.text("account"), {.complaint_warn = given_text("complaint_warn"),
                              .complaint_pause = given_text("complaint_pause"),
                              .bounce_warn = given_text("bounce_warn"),
                              .bounce_pause = given_text("bounce_pause"),
                              .complaint_minimum = given.number("complaint_minimum"),
                              .bounce_minimum = given.number("bounce_minimum"),
                              .canary_recipients = given.number("canary_recipients"),
                              .canary_minutes = given.number("canary_minutes")});
  co_return limits ? Response::json(200, rate_limits_json(*limits)) : failure(limits.error());
}

Task<Response> list_stuck(Operations& operations, Given given) {
  constexpr std::int64_t kUsual = 100;
  const auto offset = offset_of(given);
  const auto stuck = co_await operations.stuck(given.number("limit").value_or(kUsual));
  co_return stuck ? Response::json(200, stuck_json(*stuck, offset)) : failure(stuck.error());
}

Task<Response> release_stuck(Operations& operations, Given given) {
  const auto released = co_await operations.release_stuck(given.text("account"),
                                                          given.number("email_id").value_or(0));
  co_return released ? done() : failure(released.error());
}

Task<Response> release_all_stuck(Operations& operations, Given) {
  const auto released = co_await operations.release_all_stuck();
  co_return released ? Response::json(200, fmt::format(R"({{"released":{}}})", *released))
                     : failure(released.error());
}

Task<Response> list_suppressions(Operations& operations, Given given) {
  const auto rows = co_await operations.suppressions(
      given.text("account"), given.text("after"), given.number("limit").value_or(kListedUsually));
  co_return rows ? Response::json(200, suppressions_json(*rows)) : failure(rows.error());
}

Task<Response> export_suppressions(Operations& operations, Given given) {
  const auto rows =
      co_await operations.suppressions(given.text("account"), given.text("after"), kListedUsually);
  co_return rows ? Response::json(200, suppression_csv_json(*rows)) : failure(rows.error());
}

Task<Response> look_suppression(Operations& operations, Given given) {
  const auto found =
      co_await operations.look_suppression(given.text("account"), given.text("address"));
  co_return found ? Response::json(200, suppression_look_json(*found)) : failure(found.error());
}

Task<Response> add_suppression(Operations& operations, Given given) {
  const auto added =
      co_await operations.add_suppression(given.text("account"), {.address = given.text("address"),
                                                                  .reason = given.text("reason"),
                                                                  .scope = given.text("scope"),
                                                                  .list_id = given.text("list_id"),
                                                                  .note = given.text("note"),
                                                                  .days = given.number("days")});
  co_return added ? Response::json(200, fmt::format(R"({{"added":{}}})", *added))
                  : failure(added.error());
}

Task<Response> remove_suppression(Operations& operations, Given given) {
  intake::SuppressionRemoval removal{.address = given.text("address"),
                                     .reason = given.text("reason"),
                                     .list_id = {},
                                     .why = given.text("why")};
  if (given.find("list_id") != nullptr) removal.list_id = given.text("list_id");
  const auto removed =
      co_await operations.remove_suppression(given.text("account"), std::move(removal));
  co_return removed ? Response::json(200, fmt::format(R"({{"removed":{}}})", removed->size()))
                    : failure(removed.error());
}

Task<Response> import_suppressions(Operations& operations, Given given) {
  const auto told =
      co_await operations.import_suppressions(given.text("account"), given.text("csv"));
  co_return told ? Response::json(200, imported_suppressions_json(*told)) : failure(told.error());
}

constexpr std::int64_t kReportDays = 30;

Task<Response> import_reports(Operations& operations, Given given) {
  const auto told = co_await operations.import_reports(
      given.text("account"), {.name = given.text("name"), .octets = given.text("report")});
  co_return told ? Response::json(200, imported_reports_json(*told)) : failure(told.error());
}

Task<Response> show_reports(Operations& operations, Given given) {
  const auto shown = co_await operations.reported(given.text("account"), given.text("domain"),
                                                  given.number("days").value_or(kReportDays));
  co_return shown ? Response::json(200, report_overview_json(*shown)) : failure(shown.error());
}

Task<Response> list_nodes(Operations& operations, Given given) {
  const auto offset = offset_of(given);
  const auto nodes = co_await operations.nodes();
  co_return nodes ? Response::json(200, nodes_json(*nodes, offset)) : failure(nodes.error());
}

Task<Response> show_cluster(Operations& operations, Given) {
  const auto cluster = co_await operations.cluster();
  co_return cluster ? Response::json(200, cluster_json(*cluster)) : failure(cluster.error());
}

Task<Response> count_waiting(Operations& operations, Given) {
  const auto waiting = co_await operations.waiting();
  co_return waiting ? Response::json(200, fmt::format(R"({{"deliveries":{},"recipients":{}}})",
                                                      waiting->deliveries, waiting->recipients))
                    : failure(waiting.error());
}

Response cancelled_so_far(const Result<operate::Cancelled>& cancelled) {
  if (!cancelled) return failure(cancelled.error());
  return Response::json(
      200, fmt::format(R"({{"deliveries":{},"recipients":{},"next":{}}})", cancelled->deliveries,
                       cancelled->recipients, cancelled->next.value_or(0)));
}

Task<Response> cancel_waiting(Operations& operations, Given given) {
  const bool unknown = given.truth("unknown").value_or(false);
  const auto cancelled = co_await operations.cancel_waiting(
      given.number("from").value_or(0),
      unknown ? RecipientState::unknown : RecipientState::cancelled);
  co_return cancelled_so_far(cancelled);
}

Task<Response> drop_smtp_mail(Operations& operations, Given given) {
  const auto dropped =
      co_await operations.drop_smtp_mail(given.text("account"), given.text("name"),
                                         {.from = given.number("from").value_or(0),
                                          .preview = given.truth("preview").value_or(false),
                                          .since = given.text("since")});
  if (!dropped) co_return failure(dropped.error());
  co_return Response::json(200, dropped_json(*dropped));
}

Task<Response> list_lockouts(Operations& operations, Given) {
  const auto lockouts = operations.lockouts();
  co_return lockouts ? Response::json(200, lockouts_json(*lockouts)) : failure(lockouts.error());
}

Task<Response> unlock(Operations& operations, Given given) {
  const auto ended = operations.unlock(given.text("which"));
  co_return ended ? Response::json(200, fmt::format(R"({{"unlocked":{}}})", *ended))
                  : failure(ended.error());
}

Task<Response> fold_journal(Operations& operations, Given given) {
  const auto folded = co_await operations.fold_journal(given.number("from").value_or(0));
  co_return folded ? Response::json(200, folded_json(*folded)) : failure(folded.error());
}

Task<Response> adopt(Operations& operations, Given given) {
  const auto adopted = co_await operations.adopt(given.truth("send_waiting").value_or(false));
  co_return adopted ? done() : failure(adopted.error());
}

Task<Response> show_status(Operations& operations, Given) {
  const auto status = co_await operations.status();
  co_return status ? Response::json(200, status_json(*status)) : failure(status.error());
}

Task<Response> drain(Operations& operations, Given) {
  const auto asked = operations.drain();
  co_return asked ? done() : failure(asked.error());
}

Method method_of(operate::Verb verb) {
  switch (verb) {
    case operate::Verb::get:
      return Method::get;
    case operate::Verb::post:
      return Method::post;
    case operate::Verb::patch:
      return Method::patch;
    case operate::Verb::remove:
      return Method::delete_;
  }
  return Method::get;
}

namespace calls = operate::calls;

struct Offered {
  const operate::Call* call;
  Operation operation;
};
constexpr std::array kOffered{
    Offered{&calls::kListAccounts, list_accounts},
    Offered{&calls::kShowAccount, show_account},
    Offered{&calls::kAddAccount, unnamed<add_named_account>},
    Offered{&calls::kChangeAccount, change_account},
    Offered{&calls::kKeepFor, keep_for},
    Offered{&calls::kListKeys, list_keys},
    Offered{&calls::kAddKey, unnamed<add_named_key>},
    Offered{&calls::kRevokeKey, revoke_key},
    Offered{&calls::kRotateKey, rotate_key},
    Offered{&calls::kListSmtpCredentials, list_smtp_credentials},
    Offered{&calls::kShowSmtpCredential, show_smtp_credential},
    Offered{&calls::kAddSmtpCredential, add_smtp_credential},
    Offered{&calls::kChangeSmtpCredential, change_smtp_credential},
    Offered{&calls::kRotateSmtpCredential, rotate_smtp_credential},
    Offered{&calls::kRevokeSmtpCredential, revoke_smtp_credential},
    Offered{&calls::kHoldSmtpCredential, hold_smtp_credential},
    Offered{&calls::kReleaseSmtpCredential, release_smtp_credential},
    Offered{&calls::kDropSmtpMail, drop_smtp_mail},
    Offered{&calls::kListLockouts, list_lockouts},
    Offered{&calls::kUnlock, unlock},
    Offered{&calls::kListDkim, list_dkim},
    Offered{&calls::kAddDkim, add_dkim},
    Offered{&calls::kShowDkim, show_dkim},
    Offered{&calls::kRemoveDkim, remove_dkim},
    Offered{&calls::kListDomains, list_domains},
    Offered{&calls::kAddDomain, unnamed<add_named_domain>},
    Offered{&calls::kVerifyDomain, verify_domain},
    Offered{&calls::kDomainHistory, domain_history},
    Offered{&calls::kDomainRecords, domain_records},
    Offered{&calls::kMakeDomainKeys, make_domain_keys},
    Offered{&calls::kRemoveDomain, remove_domain},
    Offered{&calls::kImportReports, import_reports},
    Offered{&calls::kShowReports, show_reports},
    Offered{&calls::kNextKeys, next_keys},
    Offered{&calls::kMakeNextKeys, make_next_keys},
    Offered{&calls::kBeginNextKeys, begin_next_keys},
    Offered{&calls::kRetireKeys, retire_keys},
    Offered{&calls::kListKeySlots, list_key_slots},
    Offered{&calls::kAddKeySlots, add_key_slots},
    Offered{&calls::kRotateKeySlots, change_key_slots<&Operations::rotate_key_slots>},
    Offered{&calls::kLookAtKeySlots, change_key_slots<&Operations::look_at_key_slots>},
    Offered{&calls::kEndKeySlots, change_key_slots<&Operations::end_key_slots>},
    Offered{&calls::kConsent, consent},
    Offered{&calls::kExplain, explain_mail},
    Offered{&calls::kListStuck, list_stuck},
    Offered{&calls::kReleaseStuck, release_stuck},
    Offered{&calls::kReleaseAllStuck, release_all_stuck},
    Offered{&calls::kListSuppressions, list_suppressions},
    Offered{&calls::kExportSuppressions, export_suppressions},
    Offered{&calls::kLookSuppression, look_suppression},
    Offered{&calls::kAddSuppression, add_suppression},
    Offered{&calls::kRemoveSuppression, remove_suppression},
    Offered{&calls::kImportSuppressions, import_suppressions},
    Offered{&calls::kExportPersonal, export_personal},
    Offered{&calls::kErasePersonal, erase_personal},
    Offered{&calls::kOperatorLink, operator_link},
    Offered{&calls::kListPeople, list_people},
    Offered{&calls::kInvitePerson, invite_person},
    Offered{&calls::kPersonLink, link_person},
    Offered{&calls::kSuspendPerson, suspend_person},
    Offered{&calls::kRemovePerson, remove_person},
    Offered{&calls::kListAudit, list_audit},
    Offered{&calls::kTlsReport, answered<tls_report>},
    Offered{&calls::kProbePlan, answered<show_probe_plan>},
    Offered{&calls::kAskProbes, answered<ask_probes, 202>},
    Offered{&calls::kListProbes, answered<list_probes>},
    Offered{&calls::kSources, answered<list_sources>},
    Offered{&calls::kLanes, answered<list_lanes>},
    Offered{&calls::kRates, show_rates},
    Offered{&calls::kLimitRates, limit_rates},
    Offered{&calls::kListNodes, list_nodes},
    Offered{&calls::kCluster, show_cluster},
    Offered{&calls::kWaiting, count_waiting},
    Offered{&calls::kCancelWaiting, cancel_waiting},
    Offered{&calls::kFold, fold_journal},
    Offered{&calls::kAdopt, adopt},
    Offered{&calls::kStatus, show_status},
    Offered{&calls::kDrain, drain},
};

Task<Response> refuse_held(std::string reason) {
  co_return failure(409, reason);
}

Task<Response> perform(Operations& operations, const operate::Call& call, Operation operation,
                       Request& request, Body& body) {
  auto given = read_call(call, request, body.text());
  wipe_stack();  // where a secret was taken out of its JSON
  if (!given) co_return failure(given.error().front().error());
  co_return co_await operation(operations, std::move(*given));
}

}  // namespace

void add_routes(http::Router& router, operate::Operations& operations, std::string held) {
  const auto add = [&](const operate::Call& call, Operation operation) {
    const bool in_hold = call.verb == operate::Verb::get || call.path.starts_with("/cluster/") ||
                         &call == &calls::kDrain;
    if (!held.empty() && !in_hold) {
      router.add(method_of(call.verb), call.path, {.wiped = true},
                 [held](Request&, Body&) { return refuse_held(held); });
      return;
    }
    // Whatever may hold a secret, also where it does not belong.
    http::RouteOptions options{.wiped = true};
    if (!call.raw.empty()) options = {.body_max = operate::kRawOctetsMax};
    router.add(method_of(call.verb), call.path, options,
               [&operations, &call, operation](Request& request, Body& body) {
                 return perform(operations, call, operation, request, body);
               });
  };
  for (const Offered& offered : kOffered) add(*offered.call, offered.operation);
}

Task<Response> carry_out(Operations& operations, const operate::Call& call, Given given) {
  const auto offered = std::ranges::find(kOffered, &call, &Offered::call);
  check(offered != kOffered.end(), "the call is offered");
  co_return co_await offered->operation(operations, std::move(given));
}

Task<Response> carry_out_without_content(Operations& operations, const operate::Call& call,
                                         Given given) {
  check(&call == &calls::kExplain, "the call is told without content");
  co_return co_await explain_some(operations, std::move(given), false);
}

Task<Response> carry_out_named(Operations& operations, const operate::Call& call, Given given,
                               operate::Named named) {
  if (&call == &calls::kAddAccount) {
    co_return co_await add_named_account(operations, std::move(given), named);
  }
  if (&call == &calls::kAddKey) {
    co_return co_await add_named_key(operations, std::move(given), named);
  }
  check(&call == &calls::kAddDomain, "the call can have a name");
  co_return co_await add_named_domain(operations, std::move(given), named);
}

http::Response failure_response(const http::Failure& failed, const http::Request&) {
  return failure(failed.status, failed.reason);
}

}  // namespace todoku::api::admin
