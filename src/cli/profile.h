// SPDX-License-Identifier: Apache-2.0
// Profiles of senders: which API, whose account, its key. A file of the user's alone:
//
//   [default]
//   url = "https://mail.example.jp"
//   account = "shop"
//   key = "..."
//   ca = "/etc/ssl/example.pem"
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/bilingual.h"
#include "base/result.h"

namespace todoku::cli {

struct Profile {
  std::string url;      // empty: the local installation's
  std::string account;  // the login id
  std::string key;      // a secret
  std::string ca;       // PEM bundle of trusted roots; empty: the system's
  friend bool operator==(const Profile&, const Profile&) = default;
};
using Profiles = std::map<std::string, Profile, std::less<>>;

inline constexpr std::string_view kDefaultProfile = "default";
inline constexpr std::size_t kProfilesMax = 100;
// Letters, digits, "-" and "_", up to 64.
[[nodiscard]] bool is_profile_name(std::string_view name);

// Errors: invalid_input, with the line: no TOML, an unknown member, no text where one belongs.
[[nodiscard]] Result<Profiles> parse_profiles(std::string_view toml);
[[nodiscard]] std::string print_profiles(const Profiles& profiles);

// No file is none. Errors, in the language of the user: unauthorized (not a file of this user's, or
// others may read it), io, invalid_input, limit_exceeded (more than 64 KiB).
[[nodiscard]] Result<Profiles> read_profiles(const std::string& path, Language language);
// The whole file anew, for this user alone; a reader sees the old one or the new one. Makes its
// folder. Errors: io; the detail names the file.
[[nodiscard]] Result<void> write_profiles(const std::string& path, const Profiles& profiles);

}  // namespace todoku::cli
