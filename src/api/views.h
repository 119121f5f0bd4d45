// SPDX-License-Identifier: Apache-2.0
// Who looks at what was said in a mail, or at insert codes, is on record before it is answered
// (docs/personal-data.md). The same key that looks at the same again and again, as programs do that
// wait for a delivery, is on record once in a while.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "async/task.h"
#include "base/clock.h"
#include "http/message.h"
#include "store/keys.h"

namespace todoku::api {

class Api;
struct Call;

// Which views are on record, for a while. Thread-safe, bounded.
class KnownViews {
 public:
  static constexpr std::size_t kMax = 10'000;  // then all are forgotten
  static constexpr Microseconds kWhile = std::chrono::minutes(10);

  // Whose, from where, what, of which delivery and mail.
  using View = std::tuple<std::string, std::string, std::string, store::PublicId, store::PublicId>;
  [[nodiscard]] bool is_known(const View& view, SteadyInstant now);
  void add(View view, SteadyInstant now);

 private:
  std::mutex mutex_;
  std::map<View, SteadyInstant> known_;
};

struct Viewed {
  std::string_view what;  // "content", "message", "insert_codes"
  store::PublicId delivery = 0;
  store::PublicId email = 0;
  std::string address = {};  // of whom it is about, if of one alone
};

// Puts it on record. What to answer where that failed: nothing is shown then.
[[nodiscard]] Task<std::optional<http::Response>> note_view(Api& api, Call& call, Viewed viewed);

}  // namespace todoku::api
