// SPDX-License-Identifier: Apache-2.0
// What a message says to us in X-Todoku-* fields of its header: by whom it may be said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "intake/submission/reader.h"

namespace todoku::intake::submission {

inline constexpr std::string_view kOptionPrefix = "X-Todoku-";

class OptionReader {
 public:
  explicit OptionReader(SubmissionOptionBits allowed) : allowed_(allowed) {}

  // The field kOptionPrefix + `name` with its unfolded value. Of one that is not allowed nothing is
  // looked at, and where none is, of any: it is somebody else's. Errors: invalid_input, with a
  // sentence that names the field: it is there twice, its value does not do, or some are allowed
  // and there is none of this name, so that what was meant would be lost.
  //
  // Values are those of the API's members. What else they must be (how long, how many, when) is for
  // intake to say, as for every door.
  [[nodiscard]] Result<void> take(std::string_view name, std::string_view value);
  [[nodiscard]] SubmissionOptions finish() { return std::move(options_); }
  // Of the first fields that nothing was looked at of, why; empty: there are none.
  [[nodiscard]] std::string unheard() const { return unheard_; }

 private:
  [[nodiscard]] Result<void> set(SubmissionOption option, std::string_view value);
  void pass_over(std::string_view why);

  const SubmissionOptionBits allowed_;
  SubmissionOptionBits seen_ = 0;
  SubmissionOptions options_;
  std::size_t passed_over_ = 0;
  std::string unheard_;
};

}  // namespace todoku::intake::submission
