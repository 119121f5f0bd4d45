// SPDX-License-Identifier: Apache-2.0
#include "doctor/spf_whole.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "doctor/finding.h"
#include "doctor/reason_words.h"
#include "doctor/spf_merge.h"

namespace todoku::doctor {

namespace spf = mailauth::spf;

namespace {

spf::Query query_of_nobody(const DomainWish& wish, const std::string& domain) {
  return {.ip = std::string(4, '\0'),
          .mail_from = "postmaster@" + domain,
          .helo = wish.platform.mail_host};
}

}  // namespace

std::optional<spf::Verdict> verdict_on_nobody(const DomainWish& wish, const std::string& domain,
                                              ZoneReading& zone) {
  const spf::Query query = query_of_nobody(wish, domain);
  return zone.evaluate(
      [&query](mailauth::DnsFacts& facts) { return spf::check_host(query, facts); });
}

// The count stops at the limit; what was wrong is in the words of mailauth/spf.
bool is_past_limit(const spf::Verdict& verdict) {
  return verdict.result == spf::SpfResult::permerror &&
         verdict.problem.find("terms that ask the DNS") != std::string::npos;
}

bool is_loop(const spf::Verdict& verdict) {
  return verdict.result == spf::SpfResult::permerror && verdict.problem.ends_with(" is a loop");
}

std::vector<std::string> open_terms(const spf::Record& record) {
  // The registries hand out nothing that wide: IPv4 by /8, IPv6 by /12 to themselves and by /16 at
  // most to others.
  constexpr unsigned kIp4BitsLeast = 8;
  constexpr unsigned kIp6BitsLeast = 16;
  std::vector<std::string> terms;
  for (const spf::Mechanism& each : record.mechanisms) {
    if (terms.size() == kSpfTermsNamedMax) break;
    const bool is_wide = each.kind == spf::MechanismKind::all || each.ip4_bits < kIp4BitsLeast ||
                         each.ip6_bits < kIp6BitsLeast;
    if (is_wide && each.qualifier == spf::Qualifier::pass) terms.push_back(shown(each.text));
  }
  return terms;
}

std::string fault_of_all(std::string_view record, const spf::Verdict& on_nobody) {
  if (on_nobody.result != spf::SpfResult::permerror) return {};
  const bool is_of_all =
      is_past_limit(on_nobody) || is_loop(on_nobody) || record.find("%{") == std::string_view::npos;
  return is_of_all ? on_nobody.problem : std::string();
}

std::string fault_if_put(const DomainWish& wish, const std::string& domain,
                         const std::string& record, ZoneReading& zone) {
  const spf::Query query = query_of_nobody(wish, domain);
  const auto verdict = zone.evaluate_with(domain, record, [&query](mailauth::DnsFacts& facts) {
    return spf::check_host(query, facts);
  });
  return verdict ? fault_of_all(record, *verdict) : std::string();
}

BilingualText no_room_text(std::string_view fault) {
  const std::string why = shown(fault);
  const std::string in_japanese = reason_in_japanese(fault);
  return {.en = fmt::format(
              "With these senders in it the SPF record would count for nothing: {}. First mend "
              "that, or take out an `include:` of a service that no longer sends, or put addresses "
              "in its place.",
              why),
          .ja = fmt::format(
              "この送信元を加えると SPF レコード全体が無効になります（{}）。先にその箇所を直すか、"
              "使っていないサービスの `include:` を外すか、IP アドレスの指定に置き換えてください。",
              in_japanese.empty() ? why : shown(in_japanese))};
}

BilingualText counts_for_nothing_text(std::string_view fault) {
  const std::string why = shown(fault);
  const std::string in_japanese = reason_in_japanese(fault);
  return {.en = fmt::format("As it stands the SPF record counts for nothing: {}", why),
          .ja = fmt::format("このままでは SPF レコード全体が無効です: {}",
                            in_japanese.empty() ? why : shown(in_japanese))};
}

BilingualText lets_all_send_text(const std::vector<std::string>& terms) {
  const std::string named = fmt::format("{}", fmt::join(terms, ", "));
  return {.en = fmt::format("The SPF record lets nearly everybody send as this domain: {}. Take "
                            "that out, and end the record with ~all or -all.",
                            named),
          .ja = fmt::format("SPF レコードがほぼすべての送信元を許可しています（{}）。これを外し、"
                            "末尾を ~all か -all にしてください。",
                            named)};
}

}  // namespace todoku::doctor
