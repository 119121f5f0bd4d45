// SPDX-License-Identifier: Apache-2.0
// For the API: a mail as it would be sent, shown and judged before it is (api/previews.h). Composed
// where mail is composed for sending, with secrets that open nothing.
#pragma once

#include <utility>

#include "api/previews.h"
#include "base/clock.h"
#include "delivery/dead_secrets.h"
#include "delivery/key_ring.h"
#include "delivery/options.h"
#include "delivery/sample_letters.h"
#include "store/store.h"

namespace todoku::app {

// How long mails are composed to be judged: none is begun after it.
inline constexpr Milliseconds kLintWithin{1'000};
// Of one address the newest mails that are looked through for the one of a delivery.
inline constexpr int kStoriesLookedThrough = 10'000;

// Thread-safe. What is given outlives it.
class ComposedPreviews final : public api::Previews {
 public:
  ComposedPreviews(store::Store& store, delivery::KeyRing& keys, const Clock& clock,
                   delivery::Options options)
      : store_(store),
        clock_(clock),
        letters_(store, keys, delivery::with_dead_secrets(std::move(options))) {}

  [[nodiscard]] Task<Result<api::Preview>> preview(store::Account account,
                                                   api::PreviewWish wish) override;
  [[nodiscard]] Task<Result<doctor::PreflightReport>> lint(store::Account account,
                                                           api::PreviewWish wish) override;

 private:
  struct Drawn {
    delivery::DrawnLetter letter;
    bool is_recipient = false;  // the first of its sample is
  };
  [[nodiscard]] Task<Result<Drawn>> draw(store::Account account, api::PreviewWish wish,
                                         std::size_t sample_max) const;
  [[nodiscard]] Task<Result<store::SampledRecipient>> recipient_of(store::AccountKey account,
                                                                   store::DeliveryKey delivery,
                                                                   std::string email) const;

  store::Store& store_;
  const Clock& clock_;
  const delivery::SampleLetters letters_;
};

}  // namespace todoku::app
