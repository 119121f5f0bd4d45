// SPDX-License-Identifier: Apache-2.0
// What telling an event by webhook costs in CPU: the decisions, the body and its signature, and the
// call itself to a server in a process of its own, in batches of 100 and alone; each also with 100
// endpoints that hang. Prints name<TAB>value<TAB>unit. `--quick` tells a tenth as many events.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "async/runtime.h"
#include "async/task_group.h"
#include "base/check.h"
#include "dns/fake_resolver.h"
#include "events/webhooks/bodies.h"
#include "events/webhooks/endpoint_policy.h"
#include "events/webhooks/signature.h"
#include "http/guarded/guarded_client.h"

namespace todoku::events::webhooks {
namespace {

constexpr std::size_t kPage = 100;
constexpr int kHanging = 100;

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

void print(std::string_view name, double microseconds) {
  fmt::print("{}\t{:.2f}\tus/event\n", name, microseconds);
  std::fflush(stdout);
}

std::shared_ptr<const WrittenEvent> event(std::size_t number, EventWriter& writer) {
  static const auto delivery = std::make_shared<const store::EventDelivery>(
      store::EventDelivery{.id = 12'345,
                           .type = DeliveryType::bulk,
                           .subject = "春のお知らせ",
                           .labels = {.tags = {"spring"}}});
  return std::make_shared<const WrittenEvent>(
      writer.write({.id = fmt::format("evt_{:016}", number),
                    .kind = ToldKind::sent,
                    .at = from_epoch_ms(1'775'001'600'000),
                    .delivery = delivery,
                    .email = fmt::format("reader{}@example.jp", number),
                    .email_id = static_cast<std::int64_t>(number),
                    .maillog_id = static_cast<std::int64_t>(number),
                    .attempt = 1,
                    .code = 250,
                    .message = "2.0.0 Ok: queued as 4F2Xk31"}));
}

// Endless events of different recipients.
class Reader {
 public:
  void fill(EndpointPolicy& policy, Instant now) {
    while (policy.wants_events()) {
      EventWriter writer(store::WebhookForm::standard);
      std::vector<OfferedEvent> page;
      for (std::size_t i = 0; i < kPage; ++i) {
        ++number_;
        page.push_back({.told = event(number_, writer),
                        .order_key = number_,
                        .cursor_behind = fmt::format("{}", number_)});
      }
      policy.on_page(std::move(page), fmt::format("{}", number_), now);
    }
  }

 private:
  std::size_t number_ = 0;
};

struct Bench {
  SeededRandom random{1};
  Instant now = from_epoch_ms(1'775'001'600'000);
  Reader reader;
  std::vector<SigningSecret> secrets;
  std::vector<std::unique_ptr<EndpointPolicy>> hanging;

  std::unique_ptr<EndpointPolicy> endpoint(std::size_t batch_max) {
    EndpointOptions options;
    options.batch_events_max = batch_max;
    return std::make_unique<EndpointPolicy>(options, EndpointState{}, random);
  }

  // Whose calls are never answered.
  void hang() {
    for (int i = 0; i < kHanging; ++i) {
      hanging.push_back(endpoint(100));
      reader.fill(*hanging.back(), now);
      (void)hanging.back()->next(now);
    }
  }

