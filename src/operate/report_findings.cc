// SPDX-License-Identifier: Apache-2.0
// What follows from the reports of a domain, in words.
#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "operate/report_overview.h"

namespace todoku::operate {
namespace {

using doctor::Finding;
using doctor::Outcome;

Finding made(std::string_view code, Outcome outcome, const ReportOverview& overview,
             BilingualText sentence, BilingualText advice = {}) {
  Finding finding;
  finding.code = code;
  finding.outcome = outcome;
  finding.subject = overview.domain;
  finding.sentence = std::move(sentence);
  finding.advice = std::move(advice);
  return finding;
}

// "all of them from 198.51.100.7", "most of them (12) from ...". `what` had the most.
BilingualText mostly_from(const ReportedSource& worst, std::int64_t of_all) {
  const std::int64_t failed = worst.sums.failed();
  if (failed >= of_all) {
    return {fmt::format("all of them from {}", worst.source),
            fmt::format("すべて {} から", worst.source)};
  }
  return {fmt::format("{} of them from {}", failed, worst.source),
          fmt::format("うち {} 通は {} から", failed, worst.source)};
}

const ReportedSource* worst_where(const ReportOverview& overview, bool ours) {
  const auto found = std::ranges::find_if(overview.sources, [ours](const ReportedSource& source) {
    return source.is_ours == ours && source.sums.failed() > 0;
  });
  return found == overview.sources.end() ? nullptr : &*found;
}

void judge_own(const ReportOverview& overview, std::vector<Finding>& findings) {
  const DmarcSums& ours = overview.ours;
  if (ours.messages == 0) return;
  const ReportedSource* const worst = worst_where(overview, true);
  if (worst == nullptr) {
    findings.push_back(
        made("own_mail_passes", Outcome::pass, overview,
             {fmt::format("All {} messages from our own addresses pass DMARC", ours.messages),
              fmt::format("当方のアドレスから送った {} 通は、すべて DMARC に合格しています",
                          ours.messages)}));
    return;
  }
  const auto from = mostly_from(*worst, ours.failed());
  findings.push_back(made(
      "own_mail_fails",
      own_mail_fails(ours.messages, ours.failed()) ? Outcome::fail : Outcome::warning, overview,
      {fmt::format("{} of {} messages from our own addresses fail DMARC, {}", ours.failed(),
                   ours.messages, from.en),
       fmt::format("当方のアドレスから送った {} 通のうち {} 通が DMARC に不合格です（{}）",
                   ours.messages, ours.failed(), from.ja)},
      {fmt::format("Check the domain's records: `todoku domain check {}`", overview.domain),
       fmt::format("ドメインの設定を確認してください: `todoku domain check {}`",
                   overview.domain)}));
}

void judge_strangers(const ReportOverview& overview, std::vector<Finding>& findings) {
  const std::int64_t failed = overview.sums.failed() - overview.ours.failed();
  if (failed <= 0) return;
  const ReportedSource* const worst = worst_where(overview, false);
  const BilingualText from = worst == nullptr
                                 ? BilingualText{"from many addresses", "多数のアドレスから"}
                                 : mostly_from(*worst, failed);
  findings.push_back(made(
      "strangers_fail", Outcome::warning, overview,
      {fmt::format("{} messages in the domain's name from addresses that are not ours fail DMARC, "
                   "{}",
                   failed, from.en),
       fmt::format("当方以外のアドレスからこのドメインを名乗って送られた {} "
                   "通が DMARC に不合格です（{}）",
                   failed, from.ja)},
      {"If it is a service that sends for you, let it sign with DKIM as this domain, or pass it "
       "through an address below a domain of its own. If nobody of yours knows it, it is forged: "
       "a stricter policy keeps it from readers",
       "利用中の配信サービスであれば、このドメインで DKIM 署名するように設定してください。"
       "心当たりがなければなりすましです。ポリシーを厳しくすれば、受信者に届かなくなります"}));
}

std::string_view policy_word(std::string_view policy) {
  if (policy.starts_with("p=reject")) return "reject";
  if (policy.starts_with("p=quarantine")) return "quarantine";
  return "none";
}

// What p=quarantine or p=reject would do to what was sent.
void judge_policy(const ReportOverview& overview, std::vector<Finding>& findings) {
  const DmarcSums& sums = overview.sums;
  if (sums.messages == 0) return;
  const std::string_view now = policy_word(overview.policy);
  if (now == "reject") {
    findings.push_back(made("policy_rejects", Outcome::pass, overview,
                            {"Receivers are asked to refuse what fails (p=reject)",
                             "不合格のメールは拒否するよう求めています（p=reject）"}));
    return;
  }
  if (sums.failed() == 0) {
    findings.push_back(made(
        "policy_can_be_stricter", Outcome::pass, overview,
        {fmt::format("With p=reject none of the {} messages would have been refused",
                     sums.messages),
         fmt::format("p=reject にしても、{} 通のうち拒否されるものはありません", sums.messages)},
        {fmt::format("The policy is p={}: it can be made stricter", now),
         fmt::format("現在のポリシーは p={} です。より厳しくできます", now)}));
    return;
  }
  const auto worst = overview.sources.empty() || overview.sources.front().sums.failed() == 0
                         ? BilingualText{"from many addresses", "多数のアドレスから"}
                         : mostly_from(overview.sources.front(), sums.failed());
  const bool harms_us = overview.ours.failed() > 0;
  findings.push_back(made(
      "policy_would_refuse", Outcome::warning, overview,
      {fmt::format("If you went to p=reject today, {} of {} messages would be refused, {} "
                   "(p=quarantine: put into spam)",
                   sums.failed(), sums.messages, worst.en),
       fmt::format("今日 p=reject にすると、{} 通のうち {} 通が拒否されます（{}）。"
                   "p=quarantine なら迷惑メールに入ります",
                   sums.messages, sums.failed(), worst.ja)},
      harms_us ? BilingualText{"Let our own mail pass first",
                               "先に、当方のメールが合格するようにしてください"}
               : BilingualText{"None of it is from our own addresses: once the others are known, "
                               "the policy can be made stricter",
                               "当方のアドレスからのものはありません。ほかの送信元を確認できれば、"
                               "ポリシーを厳しくできます"}));
}

struct TlsAdvice {
  std::string_view result;  // RFC 8460 section 4.3
  Sentence what;
  Sentence advice;
};

constexpr std::array kTlsAdvice{
    TlsAdvice{"starttls-not-supported",
              {"the server offers no STARTTLS", "サーバーが STARTTLS に対応していません"},
              {"Switch TLS on at this server, or take it out of MX and policy",
               "このサーバーで TLS を有効にするか、MX とポリシーから外してください"}},
    TlsAdvice{
        "certificate-host-mismatch",
        {"the certificate is not of this host's name", "証明書の名前がホスト名と一致しません"},
        {"Get a certificate that names the host as MX does",
         "MX に書いたホスト名を含む証明書を設定してください"}},
    TlsAdvice{"certificate-expired",
              {"the certificate has expired", "証明書の有効期限が切れています"},
              {"Renew it, and let it be renewed by itself",
               "証明書を更新し、自動更新を設定してください"}},
    TlsAdvice{"certificate-not-trusted",
              {"the certificate is not trusted", "証明書が信頼されていません"},
              {"Serve the whole chain of a public authority",
               "公的な認証局の証明書を、中間証明書も含めて設定してください"}},
    TlsAdvice{"tlsa-invalid",
              {"the TLSA record does not fit the certificate", "TLSA レコードが証明書と合いません"},
              {"Publish the new certificate's TLSA record before it is used, and keep the old one "
               "beside it",
               "証明書を替える前に新しい TLSA レコードを公開し、古いものもしばらく残してください"}},
    TlsAdvice{"dnssec-invalid",
              {"DNSSEC of the MX or TLSA record is broken",
               "MX または TLSA レコードの DNSSEC が不正です"},
              {"Check the signatures of the zone", "ゾーンの署名を確認してください"}},
    TlsAdvice{"dane-required",
              {"the sender wants DANE, and there is none",
               "送信側が DANE を求めていますが、対応していません"},
              {"It is the sender's choice; publish TLSA records to meet it",
               "送信側の設定によるものです。対応するには TLSA レコードを公開してください"}},
    TlsAdvice{"sts-policy-fetch-error",
              {"the MTA-STS policy cannot be fetched", "MTA-STS のポリシーを取得できません"},
              {"See that https://mta-sts.<domain>/.well-known/mta-sts.txt answers with a valid "
               "certificate",
               "https://mta-sts.<ドメイン>/.well-known/mta-sts.txt "
               "が正しい証明書で応答するか確認してください"}},
    TlsAdvice{"sts-policy-invalid",
              {"the MTA-STS policy is malformed", "MTA-STS のポリシーの書式に誤りがあります"},
              {"Correct the policy file", "ポリシーのファイルを直してください"}},
    TlsAdvice{"sts-webpki-invalid",
              {"a certificate does not stand up to the MTA-STS policy",
               "証明書が MTA-STS のポリシーを満たしていません"},
              {"Give each MX of the policy a public certificate of its name",
               "ポリシーに書いた各 MX に、公的な認証局の証明書を設定してください"}},
    TlsAdvice{
        "validation-failure",
        {"TLS failed for a reason of its own", "その他の理由で TLS に失敗しています"},
        {"See the server's log at these times", "サーバーのその時刻のログを確認してください"}},
};

void judge_tls(const ReportOverview& overview, std::vector<Finding>& findings) {
  if (overview.tls_successful == 0 && overview.tls_failed == 0 && overview.tls_failures.empty()) {
    return;
  }
  if (overview.tls_failed == 0 && overview.tls_failures.empty()) {
    findings.push_back(made(
        "tls_succeeds", Outcome::pass, overview,
        {fmt::format("All {} sessions with TLS succeeded", overview.tls_successful),
         fmt::format("TLS のセッション {} 件はすべて成功しています", overview.tls_successful)}));
    return;
  }
  constexpr std::size_t kTlsFindingsMax = 10;
  for (const TlsFailing& failing : overview.tls_failures) {
    if (findings.size() >= kTlsFindingsMax) break;
    const auto known = std::ranges::find(kTlsAdvice, failing.what.result, &TlsAdvice::result);
    const bool is_known = known != kTlsAdvice.end();
    const std::string word = doctor::shown(failing.what.result);
    const std::string host =
        failing.what.receiving_mx.empty() ? overview.domain : failing.what.receiving_mx;
    Finding finding =
        made("tls_fails", Outcome::warning, overview,
             {fmt::format("{} sessions with {} failed: {}", failing.sessions, host,
                          is_known ? known->what.en : std::string_view(word)),
              fmt::format("{} とのセッション {} 件が失敗しました: {}", host, failing.sessions,
                          is_known ? known->what.ja : std::string_view(word))});
    if (is_known) {
      finding.advice = {std::string(known->advice.en), std::string(known->advice.ja)};
    }
    finding.found = word;
    findings.push_back(std::move(finding));
  }
}

}  // namespace

std::vector<Finding> report_findings(const ReportOverview& overview) {
  std::vector<Finding> findings;
  if (overview.reports == 0) {
    findings.push_back(made(
        "no_reports", Outcome::not_determined, overview,
        {"No report of these days was imported", "この期間のレポートは取り込まれていません"},
        {"Publish an address for reports (`todoku domain setup --reports`), and import what comes "
         "there: `todoku reports import`",
         "レポートの宛先を公開し（`todoku domain setup --reports`）、届いたものを `todoku reports "
         "import` で取り込んでください"}));
    return findings;
  }
  judge_own(overview, findings);
  judge_strangers(overview, findings);
  judge_policy(overview, findings);
  judge_tls(overview, findings);
  std::vector<Finding> worst_first;
  for (const Outcome outcome :
       {Outcome::fail, Outcome::warning, Outcome::not_determined, Outcome::pass}) {
    std::ranges::copy_if(findings, std::back_inserter(worst_first),
                         [outcome](const Finding& each) { return each.outcome == outcome; });
  }
  return worst_first;
}

}  // namespace todoku::operate
