// SPDX-License-Identifier: Apache-2.0
// SendGrid's POST /v3/mail/send: one content, and for each personalization a mail of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>

#include "api/doors/letter.h"

namespace todoku::api::doors::sendgrid {

inline constexpr std::size_t kPersonalizationsMax = 1'000;
// Of the texts of all mails of a request into which something is put, before or after it.
inline constexpr std::size_t kSubstitutedOctetsMax = std::size_t{128} << 20U;

// What stands in texts, and what is put in its place, all at once: what was put in is not looked at
// again, and of several that stand at a place the longest counts.
class Substitutions {
 public:
  using Values = std::vector<std::pair<std::string, std::string>>;
  // Of the values none has an empty key, and no two have the same.
  explicit Substitutions(Values values);

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  // nullopt: `text` has, or would have, more than `octets_max`.
  [[nodiscard]] std::optional<std::string> in(std::string_view text, std::size_t octets_max) const;

 private:
  struct Entry {
    std::string key;
    std::string value;
    std::size_t shorter = 0;  // the place of the longest other key with which this one begins
  };
  static constexpr std::size_t kNone = SIZE_MAX;
  [[nodiscard]] const Entry* at_begin_of(std::string_view text) const;

  std::vector<Entry> entries_;  // in the order of their keys
  std::array<bool, 256> begins_{};
};

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
  void substitute(std::size_t place, const Substitutions& substitutions, Letter& letter) const;

  const boost::json::object& object_;
  const intake::Limits& limits_;
  Letter common_;
  std::size_t size_ = 0;
  bool is_sandboxed_ = false;
  // Of each mail that was told, how much there was to put in; told again, it counts once.
  mutable std::vector<std::size_t> substituted_;
  mutable std::size_t substituted_octets_ = 0;
};

}  // namespace todoku::api::doors::sendgrid
