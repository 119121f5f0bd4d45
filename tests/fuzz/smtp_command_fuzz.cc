// SPDX-License-Identifier: Apache-2.0
// The receiving SMTP session against any octets. Oracles: it never dies, every reply line is well
// formed, and the same octets cut into reads differently give the same replies and events. Of a
// strict one also: no message holds what a careless receiver could take for its end, and no mail
// comes before authentication.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/random.h"
#include "smtp/protocol/server_session.h"

namespace todoku::smtp {
namespace {

struct Observed {
  std::string output;
  std::string events;    // one letter each, content and reads left out
  std::string begun;     // content of the message that is under way
  std::string messages;  // of the finished ones, each ended by a bar
};

Reply decide(const ServerSession& session, const ServerStep& step) {
  switch (step.event) {
    case ServerEvent::recipient:
      return session.recipient().local.starts_with('x') ? Reply{550, "5.1.1 No"} : Reply{250, "Ok"};
    case ServerEvent::connect:
      return {220, "mx"};
    case ServerEvent::data:
      return {354, "Go"};
    case ServerEvent::auth:
      return {334, ""};
    case ServerEvent::auth_response:
      if (step.text == "eHh4") return {235, "2.7.0 In"};
      return step.text.size() % 2 == 0 ? Reply{334, "eA=="} : Reply{535, "5.7.8 No"};
    case ServerEvent::mail:
      check(!session.mail().sender || !session.mail().sender->domain.empty(), "a domain");
      return {250, "Ok"};
    default:
      return {250, step.event == ServerEvent::hello ? "mx\nsecond" : "Ok"};
  }
}

void check_content(std::string_view message) {
  char before = 0;
  for (const char c : message) {
    check(c != '\0' && (c == '\n') == (before == '\r'), "CR and LF stand together");
    before = c;
  }
  check(before != '\r', "CR and LF stand together");
}

// One read. False: the session ended.
bool receive(ServerSession& session, const ServerOptions& options, std::string_view input,
             Observed& seen) {
  const bool strict = options.strict;
  const bool must_authenticate = options.auth_required;
  for (;;) {
    const ServerStep step = session.next(input);
    switch (step.event) {
      case ServerEvent::need_input:
        check(input.empty(), "all input is taken");
        seen.output += session.output();
        session.clear_output();
        return true;
      case ServerEvent::close:
        seen.output += session.output();
        return false;
      case ServerEvent::content:
        check(!step.text.empty(), "a piece of content is not empty");
        seen.begun += step.text;
        break;
      case ServerEvent::discard:
        seen.begun.clear();
        break;
      case ServerEvent::tls:
        session.tls_started();
        return true;
      default:
        seen.events += static_cast<char>('a' + static_cast<int>(step.event));
        if (step.event == ServerEvent::mail && must_authenticate) {
          check(session.is_authenticated(), "who sends is known");
        }
        if (step.event == ServerEvent::message) {
          if (strict) check_content(seen.begun);
          check(seen.begun.size() == session.content_octets(), "the octets are counted");
          seen.messages += seen.begun + '|';
        }
        if (step.event == ServerEvent::mail) seen.begun.clear();
        session.answer(decide(session, step));
    }
  }
}

Observed observe(const ServerOptions& options, std::string_view input, Random* cuts) {
  ServerSession session(options);
  Observed seen;
  bool open = receive(session, options, {}, seen);
  while (open && !input.empty()) {
    const std::size_t size = cuts == nullptr ? input.size() : 1 + cuts->below(input.size());
    const std::string read(input.substr(0, size));
    open = receive(session, options, read, seen);
    input.remove_prefix(size);
  }
  return seen;
}

void check_replies(std::string_view output) {
  while (!output.empty()) {
    const std::size_t end = output.find("\r\n");
    check(end != std::string_view::npos && end >= 4, "a reply is a line");
    check(output[0] >= '2' && output[0] <= '5' && (output[3] == ' ' || output[3] == '-'),
          "a reply has a code");
    check(output.substr(0, end).find_first_of("\r\n") == std::string_view::npos, "one line");
    output.remove_prefix(end + 2);
  }
}

}  // namespace
}  // namespace todoku::smtp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku;
  using namespace todoku::smtp;
  if (size < 1) return 0;
  const std::uint8_t mode = data[0];
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  // Without STARTTLS: what follows it in the same read is dropped by design, so cuts matter there.
  ServerOptions options{.hostname = "mx",
                        .chunking = (mode & 1U) == 0,
                        .enhanced_status_codes = (mode & 2U) == 0,
                        .size_max = (mode & 4U) == 0 ? 0U : 50U,
                        .auth_mechanisms = "PLAIN",
                        .auth_required = (mode & 16U) != 0,
                        .dsn = (mode & 32U) != 0,
                        .strict = (mode & 8U) != 0,
                        .text_line_octets_max = (mode & 64U) == 0 ? 0U : 20U,
                        .recipients_max = 3,
                        .command_octets_max = 128,
                        .errors_max = 30};
  const Observed whole = observe(options, input, nullptr);
  check_replies(whole.output);
  SeededRandom cuts(size * 31U + mode);
  const Observed parts = observe(options, input, &cuts);
  check(parts.output == whole.output, "cutting the input changed the replies");
  check(parts.events == whole.events, "cutting the input changed the events");
  check(parts.messages == whole.messages, "cutting the input changed the content");
  options.starttls = true;
  options.tls_required = (mode & 128U) != 0;
  check_replies(observe(options, input, &cuts).output);
  return 0;
}
