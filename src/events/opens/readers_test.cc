// SPDX-License-Identifier: Apache-2.0
#include "events/opens/readers.h"

#include <gtest/gtest.h>

namespace todoku::events::opens {
namespace {

using store::OpenedBy;

struct Case {
  std::string_view user_agent;
  OpenedBy by;
};

TEST(OpenedBy, GoesByWhatTheRequestSaysOfItself) {
  constexpr Case kCases[] = {
      {"Mozilla/5.0", OpenedBy::prefetch},
      {" Mozilla/5.0 ", OpenedBy::prefetch},
      {"", OpenedBy::prefetch},
      {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
       "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Gmail-content-sampling",
       OpenedBy::prefetch},
      {"Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
       OpenedBy::image_proxy},
      {"YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
       OpenedBy::image_proxy},
      {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
       OpenedBy::reader},
      {"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Thunderbird/128.0",
       OpenedBy::reader},
      {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15",
       OpenedBy::reader},
      {"Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)",
       OpenedBy::reader},
      {"Mozilla/5.0x", OpenedBy::reader},
  };
  for (const Case& each : kCases) {
    EXPECT_EQ(opened_by(each.user_agent, ""), each.by) << each.user_agent;
  }
}

TEST(OpenedBy, APrefetchThatSaysSoIsOne) {
  constexpr std::string_view kBrowser = "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0";
  EXPECT_EQ(opened_by(kBrowser, "prefetch"), OpenedBy::prefetch);
  EXPECT_EQ(opened_by(kBrowser, "Prefetch;anonymous-client-ip"), OpenedBy::prefetch);
  EXPECT_EQ(opened_by(kBrowser, "preview"), OpenedBy::prefetch);
  EXPECT_EQ(opened_by(kBrowser, "navigate"), OpenedBy::reader);
}

}  // namespace
}  // namespace todoku::events::opens
