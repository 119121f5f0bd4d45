// SPDX-License-Identifier: Apache-2.0
// Messages of a delivery as they would be sent if it began now, for some of its recipients: for who
// judges them before it begins. Nothing is stored.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "delivery/key_ring.h"
#include "delivery/letter.h"
#include "delivery/letter_material.h"
#include "delivery/options.h"
#include "delivery/whole_copy.h"
#include "mail/labels.h"
#include "store/recipient_sample.h"
#include "store/store.h"

namespace todoku::delivery {

// What a delivery's messages are made of.
struct DrawnLetter {
  store::Delivery delivery;
  Content texts;  // without attachments
  std::vector<store::SampledRecipient> sample;
  std::vector<std::optional<StopReason>> stopped;  // of each
  std::shared_ptr<const Letter> letter;
};

// What is drawn beside what is stored.
struct DrawnOtherwise {
  // Makes something else of what the delivery says: its texts, its attachments with their data,
  // what it is for. nullptr: it stays. Not of a relayed message, which is as it came.
  std::function<void(Content&, Labels&)> change = nullptr;
};

// Thread-safe. What is given outlives it.
class SampleLetters {
 public:
  SampleLetters(store::Store& store, KeyRing& keys, Options options)
      : store_(store), keys_(keys), options_(std::move(options)) {}

  // One that has begun is drawn as it began; else it begins `now`, signed by the keys that sign
  // now. Errors, besides those of the store: not_found, unsupported (a key that signed it is gone,
  // or what it was made of), invalid_input (no message can be made of it).
  [[nodiscard]] Task<Result<DrawnLetter>> draw(store::AccountKey account, store::PublicId delivery,
                                               std::size_t sample_max, Instant now,
                                               DrawnOtherwise otherwise = {}) const;
  // Of a delivery that is stored nowhere: its account, type and labels count, and `content`, which
  // is in memory as a whole. It has no sample: whom it is for is for the caller to put in.
  [[nodiscard]] Task<Result<DrawnLetter>> draw_unstored(store::Delivery delivery, Content content,
                                                        Instant now) const;
  // The copy of one of its sample. Errors: those of whole_copy(). `drawn` outlives the task.
  [[nodiscard]] Task<Result<WholeCopy>> compose(const DrawnLetter& drawn, std::size_t which) const;
  [[nodiscard]] std::string mail_from(const DrawnLetter& drawn, std::size_t which) const {
    return mail_from_of(*drawn.letter, drawn.sample[which].key, options_);
  }

 private:
  [[nodiscard]] Task<Result<DrawnLetter>> letter_of(LetterMaterial material, Instant now) const;

  store::Store& store_;
  KeyRing& keys_;
  const Options options_;
};

}  // namespace todoku::delivery
