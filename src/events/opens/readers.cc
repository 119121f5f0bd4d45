// SPDX-License-Identifier: Apache-2.0
#include "events/opens/readers.h"

#include <array>

#include "base/bytes.h"

namespace todoku::events::opens {
namespace {

using store::OpenedBy;

struct Known {
  std::string_view part;  // of the user agent
  OpenedBy by;
};
// The first that is found counts.
constexpr std::array<Known, 4> kKnown{{
    // Gmail looks at samples of mail by itself (mssola/user_agent, issue 71).
    {"Gmail-content-sampling", OpenedBy::prefetch},
    // Gmail, when the reader opens the mail: "... (via ggpht.com GoogleImageProxy)".
    {"GoogleImageProxy", OpenedBy::image_proxy},
    {"ggpht.com", OpenedBy::image_proxy},
    // Yahoo and AOL, likewise: "YahooMailProxy; https://help.yahoo.com/...".
    {"YahooMailProxy", OpenedBy::image_proxy},
}};
// Apple's Mail Privacy Protection says this and nothing else, since 2021-09-20 (ua-parser/uap-core,
// issue 509).
constexpr std::string_view kApple = "Mozilla/5.0";

constexpr std::size_t kLookedAt = 1'024;

}  // namespace

OpenedBy opened_by(std::string_view user_agent, std::string_view purpose) {
  purpose = trim(purpose.substr(0, kLookedAt));
  for (const std::string_view word : {"prefetch", "preview"}) {
    if (equals_ignoring_case(purpose.substr(0, word.size()), word)) return OpenedBy::prefetch;
  }
  user_agent = trim(user_agent.substr(0, kLookedAt));
  // Every mail program and browser names itself.
  if (user_agent.empty() || user_agent == kApple) return OpenedBy::prefetch;
  for (const Known& known : kKnown) {
    if (user_agent.find(known.part) != std::string_view::npos) return known.by;
  }
  return OpenedBy::reader;
}

}  // namespace todoku::events::opens
