// SPDX-License-Identifier: Apache-2.0
// A filter that says anything at any time: the talk with it ends or goes on, what is said to it are
// whole packets, and what it changes leaves a mail with a header section and the same body.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "inbound/field_changes.h"
#include "inbound/milter_talk.h"

namespace {

void check_packets(std::string_view out) {
  while (!out.empty()) {
    todoku::check(out.size() >= 5, "a packet is whole");
    std::size_t size = 0;
    for (const char c : out.substr(0, 4)) size = size << 8U | static_cast<std::uint8_t>(c);
    todoku::check(size > 0 && size <= out.size() - 4, "a packet is as long as it says");
    out.remove_prefix(4 + size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku;
  using namespace todoku::inbound;
  constexpr std::string_view kMail =
      "From: a@example.net\r\nSubject: x\r\n y\r\n\r\nThe body: of it\r\n";
  const MilterMail mail{.id = "1",
                        .hostname = "mx.example.jp",
                        .client = {},
                        .hello = "client.example",
                        .sender = {},
                        .recipients = {"b@bounce.example.jp"},
                        .octets = kMail};
  MilterTalk talk(mail);
  std::string_view said(reinterpret_cast<const char*>(data), size);
  while (!said.empty()) {
    for (std::string out = talk.next_output(); !out.empty(); out = talk.next_output()) {
      check_packets(out);
    }
    if (talk.has_ended()) break;
    const std::size_t piece = 1 + static_cast<std::uint8_t>(said.front()) % 64;
    if (!talk.receive(said.substr(0, piece))) return 0;
    said.remove_prefix(std::min(piece, said.size()));
  }
  const MilterVerdict& verdict = talk.verdict();
  check(verdict.changes.size() <= MilterTalk::kChangesMax, "changes are bounded");
  const bool is_refused = talk.has_ended() && verdict.kind == MilterVerdict::Kind::refused;
  check(!is_refused || (verdict.reply.code >= 400 && verdict.reply.code < 600), "a refusal is one");
  const std::string changed = with_changes(kMail, verdict.changes);
  check(split_mail(changed).body == split_mail(kMail).body, "the body is the same");
  check(!changed.contains('\0'), "no NUL comes into it");
  // The mail itself may be anything as well.
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const SplitMail split = split_mail(octets);
  check(octets.ends_with(split.body), "the body is the end of it");
  return 0;
}
