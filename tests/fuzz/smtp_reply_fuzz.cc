// SPDX-License-Identifier: Apache-2.0
// Any octets as what a server says. Oracles: nothing dies; replies do not depend on how the octets
// come in pieces and are fit to be shown; a client session that hears them ends with one result for
// each recipient, in doubt only when the session is over.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "base/random.h"
#include "smtp/protocol/client_session.h"

namespace todoku::smtp {
namespace {

using Step = ClientSession::Step;

// All replies, and whether the octets were refused in the end.
std::pair<std::vector<Reply>, bool> parse(std::string_view octets, Random& random, bool in_pieces) {
  ReplyParser parser;
  std::vector<Reply> replies;
  while (!octets.empty()) {
    std::string_view piece =
        octets.substr(0, in_pieces ? 1 + random.below(8) : std::string_view::npos);
    octets.remove_prefix(piece.size());
    while (!piece.empty()) {
      const Result<bool> whole = parser.take(piece);
      check(parser.unfinished().size() <= ReplyParser::kUnfinishedMax + 3, "it is bounded");
      check(is_utf8(parser.unfinished()), "what has begun is UTF-8");
      if (!whole) return {std::move(replies), true};
      if (*whole) replies.push_back(parser.reply());
    }
  }
  return {std::move(replies), false};
}

void check_replies(std::string_view octets, Random& random) {
  const auto whole = parse(octets, random, false);
  check(whole == parse(octets, random, true), "pieces do not matter");
  for (const Reply& reply : whole.first) {
    check(reply.code >= 200 && reply.code < 600, "a reply has a code");
    check(is_utf8(reply.text), "a reply's text is UTF-8");
    for (const char c : reply.text) {
      check(c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != '\x7f'),
            "a reply's text is printable");
    }
    (void)Capabilities::from_ehlo(reply);
  }
}

void check_results(ClientSession& session) {
  for (const RecipientResult& result : session.results()) {
    check(result.stage != Stage::none, "a result has a stage");
    check(result.accepted() == (result.stage == Stage::accepted && result.reply.positive()),
          "success is a positive answer");
    check(result.reply.code != 0 || !result.reply.text.empty(), "a result has words");
    check(!result.again || (!result.accepted() && session.step() == Step::over),
          "another connection is asked for when this one is lost");
    check(!result.again || session.broken_offers().any(), "and told what to do without");
    check(result.reply.code != 0 || result.cause != Cause::none, "what we found has a cause");
    if (result.in_doubt) {
      check(!result.accepted() && session.step() == Step::over, "doubt comes with a lost session");
    }
  }
}

void check_session(ClientSessionOptions options, std::string_view octets, Random& random) {
  options.hello_name = "sender.example.com";
  ClientSession session(std::move(options));
  const auto envelope = ClientEnvelope::make("", {"a@example.jp", "b@example.jp"}).value();
  const std::vector<std::string_view> pieces = {"Subject: x\r\n\r\n", ".dot\r\n"};
  int mails = 0;
  while (session.step() != Step::over) {
    check(session.patience().count() > 0, "there is always a time limit");
    switch (session.step()) {
      case Step::write:
        check(!session.output().empty(), "there is something to write");
        random.below(50) == 0 ? session.failed({ErrorKind::closed, "cut"}) : session.written();
        break;
      case Step::content: {
        const std::array<std::string_view, 1> slice{
            std::string_view("\r\n.").substr(0, 1 + random.below(session.content_wanted()))};
        random.below(50) == 0 ? session.failed({ErrorKind::io, "broken"}) : session.content(slice);
        break;
      }
      case Step::read: {
        const std::string_view piece = octets.substr(0, 1 + random.below(40));
        octets.remove_prefix(piece.size());
        piece.empty() ? session.failed({ErrorKind::closed, "end"}) : session.received(piece);
        break;
      }
      case Step::start_tls:
        session.tls_established(random.below(2) == 0);
        break;
      case Step::rest: {
        check_results(session);
        MessageView message = view_of(pieces);
        message.in_slices = random.below(2) == 0;
        if (message.in_slices) message.pieces = {};
        ++mails < 20 ? session.send(envelope, message) : session.quit();
        break;
      }
      case Step::over:
        break;
    }
  }
  check_results(session);
  check(session.opened() || session.failure().stage != Stage::none, "a failure has a stage");
  check(session.opened() || session.failure().reply.code != 0 ||
            session.failure().cause != Cause::none,
        "what we found has a cause");
}

}  // namespace
}  // namespace todoku::smtp

// The first octet chooses options and how the rest comes in pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku;
  if (size == 0) return 0;
  SeededRandom random(data[0]);
  const std::string_view octets(reinterpret_cast<const char*>(data + 1), size - 1);
  smtp::check_replies(octets, random);
  smtp::ClientSessionOptions options;
  constexpr TlsMode kModes[] = {TlsMode::opportunistic, TlsMode::required, TlsMode::never};
  options.tls.mode = kModes[data[0] % 3];
  if ((data[0] & 32U) != 0) options.tls.proof = TlsProof::mx_name;
  options.chunking = (data[0] & 4U) != 0;
  options.pipelining = (data[0] & 8U) != 0;
  if ((data[0] & 16U) != 0) options.single_flight_max = 0;
  smtp::check_session(std::move(options), octets, random);
  return 0;
}
