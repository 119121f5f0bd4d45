// SPDX-License-Identifier: Apache-2.0
// The Feedback-ID of bulk mail: by what Gmail's Postmaster Tools tell complaints apart, since Gmail
// reports none by mail (support.google.com/mail/answer/6254652).
//
//   Feedback-ID: a3d12:advertisement:a3:t5f0c9d2a71b
//                │     │             │  └ the installation: 5 to 15 characters, the same for good
//                │     │             └ account
//                │     └ list, or what the mail is for
//                └ delivery
//
// Each part is counted by itself, so none may mean two things: a delivery's number has its
// account's before it. Nothing in it is a recipient's. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/deliveries.h"

namespace todoku::delivery {

// Empty: the delivery is no bulk. `installation`: what it goes by, its domain of Message-IDs.
[[nodiscard]] std::vector<std::string> feedback_id(const store::Delivery& delivery,
                                                   std::string_view installation);

}  // namespace todoku::delivery
