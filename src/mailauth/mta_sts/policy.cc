// SPDX-License-Identifier: Apache-2.0
#include "mailauth/mta_sts/policy.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"

namespace todoku::mailauth::mta_sts {
namespace {

constexpr std::size_t kMaxAgeDigitsMax = 10;
constexpr std::size_t kNameOctetsMax = 253;

std::optional<Mode> mode_of(std::string_view word) {
  for (const Mode mode : {Mode::none, Mode::testing, Mode::enforce}) {
    if (word == to_string(mode)) return mode;
  }
  return std::nullopt;
}

std::optional<std::chrono::seconds> max_age_of(std::string_view digits) {
  if (digits.empty() || digits.size() > kMaxAgeDigitsMax) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  if (failed != std::errc() || end != digits.data() + digits.size() || seconds < 0) {
    return std::nullopt;
  }
  return std::min(std::chrono::seconds(seconds), kMaxAgeMax);
}

// A name of letters, digits and hyphens, after "*." if it is a pattern. Underscores are let pass:
// there are hosts called so.
bool is_pattern(std::string_view text) {
  if (text.starts_with("*.")) text.remove_prefix(2);
  if (text.empty() || text.size() > kNameOctetsMax) return false;
  std::size_t label = 0;
  for (const char c : text) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
    } else if (is_ascii_alphanumeric(c) || c == '-' || c == '_') {
      ++label;
    } else {
      return false;
    }
  }
  return label > 0;
}

class Reader {
 public:
  Result<void> take(std::string_view name, std::string_view value) {
    if (name == "version") return take_version(value);
    if (name == "mode") return take_mode(value);
    if (name == "max_age") return take_max_age(value);
    if (name == "mx") return take_mx(value);
    return {};  // section 3.2: unknown fields are ignored
  }

  Result<Policy> finish() && {
    if (!version_) return missing("version");
    if (!mode_) return missing("mode");
    if (!max_age_) return missing("max_age");
    if (policy_.mx.empty() && *mode_ != Mode::none) return missing("mx");
    policy_.mode = *mode_;
    policy_.max_age = *max_age_;
    return std::move(policy_);
  }

 private:
  static std::unexpected<Error> missing(std::string_view field) {
    return fail(ErrorKind::invalid_input, fmt::format("the policy has no {}", field));
  }
  static std::unexpected<Error> wrong(std::string_view field, std::string_view must) {
    return fail(ErrorKind::invalid_input, fmt::format("the policy's {} is not {}", field, must));
  }

  Result<void> take_version(std::string_view value) {
    if (version_) return {};
    if (value != "STSv1") return wrong("version", "STSv1");
    version_ = true;
    return {};
  }
  Result<void> take_mode(std::string_view value) {
    if (mode_) return {};
    mode_ = mode_of(value);
    if (!mode_) return wrong("mode", "enforce, testing or none");
    return {};
  }
  Result<void> take_max_age(std::string_view value) {
    if (max_age_) return {};
    max_age_ = max_age_of(value);
    if (!max_age_) return wrong("max_age", "a number of seconds of at most 10 digits");
    return {};
  }
  Result<void> take_mx(std::string_view value) {
    if (value.ends_with('.')) value.remove_suffix(1);
    if (!is_pattern(value)) return wrong("mx", "a host name, or \"*.\" and a domain");
    policy_.mx.push_back(to_ascii_lower(value));
    return {};
  }

  Policy policy_;
  bool version_ = false;
  std::optional<Mode> mode_;
  std::optional<std::chrono::seconds> max_age_;
};

}  // namespace

std::string_view to_string(Mode mode) {
  switch (mode) {
    case Mode::none:
      return "none";
    case Mode::testing:
      return "testing";
    case Mode::enforce:
      return "enforce";
  }
  return "";
}

Result<Policy> parse_policy(std::string_view text) {
  if (text.size() > kPolicyOctetsMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("the policy is longer than {} octets", kPolicyOctetsMax));
  }
  Reader reader;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("line {} of the policy is not \"name: value\"", number));
    }
    const auto taken = reader.take(line.substr(0, colon), trim(line.substr(colon + 1)));
    if (!taken) return fail(taken.error());
  }
  return std::move(reader).finish();
}

std::string to_text(const Policy& policy) {
  std::string text = fmt::format("version:STSv1\nmode:{}\nmax_age:{}", to_string(policy.mode),
                                 policy.max_age.count());
  for (const std::string& host : policy.mx) text += fmt::format("\nmx:{}", host);
  return text;
}

bool names(const Policy& policy, std::string_view host) {
  return std::ranges::any_of(policy.mx, [host](std::string_view pattern) {
    if (!pattern.starts_with("*.")) return pattern == host;
    // Section 4.1: the asterisk stands for the whole left-most label and for no more than that.
    const std::size_t dot = host.find('.');
    return dot != std::string_view::npos && dot > 0 && host.substr(dot) == pattern.substr(1);
  });
}

}  // namespace todoku::mailauth::mta_sts
