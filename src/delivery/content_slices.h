// SPDX-License-Identifier: Apache-2.0
// Content that is too large to stay in memory: it is read where it is kept, a slice at a time, as
// the connection takes it. A letter knows which parts of its message are outside; what is personal
// stays small and in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/base64_lines.h"
#include "base/result.h"
#include "mime/seven_bit.h"

namespace todoku::delivery {

// Where the parts of one delivery's content are kept.
class ContentSource {
 public:
  virtual ~ContentSource() = default;
  // Octets of a part from `offset`: all of these, or an error. Each is a short question of its own:
  // nothing is held from one to the next. Any thread; resumes on the caller's executor. Errors:
  // those of who keeps it; it may have been deleted.
  [[nodiscard]] virtual Task<Result<std::string>> read(std::size_t part, std::uint64_t offset,
                                                       std::size_t octets) const = 0;
};

// What the body of a relayed message is to become on its way (mime/seven_bit.h).
struct Conversion {
  mime::SevenBitPlan plan;   // of the whole message
  std::string head;          // its header section, as it came
  std::uint64_t octets = 0;  // of the body that comes of it
};

// One part that is left out of a message.
struct OutsidePart {
  std::size_t number = 0;    // by which the source knows it
  std::uint64_t offset = 0;  // in what is kept
  std::uint64_t octets = 0;
  bool in_base64 = false;                                  // it is sent in lines of base64
  std::shared_ptr<const Conversion> conversion = nullptr;  // null: it is sent as it is

  [[nodiscard]] std::uint64_t sent_octets() const {
    if (conversion) return conversion->octets;
    return in_base64 ? base64_lines_size(octets) : octets;
  }
};

struct OutsideContent {
  std::shared_ptr<const ContentSource> source;  // null: nothing is outside
  std::vector<OutsidePart> parts;

  [[nodiscard]] std::uint64_t sent_octets() const;
  // Memory that it takes to read it (SliceReader).
  [[nodiscard]] std::size_t slice_octets() const;
};

// Where in a copy a part belongs: before this one of its pieces, or after the last.
struct ContentGap {
  std::size_t before_piece = 0;
  std::size_t part = 0;  // of OutsideContent::parts
};

// Goes through the octets of one copy in order.
class SliceReader {
 public:
  // Memory for a slice, encoded and as it was read.
  static constexpr std::size_t kMemoryOctets = 512UL * 1024;
  // The same where it is converted: with the longest line there may be, and every octet in three.
  static constexpr std::size_t kConvertingOctets = 3UL * 1024 * 1024;

  // Everything given outlives it. `front` goes before the pieces and the gaps between them.
  SliceReader(const OutsideContent& content, std::span<const std::string_view> front,
              std::span<const std::string_view> pieces, std::span<const ContentGap> gaps);

  // From the beginning once more.
  void begin();
  // The next octets, valid until the next call; none at the end. After an error: begin() first.
  [[nodiscard]] Task<Result<std::span<const std::string_view>>> next();

 private:
  void collect_pieces();
  [[nodiscard]] Task<Result<void>> read_on(const OutsidePart& part);
  [[nodiscard]] Result<void> give(const OutsidePart& part, std::string octets);
  [[nodiscard]] Result<void> convert(const OutsidePart& part, std::string_view octets);

  const OutsideContent& content_;
  const std::span<const std::string_view> pieces_;
  const std::span<const ContentGap> gaps_;
  const std::vector<std::string_view> front_;
  std::vector<std::string_view> out_;
  std::size_t piece_ = 0;     // the next one
  std::size_t gap_ = 0;       // the next one, or the one it is in
  std::uint64_t offset_ = 0;  // in that gap's part
  bool begun_ = false;
  bool in_gap_ = false;
  std::string slice_;
  std::optional<mime::SevenBitWriter> writer_;  // while it is in a part that is converted
  std::uint64_t converted_ = 0;                 // octets of that part
};

}  // namespace todoku::delivery
