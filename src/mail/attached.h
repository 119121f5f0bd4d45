// SPDX-License-Identifier: Apache-2.0
// What a sender attaches to a recipient for its own use, and gets back with everything that is told
// of that recipient: a reference by which it finds the mail again (an order number, say) and a few
// members of its own. None of it is ever in the mail. Of a relayed message, too, the Message-ID
// that it came with.
//
// It is kept among the recipient's insert codes, as what the sender of a relayed message wishes to
// be told is (mail/dsn.h), under keys that no insert code can have: so it is stored, carried,
// exported and erased with them, and costs nothing where there is none.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mail/content.h"

namespace todoku {

inline constexpr std::size_t kReferenceOctetsMax = 100;
inline constexpr std::size_t kMetadataMembersMax = 20;
inline constexpr std::size_t kMetadataNameOctetsMax = 100;
inline constexpr std::size_t kMetadataOctetsMax = 2'000;  // of all names and values
// Longer ones of relayed messages are not kept: nobody finds a mail by them.
inline constexpr std::size_t kRelayedMessageIdOctetsMax = 250;

struct MetadataMember {
  std::string name;
  std::string value;
  friend bool operator==(const MetadataMember&, const MetadataMember&) = default;
};
using Metadata = std::vector<MetadataMember>;  // names differ

struct Attached {
  std::string reference;        // empty: none
  Metadata metadata;            // in the order given
  std::string message_id = {};  // without its angle brackets; empty: ours, or too long

  [[nodiscard]] bool empty() const {
    return reference.empty() && metadata.empty() && message_id.empty();
  }
  friend bool operator==(const Attached&, const Attached&) = default;
};

// Whether an insert code of this key is one of these.
[[nodiscard]] bool is_attached_key(std::string_view key);

// Adds what there is to the codes that are stored.
void attach(const Attached& attached, std::vector<InsertCode>& codes);
// Takes it out of them again; what is damaged counts as not there.
[[nodiscard]] Attached detach(std::vector<InsertCode>& codes);
// The same of one stored code after the other: nothing happens if it is none of these.
void take_attached(std::string_view key, std::string_view value, Attached& attached);

// As it is told: an object of strings, in the order given.
template <class JsonWriter>
void write_metadata(JsonWriter& json, const Metadata& metadata) {
  json.begin_object();
  for (const MetadataMember& member : metadata) json.member(member.name, member.value);
  json.end_object();
}

}  // namespace todoku
