// SPDX-License-Identifier: Apache-2.0
// What has to be in the DNS for a domain that mail is sent from: made from its keys, the addresses
// that send, and what is in the zone already.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "base/result.h"

namespace todoku::doctor {

// The side that sends. Names are A-labels in lower case without final dot.
struct Platform {
  std::vector<std::string> addresses;  // the public ones of the sources: "192.0.2.1"
  // Sources whose address as receivers see it is not known: a private one behind a translation.
  std::vector<std::string> unknown_sources;
  std::string spf_include;  // a name whose SPF record holds the addresses; empty: they are listed
  std::string return_path;  // the domain of MAIL FROM
  std::string mail_host;    // the EHLO name, which takes what comes back
};

struct DomainKey {
  std::string selector;
  std::string record;    // the TXT record's text; empty: any good key will do
  std::string domain{};  // d=, where it is one above the wish's; empty: that
  // Where a CNAME leads to the record, in a zone of the platform; empty: the record is here.
  std::string alias{};
  bool is_idle = false;  // nothing signs with it now: there may be nothing where the CNAME leads
};

struct DomainWish {
  std::string domain;  // From
  Platform platform;
  std::vector<DomainKey> keys;
  std::string report_address;  // where DMARC and TLS reports go; empty: nowhere in particular
  // The record that proves the domain to us; empty: none is needed.
  std::string proof_name;
  std::string proof_value;

  // "s1._domainkey.example.jp"
  [[nodiscard]] std::string key_name(const DomainKey& key) const;
  [[nodiscard]] bool return_path_is_here() const;  // at or below `domain`
  [[nodiscard]] bool mail_host_is_here() const;    // likewise
};

// Our mechanisms in an SPF record, as merge_spf() takes them.
[[nodiscard]] std::vector<std::string> spf_mechanisms(const Platform& platform);

// "mailto:dmarc@example.jp" as DMARC and TLS-RPT take it: what separates there, and what a URI does
// not hold, is percent-encoded (RFC 7489 section 6.2, RFC 8460 section 3). `address` as
// Address::to_string() writes it.
[[nodiscard]] std::string report_uri(std::string_view address);

// Whether `name` is `domain` or below it.
[[nodiscard]] bool is_at_or_below(std::string_view name, std::string_view domain);

// What the zone holds now of the names that matter, TXT records joined.
struct ZoneNow {
  std::vector<std::string> texts;              // of the domain
  std::vector<std::string> return_path_texts;  // of platform.return_path
  std::vector<std::string> dmarc_texts;
  std::vector<std::string> tls_rpt_texts;
  std::vector<std::string> mta_sts_texts;
  // Of the keys and of the proof, by name.
  std::map<std::string, std::vector<std::string>> other_texts;
  std::map<std::string, std::string> aliases;  // of the keys: where a CNAME leads, by name
  // Of what merge_spf() makes for a name, or leaves as it is: why that counts for nothing there.
  std::map<std::string, std::string> spf_faults;
  bool has_mx = false;  // the domain, and not a null MX
  bool has_address = false;
  bool return_path_has_mx = false;
  bool mail_host_has_address = false;
};

struct WantedRecord {
  std::string name;
  std::string type;       // "TXT", "CNAME", "MX", "A", "AAAA"
  std::string value;      // TXT: the text, joined; MX: "10 mail.example.com."
  Sentence purpose;       // for people
  bool replaces = false;  // a record of its kind that is there, which is taken away
  bool is_there = false;  // as it should be
  bool is_optional = false;
  // Not before something else is done, which the purpose says.
  bool is_for_later = false;
  // Why it must not be put there as it stands, and what to do first; empty: nothing is wrong.
  BilingualText problem;
  // In the zone of another, who takes the reports of the domain.
  bool is_elsewhere = false;
  // What of the record that is there cannot be read and is not kept, as SpfMerge::left_out.
  std::vector<std::string> left_out{};
  // What is wrong with it all the same, whether it is there or not.
  std::vector<BilingualText> warnings{};

  // One entry of a zone file, ends with a line break.
  [[nodiscard]] std::string zone_entry() const;
};

// In the order in which one pastes them. Errors: as merge_spf().
[[nodiscard]] Result<std::vector<WantedRecord>> wanted_records(const DomainWish& wish,
                                                               const ZoneNow& now);

}  // namespace todoku::doctor
