// SPDX-License-Identifier: Apache-2.0
// A message on its way from standard input to the relay: small ones stay in memory, of larger ones
// all is in a temporary file that has no name, so that memory is flat. Given out in slices, from
// the beginning as often as it is wanted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "smtp/client/connection.h"

namespace todoku::cli {

class MessageSpool final : public smtp::ContentSlices {
 public:
  static constexpr std::size_t kMemoryOctetsMax = std::size_t{1} << 20U;
  static constexpr std::uint64_t kOctetsMax = std::uint64_t{2} << 30U;
  static constexpr std::size_t kSliceOctets = std::size_t{256} << 10U;

  // `folders`: where its file may be; the first that takes one has it.
  explicit MessageSpool(std::vector<std::string> folders) : folders_(std::move(folders)) {}
  MessageSpool(const MessageSpool&) = delete;
  MessageSpool& operator=(const MessageSpool&) = delete;
  ~MessageSpool() override;

  // The next octets. Errors: io (no folder takes a file, or the disk is full), limit_exceeded.
  [[nodiscard]] Result<void> add(std::string_view octets);
  // Goes in front of all that is added.
  void put_first(std::string_view octets);

  [[nodiscard]] std::uint64_t octets() const { return first_.size() + octets_; }
  [[nodiscard]] bool is_eight_bit() const { return is_eight_bit_; }
  [[nodiscard]] bool is_in_memory() const { return file_ < 0; }

  void begin() override;
  [[nodiscard]] Task<Result<std::span<const std::string_view>>> next() override;

 private:
  [[nodiscard]] Result<void> write_memory();

  const std::vector<std::string> folders_;
  std::string first_;
  std::string memory_;  // what is not in the file yet
  int file_ = -1;
  std::uint64_t octets_ = 0;
  bool is_eight_bit_ = false;
  std::uint64_t read_ = 0;  // of first_ and what was added
  std::string slice_;
  std::string_view view_;
};

}  // namespace todoku::cli
