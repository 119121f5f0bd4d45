// SPDX-License-Identifier: Apache-2.0
// How blocklists in the DNS are asked (RFC 5782) and what their answers are worth. A list tells of
// its own trouble in the form of an answer: a question over its limit, or by way of a public
// resolver, is answered from 127.255.255.0/24, a list that was given up lists everybody, and one
// that is cut off nobody. So each list proves first that it works: it must list 127.0.0.2 and must
// not list 127.0.0.1 (RFC 5782 section 5).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/finding.h"
#include "doctor/source_address.h"
#include "mailauth/facts/dns_facts.h"

namespace todoku::doctor {

// As the operator names one.
struct Blocklist {
  std::string zone;   // "bl.example.com", lower case, A-labels, without final dot
  std::string page;   // where its operator says why, and takes off; may be empty
  std::string text;   // what to write there; "{address}" stands for the address; may be empty
  bool ipv6 = false;  // it lists IPv6 addresses, too
};

// "4.2.0.192.bl.example.com": octets (RFC 5782 section 2.1) or nibbles (section 2.4), the last
// first. `octets`: 4 or 16 in network order.
[[nodiscard]] std::string blocklist_name(std::string_view octets, std::string_view zone);

enum class ListStanding : std::uint8_t {
  clear,
  listed,      // 127.0.0.0/8 without what follows
  list_error,  // 127.255.255.0/24, 127.0.0.1, outside 127.0.0.0/8, or a list that proves nothing
  unanswered,  // the DNS did not answer
};
[[nodiscard]] std::string_view to_string(ListStanding standing);

// What an answer to an A question says. An error beside a listing is an error.
[[nodiscard]] ListStanding standing_of(const mailauth::DnsFact& fact);

struct BlocklistStanding {
  std::string source;
  std::string address;  // text
  std::string zone;
  ListStanding standing = ListStanding::unanswered;
  std::string found;  // the codes, and what the list says (TXT); why it did not answer
  // Of an error without a code, why nothing that the list says is believed.
  Sentence doubt{};
};

// Of one address on one list; nullopt where the list does not know such addresses.
[[nodiscard]] std::optional<BlocklistStanding> standing_on(std::string_view source,
                                                           const SourceAddress& address,
                                                           const Blocklist& list,
                                                           mailauth::DnsFacts& facts);

// The text to send with the address in it; one of ours where the operator gave none.
[[nodiscard]] BilingualText text_to_send(const BlocklistStanding& of, const Blocklist& list);

[[nodiscard]] Finding finding_of(const BlocklistStanding& standing, const Blocklist& list);

// What is told when an address comes onto a list, or off it. Only what is certain changes anything.
class ListingWatch {
 public:
  struct Change {
    BlocklistStanding standing;
    bool is_listed = false;  // false: it is off again
  };
  [[nodiscard]] std::vector<Change> look(std::span<const BlocklistStanding> standings);
  // Forgets what is listed of any other source: it is looked at elsewhere now. What was forgotten.
  std::vector<BlocklistStanding> keep_only(std::span<const std::string> sources);
  [[nodiscard]] std::vector<BlocklistStanding> listed() const;

 private:
  std::vector<BlocklistStanding> listed_;
};

}  // namespace todoku::doctor
