// SPDX-License-Identifier: Apache-2.0
// Keys about limits of bounces and complaints.
#include "config/table.h"

namespace todoku::config {
namespace {

constexpr double kPercentMax = 100;
constexpr std::int64_t kMinimumMax = 100'000'000;

void add_complaints(SectionBuilder<Config::Protection>& s) {
  using S = Config::Protection;
  s.add("complaint_warn_percent", &S::complaint_warn_percent, 0.1,
        {"From this share of complaints on the owner is told. Measured by mail to receivers that "
         "send complaints (`complaints` of a site). 0: never.",
         "苦情がこの割合に達したら持ち主に知らせる。苦情を送ってくる受信側（サイトの `complaints`）"
         "宛のメールに対する割合。0 は知らせない。"})
      .unit("percent")
      .range(0, kPercentMax);
  s.add("complaint_pause_percent", &S::complaint_pause_percent, 0.3,
        {"From this share on bulk mail is paused. 0: never.",
         "苦情がこの割合に達したら一斉配信を一時停止する。0 は停止しない。"})
      .unit("percent")
      .range(0, kPercentMax);
  s.add("complaint_minimum", &S::complaint_minimum, 1'000,
        {"Of fewer mails to such receivers nothing is said.",
         "そのような受信側宛のメールがこの通数に満たないうちは判断しない。"})
      .range(1, kMinimumMax);
}

void add_bounces(SectionBuilder<Config::Protection>& s) {
  using S = Config::Protection;
  s.add("bounce_warn_percent", &S::bounce_warn_percent, 5.0,
        {"From this share of hard bounces on, among all that receivers have answered for good, the "
         "owner is told. 0: never.",
         "受信側の最終的な応答のうち、アドレスが原因のハードバウンスがこの割合に達したら持ち主に知"
         "らせる。0 は知らせない。"})
      .unit("percent")
      .range(0, kPercentMax);
  s.add("bounce_pause_percent", &S::bounce_pause_percent, 10.0,
        {"From this share on bulk mail is paused. 0: never.",
         "ハードバウンスがこの割合に達したら一斉配信を一時停止する。0 は停止しない。"})
      .unit("percent")
      .range(0, kPercentMax);
  s.add("bounce_minimum", &S::bounce_minimum, 200,
        {"Of fewer answers nothing is said.", "応答がこの通数に満たないうちは判断しない。"})
      .range(1, kMinimumMax);
  s.add("unknown_user_minimum", &S::unknown_user_minimum, 100,
        {"The same for `unknown_users_percent` of a site, which holds a delivery back there alone.",
         "サイトの `unknown_users_percent`（そのサイトでだけ配信を止める）について同様。"})
      .range(1, kMinimumMax);
}

ConfigSection protection() {
  using S = Config::Protection;
  SectionBuilder<S> s(
      "protection", &Config::protection,
      {"Limits of complaints and hard bounces that pause bulk mail before receivers block it "
       "(docs/protection.md). Transactional mail is never paused by them. An account may have "
       "limits of its own.",
       "受信側にブロックされる前に一斉配信を一時停止する、苦情とハードバウンスの上限（"
       "docs/protection.ja.md）。トランザクションメールが止まることはない。アカウントごとに変えら"
       "れる。"});
  s.add("enabled", &S::enabled, true,
        {"Whether limits have consequences. What becomes of bulk mail is counted all the same.",
         "上限に達したときに知らせ、停止するか。false でも件数は数える。"});
  add_complaints(s);
  add_bounces(s);
  s.add("window_hours", &S::window_hours, 24,
        {"What is counted of an account, a sender domain and a receiver: the last so many hours. A "
         "delivery counts from its start.",
         "アカウント、送信元ドメイン、受信側について数える直近の時間。配信は開始から数える。"})
      .unit("hours")
      .range(1, 336);
  return std::move(s).build();
}

}  // namespace

std::vector<ConfigSection> protection_sections() {
  return {protection()};
}

}  // namespace todoku::config
