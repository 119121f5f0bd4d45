// SPDX-License-Identifier: Apache-2.0
#include "delivery/content_slices.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"

namespace todoku::delivery {
namespace {

// Of a part, read at a time: whole lines of base64, which encode to about 260 KiB.
constexpr std::size_t kSliceOctets = 3'400 * kBase64LineOctets;

}  // namespace

std::uint64_t OutsideContent::sent_octets() const {
  std::uint64_t octets = 0;
  for (const OutsidePart& part : parts) octets += part.sent_octets();
  return octets;
}

std::size_t OutsideContent::slice_octets() const {
  const bool some = std::ranges::any_of(
      parts, [](const OutsidePart& part) { return part.conversion != nullptr; });
  return some ? SliceReader::kConvertingOctets : SliceReader::kMemoryOctets;
}

SliceReader::SliceReader(const OutsideContent& content, std::span<const std::string_view> front,
                         std::span<const std::string_view> pieces, std::span<const ContentGap> gaps)
    : content_(content),
      pieces_(pieces),
      gaps_(gaps),
      front_(front.begin(), front.end()),
      out_(front_) {}

void SliceReader::begin() {
  out_ = front_;
  piece_ = gap_ = 0;
  offset_ = 0;
  begun_ = in_gap_ = false;
  writer_.reset();
}

Task<Result<std::span<const std::string_view>>> SliceReader::next() {
  if (!in_gap_) {
    if (std::exchange(begun_, true)) out_.clear();
    collect_pieces();
    in_gap_ = gap_ < gaps_.size();
    const bool some =
        std::ranges::any_of(out_, [](std::string_view piece) { return !piece.empty(); });
    if (some) co_return std::span<const std::string_view>(out_);
    if (!in_gap_) co_return std::span<const std::string_view>();
  }
  const OutsidePart& part = content_.parts[gaps_[gap_].part];
  slice_.clear();
  // Of a line that is not whole nothing may come, if it is converted.
  while (slice_.empty() && in_gap_) {
    auto read = co_await read_on(part);
    if (!read) co_return fail(std::move(read.error()));
  }
  out_.assign(1, slice_);
  co_return std::span<const std::string_view>(out_);
}

Task<Result<void>> SliceReader::read_on(const OutsidePart& part) {
  const auto octets =
      static_cast<std::size_t>(std::min<std::uint64_t>(part.octets - offset_, kSliceOctets));
  auto read = co_await content_.source->read(part.number, part.offset + offset_, octets);
  if (!read) co_return fail(std::move(read.error()));
  if (read->size() != octets) {
    co_return fail(
        ErrorKind::corrupt,
        fmt::format("{} octets of the content were read where {} should be", read->size(), octets));
  }
  co_return give(part, std::move(*read));
}

// Those before the next gap that has anything in it.
void SliceReader::collect_pieces() {
  while (true) {
    const std::size_t end = gap_ < gaps_.size() ? gaps_[gap_].before_piece : pieces_.size();
    while (piece_ < end) out_.push_back(pieces_[piece_++]);
    if (gap_ == gaps_.size() || content_.parts[gaps_[gap_].part].octets > 0) return;
    ++gap_;
  }
}

Result<void> SliceReader::give(const OutsidePart& part, std::string octets) {
  offset_ += octets.size();
  if (part.conversion) {
    if (auto converted = convert(part, octets); !converted) return converted;
  } else if (part.in_base64) {
    append_base64_lines(slice_, octets);
  } else {
    slice_ = std::move(octets);
  }
  if (offset_ < part.octets) return {};
  offset_ = 0;
  ++gap_;
  in_gap_ = false;
  return {};
}

Result<void> SliceReader::convert(const OutsidePart& part, std::string_view octets) {
  const Conversion& conversion = *part.conversion;
  Result<void> done;
  if (!writer_) {
    writer_.emplace(conversion.plan);
    converted_ = 0;
    std::string head;  // the copy has it already
    done = writer_->update(conversion.head, head);
  }
  if (done) done = writer_->update(octets, slice_);
  const bool is_last = offset_ == part.octets;
  if (done && is_last) done = writer_->finish(slice_);
  converted_ += slice_.size();
  // The receiver was told how many octets come.
  const bool fits = is_last ? converted_ == conversion.octets : converted_ <= conversion.octets;
  if (is_last || !done || !fits) writer_.reset();
  if (done && fits) return {};
  return fail(ErrorKind::corrupt, "the content is not what was looked through before");
}

}  // namespace todoku::delivery
