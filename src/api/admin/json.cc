// SPDX-License-Identifier: Apache-2.0
#include "api/admin/json.h"

#include <algorithm>

#include <fmt/format.h>

#include "access/scopes.h"
#include "api/admin/shown_time.h"
#include "explain/advice.h"
#include "explain/own_words.h"
#include "explain/time_text.h"
#include "feedback/classify/meaning.h"
#include "http/json.h"

namespace todoku::api::admin {
namespace {

using http::JsonWriter;

void add_account_members(JsonWriter& json, const store::Account& account) {
  json.member("name", account.name);
  json.member("weight", account.weight);
  json.member("suspended", account.suspended);
  json.member("text_from_html", account.text_from_html);
  json.member("open_tracking", account.open_tracking);
  json.member("preflight", to_string(account.preflight));
  json.member("sandbox", account.sandbox);
  json.key("allowed_recipients");
  json.begin_array();
  for (std::string_view rest = account.allowed_recipients; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    json.value(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  json.end_array();
  add_shown_time(json, "created", account.created);
  json.member("requests_per_minute", account.limits.requests_per_minute);
  json.member("mails_per_minute", account.limits.mails_per_minute);
  json.member("mails_per_day", account.limits.mails_per_day);
  json.member("mails_per_month", account.limits.mails_per_month);
}

void add_work_members(JsonWriter& json, const store::AccountWork& work) {
  json.member("deliveries", work.deliveries);
  json.member("recipients", work.recipients);
  json.member("in_hand", work.in_hand);
  json.member("more", work.more);
}

void add_key_members(JsonWriter& json, const store::ApiKey& key) {
  json.member("id", key.id);
  json.member("label", key.label);
  add_shown_time(json, "created", key.created);
  add_shown_time(json, "revoked", key.revoked);
  json.member("scopes", access::to_string(key.scopes));
  json.key("networks");
  json.begin_array();
  for (const std::string& network : key.networks) json.value(network);
  json.end_array();
  add_shown_time(json, "expires", key.expires);
  add_shown_time(json, "last_used", key.used);
}

void add_issued_key(JsonWriter& json, const operate::IssuedKey& issued) {
  json.begin_object();
  add_key_members(json, issued.key);
  json.member("login_id", issued.login_id);
  if (issued.access_key_id.empty()) {
    json.member("api_key", issued.api_key);
    json.member("bearer_token", issued.bearer_token);
  } else {
    json.member("access_key_id", issued.access_key_id);
    json.member("secret_access_key", issued.secret_access_key);
  }
  json.end_object();
}

void add_dkim_key(JsonWriter& json, const operate::DkimView& view) {
  json.begin_object();
  json.member("account", view.account);
  json.member("domain", view.key.domain);
  json.member("selector", view.key.selector);
  json.member("algorithm", view.key.algorithm);
  json.member("dns_name", view.dns_name);
  json.member("dns_record", view.key.dns_record);
  json.member("zone_entry", view.zone_entry);
  add_shown_time(json, "created", view.key.created);
  json.end_object();
}

void add_domain_members(JsonWriter& json, const operate::DomainView& view) {
  json.member("account", view.account);
  json.member("domain", view.claim.domain);
  json.member("state", view.state);
  json.member("vouched", view.claim.vouched);
  json.member("dns_name", view.dns_name);
  json.member("dns_record", view.dns_record);
  json.member("zone_entry", view.zone_entry);
  json.key("consents");
  json.begin_array();
  for (const std::string& account : view.consents) json.value(account);
  json.end_array();
  add_shown_time(json, "created", view.claim.created);
  add_shown_time(json, "proven", view.claim.proven);
  add_shown_time(json, "answered", view.claim.answered);
  add_shown_time(json, "failing", view.claim.failing);
  add_shown_time(json, "look_at", view.claim.look_at);
}

void add_attempt(JsonWriter& json, const store::Attempt& attempt, std::string_view address,
                 bool is_signed, todoku::Language language) {
  const explain::Advice& advice = explain::advice_for(
      attempt.outcome, is_signed, {.address = address, .mx_host = attempt.path.mx_host});
  json.begin_object();
  json.member("number", attempt.number);
  json.member("at", time_text(attempt.at));
  json.member("duration_ms", attempt.duration.count());
  json.member("state", to_string(attempt.outcome.state));
  json.member("stage", to_string(attempt.outcome.stage));
  json.member("is_attempt", attempt.outcome.is_attempt);
  json.member("cause", to_string(feedback::classify::cause_of(attempt.outcome)));
  json.member("code", attempt.outcome.reply.code);
  json.member("answer", explain::answer_text(attempt.outcome, language));
  json.member("host", attempt.path.mx_host);
  json.member("ip", attempt.path.remote_ip);
  json.member("source", attempt.path.egress_source);
  json.member("tls", to_string(attempt.path.tls));
  json.member("tls_detail", explain::own_words(attempt.path.tls_detail, language));
  json.member("meaning", advice.meaning.in(language));
  json.member("action", advice.action.in(language));
  json.end_object();
}

void add_story(JsonWriter& json, const store::Story& story, std::string_view next,
               std::string_view for_recipient, todoku::Language language) {
  json.begin_object();
  json.member("account", story.account);
  json.member("delivery_id", story.delivery_id);
  json.member("email_id", story.email_id);
  json.member("delivery_type", contract_word(story.type));
  json.member("delivery_status", contract_word(story.delivery_status));
  json.member("subject", story.subject);
  json.member("from", story.from);
  json.member("reference", story.attached.reference);
  json.key("metadata");
  write_metadata(json, story.attached.metadata);
  json.member("state", to_string(story.state));
  json.member("created", time_text(story.created));
  add_time(json, "reservation", story.reservation);
  add_time(json, "started", story.started);
  add_time(json, "due", story.due);
  add_time(json, "complained", story.complained);
  json.member("set_aside", story.set_aside);
  json.member("account_suspended", story.account_suspended);
  json.member("delivery_paused", story.delivery_paused);
  json.member("credential_held", story.credential_held);
  json.member("next", next);
  json.member("for_recipient", for_recipient);
  json.key("attempts");
  json.begin_array();
  for (const store::Attempt& attempt : story.attempts) {
    add_attempt(json, attempt, story.address, !story.signing.empty(), language);
  }
  json.end_array();
  json.key("delays");
  json.begin_array();
  for (const store::Attempt& delay : story.delays) {
    json.begin_object();
    json.member("at", time_text(delay.at));
    json.member("cause", to_string(delay.outcome.cause));
    json.member("code", delay.outcome.reply.code);
    json.member("answer", explain::answer_text(delay.outcome, language));
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

// {"<name>": [...]}, each element written by `add`; with "next" if the list goes on.
template <class Items, class Add>
std::string list_json(std::string_view name, const Items& items, Add add,
                      std::string_view next = {}) {
  JsonWriter json;
  json.begin_object();
  json.key(name);
  json.begin_array();
  for (const auto& item : items) add(json, item);
  json.end_array();
  if (!next.empty()) json.member("next", next);
  json.end_object();
  return json.take();
}

void add_account_view(JsonWriter& json, const operate::AccountView& view) {
  json.begin_object();
  add_account_members(json, view.account);
  json.member("keys", view.keys);
  json.end_object();
}

}  // namespace

std::string accounts_json(const operate::Page<operate::AccountView>& accounts) {
  return list_json("accounts", accounts.views, add_account_view, accounts.next);
}

std::string account_json(const operate::AccountView& view) {
  JsonWriter json;
  add_account_view(json, view);
  return json.take();
}

namespace {

void add_smtp_members(JsonWriter& json, const operate::SmtpCredentialView& view) {
  const store::SmtpCredential& credential = view.credential;
  const store::SmtpCredentialSettings& settings = credential.settings;
  json.member("account", view.account);
  json.member("name", credential.name);
  json.member("traffic", settings.traffic ? to_string(*settings.traffic) : "automatic");
  json.member("purpose",
              settings.purpose == Purpose::by_type ? "automatic" : to_string(settings.purpose));
  json.key("options");
  json.begin_array();
  for (const std::string& option : view.options) json.value(option);
  json.end_array();
  json.key("networks");
  json.begin_array();
  for (const std::string& network : settings.networks) json.value(network);
  json.end_array();
  json.member("from_address", settings.from_address);
  json.member("show_client", settings.show_client);
  json.member("bounces", settings.bounces);
  json.member("messages_per_minute", settings.messages_per_minute);
  json.member("recipients_per_minute", settings.recipients_per_minute);
  json.member("bytes_per_minute", settings.octets_per_minute);
  json.member("connections_max", settings.connections_max);
  if (settings.uid) json.member("uid", static_cast<std::int64_t>(*settings.uid));
  add_shown_time(json, "created", credential.created);
  add_shown_time(json, "expires", settings.expires);
  add_shown_time(json, "revoked", credential.revoked);
  add_shown_time(json, "previous_until", credential.previous_until);
  json.member("expired", view.expired);
  add_shown_time(json, "held", credential.held);
  if (credential.held) json.member("held_because", credential.held_because);
  add_shown_time(json, "released", credential.released);
  add_shown_time(json, "last_used", credential.used);
}

}  // namespace

std::string smtp_credentials_json(const operate::Page<operate::SmtpCredentialView>& credentials) {
  return list_json(
      "credentials", credentials.views,
      [](JsonWriter& json, const operate::SmtpCredentialView& view) {
        json.begin_object();
        add_smtp_members(json, view);
        json.end_object();
      },
      credentials.next);
}

std::string smtp_credential_json(const operate::SmtpCredentialView& credential) {
  JsonWriter json;
  json.begin_object();
  add_smtp_members(json, credential);
  json.end_object();
  return json.take();
}

std::string issued_smtp_json(const operate::IssuedSmtpCredential& issued) {
  JsonWriter json;
  json.begin_object();
  add_smtp_members(json, issued.view);
  if (!issued.password.empty()) json.member("password", issued.password);
  if (!issued.has_domain) json.member("has_domain", false);
  if (!issued.unproven_domain.empty()) json.member("unproven_domain", issued.unproven_domain);
  json.end_object();
  return json.take();
}

std::string dropped_json(const operate::Cancelled& dropped) {
  JsonWriter json;
  json.begin_object();
  json.member("deliveries", dropped.deliveries);
  json.member("recipients", dropped.recipients);
  json.member("next", dropped.next.value_or(0));
  json.key("first");
  json.begin_array();
  for (const operate::WaitingMail& mail : dropped.first) {
    json.begin_object();
    json.member("delivery_id", mail.delivery);
    add_shown_time(json, "accepted", mail.accepted);
    json.member("recipients", mail.recipients);
    json.member("subject", mail.subject);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

std::string lockouts_json(const std::vector<operate::Lockout>& lockouts) {
  return list_json("lockouts", lockouts, [](JsonWriter& json, const operate::Lockout& lockout) {
    json.begin_object();
    json.member("network", lockout.network);
    json.member("name", lockout.name);
    add_shown_time(json, "since", lockout.since);
    add_shown_time(json, "until", lockout.until);
    json.member("failures", lockout.failures);
    json.end_object();
  });
}

std::string domains_json(const operate::Page<operate::DomainView>& domains) {
  const auto add = [](JsonWriter& json, const operate::DomainView& view) {
    json.begin_object();
    add_domain_members(json, view);
    json.end_object();
  };
  return list_json("domains", domains.views, add, domains.next);
}

std::string domain_json(const operate::DomainView& domain) {
  JsonWriter json;
  json.begin_object();
  add_domain_members(json, domain);
  json.end_object();
  return json.take();
}

std::string verified_domain_json(const operate::VerifiedDomain& verified) {
  JsonWriter json;
  json.begin_object();
  add_domain_members(json, verified.view);
  json.member("record_found", verified.found);
  if (!verified.instead.empty()) json.member("found_instead", verified.instead);
  if (!verified.trouble.empty()) json.member("trouble", verified.trouble);
  if (!verified.needs_consent.empty()) json.member("needs_consent", verified.needs_consent);
  json.end_object();
  return json.take();
}

std::string work_json(const store::AccountWork& work) {
  JsonWriter json;
  json.begin_object();
  json.member("done", true);
  add_work_members(json, work);
  json.end_object();
  return json.take();
}

std::string changed_account_json(const operate::ChangedAccount& changed) {
  JsonWriter json;
  json.begin_object();
  json.member("done", true);
  add_account_members(json, changed.account);
  add_work_members(json, changed.work);
  json.end_object();
  return json.take();
}

std::string account_json(const operate::AddedAccount& added) {
  JsonWriter json;
  json.begin_object();
  add_account_members(json, added.account);
  if (!added.now_refused.empty()) json.member("now_refused", added.now_refused);
  if (added.key) {
    json.key("key");
    add_issued_key(json, *added.key);
  }
  json.end_object();
  return json.take();
}

std::string keys_json(const std::vector<operate::KeyView>& keys) {
  return list_json("keys", keys, [](JsonWriter& json, const operate::KeyView& view) {
    json.begin_object();
    add_key_members(json, view.key);
    json.member("expired", view.expired);
    json.end_object();
  });
}

std::string rotated_key_json(const operate::RotatedKey& rotated) {
  JsonWriter json;
  json.begin_object();
  json.key("key");
  add_issued_key(json, rotated.key);
  add_shown_time(json, "old_expires", rotated.old_expires);
  json.end_object();
  return json.take();
}

std::string issued_key_json(const operate::IssuedKey& issued) {
  JsonWriter json;
  add_issued_key(json, issued);
  return json.take();
}

std::string dkim_keys_json(const operate::Page<operate::DkimView>& keys) {
  return list_json("keys", keys.views, add_dkim_key, keys.next);
}

std::string dkim_key_json(const operate::DkimView& key) {
  JsonWriter json;
  add_dkim_key(json, key);
  return json.take();
}

std::string retired_dkim_json(const operate::RetiredDkim& retired) {
  JsonWriter json;
  json.begin_object();
  for (const auto& [name, views] :
       {std::pair("removed", &retired.removed), std::pair("kept", &retired.kept)}) {
    json.key(name);
    json.begin_array();
    for (const operate::DkimView& view : *views) add_dkim_key(json, view);
    json.end_array();
  }
  json.end_object();
  return json.take();
}

std::string explanation_json(const operate::Explanation& explanation, todoku::Language language) {
  JsonWriter json;
  json.begin_object();
  json.member("address", explanation.address);
  json.member("text", explanation.text);
  json.member("more", explanation.more);
  json.key("mails");
  json.begin_array();
  for (std::size_t i = 0; i < explanation.stories.size(); ++i) {
    add_story(json, explanation.stories[i], explanation.next[i], explanation.for_recipient[i],
              language);
  }
  json.end_array();
  json.end_object();
  return json.take();
}

std::string stuck_json(const operate::StuckMails& stuck, std::chrono::minutes offset) {
  JsonWriter json;
  json.begin_object();
  json.key("mails");
  json.begin_array();
  for (const operate::StuckMail& each : stuck.mails) {
    json.begin_object();
    json.member("since", time_text(each.mail.since));
    json.member("since_text", explain::time_text(each.mail.since, offset));
    json.member("account", each.account);
    json.member("delivery_id", each.mail.delivery_id);
    json.member("email_id", each.mail.email_id);
    json.member("address", each.mail.address);
    json.end_object();
  }
  json.end_array();
  json.member("more", stuck.more);
  json.end_object();
  return json.take();
}

namespace {

void write_suppressions(JsonWriter& json, const std::vector<store::Suppression>& entries) {
  json.key("suppressions");
  json.begin_array();
  for (const store::Suppression& entry : entries) {
    json.begin_object();
    json.member("email", entry.subject);
    json.member("of", entry.account == store::kInstallation ? "installation" : "account");
    json.member("reason", to_string(entry.reason));
    json.member("scope", to_string(entry.scope));
    json.member("list_id", entry.list_id);
    json.member("note", entry.note);
    json.member("code", entry.cause.code);
    json.member("message", entry.cause.text);
    json.member("delivery_id", entry.cause.delivery_id);
    add_shown_time(json, "created", entry.created);
    add_shown_time(json, "expires", entry.expires);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string suppressions_json(const intake::SuppressionRows& rows) {
  JsonWriter json;
  json.begin_object();
  write_suppressions(json, rows.entries);
  if (!rows.next.empty()) json.member("next", rows.next);
  json.end_object();
  return json.take();
}

std::string suppression_look_json(const intake::SuppressionLook& look) {
  JsonWriter json;
  json.begin_object();
  json.member("email", look.subject);
  write_suppressions(json, look.entries);
  json.key("removed");
  json.begin_array();
  for (const store::SuppressionChange& change : look.removals) {
    json.begin_object();
    add_shown_time(json, "at", change.at);
    json.member("reason", to_string(change.reason));
    json.member("list_id", change.list_id);
    json.member("actor", change.actor);
    json.member("why", change.why);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

std::string suppression_csv_json(const intake::SuppressionRows& rows) {
  std::string csv;
  for (const store::Suppression& entry : rows.entries) intake::append_suppression_csv(csv, entry);
  JsonWriter json;
  json.begin_object();
  json.member("header", intake::suppression_csv_header());
  json.member("csv", csv);
  if (!rows.next.empty()) json.member("next", rows.next);
  json.end_object();
  return json.take();
}

std::string imported_suppressions_json(const intake::ImportedSuppressions& told) {
  JsonWriter json;
  json.begin_object();
  json.member("added", told.added);
  json.member("changed", told.changed);
  json.member("failed", told.failed);
  json.member("rows", static_cast<std::int64_t>(told.rows));
  json.member("header", told.has_header);
  json.key("errors");
  json.begin_array();
  for (const intake::BadSuppressionRow& row : told.errors) {
    json.begin_object();
    json.member("row", static_cast<std::int64_t>(row.row));
    json.member("message", row.reason.en);
    json.member("message_ja", row.reason.ja);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

// A lapsed node is one that others will declare dead.
std::string nodes_json(const std::vector<operate::NodeView>& nodes, std::chrono::minutes offset) {
  return list_json("nodes", nodes, [offset](JsonWriter& json, const operate::NodeView& view) {
    const store::Node& node = view.node;
    // "api,courier on mail1.example.jp", as an engine enters (app/engine.cc).
    const std::string_view said = node.roles;
    const std::size_t on = said.find(" on ");
    json.begin_object();
    json.member("key", static_cast<std::int64_t>(node.key));
    json.member("node", node.name);
    json.member("roles", said.substr(0, on));
    json.member("host", on == std::string_view::npos ? "" : said.substr(on + 4));
    json.member("version", node.version);
    add_shown_time(json, "entered", node.entered, offset);
    json.member("state", node.is_void ? "void" : node.left > Milliseconds(0) ? "alive" : "lapsed");
    json.member("lease_left_ms", node.left.count());
    json.member("batches", view.holds.batches);
    json.member("recipients", view.holds.recipients);
    json.member("leads", view.leads);
    json.key("sources");
    json.begin_array();
    for (const std::string& source : view.sources) json.value(source);
    json.end_array();
    json.end_object();
  });
}

namespace {

void add_other_names(JsonWriter& json, const std::vector<operate::OtherName>& others) {
  json.key("hold");
  json.begin_array();
  for (const operate::OtherName& name : others) {
    json.begin_object();
    json.member("stored", name.stored);
    json.member("here", name.here);
    json.member("text", operate::to_sentence(name, todoku::Language::english));
    json.member("text_ja", operate::to_sentence(name, todoku::Language::japanese));
    json.end_object();
  }
  json.end_array();
  if (operate::is_behind_journal(others)) json.member("behind_journal", true);
}

}  // namespace

std::string folded_json(const events::journal::Folded& folded) {
  JsonWriter json;
  json.begin_object();
  json.member("records", folded.records);
  json.member("missing", folded.missing);
  json.member("torn", folded.torn);
  json.member("outcomes", folded.outcomes);
  json.member("known", folded.known);
  json.member("elsewhere", folded.elsewhere);
  json.member("steered", folded.steered);
  json.member("unfinished", folded.unfinished);
  json.member("stops", folded.stops);
  json.member("removals", folded.removals);
  json.member("refused", folded.refused);
  json.member("next", folded.ended ? std::uint64_t{0} : folded.last_number);
  const bool told = folded.last_number > 0;
  add_shown_time(json, "written", told ? std::optional(folded.written) : std::nullopt);
  json.end_object();
  return json.take();
}

std::string cluster_json(const operate::ClusterView& cluster) {
  JsonWriter json;
  json.begin_object();
  json.member("cluster", cluster.here.cluster);
  json.member("database", cluster.here.database);
  json.member("queue", cluster.here.queue);
  add_other_names(json, cluster.others);
  json.end_object();
  return json.take();
}

std::string status_json(const operate::EngineStatus& status) {
  JsonWriter json;
  json.begin_object();
  json.member("version", status.version);
  json.member("data_directory", status.data_directory);
  json.member("running", status.running);
  if (status.running) {
    json.member("draining", status.draining);
    add_shown_time(json, "drains_until", status.drains_until);
    json.member("pid", status.pid);
    add_shown_time(json, "started", status.started);
    json.member("api", status.api);
    if (!status.console.empty()) json.member("console", status.console);
    json.key("roles");
    json.begin_array();
    for (const std::string& role : status.roles) json.value(role);
    json.end_array();
    json.key("missing_roles");
    json.begin_array();
    for (const std::string& role : status.missing_roles) json.value(role);
    json.end_array();
  }
  json.key("elsewhere");
  json.begin_array();
  for (const store::Node& node : status.elsewhere) {
    json.begin_object();
    json.member("node", node.name);
    json.member("roles", node.roles);
    json.member("version", node.version);
    json.end_object();
  }
  json.end_array();
  json.key("differences");
  json.begin_array();
  for (const operate::Difference& difference : status.differences) {
    json.begin_object();
    json.member("text", operate::to_sentence(difference, todoku::Language::english));
    json.member("text_ja", operate::to_sentence(difference, todoku::Language::japanese));
    json.end_object();
  }
  json.end_array();
  if (!status.journal.empty()) json.member("journal", status.journal);
  if (!status.shipping.empty()) json.member("shipping", status.shipping);
  add_other_names(json, status.others);
  json.key("queues");
  json.begin_array();
  for (const store::QueueFigures& queue : status.queues) {
    json.begin_object();
    json.member("class", to_string(queue.traffic));
    json.member("waiting", queue.waiting);
    const auto earliest = queue.oldest ? std::optional(status.asked - *queue.oldest) : std::nullopt;
    add_shown_time(json, "earliest_due", earliest);
    json.member("set_aside", queue.set_aside);
    json.end_object();
  }
  json.end_array();
  if (status.reserved.deliveries > 0) {
    json.key("reserved");
    json.begin_object();
    json.member("deliveries", status.reserved.deliveries);
    json.member("recipients", status.reserved.recipients);
    add_shown_time(json, "first", status.reserved.first);
    json.member("more", status.reserved.more);
    json.end_object();
  }
  json.key("held_credentials");
  json.begin_array();
  for (const operate::HeldCredential& credential : status.held) {
    json.begin_object();
    json.member("account", credential.account);
    json.member("name", credential.name);
    add_shown_time(json, "held", credential.since);
    json.member("held_because", credential.because);
    json.end_object();
  }
  json.end_array();
  json.member("more_held", status.more_held);
  json.key("suspended");
  json.begin_array();
  for (const operate::SuspendedAccount& account : status.suspended) {
    json.begin_object();
    json.member("name", account.name);
    add_work_members(json, account.work);
    json.end_object();
  }
  json.end_array();
  json.member("more_suspended", status.more_suspended);
  if (status.drained) {
    json.key("drained");
    json.begin_object();
    add_shown_time(json, "at", status.drained->at);
    json.member("at_ms", status.drained->at.time_since_epoch().count());
    json.member("in_doubt", status.drained->in_doubt);
    json.end_object();
  }
  json.end_object();
  return json.take();
}

}  // namespace todoku::api::admin
