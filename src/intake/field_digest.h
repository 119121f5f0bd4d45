// SPDX-License-Identifier: Apache-2.0
// What fingerprints of requests are made with (docs/adr/0019): fields by their names, in an order
// that whoever makes one keeps to. Those without a value leave no trace.
//
//   fields = *( text value )          text: the field's name
//   value  = text | number | list     text: length, octets; number: 8 octets
//   list   = number *item
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/clock.h"
#include "base/digest.h"
#include "base/sha256_stream.h"
#include "intake/request.h"

namespace todoku::intake {

class FieldDigest {
 public:
  explicit FieldDigest(std::string_view kind) { text(kind); }
  [[nodiscard]] Sha256 finish() { return stream_.finish(); }

  void text(std::string_view octets) {
    number(octets.size());
    stream_.add(octets);
  }
  void number(std::uint64_t value) {
    char octets[sizeof value];
    for (char& octet : octets) {
      octet = static_cast<char>(value & 0xFFU);
      value >>= 8U;
    }
    stream_.add({octets, sizeof octets});
  }

  // With its name, unless it has no value.
  void field(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    text(name);
    text(value);
  }
  void field(std::string_view name, bool value) {
    if (!value) return;
    text(name);
    number(1);
  }
  // Metadata in any order, as the members of an object.
  void field(const Attached& value) {
    const auto& [reference, metadata, message_id] = value;
    field("reference", reference);
    if (metadata.empty()) return;
    std::vector<const MetadataMember*> in_order;
    for (const MetadataMember& member : metadata) in_order.push_back(&member);
    std::ranges::sort(in_order, {}, &MetadataMember::name);
    text("metadata");
    number(metadata.size());
    for (const MetadataMember* member : in_order) {
      text(member->name);
      text(member->value);
    }
  }
  void field(std::string_view name, const Mailbox& value) {
    text(name);
    mailbox(value);
  }
  void field(std::string_view name, const std::vector<std::string>& list) {
    if (list.empty()) return;
    text(name);
    number(list.size());
    for (const std::string& item : list) text(item);
  }
  void field(std::string_view name, const std::vector<ExtraHeader>& list) {
    if (list.empty()) return;
    text(name);
    headers(list);
  }
  void field(std::string_view name, const std::vector<InsertCode>& list) {
    if (list.empty()) return;
    text(name);
    codes(list);
  }
  // Given as nothing is not the same as not given.
  void field(std::string_view name, const std::optional<std::vector<std::string>>& list) {
    if (!list) return;
    text(name);
    number(list->size());
    for (const std::string& item : *list) text(item);
  }
  template <class T>
  void field(std::string_view name, const std::optional<T>& value) {
    if (!value) return;
    text(name);
    if constexpr (std::is_same_v<T, bool>) {
      number(*value ? 1 : 0);
    } else if constexpr (std::is_same_v<T, Instant>) {
      number(static_cast<std::uint64_t>(to_epoch_ms(*value)));
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
      number(static_cast<std::uint64_t>(*value));
    } else if constexpr (std::is_same_v<T, Mailbox>) {
      mailbox(*value);
    } else if constexpr (std::is_same_v<T, Milliseconds>) {
      number(static_cast<std::uint64_t>(value->count()));
    } else if constexpr (std::is_same_v<T, std::vector<ExtraHeader>>) {
      headers(*value);
    } else {
      text(*value);
    }
  }

  void mailbox(const Mailbox& value) {
    const auto& [address, name] = value;
    text(address);
    text(name);
  }
  // In any order, as the members of an object.
  void headers(const std::vector<ExtraHeader>& list) {
    std::vector<const ExtraHeader*> in_order;
    for (const ExtraHeader& header : list) in_order.push_back(&header);
    std::ranges::sort(in_order, {}, &ExtraHeader::name);
    number(list.size());
    for (const ExtraHeader* header : in_order) {
      const auto& [header_name, value] = *header;
      text(header_name);
      text(value);
    }
  }
  void codes(const std::vector<InsertCode>& list) {
    number(list.size());
    for (const auto& [key, value] : list) {
      text(key);
      text(value);
    }
  }
  void recipient(const RecipientRequest& value) {
    const auto& [email, insert_codes, attached] = value;
    text(email);
    codes(insert_codes);
    field(attached);
  }

 private:
  Sha256Stream stream_;
};

}  // namespace todoku::intake
