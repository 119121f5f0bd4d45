// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/source_refusals.h"

#include <chrono>
#include <cstdint>
#include <utility>

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

bool SourceRefusals::began(What what, std::string name, SteadyInstant now) {
  Refusals& refusals = what == What::address ? addresses_ : smarthosts_;
  if (const auto known = refusals.find(name); known != refusals.end()) {
    known->second.last = now;
    return false;
  }
  if (refusals.size() >= kMost) return false;
  refusals.emplace(std::move(name), Refusal{.since = now, .last = now});
  return true;
}

void SourceRefusals::forget_old(SteadyInstant now, std::vector<Over>& over) {
  constexpr std::chrono::minutes kLookEvery{10};
  if (now - looked_at_ < kLookEvery) return;
  looked_at_ = now;
  const auto forget = [&](What what, Refusals& refusals) {
    std::erase_if(refusals, [&](const Refusals::value_type& each) {
      if (now - each.second.last < kRemembered) return false;
      over.push_back({.what = what, .name = each.first, .refusal = each.second});
      return true;
    });
  };
  forget(What::smarthost, smarthosts_);
  forget(What::address, addresses_);
}

void SourceRefusals::count() {
  count_ = smarthosts_.size() + addresses_.size();
}

void SourceRefusals::tell(const std::vector<Over>& over, SteadyInstant now) {
  for (const Over& each : over) {
    const bool was_address = each.what == What::address;
    const auto lasted = std::chrono::duration_cast<std::chrono::seconds>(now - each.refusal.since);
    const std::string_view event = !each.mail_was_taken ? "a source has not been refused for a day"
                                   : was_address ? "a receiver takes mail of the source again"
                                                 : "the smarthost takes this source's mail again";
    log::info(event, {{"about", each.name},
                      {"seconds", static_cast<std::int64_t>(lasted.count())},
                      {"ends", was_address ? kAddressRefused : kSmarthostRefuses}});
  }
}

void SourceRefusals::refused(What what, std::string_view source, std::string_view where,
                             const Reply& reply, SteadyInstant now) {
  std::vector<Over> over;
  bool is_new = false;
  {
    const std::lock_guard lock(mutex_);
    forget_old(now, over);
    is_new = began(what, name_of(source, where), now);
    count();
  }
  tell(over, now);
  if (!is_new) return;
  if (what == What::smarthost) {
    log::error(kSmarthostRefuses, {{"about", name_of(source, where)},
                                   {"source", source},
                                   {"smarthost", where},
                                   {"code", static_cast<std::int64_t>(reply.code)},
                                   {"reply", reply.text}});
    return;
  }
  log::error(kAddressRefused,
             {{"about", name_of(source, where)},
              {"source", source},
              {"site", where},
              {"code", static_cast<std::int64_t>(reply.code)},
              {"reply", reply.text},
              {"advice",
               "the source rests there, others of its pool send: find why the list that is named "
               "has the address, stop that, then ask there to be taken off"}});
}

void SourceRefusals::smarthost_refuses(std::string_view source, std::string_view host,
                                       const Reply& reply, SteadyInstant now) {
  refused(What::smarthost, source, host, reply, now);
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
  refused(What::address, source, site, reply, now);
}

void SourceRefusals::mail_taken(std::string_view source, std::string_view where,
                                SteadyInstant now) {
  if (count_.load() == 0) return;
  const std::string name = name_of(source, where);
  std::vector<Over> over;
  const auto end = [&](What what, Refusals& refusals) {
    const auto known = refusals.find(name);
    if (known == refusals.end()) return;
    over.push_back({.what = what, .name = name, .refusal = known->second, .mail_was_taken = true});
    refusals.erase(known);
  };
  {
    const std::lock_guard lock(mutex_);
    end(What::smarthost, smarthosts_);
    end(What::address, addresses_);
    forget_old(now, over);
    count();
  }
  tell(over, now);
}

}  // namespace todoku::delivery::egress
