// SPDX-License-Identifier: Apache-2.0
#include "api/changes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "api/api.h"
#include "base/log.h"
#include "base/utf8.h"
#include "http/json.h"

namespace todoku::api {
namespace {

namespace changes {

using enum http::Method;

struct Named {
  http::Method method;
  std::string_view pattern;
  std::string_view change;
};

constexpr std::array kNamed{
    Named{post, "/deliveries/transaction", "deliveries.send"},
    Named{post, "/deliveries/transaction/batch", "deliveries.send"},
    Named{post, "/deliveries/bulk/begin", "deliveries.begin"},
    Named{put, "/deliveries/bulk/update/{delivery_id}", "deliveries.change"},
    Named{patch, "/deliveries/bulk/commit/{delivery_id}", "deliveries.reserve"},
    Named{patch, "/deliveries/bulk/commit/{delivery_id}/immediate", "deliveries.send"},
    Named{patch, "/deliveries/bulk/commit/{delivery_id}/cancel", "deliveries.cancel"},
    Named{patch, "/deliveries/{delivery_id}/cancel", "deliveries.cancel"},
    Named{patch, "/deliveries/{delivery_id}/send_at", "deliveries.reserve"},
    Named{delete_, "/deliveries/{delivery_id}", "deliveries.remove"},
    Named{post, "/deliveries/{delivery_id}/pause", "deliveries.pause"},
    Named{patch, "/deliveries/{delivery_id}/pause", "deliveries.pause"},
    Named{post, "/deliveries/{delivery_id}/resume", "deliveries.resume"},
    Named{patch, "/deliveries/{delivery_id}/resume", "deliveries.resume"},
    Named{post, "/deliveries/{delivery_id}/stop", "deliveries.stop"},
    Named{patch, "/deliveries/{delivery_id}/stop", "deliveries.stop"},
    Named{put, "/deliveries/{delivery_id}/pace", "deliveries.pace"},
    Named{delete_, "/deliveries/{delivery_id}/pace", "deliveries.pace_removed"},
    Named{put, "/deliveries/{delivery_id}/quiet_hours", "deliveries.quiet_hours"},
    Named{delete_, "/deliveries/{delivery_id}/quiet_hours", "deliveries.quiet_hours_removed"},
    Named{post, "/deliveries/{delivery_id}/emails", "recipient.add"},
    Named{post, "/deliveries/{delivery_id}/emails/import", "recipient.import"},
    Named{post, "/deliveries/{delivery_id}/emails/stream", "recipient.import"},
    Named{delete_, "/deliveries/-/emails/import/{job_id}", "recipient.import_cancelled"},
    Named{put, "/deliveries/-/emails/{email_id}", "recipient.change"},
    Named{delete_, "/deliveries/-/emails/{email_id}", "recipient.remove"},
    Named{post, "/deliveries/{delivery_id}/recipients/export", "recipient.export"},
    Named{post, "/deliveries/{delivery_id}/analysis/report", "recipient.export"},
    Named{post, "/errors/list", "recipient.export"},
    Named{post, "/suppressions", "suppressions.add"},
    Named{post, "/suppressions/import", "suppressions.import"},
    Named{delete_, "/suppressions", "suppressions.release"},
    Named{post, "/templates", "template.add"},
    Named{patch, "/templates/{template}", "template.change"},
    Named{delete_, "/templates/{template}", "template.remove"},
    Named{post, "/webhooks", "webhook.add"},
    Named{patch, "/webhooks/{webhook}", "webhook.change"},
    Named{delete_, "/webhooks/{webhook}", "webhook.remove"},
    Named{post, "/webhooks/{webhook}/rotate", "webhook.rotate"},
    Named{post, "/webhooks/{webhook}/test", "webhook.test"},
    Named{post, "/webhooks/{webhook}/replay", "webhook.replay"},
    Named{post, "/domains", "domain.add"},
    Named{post, "/domains/{domain}/verify", "domain.verify"},
    Named{post, "/domains/{domain}/consent", "domain.consent"},
    Named{post, "/domains/{domain}/keys", "domain.keys"},
    Named{delete_, "/domains/{domain}", "domain.remove"},
    Named{post, "/reports", "domain.report"},
    Named{post, "/accounts", "account.add"},
    Named{patch, "/accounts/{account}", "account.change"},
    Named{post, "/accounts/{account}/keys", "key.add"},
    Named{delete_, "/accounts/{account}/keys/{id}", "key.revoke"},
    Named{post, "/accounts/{account}/keys/{id}/rotate", "key.rotate"},
    // These read, or are on record by themselves.
    Named{post, "/deliveries/{delivery_id}/approval/approve", ""},
    Named{post, "/deliveries/{delivery_id}/approval/send_back", ""},
    Named{post, "/deliveries/{delivery_id}/preflight", ""},
    Named{post, "/deliveries/{delivery_id}/preview", ""},
    Named{post, "/deliveries/-/preview", ""},
    Named{post, "/deliveries/{delivery_id}/lint", ""},
    Named{post, "/deliveries/-/lint", ""},
    Named{post, "/deliveries/-/emails/{email_id}/resend", ""},
    Named{post, "/events/ticket", ""},
    Named{delete_, "/personal-data", ""},
};

}  // namespace changes

// Answers of lists are long, and name nothing that was changed alone.
constexpr std::size_t kReadAnswerMax = std::size_t{64} * 1024;

store::PublicId id_in(std::string_view text) {
  store::PublicId id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size() ? id : 0;
}

void read_path(const http::Request& request, Changed& changed) {
  for (const auto& [name, value] : request.parameters.entries()) {
    if (name == "delivery_id") {
      changed.delivery = id_in(value);
    } else if (name == "email_id") {
      changed.email = id_in(value);
    } else if (name == "domain" || name == "webhook" || name == "template" || name == "job_id") {
      changed.name = value;
    }
  }
}

void read_answer(const boost::json::object& answer, Changed& changed) {
  const auto id = [&answer](std::string_view name, store::PublicId& taken) {
    const auto* const found = answer.if_contains(name);
    if (taken == 0 && found != nullptr && found->is_int64()) taken = found->get_int64();
  };
  id("delivery_id", changed.delivery);
  id("email_id", changed.email);
  const auto text = [&answer](std::string_view name, std::string& taken) {
    const auto* const found = answer.if_contains(name);
    if (taken.empty() && found != nullptr && found->is_string())
      taken = found->get_string().c_str();
  };
  text("email", changed.address);
  text("domain", changed.name);
  text("webhook", changed.name);
  store::PublicId made = 0;
  id("template_id", made);
  if (changed.name.empty() && made != 0) changed.name = std::to_string(made);
}

}  // namespace

std::string_view change_of(http::Method method, std::string_view pattern) {
  using changes::kNamed;
  using changes::Named;
  if (method == http::Method::get || method == http::Method::head) return {};
  const auto* const found = std::ranges::find_if(
      kNamed, [&](const Named& each) { return each.method == method && each.pattern == pattern; });
  return found == kNamed.end() ? kUnnamedChange : found->change;
}

Changed changed_by(const http::Request& request, std::string_view answer) {
  Changed changed;
  read_path(request, changed);
  const http::Query query = request.query_parameters();
  if (const auto* const email = query.find("email")) changed.address = email->value;
  if (answer.size() > kReadAnswerMax) return changed;
  http::JsonArena arena;
  const auto told = http::parse_json(answer, arena);
  if (told && told->is_object()) read_answer(told->get_object(), changed);
  return changed;
}

Task<void> note_change(Api& api, const Call& call, std::string_view change,
                       std::string_view answer) {
  Changed changed = changed_by(call.request, answer);
  const std::string action =
      changed.name.empty() ? std::string(change) : fmt::format("{}: {}", change, changed.name);
  store::AuditEntry entry{.actor = std::string(utf8_prefix(call.actor, store::kAuditTextMax)),
                          .action = std::string(utf8_prefix(action, store::kAuditTextMax)),
                          .account = call.account.key,
                          .delivery = changed.delivery,
                          .email = changed.email,
                          .origin = call.from.to_string()};
  const auto noted = co_await api.store().write(
      store::WritePriority::claims,
      [entry, address = std::move(changed.address)](store::WriteTransaction& writer) {
        return writer.add_audit(entry, address);
      });
  if (noted) co_return;
  log::error("a change could not be put into the audit", {{"actor", entry.actor},
                                                          {"action", entry.action},
                                                          {"account", call.account.name},
                                                          {"delivery", entry.delivery},
                                                          {"from", entry.origin},
                                                          {"reason", noted.error().detail}});
}

}  // namespace todoku::api
