// SPDX-License-Identifier: Apache-2.0
// What owners of endpoints of webhooks ask for, as their requests' JSON says it, and which words
// that takes.
#pragma once

#include <cstddef>
#include <string_view>

#include <boost/json/object.hpp>

#include "base/clock.h"
#include "base/digest.h"
#include "events/endpoints/registry.h"
#include "intake/problem.h"

namespace todoku::api {

inline constexpr std::size_t kWebhookKindsMax = 20;
inline constexpr std::size_t kWebhookDomainsMax = 20;
inline constexpr std::size_t kWebhookPurposesMax = 3;
inline constexpr std::int64_t kOverlapHoursMax = 168;

[[nodiscard]] std::string_view to_string(store::WebhookForm form);
[[nodiscard]] std::string_view to_string(store::WebhookStatus status);

[[nodiscard]] events::endpoints::NewEndpoint read_new_webhook(const boost::json::object& object,
                                                              intake::Problems& problems);
// Of the request that makes it (intake/fingerprint.h), that replaces the secret of this one, and
// that has events told again to it.
[[nodiscard]] Sha256 fingerprint_of(const events::endpoints::NewEndpoint& request);
[[nodiscard]] Sha256 fingerprint_of(std::string_view webhook, Milliseconds overlap);
[[nodiscard]] Sha256 fingerprint_of(std::string_view webhook,
                                    const events::endpoints::ReplayOrder& order);
[[nodiscard]] events::endpoints::EndpointChange read_webhook_change(
    const boost::json::object& object, intake::Problems& problems);
[[nodiscard]] Milliseconds read_overlap(const boost::json::object& object,
                                        intake::Problems& problems);
[[nodiscard]] events::endpoints::ReplayOrder read_replay(const boost::json::object& object,
                                                         intake::Problems& problems);

}  // namespace todoku::api
