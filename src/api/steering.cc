// SPDX-License-Identifier: Apache-2.0
// How a bulk is to go: not faster than so many mails a minute or an hour, and quiet at night. Not
// in the contract. It can be said at any time until the delivery is over.
#include <charconv>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "api/answers.h"
#include "api/api.h"
#include "api/approvals.h"
#include "api/form.h"
#include "api/members.h"
#include "api/steering_request.h"
#include "base/date_time.h"

namespace todoku::api {
namespace {

Task<http::Response> told(Api& api, Call& call, store::SteeringChange change) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  const auto done =
      co_await api.intake().say_how(call.account, call.asked_by(), *id, std::move(change));
  if (!done) co_return refused(done.error(), call.language);
  co_await warn_of_pace(api, call, *id);
  co_await warn_of_approval(api, call, *id);
  co_return id_response(200, "delivery_id", *id);
}

Task<http::Response> set_pace(Api& api, Call& call) {
  Form form;
  if (auto bad = co_await read_form(api, call, false, form); bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kPace);
  intake::Problems problems;
  const Pace pace = read_pace(Fields(form.object(), {}, problems));
  if (!problems.empty()) co_return invalid(problems, call.language);
  co_return co_await told(api, call, {.pace = std::optional(pace)});
}

Task<http::Response> remove_pace(Api& api, Call& call) {
  return told(api, call, {.pace = std::optional<Pace>()});
}

Task<http::Response> set_quiet_hours(Api& api, Call& call) {
  Form form;
  if (auto bad = co_await read_form(api, call, false, form); bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kQuietHours);
  intake::Problems problems;
  QuietHours hours = read_quiet_hours(Fields(form.object(), {}, problems));
  if (!problems.empty()) co_return invalid(problems, call.language);
  co_return co_await told(api, call, {.quiet = std::optional(std::move(hours))});
}

Task<http::Response> remove_quiet_hours(Api& api, Call& call) {
  return told(api, call, {.quiet = std::optional<QuietHours>()});
}

std::chrono::minutes read_time(const Fields& fields, std::string_view name) {
  const auto text = fields.text(name);
  if (!text) {
    if (!fields.is_given(name))
      fields.problems().add(fields.path_to(name), intake::texts::required());
    return {};
  }
  const auto time = parse_time_of_day(*text);
  if (!time) fields.problems().add(fields.path_to(name), intake::texts::invalid_format(*text));
  return time.value_or(std::chrono::minutes(0));
}

}  // namespace

Pace read_pace(const Fields& fields) {
  Pace pace;
  const auto mails = fields.scalar("mails");
  const std::string digits = mails.value_or("");
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), pace.mails);
  const bool is_number = read.ec == std::errc() && read.ptr == digits.data() + digits.size();
  if (!mails && !fields.is_given("mails")) {
    fields.problems().add(fields.path_to("mails"), intake::texts::required());
  } else if (mails && (!is_number || pace.mails < 1 || pace.mails > kPaceMailsMax)) {
    fields.problems().add(fields.path_to("mails"), intake::texts::not_in_range(1, kPaceMailsMax));
  }
  const std::string per = fields.text("per").value_or("");
  if (per == "hour") {
    pace.per = std::chrono::minutes(60);
  } else if (per.empty() && !fields.is_given("per")) {
    fields.problems().add(fields.path_to("per"), intake::texts::required());
  } else if (per != "minute") {
    fields.problems().add(fields.path_to("per"), intake::texts::not_one_of(per, "minute, hour"));
  }
  return pace;
}

QuietHours read_quiet_hours(const Fields& fields) {
  QuietHours hours{.from = read_time(fields, "from"),
                   .until = read_time(fields, "until"),
                   .zone = fields.text("time_zone").value_or("")};
  const bool times_given = fields.is_given("from") && fields.is_given("until");
  if (times_given && hours.from == hours.until) {
    fields.problems().add(fields.path_to("until"), intake::texts::ends_when_it_begins());
  }
  if (!fields.is_given("time_zone")) {
    fields.problems().add(fields.path_to("time_zone"), intake::texts::required());
  } else if (!is_time_zone(hours.zone)) {
    fields.problems().add(fields.path_to("time_zone"), intake::texts::unknown_zone(hours.zone));
  }
  return hours;
}

store::SteeringChange read_steering(const Fields& fields) {
  store::SteeringChange change;
  if (const auto pace = fields.fields("pace")) change.pace = read_pace(*pace);
  if (const auto quiet = fields.fields("quiet_hours")) change.quiet = read_quiet_hours(*quiet);
  return change;
}

std::string too_slow_warning(const std::optional<store::PaceTooSlow>& slow) {
  if (!slow) return {};
  return fmt::format("at this pace about {} mails are not begun before {}, when its life ends",
                     slow->late, format_date_time(slow->ends));
}

Task<void> warn_of_pace(Api& api, Call& call, store::PublicId id) {
  const auto slow = co_await api.store().read(
      [account = call.account.key, id, life = api.options().bulk_life,
       now = api.store().clock().now()](
          store::ReadTransaction& reader) -> Result<std::optional<store::PaceTooSlow>> {
        const auto delivery = reader.delivery_head(account, id);
        if (!delivery) return fail(delivery.error());
        const auto steering = reader.steering(delivery->key);
        if (!steering) return fail(steering.error());
        return store::pace_too_slow(*delivery, steering->rules, life, now);
      });
  // What was asked for is done, whatever can be read now.
  if (slow) add_warning(call, too_slow_warning(*slow));
}

void too_slow_member(http::JsonWriter& json, const std::optional<store::PaceTooSlow>& slow) {
  if (!slow) {
    json.null_member("expected_to_expire");
    return;
  }
  json.key("expected_to_expire");
  json.begin_object();
  json.member("mails", slow->late);
  date_or_null(json, "at", slow->ends);
  json.end_object();
}

void steering_members(http::JsonWriter& json, const store::Steering& steering,
                      const std::optional<store::SteeredPause>& pause) {
  if (const auto& pace = steering.rules.pace) {
    json.key("pace");
    json.begin_object();
    json.member("mails", pace->mails);
    json.member("per", unit_of(*pace));
    json.end_object();
  } else {
    json.null_member("pace");
  }
  if (const auto& quiet = steering.rules.quiet) {
    json.key("quiet_hours");
    json.begin_object();
    json.member("from", time_of_day(quiet->from));
    json.member("until", time_of_day(quiet->until));
    json.member("time_zone", quiet->zone);
    json.end_object();
  } else {
    json.null_member("quiet_hours");
  }
  if (!pause) {
    json.null_member("waits");
    return;
  }
  json.key("waits");
  json.begin_object();
  json.member("because", pause->why == store::SteeredWait::pace ? "pace" : "quiet_hours");
  date_or_null(json, "until", pause->until);
  json.end_object();
}

void add_steering_routes(Api& api, http::Router& router) {
  using enum http::Method;
  api.add(router, put, "/deliveries/{delivery_id}/pace", kSend, &set_pace);
  api.add(router, delete_, "/deliveries/{delivery_id}/pace", kSend, &remove_pace);
  api.add(router, put, "/deliveries/{delivery_id}/quiet_hours", kSend, &set_quiet_hours);
  api.add(router, delete_, "/deliveries/{delivery_id}/quiet_hours", kSend, &remove_quiet_hours);
}

}  // namespace todoku::api
