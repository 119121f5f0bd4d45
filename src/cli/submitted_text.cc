// SPDX-License-Identifier: Apache-2.0
#include "cli/submitted_text.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "mime/encoded_words.h"
#include "mime/header.h"
#include "mime/mailbox_list.h"

namespace todoku::cli {
namespace {

constexpr std::string_view kMboxLine = "From ";
// More than a program that writes "\r\n" into a text file makes of it; those before them stay.
constexpr std::size_t kHeldMax = 8;

constexpr std::string_view kResent = "resent-";

// In lower case.
bool is_wanted(std::string_view name) {
  return name == "to" || name == "cc" || name == "bcc";
}

}  // namespace

// ---- lines -------------------------------------------------------------------------------------

bool SubmittedText::take(std::string_view octets, std::string& out) {
  if (part_ == Part::opening) take_opening(octets, out);
  if (part_ == Part::mbox_line) {
    const std::size_t end = octets.find('\n');
    if (end == std::string_view::npos) return true;
    octets.remove_prefix(end + 1);
    part_ = Part::text;
  }
  take_text(octets, out);
  return part_ != Part::ended;
}

void SubmittedText::take_opening(std::string_view& octets, std::string& out) {
  while (!octets.empty() && opening_.size() < kMboxLine.size() &&
         octets.front() == kMboxLine[opening_.size()]) {
    opening_ += octets.front();
    octets.remove_prefix(1);
  }
  if (opening_ == kMboxLine) {
    part_ = Part::mbox_line;
  } else if (!octets.empty()) {
    part_ = Part::text;
    take_text(std::exchange(opening_, {}), out);
  }
}

void SubmittedText::take_text(std::string_view octets, std::string& out) {
  while (!octets.empty() && part_ == Part::text) {
    const char c = octets.front();
    if (c == '\n' || c == '\r') {
      octets.remove_prefix(1);
      if (c == '\n') {
        end_line(out);
      } else if (crs_ == kHeldMax) {
        release(out);
        ++crs_;
      } else {
        ++crs_;
      }
      continue;
    }
    if (line_ == Line::begin && crs_ == 0 && c == '.') {
      line_ = Line::dot;
      octets.remove_prefix(1);
      continue;
    }
    release(out);
    const std::string_view piece = octets.substr(0, octets.find_first_of("\r\n"));
    out += piece;
    octets.remove_prefix(piece.size());
  }
}

void SubmittedText::end_line(std::string& out) {
  if (line_ == Line::dot && dot_ends_) {
    part_ = Part::ended;
    return;
  }
  crs_ = 0;
  if (line_ == Line::dot) out += '.';
  out += "\r\n";
  line_ = Line::begin;
}

// The line goes on: what was held is part of it.
void SubmittedText::release(std::string& out) {
  if (line_ == Line::dot) out += '.';
  out.append(std::exchange(crs_, 0), '\r');
  line_ = Line::inside;
}

void SubmittedText::finish(std::string& out) {
  if (part_ == Part::opening) {
    part_ = Part::text;
    take_text(std::exchange(opening_, {}), out);
  }
  if (part_ == Part::text && (line_ != Line::begin || crs_ > 0)) end_line(out);
  part_ = Part::ended;
}

bool has_header(std::string_view lines) {
  return lines.empty() || lines.starts_with("\r\n") ||
         !mime::field_name(lines.substr(0, lines.find("\r\n"))).empty();
}

// ---- the header section ------------------------------------------------------------------------

void SubmittedHead::take(std::string_view octets) {
  while (!ended_ && !octets.empty()) {
    const std::size_t end = octets.find('\n');
    const std::size_t size = end == std::string_view::npos ? octets.size() : end + 1;
    octets_ += size;
    too_large_ = octets_ > kOctetsMax;
    ended_ = too_large_;
    if (ended_) return;
    line_ += octets.substr(0, size);
    octets.remove_prefix(size);
    if (end == std::string_view::npos) return;
    take_line(std::exchange(line_, {}));
  }
}

void SubmittedHead::take_line(std::string_view line) {
  const bool continues = (line.starts_with(' ') || line.starts_with('\t')) && !fields_.empty();
  if (continues) {
    fields_.back().body += line;
    return;
  }
  const std::string_view name = mime::field_name(line);
  ended_ = name.empty();
  if (ended_) return;
  fields_.push_back({to_ascii_lower(name), std::string(line.substr(line.find(':') + 1))});
}

bool SubmittedHead::has(std::string_view name) const {
  return std::ranges::any_of(
      fields_, [&](const Field& field) { return equals_ignoring_case(field.name, name); });
}

Result<std::vector<std::string>> SubmittedHead::recipients() const {
  if (too_large_) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("the header section is larger than {} octets", kOctetsMax));
  }
  std::vector<const Field*> sent;
  std::vector<const Field*> resent;
  std::set<std::string_view> seen;
  bool is_newest = true;
  for (const Field& field : fields_) {
    if (is_wanted(field.name)) sent.push_back(&field);
    if (!field.name.starts_with(kResent)) continue;
    // What a block has it has once: what comes again is of an older one.
    is_newest = is_newest && seen.insert(field.name).second;
    if (is_newest && is_wanted(std::string_view(field.name).substr(kResent.size()))) {
      resent.push_back(&field);
    }
  }
  std::vector<std::string> found;
  for (const Field* field : resent.empty() ? sent : resent) {
    auto addresses = listed_addresses(mime::unfolded(field->body));
    if (!addresses) return fail("the field " + field->name, std::move(addresses.error()));
    if (found.size() + addresses->size() > kRecipientsMax) {
      return fail(ErrorKind::limit_exceeded,
                  fmt::format("the message has more than {} recipients", kRecipientsMax));
    }
    std::ranges::move(*addresses, std::back_inserter(found));
  }
  return found;
}

Result<std::vector<std::string>> listed_addresses(std::string_view list) {
  auto mailboxes = mime::parse_mailbox_list(list, SubmittedHead::kRecipientsMax);
  if (!mailboxes) return fail(std::move(mailboxes.error()));
  std::vector<std::string> addresses;
  for (mime::ListedMailbox& one : *mailboxes) addresses.push_back(std::move(one.mailbox.address));
  return addresses;
}

}  // namespace todoku::cli
