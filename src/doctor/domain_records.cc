// SPDX-License-Identifier: Apache-2.0
#include "doctor/domain_records.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "doctor/spf_merge.h"
#include "doctor/spf_whole.h"
#include "doctor/tls_reports.h"
#include "mailauth/dkim/dns_record.h"
#include "mailauth/dmarc/record.h"
#include "mailauth/mta_sts/record.h"
#include "mailauth/spf/record.h"

namespace todoku::doctor {
namespace {

constexpr Sentence kProof{"proves the domain to this server", "ドメインの所有を証明します"};
constexpr Sentence kKey{"the key that receivers check signatures with (DKIM)",
                        "受信側が署名を検証する公開鍵（DKIM）"};
constexpr Sentence kAlias{
    "leads to a key that receivers check signatures with (DKIM) and that changes by itself",
    "受信側が署名を検証する公開鍵（DKIM）を参照します。鍵は自動で入れ替わります"};
constexpr Sentence kSpf{"who may send as this domain (SPF); docomo looks at it, too",
                        "このドメインの送信元（SPF）。ドコモはヘッダーの From も評価します"};
constexpr Sentence kReturnPathSpf{"who may send with this return path (SPF)",
                                  "エラーの戻り先ドメインの送信元（SPF）"};
constexpr Sentence kReturnPathMx{"where mail that comes back is taken", "戻ってきたメールの受け口"};
constexpr Sentence kMailHost{
    "the address of the host that takes what comes back, and greets with this name (EHLO)",
    "戻ってきたメールを受け取り、EHLO で名乗るホストのアドレス"};
constexpr Sentence kDmarc{"what becomes of mail that is not from you (DMARC)",
                          "なりすましメールの扱い（DMARC）"};
constexpr Sentence kReports{"lets the reports of the domain come here",
                            "このドメインのレポートの受け取りを許可します"};
constexpr Sentence kHost{"docomo wants an A or MX on the From domain; an MX of your own is better",
                         "ドコモは From のドメインに A か MX を求めます。自社の MX があればその方が"
                         "適切です"};
constexpr Sentence kTlsRpt{"asks for reports about TLS of mail to you (RFC 8460)",
                           "このドメイン宛メールの TLS のレポートを求めます（RFC 8460）"};
constexpr Sentence kMtaSts{
    "says that mail to you needs TLS (RFC 8461); first serve the policy at "
    "https://mta-sts.<domain>/.well-known/mta-sts.txt",
    "このドメイン宛に TLS を求めます（RFC 8461）。先に https://mta-sts."
    "<ドメイン>/.well-known/mta-sts.txt でポリシーを公開してください"};

WantedRecord text_record(std::string name, std::string value, const Sentence& purpose) {
  WantedRecord record;
  record.name = std::move(name);
  record.type = "TXT";
  record.value = std::move(value);
  record.purpose = purpose;
  return record;
}

// A record that nobody else has a part in.
WantedRecord own_record(std::string name, std::string value, const Sentence& purpose,
                        const ZoneNow& now) {
  WantedRecord record = text_record(std::move(name), std::move(value), purpose);
  const auto there = now.other_texts.find(record.name);
  record.is_there = there != now.other_texts.end() &&
                    std::ranges::find(there->second, record.value) != there->second.end();
  return record;
}

// A name with a CNAME has nothing else (RFC 1034 section 3.6.2).
WantedRecord alias_record(const DomainWish& wish, const DomainKey& key, const ZoneNow& now) {
  WantedRecord record = text_record(wish.key_name(key), key.alias + ".", kAlias);
  record.type = "CNAME";
  const auto alias = now.aliases.find(record.name);
  record.is_there = alias != now.aliases.end() && alias->second == key.alias;
  const auto texts = now.other_texts.find(record.name);
  record.replaces =
      !record.is_there &&
      (alias != now.aliases.end() || (texts != now.other_texts.end() && !texts->second.empty()));
  return record;
}

// A key: its name holds nothing else (RFC 6376 section 3.6.2.2).
WantedRecord key_record(const DomainWish& wish, const DomainKey& key, const ZoneNow& now) {
  if (!key.alias.empty()) return alias_record(wish, key, now);
  WantedRecord record = own_record(wish.key_name(key), key.record, kKey, now);
  const auto there = now.other_texts.find(record.name);
  record.replaces = !record.is_there && there != now.other_texts.end() && !there->second.empty();
  return record;
}

Result<WantedRecord> spf_record(const DomainWish& wish, std::string name, const ZoneNow& now,
                                const std::vector<std::string>& texts, std::string_view end,
                                const Sentence& purpose) {
  auto merged = merge_spf(texts, spf_mechanisms(wish.platform), end);
  if (!merged) return fail("SPF of " + name, std::move(merged.error()));
  WantedRecord record = text_record(std::move(name), std::move(merged->text), purpose);
  record.replaces = merged->is_changed && merged->replaced > 0;
  record.is_there = !merged->is_changed;
  record.left_out = std::move(merged->left_out);
  const auto fault = now.spf_faults.find(record.name);
  if (fault != now.spf_faults.end()) {
    if (record.is_there) {
      record.warnings.push_back(counts_for_nothing_text(fault->second));
    } else {
      record.problem = no_room_text(fault->second);
    }
  }
  const auto read = mailauth::spf::parse_record(record.value);
  const auto open = read ? open_terms(*read) : std::vector<std::string>();
  if (!open.empty()) record.warnings.push_back(lets_all_send_text(open));
  return record;
}

bool is_of_uri(char c) {
  return is_ascii_alphanumeric(c) || std::string_view("-._~:/?#[]@!$&'()*+,=%").contains(c);
}

// What stands behind "rua=" in a record that cannot be read as a whole: up to what separates tags,
// without the spaces, quotation marks and backslashes that panels put there. Empty: nothing that
// could be addresses.
std::string reports_in(std::string text) {
  constexpr std::string_view kTag = "rua=";
  constexpr std::size_t kOctetsMax = 1'000;
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '"' || c == '\\'; });
  const std::size_t at = text.find(kTag);
  if (at == std::string::npos) return {};
  std::string value = text.substr(at + kTag.size(), text.find(';', at) - at - kTag.size());
  const bool is_sound =
      value.size() <= kOctetsMax && std::ranges::all_of(value, is_of_uri) && value.contains(':');
  return is_sound ? value : std::string();
}

