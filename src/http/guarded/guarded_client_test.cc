// SPDX-License-Identifier: Apache-2.0
#include "http/guarded/guarded_client.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/bytes.h"
#include "dns/fake_resolver.h"
#include "http/guarded/test_hostile_server.h"
#include "net/self_signed.h"

namespace todoku::http {
namespace {

net::IpAddress loopback(std::uint8_t last) {
  return net::IpAddress::v4({127, 0, 0, last});
}

// 127.0.0.2 stands for the Internet, 127.0.0.1 for the inside, both on one port.
class GuardedClientTest : public testing::Test {
 protected:
  GuardedClientTest() {
    runtime_.start();
    open({});
  }
  ~GuardedClientTest() override {
    client_.reset();
    close();
    runtime_.join();
    ::unsetenv("http_proxy");
  }

  void open(std::shared_ptr<const net::TlsServerContext> tls) {
    outside_ = std::make_unique<HostileServer>(runtime_.executor(0), clock_, tls);
    inside_ = std::make_unique<HostileServer>(runtime_.executor(0), clock_, tls);
    async::run_to_completion(async::run_on(runtime_.executor(0), listen()));
    resolve_to({"127.0.0.2"});
    connect({.rule = only_outside()});
  }
  void close() { async::run_to_completion(async::run_on(runtime_.executor(0), stop())); }

  Task<void> listen() {
    constexpr int kTries = 20;
    for (int tries = 1;; ++tries) {
      auto outside = net::Listener::open(runtime_.executor(0), {loopback(2), 0});
      port_ = outside.value().local().port;
      // It may be in use there.
      auto inside = net::Listener::open(runtime_.executor(0), {loopback(1), port_});
      if (!inside && tries < kTries) continue;
      inside_->listen(std::move(inside.value()));
      outside_->listen(std::move(*outside));
      co_return;
    }
  }
  Task<void> stop() {
    co_await outside_->stop();
    co_await inside_->stop();
  }

  net::OutboundRule only_outside() {
    return net::OutboundRule({{net::Network(loopback(2), 31), port_}}, {});
  }
  void connect(GuardedOptions options) {
    client_ = std::make_unique<GuardedClient>(std::move(options), resolver_, clock_);
  }
  void resolve_to(std::vector<std::string> addresses) {
    resolver_.set_zone({.a = {{"hook.example", std::move(addresses)}}});
  }

  GuardedRequest to(std::string_view path, std::string_view host = "hook.example") {
    GuardedRequest request;
    auto url = TargetUrl::parse("http://" + std::string(host) + ":" + std::to_string(port_) +
                                std::string(path));
    request.url = std::make_shared<const TargetUrl>(std::move(url.value()));
    request.body = "{}";
    request.timeout = 20s;
    return request;
  }

  Task<void> send_into(GuardedRequest request, GuardedAnswer& out) {
    out = co_await client_->send(std::move(request));
  }
  GuardedAnswer send(GuardedRequest request) {
    GuardedAnswer out;
    async::run_to_completion(send_into(std::move(request), out));
    return out;
  }
  // Four parties at one host of three places, then others at its address by other names.
  Task<void> fill_places() {
    async::TaskGroup group(co_await boost::asio::this_coro::executor);
    std::vector<GuardedAnswer> hanging(4);
    const std::array<std::string_view, 4> hosts = {"hook.example", "hook.example", "hook.example",
                                                   "one.example"};
    const std::array<std::uint64_t, 4> parties = {1, 1, 2, 3};
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      GuardedRequest request = to("/silent", hosts[i]);
      request.party = parties[i];
      request.standing = Standing::prompt;
      group.spawn("hang", send_into(std::move(request), hanging[i]));
    }
    while (outside_->asked().size() < hosts.size()) co_await async::sleep_for(1ms);
    // The host is full; the address, too, by whatever name.
    for (const std::string_view host : {"hook.example", "two.example"}) {
      GuardedRequest request = to("/", host);
      request.party = 4;
      request.standing = Standing::prompt;
      const auto answer = co_await client_->send(std::move(request));
      EXPECT_EQ(answer.response.error().kind, ErrorKind::limit_exceeded) << host;
    }
    co_await group.stop();
    GuardedRequest request = to("/");
    request.party = 4;
    const auto answer = co_await client_->send(std::move(request));
    EXPECT_TRUE(answer.response);
  }
  // The status, or the error's word.
  std::string how(GuardedRequest request) {
    const GuardedAnswer answer = send(std::move(request));
    return answer.response ? std::to_string(answer.response->status)
                           : std::string(to_string(answer.response.error().kind));
  }

