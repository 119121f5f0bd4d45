// SPDX-License-Identifier: Apache-2.0
#include "delivery/letter_message.h"

#include <array>
#include <mutex>
#include <optional>
#include <string>

#include "base/check.h"
#include "base/digest.h"

namespace todoku::delivery {
namespace {

// What tells the body of a copy from those of other copies of its letter.
Sha256 own_of(const OutgoingMessage& copy) {
  std::string own;
  for (const std::string_view piece : copy.body()) {
    own += std::to_string(piece.size());
    own += ':';
    own += piece;
  }
  return sha256(own);
}

}  // namespace

// Hashes of the bodies that were asked for last. All copies of a transaction or a relayed message
// have one; copies of a bulk have one each.
class LetterMessage::Hashes {
 public:
  [[nodiscard]] std::optional<mailauth::dkim::BodyHash> find(const Sha256& own) const {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : entries_) {
      if (entry.hash && entry.own == own) return entry.hash;
    }
    return std::nullopt;
  }
  void keep(const Sha256& own, const mailauth::dkim::BodyHash& hash) {
    const std::lock_guard lock(mutex_);
    entries_[next_++ % entries_.size()] = {own, hash};
  }

 private:
  struct Entry {
    Sha256 own{};
    std::optional<mailauth::dkim::BodyHash> hash;
  };
  mutable std::mutex mutex_;
  std::array<Entry, 8> entries_;
  std::size_t next_ = 0;
};

LetterMessage::LetterMessage(mime::MessageTemplate composed, OutsideContent outside)
    : message_(std::move(composed)),
      outside_(std::move(outside)),
      hashes_(std::make_shared<Hashes>()) {}

LetterMessage::LetterMessage(RelayedMessage relayed)
    : message_(std::move(relayed)), conversions_(no_conversions()) {}

LetterMessage::LetterMessage(RelayedMessage relayed, OutsideContent outside)
    : message_(std::move(relayed)),
      outside_(std::move(outside)),
      hashes_(std::make_shared<Hashes>()),
      conversions_(no_conversions()) {}

Task<Result<LetterMessage>> LetterMessage::relay_in_slices(
    std::shared_ptr<const ContentSource> source, std::uint64_t octets,
    RelayedMessage::Options options) {
  const OutsideContent whole{.source = source, .parts = {{.octets = octets}}};
  constexpr std::array<ContentGap, 1> kOnlyGap{};
  SliceReader reader(whole, {}, {}, kOnlyGap);
  RelayedScan scan;
  while (scan.octets() < octets) {
    const auto slice = co_await reader.next();
    if (!slice) co_return fail(slice.error());
    if (const auto sound = scan.update(slice->front()); !sound) co_return fail(sound.error());
  }
  auto message = scan.finish(options);
  if (!message) co_return fail(std::move(message.error()));
  OutsideContent body{
      .source = std::move(source),
      .parts = {{.offset = scan.head_octets(), .octets = octets - scan.head_octets()}}};
  co_return LetterMessage(std::move(*message), std::move(body));
}

Task<Result<mailauth::dkim::BodyHash>> LetterMessage::body_hash(const OutgoingMessage& copy) const {
  check(hashes_ != nullptr, "only what is not in memory is read");
  const Sha256 own = own_of(copy);
  if (const auto known = hashes_->find(own)) co_return *known;
  SliceReader reader = slices({}, copy);
  mailauth::dkim::BodyHasher hasher;
  while (true) {
    const auto pieces = co_await reader.next();
    if (!pieces) co_return fail(pieces.error());
    if (pieces->empty()) break;
    for (const std::string_view piece : *pieces) hasher.update(piece);
  }
  const mailauth::dkim::BodyHash hash = hasher.finish();
  hashes_->keep(own, hash);
  co_return hash;
}

std::uint64_t LetterMessage::octets_in_memory(std::uint64_t octets) const {
  const std::uint64_t elsewhere = outside_.sent_octets();
  return (octets > elsewhere ? octets - elsewhere : 0) + slice_octets();
}

void LetterMessage::write_tokens(const CopyFor& copy, OutgoingMessage& out) const {
  const auto& message = std::get<mime::MessageTemplate>(message_);
  const auto account = static_cast<std::int64_t>(tokens_.account);
  const mime::Identity& whose = copy.identity;
  out.pixel_token_.clear();
  if (message.has_pixel() && tokens_.opens) {
    tokens_.opens->append(out.pixel_token_, {account, whose.delivery, whose.batch, whose.seq},
                          out.token_scratch_);
  }
  out.unsubscribe_token_.clear();
  if (message.may_link_to_us() && tokens_.unsubscribes) {
    tokens_.unsubscribes->append(out.unsubscribe_token_,
                                 {account, whose.delivery, whose.batch, whose.seq}, tokens_.list_id,
                                 copy.address, out.token_scratch_);
  }
}

void LetterMessage::begin(const CopyFor& copy, OutgoingMessage& out) const {
  out.gaps_.clear();
  if (const auto* relayed = std::get_if<RelayedMessage>(&message_)) {
    out.view_ = {.headers = relayed->headers(),
                 .head = relayed->head(),
                 .body = relayed->body(),
                 .size = relayed->size(),
                 .has_leading_dot = relayed->has_leading_dot(),
                 .is_eight_bit = relayed->is_eight_bit(),
                 .needs_smtputf8 = relayed->needs_smtputf8()};
    if (is_in_slices()) out.gaps_.push_back({relayed->body().size(), 0});
    return;
  }
  const mime::ComposedMessage& composed = out.composed_;
  const auto& message = std::get<mime::MessageTemplate>(message_);
  write_tokens(copy, out);
  message.compose({copy.address, mime::view_codes(copy.insert_codes, out.codes_), out.pixel_token_,
                   out.unsubscribe_token_},
                  copy.identity, out.composed_);
  out.view_ = {.headers = composed.headers(),
               .head = composed.head(),
               .body = composed.body(),
               .size = composed.size(),
               .has_leading_dot = composed.has_leading_dot(),
               .charset_fell_back = composed.charset_fell_back()};
  for (const auto& gap : composed.gaps()) out.gaps_.push_back({gap.before_piece, gap.attachment});
}

std::uint64_t LetterMessage::octets_of(std::span<const InsertCode> insert_codes,
                                       OutgoingMessage& scratch) const {
  if (const auto* relayed = std::get_if<RelayedMessage>(&message_)) return relayed->size();
  return std::get<mime::MessageTemplate>(message_).expanded_octets(
      mime::view_codes(insert_codes, scratch.codes_));
}

std::size_t LetterMessage::memory_octets() const {
  const std::size_t octets =
      std::visit([](const auto& message) { return message.memory_octets(); }, message_);
  const bool may_be_converted =
      !is_in_slices() && must_become(mime::WireOctets::seven_bit).has_value();
  // In lines of base64 it is less than half as large again, and is kept beside what came.
  return may_be_converted ? 2 * octets + octets / 2 : octets;
}

void OutgoingMessage::trim(std::size_t octets_max) {
  view_ = {};
  gaps_.clear();
  composed_.trim(octets_max);
}

}  // namespace todoku::delivery
