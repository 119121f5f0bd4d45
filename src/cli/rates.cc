// SPDX-License-Identifier: Apache-2.0
// todoku rates show, todoku rates limit
#include <string>
#include <string_view>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/printable.h"
#include "cli/commands.h"
#include "cli/printable_stream.h"
#include "operate/calls/calls.h"

namespace todoku::cli {

namespace calls = operate::calls;

namespace {

// "12.24 %", or the sentence where it is null.
std::string percent_or(const boost::json::value& line, std::string_view name,
                       const std::string& otherwise) {
  const boost::json::value* const number = line.as_object().if_contains(name);
  if (number == nullptr || !number->is_number()) return otherwise;
  return fmt::format("{:.2f} %", number->to_number<double>());
}

std::string subject_of(Session& session, const boost::json::value& line) {
  const std::string scope = text_of(line, "scope");
  const std::string name = printable(text_of(line, "name"));
  if (scope == "account") return session.words({"account", "アカウント"});
  if (scope == "delivery") return session.words({"delivery", "配信"});
  if (scope == "sender_domain") return session.words({"from {}", "送信元 {}"}, name);
  return session.words({"to {}", "宛先 {}"}, name);
}

std::string level_of(Session& session, const boost::json::value& line) {
  const std::string level = text_of(line, "level");
  if (level == "paused") return session.words({"HELD BACK", "停止中"});
  if (level == "warned") return session.words({"warned", "警告"});
  return session.words({"calm", "正常"});
}

void show_line(Session& session, const boost::json::value& line) {
  const std::string unknown = session.words({"not measurable", "測定不能"});
  session.out() << fmt::format("{:<32} {:<10}", subject_of(session, line), level_of(session, line))
                << session.words({"  hard bounces {} of {}: {}", "  ハードバウンス {}/{}: {}"},
                                 number_of(line, "hard_bounces"), number_of(line, "answered"),
                                 percent_or(line, "hard_bounce_percent", unknown))
                << session.words({"; complaints {} of {}: {}", "、苦情 {}/{}: {}"},
                                 number_of(line, "complaints"),
                                 number_of(line, "complaints_measured_by"),
                                 percent_or(line, "complaint_percent", unknown))
                << '\n';
  const std::string because = text_of(line, "because");
  if (!because.empty()) session.out() << "    " << printable(because) << '\n';
}

}  // namespace

int rates_show(Session& session, const RatesWish& wish) {
  operate::Given given = operate::Given(calls::kRates).with("account", wish.account);
  if (wish.delivery) given.with("delivery_id", *wish.delivery);
  if (wish.hours) given.with("hours", *wish.hours);
  return session.ask_for(given, [&](const boost::json::value& report) {
    if (session.common().json) {
      session.out() << printable_json(boost::json::serialize(report)) << '\n';
      return;
    }
    const auto& lines = list_of(report, "rates");
    if (lines.empty()) {
      session.say({"No bulk mail was answered in this time.",
                   "この時間に応答のあった一斉配信のメールはありません。"});
    }
    for (const auto& line : lines) show_line(session, line);
  });
}

int rates_limit(Session& session, const RateLimitsWish& wish) {
  operate::Given given = operate::Given(calls::kLimitRates).with("account", wish.account);
  const auto text = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) given.with(name, value);
  };
  text("complaint_warn", wish.complaint_warn);
  text("complaint_pause", wish.complaint_pause);
  text("bounce_warn", wish.bounce_warn);
  text("bounce_pause", wish.bounce_pause);
  if (wish.complaint_minimum) given.with("complaint_minimum", *wish.complaint_minimum);
  if (wish.bounce_minimum) given.with("bounce_minimum", *wish.bounce_minimum);
  if (wish.canary_recipients) given.with("canary_recipients", *wish.canary_recipients);
  if (wish.canary_minutes) given.with("canary_minutes", *wish.canary_minutes);
  return session.ask_for(given, [&](const boost::json::value& limits) {
    if (session.common().json) {
      session.out() << printable_json(boost::json::serialize(limits)) << '\n';
      return;
    }
    for (const auto& [name, value] : limits.as_object()) {
      session.out() << fmt::format("{:<24} {}\n", std::string_view(name),
                                   value.is_null()
                                       ? session.words({"as the installation", "全体の設定どおり"})
                                       : boost::json::serialize(value));
    }
  });
}

}  // namespace todoku::cli
