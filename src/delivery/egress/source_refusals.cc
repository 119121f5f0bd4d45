// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/source_refusals.h"

#include <cstdint>

#include <fmt/format.h>

#include "base/log.h"

namespace todoku::delivery::egress {
namespace {

constexpr std::string_view kSmarthostRefuses = "a smarthost refuses this source";
constexpr std::string_view kAddressRefused = "a receiver refuses a source as blocklisted";

std::string name_of(std::string_view source, std::string_view where) {
  return fmt::format("{} at {}", source, where);
}

}  // namespace

bool SourceRefusals::began(What what, std::string_view source, std::string_view where,
                           SteadyInstant now) {
  const std::lock_guard lock(mutex_);
  if (refusals_.size() >= kMost) return false;
  const bool is_new =
      refusals_.try_emplace(name_of(source, where), Refusal{.what = what, .since = now}).second;
  count_ = refusals_.size();
  return is_new;
}

void SourceRefusals::smarthost_refuses(std::string_view source, std::string_view host,
                                       const Reply& reply, SteadyInstant now) {
  if (!began(What::smarthost, source, host, now)) return;
  log::error(kSmarthostRefuses, {{"about", name_of(source, host)},
                                 {"source", source},
                                 {"smarthost", host},
                                 {"code", static_cast<std::int64_t>(reply.code)},
                                 {"reply", reply.text}});
}

void SourceRefusals::sender_refused(std::string_view source, std::string_view host,
                                    const Reply& reply, SteadyInstant now) {
  constexpr std::chrono::hours kOnceIn{1};
  {
    const std::lock_guard lock(mutex_);
    const auto [told, is_new] = senders_told_.try_emplace(std::string(source), now);
    if (!is_new && now - told->second < kOnceIn) return;
    told->second = now;
  }
  log::error("a smarthost does not let this source send as a sender",
             {{"about", name_of(source, host)},
              {"source", source},
              {"smarthost", host},
              {"code", static_cast<std::int64_t>(reply.code)},
              {"reply", reply.text}});
}

void SourceRefusals::address_refused(std::string_view source, std::string_view site,
                                     const Reply& reply, SteadyInstant now) {
  if (!began(What::address, source, site, now)) return;
  log::error(kAddressRefused,
             {{"about", name_of(source, site)},
              {"source", source},
              {"site", site},
              {"code", static_cast<std::int64_t>(reply.code)},
              {"reply", reply.text},
              {"advice",
               "the source rests there, others of its pool send: find why the list that is named "
               "has the address, stop that, then ask there to be taken off"}});
}

void SourceRefusals::mail_taken(std::string_view source, std::string_view where,
                                SteadyInstant now) {
  if (count_.load() == 0) return;
  const std::string name = name_of(source, where);
  Refusal over;
  {
    const std::lock_guard lock(mutex_);
    const auto known = refusals_.find(name);
    if (known == refusals_.end()) return;
    over = known->second;
    refusals_.erase(known);
    count_ = refusals_.size();
  }
  const bool was_address = over.what == What::address;
  const auto lasted = std::chrono::duration_cast<std::chrono::seconds>(now - over.since);
  log::info(was_address ? "a receiver takes mail of the source again"
                        : "the smarthost takes this source's mail again",
            {{"about", name},
             {"seconds", static_cast<std::int64_t>(lasted.count())},
             {"ends", was_address ? kAddressRefused : kSmarthostRefuses}});
}

}  // namespace todoku::delivery::egress
