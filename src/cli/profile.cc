// SPDX-License-Identifier: Apache-2.0
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include "cli/profile.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/toml.h"
#include "cli/user_files.h"

namespace todoku::cli {
namespace {

constexpr std::size_t kFileOctetsMax = std::size_t{64} << 10U;
constexpr std::size_t kNameMax = 64;
constexpr mode_t kOthers = 0077;

class ProfileFile {
 public:
  explicit ProfileFile(int fd) : fd_(fd) {}
  ~ProfileFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  ProfileFile(const ProfileFile&) = delete;
  ProfileFile& operator=(const ProfileFile&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> system_failure(const std::string& path) {
  return fail(ErrorKind::io, fmt::format("{}: {}", path, std::generic_category().message(errno)));
}

std::string* member_of(Profile& profile, std::string_view name) {
  if (name == "url") return &profile.url;
  if (name == "account") return &profile.account;
  if (name == "key") return &profile.key;
  return name == "ca" ? &profile.ca : nullptr;
}

std::unexpected<Error> wrong_at(const toml::node& node, std::string_view what) {
  return fail(ErrorKind::invalid_input, fmt::format("line {}: {}", node.source().begin.line, what));
}

Result<Profile> read_profile(const toml::table& table) {
  Profile profile;
  for (const auto& [key, node] : table) {
    std::string* const member = member_of(profile, key.str());
    if (member == nullptr) {
      return wrong_at(node,
                      fmt::format("a profile has url, account, key and ca, no {}", key.str()));
    }
    const auto text = node.value_exact<std::string>();
    if (!text) return wrong_at(node, fmt::format("{} must be a text", key.str()));
    *member = *text;
  }
  return profile;
}

std::string toml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

bool is_profile_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameMax && std::ranges::all_of(name, [](char c) {
    return is_ascii_alphanumeric(c) || c == '-' || c == '_';
  });
}

Result<Profiles> parse_profiles(std::string_view toml) {
  if (!is_utf8(toml)) return fail(ErrorKind::invalid_input, "it is not UTF-8");
  const toml::parse_result parsed = toml::parse(toml);
  if (!parsed) {
    return fail(ErrorKind::invalid_input,
                fmt::format("line {}: {}", parsed.error().source().begin.line,
                            parsed.error().description()));
  }
  Profiles profiles;
  for (const auto& [key, node] : parsed.table()) {
    const toml::table* const table = node.as_table();
    if (table == nullptr || !is_profile_name(key.str())) {
      return wrong_at(node, "a profile is a table whose name has letters, digits, - and _");
    }
    auto profile = read_profile(*table);
    if (!profile) return fail(std::move(profile.error()));
    if (profiles.size() == kProfilesMax) return wrong_at(node, "there are too many profiles");
    profiles.emplace(key.str(), std::move(*profile));
  }
  return profiles;
}

std::string print_profiles(const Profiles& profiles) {
  std::string out;
  for (const auto& [name, profile] : profiles) {
    out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", name);
    const auto line = [&](std::string_view member, const std::string& value) {
      if (!value.empty()) out += fmt::format("{} = {}\n", member, toml_text(value));
    };
    line("url", profile.url);
    line("account", profile.account);
    line("key", profile.key);
    line("ca", profile.ca);
  }
  return out;
}

Result<Profiles> read_profiles(const std::string& path, Language language) {
  const ProfileFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return Profiles();
    return system_failure(path);
  }
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0) return system_failure(path);
  if (!S_ISREG(facts.st_mode) || facts.st_uid != ::geteuid() || (facts.st_mode & kOthers) != 0) {
    constexpr Sentence kNotOurs{
        "{0} holds keys: it must be a file of yours that nobody else may read (chmod 600 {0})",
        "{0} にはキーが入っています。自分が所有し、ほかの人が読めないファイルにしてください"
        "（chmod 600 {0}）"};
    return fail(ErrorKind::unauthorized, fmt::format(fmt::runtime(kNotOurs.in(language)), path));
  }
  std::string text(kFileOctetsMax + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0) return system_failure(path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kFileOctetsMax) return fail(ErrorKind::limit_exceeded, path + ": too long");
  auto profiles = parse_profiles(std::string_view(text).substr(0, size));
  if (!profiles) return fail(path, std::move(profiles.error()));
  return profiles;
}

Result<void> write_profiles(const std::string& path, const Profiles& profiles) {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) return fail(ErrorKind::io, fmt::format("{}: {}", folder.string(), error.message()));
  return replace_file(path, print_profiles(profiles), FileFor::its_user);
}

}  // namespace todoku::cli
