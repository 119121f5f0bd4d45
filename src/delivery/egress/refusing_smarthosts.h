// SPDX-License-Identifier: Apache-2.0
// Which sources' smarthosts refuse us (policy/verdict.h), told once when it begins, as an alarm,
// and once when mail goes through again. Lanes come and go meanwhile.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "mail/reply.h"

namespace todoku::delivery::egress {

// Thread-safe. At most as many as there are sources.
class RefusingSmarthosts {
 public:
  void refused(std::string_view source, std::string_view host, const Reply& reply,
               SteadyInstant now) {
    const std::lock_guard lock(mutex_);
    if (!since_.try_emplace(std::string(source), now).second) return;
    ++count_;
    log::error(kBegins, {{"about", source},
                         {"smarthost", host},
                         {"code", static_cast<std::int64_t>(reply.code)},
                         {"reply", reply.text}});
  }
  // It does not let us send as one sender, and others' mail may go: told once in a while, because
  // such mails and others may come in turn.
  void refused_sender(std::string_view source, std::string_view host, const Reply& reply,
                      SteadyInstant now) {
    constexpr std::chrono::hours kOnceIn{1};
    const std::lock_guard lock(mutex_);
    const auto [known, is_new] = told_.try_emplace(std::string(source), now);
    if (!is_new && now - known->second < kOnceIn) return;
    known->second = now;
    log::error("a smarthost does not let this source send as a sender",
               {{"about", source},
                {"smarthost", host},
                {"code", static_cast<std::int64_t>(reply.code)},
                {"reply", reply.text}});
  }
  // To be said of each mail that a smarthost took: costs next to nothing while none refuses.
  void took_mail(std::string_view source, SteadyInstant now) {
    if (count_.load() == 0) return;
    const std::lock_guard lock(mutex_);
    const auto known = since_.find(source);
    if (known == since_.end()) return;
    const auto lasted = std::chrono::duration_cast<std::chrono::seconds>(now - known->second);
    since_.erase(known);
    --count_;
    log::info("the smarthost takes this source's mail again",
              {{"about", source},
               {"seconds", static_cast<std::int64_t>(lasted.count())},
               {"ends", kBegins}});
  }

 private:
  static constexpr std::string_view kBegins = "a smarthost refuses this source";

  std::atomic<int> count_{0};
  std::mutex mutex_;
  std::map<std::string, SteadyInstant, std::less<>> since_;
  std::map<std::string, SteadyInstant, std::less<>> told_;  // of senders
};

}  // namespace todoku::delivery::egress