// "v=DMARC1; p=none" with the addresses of the record that is there, however broken, and ours.
std::string first_policy(const DomainWish& wish, const std::vector<std::string>& there) {
  std::string reports;
  for (const std::string& text : there) {
    reports = reports_in(text);
    if (!reports.empty()) break;
  }
  if (!wish.report_address.empty()) {
    const std::string ours = report_uri(wish.report_address);
    if (!reports.contains(ours)) reports.append(reports.empty() ? "" : ",").append(ours);
  }
  return reports.empty() ? "v=DMARC1; p=none" : "v=DMARC1; p=none; rua=" + reports;
}

// A record that is there with our address among those that get its reports: all else of it is as it
// was (RFC 7489 section 6.3, RFC 8460 section 3).
std::string with_reports_to(std::string text, const std::string& ours) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(';', begin), text.size());
    const std::string_view tag = trim(std::string_view(text).substr(begin, end - begin));
    const std::size_t sign = tag.find('=');
    if (sign != tag.npos && trim(tag.substr(0, sign)) == "rua") {
      const bool is_empty = trim(tag.substr(sign + 1)).empty();
      const auto last = static_cast<std::size_t>(tag.data() + tag.size() - text.data());
      text.insert(last, is_empty ? ours : "," + ours);
      return text;
    }
    begin = end + 1;
  }
  while (!text.empty() && (text.back() == ';' || text.back() == ' ')) text.pop_back();
  return text + "; rua=" + ours;
}

