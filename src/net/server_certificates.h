// SPDX-License-Identifier: Apache-2.0
// The certificates of a server that goes on running while they are renewed: files that are read
// again when they change, chosen by the name that the client asks for.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/tls.h"

namespace todoku::net {

class TlsCertificate;

// What there is to tell of one certificate: for metrics, `doctor` and people.
struct CertificateState {
  std::string certificate_file;    // empty: made here, by and for itself
  std::vector<std::string> names;  // host names that it proves, the first 100
  Instant valid_until;             // of the one in use
  std::string trouble;             // what is wrong with the files as they are now; empty: nothing
};

// Thread-safe, but for one look_again() at a time.
class ServerCertificates {
 public:
  static constexpr std::size_t kPairsMax = 100;
  // Keys of session tickets live so long; then who comes back shakes hands anew (RFC 5077
  // section 5.5, RFC 8446 section 4.6.1).
  static constexpr std::chrono::hours kTicketKeysAge{12};

  struct Pair {
    std::string certificate_file;  // PEM, leaf first
    std::string private_key_file;  // PEM, unencrypted
  };
  struct Options {
    // The first is shown to who asks for no name or an unknown one. None: one is made for
    // `own_names`, which nobody has reason to trust, and again before it expires.
    std::vector<Pair> pairs;
    std::vector<std::string> own_names;  // host names or IP addresses; needed without pairs
    bool old_clients = false;            // makes context(TlsAge::old) as well
    bool is_for_trials = false;          // that nobody can trust one made here is no warning
  };

  // Reads all files. A certificate that has expired is used, with a line in the log, since nothing
  // better is there. Errors: invalid_input (too many pairs, no name), not_found, io, corrupt, each
  // with the file.
  [[nodiscard]] static Result<std::unique_ptr<ServerCertificates>> open(Options options,
                                                                        Instant now);
  ~ServerCertificates();
  ServerCertificates(const ServerCertificates&) = delete;
  ServerCertificates& operator=(const ServerCertificates&) = delete;

  // For the next handshake; who has it already keeps it. TlsAge::old needs Options::old_clients.
  [[nodiscard]] std::shared_ptr<const TlsServerContext> context(TlsAge age = TlsAge::modern) const;

  // Reads what has changed (modification time, inode or size of either file), a pair in trouble
  // each time. The old pair stays where the new one cannot be read, does not belong together or is
  // not valid now; that is told in the log when it begins, when its reason changes and when it is
  // over. Blocks on files: some milliseconds, e.g. once a minute. True: context() is another one.
  bool look_again(Instant now);

  // In the order of the pairs; one if there are none.
  [[nodiscard]] std::vector<CertificateState> states() const;

 private:
  struct Kept;
  explicit ServerCertificates(Options options);

  bool look_at(Kept& kept, Instant now);
  bool make_own(Instant now);
  void renew_contexts(Instant now);

  Options options_;
  mutable std::mutex mutex_;  // what stands below; files are read without it
  std::vector<Kept> kept_;
  std::shared_ptr<const TlsServerContext> modern_;
  std::shared_ptr<const TlsServerContext> old_;
  Instant ticket_keys_since_;
};

}  // namespace todoku::net
