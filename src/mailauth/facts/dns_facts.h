// SPDX-License-Identifier: Apache-2.0
// What the DNS says, as the evaluators of SPF and DMARC ask it, without waiting in them:
//
//   DnsFacts facts;
//   do {
//     verdict = check_host(query, facts);          // pure; ends early where a fact is not known
//     for (const DnsQuestion& question : facts.take_wanted()) facts.learn(question,
//     answer_to(question));
//   } while (something was wanted);
//
// dns/fact_gathering.h does this on a resolver. An evaluation is thus played again for each fact
// that waits for another one; it costs microseconds, and all that can be asked at once is.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace todoku::mailauth {

enum class FactType : std::uint8_t { a, aaaa, mx, txt, ptr };

[[nodiscard]] std::string_view to_string(FactType type);  // "A", "AAAA", ...

struct DnsQuestion {
  FactType type = FactType::a;
  // Lower case, A-labels, without final dot. ptr: the name below in-addr.arpa or ip6.arpa.
  std::string name;
  friend auto operator<=>(const DnsQuestion&, const DnsQuestion&) = default;
};

struct DnsFact {
  enum class Status : std::uint8_t {
    unknown,  // nobody was asked yet
    found,    // `values` holds at least one
    empty,    // the name exists, without records of this type
    absent,   // NXDOMAIN
    failed,   // SERVFAIL, a time-out, an answer that cannot be read: perhaps later
  };
  Status status = Status::unknown;
  // a, aaaa: 4 or 16 octets in network order. mx: hosts, most preferred first, then by name (an
  // empty one is the root: null MX). txt: each record's strings joined (RFC 7208 section 3.3), any
  // octets. ptr: names. Names are lower case without final dot.
  std::vector<std::string> values;
  std::string reason;       // failed: why, for a trace
  std::string reason_ja{};  // the same in Japanese; empty: it has not been said in it

  [[nodiscard]] bool is_known() const { return status != Status::unknown; }
  // "No such record here", whichever way it was said: a void look-up (RFC 7208 section 4.6.4).
  [[nodiscard]] bool is_void() const { return status == Status::empty || status == Status::absent; }
};

class DnsFacts {
 public:
  // The answer, which stays valid; one of status unknown is noted as wanted. `name` in any case,
  // with or without final dot.
  const DnsFact& ask(FactType type, std::string_view name);

  // Each question that was asked in vain since the last call, once.
  [[nodiscard]] std::vector<DnsQuestion> take_wanted();
  void learn(const DnsQuestion& question, DnsFact fact);

  [[nodiscard]] std::size_t known() const { return facts_.size(); }

 private:
  std::map<DnsQuestion, DnsFact> facts_;
  std::vector<DnsQuestion> wanted_;
};

// "4.2.0.192.in-addr.arpa" of 4 or 16 octets in network order.
[[nodiscard]] std::string reverse_name(std::string_view address);

}  // namespace todoku::mailauth