  void look_at_hanging() {
    for (const auto& policy : hanging) {
      if (policy->wake_at() <= now) (void)policy->next(now);
    }
  }
};

struct Ready {
  http::Headers headers;
  std::string body;
};

Ready make(const EndpointActions::Call& call, Bench& bench) {
  std::vector<const WrittenEvent*> events;
  for (const auto& one : call.events) events.push_back(one.get());
  Ready ready{.headers = {}, .body = signed_body(events)};
  ready.headers.add("Content-Type", "application/json");
  add_signature(ready.headers, bench.secrets, {.id = call_id(events), .at = bench.now}, ready.body);
  return ready;
}

// CPU of so many events, without the calls.
double decide(Bench& bench, std::size_t batch_max, std::size_t count, bool makes) {
  const auto policy = bench.endpoint(batch_max);
  std::size_t told = 0;
  std::size_t octets = 0;
  const double begun = cpu_seconds();
  while (told < count) {
    bench.reader.fill(*policy, bench.now);
    const EndpointActions actions = policy->next(bench.now);
    bench.look_at_hanging();
    for (const auto& call : actions.calls) {
      if (makes) octets += make(call, bench).body.size();
      policy->on_answer(call.number, {.how = CallAnswer::How::accepted}, bench.now);
      told += call.events.size();
    }
    if (actions.save) policy->on_saved(true);
    bench.now += Milliseconds(10);
  }
  check(!makes || octets > 0, "bodies were made");
  return (cpu_seconds() - begun) * 1e6 / static_cast<double>(told);
}

// What reading costs that is only the bench's: making the events.
double make_events(std::size_t count) {
  EventWriter writer(store::WebhookForm::standard);
  std::size_t octets = 0;
  const double begun = cpu_seconds();
  for (std::size_t i = 0; i < count; ++i) {
    const OfferedEvent one{
        .told = event(i, writer), .order_key = i, .cursor_behind = fmt::format("{}", i)};
    octets += one.told->id.size();
  }
  check(octets > 0, "events were made");
  return (cpu_seconds() - begun) * 1e6 / static_cast<double>(count);
}

// ---- the calls
// -----------------------------------------------------------------------------------

// In a process of its own: takes whole requests, answers each.
[[noreturn]] void serve(int listener) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (true) {
    const int fd = ::accept(listener, nullptr, nullptr);
    if (fd < 0) ::_exit(0);
    if (::fork() != 0) {
      ::close(fd);
      continue;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::string in;
    std::string piece(65'536, '\0');
    while (true) {
      const ssize_t got = ::read(fd, piece.data(), piece.size());
      if (got <= 0) ::_exit(0);
      in.append(piece, 0, static_cast<std::size_t>(got));
      const std::size_t end = in.find("\r\n\r\n");
      const std::size_t length = in.find("Content-Length: ");
      if (end == std::string::npos || length == std::string::npos) continue;
      if (in.size() < end + 4 + std::stoul(in.substr(length + 16, 10))) continue;
      in.clear();
      constexpr std::string_view kAnswer = "HTTP/1.1 204 No Content\r\n\r\n";
      if (::write(fd, kAnswer.data(), kAnswer.size()) < 0) ::_exit(0);
    }
  }
}

struct Server {
  std::uint16_t port = 0;
  pid_t process = 0;
};

Server start_server() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  check(::bind(listener, reinterpret_cast<sockaddr*>(&at), size) == 0, "binds");
  check(::listen(listener, 64) == 0, "listens");
  check(::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size) == 0, "has a port");
  const pid_t process = ::fork();
  if (process == 0) serve(listener);
  ::close(listener);
  return {.port = ntohs(at.sin_port), .process = process};
}

struct Calling {
  Bench& bench;
  http::GuardedClient& client;
  std::shared_ptr<const http::TargetUrl> url;
  EndpointPolicy& policy;
  std::size_t told = 0;
  async::Signal answered;
};

Task<void> call(Calling& calling, EndpointActions::Call one) {
  Ready ready = make(one, calling.bench);
  http::GuardedRequest request;
  request.url = calling.url;
  request.headers = std::move(ready.headers);
  request.body = std::move(ready.body);
  const auto answer = co_await calling.client.send(std::move(request));
  check(answer.response.has_value(), "the server answers");
  calling.policy.on_answer(one.number, judge_answer(answer.response), calling.bench.now);
  calling.told += one.events.size();
  calling.answered.notify();
}

Task<void> call_all(Bench& bench, http::GuardedClient& client,
                    std::shared_ptr<const http::TargetUrl> url, std::size_t batch_max,
                    std::size_t count, double& cost) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto policy = bench.endpoint(batch_max);
  Calling calling{.bench = bench,
                  .client = client,
                  .url = std::move(url),
                  .policy = *policy,
                  .answered = async::Signal(executor)};
  async::TaskGroup group(executor);
  const double begun = cpu_seconds();
  while (calling.told < count) {
    bench.reader.fill(*policy, bench.now);
    EndpointActions actions = policy->next(bench.now);
    bench.look_at_hanging();
    for (auto& one : actions.calls) group.spawn("call", call(calling, std::move(one)));
    if (actions.save) policy->on_saved(true);
    bench.now += Milliseconds(10);
    if (policy->calls_in_flight() == 0) {
      bench.now = std::max(bench.now, policy->wake_at());
      continue;
    }
    co_await calling.answered.wait();
  }
  co_await group.wait_empty();
  cost = (cpu_seconds() - begun) * 1e6 / static_cast<double>(calling.told);
}

double call_server(Bench& bench, std::uint16_t port, std::size_t batch_max, std::size_t count) {
  SystemClock clock;
  dns::FakeResolver resolver({.a = {{"hook.example", {"127.0.0.1"}}}});
  const auto permit = net::OutboundRule::Permit::parse("127.0.0.1:*").value();
  http::GuardedClient client({.rule = net::OutboundRule({permit})}, resolver, clock);
  const auto url = std::make_shared<const http::TargetUrl>(
      http::TargetUrl::parse(fmt::format("http://hook.example:{}/", port)).value());
  double cost = 0;
  async::run_to_completion(call_all(bench, client, url, batch_max, count, cost));
  return cost;
}

void run(std::size_t count) {
  const Server server = start_server();  // before there are threads
  Bench bench;
  bench.secrets.push_back(SigningSecret::generate(SecretKind::hmac));
  print("written", make_events(count));
  print("decided_in_batches", decide(bench, 100, count, false));
  print("decided_and_signed_in_batches", decide(bench, 100, count, true));
  print("told_in_batches", call_server(bench, server.port, 100, count));
  print("told_alone", call_server(bench, server.port, 1, count / 20));
  bench.hang();
  print("decided_in_batches_100_hang", decide(bench, 100, count, false));
  print("told_in_batches_100_hang", call_server(bench, server.port, 100, count));
  bench.secrets.clear();
  bench.secrets.push_back(SigningSecret::generate(SecretKind::ed25519));
  print("decided_and_signed_ed25519_in_batches", decide(bench, 100, count, true));
  ::kill(server.process, SIGTERM);
  ::waitpid(server.process, nullptr, 0);
}

}  // namespace
}  // namespace todoku::events::webhooks

int main(int count, char** words) {
  const bool quick = count > 1 && std::string_view(words[1]) == "--quick";
  todoku::events::webhooks::run(quick ? 20'000 : 200'000);
  return 0;
}
