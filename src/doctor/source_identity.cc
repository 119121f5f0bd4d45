// SPDX-License-Identifier: Apache-2.0
#include "doctor/source_identity.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "doctor/reason_words.h"
#include "mail/address.h"
#include "mailauth/identity/host_identity.h"
#include "mailauth/spf/address.h"

namespace todoku::doctor {
namespace {

using mailauth::DnsFacts;
using mailauth::FactType;
using mailauth::HelloAgreement;
using mailauth::HostIdentity;
using mailauth::Iprev;

constexpr Sentence kNoPtr{
    "Gmail, Yahoo, Microsoft and the Japanese carriers refuse or junk mail from an address that "
    "has no name, or one that does not lead back",
    "逆引きがない、または逆引き名の正引きが元に戻らないアドレスからのメールは、Gmail、Yahoo、"
    "Microsoft、国内の携帯キャリアに拒否されるか迷惑メールに入る"};
constexpr Sentence kBadHello{
    "receivers compare the EHLO name with the address, and give mail less trust or refuse it",
    "受信側は EHLO の名前とアドレスを照合し、合わなければ信頼を下げるか拒否する"};
constexpr Sentence kNoAnswer{"the DNS did not answer: nothing is concluded from it",
                             "DNS から応答がなく、何も判断できない"};

std::string names_of(const HostIdentity& identity) {
  std::vector<std::string> names;
  for (const auto& each : identity.names) names.push_back(shown(each.name));
  std::ranges::sort(names);
  return fmt::format("{}", fmt::join(names, " "));
}

// Every text of a finding but the words of what is so.
Finding finding_about(const SourceIdentity& source, std::string_view code, Outcome outcome,
                      BilingualText sentence) {
  return {.code = code,
          .outcome = outcome,
          .subject = source.name,
          .minded_by = Receivers::all(),
          .sentence = std::move(sentence),
          .why = {},
          .found = "",
          .expected = "",
          .paste = ""};
}

std::string forward_record(std::string_view name, const SourceAddress& address) {
  return fmt::format("{}. IN {} {}\n", name, address.octets.size() == 4 ? "A" : "AAAA",
                     address.text);
}

Finding ptr_finding(const SourceIdentity& source, const SourceAddress& address,
                    const HostIdentity& identity) {
  if (!identity.names.empty()) {
    Finding found = finding_about(source, "ptr_present", Outcome::pass,
                                  {fmt::format("{} has a name", address.text),
                                   fmt::format("{} には逆引きがある", address.text)});
    found.found = names_of(identity);
    return found;
  }
  if (identity.iprev == Iprev::temperror) {
    Finding unknown =
        finding_about(source, "ptr_unanswered", Outcome::not_determined,
                      {fmt::format("whether {} has a name is not known", address.text),
                       fmt::format("{} に逆引きがあるか分からない", address.text)});
    unknown.why = kNoAnswer;
    if (!identity.trace.empty()) unknown.found = shown(identity.trace.front());
    return unknown;
  }
  Finding missing = finding_about(source, "ptr_missing", Outcome::fail,
                                  {fmt::format("{} has no name (PTR record)", address.text),
                                   fmt::format("{} に逆引き（PTR レコード）がない", address.text)});
  missing.why = kNoPtr;
  missing.expected = shown(source.hello);
  missing.paste =
      fmt::format("{}. IN PTR {}.\n", mailauth::reverse_name(address.octets), shown(source.hello));
  missing.advice = {"the provider of the address sets it: paste the line there or ask for it",
                    "アドレスの提供元で設定する。この行を登録するか、提供元に依頼する"};
  return missing;
}

Finding confirmation_finding(const SourceIdentity& source, const SourceAddress& address,
                             const HostIdentity& identity) {
  if (identity.iprev == Iprev::pass) {
    Finding good = finding_about(source, "ptr_confirmed", Outcome::pass,
                                 {fmt::format("the name of {} leads back to it", address.text),
                                  fmt::format("{} の逆引き名の正引きは元に戻る", address.text)});
    good.found = names_of(identity);
    return good;
  }
  if (identity.iprev == Iprev::temperror || identity.names.empty()) {
    Finding unknown = finding_about(
        source, "ptr_unconfirmed", Outcome::not_determined,
        {fmt::format("whether a name of {} leads back to it is not known", address.text),
         fmt::format("{} の逆引き名の正引きが元に戻るか分からない", address.text)});
    unknown.why = identity.iprev == Iprev::temperror
                      ? kNoAnswer
                      : Sentence{"there is no name to ask about", "調べるべき名前がない"};
    return unknown;
  }
  const bool has_addresses = identity.iprev == Iprev::fail;
  Finding bad =
      has_addresses
          ? finding_about(source, "ptr_differs", Outcome::fail,
                          {fmt::format("the name of {} has other addresses", address.text),
                           fmt::format("{} の逆引き名は別のアドレスを指している", address.text)})
          : finding_about(source, "ptr_leads_nowhere", Outcome::fail,
                          {fmt::format("the name of {} has no address", address.text),
                           fmt::format("{} の逆引き名にはアドレスがない", address.text)});
  bad.why = kNoPtr;
  bad.found = names_of(identity);
  bad.expected = address.text;
  const auto own = std::ranges::find_if(identity.names,
                                        [](const auto& name) { return name.generic_sign.empty(); });
  if (own == identity.names.end()) {
    // The zone of such a name is the provider's: nobody here can put a line into it.
    bad.expected = shown(source.hello);
    bad.advice = {"ask the provider of the address to set the PTR record to the EHLO name",
                  "アドレスの提供元に、PTR レコードを EHLO の名前に設定するよう依頼する"};
    return bad;
  }
  bad.paste = forward_record(shown(own->name), address);
  return bad;
}

std::optional<Finding> generic_finding(const SourceIdentity& source, const SourceAddress& address,
                                       const HostIdentity& identity) {
  const auto generic = std::ranges::find_if(
      identity.names, [](const auto& name) { return !name.generic_sign.empty(); });
  // One name of its own is enough.
  const bool all_are = std::ranges::all_of(
      identity.names, [](const auto& name) { return !name.generic_sign.empty(); });
  if (generic == identity.names.end() || !all_are) return std::nullopt;
  Finding finding =
      finding_about(source, "ptr_generic", Outcome::warning,
                    {fmt::format("the name of {} looks like one of many lines: it {}", address.text,
                                 shown(generic->generic_sign)),
                     fmt::format("{} の逆引き名が、回線に自動で付く名前に見える（{}）",
                                 address.text, shown(reason_in_japanese(generic->generic_sign)))});
  finding.why = {"receivers trust such hosts little", "受信側はそのようなホストをあまり信頼しない"};
  finding.found = shown(generic->name);
  finding.expected = shown(source.hello);
  finding.advice = {"have the provider give it the EHLO name",
                    "提供元に依頼して EHLO と同じ名前にする"};
  return finding;
}

// Those of the EHLO name, which identify_host() has asked about.
std::string addresses_of_hello(const SourceIdentity& source, const SourceAddress& address,
                               DnsFacts& facts) {
  const auto name = to_ascii_domain(source.hello);
  if (!name) return {};
  const FactType type = address.octets.size() == 4 ? FactType::a : FactType::aaaa;
  std::vector<std::string> texts;
  for (const std::string& octets : facts.ask(type, *name).values) {
    texts.push_back(mailauth::spf::address_text(octets));
  }
  std::ranges::sort(texts);
  return shown(fmt::format("{}", fmt::join(texts, " ")));
}

Finding hello_finding(const SourceIdentity& source, const SourceAddress& address,
                      const HostIdentity& identity, DnsFacts& facts) {
  const std::string name = shown(source.hello);
  Finding finding =
      finding_about(source, "hello_own", Outcome::pass,
                    {fmt::format("the EHLO name {} is the name of {}", name, address.text),
                     fmt::format("EHLO の名前 {} は {} の名前と一致する", name, address.text)});
  finding.found = name;
  switch (identity.hello) {
    case HelloAgreement::same:
      return finding;
    case HelloAgreement::confirmed:
      finding.code = "hello_confirmed";
      finding.sentence = {fmt::format("the EHLO name {} has {}", name, address.text),
                          fmt::format("EHLO の名前 {} は {} を指す", name, address.text)};
      return finding;
    case HelloAgreement::undetermined:
      finding.code = "hello_unanswered";
      finding.outcome = Outcome::not_determined;
      finding.sentence = {fmt::format("whether {} has {} is not known", name, address.text),
                          fmt::format("{} が {} を指すか分からない", name, address.text)};
      finding.why = kNoAnswer;
      return finding;
    case HelloAgreement::differs:
      finding.code = "hello_differs";
      finding.sentence = {fmt::format("the EHLO name {} does not have {}", name, address.text),
                          fmt::format("EHLO の名前 {} は {} を指していない", name, address.text)};
      finding.found = addresses_of_hello(source, address, facts);
      finding.paste = forward_record(name, address);
      break;
    case HelloAgreement::literal:
      finding.code = "hello_literal";
      finding.sentence = {fmt::format("the EHLO name {} is an address", name),
                          fmt::format("EHLO の名前 {} がアドレスになっている", name)};
      break;
    case HelloAgreement::invalid:
    case HelloAgreement::unsaid:
      finding.code = "hello_invalid";
      finding.sentence = {
          fmt::format("the EHLO name {} is no name of a host with a domain", name),
          fmt::format("EHLO の名前 {} はドメインを持つホスト名になっていない", name)};
      break;
  }
  finding.outcome = Outcome::fail;
  finding.why = kBadHello;
  finding.expected = address.text;
  if (!identity.names.empty()) {
    finding.advice = {"set egress.hello_name to the name that the PTR record has",
                      "egress.hello_name を PTR レコードの名前にする"};
  } else if (identity.hello == HelloAgreement::differs) {
    finding.advice = {"give the EHLO name this address, and have the PTR record set to that name",
                      "EHLO の名前にこのアドレスを登録し、PTR レコードをその名前にする"};
  } else {
    finding.advice = {
        "set egress.hello_name to a host name of yours that has this address, and have the PTR "
        "record set to it",
        "このアドレスを指す自社のホスト名を egress.hello_name に設定し、PTR レコードも"
        "その名前にする"};
  }
  return finding;
}

std::optional<SourceCheck> check_of(std::string_view code) {
  if (code == "ptr_present" || code == "ptr_missing" || code == "ptr_unanswered") {
    return SourceCheck::ptr;
  }
  if (code == "ptr_confirmed" || code == "ptr_unconfirmed" || code == "ptr_differs" ||
      code == "ptr_leads_nowhere") {
    return SourceCheck::confirmation;
  }
  if (code.starts_with("hello_")) return SourceCheck::hello;
  if (code.starts_with("port_25_")) return SourceCheck::port_25;
  return std::nullopt;
}

int weight(Outcome outcome) {
  switch (outcome) {
    case Outcome::pass:
    case Outcome::warning:
      return 0;
    case Outcome::not_determined:
      return 1;
    case Outcome::fail:
      return 2;
  }
  return 0;
}

}  // namespace

std::vector<Finding> identity_findings(const SourceIdentity& source, mailauth::DnsFacts& facts) {
  std::vector<Finding> findings;
  for (const SourceAddress& address : source.addresses) {
    if (!address.is_public) continue;
    const HostIdentity identity = mailauth::identify_host(address.octets, source.hello, facts);
    findings.push_back(ptr_finding(source, address, identity));
    // Without a name there is nothing to lead back: that was said.
    if (!identity.names.empty()) {
      findings.push_back(confirmation_finding(source, address, identity));
      auto generic = generic_finding(source, address, identity);
      if (generic) findings.push_back(std::move(*generic));
    }
    findings.push_back(hello_finding(source, address, identity, facts));
  }
  if (!findings.empty()) return findings;
  Finding unknown = finding_about(source, "address_unknown", Outcome::not_determined,
                                  {"by which address receivers see this source is not known",
                                   "受信側から見えるこの送信元のアドレスが分からない"});
  unknown.why = {"its own address is private or chosen by the system",
                 "自身のアドレスがプライベートアドレスか、システム任せになっている"};
  if (!source.addresses.empty()) unknown.found = source.addresses.front().text;
  unknown.advice = {"set egress.public_address to the address that mail leaves by",
                    "メールの送信に使われるアドレスを egress.public_address に設定する"};
  findings.push_back(std::move(unknown));
  return findings;
}

Finding port_25_finding(std::string_view source, std::span<const PortTry> tries) {
  Finding finding{.code = "port_25_open",
                  .subject = std::string(source),
                  .minded_by = {},
                  .sentence = {"port 25 of others can be reached", "相手の 25 番ポートに届く"},
                  .why = {},
                  .found = "",
                  .expected = "",
                  .paste = ""};
  const auto reached = std::ranges::find(tries, Reached::reached, &PortTry::reached);
  if (reached != tries.end()) {
    finding.found = shown(reached->host);
    return finding;
  }
  std::vector<std::string> said;
  std::size_t failed = 0;
  for (const PortTry& each : tries) {
    if (each.reached != Reached::unknown) ++failed;
    said.push_back(fmt::format("{}: {}", each.host, each.said));
  }
  finding.found = shown(fmt::format("{}", fmt::join(said, "; ")));
  // Who could not ask everybody blames nobody.
  if (failed >= kHostsToBlame && failed == tries.size()) {
    finding.code = "port_25_closed";
    finding.outcome = Outcome::fail;
    finding.minded_by = Receivers::all();
    finding.sentence = {"port 25 of nobody can be reached from this source",
                        "この送信元からは、どの相手の 25 番ポートにも届かない"};
    finding.why = {
        "no mail can leave: clouds and providers close the port until they are asked",
        "メールを送り出せない。クラウドや回線事業者は申請があるまでこのポートを閉じている"};
    finding.advice = {
        "ask the provider to open outgoing port 25, and look at your own firewall",
        "提供元に 25 番ポートの送信制限の解除を申請し、自社のファイアウォールも確認する"};
    return finding;
  }
  finding.code = "port_25_unknown";
  finding.outcome = Outcome::not_determined;
  finding.sentence = {"whether port 25 of others can be reached is not known",
                      "相手の 25 番ポートに届くか分からない"};
  finding.why = {"too few of doctor.port_25_hosts could be tried",
                 "doctor.port_25_hosts のうち試せた相手が少なすぎる"};
  return finding;
}

std::string_view to_string(SourceCheck check) {
  switch (check) {
    case SourceCheck::ptr:
      return "ptr";
    case SourceCheck::confirmation:
      return "confirmation";
    case SourceCheck::hello:
      return "hello";
    case SourceCheck::port_25:
      return "port_25";
  }
  return "";
}

SourceLook look_of(std::string_view source, std::span<const Finding> findings) {
  SourceLook look{.source = std::string(source), .seen = {}};
  std::array<bool, kSourceChecks> has{};
  for (const Finding& finding : findings) {
    const auto check = check_of(finding.code);
    if (!check || finding.subject != source) continue;
    const auto at = static_cast<std::size_t>(*check);
    SourceLook::Seen& seen = look.seen[at];
    // What hosts say of a closed port changes from time to time; that it is closed is the same.
    const std::string same =
        *check == SourceCheck::port_25
            ? std::string(finding.code)
            : fmt::format("{} {} {}", finding.code, finding.sentence.en, finding.found);
    if (has[at] && weight(finding.outcome) < weight(seen.outcome)) continue;
    if (has[at] && weight(finding.outcome) == weight(seen.outcome)) {
      seen.same += "; " + same;
      continue;
    }
    seen = {.outcome = finding.outcome, .same = same};
    has[at] = true;
  }
  return look;
}

}  // namespace todoku::doctor
