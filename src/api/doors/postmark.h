// SPDX-License-Identifier: Apache-2.0
// Postmark's POST /email and /email/batch; /email/withTemplate finds no template.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "api/doors/letter.h"

namespace todoku::api::doors::postmark {

inline constexpr std::size_t kMailsMax = 500;

struct Mail {
  Letter letter;
  std::string to;         // as it was given, for the answer
  std::string no_stream;  // the name of a stream that is not there
};

[[nodiscard]] Mail read(const boost::json::object& object, const intake::Limits& limits);
// Of /email/withTemplate.
[[nodiscard]] Mail read_with_template(const boost::json::object& object,
                                      const intake::Limits& limits);

}  // namespace todoku::api::doors::postmark
