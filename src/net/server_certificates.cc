// SPDX-License-Identifier: Apache-2.0
#include "net/server_certificates.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/date_time.h"
#include "base/log.h"
#include "net/self_signed.h"
#include "net/tls_certificate.h"

namespace todoku::net {
namespace {

// A certificate of our own is made again when so little of its time is left.
constexpr std::chrono::days kOwnRenewed{30};

// What changes when a file is written or another takes its name. Of no file: zeros.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

FileStamp stamp_of(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return {};
  return {.device = found.st_dev,
          .inode = found.st_ino,
          .size = found.st_size,
          .seconds = found.st_mtim.tv_sec,
          .nanoseconds = found.st_mtim.tv_nsec};
}

// What keeps it from proving a name now; empty: nothing.
std::string trouble_with_dates(const TlsCertificate& certificate, Instant now) {
  if (now >= certificate.valid_until()) {
    return fmt::format("it has expired, on {}", format_utc(certificate.valid_until()));
  }
  if (now < certificate.valid_from()) {
    return fmt::format("it is not valid yet, but from {}", format_utc(certificate.valid_from()));
  }
  return {};
}

Result<std::shared_ptr<const TlsCertificate>> load(const ServerCertificates::Pair& pair) {
  const auto identity = read_identity(pair.certificate_file, pair.private_key_file);
  if (!identity) return fail(identity.error());
  auto certificate = TlsCertificate::parse(*identity);
  if (!certificate) return fail(pair.certificate_file, std::move(certificate.error()));
  // Whether OpenSSL takes it is known once a context has it.
  const auto tried = TlsServerContext::create({&*certificate, 1}, TlsAge::modern);
  if (!tried) return fail(pair.certificate_file, tried.error());
  return certificate;
}

}  // namespace

struct ServerCertificates::Kept {
  Pair pair;
  FileStamp certificate_stamp;  // of the files as they were last read
  FileStamp private_key_stamp;
  std::shared_ptr<const TlsCertificate> certificate;  // in use
  std::string trouble;
};

ServerCertificates::ServerCertificates(Options options) : options_(std::move(options)) {}

ServerCertificates::~ServerCertificates() = default;

Result<std::unique_ptr<ServerCertificates>> ServerCertificates::open(Options options, Instant now) {
  if (options.pairs.size() > kPairsMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("{} TLS certificates, more than {}", options.pairs.size(), kPairsMax));
  }
  if (options.pairs.empty() && options.own_names.empty()) {
    return fail(ErrorKind::invalid_input, "a TLS certificate of our own needs a name");
  }
  std::unique_ptr<ServerCertificates> made(new ServerCertificates(std::move(options)));
  for (const Pair& pair : made->options_.pairs) {
    Kept kept{.pair = pair,
              .certificate_stamp = stamp_of(pair.certificate_file),
              .private_key_stamp = stamp_of(pair.private_key_file)};
    auto certificate = load(pair);
    if (!certificate) return fail(certificate.error());
    kept.certificate = std::move(*certificate);
    kept.trouble = trouble_with_dates(*kept.certificate, now);
    if (!kept.trouble.empty()) {
      log::error("tls certificate used all the same",
                 {{"file", pair.certificate_file}, {"because", kept.trouble}});
    }
    made->kept_.push_back(std::move(kept));
  }
  if (made->options_.pairs.empty()) (void)made->make_own(now);
  made->renew_contexts(now);
  return made;
}

std::shared_ptr<const TlsServerContext> ServerCertificates::context(TlsAge age) const {
  check(age != TlsAge::old || options_.old_clients, "old clients are configured");
  const std::lock_guard lock(mutex_);
  return age == TlsAge::old ? old_ : modern_;
}

bool ServerCertificates::look_again(Instant now) {
  bool changed = options_.pairs.empty() && make_own(now);
  if (!options_.pairs.empty()) {
    for (Kept& kept : kept_) changed = look_at(kept, now) || changed;
  }
  // A clock that was set back must not keep the keys longer.
  const bool aged = now - ticket_keys_since_ >= kTicketKeysAge || now < ticket_keys_since_;
  if (!changed && !aged) return false;
  renew_contexts(now);
  return true;
}

// True: another certificate is in use.
bool ServerCertificates::look_at(Kept& kept, Instant now) {
  // Before reading: what is written meanwhile is then seen the next time.
  const FileStamp certificate_stamp = stamp_of(kept.pair.certificate_file);
  const FileStamp private_key_stamp = stamp_of(kept.pair.private_key_file);
  const bool same =
      certificate_stamp == kept.certificate_stamp && private_key_stamp == kept.private_key_stamp;
  // Trouble may end without a change of these, by permissions or by time.
  const bool calm = kept.trouble.empty() && trouble_with_dates(*kept.certificate, now).empty();
  if (same && calm) return false;

  auto certificate = load(kept.pair);
  std::string trouble =
      certificate ? trouble_with_dates(**certificate, now) : std::move(certificate.error().detail);
  const bool good = trouble.empty();
  if (!good && trouble != kept.trouble) {
    log::error("tls certificate not taken, the one before stays",
               {{"file", kept.pair.certificate_file},
                {"because", trouble},
                {"valid_until", format_utc(kept.certificate->valid_until())}});
  } else if (good) {
    log::info("tls certificate taken",
              {{"file", kept.pair.certificate_file},
               {"valid_until", format_utc((*certificate)->valid_until())}});
  }
  const std::lock_guard lock(mutex_);
  kept.certificate_stamp = certificate_stamp;
  kept.private_key_stamp = private_key_stamp;
  kept.trouble = std::move(trouble);
  if (good) kept.certificate = std::move(*certificate);
  return good;
}

bool ServerCertificates::make_own(Instant now) {
  const bool fresh = !kept_.empty() && now < kept_.front().certificate->valid_until() - kOwnRenewed;
  if (fresh) return false;
  auto certificate = TlsCertificate::parse(make_self_signed(options_.own_names, now));
  check(certificate.has_value(), "a certificate just made can be read");
  log::write(options_.is_for_trials ? log::Level::info : log::Level::warning,
             "tls certificate of our own: clients have no reason to trust it",
             {{"name", options_.own_names.front()},
              {"valid_until", format_utc((*certificate)->valid_until())}});
  const std::lock_guard lock(mutex_);
  kept_.clear();
  kept_.push_back({.certificate = std::move(*certificate)});
  return true;
}

// New contexts have new keys for session tickets.
void ServerCertificates::renew_contexts(Instant now) {
  std::vector<std::shared_ptr<const TlsCertificate>> certificates;
  for (const Kept& kept : kept_) certificates.push_back(kept.certificate);
  auto modern = TlsServerContext::create(certificates, TlsAge::modern);
  check(modern.has_value(), "a certificate that was tried can be shown");
  std::shared_ptr<const TlsServerContext> old;
  if (options_.old_clients) {
    auto made = TlsServerContext::create(certificates, TlsAge::old);
    check(made.has_value(), "what is strong enough for the modern is for the old");
    old = std::move(*made);
  }
  const std::lock_guard lock(mutex_);
  modern_ = std::move(*modern);
  old_ = std::move(old);
  ticket_keys_since_ = now;
}

std::vector<CertificateState> ServerCertificates::states() const {
  const std::lock_guard lock(mutex_);
  std::vector<CertificateState> states;
  for (const Kept& kept : kept_) {
    states.push_back({.certificate_file = kept.pair.certificate_file,
                      .names = kept.certificate->names(),
                      .valid_until = kept.certificate->valid_until(),
                      .trouble = kept.trouble});
  }
  return states;
}

}  // namespace todoku::net
