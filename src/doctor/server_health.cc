// SPDX-License-Identifier: Apache-2.0
#include "doctor/server_health.h"

#include <utility>

#include <fmt/format.h>

namespace todoku::doctor {
namespace {

constexpr std::string_view kServer = "server";

Finding server_finding(std::string_view code, Outcome outcome, BilingualText sentence,
                       Sentence why = {}) {
  return {.code = code,
          .outcome = outcome,
          .subject = std::string(kServer),
          .minded_by = {},
          .sentence = std::move(sentence),
          .why = why,
          .found = "",
          .expected = "",
          .paste = ""};
}

Finding certificate_finding(const CertificateFact& fact, Instant now) {
  constexpr Sentence kRefused{"clients refuse the connection", "クライアントが接続を拒否する"};
  if (!fact.problem.empty()) {
    Finding bad = server_finding("certificate_unusable", Outcome::fail,
                                 {fmt::format("the certificate of {} cannot be used", fact.key),
                                  fmt::format("{} の証明書が使えない", fact.key)},
                                 kRefused);
    bad.found = shown(fact.problem);
    return bad;
  }
  const auto days = std::chrono::floor<std::chrono::days>(fact.valid_until - now).count();
  if (now < fact.valid_from) {
    return server_finding("certificate_not_yet", Outcome::fail,
                          {fmt::format("the certificate of {} is not valid yet", fact.key),
                           fmt::format("{} の証明書はまだ有効になっていない", fact.key)},
                          kRefused);
  }
  if (now >= fact.valid_until) {
    return server_finding("certificate_expired", Outcome::fail,
                          {fmt::format("the certificate of {} has expired", fact.key),
                           fmt::format("{} の証明書は期限切れ", fact.key)},
                          kRefused);
  }
  if (fact.valid_until - now < kCertificateEndsSoon) {
    return server_finding(
        "certificate_ends_soon", Outcome::warning,
        {fmt::format("the certificate of {} ends in {} days", fact.key, days),
         fmt::format("{} の証明書はあと {} 日で切れる", fact.key, days)},
        {"it was not renewed when it should have been", "更新されるべき時期に更新されていない"});
  }
  return server_finding("certificate_valid", Outcome::pass,
                        {fmt::format("the certificate of {} is valid for {} days", fact.key, days),
                         fmt::format("{} の証明書はあと {} 日有効", fact.key, days)});
}

Finding clock_finding(const ClockFact& fact) {
  if (!fact.is_synchronised) {
    return server_finding(
        "clock_unknown", Outcome::not_determined,
        {"whether the clock is right is not known", "時計が合っているか分からない"},
        {"the system does not tell whether it is synchronised",
         "同期しているかをシステムが示さない"});
  }
  if (*fact.is_synchronised) {
    return server_finding("clock_synchronised", Outcome::pass,
                          {"the clock is synchronised", "時計は同期している"});
  }
  Finding bad = server_finding(
      "clock_drifts", Outcome::warning, {"the clock is not synchronised", "時計が同期していない"},
      {"signatures and certificates go by it, and receivers distrust mail from the future",
       "署名や証明書は時計に依存し、未来の日付のメールは受信側に疑われる"});
  bad.advice = {"install chrony, or start it", "chrony を導入し、起動する"};
  return bad;
}

Finding resolver_finding(const ResolverFact& fact) {
  switch (fact.state) {
    case ResolverFact::State::honest:
      return server_finding(
          "dns_honest", Outcome::pass,
          {"the name servers answer and tell the truth", "DNS サーバーは正しく応答している"});
    case ResolverFact::State::lies: {
      Finding bad = server_finding(
          "dns_lies", Outcome::fail,
          {"the name servers are not to be believed", "DNS サーバーの応答が信用できない"},
          {"mail to domains that they deny waits, and nothing else here that rests on the DNS "
           "counts",
           "存在しないと言われたドメイン宛のメールは待たされ、DNS に基づくほかの判定も無効になる"});
      bad.found = shown(fact.problem);
      bad.advice = {"set dns.servers to resolvers of your own",
                    "dns.servers に自前のリゾルバーを設定する"};
      return bad;
    }
    case ResolverFact::State::silent:
      break;
  }
  Finding silent = server_finding("dns_silent", Outcome::not_determined,
                                  {"the name servers do not answer", "DNS サーバーが応答しない"},
                                  {"mail waits; nothing that rests on the DNS can be judged",
                                   "メールは待たされ、DNS に基づく判定はできない"});
  silent.found = shown(fact.problem);
  return silent;
}

Finding dnssec_finding(const DnssecFact& fact) {
  constexpr Sentence kWhy{"without it DANE is not used, and a forged answer is believed",
                          "検証しないと DANE は使われず、偽の応答を信じてしまう"};
  if (!fact.has_anchor) {
    Finding off = server_finding(
        "dnssec_off", Outcome::warning,
        {"answers of the DNS are not validated (DNSSEC)", "DNS の応答を検証していない（DNSSEC）"},
        kWhy);
    off.advice = {"set dns.trust_anchor_files", "dns.trust_anchor_files を設定する"};
    return off;
  }
  if (!fact.is_validated) {
    return server_finding(
        "dnssec_unanswered", Outcome::not_determined,
        {"whether DNSSEC validates is not known", "DNSSEC の検証が働くか分からない"},
        {"the name servers did not answer", "DNS サーバーから応答がない"});
  }
  const std::string zone = shown(fact.zone);
  if (*fact.is_validated) {
    return server_finding(
        "dnssec_validates", Outcome::pass,
        {fmt::format("DNSSEC validates {}", zone), fmt::format("DNSSEC で {} を検証できる", zone)});
  }
  Finding bad = server_finding("dnssec_insecure", Outcome::warning,
                               {fmt::format("DNSSEC does not validate {}", zone),
                                fmt::format("DNSSEC で {} を検証できない", zone)},
                               kWhy);
  bad.advice = {
      "the name servers have to hand on signatures (RRSIG), and the anchor to be current",
      "DNS サーバーが署名（RRSIG）を渡すこと、トラストアンカーが最新であることを確認する"};
  return bad;
}

Finding disk_finding(const DiskFact& fact) {
  if (!fact.problem.empty() || fact.octets == 0) {
    Finding unknown =
        server_finding("disk_unknown", Outcome::not_determined,
                       {fmt::format("how much of the disk of {} is free is not known", fact.folder),
                        fmt::format("{} のディスクの空きが分からない", fact.folder)},
                       {"the folder cannot be looked at", "フォルダーを調べられない"});
    unknown.found = shown(fact.problem);
    return unknown;
  }
  // In floating point: octets times 100 could be too much.
  const double percent =
      100.0 * static_cast<double>(fact.octets_free) / static_cast<double>(fact.octets);
  const BilingualText sentence{
      fmt::format("of the disk of {} {:.0f} % are free", fact.folder, percent),
      fmt::format("{} のディスクの空きは {:.0f} %", fact.folder, percent)};
  constexpr Sentence kWhy{"on a full disk no mail is accepted",
                          "ディスクが一杯になるとメールを受け付けられない"};
  if (percent < kDiskFreeFailPercent)
    return server_finding("disk_full", Outcome::fail, sentence, kWhy);
  if (percent < kDiskFreeWarningPercent) {
    return server_finding("disk_fills", Outcome::warning, sentence, kWhy);
  }
  return server_finding("disk_free", Outcome::pass, sentence);
}

Finding files_finding(const FilesFact& fact) {
  if (fact.problem.empty()) {
    return server_finding("open_files_suffice", Outcome::pass,
                          {fmt::format("the limit of {} open files suffices", fact.limit),
                           fmt::format("開けるファイル数の上限 {} は足りている", fact.limit)});
  }
  Finding bad = server_finding("open_files_few", Outcome::fail,
                               {fmt::format("the limit of {} open files is too low", fact.limit),
                                fmt::format("開けるファイル数の上限 {} が低すぎる", fact.limit)},
                               {"the engine does not start, or refuses clients",
                                "エンジンが起動しないか、クライアントを断る"});
  bad.found = shown(fact.problem);
  bad.advice = {"raise LimitNOFILE of the service", "サービスの LimitNOFILE を上げる"};
  return bad;
}

}  // namespace

std::vector<Finding> server_findings(const ServerFacts& facts, Instant now) {
  std::vector<Finding> findings;
  for (const CertificateFact& fact : facts.certificates) {
    findings.push_back(certificate_finding(fact, now));
  }
  findings.push_back(clock_finding(facts.clock));
  findings.push_back(resolver_finding(facts.resolver));
  findings.push_back(dnssec_finding(facts.dnssec));
  findings.push_back(disk_finding(facts.disk));
  findings.push_back(files_finding(facts.files));
  return findings;
}

}  // namespace todoku::doctor