  SystemClock clock_;
  async::Runtime runtime_{1};
  dns::FakeResolver resolver_;
  std::unique_ptr<HostileServer> outside_;
  std::unique_ptr<HostileServer> inside_;
  std::uint16_t port_ = 0;
  std::unique_ptr<GuardedClient> client_;
};

TEST_F(GuardedClientTest, SendsWhatItIsGivenAndTellsWhatCame) {
  GuardedRequest request = to("/hook?a=b", "user:secret@hook.example");
  request.headers.add("webhook-id", "evt_1");
  const GuardedAnswer answer = send(std::move(request));
  ASSERT_TRUE(answer.response) << answer.response.error().detail;
  EXPECT_EQ(answer.response->status, 200);
  EXPECT_EQ(answer.response->body, "ok");
  EXPECT_FALSE(answer.cut);
  EXPECT_EQ(answer.peer, (net::Endpoint{loopback(2), port_}));
  const std::string head = outside_->asked().at(0);
  EXPECT_TRUE(head.starts_with("POST /hook?a=b HTTP/1.1\r\n")) << head;
  EXPECT_TRUE(head.contains("\r\nHost: hook.example:" + std::to_string(port_) + "\r\n")) << head;
  EXPECT_TRUE(head.contains("\r\nAuthorization: Basic " + to_base64("user:secret") + "\r\n"));
  EXPECT_TRUE(head.contains("\r\nwebhook-id: evt_1\r\n")) << head;
  EXPECT_FALSE(to_ascii_lower(head).contains("accept-encoding")) << head;
  EXPECT_FALSE(to_ascii_lower(head).contains("expect:")) << head;
}

TEST_F(GuardedClientTest, ConnectsToNobodyInside) {
  resolve_to({"127.0.0.1"});
  EXPECT_EQ(how(to("/")), "unauthorized");
  EXPECT_EQ(how(to("/", "127.0.0.1")), "unauthorized");
  EXPECT_EQ(how(to("/", "[::ffff:127.0.0.1]")), "unauthorized");
  EXPECT_EQ(how(to("/", "[::1]")), "unauthorized");
  EXPECT_TRUE(inside_->asked().empty());
  // With a rule that knows no inside the same requests arrive: it is the rule that kept them out.
  connect({.rule = net::OutboundRule({{net::Network(loopback(0), 8), 0}}, {})});
  EXPECT_EQ(how(to("/")), "200");
  EXPECT_EQ(how(to("/", "127.0.0.1")), "200");
  EXPECT_EQ(inside_->asked().size(), 2U);
}

// The name means the outside at the first look and the inside at every later one: a client that
// looks once to judge and again to connect ends up inside.
class RebindingResolver final : public dns::Resolver {
 public:
  Task<Result<dns::Answer<dns::MxRecord>>> mx(std::string) override {
    return none<dns::MxRecord>();
  }
  Task<Result<dns::Answer<net::IpAddress>>> a(std::string) override {
    dns::Answer<net::IpAddress> answer;
    answer.records = {loopback(looks_++ == 0 ? 2 : 1)};
    co_return answer;
  }
  Task<Result<dns::Answer<net::IpAddress>>> aaaa(std::string) override {
    return none<net::IpAddress>();
  }
  Task<Result<dns::Answer<std::string>>> txt(std::string) override { return none<std::string>(); }
  Task<Result<dns::Answer<std::string>>> ptr(net::IpAddress) override {
    return none<std::string>();
  }
  Task<Result<dns::Answer<dns::TlsaRecord>>> tlsa(std::string) override {
    return none<dns::TlsaRecord>();
  }
  Task<Result<dns::Answer<std::string>>> cname(std::string) override { return none<std::string>(); }
  int looks_ = 0;

