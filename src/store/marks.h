// SPDX-License-Identifier: Apache-2.0
// By what recipients are found besides their address: the reference that the sender gave
// (mail/attached.h), which is its account's own, and the Message-ID that a relayed message came
// with. Each has a hash like an address (address_hash.h) and is looked up in the same way; hashes
// of the three kinds never mean each other.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mail/attached.h"
#include "store/address_hash.h"
#include "store/keys.h"

namespace todoku::store {

enum class MarkKind : std::uint8_t { reference, message_id };

struct Mark {
  MarkKind kind = MarkKind::reference;
  std::string text;  // a Message-ID without its angle brackets
  // Whose it is: of a reference. Message-IDs are the world's, and found in any account.
  AccountKey account{};
};

[[nodiscard]] std::uint64_t hash_of(const AddressHash& hash, const Mark& mark);

// Of a recipient of that account.
[[nodiscard]] std::vector<Mark> marks_of(const Attached& attached, AccountKey account);
[[nodiscard]] std::vector<Mark> marks_of(std::span<const InsertCode> codes, AccountKey account);

// References to the letter; Message-IDs whatever their case, as people copy them.
[[nodiscard]] bool has_mark(const Attached& attached, const Mark& mark);

}  // namespace todoku::store
