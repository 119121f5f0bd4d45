// SPDX-License-Identifier: Apache-2.0
// How much may wait to be written, in every back end: so many pieces of each priority, and so many
// octets of mails that are not accepted yet. What is beyond that is refused at once, with a
// sentence.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "store/store.h"

namespace todoku::store {

// Its owner's lock guards it.
class Admission {
 public:
  struct Limits {
    std::array<std::size_t, kWritePriorities> queued_max{};
    // All together; a single mail may have more.
    std::size_t accept_octets_max = 0;
  };
  explicit Admission(const Limits& limits) : limits_(limits) {}

  // Why a piece may not wait where `queued` of its priority do. Empty: it may, and its octets count
  // until they are let go.
  [[nodiscard]] std::string_view refuse(WritePriority priority, std::size_t queued,
                                        std::size_t octets);
  void let_go(std::size_t octets) { octets_ -= octets; }
  // Refuses everything from now on.
  void close() { closed_ = true; }
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  const Limits limits_;
  std::size_t octets_ = 0;
  bool closed_ = false;
};

// Memory that it holds while it waits.
[[nodiscard]] std::size_t octets_of(const Accept& accept);

}  // namespace todoku::store
