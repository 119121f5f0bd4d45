// SPDX-License-Identifier: Apache-2.0
// How insert codes, histories and lists of addresses are packed into blobs (codec.h has varint,
// zigzag and text).
//
//   codes    = *( key-ref [text] text )         key-ref: varint, 0 = key follows, n + 1 = number n
//   history  = *entry, oldest first
//   entry    = octet zigzag varint varint text-ref [text] path-ref [path]
//              octet: stage << 4 | is_attempt << 3 | state; zigzag: milliseconds since 2025-01-01;
//              then duration in ms, code of the reply + 1024 if the charset fell back to UTF-8
//              + 2048 times the cause (mail/cause.h; 0 in entries of versions that knew none)
//              + 2048 * 256 if the sender is to be told of success
//   text-ref = varint, 0 = text follows, n + 1 = number n
//   path-ref = varint, 0 = no path, 1 = path follows as text, n + 2 = number n
//   path     = text text text octet text        MX host, remote IP, source, TLS use, TLS detail
//   list     = *text
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mail/attached.h"
#include "mail/attempt.h"
#include "mail/content.h"
#include "store/codec.h"
#include "store/dictionary.h"
#include "store/recipients.h"

namespace todoku::store {

// Replies longer than this are cut at a character.
inline constexpr std::size_t kReplyOctetsMax = 2048;
// What is kept of a reply's text.
[[nodiscard]] std::string_view kept_of_reply(std::string_view text);

// Packs into `out`, which is cleared first. Keys of what a sender attaches (mail/attached.h) stand
// in place, so that whoever looks for that needs no dictionary.
[[nodiscard]] Result<void> pack_codes(Dictionary& dictionary, const std::vector<InsertCode>& codes,
                                      std::string& out);
[[nodiscard]] Result<std::vector<InsertCode>> unpack_codes(Dictionary& dictionary,
                                                           std::string_view packed);

// What is attached among packed codes, as far as it can be read.
[[nodiscard]] Attached attached_in(std::string_view packed);

// One entry of a history; what it refers to must live as long.
struct HistoryEntry {
  Instant at{};
  Milliseconds duration{};
  RecipientState state = RecipientState::pending;  // what became of it, whatever `outcome` says
  const Outcome& outcome;
  const Path& path;
};

// For a database that writes entries itself, whose instant only it knows: instants are kept as
// twice the milliseconds since this, a varint (codec.h).
inline constexpr std::int64_t kHistoryEpochMs = 1'735'689'600'000;

// Appends an entry to a history.
[[nodiscard]] Result<void> append_history(Dictionary& dictionary, const HistoryEntry& entry,
                                          std::string& history);
// That a recipient is set aside from now on: a process died `deaths` times with it alone in hand.
[[nodiscard]] Result<void> append_set_aside(Dictionary& dictionary, Instant now,
                                            std::int64_t deaths, std::string& history);
// Into a story: the attempts, and apart from them what was told of delays.
void tell_history(Story& story, std::vector<Attempt> history);
[[nodiscard]] Result<std::vector<Attempt>> unpack_history(Dictionary& dictionary,
                                                          std::string_view history);

// An entry as it lies in a history: what is looked up by number is looked up by who wants it. Views
// are of the history.
struct PackedEntry {
  Instant at{};
  Milliseconds duration{};
  RecipientState state = RecipientState::pending;
  Stage stage = Stage::none;
  bool is_attempt = false;
  bool charset_fell_back = false;
  int code = 0;
  Cause cause = Cause::none;
  bool sender_to_tell = false;
  std::uint64_t reply_ref = 0;
  std::string_view reply;  // where reply_ref is 0
  std::uint64_t path_ref = 0;
  std::string_view path;  // where path_ref is 1
};

// Goes through a history without unpacking what nobody asks for.
class HistoryReader {
 public:
  explicit HistoryReader(std::string_view history) : in_(history) {}

  [[nodiscard]] bool at_end() const { return in_.at_end(); }
  // corrupt.
  [[nodiscard]] Result<PackedEntry> next();

 private:
  BlobReader in_;
};

// Errors: corrupt, of the dictionary. The view lasts until the dictionary is asked again.
[[nodiscard]] Result<std::string_view> reply_of(Dictionary& dictionary, const PackedEntry& entry);
[[nodiscard]] Result<Path> path_of(Dictionary& dictionary, const PackedEntry& entry);

// Names and values by turns, as a list.
[[nodiscard]] std::string pack_headers(const std::vector<ExtraHeader>& headers);
[[nodiscard]] Result<std::vector<ExtraHeader>> unpack_headers(std::string_view packed);

// Empty: nullopt.
[[nodiscard]] std::string pack_envelope(const std::optional<RelayedEnvelope>& envelope);
[[nodiscard]] Result<std::optional<RelayedEnvelope>> unpack_envelope(std::string_view packed);

[[nodiscard]] std::string pack_list(const std::vector<std::string>& list);
[[nodiscard]] Result<std::vector<std::string>> unpack_list(std::string_view packed);

// The address as stored in a batch of `domain`: without the domain if it is the batch's. The view
// is of `address`.
[[nodiscard]] std::string_view stored_address(std::string_view address, std::string_view domain);
// The address that was given to stored_address().
[[nodiscard]] std::string full_address(std::string_view stored, std::string_view domain);

}  // namespace todoku::store
