// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/rsa_by_eight.h"

#include "base/log.h"

namespace todoku::mailauth::dkim {

std::shared_ptr<RsaByEight> RsaByEight::of(RsaArithmetic arithmetic, Metrics& metrics) {
  rsa::Compute* const fastest =
      arithmetic == RsaArithmetic::fastest ? rsa::fastest_arithmetic() : nullptr;
  return fastest == nullptr ? nullptr : std::make_shared<RsaByEight>(*fastest, metrics);
}

RsaByEight::RsaByEight(rsa::Compute& arithmetic, Metrics& metrics)
    : arithmetic_(arithmetic),
      wrong_total_(metrics.counter("todoku_dkim_wrong_signatures_total",
                                   "RSA signatures made eight at a time that came out wrong and "
                                   "were dropped: more than 0 is a fault of the processor.")),
      on_gauge_(metrics.gauge("todoku_dkim_rsa_by_eight",
                              "1 while RSA signatures are made eight at a time, 0 after one that "
                              "came out wrong.")) {
  on_gauge_.set(1);
}

void RsaByEight::turn_off(std::string_view key, std::string_view reason) {
  off_.store(true);
  on_gauge_.set(0);
  wrong_total_.add();
  log::error(
      "a DKIM signature came out wrong and was dropped: a fault of the processor, or ours; "
      "until the next start OpenSSL makes all signatures",
      {{"key", key}, {"reason", reason}});
}

}  // namespace todoku::mailauth::dkim
