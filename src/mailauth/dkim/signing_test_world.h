// SPDX-License-Identifier: Apache-2.0
// For tests: messages signed together, and RSA by eight on every machine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/metrics.h"
#include "mailauth/dkim/rsa_by_eight.h"
#include "mailauth/dkim/signer.h"
#include "mailauth/dkim/verifier.h"
#include "mailauth/rsa/emulation.h"

namespace todoku::mailauth::dkim {

inline const Instant kStart = from_epoch_ms(1'767'225'600'999);

inline Signer signer_with(const SigningKey& key, const std::string& selector) {
  return Signer::create({{.name = KeyName::parse("example.jp", selector).value(), .key = key}})
      .value();
}

inline std::string message(std::size_t number) {
  return "From: news@example.jp\r\nSubject: " + std::to_string(number) + "\r\n\r\nhello\r\n";
}

inline SigningInput input_of(const MessageView& view, SigningContext& context) {
  return {
      .headers = view.fields, .body_hash = context.body_hash({&view.body, 1}), .signed_at = kStart};
}

// Message `i` is signed by signer `i` modulo their number.
inline std::vector<std::string> together(SigningContext& context,
                                         const std::vector<Signer>& signers, std::size_t count) {
  std::vector<BegunSignatures> begun(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string text = message(i);
    const MessageView view = split_message(text);
    EXPECT_TRUE(signers[i % signers.size()].begin(context, input_of(view, context), begun[i]));
  }
  std::vector<std::string> fields(count);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_TRUE(Signer::finish(context, begun[i], fields[i]));
  }
  return fields;
}

inline std::vector<std::string> one_by_one(SigningContext& context,
                                           const std::vector<Signer>& signers, std::size_t count) {
  std::vector<std::string> fields(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string text = message(i);
    const MessageView view = split_message(text);
    EXPECT_TRUE(signers[i % signers.size()].sign(context, input_of(view, context), fields[i]));
  }
  return fields;
}

// RSA by eight with some arithmetic, the emulation's unless told otherwise.
class ByEight {
 public:
  explicit ByEight(rsa::Compute& arithmetic = rsa::compute_with_emulation)
      : made_(std::make_shared<RsaByEight>(arithmetic, *metrics_)) {}

  [[nodiscard]] std::shared_ptr<RsaByEight> made() const { return made_; }
  [[nodiscard]] std::uint64_t wrong_total() const {
    return metrics_->counter("todoku_dkim_wrong_signatures_total", "").value();
  }

 private:
  std::unique_ptr<Metrics> metrics_ = std::make_unique<Metrics>();
  std::shared_ptr<RsaByEight> made_;
};

}  // namespace todoku::mailauth::dkim
