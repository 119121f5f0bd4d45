// SPDX-License-Identifier: Apache-2.0
#include "delivery/relayed_message.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "mailauth/dkim/message.h"

namespace todoku::delivery {
namespace {

constexpr std::string_view kCrlf = "\r\n";

bool has(std::span<const HeaderField> fields, std::string_view name) {
  return std::ranges::any_of(
      fields, [&](const HeaderField& field) { return equals_ignoring_case(field.name, name); });
}

// The whole field. It is one, whatever it was made of.
Result<std::string> written(const AddedField& added) {
  std::string raw = added.name + ": " + added.value + "\r\n";
  const auto read = mailauth::dkim::split_message(raw);
  const bool is_field = !added.name.empty() && read.fields.size() == 1 &&
                        read.fields[0].raw == raw && read.fields[0].name == added.name &&
                        is_ascii(raw) && RelayedScan().update(raw);
  if (!is_field)
    return fail(ErrorKind::invalid_input, "a field to be added is none: " + added.name);
  return raw;
}

std::unexpected<Error> of_message(const Error& clause) {
  return fail(clause.kind, "the message " + clause.detail);
}

}  // namespace

Result<RelayedMessage> RelayedMessage::build(std::string octets, const Options& options) {
  RelayedScan scan;
  if (const auto sound = scan.update(octets); !sound) return fail(sound.error());
  auto parts = scan.parts(options);
  if (!parts) return fail(std::move(parts.error()));
  (*parts)->octets = std::move(octets);
  (*parts)->body = std::string_view((*parts)->octets).substr(scan.head_octets());
  return RelayedMessage(std::move(*parts));
}

Result<RelayedMessage> RelayedMessage::of_head(std::string_view head, const Known& known,
                                               const Options& options) {
  RelayedScan scan;
  if (const auto sound = scan.update(head); !sound) return fail(sound.error());
  auto parts = scan.parts(options);
  if (!parts) return fail(std::move(parts.error()));
  (*parts)->outside = static_cast<std::size_t>(known.outside);
  (*parts)->has_leading_dot = known.has_leading_dot;
  (*parts)->is_eight_bit = known.is_eight_bit;
  (*parts)->has_long_line = known.has_long_line;
  return RelayedMessage(std::move(*parts));
}

Result<void> RelayedScan::update(std::string_view slice) {
  if (slice.empty()) return {};
  if (octets() == 0 && (slice.front() == ' ' || slice.front() == '\t')) {
    // It would continue the field that is put before it.
    return fail(ErrorKind::invalid_input, "the message begins with the middle of a field");
  }
  if (const auto sound = lines_.update(slice); !sound) return of_message(sound.error());
  return look_for_head(slice);
}

Result<void> RelayedScan::look_for_head(std::string_view slice) {
  constexpr std::size_t kAtOnce = 64UL * 1024;
  constexpr std::string_view kEnd = "\r\n\r\n";
  while (!head_is_whole_ && !slice.empty()) {
    // The blank line may lie across the edge.
    const std::size_t looked_at = head_.size() - std::min(head_.size(), kEnd.size() - 1);
    head_ += slice.substr(0, kAtOnce);
    slice.remove_prefix(std::min(kAtOnce, slice.size()));
    const std::size_t end = head_.find(kEnd, looked_at);
    const bool is_empty = head_.starts_with(kCrlf);
    head_is_whole_ = is_empty || end != std::string::npos;
    if (head_is_whole_) head_.resize(is_empty ? kCrlf.size() : end + kEnd.size());
    if (head_.size() > kHeadOctetsMax) {
      return fail(ErrorKind::invalid_input, "the message has a header section of over a megabyte");
    }
  }
  return {};
}

Result<std::unique_ptr<RelayedMessage::Parts>> RelayedScan::parts(
    const RelayedMessage::Options& options) {
  if (const auto sound = lines_.finish(); !sound) return of_message(sound.error());
  auto parts = std::make_unique<RelayedMessage::Parts>();
  const auto read = mailauth::dkim::split_message(head_);
  for (const AddedField& added : options.added) {
    if (added.only_if_missing && has(read.fields, added.name)) continue;
    auto raw = written(added);
    if (!raw) return fail(std::move(raw.error()));
    parts->head += *raw;
  }
  parts->head += head_;
  parts->is_eight_bit = lines_.is_eight_bit();
  parts->has_long_line = lines_.has_long_line();
  parts->smtputf8 = options.smtputf8;
  parts->has_leading_dot = lines_.has_leading_dot();
  parts->headers = mailauth::dkim::split_message(parts->head).fields;
  return parts;
}

Result<RelayedMessage> RelayedScan::finish(const RelayedMessage::Options& options) {
  auto made = parts(options);
  if (!made) return fail(std::move(made.error()));
  (*made)->outside = static_cast<std::size_t>(octets() - head_.size());
  return RelayedMessage(std::move(*made));
}

std::size_t RelayedMessage::memory_octets() const {
  return sizeof(Parts) + parts_->octets.capacity() + parts_->head.capacity() +
         parts_->headers.capacity() * sizeof(HeaderField);
}

}  // namespace todoku::delivery
