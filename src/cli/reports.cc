// SPDX-License-Identifier: Apache-2.0
// todoku reports read
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/ranges.h>

#include "base/date_time.h"
#include "base/printable.h"
#include "cli/commands.h"
#include "cli/mail_checks.h"
#include "cli/printable_stream.h"
#include "cli/user_files.h"
#include "feedback/reports/digest.h"
#include "feedback/reports/report_file.h"
#include "feedback/reports/report_mail.h"

namespace todoku::cli {
namespace {

using feedback::reports::Digest;
using feedback::reports::DomainDigest;
using feedback::reports::SourceDigest;
using feedback::reports::TlsDigest;

constexpr std::size_t kSourcesShown = 20;  // of a domain, to people

Result<void> add_report(const std::string& path, std::string_view octets, Digest& digest) {
  const auto file = feedback::reports::open_report(octets);
  if (!file) return fail(path, file.error());
  if (file->kind == feedback::reports::ReportFile::Kind::dmarc) {
    const auto report = feedback::reports::read_dmarc_aggregate(file->text);
    if (!report) return fail(path, report.error());
    digest.add(*report);
    return {};
  }
  const auto report = feedback::reports::read_tls_report(file->text);
  if (!report) return fail(path, report.error());
  digest.add(*report);
  return {};
}

Result<void> add_file(const std::string& path, std::istream& input, Digest& digest) {
  auto octets = read_octets(path, input, feedback::reports::kHandedOverMax);
  if (!octets) return fail(std::move(octets.error()));
  for (const std::string_view message : feedback::reports::messages_in(*octets)) {
    auto found = feedback::reports::reports_in(message, path);
    if (!found) return fail(path, found.error());
    for (const feedback::reports::HandedOver& report : *found) {
      if (auto added = add_report(path, report.octets, digest); !added) return added;
    }
  }
  return {};
}

boost::json::array names(const std::set<std::string>& given) {
  boost::json::array all;
  for (const std::string& name : given) all.emplace_back(name);
  return all;
}

boost::json::object told(const SourceDigest& source) {
  return {{"source_ip", source.source_ip},
          {"messages", source.messages},
          {"passed", source.passed},
          {"dkim_aligned", source.dkim_aligned},
          {"spf_aligned", source.spf_aligned},
          {"quarantined", source.quarantined},
          {"rejected", source.rejected},
          {"authenticated", names(source.authenticated)},
          {"reporters", names(source.reporters)}};
}

boost::json::object told(const TlsDigest& tls) {
  boost::json::object failures;
  for (const auto& [type, sessions] : tls.failures) failures[type] = sessions;
  return {
      {"successful", tls.successful}, {"failed", tls.failed}, {"failures", std::move(failures)}};
}

boost::json::object told(const DomainDigest& domain) {
  boost::json::array sources;
  for (const SourceDigest& source : domain.sources) sources.push_back(told(source));
  return {{"domain", domain.domain},
          {"reports", domain.reports},
          {"begin", format_utc(domain.begin)},
          {"end", format_utc(domain.end)},
          {"policy",
           domain.policy.empty() ? boost::json::value(nullptr) : boost::json::value(domain.policy)},
          {"messages", domain.messages},
          {"passed", domain.passed},
          {"quarantined", domain.quarantined},
          {"rejected", domain.rejected},
          {"sources", std::move(sources)},
          {"tls", told(domain.tls)}};
}

// What receivers kept from their readers comes before all else.
void show_refused(Session& session, const DomainDigest& domain) {
  if (domain.quarantined == 0 && domain.rejected == 0) return;
  session.say({"  Receivers put {} of them into spam and refused {}.",
               "  受信側が迷惑メールに入れたもの {} 通、拒否したもの {} 通。"},
              domain.quarantined, domain.rejected);
}

void show_sources(Session& session, const DomainDigest& domain) {
  std::size_t shown = 0;
  for (const SourceDigest& source : domain.sources) {
    if (shown++ == kSourcesShown) break;
    session.say({"  {:<39} {:>9} messages, {:>9} not authenticated (DKIM {}, SPF {}){}",
                 "  {:<39} {:>9} 通、うち認証されないもの {:>9} 通（DKIM {}、SPF {}）{}"},
                source.source_ip, source.messages, source.messages - source.passed,
                source.dkim_aligned, source.spf_aligned,
                source.authenticated.empty()
                    ? std::string()
                    : fmt::format("  {}", fmt::join(source.authenticated, " ")));
  }
  if (domain.sources.size() > kSourcesShown) {
    session.say({"  ... and {} more (--json has all)", "  ほか {} 件（--json で全件）"},
                domain.sources.size() - kSourcesShown);
  }
}

void show(Session& session, const DomainDigest& domain) {
  session.say({"{}  {} to {}, {} reports", "{}  {} 〜 {}、レポート {} 件"}, domain.domain,
              format_utc(domain.begin), format_utc(domain.end), domain.reports);
  if (domain.messages > 0) {
    session.say({"  DMARC: {} of {} messages authenticated for this domain (policy {})",
                 "  DMARC: このドメインとして認証されたもの {} / {} 通（ポリシー {}）"},
                domain.passed, domain.messages, domain.policy);
    show_refused(session, domain);
    show_sources(session, domain);
  }
  if (domain.tls.successful > 0 || domain.tls.failed > 0) {
    session.say({"  TLS: {} sessions succeeded, {} failed", "  TLS: 成功 {}、失敗 {} セッション"},
                domain.tls.successful, domain.tls.failed);
    for (const auto& [type, sessions] : domain.tls.failures) {
      session.say({"    {} {}", "    {} {}"}, type, sessions);
    }
  }
}

}  // namespace

int reports_read(Session& session, const std::vector<std::string>& files) {
  Digest digest;
  int status = 0;
  for (const std::string& file : files) {
    const auto added = add_file(file, session.host().input(), digest);
    if (!added) status = unreadable(session, added.error().detail);
  }
  boost::json::array all;
  for (const DomainDigest& domain : digest.domains()) {
    if (session.common().json) {
      all.push_back(told(domain));
    } else {
      show(session, domain);
    }
  }
  if (session.common().json) {
    const boost::json::object answer{{"domains", std::move(all)}, {"left_out", digest.left_out()}};
    session.out() << printable_json(boost::json::serialize(answer)) << '\n';
  } else if (digest.left_out() > 0) {
    session.say({"{} messages of sources beyond those that are counted are left out.",
                 "数え切れない送信元の {} 通は省きました。"},
                digest.left_out());
  }
  return status;
}

}  // namespace todoku::cli
