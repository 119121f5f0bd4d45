// SPDX-License-Identifier: Apache-2.0
#include "doctor/domain_check.h"

#include <algorithm>
#include <ranges>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "doctor/domain_checks.h"
#include "doctor/domain_texts.h"
#include "doctor/spf_merge.h"
#include "doctor/spf_whole.h"
#include "mailauth/dkim/dns_record.h"

namespace todoku::doctor {

using mailauth::DnsFact;
using mailauth::DnsQuestion;
using mailauth::FactType;

std::string doubled_name(std::string_view name, std::string_view zone) {
  return fmt::format("{}.{}", name, zone);
}

std::string name_without_underscores(std::string_view name) {
  std::string plain(name);
  std::erase(plain, '_');
  return plain;
}

bool is_quoted(std::string_view text) {
  return text.find_first_of("\"\\") != std::string_view::npos;
}

std::string text_entry(std::string_view name, std::string_view text) {
  return mailauth::dkim::zone_file_entry(name, text);
}

std::string all_of(const std::vector<std::string>& texts) {
  constexpr std::size_t kTextsMax = 4;
  const std::size_t count = std::min(texts.size(), kTextsMax);
  return shown(
      fmt::format("{}", fmt::join(texts.begin(), texts.begin() + static_cast<long>(count), " | ")));
}

void note_negative_cache(std::string_view name, ZoneReading& zone, std::vector<Finding>& findings) {
  if (!zone.has_texts(name)) return;
  // A resolver is asked only for what is there: asked before, it would remember that it is not.
  const DnsFact fetched = zone.facts().ask(FactType::txt, name);
  if (fetched.status == DnsFact::Status::failed) {
    // Of one resolver it is one thing to know, however many names it fails on.
    if (std::ranges::find(findings, "lookup_undetermined", &Finding::code) != findings.end())
      return;
    findings.push_back(domain_finding(
        "lookup_undetermined",
        {.subject = std::string(name), .first = fetched.reason, .first_ja = fetched.reason_ja}));
    return;
  }
  if (!fetched.is_void()) return;
  findings.push_back(domain_finding(
      "negative_cached",
      {.subject = std::string(name), .first = fmt::format("{}", zone.negative_ttl())}));
}

std::vector<DnsQuestion> zone_questions(const DomainWish& wish, std::string_view zone) {
  std::set<DnsQuestion> questions;
  const auto ask = [&](FactType type, std::string_view name) {
    questions.insert({.type = type, .name = to_ascii_lower(name)});
  };
  const auto ask_texts = [&](std::string_view name) {
    ask(FactType::txt, name);
    ask(FactType::txt, doubled_name(name, zone));
    if (name.find('_') != std::string_view::npos) {
      ask(FactType::txt, name_without_underscores(name));
    }
  };
  const auto ask_hosts = [&](std::string_view name) {
    for (const FactType type : {FactType::mx, FactType::a, FactType::aaaa}) ask(type, name);
  };
  for (const DomainKey& key : wish.keys) ask_texts(wish.key_name(key));
  if (!wish.proof_name.empty()) ask(FactType::txt, wish.proof_name);
  ask_texts(wish.domain);
  ask_hosts(wish.domain);
  ask_texts("_dmarc." + wish.domain);
  if (wish.return_path_is_here()) {
    ask_texts(wish.platform.return_path);
    ask_hosts(wish.platform.return_path);
  }
  if (wish.mail_host_is_here()) {
    for (const FactType type : {FactType::a, FactType::aaaa}) ask(type, wish.platform.mail_host);
  }
  ask(FactType::txt, "_mta-sts." + wish.domain);
  ask(FactType::txt, "_smtp._tls." + wish.domain);
  return {questions.begin(), questions.end()};
}

std::vector<DnsQuestion> host_questions(const DomainWish& wish, const ZoneView& view) {
  mailauth::DnsFacts nobody;
  const ZoneReading zone(view, nobody);
  const auto asked = zone_questions(wish, view.zone);
  std::set<DnsQuestion> questions;
  for (const std::string& name : {wish.domain, wish.platform.return_path}) {
    const mailauth::ServerAnswer* const mx = zone.told(FactType::mx, name);
    if (mx == nullptr) continue;
    for (const std::string& host : mx->values | std::views::take(kMxHostsMax)) {
      if (host.empty() || !is_at_or_below(host, view.zone)) continue;
      for (const FactType type : {FactType::a, FactType::aaaa}) {
        questions.insert({.type = type, .name = to_ascii_lower(host)});
      }
    }
  }
  for (const DnsQuestion& question : asked) questions.erase(question);
  return {questions.begin(), questions.end()};
}

namespace {

void note_spf_fault(const DomainWish& wish, const std::string& domain,
                    const std::vector<std::string>& texts, std::string_view end, ZoneReading& zone,
                    ZoneNow& now) {
  const auto merged = merge_spf(texts, spf_mechanisms(wish.platform), end);
  if (!merged) return;
  std::string fault = fault_if_put(wish, domain, merged->text, zone);
  if (!fault.empty()) now.spf_faults[domain] = std::move(fault);
}

}  // namespace

ZoneNow zone_now(const DomainWish& wish, const ZoneView& view, mailauth::DnsFacts& facts) {
  ZoneReading zone(view, facts);
  const auto texts = [&](const std::string& name) { return zone.fact(FactType::txt, name).values; };
  const auto has = [&](FactType type, const std::string& name) {
    const DnsFact fact = zone.fact(type, name);
    return fact.status == DnsFact::Status::found &&
           std::ranges::any_of(fact.values,
                               [](const std::string& value) { return !value.empty(); });
  };
  ZoneNow now;
  now.texts = texts(wish.domain);
  now.dmarc_texts = texts("_dmarc." + wish.domain);
  now.tls_rpt_texts = texts("_smtp._tls." + wish.domain);
  for (const DomainKey& key : wish.keys) {
    now.other_texts[wish.key_name(key)] = texts(wish.key_name(key));
    const auto* const told = zone.told(FactType::txt, wish.key_name(key));
    if (told != nullptr && !told->alias.empty()) now.aliases[wish.key_name(key)] = told->alias;
  }
  if (!wish.proof_name.empty()) now.other_texts[wish.proof_name] = texts(wish.proof_name);
  now.mta_sts_texts = texts("_mta-sts." + wish.domain);
  now.has_mx = has(FactType::mx, wish.domain);
  now.has_address = has(FactType::a, wish.domain) || has(FactType::aaaa, wish.domain);
  if (wish.mail_host_is_here()) {
    now.mail_host_has_address =
        has(FactType::a, wish.platform.mail_host) || has(FactType::aaaa, wish.platform.mail_host);
  }
  if (wish.return_path_is_here()) {
    now.return_path_texts = texts(wish.platform.return_path);
    now.return_path_has_mx = has(FactType::mx, wish.platform.return_path);
  }
  note_spf_fault(wish, wish.domain, now.texts, kFromSpfEnd, zone, now);
  if (wish.return_path_is_here() && wish.platform.return_path != wish.domain) {
    note_spf_fault(wish, wish.platform.return_path, now.return_path_texts, kReturnPathSpfEnd, zone,
                   now);
  }
  return now;
}

std::vector<Finding> check_domain(const DomainWish& wish, const ZoneView& view,
                                  mailauth::DnsFacts& facts) {
  std::vector<Finding> findings;
  if (!check_servers(wish, view, findings)) return findings;
  ZoneReading zone(view, facts);
  check_keys(wish, view, zone, findings);
  check_senders(wish, view, zone, findings);
  check_hosts(wish, zone, findings);
  check_policy(wish, view, zone, findings);
  check_transport(wish, zone, findings);
  return findings;
}

}  // namespace todoku::doctor
