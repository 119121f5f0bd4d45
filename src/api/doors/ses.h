// SPDX-License-Identifier: Apache-2.0
// Amazon SES v2: SendEmail and SendBulkEmail.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "api/doors/failures.h"
#include "api/doors/letter.h"

namespace todoku::api::doors::ses {

inline constexpr std::size_t kEntriesMax = 50;

// By their names.
using Values = std::map<std::string, std::string, std::less<>>;

struct Email {
  Letter letter;
  std::optional<Failure> missing;  // an ARN's template or a configuration set: they are not there
  // Content.Raw: the message as it came (doors/ses_raw.h). The letter has recipients, tags and who
  // is named as sender then, if anybody.
  std::optional<std::string> raw;
};

// Of Content.Raw, decoded: twice what the files of a mail may have, which are longer in base64.
[[nodiscard]] constexpr std::size_t raw_octets_max(const intake::Limits& limits) {
  return 2 * limits.attachments_octets_max;
}

// SendEmail.
[[nodiscard]] Email read_email(const boost::json::object& object, const intake::Limits& limits);

// SendBulkEmail: a template, which the request brings, and for each entry a mail.
class Bulk {
 public:
  // Keeps `object` and `limits`, which outlive it.
  Bulk(const boost::json::object& object, const intake::Limits& limits);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const std::optional<Failure>& missing() const { return missing_; }
  // What is wrong with the whole: then there is no mail.
  [[nodiscard]] const intake::Problems& problems() const { return common_.problems; }
  [[nodiscard]] Letter mail(std::size_t place) const;

 private:
  void read_content();

  const boost::json::object& object_;
  const intake::Limits& limits_;
  Letter common_;
  Values defaults_;
  std::optional<Failure> missing_;
  std::size_t size_ = 0;
};

// `text` with the values put in for {{name}}; HTML is escaped where `is_html`, but for {{{name}}}.
// A problem names what has no value, and what is more than a name: blocks, helpers and paths; or
// says that `text` has, or would have, more octets than a text of `characters_max` can have. Then
// what is returned is nothing that may be sent.
struct Rendering {
  bool is_html = false;
  std::size_t characters_max = 0;
};
[[nodiscard]] std::string rendered(std::string_view text, const Values& values,
                                   const Rendering& rendering, const Path& path,
                                   intake::Problems& problems);

}  // namespace todoku::api::doors::ses
