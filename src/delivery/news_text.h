// SPDX-License-Identifier: Apache-2.0
// News as they are written into the store for another process.
//
//   news   = %x01 *item
//   item   = "p" delivery batch settled parked released   progress; released = %x00, or %x01 done
//                                                          next; next = 0, or milliseconds + 1
//          / "r" site source milliseconds                  a lane rests
//          / "s" domain site                               where a domain's mail goes
//   numbers are varints, texts a varint length and octets (store/codec.h)
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "delivery/feedback.h"

namespace todoku::delivery {

struct ToldNews {
  News news;
  std::vector<std::pair<std::string, std::string>> routed;  // domain, site
  [[nodiscard]] bool empty() const {
    return news.progress.empty() && news.rests.empty() && routed.empty();
  }
};

// As many pieces as it takes, none longer than `octets_max`; what is longer alone is left out.
[[nodiscard]] std::vector<std::string> write_news(const ToldNews& told, std::size_t octets_max);
// corrupt: nothing of it is to be believed. Where it was written by a newer version, too.
[[nodiscard]] Result<ToldNews> read_news(std::string_view text);

}  // namespace todoku::delivery
