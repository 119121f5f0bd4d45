// SPDX-License-Identifier: Apache-2.0
#include "config/site_rules.h"

#include <array>
#include <vector>

#include "config/files.h"
#include "config/table.h"

namespace todoku::config {
namespace {

constexpr std::array kSiteKeys = {
    SiteKey{"mx_suffixes", R"(["mx.example.jp"])",
            "MX hosts of the site: the names themselves and all below them.",
            "サイトの MX ホスト名。その名前自身と、その下の名前すべて。"},
    SiteKey{"domains", R"(["example.jp", "*.example.jp"])",
            "Domains of recipients, whatever their MX; they win over MX hosts.",
            "宛先のドメイン（MX によらない）。MX ホスト名より優先される。"},
    SiteKey{"provider", R"("Example")", "Who runs the site, for people.",
            "運営者の名前（表示用）。"},
    SiteKey{"connections_max", "10", "Connections from one sending address.",
            "1 つの送信元アドレスからの接続数。"},
    SiteKey{"messages_per_connection", "100",
            "Messages before a connection is closed and a new one opened.",
            "1 接続で送る通数。これを超えると接続し直す。"},
    SiteKey{"messages_per_second", "0", "Pace from one sending address. 0: no limit.",
            "1 つの送信元アドレスからの毎秒の通数。0 は無制限。"},
    SiteKey{"recipients_per_message", "100", "Recipients of one copy of a message.",
            "1 通のメールで渡す宛先の数。"},
    SiteKey{"idle_seconds", "5", "How long a connection without work is kept for the next mail.",
            "送るものがなくなった接続を次のメールのために残しておく秒数。"},
    SiteKey{"tls", R"("opportunistic")",
            "`opportunistic`: verified TLS, else unverified, else clear text. `required`: verified "
            "TLS or the mail waits. `none`: never.",
            "`opportunistic` は、検証済み TLS、未検証の TLS、平文の順に試す。`required` は検証済み "
            "TLS でなければ送らずに待つ。`none` は TLS を使わない。"},
    SiteKey{"port", "25", "Port of the hosts.", "接続先のポート。"},
    SiteKey{"retry_seconds", "[60, 300]", "Waits after failures, instead of those of [delivery].",
            "失敗後に待つ秒数。[delivery] のものの代わりに使う。"},
};

}  // namespace

std::span<const SiteKey> site_keys() {
  return kSiteKeys;
}

Result<delivery::policy::SiteRules> load_site_rules(const LoadedConfig& loaded) {
  std::vector<delivery::policy::SiteRules::Layer> layers;
  layers.push_back({"rules/sites.toml", std::string(shipped_site_rules()), ""});
  if (const std::string& file = loaded.config.rules.file; !file.empty()) {
    auto text = read_file(file);
    if (!text) return fail("rules.file", std::move(text.error()));
    layers.push_back({file, std::move(*text), ""});
  }
  layers.push_back({loaded.file, loaded.text, std::string(kSitesTable)});
  return delivery::policy::SiteRules::parse(layers);
}

}  // namespace todoku::config
