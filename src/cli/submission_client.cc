// SPDX-License-Identifier: Apache-2.0
// make_submission_client() of submission_port.h: the SMTP client that sends mail elsewhere, over
// the socket.
#include <chrono>
#include <utility>

#include <unistd.h>

#include "async/runtime.h"
#include "cli/submission_port.h"
#include "net/dialer.h"
#include "net/unix_pipe.h"
#include "smtp/client/connection.h"

namespace todoku::cli {
namespace {

// The relay answers at once, or something is wrong with it.
constexpr Milliseconds kAnswer = std::chrono::seconds(30);

// Whatever address is dialled, it is the socket that answers.
class SocketDialer final : public net::Dialer {
 public:
  explicit SocketDialer(std::string path) : path_(std::move(path)) {}

  Task<Result<net::Stream>> dial(net::Endpoint /*remote*/, net::DialOptions /*options*/,
                                 SteadyInstant deadline) override {
    auto stream = co_await net::dial_unix(path_, deadline);
    if (!stream) failure_ = stream.error();
    co_return stream;
  }
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

 private:
  const std::string path_;
  std::optional<Error> failure_;
};

smtp::ConnectionOptions options_for(net::Dialer& dialer) {
  smtp::ConnectionOptions options;
  options.dialer = &dialer;
  options.mx_host = "localhost";
  options.session.hello_name = "localhost";
  options.session.tls.mode = TlsMode::never;
  options.connect_timeout = kAnswer;
  smtp::ClientTimeouts& times = options.session.timeouts;
  times.greeting = times.hello = times.mail = times.rcpt = times.data = kAnswer;
  return options;
}

class SubmissionClient final : public SubmissionPort {
 public:
  SubmissionClient(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}

  SubmissionAnswer submit(const smtp::ClientEnvelope& envelope, MessageSpool& message) override {
    SubmissionAnswer answer;
    async::run_to_completion(send(envelope, message, answer));
    return answer;
  }

  Result<void> speak() override {
    return net::pipe_to_unix_socket(path_, STDIN_FILENO, STDOUT_FILENO);
  }

 private:
  // Its arguments outlive it: submit() waits for its end.
  Task<void> send(const smtp::ClientEnvelope& envelope,  // NOLINT(*-reference-coroutine-parameters)
                  MessageSpool& message,                 // NOLINT(*-reference-coroutine-parameters)
                  SubmissionAnswer& answer) {            // NOLINT(*-reference-coroutine-parameters)
    SocketDialer dialer(path_);
    auto connection = co_await smtp::Connection::open(options_for(dialer), clock_);
    if (!connection) {
      answer.no_connection = dialer.failure();
      if (answer.no_connection) co_return;
      const smtp::ConnectionFailure& failure = connection.error();
      answer.results.assign(envelope.recipients().size(),
                            {.stage = failure.stage, .reply = failure.reply});
      co_return;
    }
    const smtp::MessageView view{.size = message.octets(), .in_slices = true};
    const auto results =
        co_await (*connection)->send(envelope, view, SteadyInstant::max(), &message);
    answer.results.assign(results.begin(), results.end());
    co_await (*connection)->quit();
  }

  const std::string path_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<SubmissionPort> make_submission_client(std::string path, const Clock& clock) {
  return std::make_unique<SubmissionClient>(std::move(path), clock);
}

}  // namespace todoku::cli
