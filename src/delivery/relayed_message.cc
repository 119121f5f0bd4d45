// SPDX-License-Identifier: Apache-2.0
#include "delivery/relayed_message.h"

#include <algorithm>
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
  return RelayedMessage(std::move(*parts));
}

Result<void> RelayedScan::update(std::string_view slice) {
  if (slice.empty()) return {};
  if (octets_ == 0 && (slice.front() == ' ' || slice.front() == '\t')) {
    // It would continue the field that is put before it.
    return fail(ErrorKind::invalid_input, "the message begins with the middle of a field");
  }
  if (slice.contains('\0')) return fail(ErrorKind::invalid_input, "the message has a NUL");
  const bool line_end_is_cut = after_cr_;
  if (auto sound = check_line_ends(slice); !sound) return sound;
  if (auto sound = look_for_head(slice); !sound) return sound;
  has_leading_dot_ |= (at_line_start_ && slice.front() == '.') || slice.contains("\r\n.") ||
                      (line_end_is_cut && slice.starts_with("\n."));
  at_line_start_ = slice.ends_with('\n');
  is_eight_bit_ |= !is_ascii(slice);
  octets_ += slice.size();
  return {};
}

Result<void> RelayedScan::check_line_ends(std::string_view slice) {
  const auto broken = [] {
    return fail(ErrorKind::invalid_input, "the message has a line that does not end with CR LF");
  };
  if (std::exchange(after_cr_, false)) {
    if (slice.front() != '\n') return broken();
    slice.remove_prefix(1);
  }
  if (slice.ends_with('\r')) {
    after_cr_ = true;
    slice.remove_suffix(1);
  }
  for (std::size_t at = slice.find_first_of(kCrlf); at != std::string_view::npos;
       at = slice.find_first_of(kCrlf, at + kCrlf.size())) {
    if (slice.substr(at, kCrlf.size()) != kCrlf) return broken();
  }
  return {};
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
  if (after_cr_) return fail(ErrorKind::invalid_input, "the message ends in the middle of a line");
  auto parts = std::make_unique<RelayedMessage::Parts>();
  const auto read = mailauth::dkim::split_message(head_);
  for (const AddedField& added : options.added) {
    if (added.only_if_missing && has(read.fields, added.name)) continue;
    auto raw = written(added);
    if (!raw) return fail(std::move(raw.error()));
    parts->head += *raw;
  }
  parts->head += head_;
  parts->is_eight_bit = is_eight_bit_;
  parts->smtputf8 = options.smtputf8;
  parts->has_leading_dot = has_leading_dot_;
  parts->headers = mailauth::dkim::split_message(parts->head).fields;
  return parts;
}

Result<RelayedMessage> RelayedScan::finish(const RelayedMessage::Options& options) {
  auto made = parts(options);
  if (!made) return fail(std::move(made.error()));
  (*made)->outside = static_cast<std::size_t>(octets_ - head_.size());
  return RelayedMessage(std::move(*made));
}

std::size_t RelayedMessage::memory_octets() const {
  return sizeof(Parts) + parts_->octets.capacity() + parts_->head.capacity() +
         parts_->headers.capacity() * sizeof(HeaderField);
}

}  // namespace todoku::delivery
