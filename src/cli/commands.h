// SPDX-License-Identifier: Apache-2.0
// The commands that speak to the operations of an installation. Each returns the exit status.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/domain_installation.h"
#include "cli/domain_probe.h"
#include "cli/mail_checks.h"
#include "cli/session.h"
#include "mail/preflight_mode.h"

namespace todoku::cli {

// -- accounts.cc
struct AccountAdd {
  std::string name;
  std::int64_t weight = 1;
  bool without_key = false;
  bool sandbox = false;
};
int account_add(Session& session, const AccountAdd& options);
int account_list(Session& session);
int account_suspend(Session& session, const std::string& name, bool suspended);
int account_weight(Session& session, const std::string& name, std::int64_t weight);
int account_text_from_html(Session& session, const std::string& name, bool on);
int account_open_tracking(Session& session, const std::string& name, bool on);
// Of nobody and not `everybody`: tells.
int account_allow(Session& session, const std::string& name, const std::vector<std::string>& list,
                  bool everybody);
int account_preflight(Session& session, const std::string& name, PreflightMode mode);
// nullopt stays as it is; 0: as the installation has it.
struct AccountRetention {
  std::optional<std::int64_t> content_days;
  std::optional<std::int64_t> story_days;
};
int account_retention(Session& session, const std::string& name, const AccountRetention& kept);
// nullopt stays as it is; 0: no limit of its own.
struct AccountLimit {
  std::optional<std::int64_t> requests_per_minute;
  std::optional<std::int64_t> mails_per_minute;
  std::optional<std::int64_t> mails_per_day;
  std::optional<std::int64_t> mails_per_month;
};
int account_limit(Session& session, const std::string& name, const AccountLimit& limit);

// -- keys.cc
struct KeyRequest {
  std::string label;
  std::optional<std::string> scopes;
  std::optional<std::string> networks;
  std::optional<std::int64_t> days;
  bool sandbox = false;
};
int key_add(Session& session, const std::string& account, const KeyRequest& request);
int key_rotate(Session& session, const std::string& account, std::int64_t id,
               std::optional<std::int64_t> overlap_hours);
int key_list(Session& session, const std::string& account);
int key_revoke(Session& session, const std::string& account, std::int64_t id);

// -- dkim.cc
struct DkimGenerate {
  std::string account;
  std::string domain;
  std::string selector;  // empty: made from the algorithm and the date
  bool ed25519 = false;
  std::string pem_file;  // a key made elsewhere, instead of a new one
};
int dkim_generate(Session& session, const DkimGenerate& options);
// With a key that was made elsewhere; `pem` empty: a new one.
int dkim_add(Session& session, const DkimGenerate& options, SecretText pem);
int dkim_list(Session& session, const std::string& account);
int dkim_show(Session& session, const DkimGenerate& which);
int dkim_remove(Session& session, const DkimGenerate& which);

// -- dkim_import.cc
struct DkimImport {
  DkimGenerate key;
  ProbeOptions probe;
  bool anyway = false;  // signs though its record is not published, or in the place of managed keys
};
int dkim_import(Session& session, const DkimImport& wish);

// -- dkim_verify.cc
struct DkimVerify {
  CheckOptions options;
  std::vector<std::string> files;
};
int dkim_verify(Session& session, const DkimVerify& which);

// -- rules.cc: what is known of receivers, as the configuration of this machine has it.
int rules_check(Session& session);
struct RulesExplain {
  std::string what;      // a domain or an address, or "550 5.1.1 User unknown"
  std::string stage;     // of a reply; empty: as its words say
  std::string site;      // of a reply; empty: any
  std::string resolver;  // "HOST:PORT"; empty: as configured
};
int rules_explain(Session& session, const RulesExplain& wish);

// -- bounce.cc: what a returned mail, or a reply, means. Local: nobody is asked.
struct BounceClassify {
  std::vector<std::string> files;  // "-" is standard input
  std::string reply;               // "550 5.1.1 User unknown", instead of files
  bool batch = false;
};
int bounce_classify(Session& session, const BounceClassify& wish);

// -- reports.cc: what DMARC and TLS reports say together. Local. 2 where one cannot be read: the
// others count.
int reports_read(Session& session, const std::vector<std::string>& files);

// -- kept_reports.cc: what is kept of them. import: 1 where one is refused; 2 where a file cannot
// be read.
struct ReportsWish {
  std::vector<std::string> files;
  std::string account;
  std::string domain;
  std::int64_t days = 30;
};
int reports_import(Session& session, const ReportsWish& wish);
int reports_show(Session& session, const ReportsWish& wish);

// -- spf_check.cc
struct SpfCheck {
  CheckOptions options;
  std::string ip;
  std::string mail_from;
  std::string helo;
};
int spf_check(Session& session, const SpfCheck& which);

// -- mta_sts_check.cc: 1 where the domain has something to mend
int mta_sts_check(Session& session, const MtaStsWish& wish);

// -- doctor.cc
int show_health(Session& session, const ExaminationWish& wish);
int test_alarms(Session& session);

// -- dmarc_check.cc
struct DmarcCheck {
  CheckOptions options;
  std::string ip;
  std::string mail_from;
  std::string helo;
  std::string file;
};
int dmarc_check(Session& session, const DmarcCheck& which);

// -- smtp_credentials.cc; nullopt: as it is, or usual
struct SmtpCredentialRequest {
  std::string account;
  std::string name;
  bool sandbox = false;
  std::optional<std::string> traffic;
  std::optional<std::string> purpose;
  std::optional<std::string> options;
  std::optional<std::string> networks;
  std::optional<std::string> from_address;
  std::optional<std::int64_t> days;
  std::optional<bool> show_client;
  std::optional<bool> bounces;
  std::optional<std::int64_t> messages_per_minute;
  std::optional<std::int64_t> recipients_per_minute;
  std::optional<std::int64_t> bytes_per_minute;
  std::optional<std::int64_t> connections_max;
  std::optional<std::int64_t> uid;
  std::optional<std::int64_t> overlap_hours;
  std::string because;        // it is held
  bool preview = false;       // of a drop
  std::string since;          // ...
  std::string which;          // is unlocked
  std::string password_file;  // empty: one is made
};
int smtp_credential_add(Session& session, const SmtpCredentialRequest& request);
int smtp_credential_list(Session& session, const std::string& account);
int smtp_credential_show(Session& session, const SmtpCredentialRequest& request);
int smtp_credential_change(Session& session, const SmtpCredentialRequest& request);
int smtp_credential_rotate(Session& session, const SmtpCredentialRequest& request);
int smtp_credential_revoke(Session& session, const SmtpCredentialRequest& request);
int smtp_credential_hold(Session& session, const SmtpCredentialRequest& request);
int smtp_credential_release(Session& session, const SmtpCredentialRequest& request);
int smtp_credential_drop(Session& session, const SmtpCredentialRequest& request);
int smtp_credential_lockouts(Session& session);
int smtp_credential_unlock(Session& session, const std::string& which);

// -- domains.cc
struct DomainNames {
  std::string account;
  std::string domain;
};
// `proven`: an operator stands for it.
int domain_add(Session& session, const DomainNames& which, bool proven);
int domain_list(Session& session, const std::string& account);
// Exit status 0 if it is proven. `account` empty: the only one.
int domain_verify(Session& session, const DomainNames& which);
int domain_remove(Session& session, const DomainNames& which);
int domain_consent(Session& session, const DomainNames& which, const std::string& to,
                   bool withdrawn);

// -- domain_setup.cc, domain_check.cc
struct DomainSetup {
  std::string account;  // empty: the only one
  std::string domain;
  PlatformWish platform;
  ProbeOptions probe;
  std::string by;  // "txt" or "cname"; empty: as it is, by txt where it is neither
  bool zone_file = false;
  bool anyway = false;  // though nobody serves the domain
};
int domain_setup(Session& session, const DomainSetup& wish);
struct DomainCheck {
  std::string account;  // empty: of all
  std::vector<std::string> domains;
  std::vector<std::string> selectors;  // instead of the keys of the installation
  PlatformWish platform;
  ProbeOptions probe;
};
int domain_check(Session& session, const DomainCheck& wish);

// -- domain_rotate.cc
struct DomainRotate {
  std::string account;  // empty: the only one
  std::string domain;
  ProbeOptions probe;
  bool anyway = false;  // begins though not all servers were asked, or a resolver fails
};
int domain_rotate(Session& session, const DomainRotate& wish);

// -- domain_keys.cc
struct DomainKeysWish {
  std::string account;  // empty: of all
  std::string domain;   // empty: all
};
int domain_keys_command(Session& session, const DomainKeysWish& wish);
// One domain's, for people.
void print_slots(Session& session, const boost::json::value& slots);

// -- domain_history.cc
struct DomainHistoryWish {
  std::string account;  // empty: the only one
  std::string domain;
};
// Exit status as of `domain check`, of the last check on the schedule.
int domain_history(Session& session, const DomainHistoryWish& wish);

// -- stories.cc
struct Explain {
  std::string address;  // or one of the next three; else many mails, by receiver and cause
  std::string reference;
  std::string message_id;
  std::int64_t mail = 0;
  std::int64_t delivery = 0;
  std::string domain;
  std::string site;
  std::string since;
  std::string until;
  bool for_recipient = false;  // what can be sent on to them
  std::string account;         // empty: all
  std::int64_t limit = 20;
  bool utc = false;
};
int explain_mail(Session& session, const Explain& options);

// -- stuck.cc
struct StuckList {
  std::int64_t limit = 100;
  bool utc = false;
};
int stuck_list(Session& session, const StuckList& options);
struct StuckRelease {
  std::string account;
  std::int64_t email_id = 0;
  bool all = false;  // instead of one that is named
};
int stuck_release(Session& session, const StuckRelease& which);

// -- suppressions.cc; `account` empty: the installation's list
struct SuppressionWhich {
  std::string account;
  std::string address;
};
struct SuppressionAdd {
  std::string account;
  std::string address;
  std::string reason;
  std::string scope;
  std::string list_id;
  std::string note;
  std::optional<std::int64_t> days;
};
struct SuppressionRemove {
  std::string account;
  std::string address;
  std::string reason;
  std::string list_id;
  std::string why;
};
struct SuppressionFile {
  std::string account;
  std::string file;
};
int suppression_list(Session& session, const std::string& account);
int suppression_look(Session& session, const SuppressionWhich& which);
int suppression_add(Session& session, const SuppressionAdd& options);
int suppression_remove(Session& session, const SuppressionRemove& options);
int suppression_import(Session& session, const SuppressionFile& options);
// As CSV, on standard output.
int suppression_export(Session& session, const std::string& account);

// -- personal_data.cc; `account` empty: of all
struct PersonalData {
  std::string address;
  std::string account;
};
// As JSON, on standard output.
int personal_data_export(Session& session, const PersonalData& whose);
// `stop`: what has not gone out is cancelled first. Exit status 1 where mail is left that is on its
// way.
int personal_data_delete(Session& session, const PersonalData& whose, bool stop);
struct AuditWish {
  std::string since;
  std::string address;
  bool utc = false;  // the times for people
};
int audit_list(Session& session, const AuditWish& wish);

// -- people.cc: who signs in at the console
struct PersonInvite {
  std::string email;
  std::string account;   // empty: an operator
  std::string role;      // of an operator empty
  std::string name;      // empty: the address
  std::string language;  // empty: the session's
};
int console_operator(Session& session);
int people_list(Session& session, const std::string& account);
int people_invite(Session& session, const PersonInvite& wish);
int people_reset(Session& session, const std::string& email);
int people_suspend(Session& session, const std::string& email, bool suspended);
int people_remove(Session& session, const std::string& email);

// -- probe.cc: test mails to mailboxes of the operator's own
struct ProbeWish {
  std::string mailbox;   // empty: all
  std::string from;      // likewise
  bool at_once = false;  // waits for no end
  std::int64_t limit = 100;
  bool utc = false;  // the times for people
};
// Waits until all are over. Exit status 1 where one is not in the inbox.
int probe_run(Session& session, const ProbeWish& wish);
int probe_history(Session& session, const ProbeWish& wish);
int probe_list(Session& session);

// -- lanes.cc: how fast mail goes to receivers, and why
struct LanesWish {
  std::string site;
  std::string source;
  bool all = false;
  std::int64_t limit = 100;
  bool utc = false;  // the times for people
};
int list_lanes(Session& session, const LanesWish& wish);
// -- sources.cc: the sources, and their warm-up plans
int list_sources(Session& session);
// -- rates.cc: bounces and complaints of an account
struct RatesWish {
  std::string account;
  std::optional<std::int64_t> delivery;
  std::optional<std::int64_t> hours;
};
int rates_show(Session& session, const RatesWish& wish);
// What is empty stays as it is.
struct RateLimitsWish {
  std::string account;
  std::string complaint_warn;
  std::string complaint_pause;
  std::optional<std::int64_t> complaint_minimum;
  std::string bounce_warn;
  std::string bounce_pause;
  std::optional<std::int64_t> bounce_minimum;
  std::optional<std::int64_t> canary_recipients;
  std::optional<std::int64_t> canary_minutes;
};
int rates_limit(Session& session, const RateLimitsWish& wish);

// -- tls_report.cc: how the protection of connections to receivers fared
struct TlsReportWish {
  std::string domain;
  std::optional<std::int64_t> days;
};
int tls_report_show(Session& session, const TlsReportWish& wish);

// -- migrate.cc
int migrate_status(Session& session);
// Takes the missing steps; who is in the way is waited for, at most `patience`.
int migrate_up(Session& session, bool contract, std::chrono::seconds patience);
// Carries another store over.
int migrate_from(Session& session, const std::string& from);

// -- backup.cc
int back_up(Session& session, const std::string& to);
// `replace`: also where there is a store, which is set aside.
int restore_from(Session& session, const RestoreWish& wish);
// Folds the journal outside into a store that was restored from an older copy.
int restore_fold(Session& session);
// The process in HOLD goes on, and what still waits is sent.
int restore_release(Session& session);
// It goes on, and what still waits is over: whether it was sent is not known.
int restore_end(Session& session);

// -- cluster.cc
int list_nodes(Session& session, bool utc);
enum class WhatWaits : std::uint8_t { unsaid, sent, cancelled };
// Gives the store the names of this installation; `waits`: what becomes of what waits in it.
int adopt_cluster(Session& session, WhatWaits waits);

// -- operating.cc
int show_status(Session& session);
// Asks the engine to drain and waits until it has gone, at most `patience`.
int drain(Session& session, std::chrono::seconds patience);
// Exit status 0 if the engine is ready, as a balancer asks; `live`: if its process lives and was
// ready once, as whatever asks that ends a process which does not.
int healthcheck(Session& session, bool live);

}  // namespace todoku::cli
