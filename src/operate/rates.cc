// SPDX-License-Identifier: Apache-2.0
#include "operate/rates.h"

#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "operate/operations.h"

namespace todoku::operate {
namespace {

using delivery::policy::ProtectionLevel;
using delivery::policy::ProtectionOverrides;
using delivery::policy::Rate;

constexpr std::int64_t kLinesMax = 1'000;
constexpr std::size_t kPercentShownMax = 64;  // octets of what was given

std::optional<double> percent(Rate rate, const OutcomeCounts& counts) {
  const auto share = rate_of(rate, counts);
  if (!share) return std::nullopt;
  return static_cast<double>(*share) / delivery::policy::kPerMillionOfPercent;
}

RateLine rate_line_of(const store::RateFound& found) {
  RateLine line{.scope = found.subject.scope,
                .name = found.subject.name,
                .level = {},
                .because = {},
                .since = std::nullopt,
                .counts = found.counts,
                .hard_bounces = percent(Rate::hard_bounces, found.counts),
                .unknown_users = percent(Rate::unknown_users, found.counts),
                .complaints = percent(Rate::complaints, found.counts)};
  line.level = to_string(found.state ? static_cast<ProtectionLevel>(found.state->level)
                                     : ProtectionLevel::calm);
  if (!found.state) return line;
  line.because = found.state->because;
  line.since = found.state->since;
  return line;
}

std::unexpected<Error> no_percent(std::string_view name, const std::string& given) {
  return fail(
      ErrorKind::invalid_input,
      fmt::format("{} is \"{}\", but must be a number from 0 to 100 (percent), or \"usual\"", name,
                  printable(utf8_prefix(given, kPercentShownMax))));
}

// "0.3" percent; "usual": as the installation.
Result<void> put_percent(std::string_view name, const std::optional<std::string>& given,
                         std::optional<delivery::policy::PerMillion>& limit) {
  if (!given) return {};
  const std::string text(trim(*given));
  if (text == "usual") {
    limit.reset();
    return {};
  }
  constexpr double kPercentMax = 100;
  double number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool sound = error == std::errc{} && rest == text.data() + text.size();
  if (!sound || !(number >= 0 && number <= kPercentMax)) return no_percent(name, *given);
  limit = std::llround(number * delivery::policy::kPerMillionOfPercent);
  return {};
}

Result<ProtectionOverrides> changed_limits(ProtectionOverrides limits,
                                           const RateLimitChange& change) {
  for (const auto& [name, given, limit] :
       {std::tuple("complaint_warn", &change.complaint_warn, &limits.complaints_warn),
        std::tuple("complaint_pause", &change.complaint_pause, &limits.complaints_pause),
        std::tuple("bounce_warn", &change.bounce_warn, &limits.bounces_warn),
        std::tuple("bounce_pause", &change.bounce_pause, &limits.bounces_pause)}) {
    if (auto put = put_percent(name, *given, *limit); !put) return fail(std::move(put.error()));
  }
  if (change.complaint_minimum) limits.complaints_minimum = *change.complaint_minimum;
  if (change.bounce_minimum) limits.bounces_minimum = *change.bounce_minimum;
  if (change.canary_recipients) limits.canary_recipients = *change.canary_recipients;
  if (change.canary_minutes) limits.canary_minutes = *change.canary_minutes;
  return limits;
}

Result<ProtectionOverrides> limits_kept(store::ReadTransaction& reader, store::AccountKey account) {
  const auto kept = reader.setting(store::rate_limits_setting(account));
  if (!kept) return fail(kept.error());
  return delivery::policy::unpack_overrides(kept->value_or(std::string()));
}

}  // namespace

Result<std::optional<Instant>> canary_until(store::ReadTransaction& reader,
                                            const store::Delivery& delivery, Instant now) {
  const bool goes_out =
      delivery.type == DeliveryType::bulk && delivery.status == DeliveryStatus::sending;
  if (!goes_out || !delivery.started) return std::nullopt;
  const auto own = limits_kept(reader, delivery.account);
  if (!own) return fail(own.error());
  const auto canary = canary_of(*own);
  if (!canary) return std::nullopt;
  const Instant until = *delivery.started + canary->lasts;
  return until > now ? std::optional(until) : std::nullopt;
}

Result<RateReport> read_rates(store::ReadTransaction& reader, store::AccountKey account,
                              store::PublicId delivery, std::int64_t hours, Instant now) {
  const store::RateHour hour = store::rate_hour(now);
  RateReport report{.hours = hours, .delivery = delivery, .lines = {}, .own_limits = {}};
  store::RateHour from = hour - hours + 1;
  store::RateQuestion question{
      .account = account, .delivery = std::nullopt, .from = from, .limit = kLinesMax};
  if (delivery != 0) {
    const auto head = reader.delivery_head(account, delivery);
    if (!head) return fail(head.error());
    question.delivery = head->key;
    from = 0;
    question.from = from;
  }
  const auto subjects = reader.rate_subjects(question);
  if (!subjects) return fail(subjects.error());
  const auto found = reader.rates(*subjects, from, hour);
  if (!found) return fail(found.error());
  for (const store::RateFound& each : *found) report.lines.push_back(rate_line_of(each));
  auto own = limits_kept(reader, account);
  if (!own) return fail(std::move(own.error()));
  report.own_limits = *own;
  return report;
}

Task<Result<RateReport>> Operations::rates(RatesRequest request) {
  auto found = co_await account(request.account);
  if (!found) co_return fail(std::move(found.error()));
  co_return co_await store_.read(
      [key = found->key, request, now = store_.clock().now()](store::ReadTransaction& reader) {
        return read_rates(reader, key, request.delivery, request.hours, now);
      });
}

Task<Result<ProtectionOverrides>> Operations::limit_rates(std::string account_name,
                                                          RateLimitChange change) {
  auto found = co_await account(account_name);
  if (!found) co_return fail(std::move(found.error()));
  co_return co_await store_.write(
      store::WritePriority::accept,
      [key = found->key, change](store::WriteTransaction& writer) -> Result<ProtectionOverrides> {
        const auto kept = limits_kept(writer.read(), key);
        if (!kept) return kept;
        auto limits = changed_limits(*kept, change);
        if (!limits) return limits;
        auto put = writer.put_setting(store::rate_limits_setting(key), pack(*limits));
        if (!put) return fail(std::move(put.error()));
        return limits;
      });
}

}  // namespace todoku::operate
