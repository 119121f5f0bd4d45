// SPDX-License-Identifier: Apache-2.0
// The half of LetterMessage that makes a relayed message fit for a receiver that would not take it
// as it came.
#include <array>
#include <mutex>
#include <string>
#include <utility>

#include "base/check.h"
#include "delivery/letter_message.h"

namespace todoku::delivery {

// What was made, or why it cannot be.
class LetterMessage::Conversions {
 public:
  [[nodiscard]] std::optional<Converted> find(mime::WireOctets taken) const {
    const std::lock_guard lock(mutex_);
    return made_[index_of(taken)];
  }
  // Of two that were made at once, the first is used.
  [[nodiscard]] Converted keep(mime::WireOctets taken, Converted made) {
    const std::lock_guard lock(mutex_);
    auto& kept = made_[index_of(taken)];
    if (!kept) kept = std::move(made);
    return *kept;
  }
  // Nobody makes it while another does: who waits would only do the same work.
  template <class Make>
  [[nodiscard]] Converted find_or(mime::WireOctets taken, Make make) {
    const std::lock_guard lock(mutex_);
    auto& kept = made_[index_of(taken)];
    if (!kept) kept = make();
    return *kept;
  }

 private:
  [[nodiscard]] static std::size_t index_of(mime::WireOctets taken) {
    return taken == mime::WireOctets::seven_bit ? 0 : 1;
  }

  mutable std::mutex mutex_;
  std::array<std::optional<Converted>, 2> made_;
};

std::shared_ptr<LetterMessage::Conversions> LetterMessage::no_conversions() {
  return std::make_shared<Conversions>();
}

bool LetterMessage::has_long_line() const {
  const auto* const relayed = std::get_if<RelayedMessage>(&message_);
  return relayed != nullptr && relayed->has_long_line();
}

bool LetterMessage::needs_smtputf8() const {
  const auto* const relayed = std::get_if<RelayedMessage>(&message_);
  return relayed != nullptr && relayed->needs_smtputf8();
}

std::optional<mime::WireOctets> LetterMessage::must_become(mime::WireOctets taken) const {
  const auto* const relayed = std::get_if<RelayedMessage>(&message_);
  if (relayed == nullptr) return std::nullopt;
  const bool too_wide = relayed->is_eight_bit() && taken == mime::WireOctets::seven_bit;
  if (!too_wide && !relayed->has_long_line()) return std::nullopt;
  // What is 7-bit becomes the same for all.
  return relayed->is_eight_bit() ? taken : mime::WireOctets::seven_bit;
}

Task<Result<LetterMessage::Converted>> LetterMessage::converted(mime::WireOctets taken) const {
  const auto* const relayed = std::get_if<RelayedMessage>(&message_);
  check(relayed != nullptr, "what is composed needs no conversion");
  if (!is_in_slices()) {
    co_return conversions_->find_or(taken, [&] { return convert_whole(*relayed, taken); });
  }
  if (auto known = conversions_->find(taken)) co_return std::move(*known);
  const std::array<std::string_view, 1> front{relayed->head()};
  constexpr std::array<ContentGap, 1> kOnlyGap{};
  SliceReader reader(outside_, front, {}, kOnlyGap);
  mime::SevenBitScan scan(taken);
  Result<void> sound;
  while (sound) {
    const auto pieces = co_await reader.next();
    if (!pieces) co_return fail(pieces.error());
    if (pieces->empty()) break;
    for (const std::string_view piece : *pieces) {
      if (sound) sound = scan.update(piece);
    }
  }
  auto plan = sound ? scan.finish() : Result<mime::SevenBitPlan>(fail(sound.error()));
  co_return conversions_->keep(taken, plan ? convert_slices(*relayed, std::move(*plan), taken)
                                           : Converted{nullptr, plan.error().detail});
}

LetterMessage::Converted LetterMessage::convert_whole(const RelayedMessage& message,
                                                      mime::WireOctets taken) {
  const auto cannot = [](const Error& error) { return Converted{nullptr, error.detail}; };
  mime::SevenBitScan scan(taken);
  if (auto sound = scan.update(message.head()); !sound) return cannot(sound.error());
  for (const std::string_view piece : message.body()) {
    if (auto sound = scan.update(piece); !sound) return cannot(sound.error());
  }
  auto plan = scan.finish();
  if (!plan) return cannot(plan.error());
  std::string octets;
  octets.reserve(static_cast<std::size_t>(plan->octets()));
  mime::SevenBitWriter writer(std::move(*plan));
  if (auto done = writer.update(message.head(), octets); !done) return cannot(done.error());
  for (const std::string_view piece : message.body()) {
    if (auto done = writer.update(piece, octets); !done) return cannot(done.error());
  }
  if (auto done = writer.finish(octets); !done) return cannot(done.error());
  auto built =
      RelayedMessage::build(std::move(octets), {.added = {}, .smtputf8 = message.needs_smtputf8()});
  if (!built) return cannot(built.error());
  return {std::make_shared<const LetterMessage>(std::move(*built)), {}};
}

LetterMessage::Converted LetterMessage::convert_slices(const RelayedMessage& message,
                                                       mime::SevenBitPlan plan,
                                                       mime::WireOctets taken) const {
  const auto cannot = [](const Error& error) { return Converted{nullptr, error.detail}; };
  std::string head;
  mime::SevenBitWriter writer(plan);
  if (auto done = writer.update(message.head(), head); !done) return cannot(done.error());
  const std::uint64_t body = plan.octets() - head.size();
  auto of_head = RelayedMessage::of_head(
      head,
      {.outside = body,
       .has_leading_dot = true,  // for all that is known
       .is_eight_bit = message.is_eight_bit() && taken == mime::WireOctets::eight_bit},
      {.added = {}, .smtputf8 = message.needs_smtputf8()});
  if (!of_head) return cannot(of_head.error());
  OutsideContent outside = outside_;
  outside.parts.front().conversion = std::make_shared<const Conversion>(
      Conversion{.plan = std::move(plan), .head = std::string(message.head()), .octets = body});
  return {std::make_shared<const LetterMessage>(std::move(*of_head), std::move(outside)), {}};
}

}  // namespace todoku::delivery
