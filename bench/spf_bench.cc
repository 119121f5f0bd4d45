// SPDX-License-Identifier: Apache-2.0
// What an evaluation of SPF costs whose ten look-ups are all known: a record as large senders
// publish it. One figure per line: name<TAB>value<TAB>unit. `--quick` measures for a shorter time.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "mailauth/spf/check_host.h"
#include "support/measure.h"

namespace todoku::mailauth::spf {
namespace {

constexpr std::string_view kAddress("\xC0\x00\x02\x01", 4);
constexpr std::string_view kOther("\xC0\x00\x02\x02", 4);

void learn(DnsFacts& facts, FactType type, std::string name, std::string value) {
  facts.learn({type, std::move(name)},
              {.status = DnsFact::Status::found, .values = {std::move(value)}, .reason = ""});
}

DnsFacts ten_lookups() {
  DnsFacts facts;
  learn(facts, FactType::txt, "example.jp",
        "v=spf1 mx a:www.example.jp include:_spf.example.com include:%{d2}.example.net "
        "exists:%{ir}.%{v}.%{l1r-}.example.org ip4:198.51.100.0/24 redirect=_last.example.jp");
  learn(facts, FactType::mx, "example.jp", "mx.example.jp");
  learn(facts, FactType::a, "mx.example.jp", std::string(kOther));
  learn(facts, FactType::a, "www.example.jp", std::string(kOther));
  std::string networks = "v=spf1 include:_a.example.com include:_b.example.com";
  for (int i = 0; i < 20; ++i) networks += fmt::format(" ip4:203.0.113.{}/32", i);
  learn(facts, FactType::txt, "_spf.example.com", networks + " ~all");
  learn(facts, FactType::txt, "_a.example.com", "v=spf1 ip4:203.0.113.0/25 ip6:2001:db8::/32 ~all");
  learn(facts, FactType::txt, "_b.example.com", "v=spf1 ip4:203.0.113.128/25 ~all");
  learn(facts, FactType::txt, "example.jp.example.net", "v=spf1 a:www.example.jp -all");
  facts.learn({FactType::a, "1.2.0.192.in-addr.taro.example.org"},
              {.status = DnsFact::Status::absent, .values = {}, .reason = ""});
  learn(facts, FactType::txt, "_last.example.jp", "v=spf1 a:out.example.jp -all");
  learn(facts, FactType::a, "out.example.jp", std::string(kAddress));
  return facts;
}

void measure(bool quick) {
  DnsFacts facts = ten_lookups();
  const Query query{.ip = std::string(kAddress),
                    .mail_from = "taro-yamada@example.jp",
                    .helo = "out.example.jp",
                    .receiver = "mx.example.com",
                    .now = {}};
  const Verdict verdict = check_host(query, facts);
  check(verdict.result == SpfResult::pass && verdict.lookups == 10, "ten look-ups lead to a pass");
  constexpr int kCalls = 1'000;
  std::vector<double> rounds;
  for (int round = 0; round < (quick ? 5 : 50); ++round) {
    rounds.push_back(cpu_us([&] {
                       for (int i = 0; i < kCalls; ++i) (void)check_host(query, facts);
                     }) /
                     kCalls);
  }
  std::ranges::sort(rounds);
  fmt::print("spf_ten_lookups_us\t{:.4g}\tus\n", rounds[rounds.size() / 2]);
}

}  // namespace
}  // namespace todoku::mailauth::spf

int main(int argc, char** argv) {
  todoku::mailauth::spf::measure(argc > 1 && std::string_view(argv[1]) == "--quick");
  return 0;
}
