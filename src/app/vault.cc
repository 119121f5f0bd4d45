// SPDX-License-Identifier: Apache-2.0
#include "app/vault.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/wipe.h"
#include "config/files.h"

namespace todoku::app {
namespace {

constexpr std::string_view kSecretSetting = "instance_secret";

Result<std::optional<std::string>> read_setting(store::Store& store, std::string_view name) {
  return store.read_and_wait(
      [name](store::ReadTransaction& transaction) { return transaction.setting(name); });
}

// Of processes that begin a store at the same moment, all go on with the value of one.
Result<std::string> settle_setting(store::Store& store, std::string_view name,
                                   const std::string& value) {
  return store.write_and_wait(store::WritePriority::accept,
                              [&](store::WriteTransaction& transaction) {
                                return transaction.put_setting_once(name, value);
                              });
}

// nullopt: there is no such file.
Result<std::optional<MasterKey>> read_key_file(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT) return std::nullopt;
    return fail(ErrorKind::io, fmt::format("the master key file {} cannot be read: {}", path,
                                           std::generic_category().message(errno)));
  }
  // A pipe would be waited at for ever. A link is as good as a file: mounted secrets are links.
  if (!S_ISREG(facts.st_mode)) {
    return fail(ErrorKind::corrupt,
                fmt::format("{} is no file: the master key belongs there", path));
  }
  if ((facts.st_mode & 077U) != 0) {
    return fail(ErrorKind::unauthorized,
                fmt::format("the master key file {} can be read by others: run `chmod 600 {}`",
                            path, path));
  }
  auto read = config::read_file(path);
  if (!read) return fail("the master key file", std::move(read.error()));
  const SecretText text(std::move(*read));
  wipe_stack();  // what read it had a buffer there
  auto key = MasterKey::parse(text);
  if (!key) return fail(fmt::format("the master key file {}", path), std::move(key.error()));
  return std::optional<MasterKey>(std::move(*key));
}

Result<MasterKey> make_key_file(const VaultOptions& options) {
  const std::string& path = options.master_key_file;
  MasterKey key = MasterKey::generate();
  std::string line(key.to_base64().view());
  line += '\n';
  const SecretText text(std::move(line));
  const auto made = config::create_private_file(path, text);
  if (!made) return fail("the master key file", made.error());
  if (options.is_for_trials) {
    log::info("master key made", {{"file", path}});
  } else {
    log::warning("master key made: keep a copy apart from the backups of the data",
                 {{"file", path}});
  }
  return key;
}

// nullopt: there is none yet.
Result<std::optional<MasterKey>> read_key(const VaultOptions& options) {
  if (options.master_key.empty()) return read_key_file(options.master_key_file);
  auto key = MasterKey::parse(options.master_key);
  if (!key) return fail("TODOKU_MASTER_KEY", std::move(key.error()));
  return std::optional<MasterKey>(std::move(*key));
}

std::unexpected<Error> key_is_missing(const VaultOptions& options) {
  return fail(ErrorKind::not_found,
              fmt::format("the master key of this data is missing: put your copy of it at {} "
                          "(mode 0600) or into the variable TODOKU_MASTER_KEY",
                          options.master_key_file));
}

Result<MasterKey> find_key(const VaultOptions& options, bool first_start) {
  auto read = read_key(options);
  if (!read) return fail(std::move(read.error()));
  if (*read) return std::move(**read);
  return first_start ? make_key_file(options) : key_is_missing(options);
}

Result<void> verify(const SecretBox& box, const VaultOptions& options,
                    std::string_view check_value) {
  if (box.verify_key(check_value)) return {};
  return fail(
      ErrorKind::unauthorized,
      fmt::format("the master key in {} is not the one that this data was written with: put back "
                  "the right one",
                  options.master_key.empty() ? options.master_key_file : "TODOKU_MASTER_KEY"));
}

}  // namespace

VaultOptions vault_options(const config::Config& config) {
  return {.master_key_file = config.secrets.master_key_file,
          .master_key = config.secrets.master_key,
          .is_for_trials = config.smtp_out.sandbox};
}

Result<void> check_key(const VaultOptions& options) {
  const auto read = read_key(options);
  return read ? Result<void>() : fail(read.error());
}

Result<void> check_key_of_data(const VaultOptions& options, std::string_view check_value) {
  const auto read = read_key(options);
  if (!read) return {};
  if (!*read) return key_is_missing(options);
  return verify(SecretBox(**read), options, check_value);
}

Result<SecretBox> open_vault(const VaultOptions& options, store::Store& store) {
  const auto check = read_setting(store, kKeyCheckSetting);
  if (!check) return fail(check.error());
  auto key = find_key(options, !check->has_value());
  if (!key) return fail(std::move(key.error()));
  SecretBox box(*key);
  const auto stored = *check ? Result<std::string>(**check)
                             : settle_setting(store, kKeyCheckSetting, box.key_check_value());
  if (!stored) return fail(stored.error());
  auto same = verify(box, options, *stored);
  if (!same) return fail(std::move(same.error()));
  return box;
}

Result<InstanceSecret> instance_secret(const SecretBox& box, store::Store& store) {
  constexpr std::string_view kContext = "instance-secret";
  InstanceSecret secret{};
  auto stored = read_setting(store, kSecretSetting);
  if (!stored) return fail(stored.error());
  if (!*stored) {
    const SecretText made(random_octets(secret.size()));
    auto settled = settle_setting(store, kSecretSetting, to_hex(box.seal(made, kContext)));
    if (!settled) return fail(std::move(settled.error()));
    *stored = std::move(*settled);
  }
  const auto sealed = from_hex(**stored);
  if (!sealed) return fail(ErrorKind::corrupt, "the instance secret in the store is damaged");
  const auto octets = box.open(*sealed, kContext);
  if (!octets) return fail("the instance secret", octets.error());
  if (octets->view().size() != secret.size()) {
    return fail(ErrorKind::corrupt, "the instance secret in the store has the wrong size");
  }
  std::ranges::copy(as_octets(octets->view()), secret.begin());
  return secret;
}

}  // namespace todoku::app
