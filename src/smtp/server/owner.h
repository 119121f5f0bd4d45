// SPDX-License-Identifier: Apache-2.0
// ServerOwner: who decides what a connection to our SMTP server is answered, and who takes the
// content. The protocol and the socket are not its matter.
#pragma once

#include <optional>
#include <string_view>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "mail/reply.h"
#include "net/stream.h"
#include "net/tls.h"
#include "smtp/protocol/server_session.h"

namespace todoku::smtp {

struct ServerAnswer {
  std::optional<Reply> reply;  // none: the step is accepted, in the session's words
  bool hang_up = false;        // nothing is answered, the connection ends at once
};

// One for each connection, which calls one member at a time, on its own thread. A member may take
// its time: nothing is read meanwhile, and no deadline of the client's runs. When the connection's
// task is cancelled, what a member waits for ends; the member returns soon, whatever it returns.
class ServerOwner {
 public:
  virtual ~ServerOwner() = default;

  // Decides a step that waits for an answer (connect to quit in ServerEvent). `step.text` lives
  // until the task ends. What is positive at `message` takes responsibility for the mail.
  [[nodiscard]] virtual Task<ServerAnswer> answer(ServerStep step) = 0;

  // The next piece of the content, which lives until the task ends. There is no answer to it:
  // trouble is kept until `message` is to be answered.
  [[nodiscard]] virtual Task<void> take(std::string_view piece) = 0;
  // The transaction is over: the pieces so far, if there are any, will not become a message, and if
  // the connection stays, another may come.
  // What an answered hello or reset, a TLS handshake or the end of the connection finds unfinished
  // is over without this call.
  virtual void discard() = 0;

  // Until when the client may go on with what it has begun, however much of it comes meanwhile;
  // then it hears 421. Asked before every wait for the client. By default there is no end to it but
  // those of ServerPatience.
  [[nodiscard]] virtual SteadyInstant deadline() const { return SteadyInstant::max(); }

  // Hears of each negative reply, its own as well as those of the session and of the connection
  // (deadlines, a stop), when it is about to be sent. There may be thousands in a second.
  virtual void refused(int code, std::string_view text);

  // Shakes hands after STARTTLS was accepted; on an error the connection ends. By default the error
  // is `unsupported`: for servers that do not offer it.
  [[nodiscard]] virtual Task<Result<net::TlsInfo>> shake_hands(net::Stream& stream,
                                                               SteadyInstant deadline);
  // Writes replies. For owners that count or delay them.
  [[nodiscard]] virtual Task<Result<void>> write(net::Stream& stream, std::string_view replies,
                                                 SteadyInstant deadline);
};

}  // namespace todoku::smtp
