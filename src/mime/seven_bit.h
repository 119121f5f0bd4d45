// SPDX-License-Identifier: Apache-2.0
// Makes a raw message fit for a receiver without 8BITMIME (RFC 6152 section 3), and lines of over
// 998 octets fit for any: the bodies of leaf parts that have such are encoded anew, and the
// Content-Transfer-Encoding of these and of the multiparts around them says so. A message without
// MIME-Version, of which a reader may not believe its encoding, gets one; if it has no content type
// either and is 8-bit, one with the charset utf-8, or unknown-8bit (RFC 1428). Nothing else is
// changed.
//
// The message goes through twice, in slices that are cut anywhere: SevenBitScan finds out what is
// to be done, SevenBitWriter does it. The same message gives the same octets. Memory: a line, a
// header section, and some octets for each part.
//
// Refused is what would break a signature (DKIM, ARC, S/MIME, PGP), and what readers may
// understand in different ways: a delimiter that is cut short, parts that do not end, fields that
// are doubled, encodings that are not known or not kept to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mime/transfer_encoding.h"

namespace todoku::mime {

struct EntityHead;

inline constexpr std::size_t kPartNestingMax = 32;
inline constexpr std::size_t kPartsMax = 10'000;
inline constexpr std::size_t kPartHeadOctetsMax = 1UL << 20U;
// Longer lines than the door takes (64 KiB) are nobody's text.
inline constexpr std::size_t kSevenBitLineOctetsMax = 128UL * 1024;

// Which octets the receiver takes. Lines of over 998 octets nobody does.
enum class WireOctets : std::uint8_t { seven_bit, eight_bit };

// What is to be done with a message, part by part.
class SevenBitPlan {
 public:
  // The message goes as it is: nothing is done to it.
  [[nodiscard]] bool changes_nothing() const { return parts_.empty(); }
  // Of the message as it will be.
  [[nodiscard]] std::uint64_t octets() const { return octets_; }

 private:
  friend class SevenBitScan;
  friend class SevenBitWriter;

  struct Part {
    bool is_relabelled = false;  // its Content-Transfer-Encoding will be `encoding`
    bool is_encoded = false;     // its body is not yet so
    bool gets_version = false;   // MIME-Version
    TransferEncoding encoding = TransferEncoding::seven_bit;
    const char* charset = nullptr;  // of the content type that it gets; null: none
  };
  // Its header section with what is to be said in it.
  [[nodiscard]] static std::string said(const Part& part, const EntityHead& read,
                                        std::string_view head);

  std::vector<Part> parts_;  // entities in their order, multiparts as well
  std::uint64_t octets_ = 0;
};

class SevenBitScan {
 public:
  explicit SevenBitScan(WireOctets taken = WireOctets::seven_bit);
  ~SevenBitScan();
  SevenBitScan(SevenBitScan&&) noexcept;
  SevenBitScan& operator=(SevenBitScan&&) noexcept;

  // The next octets of the message. Error invalid_input: a NUL, or a line that does not end with
  // CRLF.
  [[nodiscard]] Result<void> update(std::string_view slice);
  // After the last of them. Of a message with which nothing is to be done any structure is fine; of
  // others, errors with a clause: invalid_input, e.g. "has a signature that another encoding would
  // break"; limit_exceeded for the limits above.
  [[nodiscard]] Result<SevenBitPlan> finish();

 private:
  class Look;
  std::unique_ptr<Look> look_;
};

// Of the message that the plan was made of, octet for octet: what else comes in is an error or
// gives nonsense, never harm.
class SevenBitWriter {
 public:
  explicit SevenBitWriter(SevenBitPlan plan);
  ~SevenBitWriter();
  SevenBitWriter(SevenBitWriter&&) noexcept;
  SevenBitWriter& operator=(SevenBitWriter&&) noexcept;

  // Appends what the next octets become. Errors: invalid_input.
  [[nodiscard]] Result<void> update(std::string_view slice, std::string& out);
  [[nodiscard]] Result<void> finish(std::string& out);

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace todoku::mime