// What is there, if it is asked to send its reports to us, too.
void ask_for_reports(const DomainWish& wish, WantedRecord& record) {
  if (wish.report_address.empty()) return;
  const std::string ours = report_uri(wish.report_address);
  if (record.value.contains(ours)) return;
  record.value = with_reports_to(std::move(record.value), ours);
  record.is_there = false;
  record.replaces = true;
}

WantedRecord dmarc_record(const DomainWish& wish, const ZoneNow& now) {
  const std::string name = "_dmarc." + wish.domain;
  const auto there = std::ranges::find_if(now.dmarc_texts, [](const std::string& text) {
    const auto record = mailauth::dmarc::parse_record(text);
    return record && record->p.value;
  });
  if (there != now.dmarc_texts.end()) {
    WantedRecord record = text_record(name, *there, kDmarc);
    record.is_there = true;
    ask_for_reports(wish, record);
    return record;
  }
  WantedRecord record = text_record(name, first_policy(wish, now.dmarc_texts), kDmarc);
  record.replaces = std::ranges::any_of(
      now.dmarc_texts, [](const std::string& text) { return text.contains("DMARC1"); });
  return record;
}

std::string host_of(std::string_view address) {
  return to_ascii_lower(address.substr(address.rfind('@') + 1));
}

// RFC 9990 section 4 (RFC 7489 section 7.1): who takes reports about another's domain says so.
void add_report_permission(const DomainWish& wish, std::vector<WantedRecord>& records) {
  const std::string host = host_of(wish.report_address);
  if (host.empty() || is_at_or_below(host, wish.domain)) return;
  WantedRecord record =
      text_record(fmt::format("{}._report._dmarc.{}", wish.domain, host), "v=DMARC1", kReports);
  record.is_elsewhere = true;
  records.push_back(std::move(record));
}

// The EHLO name, one address of each family.
// A host's name where none is configured: of this network alone, and no other finds it.
BilingualText bare_host_text(const std::string& host) {
  return {fmt::format("\"{}\" is not a full host name, and nobody elsewhere finds it: set "
                      "smtp_out.hello_name to one that leads to this server, and make this anew.",
                      host),
          fmt::format("「{}」は完全なホスト名 (FQDN) ではないため、外部から見つけられません。"
                      "smtp_out.hello_name にこのサーバーを指す FQDN を設定してから、"
                      "作り直してください。",
                      host)};
}

void add_mail_host(const DomainWish& wish, const ZoneNow& now, std::vector<WantedRecord>& records) {
  if (!wish.mail_host_is_here() || now.mail_host_has_address) return;
  for (const bool is_ip6 : {false, true}) {
    const auto address =
        std::ranges::find_if(wish.platform.addresses,
                             [&](const std::string& each) { return each.contains(':') == is_ip6; });
    if (address == wish.platform.addresses.end()) continue;
    WantedRecord record = text_record(wish.platform.mail_host, *address, kMailHost);
    record.type = is_ip6 ? "AAAA" : "A";
    records.push_back(std::move(record));
  }
}

void add_host(const DomainWish& wish, const ZoneNow& now, std::vector<WantedRecord>& records) {
  if (now.has_mx || now.has_address || wish.platform.addresses.empty()) return;
  if (wish.platform.mail_host == wish.domain) return;  // it has its address as that
  const std::string& address = wish.platform.addresses.front();
  WantedRecord record = text_record(wish.domain, address, kHost);
  record.type = address.find(':') == std::string::npos ? "A" : "AAAA";
  records.push_back(std::move(record));
}

// For the mail that the domain itself gets.
void add_transport(const DomainWish& wish, const ZoneNow& now, std::vector<WantedRecord>& records) {
  if (!now.has_mx) return;
  if (!wish.report_address.empty()) {
    WantedRecord report =
        text_record("_smtp._tls." + wish.domain,
                    fmt::format("v=TLSRPTv1; rua={}", report_uri(wish.report_address)), kTlsRpt);
    TlsReports there = read_tls_reports(now.tls_rpt_texts);
    if (!there.record.empty()) {
      report.value = std::move(there.record);
      report.is_there = true;
      ask_for_reports(wish, report);
    } else {
      report.replaces = there.is_there;
    }
    report.is_optional = true;
    records.push_back(std::move(report));
  }
  WantedRecord sts = text_record("_mta-sts." + wish.domain, "v=STSv1; id=1", kMtaSts);
  const auto id = mailauth::mta_sts::policy_id(now.mta_sts_texts);
  sts.is_there = id.has_value();
  sts.replaces = !id && id.error() != mailauth::mta_sts::NoRecord::absent;
  sts.is_optional = true;
  sts.is_for_later = true;
  records.push_back(std::move(sts));
}

}  // namespace

