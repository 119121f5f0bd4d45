// SPDX-License-Identifier: Apache-2.0
#include "api/views.h"

#include <utility>

#include "api/api.h"

namespace todoku::api {

bool KnownViews::is_known(const View& view, SteadyInstant now) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(view);
  return found != known_.end() && now < found->second + kWhile;
}

void KnownViews::add(View view, SteadyInstant now) {
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMax) known_.clear();
  known_.insert_or_assign(std::move(view), now);
}

Task<std::optional<http::Response>> note_view(Api& api, Call& call, Viewed viewed) {
  // Of whom it is about is said by `email`, or by the address where that is not known.
  std::string what(viewed.what);
  if (viewed.email == 0) what += " " + viewed.address;
  KnownViews::View view{call.actor, call.from.to_string(), std::move(what), viewed.delivery,
                        viewed.email};
  const SteadyInstant now = api.clock().steady_now();
  if (api.known_views().is_known(view, now)) co_return std::nullopt;
  store::AuditEntry entry{.actor = call.actor,
                          .action = std::string(viewed.what),
                          .account = call.account.key,
                          .delivery = viewed.delivery,
                          .email = viewed.email,
                          .origin = call.from.to_string()};
  const auto noted = co_await api.store().write(
      store::WritePriority::claims,
      [entry = std::move(entry), address = viewed.address](store::WriteTransaction& writer) {
        return writer.add_audit(entry, address);
      });
  if (!noted) co_return refused(intake::refusal_of(noted.error()), call.language);
  api.known_views().add(std::move(view), now);
  co_return std::nullopt;
}

}  // namespace todoku::api
