// SPDX-License-Identifier: Apache-2.0
// The commands of senders, clients of the REST API (docs/cli.md). Each returns the exit status.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/message_fields.h"
#include "cli/session.h"

namespace todoku::cli {

// -- send.cc
struct Send {
  MessageFields fields;
  std::vector<std::string> to;
  std::vector<std::string> cc;
  std::vector<std::string> bcc;
  std::vector<std::string> insert_codes;  // "__name__=value"
  std::vector<std::string> data;          // of a template, "name=value"
  std::string send_at;
  std::optional<std::int64_t> expires_in;  // seconds
  std::string reference;                   // what the sender calls the mail
  std::string idempotency_key;             // empty: a fresh one
};
int send_mail(Session& session, const Send& options);

// -- resend.cc
struct Resend {
  std::int64_t email = 0;
  std::string to;               // empty: to its recipient
  std::string idempotency_key;  // empty: a fresh one
};
int resend_mail(Session& session, const Resend& options);

// -- bulk.cc
struct BulkSend {
  MessageFields fields;
  std::string csv;
  std::string at;                   // "now", or a time as the API reads it
  bool draft = false;               // not committed; `at` is empty then
  std::string pace;                 // "600/minute", "10000/hour"; empty: as fast as it can
  std::string quiet_hours;          // "21:00-08:00"; empty: none
  std::string zone = "Asia/Tokyo";  // of the quiet hours
  bool ignore_errors = false;
  bool keep_duplicates = false;
  bool detach = false;  // returns once it is committed
  std::string idempotency_key;
};
int bulk_send(Session& session, const BulkSend& options);

// -- bulk_import.cc
struct BulkImport {
  std::int64_t delivery = 0;
  std::string list;     // a file; "-": standard input
  bool ndjson = false;  // whatever the file is called
  bool ignore_errors = false;
  bool keep_duplicates = false;
  bool dry_run = false;
  std::string idempotency_key;  // empty: a fresh one
};
int bulk_import(Session& session, const BulkImport& options);

// -- bulk.cc
int bulk_commit(Session& session, std::int64_t delivery, const std::string& at);
// `follow`: until it has ended.
int bulk_show(Session& session, std::int64_t delivery, bool follow);
// `order`: pause, resume, stop or cancel.
int bulk_order(Session& session, std::int64_t delivery, const std::string& order);
int bulk_delete(Session& session, std::int64_t delivery);
// `pace`: "600/minute", "10000/hour" or "none".
int bulk_pace(Session& session, std::int64_t delivery, const std::string& pace);
// `hours`: "21:00-08:00" or "none"; in this time zone.
int bulk_quiet_hours(Session& session, std::int64_t delivery, const std::string& hours,
                     const std::string& zone);

// -- deliveries.cc
struct DeliverySearch {
  std::vector<std::string> types;
  std::vector<std::string> statuses;
  std::string subject;
  std::string from;
  std::string tag;
  std::string start;
  std::string end;
  std::optional<std::int64_t> size;
  std::optional<std::int64_t> page;
  std::string sort;
};
int list_deliveries(Session& session, const DeliverySearch& search);
int show_delivery(Session& session, std::int64_t delivery);
// "Will it arrive?": 1 where something fails, 2 where something is not determined.
int preflight_delivery(Session& session, std::int64_t delivery);

// -- watch.cc
// Until it has ended, or the user leaves it: 0 if it was sent, 1 if it failed or was stopped.
int watch_delivery(Session& session, std::int64_t delivery);

// -- usage.cc
struct UsageSearch {
  std::int64_t days = 31;
  std::int64_t months = 3;
};
int show_usage(Session& session, const UsageSearch& search);

// -- tags.cc: what became of mail, by tag.
int show_tags(Session& session, std::int64_t days);

// -- preview.cc
struct Preview {
  std::string target;  // a delivery's number, or a file with a content as JSON; "-": standard input
  std::string email;   // empty: the first recipient
  std::vector<std::string> insert_codes;  // "__name__=value"; of a delivery alone
  std::vector<std::string> data;          // "name=value", likewise
  std::string eml;                        // a file that the message goes to; "-": standard output
};
int show_preview(Session& session, const Preview& options);
// 1 where something fails.
int lint_mail(Session& session, const Preview& options);

// -- logs.cc
struct LogSearch {
  std::string email;
  std::string reference;
  std::optional<std::int64_t> delivery;
  std::vector<std::string> types;
  std::vector<std::string> statuses;
  std::vector<std::string> codes;
  std::string start;
  std::string end;
  std::optional<std::int64_t> anchor;
  std::int64_t limit = 100;
};
int show_logs(Session& session, const LogSearch& search);
// One row, with every attempt.
int show_log(Session& session, std::int64_t maillog);

// -- events_command.cc
struct EventSearch {
  std::vector<std::string> kinds;
  std::optional<std::int64_t> delivery;
  std::string email;
  std::string tag;
  std::string cursor;
  std::string cursor_file;  // read at the start, written after each page
  std::optional<std::int64_t> limit;
  bool follow = false;
};
int show_events(Session& session, const EventSearch& search);

// -- webhooks.cc
struct WebhookAdd {
  std::string url;
  std::string form;
  std::string signature;
  std::vector<std::string> kinds;
  std::vector<std::string> tags;
  std::vector<std::string> domains;
  std::vector<std::string> purposes;
  bool insert_codes = false;
  bool single = false;
};
int webhook_list(Session& session);
int webhook_add(Session& session, const WebhookAdd& options);
int webhook_test(Session& session, const std::string& webhook);
int webhook_calls(Session& session, const std::string& webhook);
int webhook_remove(Session& session, const std::string& webhook);
// Failing or switched off, it is told again from where it stopped.
int webhook_enable(Session& session, const std::string& webhook);
int webhook_disable(Session& session, const std::string& webhook);
int webhook_rotate(Session& session, const std::string& webhook,
                   std::optional<std::int64_t> overlap_hours);
int webhook_set_aside(Session& session, const std::string& webhook);
struct WebhookReplay {
  std::string from;
  std::optional<std::int64_t> delivery;
  std::vector<std::string> events;
  bool set_aside = false;
};
int webhook_replay(Session& session, const std::string& webhook, const WebhookReplay& order);

// -- templates.cc
struct TemplateEdit {
  std::string name;
  MessageFields fields;  // from, subject, texts and escape
};
int list_templates(Session& session);
// `which`, here and below: its id or its name.
int show_template(Session& session, const std::string& which, std::optional<std::int64_t> version);
int add_template(Session& session, const TemplateEdit& edit);
// What is not given stays as it is.
int change_template(Session& session, const std::string& which, const TemplateEdit& edit);
int remove_template(Session& session, const std::string& which);

// -- caught.cc: what a place to try in has caught; of any account, what became of its mail.
// The newest `limit`.
int list_caught(Session& session, std::int64_t limit);
// `eml`: a file that the message goes to, "-": standard output; empty: it is shown.
int show_caught(Session& session, std::int64_t email, const std::string& eml);

// -- profiles.cc
// What --url, --account, --ca and --key-file say goes into the profile of this name, and nothing of
// the environment does. Without a name (empty) it is that of --profile, else the default one; two
// that differ are refused.
int profile_set(Session& session, const std::string& given);
int profile_list(Session& session);

}  // namespace todoku::cli
