// SPDX-License-Identifier: Apache-2.0
// Whether a process makes its RSA-2048 signatures eight at a time (mailauth/rsa), for all threads
// that sign. One signature that came out wrong ends it until the program starts again: a processor
// that computes wrong once is not asked a second time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/metrics.h"
#include "mailauth/rsa/private_key.h"

namespace todoku::mailauth::dkim {

enum class RsaArithmetic : std::uint8_t {
  openssl,
  fastest,  // RSA-2048 eight at a time where the processor can (mailauth/rsa), else OpenSSL
};

class RsaByEight {
 public:
  // Null: OpenSSL makes all signatures.
  [[nodiscard]] static std::shared_ptr<RsaByEight> of(RsaArithmetic arithmetic, Metrics& metrics);

  RsaByEight(rsa::Compute& arithmetic, Metrics& metrics);

  [[nodiscard]] bool is_on() const { return !off_.load(std::memory_order_relaxed); }
  // The signature of `key`, the name it is looked up by, came out wrong: counts and logs it.
  void turn_off(std::string_view key, std::string_view reason);
  [[nodiscard]] rsa::Compute& arithmetic() const { return arithmetic_; }

 private:
  rsa::Compute& arithmetic_;
  std::atomic<bool> off_{false};
  Counter& wrong_total_;
  Gauge& on_gauge_;
};

}  // namespace todoku::mailauth::dkim
