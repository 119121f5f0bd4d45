// SPDX-License-Identifier: Apache-2.0
// SendGrid's POST /v3/mail/send: one content, and for each personalization a mail of its own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>

#include "api/doors/letter.h"

namespace todoku::api::doors::sendgrid {

inline constexpr std::size_t kPersonalizationsMax = 1'000;

// A request that was read once and tells each of its mails when it is wanted: all of them at once
// could be a thousand times the content with its files.
class Mails {
 public:
  // Keeps `object`, which must outlive it.
  Mails(const boost::json::object& object, const intake::Limits& limits);

  [[nodiscard]] std::size_t size() const { return size_; }
  // What is wrong with the request as a whole, if there is no mail in it.
  [[nodiscard]] const intake::Problems& problems() const { return common_.problems; }
  [[nodiscard]] bool is_sandboxed() const { return is_sandboxed_; }
  // Of the personalization at `place`. In its problems those of the whole, too.
  [[nodiscard]] Letter mail(std::size_t place) const;

 private:
  void read_content();
  void read_settings();

  const boost::json::object& object_;
  const intake::Limits& limits_;
  Letter common_;
  std::size_t size_ = 0;
  bool is_sandboxed_ = false;
};

// `text` with each of `values` (what stands there, and what is to) put in, all at once: what was
// put in is not looked at again. The first of `values` that stands at a place counts; none of the
// keys is empty.
[[nodiscard]] std::string substituted(
    std::string_view text, const std::vector<std::pair<std::string, std::string>>& values);

}  // namespace todoku::api::doors::sendgrid
