// SPDX-License-Identifier: Apache-2.0
#include "doctor/preflight_authentication.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "doctor/key_answer.h"
#include "doctor/null_mx.h"
#include "doctor/preflight_texts.h"
#include "doctor/reason_words.h"

namespace todoku::doctor {
namespace {

namespace dkim = mailauth::dkim;
namespace dmarc = mailauth::dmarc;
namespace spf = mailauth::spf;
using mailauth::DnsFact;
using mailauth::DnsFacts;
using mailauth::FactType;

constexpr int kWantedKeyBits = 2'048;  // RFC 8301 section 3.2: signers SHOULD

// Whose addresses are other people's mailboxes.
constexpr std::array<std::string_view, 22> kFreemail{
    "gmail.com",      "googlemail.com", "yahoo.com",     "yahoo.co.jp",   "ymail.ne.jp", "aol.com",
    "outlook.com",    "outlook.jp",     "hotmail.com",   "hotmail.co.jp", "live.com",    "live.jp",
    "msn.com",        "icloud.com",     "me.com",        "docomo.ne.jp",  "ezweb.ne.jp", "au.com",
    "softbank.ne.jp", "i.softbank.jp",  "ymobile.ne.jp", "rakumail.jp"};

dmarc::Check dmarc_check_of(const SpfOfSource& of) {
  // From an address that nobody knows, SPF may pass.
  if (of.address.empty()) return dmarc::Check::temperror;
  switch (of.of_return_path.result) {
    case spf::SpfResult::pass:
      return dmarc::Check::pass;
    case spf::SpfResult::temperror:
      return dmarc::Check::temperror;
    default:
      return dmarc::Check::fail;
  }
}

dmarc::Check dmarc_check_of(dkim::Verdict verdict) {
  if (verdict == dkim::Verdict::pass) return dmarc::Check::pass;
  return verdict == dkim::Verdict::temperror ? dmarc::Check::temperror : dmarc::Check::fail;
}

int badness_of(dmarc::Result result) {
  switch (result) {
    case dmarc::Result::pass:
      return 0;
    case dmarc::Result::temperror:
      return 1;
    case dmarc::Result::none:
      return 2;
    case dmarc::Result::fail:
      return 3;
    case dmarc::Result::permerror:
      return 4;
  }
  return 0;
}

BilingualText words_of(const spf::Verdict& verdict) {
  const std::string_view result = spf::to_string(verdict.result);
  const std::string& detail = verdict.problem.empty() ? verdict.mechanism : verdict.problem;
  if (detail.empty()) return {std::string(result), std::string(result)};
  return {fmt::format("{} ({})", result, detail),
          fmt::format("{}（{}）", result, reason_in_japanese(detail))};
}

// Findings that are the same of several samples or sources are told once.
class Told {
 public:
  void add(std::string_view code, const PreflightFacts& facts, std::string found = {}) {
    Finding finding = preflight_finding(code, facts);
    const auto same = std::ranges::find_if(findings_, [&](const Finding& each) {
      return each.code == finding.code && each.sentence.en == finding.sentence.en;
    });
    if (same != findings_.end()) return;
    finding.found = shown(found);
    findings_.push_back(std::move(finding));
  }
  [[nodiscard]] std::vector<Finding> take() { return std::move(findings_); }

