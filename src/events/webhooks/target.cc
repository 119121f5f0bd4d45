// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/target.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "store/codec.h"

namespace todoku::events::webhooks {
namespace {

constexpr std::uint64_t kForeign = 16;
static_assert(kForeign > kSecretsMax);

std::string context_of(std::string_view name) {
  return "webhook/" + std::string(name);
}

std::unexpected<Error> garbled() {
  return fail(ErrorKind::corrupt, "what is secret about an endpoint cannot be read");
}

}  // namespace

std::vector<SigningSecret> EndpointTarget::signing(Instant now) const {
  std::vector<SigningSecret> all;
  for (const EndpointSecret& each : secrets) {
    if (each.until && *each.until <= now) continue;
    // A secret is not copied but by its text, which was read before.
    all.push_back(std::move(SigningSecret::parse(each.secret.to_text()).value()));
  }
  return all;
}

Result<void> EndpointTarget::rotate(SigningSecret next, Instant now, Milliseconds overlap) {
  std::erase_if(secrets,
                [&](const EndpointSecret& each) { return each.until && *each.until <= now; });
  if (overlap > Milliseconds(0) && secrets.size() >= kSecretsMax) {
    return fail(
        ErrorKind::conflict,
        fmt::format("{} secrets sign already, each as long as was promised; wait, or rotate "
                    "with overlap_hours 0, which ends those before",
                    secrets.size()));
  }
  for (EndpointSecret& each : secrets) {
    if (!each.until || overlap == Milliseconds(0)) each.until = now + overlap;
  }
  secrets.insert(secrets.begin(), EndpointSecret{std::move(next), std::nullopt});
  if (secrets.size() > kSecretsMax) {
    secrets.erase(secrets.begin() + static_cast<std::ptrdiff_t>(kSecretsMax), secrets.end());
  }
  return {};
}

std::string seal_target(const SecretBox& box, std::string_view name, const EndpointTarget& target) {
  std::string packed;
  store::put_text(packed, target.url.view());
  store::put_varint(packed, target.secrets.size() + (target.is_foreign ? kForeign : 0));
  for (const EndpointSecret& each : target.secrets) {
    store::put_text(packed, each.secret.to_text().view());
    store::put_varint(packed, each.until ? 1 : 0);
    store::put_zigzag(packed, each.until ? to_epoch_ms(*each.until) : 0);
  }
  std::string sealed = box.seal(packed, context_of(name));
  wipe(packed);
  return sealed;
}

Result<EndpointTarget> open_target(const SecretBox& box, std::string_view name,
                                   std::string_view sealed) {
  const auto opened = box.open(sealed, context_of(name));
  if (!opened) return fail(opened.error());
  store::BlobReader in(opened->view());
  EndpointTarget target;
  target.url = SecretText(std::string(in.text()));
  std::uint64_t count = in.varint();
  target.is_foreign = count >= kForeign;
  if (target.is_foreign) count -= kForeign;
  if (count > kSecretsMax) return garbled();
  for (std::uint64_t i = 0; i < count; ++i) {
    auto secret = SigningSecret::parse(in.text());
    const bool ends = in.varint() != 0;
    const std::int64_t until = in.zigzag();
    if (in.failed() || !secret) return garbled();
    target.secrets.push_back(
        {std::move(*secret), ends ? std::optional(from_epoch_ms(until)) : std::nullopt});
  }
  if (in.failed() || !in.at_end()) return garbled();
  return target;
}

}  // namespace todoku::events::webhooks
