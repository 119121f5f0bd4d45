// SPDX-License-Identifier: Apache-2.0
// Asking the DNS. An interface, so that decisions can be tested against a zone in memory
// (fake_resolver.h) and run on libunbound (unbound_resolver.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "mail/tlsa_record.h"
#include "net/endpoint.h"

namespace todoku::dns {

// What the name servers said. No records means that the name exists and has none of this type.
template <class Record>
struct Answer {
  std::vector<Record> records;
  std::chrono::seconds ttl{};  // how long this may be used
  bool secure = false;         // validated by DNSSEC from a trust anchor of ours down
  std::string canonical{};     // the name that CNAMEs led to; empty: there were none
};

// Names in answers are lower case without final dot; the root is empty. Octets that do not belong
// into names are escaped as \DDD (RFC 1035 section 5.1), so a name never holds a control character.
struct MxRecord {
  std::uint16_t preference = 0;
  std::string host;
  friend auto operator<=>(const MxRecord&, const MxRecord&) = default;
};

using todoku::TlsaRecord;

// Names are given in A-labels (to_ascii_domain), with or without final dot; CNAMEs are followed.
// Thread-safe; each call resumes on its caller's executor.
//
// Errors: not_found (NXDOMAIN: there is no such name); unavailable (SERVFAIL, REFUSED, a forged
// answer caught by DNSSEC); timeout; invalid_input (not a domain name); corrupt (records that
// cannot be read); limit_exceeded (nobody was asked: we had no file or memory, or too many
// questions wait); cancelled (the resolver was stopped).
class Resolver {
 public:
  virtual ~Resolver() = default;
  virtual Task<Result<Answer<MxRecord>>> mx(std::string name) = 0;
  virtual Task<Result<Answer<net::IpAddress>>> a(std::string name) = 0;
  virtual Task<Result<Answer<net::IpAddress>>> aaaa(std::string name) = 0;
  // One string for each record, its character-strings joined (RFC 7208 section 3.3). Any octets.
  virtual Task<Result<Answer<std::string>>> txt(std::string name) = 0;
  // The names of an address.
  virtual Task<Result<Answer<std::string>>> ptr(net::IpAddress address) = 0;
  // `name` with the port, e.g. "_25._tcp.mx.example.jp".
  virtual Task<Result<Answer<TlsaRecord>>> tlsa(std::string name) = 0;
  // What the name is an alias of, one step and no further; `secure` is that step's alone.
  virtual Task<Result<Answer<std::string>>> cname(std::string name) = 0;
};

}  // namespace todoku::dns