std::string DomainWish::key_name(const DomainKey& key) const {
  return mailauth::dkim::KeyName{.domain = key.domain.empty() ? domain : key.domain,
                                 .selector = key.selector}
      .lookup_name();
}

bool DomainWish::mail_host_is_here() const {
  return !platform.mail_host.empty() && is_at_or_below(platform.mail_host, domain);
}

bool DomainWish::return_path_is_here() const {
  return !platform.return_path.empty() && is_at_or_below(platform.return_path, domain);
}

std::string report_uri(std::string_view address) {
  std::string uri = "mailto:";
  for (const char c : address) {
    // Of RFC 6068 section 2, without what separates in a record.
    if (is_ascii_alphanumeric(c) || std::string_view("-._~$'*+@").contains(c)) {
      uri.push_back(c);
    } else {
      uri.append(fmt::format("%{:02X}", static_cast<unsigned char>(c)));
    }
  }
  return uri;
}

bool is_at_or_below(std::string_view name, std::string_view domain) {
  if (!name.ends_with(domain)) return false;
  return name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.';
}

std::vector<std::string> spf_mechanisms(const Platform& platform) {
  if (!platform.spf_include.empty()) return {"include:" + platform.spf_include};
  std::vector<std::string> mechanisms;
  for (const std::string& address : platform.addresses) {
    mechanisms.push_back((address.find(':') == std::string::npos ? "ip4:" : "ip6:") + address);
  }
  return mechanisms;
}

std::string WantedRecord::zone_entry() const {
  if (type == "TXT") return mailauth::dkim::zone_file_entry(name, value);
  return fmt::format("{}. IN {} {}\n", name, type, value);
}

Result<std::vector<WantedRecord>> wanted_records(const DomainWish& wish, const ZoneNow& now) {
  std::vector<WantedRecord> records;
  if (!wish.proof_name.empty()) {
    records.push_back(own_record(wish.proof_name, wish.proof_value, kProof, now));
  }
  for (const DomainKey& key : wish.keys) {
    records.push_back(key_record(wish, key, now));
  }
  if (!spf_mechanisms(wish.platform).empty()) {
    auto from = spf_record(wish, wish.domain, now, now.texts, kFromSpfEnd, kSpf);
    if (!from) return fail(std::move(from.error()));
    records.push_back(std::move(*from));
    if (wish.return_path_is_here() && wish.platform.return_path != wish.domain) {
      auto back = spf_record(wish, wish.platform.return_path, now, now.return_path_texts,
                             kReturnPathSpfEnd, kReturnPathSpf);
      if (!back) return fail(std::move(back.error()));
      records.push_back(std::move(*back));
    }
  }
  if (wish.return_path_is_here() && wish.platform.return_path != wish.domain &&
      !wish.platform.mail_host.empty()) {
    WantedRecord mx = text_record(wish.platform.return_path,
                                  fmt::format("10 {}.", wish.platform.mail_host), kReturnPathMx);
    mx.type = "MX";
    mx.is_there = now.return_path_has_mx;
    if (!wish.platform.mail_host.contains('.')) {
      mx.warnings.push_back(bare_host_text(wish.platform.mail_host));
    }
    records.push_back(std::move(mx));
  }
  add_mail_host(wish, now, records);
  records.push_back(dmarc_record(wish, now));
  add_host(wish, now, records);
  add_transport(wish, now, records);
  if (!wish.report_address.empty()) add_report_permission(wish, records);
  return records;
}

}  // namespace todoku::doctor
