// SPDX-License-Identifier: Apache-2.0
// Whether the servers of the zone answer, and say the same.
#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "doctor/domain_checks.h"
#include "doctor/domain_texts.h"

namespace todoku::doctor {
namespace {

using mailauth::DnsQuestion;
using mailauth::ServerAnswer;
using Status = ServerAnswer::Status;

enum class Answering : std::uint8_t { answers, lame, silent };

struct Judged {
  Answering answering_as = Answering::silent;
  std::string reason;
  std::string reason_ja;
};

Judged judge(const ServerView& server) {
  Judged judged;
  for (const auto& [question, answer] : server.answers) {
    if (answer.is_said())
      return {.answering_as = Answering::answers, .reason = {}, .reason_ja = {}};
    // One name below a zone cut is no proof; all of them are.
    if (answer.status == Status::lame && judged.answering_as == Answering::silent) {
      judged = {
          .answering_as = Answering::lame, .reason = answer.reason, .reason_ja = answer.reason_ja};
    } else if (judged.reason.empty()) {
      judged.reason = answer.reason;
      judged.reason_ja = answer.reason_ja;
    }
  }
  return judged;
}

std::string text_of(const ServerAnswer& answer) {
  switch (answer.status) {
    case Status::alias:
      return "CNAME " + answer.alias;
    case Status::found:
      return fmt::format("{}", fmt::join(answer.values, " | "));
    case Status::empty:
    case Status::absent:
    case Status::unknown:
    case Status::lame:
    case Status::failed:
      break;
  }
  return "-";
}

// Addresses are octets.
bool is_text(const DnsQuestion& question) {
  return question.type != mailauth::FactType::a && question.type != mailauth::FactType::aaaa;
}

std::string name_of(const DnsQuestion& question) {
  return fmt::format("{} {}", question.name, to_string(question.type));
}

// Where `server` says something else than most do: one finding, however many names it is about.
std::optional<Finding> difference(const ServerView& server, const ZoneReading& zone,
                                  const std::optional<std::uint32_t>& newest) {
  std::vector<std::string> names;
  const DnsQuestion* first = nullptr;
  for (const auto& [question, answer] : server.answers) {
    const ServerAnswer* const usual = zone.told(question.type, question.name);
    if (!answer.is_said() || usual == nullptr || say_the_same(*usual, answer)) continue;
    if (first == nullptr) first = &question;
    names.push_back(name_of(question));
  }
  if (first == nullptr) return std::nullopt;
  const auto serial = serial_of(server);
  const bool is_stale = serial && newest && is_older_serial(*serial, *newest);
  constexpr std::size_t kNamesMax = 4;
  if (names.size() > kNamesMax) names.resize(kNamesMax);
  Finding finding =
      is_stale
          ? domain_finding("server_stale", {.subject = server.name,
                                            .first = fmt::format("{}", *serial),
                                            .second = fmt::format("{}", *newest)})
          : domain_finding("servers_differ", {.subject = server.name,
                                              .first = fmt::format("{}", fmt::join(names, ", ")),
                                              .second = {}});
  if (is_text(*first)) {
    finding.found = shown(text_of(server.answers.at(*first)));
    finding.expected = shown(text_of(*zone.told(first->type, first->name)));
  }
  return finding;
}

std::optional<std::uint32_t> newest_serial(const ZoneView& view) {
  std::optional<std::uint32_t> newest;
  for (const ServerView& server : view.servers) {
    const auto serial = serial_of(server);
    if (serial && (!newest || is_older_serial(*newest, *serial))) newest = serial;
  }
  return newest;
}

void compare(const ZoneView& view, std::vector<Finding>& findings) {
  mailauth::DnsFacts nobody;
  const ZoneReading zone(view, nobody);
  const auto newest = newest_serial(view);
  for (const ServerView& server : view.servers) {
    if (auto finding = difference(server, zone, newest)) findings.push_back(std::move(*finding));
  }
}

}  // namespace

bool check_servers(const DomainWish& wish, const ZoneView& view, std::vector<Finding>& findings) {
  for (const std::string& name : view.without_address) {
    findings.push_back(domain_finding("server_without_address", {.subject = name}));
  }
  std::size_t answering = 0;
  std::string reason = "no server has an address";
  std::string reason_ja = "アドレスのあるサーバーがありません";
  std::vector<Finding> wrong;
  for (const ServerView& server : view.servers) {
    const Judged judged = judge(server);
    if (judged.answering_as == Answering::answers) {
      ++answering;
      continue;
    }
    reason = judged.reason;
    reason_ja = judged.reason_ja;
    const bool is_lame = judged.answering_as == Answering::lame;
    wrong.push_back(domain_finding(
        is_lame ? "server_lame" : "server_silent",
        {.subject = server.name, .first = judged.reason, .first_ja = judged.reason_ja}));
  }
  if (answering == 0) {
    // Silence of all may be our own: a firewall, no route. Lame ones have spoken.
    std::erase_if(wrong, [](const Finding& each) { return each.code != "server_lame"; });
    findings.insert(findings.end(), wrong.begin(), wrong.end());
    if (wrong.empty()) {
      findings.push_back(
          domain_finding("servers_silent", {.subject = view.zone.empty() ? wish.domain : view.zone,
                                            .first = reason,
                                            .first_ja = reason_ja}));
    }
    return false;
  }
  const std::size_t before = findings.size();
  findings.insert(findings.end(), wrong.begin(), wrong.end());
  compare(view, findings);
  if (findings.size() == before) {
    findings.push_back(domain_finding(
        "servers_agree", {.subject = view.zone, .first = fmt::format("{}", answering)}));
  }
  return true;
}

}  // namespace todoku::doctor
