// SPDX-License-Identifier: Apache-2.0
// Keys about calls to hosts that tenants name.
#include "config/table.h"

namespace todoku::config {
namespace {

ConfigSection outbound() {
  using S = Config::Outbound;
  SectionBuilder<S> s("outbound", &Config::outbound,
                      {"Calls to hosts that users of the API name: webhooks. They reach ports 80 "
                       "and 443 of the Internet, never private networks or this machine.",
                       "API の利用者が指定したホストへの呼び出し（webhook）。届くのはインターネット"
                       "上の 80 番と 443 番ポートだけで、プライベートネットワークやこの機械には決し"
                       "て届かない。"});
  s.add("allow", &S::allow, {},
        {"Networks and ports that may be reached all the same, e.g. `[\"10.1.0.0/16:443\", "
         "\"127.0.0.1:8080\"]`; IPv6 in brackets, `*` for every port. `*:8443` allows a port, on "
         "the Internet only. Every account may then have calls sent there.",
         "それでも届くことを許すネットワークとポート。例: `[\"10.1.0.0/16:443\", "
         "\"127.0.0.1:8080\"]`。IPv6 は角括弧で囲み、`*` はすべてのポート。`*:8443` はインターネ"
         "ット上のそのポートだけを許す。許した先には、すべてのアカウントが呼び出しを送らせることが"
         "できる。"})
      .form(TextForm::permit);
  s.add("ca_file", &S::ca_file, "",
        {"Certificates (PEM) that are trusted beside the system's, for hosts of your own.",
         "システムの証明書に加えて信頼する証明書（PEM）。自社のホスト向け。"})
      .form(TextForm::path);
  return std::move(s).build();
}

}  // namespace

std::vector<ConfigSection> outbound_sections() {
  return {outbound()};
}

}  // namespace todoku::config
