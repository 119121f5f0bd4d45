// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/site_keys.h"

#include <array>

namespace todoku::delivery::policy {
namespace {

constexpr std::int64_t kConnectionsMax = 10'000;
constexpr std::int64_t kMessagesMax = 1'000'000;
constexpr std::int64_t kIdleSecondsMax = 3'600;

constexpr std::array kKeys = {
    SiteKey{"mx_suffixes", PatternsField{&Site::mx_suffixes, false}, R"(["mx.example.jp"])",
            "MX hosts of the site: the names themselves and all below them.",
            "サイトの MX ホスト名。その名前自身と、その下の名前すべて。"},
    SiteKey{"domains", PatternsField{&Site::domains, true}, R"(["example.jp", "*.example.jp"])",
            "Domains of recipients, whatever their MX; they win over MX hosts.",
            "宛先のドメイン（MX によらない）。MX ホスト名より優先される。"},
    SiteKey{"provider", TextField{&Site::provider}, R"("Example")",
            "Who runs the site, for people.", "運営者の名前（表示用）。"},
    SiteKey{"source", TextField{&Site::source}, R"("its postmaster page")",
            "Where its figures come from, for people.", "値の出どころ（表示用）。"},
    SiteKey{"date", DateField{&Site::date}, R"("2026-11-29")",
            "When they were last known to be true, for people.",
            "その値を最後に確かめた日（表示用）。"},
    SiteKey{"connections_max", CountField{&SiteLimits::connections_max, 1, kConnectionsMax}, "10",
            "Connections from one sending address.", "1 つの送信元アドレスからの接続数。"},
    SiteKey{"messages_per_connection",
            CountField{&SiteLimits::messages_per_connection, 1, kMessagesMax}, "100",
            "Messages before a connection is closed and a new one opened.",
            "1 接続で送る通数。これを超えると接続し直す。"},
    SiteKey{"messages_per_second", RateField{&SiteLimits::messages_per_second}, "0",
            "Pace from one sending address. 0: no limit.",
            "1 つの送信元アドレスからの毎秒の通数。0 は無制限。"},
    SiteKey{"adaptive", SwitchField{&SiteLimits::adaptive}, "true",
            "Begin gently, go faster while answers are good and slower when they say \"too much\" "
            "or come ever later, up to the limits above. `false`: always at them, and a rest after "
            "each \"too much\".",
            "控えめに始め、応答が良ければ速く、「多すぎる」と言われたり応答が遅くなったりすれば"
            "遅くする（上の値が上限）。`false` "
            "なら常に上限で送り、「多すぎる」と言われるたびに休む。"},
    SiteKey{"idle_seconds", SecondsField{&SiteLimits::idle, kIdleSecondsMax}, "5",
            "How long a connection without work is kept for the next mail.",
            "送るものがなくなった接続を次のメールのために残しておく秒数。"},
    SiteKey{"tls", TlsField{&SiteLimits::tls}, R"("opportunistic")",
            "`opportunistic`: verified TLS, else unverified, else clear text. `required`: verified "
            "TLS or the mail waits. `none`: never.",
            "`opportunistic` は、検証済み TLS、未検証の TLS、平文の順に試す。`required` は検証済み "
            "TLS でなければ送らずに待つ。`none` は TLS を使わない。"},
    SiteKey{"dane", SwitchField{&SiteLimits::dane}, "true",
            "Hold the hosts to the certificates that their TLSA records name (DANE, RFC 7672), or "
            "the mail waits. Works where answers are validated: `dns.trust_anchor_files`.",
            "TLSA レコード（DANE、RFC 7672）が示す証明書であることを確かめ、違えば送らずに待つ。"
            "DNSSEC を検証する設定（`dns.trust_anchor_files`）のときに働く。"},
    SiteKey{
        "mta_sts", SwitchField{&SiteLimits::mta_sts}, "true",
        "Go by the MTA-STS policies of recipients' domains (RFC 8461), where `tls` is not "
        "`none`: mail of a domain that enforces one waits until its hosts meet it. Where a site "
        "is found by MX that DNSSEC does not prove, an exception holds for hosts that the "
        "policy names.",
        "宛先ドメインの MTA-STS ポリシー（RFC 8461）に従う（`tls` が `none` "
        "のときは従わない）。enforce のドメイン宛のメールは、ホストが条件を満たすまで待つ。"
        "MX が DNSSEC で検証されていないサイトの例外は、ポリシーにあるホストに限る。"},
    SiteKey{"pipelining", SwitchField{&SiteLimits::pipelining}, "true",
            "Send commands together where the receiver offers it (RFC 2920).",
            "受信側が対応していれば、コマンドをまとめて送る（RFC 2920）。"},
    SiteKey{"chunking", SwitchField{&SiteLimits::chunking}, "true",
            "Send the content by BDAT where the receiver offers it (RFC 3030), else by DATA.",
            "受信側が対応していれば本文を BDAT で送る（RFC 3030）。そうでなければ DATA。"},
    SiteKey{"port", PortField{&SiteLimits::port}, "25", "Port of the hosts.", "接続先のポート。"},
    SiteKey{"retry_seconds", WaitsField{&SiteLimits::retry_waits}, "[60, 300]",
            "Waits after failures, instead of those of [delivery].",
            "失敗後に待つ秒数。[delivery] のものの代わりに使う。"},
    SiteKey{"unknown_users_percent", RateField{&SiteLimits::unknown_users_percent}, "0",
            "From this share of unknown users among its answers on a bulk delivery is held back at "
            "the site, before it blocks the network. 0: never. See [protection].",
            "一斉配信への応答のうち宛先不明がこの割合に達したら、受信側にブロックされる前に、その配"
            "信をこのサイトでだけ止める。0 は止めない。[protection] も参照。"},
    SiteKey{"complaints", SwitchField{&SiteLimits::complaints}, "false",
            "Whether the site sends complaints (ARF, RFC 5965) to who has asked for it. Elsewhere "
            "their rate cannot be measured, and is not shown as 0.",
            "苦情（ARF、RFC 5965）を、申し込んだ送信者に送ってくるサイトか。ほかのサイトでは苦情の"
            "割合は測れず、0 とは表示しない。"},
};

constexpr std::array kRemovedKeys = {
    RemovedSiteKey{"recipients_per_message",
                   "every recipient is sent a message of its own, with a return path of its own, "
                   "so there is never more than one in a transaction: take the key out"},
};

// Where a field of limits or of the site itself is.
template <class Value>
const Value& at(const Site& site, Value SiteLimits::* member) {
  return site.limits.*member;
}
template <class Value>
const Value& at(const Site& site, Value Site::* member) {
  return site.*member;
}
template <class Value>
Value& at(Site& site, Value SiteLimits::* member) {
  return site.limits.*member;
}
template <class Value>
Value& at(Site& site, Value Site::* member) {
  return site.*member;
}

SiteValue written(bool value) {
  return value;
}
SiteValue written(double value) {
  return value;
}
SiteValue written(std::uint32_t value) {
  return std::int64_t{value};
}
SiteValue written(std::uint16_t value) {
  return std::int64_t{value};
}
SiteValue written(std::chrono::seconds value) {
  return std::int64_t{value.count()};
}
SiteValue written(TlsPolicy value) {
  return std::string(to_string(value));
}
SiteValue written(const std::string& value) {
  return value;
}
SiteValue written(const std::vector<std::string>& value) {
  return value;
}
SiteValue written(const std::vector<std::chrono::seconds>& value) {
  std::vector<std::int64_t> seconds;
  for (const auto wait : value) seconds.push_back(wait.count());
  return seconds;
}

}  // namespace

bool SiteKey::for_everybody() const {
  return !std::holds_alternative<TextField>(field) && !std::holds_alternative<DateField>(field) &&
         !std::holds_alternative<PatternsField>(field);
}

SiteValue SiteKey::value_in(const Site& site) const {
  return std::visit([&](const auto& one) { return written(at(site, one.member)); }, field);
}

void SiteKey::copy(const Site& from, Site& to) const {
  std::visit([&](const auto& one) { at(to, one.member) = at(from, one.member); }, field);
}

std::span<const SiteKey> site_keys() {
  return kKeys;
}

std::span<const RemovedSiteKey> removed_site_keys() {
  return kRemovedKeys;
}

}  // namespace todoku::delivery::policy