 private:
  template <class Record>
  static Task<Result<dns::Answer<Record>>> none() {
    co_return dns::Answer<Record>{};
  }
};

TEST_F(GuardedClientTest, RebindingGainsNothing) {
  RebindingResolver rebinding;
  client_ =
      std::make_unique<GuardedClient>(GuardedOptions{.rule = only_outside()}, rebinding, clock_);
  EXPECT_EQ(how(to("/")), "200");
  EXPECT_EQ(rebinding.looks_, 1);  // what was judged is what was connected to
  // The connection to the outside is still open. It belongs to the address, not to the name.
  EXPECT_EQ(how(to("/")), "unauthorized");
  EXPECT_EQ(outside_->asked().size(), 1U);
  EXPECT_TRUE(inside_->asked().empty());
}

TEST_F(GuardedClientTest, AConnectionIsUsedAgainOnlyForItsAddress) {
  connect({.rule = net::OutboundRule({{net::Network(loopback(0), 8), 0}}, {})});
  EXPECT_EQ(how(to("/")), "200");
  resolve_to({"127.0.0.1"});
  EXPECT_EQ(how(to("/")), "200");
  EXPECT_EQ(outside_->asked().size(), 1U);
  EXPECT_EQ(inside_->asked().size(), 1U);
}

TEST_F(GuardedClientTest, TriesAnotherAddressOnlyWhereNothingWasSent) {
  resolve_to({"127.0.0.1", "127.0.0.3", "127.0.0.2"});  // not allowed, nobody there, the server
  EXPECT_EQ(how(to("/")), "200");
  EXPECT_EQ(outside_->asked().size(), 1U);
  // Over a new connection: of a kept one that ends without an octet libcurl thinks that it had
  // ended before, and asks once more over another.
  connect({.rule = only_outside()});
  resolve_to({"127.0.0.2", "127.0.0.3", "127.0.0.2"});
  EXPECT_EQ(how(to("/hang-up")), "closed");
  EXPECT_EQ(outside_->asked().size(), 2U);
  resolve_to({"127.0.0.3"});
  EXPECT_EQ(how(to("/")), "unavailable");
  resolver_.set_zone({});
  EXPECT_EQ(how(to("/")), "not_found");
}

TEST_F(GuardedClientTest, FollowsNoRedirect) {
  EXPECT_EQ(how(to("/redirect")), "302");
  EXPECT_TRUE(inside_->asked().empty());
}

TEST_F(GuardedClientTest, AsksNoProxy) {
  ::setenv("http_proxy", ("http://127.0.0.1:" + std::to_string(port_)).c_str(), 1);
  connect({.rule = only_outside()});
  EXPECT_EQ(how(to("/")), "200");
  EXPECT_TRUE(inside_->asked().empty());
}

TEST_F(GuardedClientTest, NoAnswerTakesLongerThanItMay) {
  for (const std::string_view path : {"/silent", "/drip", "/drip-header"}) {
    GuardedRequest request = to(path);
    request.timeout = 100ms;
    EXPECT_EQ(how(std::move(request)), "timeout") << path;
  }
}

TEST_F(GuardedClientTest, NoAnswerIsLargerThanItMay) {
  const GuardedAnswer endless = send(to("/endless"));
  ASSERT_TRUE(endless.response) << endless.response.error().detail;
  EXPECT_EQ(endless.response->status, 200);
  EXPECT_EQ(endless.response->body, std::string(1'024, 'x'));
  EXPECT_TRUE(endless.cut);
  EXPECT_EQ(how(to("/header")), "corrupt");
  EXPECT_EQ(how(to("/continue")), "corrupt");
}

TEST_F(GuardedClientTest, UnpacksNothing) {
  const GuardedAnswer answer = send(to("/bomb"));
  ASSERT_TRUE(answer.response) << answer.response.error().detail;
  EXPECT_TRUE(answer.response->body.starts_with("\x1F\x8B"));
}

TEST_F(GuardedClientTest, ABrokenAnswerIsNone) {
  EXPECT_EQ(how(to("/break")), "closed");
  EXPECT_EQ(how(to("/hang-up")), "closed");
}

TEST_F(GuardedClientTest, SendsNoMoreThanItMay) {
  GuardedRequest body = to("/");
  body.body.assign(GuardedRequest::kBodyOctetsMax + 1, 'x');
  EXPECT_EQ(how(std::move(body)), "invalid_input");
  GuardedRequest field = to("/");
  field.headers.add("X-Long", std::string(GuardedRequest::kHeaderOctetsMax, 'x'));
  EXPECT_EQ(how(std::move(field)), "invalid_input");
  GuardedRequest host = to("/");
  host.headers.add("host", "other.example");
  EXPECT_EQ(how(std::move(host)), "invalid_input");
  EXPECT_EQ(how(GuardedRequest{}), "invalid_input");
  EXPECT_TRUE(outside_->asked().empty());
}

TEST_F(GuardedClientTest, ADestinationHasSoManyPlacesAndAPartyHalfOfThem) {
  connect({.rule = only_outside(), .per_host_max = 3, .per_address_max = 4});
  resolver_.set_zone({.a = {{"hook.example", {"127.0.0.2"}},
                            {"one.example", {"127.0.0.2"}},
                            {"two.example", {"127.0.0.2"}}}});
  async::run_to_completion(fill_places());
}

// ---- TLS
// -----------------------------------------------------------------------------------------

class GuardedTlsTest : public GuardedClientTest {
 protected:
  void serve_as(const std::string& name) {
    const net::TlsIdentity identity = net::make_self_signed({name}, clock_.now());
    std::ofstream(ca_file_) << identity.chain;
    close();
    open(net::TlsServerContext::create(identity).value());
    connect({.rule = only_outside(), .ca_file = ca_file_});
  }
  ~GuardedTlsTest() override { std::filesystem::remove(ca_file_); }

  GuardedRequest securely_to(std::string_view host) {
    GuardedRequest request = to("/");
    const std::string text = "https://" + std::string(host) + ":" + std::to_string(port_) + "/";
    auto url = TargetUrl::parse(text);
    request.url = std::make_shared<const TargetUrl>(std::move(url.value()));
    return request;
  }

  std::string ca_file_ =
      std::filesystem::temp_directory_path() / ("todoku-guarded-" + std::to_string(::getpid()));
};

TEST_F(GuardedTlsTest, WantsACertificateForTheHost) {
  serve_as("hook.example");
  EXPECT_EQ(how(securely_to("hook.example")), "200");
  EXPECT_EQ(how(securely_to("127.0.0.2")), "unauthorized");
  serve_as("other.example");
  EXPECT_EQ(how(securely_to("hook.example")), "unauthorized");
  EXPECT_TRUE(outside_->asked().empty());
}

TEST_F(GuardedTlsTest, WantsACertificateThatIsTrusted) {
  serve_as("hook.example");
  connect({.rule = only_outside()});
  EXPECT_EQ(how(securely_to("hook.example")), "unauthorized");
  EXPECT_TRUE(outside_->asked().empty());
}

// ---- which addresses are tried
// -------------------------------------------------------------------

using AddressAnswer = Result<dns::Answer<net::IpAddress>>;

AddressAnswer answer(const std::vector<std::string>& addresses) {
  dns::Answer<net::IpAddress> known;
  for (const std::string& text : addresses) {
    known.records.push_back(net::IpAddress::parse(text).value());
  }
  return known;
}
std::string chosen(const AddressAnswer& ipv4, const AddressAnswer& ipv6) {
  const auto addresses = choose_addresses(ipv4, ipv6, 443, net::OutboundRule());
  if (!addresses) return std::string(to_string(addresses.error().kind));
  std::string text;
  for (const net::IpAddress& address : *addresses) text += address.to_string() + " ";
  return text;
}

TEST(ChooseAddresses, TakesTheFamiliesInTurn) {
  EXPECT_EQ(chosen(answer({"8.8.8.8", "8.8.4.4"}), answer({"2600::1", "2600::2"})),
            "8.8.8.8 2600::1 8.8.4.4 ");
  EXPECT_EQ(chosen(answer({}), answer({"2600::1"})), "2600::1 ");
}

TEST(ChooseAddresses, LeavesOutWhatIsNotAllowed) {
  EXPECT_EQ(chosen(answer({"10.0.0.1", "8.8.8.8"}), answer({"fd00::1"})), "8.8.8.8 ");
  EXPECT_EQ(chosen(answer({"10.0.0.1"}), answer({})), "unauthorized");
}

TEST(ChooseAddresses, OneFamilyIsEnough) {
  const AddressAnswer failed = fail(ErrorKind::timeout, "no answer");
  const AddressAnswer absent = fail(ErrorKind::not_found, "no such name");
  EXPECT_EQ(chosen(answer({"8.8.8.8"}), failed), "8.8.8.8 ");
  EXPECT_EQ(chosen(answer({}), failed), "timeout");
  EXPECT_EQ(chosen(failed, absent), "timeout");
  EXPECT_EQ(chosen(absent, absent), "not_found");
  EXPECT_EQ(chosen(answer({}), answer({})), "not_found");
}

TEST(Places, AreGivenBack) {
  Places places(2);
  {
    const auto first = places.take("a", 1, Standing::prompt);
    ASSERT_TRUE(first);
    EXPECT_FALSE(places.take("a", 1, Standing::prompt));
    const auto second = places.take("a", 2, Standing::prompt);
    ASSERT_TRUE(second);
    EXPECT_FALSE(places.take("a", 3, Standing::prompt));
    EXPECT_TRUE(places.take("b", 1, Standing::prompt));
  }
  EXPECT_EQ(places.destinations(), 0U);
  EXPECT_TRUE(places.take("a", 1, Standing::prompt));
}

// How many of so many parties get a place, each asking until it gets none.
std::vector<Places::Place> taken_by_all(Places& places, std::uint64_t first_party,
                                        Standing standing) {
  std::vector<Places::Place> taken;
  for (std::uint64_t party = first_party; party < first_party + 20; ++party) {
    while (auto place = places.take("a", party, standing)) taken.push_back(std::move(*place));
  }
  return taken;
}

TEST(Places, WhoIsWorseLeavesPlacesToWhoIsBetter) {
  Places places(8);
  const auto slow = taken_by_all(places, 0, Standing::slow);
  EXPECT_EQ(slow.size(), 4U);
  const auto unknown = taken_by_all(places, 100, Standing::unknown);
  EXPECT_EQ(unknown.size(), 2U);
  const auto asked = taken_by_all(places, 200, Standing::asked);
  EXPECT_EQ(asked.size(), 1U);
  EXPECT_EQ(taken_by_all(places, 300, Standing::prompt).size(), 1U);
}

// However they come: the slow after the unknown, say, when calls that hang are broken off.
TEST(Places, WhoIsWorseLeavesPlacesInWhateverOrderTheyCome) {
  for (const Standing first : {Standing::asked, Standing::unknown}) {
    Places places(8);
    const auto others = taken_by_all(places, 0, first);
    EXPECT_EQ(others.size(), first == Standing::asked ? 7U : 6U);
    EXPECT_FALSE(places.take("a", 100, Standing::slow));
    EXPECT_FALSE(places.take("a", 100, Standing::unknown));
    EXPECT_TRUE(places.take("a", 100, Standing::prompt));
  }
}

TEST(Places, APartyHasHalfOfWhatThereIsForEachStanding) {
  Places places(8);
  std::vector<Places::Place> mine;
  for (const auto& [standing, most] :
       {std::pair{Standing::slow, 2U}, {Standing::unknown, 3U}, {Standing::prompt, 4U}}) {
    while (auto place = places.take("a", 1, standing)) mine.push_back(std::move(*place));
    EXPECT_EQ(mine.size(), most);
  }
  EXPECT_TRUE(places.take("a", 2, Standing::slow));
}

TEST(Places, WhoIsPromptMayHaveThemAllAndTheSlowComeAfterThem) {
  Places places(8);
  auto prompt = taken_by_all(places, 0, Standing::prompt);
  EXPECT_EQ(prompt.size(), 8U);
  EXPECT_FALSE(places.take("a", 100, Standing::slow));
  prompt.pop_back();
  EXPECT_TRUE(places.take("a", 100, Standing::slow)) << "what is free is for anybody";
}

// ---- how prompt somebody is
// ----------------------------------------------------------------------

TEST(Promptness, IsEarnedByAnswersInARowAndLostByOneThatIsSlow) {
  Promptness promptness;
  SteadyInstant now{1h};
  EXPECT_EQ(promptness.standing(), Standing::unknown);
  for (int i = 0; i < Promptness::kCallsUntilPrompt; ++i) {
    EXPECT_EQ(promptness.standing(), Standing::unknown);
    promptness.answered(Promptness::kPromptWithin, now);
  }
  EXPECT_EQ(promptness.standing(), Standing::prompt);
  promptness.answered(Promptness::kLateWithin + 1ms, now);
  EXPECT_EQ(promptness.standing(), Standing::slow);
}

TEST(Promptness, IsNotLostByOneAnswerThatIsLateButByASecondSoonAfterIt) {
  const SteadyInstant now{1h};
  for (const int between : {0, 1, Promptness::kCallsUntilPrompt - 1}) {
    Promptness promptness(Standing::prompt);
    promptness.answered(Promptness::kPromptWithin + 1ms, now);
    EXPECT_EQ(promptness.standing(), Standing::prompt);
    for (int i = 0; i < between; ++i) promptness.answered(5ms, now);
    promptness.answered(Promptness::kLateWithin, now);
    EXPECT_EQ(promptness.standing(), Standing::slow) << between;
  }
  Promptness promptness(Standing::prompt);
  for (int late = 0; late < 10; ++late) {
    promptness.answered(Promptness::kLateWithin, now);
    for (int i = 0; i < Promptness::kCallsUntilPrompt; ++i) promptness.answered(5ms, now);
  }
  EXPECT_EQ(promptness.standing(), Standing::prompt);
}

// Or who answers four times at once would buy the silence of all its calls with it, again and
// again.
TEST(Promptness, WhoWasSlowIsPromptOnlyAfterAWhile) {
  Promptness promptness;
  SteadyInstant now{1h};
  promptness.answered(15s, now);
  for (int i = 0; i < 100; ++i) promptness.answered(5ms, now + Promptness::kProvenFor - 1ms);
  EXPECT_EQ(promptness.standing(), Standing::slow);
  promptness.answered(5ms, now + Promptness::kProvenFor);
  EXPECT_EQ(promptness.standing(), Standing::prompt);
  promptness.answered(15s, now + Promptness::kProvenFor);
  for (int i = 0; i < Promptness::kCallsUntilPrompt; ++i) {
    EXPECT_EQ(promptness.standing(), Standing::slow);
    promptness.answered(5ms, now + 2 * Promptness::kProvenFor);
  }
  EXPECT_EQ(promptness.standing(), Standing::prompt);
}

}  // namespace
}  // namespace todoku::http