 private:
  std::vector<Finding> findings_;
};

void tell_key(const CheckedSignature& one, Told& told) {
  const dkim::SignatureResult& result = one.result;
  told.add("signature_passes", {.subject = result.domain, .first = result.selector});
  if (result.testing) {
    told.add("signature_key_is_tried", {.subject = result.domain, .first = result.selector});
  }
  if (result.algorithm == dkim::KeyAlgorithm::rsa && result.key_bits < kWantedKeyBits) {
    told.add("signature_key_short", {.subject = result.domain,
                                     .first = result.selector,
                                     .second = fmt::format("{}", result.key_bits)});
  }
}

void tell_signatures(const SampleMail& sample, const std::vector<CheckedSignature>& signatures,
                     std::string_view from, Told& told) {
  if (signatures.empty()) {
    told.add("signature_missing", {.subject = std::string(from)}, sample.recipient);
    return;
  }
  const bool one_passes = std::ranges::any_of(
      signatures, [](const auto& one) { return one.result.verdict == dkim::Verdict::pass; });
  const bool one_is_open = std::ranges::any_of(
      signatures, [](const auto& one) { return one.result.verdict == dkim::Verdict::temperror; });
  for (const CheckedSignature& one : signatures) {
    const dkim::SignatureResult& result = one.result;
    if (result.verdict == dkim::Verdict::pass) {
      tell_key(one, told);
      continue;
    }
    const PreflightFacts facts{
        .subject = result.domain,
        .first = result.selector,
        .second = fmt::format("{}: {}", dkim::to_string(result.verdict), result.reason)};
    const std::string where = fmt::format("{}._domainkey.{}", result.selector, result.domain);
    if (result.verdict == dkim::Verdict::temperror) {
      told.add("signature_undetermined", facts, where);
    } else if (one_passes || one_is_open) {
      told.add("signature_of_two_fails", facts, where);
    } else {
      told.add("signature_fails", facts, where);
    }
  }
}

PreflightFacts facts_of(const spf::Verdict& verdict, const std::string& who) {
  BilingualText words = words_of(verdict);
  return {.subject = verdict.domain,
          .first = who,
          .second = std::move(words.en),
          .second_ja = std::move(words.ja)};
}

void tell_spf(std::span<const SpfOfSource> sources, Told& told) {
  std::map<std::string, std::vector<std::string>> passed;  // by return path
  for (const SpfOfSource& of : sources) {
    if (of.address.empty()) {
      told.add("source_unseen", {.subject = of.source});
      continue;
    }
    const std::string who = fmt::format("{} ({})", of.address, of.source);
    const spf::Verdict& verdict = of.of_return_path;
    const PreflightFacts facts = facts_of(verdict, who);
    if (verdict.result == spf::SpfResult::pass) {
      passed[verdict.domain].push_back(who);
    } else if (verdict.result == spf::SpfResult::temperror) {
      told.add("spf_open", facts);
    } else {
      told.add("spf_fails", facts, verdict.explanation);
    }
    if (!of.of_from || of.of_from->result == spf::SpfResult::pass) continue;
    const PreflightFacts of_from = facts_of(*of.of_from, who);
    told.add(of.of_from->result == spf::SpfResult::temperror ? "spf_open" : "spf_of_from_fails",
             of_from);
  }
  for (const auto& [path, who] : passed) {
    told.add("spf_passes", {.subject = path, .first = fmt::format("{}", fmt::join(who, ", "))});
  }
}

void tell_dmarc(const dmarc::Verdict& verdict, Told& told) {
  const dmarc::Answer& answer = verdict.by_walk;
  const std::string& author = verdict.author_domain;
  switch (answer.result) {
    case dmarc::Result::pass: {
      const std::string_view by = !answer.dkim_aligned  ? "SPF"
                                  : !answer.spf_aligned ? "DKIM"
                                                        : "SPF, DKIM";
      told.add("dmarc_passes", {.subject = author, .first = std::string(by)});
      break;
    }
    case dmarc::Result::fail:
      told.add("dmarc_fails",
               {.subject = author, .first = fmt::format("p={}", dmarc::to_string(answer.policy))});
      break;
    case dmarc::Result::none:
      told.add("dmarc_missing", {.subject = author});
      break;
    case dmarc::Result::permerror:
      told.add("dmarc_broken", {.subject = author, .first = answer.reason});
      break;
    case dmarc::Result::temperror:
      told.add("dmarc_open", {.subject = author, .first = answer.reason});
      return;
  }
  if (verdict.by_list.result != answer.result &&
      verdict.by_list.result != dmarc::Result::temperror) {
    told.add("dmarc_ways_differ",
             {.subject = author,
              .first = std::string(dmarc::to_string(answer.result)),
              .second = std::string(dmarc::to_string(verdict.by_list.result))});
  }
}

void tell_from(const Authentication& checked, Told& told) {
  if (checked.author_domains.size() != 1) return;  // the header's matter
  const std::string& domain = checked.author_domains.front();
  if (std::ranges::find(kFreemail, domain) != kFreemail.end()) {
    told.add("from_is_freemail", {.subject = domain});
  }
  switch (checked.from_host.state) {
    case HostState::there:
      told.add("from_is_there", {.subject = domain});
      break;
    case HostState::nowhere:
      told.add("from_is_nowhere", {.subject = domain});
      break;
    case HostState::null_mx:
      told.add("from_takes_no_mail", {.subject = domain});
      break;
    case HostState::open:
      told.add("from_is_open", {.subject = domain, .first = checked.from_host.reason});
      break;
  }
}

}  // namespace

std::vector<std::vector<CheckedSignature>> check_signatures(std::span<const SampleMail> samples,
                                                            Instant now, DnsFacts& facts) {
  bool all_known = true;
  for (const SampleMail& sample : samples) {
    const dkim::MessageView view = dkim::split_message(sample.octets);
    for (const dkim::Signature& signature : dkim::parse_signatures(view)) {
      if (signature.problem) continue;
      all_known = facts.ask(FactType::txt, signature.lookup_name()).is_known() && all_known;
    }
  }
  std::vector<std::vector<CheckedSignature>> checked;
  if (!all_known) return checked;
  for (const SampleMail& sample : samples) {
    const dkim::MessageView view = dkim::split_message(sample.octets);
    std::vector<CheckedSignature> its;
    for (const dkim::Signature& signature : dkim::parse_signatures(view)) {
      dkim::KeyAnswer key = dkim::KeyAnswer::absent();
      if (!signature.problem)
        key = key_answer_of(facts.ask(FactType::txt, signature.lookup_name()));
      its.push_back({.result = dkim::verify(view, signature, key, {.now = now}),
                     .signed_names = signature.signed_names});
    }
    checked.push_back(std::move(its));
  }
  return checked;
}

std::vector<SpfOfSource> check_sources(const SpfWish& wish, DnsFacts& facts) {
  std::vector<SpfOfSource> all;
  for (const SourceIdentity& source : wish.sources) {
    const std::size_t before = all.size();
    for (const SourceAddress& address : source.addresses) {
      if (!address.is_public) continue;
      spf::Query query{
          .ip = address.octets, .mail_from = wish.mail_from, .helo = source.hello, .now = wish.now};
      SpfOfSource of{.source = source.name,
                     .address = address.text,
                     .of_return_path = spf::check_host(query, facts),
                     .of_from = std::nullopt};
      if (!wish.from_domain.empty()) {
        query.mail_from = "postmaster@" + wish.from_domain;
        of.of_from = spf::check_host(query, facts);
      }
      all.push_back(std::move(of));
    }
    if (all.size() > before) continue;
    SpfOfSource unseen{.source = source.name, .address = {}, .of_return_path = {}, .of_from = {}};
    unseen.of_return_path.domain = wish.mail_from.substr(wish.mail_from.rfind('@') + 1);
    all.push_back(std::move(unseen));
  }
  return all;
}

FromHost check_from_host(const std::string& domain, DnsFacts& facts) {
  FromHost host{.state = HostState::nowhere, .reason = {}};
  for (const FactType type : {FactType::mx, FactType::a, FactType::aaaa}) {
    const DnsFact& fact = facts.ask(type, domain);
    switch (fact.status) {
      case DnsFact::Status::found:
        return {.state = type == FactType::mx && is_null_mx(fact) ? HostState::null_mx
                                                                  : HostState::there,
                .reason = {}};
      case DnsFact::Status::empty:
        break;
      case DnsFact::Status::absent:
        return {.state = HostState::nowhere, .reason = {}};
      case DnsFact::Status::unknown:
        return {.state = HostState::open, .reason = {}};
      case DnsFact::Status::failed:
        host = {.state = HostState::open, .reason = fact.reason};
        break;
    }
  }
  return host;
}

dmarc::Verdict judge_author(const AuthorWish& wish, DnsFacts& facts) {
  static const std::vector<CheckedSignature> kUnsigned;
  std::vector<const std::vector<CheckedSignature>*> samples;
  for (const auto& each : wish.signatures) samples.push_back(&each);
  if (samples.empty()) samples.push_back(&kUnsigned);
  std::optional<dmarc::Verdict> worst;
  const auto judge = [&](const std::vector<CheckedSignature>& signatures,
                         const dmarc::Identifier& sender) {
    dmarc::Query query{.author_domains = wish.author_domains, .from_fault = {}, .spf = sender};
    if (query.author_domains.empty()) query.from_fault = "From cannot be read";
    for (const CheckedSignature& one : signatures) {
      query.dkim.push_back(
          {.check = dmarc_check_of(one.result.verdict), .domain = one.result.domain});
    }
    dmarc::Verdict verdict = dmarc::evaluate(query, wish.registered_domain, facts);
    if (!worst || badness_of(verdict.by_walk.result) > badness_of(worst->by_walk.result)) {
      worst = std::move(verdict);
    }
  };
  for (const auto* signatures : samples) {
    if (wish.sources.empty()) judge(*signatures, {.check = dmarc::Check::temperror, .domain = {}});
    for (const SpfOfSource& of : wish.sources) {
      judge(*signatures, {.check = dmarc_check_of(of), .domain = of.of_return_path.domain});
    }
  }
  return *worst;
}

std::vector<Finding> authentication_findings(std::span<const SampleMail> samples,
                                             const Authentication& checked) {
  Told told;
  const std::string from = checked.author_domains.size() == 1 ? checked.author_domains.front() : "";
  for (std::size_t i = 0; i < samples.size() && i < checked.signatures.size(); ++i) {
    tell_signatures(samples[i], checked.signatures[i], from, told);
  }
  // Of a list without recipients there is no message, and no return path.
  if (!samples.empty()) {
    tell_spf(checked.sources, told);
    tell_dmarc(checked.dmarc, told);
  }
  tell_from(checked, told);
  return told.take();
}

}  // namespace todoku::doctor
