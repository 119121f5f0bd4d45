// SPDX-License-Identifier: Apache-2.0
// UnboundResolver and the routes found through it, against a knot with zones of every kind.
#include <algorithm>
#include <chrono>
#include <map>

#include <boost/asio/ip/udp.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "async/runtime.h"
#include "async/task_group.h"
#include "dns/mail_route.h"
#include "dns/resolver_check.h"
#include "dns/unbound_resolver.h"
#include "dns_zone/local_dns.h"
#include "support/no_files_left.h"

namespace todoku::dns {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using testing_support::LocalDns;

// One root zone holds nearly everything, as the public DNS would look from here.
constexpr const char* kRecords = R"(
example.jp.            MX 10 mx2.example.jp.
example.jp.            MX 10 MX1.Example.JP.
example.jp.            MX 20 backup.example.jp.
example.jp.            TXT "v=spf1 " "-all"
mx1.example.jp.        A 192.0.2.1
mx1.example.jp.        AAAA 2001:db8::1
mx2.example.jp.        300 A 192.0.2.2
backup.example.jp.     CNAME mx1.example.jp.
null.example.jp.       MX 0 .
implicit.example.jp.   A 192.0.2.5
alias.example.jp.      CNAME example.jp.
dangling.example.jp.   CNAME nowhere.example.jp.
loop1.example.jp.      CNAME loop2.example.jp.
loop2.example.jp.      CNAME loop1.example.jp.
textonly.example.jp.   TXT "nothing else"
lame.example.jp.       MX 10 gone.example.jp.
sick.example.jp.       MX 10 mx.broken.test.
half.example.jp.       MX 10 mx.broken.test.
half.example.jp.       MX 20 mx1.example.jp.
inside.example.jp.     MX 10 localhost.test.
localhost.test.        A 127.0.0.1
shop.example.test.     MX 10 mx1.example.jp.
_25._tcp.mx1.example.jp. TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
1.2.0.192.in-addr.arpa. PTR mx1.example.jp.
1.0.0.127.in-addr.arpa. PTR localhost.test.
1.0.0.10.in-addr.arpa.  PTR inside.test.
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR mx1.example.jp.
)";

std::string many_records() {
  std::string records = kRecords;
  for (int i = 0; i < 3'000; ++i) records += "d" + std::to_string(i) + ".many.test. A 192.0.2.9\n";
  // More than fits into one UDP packet.
  for (int i = 0; i < 200; ++i) {
    records += "wide.example.jp. MX " + std::to_string(i) + " a-long-name-of-a-mail-host-" +
               std::to_string(i) + ".example.jp.\n";
  }
  return records;
}

class ResolverTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto server = LocalDns::start({{.name = ".", .records = many_records()},
                                   {.name = "secure.test",
                                    .records = "@ MX 10 mx\nmx A 192.0.2.7\nnone TXT \"x\"",
                                    .is_signed = true},
                                   {.name = "broken.test", .broken = true}});
    ASSERT_TRUE(server) << server.error().detail;
    server_ = new LocalDns(std::move(*server));
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
    EXPECT_EQ(async::unhandled_exceptions(), 0U);
  }

  static UnboundResolver::Options options() { return {.servers = {server_->endpoint()}}; }

  // Runs `work` with a resolver of its own.
  void with_resolver(const std::function<Task<void>(UnboundResolver&)>& work,
                     const UnboundResolver::Options& with = options()) {
    async::run_to_completion(run(work, with));
  }
  Task<void> run(std::function<Task<void>(UnboundResolver&)> work, UnboundResolver::Options with) {
    const auto executor = co_await boost::asio::this_coro::executor;
    const auto resolver = UnboundResolver::create(with, executor, clock_, metrics_);
    EXPECT_TRUE(resolver) << resolver.error().detail;
    if (!resolver) co_return;
    co_await work(**resolver);
    co_await (*resolver)->stop();
  }

  RouteAnswer route(std::string domain,
                    const RouteOptions& with = {.allow_private_receivers = true}) {
    std::optional<RouteAnswer> answer;
    with_resolver([&](Resolver& resolver) { return find_into(resolver, domain, with, answer); });
    return *answer;
  }
  static Task<void> find_into(Resolver& resolver, std::string domain, const RouteOptions& with,
                              std::optional<RouteAnswer>& answer) {
    answer = co_await find_route(resolver, std::move(domain), with);
  }
  std::string verdict(std::string domain,
                      const RouteOptions& with = {.allow_private_receivers = true}) {
    const auto answer = route(std::move(domain), with);
    if (answer) return "routable";
    return (answer.error().permanent ? "permanent " : "temporary ") + answer.error().text();
  }
  static std::vector<std::string> hosts(const RouteAnswer& answer) {
    if (!answer) return {answer.error().text()};
    std::vector<std::string> names;
    for (const MailHost& host : answer->hosts) names.push_back(host.name);
    return names;
  }

  SystemClock clock_;
  Metrics metrics_;
  inline static LocalDns* server_ = nullptr;
};

// ---- means of our own
// ----------------------------------------------------------------------------

Task<void> ask_without_files(Resolver& resolver) {
  const auto first = co_await resolver.mx("example.jp");
  EXPECT_TRUE(first);
  const NoFilesLeft poor;
  const auto mx = co_await resolver.mx("implicit.example.jp");
  EXPECT_FALSE(mx);
  if (mx) co_return;
  EXPECT_EQ(mx.error().kind, ErrorKind::limit_exceeded) << mx.error().detail;
  EXPECT_THAT(mx.error().detail, HasSubstr("of ours"));
}

TEST_F(ResolverTest, AWantOfFilesIsNotTheNameServersFault) {
  with_resolver(ask_without_files);
}

// ---- records -----------------------------------------------------------------------------------

Task<void> read_records(Resolver& resolver) {
  const auto mx = co_await resolver.mx("example.jp");
  EXPECT_TRUE(mx) << mx.error().detail;
  if (mx) {
    EXPECT_THAT(mx->records,
                UnorderedElementsAre(MxRecord{10, "mx1.example.jp"}, MxRecord{10, "mx2.example.jp"},
                                     MxRecord{20, "backup.example.jp"}));
    EXPECT_LE(mx->ttl, std::chrono::seconds(60));
    EXPECT_GT(mx->ttl, std::chrono::seconds(50));
    EXPECT_FALSE(mx->secure);
  }
  const auto a = co_await resolver.a("mx2.example.jp");
  EXPECT_TRUE(a && a->records == std::vector{*net::IpAddress::parse("192.0.2.2")});
  EXPECT_TRUE(a && a->ttl > std::chrono::seconds(290));
  const auto aaaa = co_await resolver.aaaa("mx1.example.jp.");
  EXPECT_TRUE(aaaa && aaaa->records == std::vector{*net::IpAddress::parse("2001:db8::1")});
  const auto txt = co_await resolver.txt("EXAMPLE.jp");
  EXPECT_TRUE(txt && txt->records == std::vector<std::string>{"v=spf1 -all"});
  const auto tlsa = co_await resolver.tlsa("_25._tcp.mx1.example.jp");
  EXPECT_TRUE(tlsa && tlsa->records.size() == 1 && tlsa->records[0].usage == 3 &&
              tlsa->records[0].data.size() == 32);
}

TEST_F(ResolverTest, ReadsEveryKindOfRecord) {
  with_resolver(&read_records);
}

// libunbound would answer NXDOMAIN for these by itself.
Task<void> read_reverse(Resolver& resolver) {
  const std::map<std::string, std::string> names{{"192.0.2.1", "mx1.example.jp"},
                                                 {"127.0.0.1", "localhost.test"},
                                                 {"10.0.0.1", "inside.test"},
                                                 {"2001:db8::1", "mx1.example.jp"}};
  for (const auto& [address, name] : names) {
    const auto ptr = co_await resolver.ptr(*net::IpAddress::parse(address));
    EXPECT_TRUE(ptr && ptr->records == std::vector{name}) << address;
  }
  const auto none = co_await resolver.ptr(*net::IpAddress::parse("198.51.100.1"));
  EXPECT_TRUE(!none && none.error().kind == ErrorKind::not_found);
}

TEST_F(ResolverTest, ReadsNamesOfDocumentationAndPrivateAddresses) {
  with_resolver(&read_reverse);
}

Task<void> read_errors(Resolver& resolver) {
  const auto nxdomain = co_await resolver.mx("nowhere.example.jp");
  EXPECT_TRUE(!nxdomain && nxdomain.error().kind == ErrorKind::not_found);
  const auto other_tld = co_await resolver.mx("example.nosuchtld");
  EXPECT_TRUE(!other_tld && other_tld.error().kind == ErrorKind::not_found);
  const auto nodata = co_await resolver.mx("textonly.example.jp");
  EXPECT_TRUE(nodata && nodata->records.empty());
  const auto broken = co_await resolver.mx("x.broken.test");
  EXPECT_TRUE(!broken && broken.error().kind == ErrorKind::unavailable);
  if (!broken) EXPECT_THAT(broken.error().detail, HasSubstr("SERVFAIL for MX x.broken.test"));
  const auto loop = co_await resolver.a("loop1.example.jp");
  EXPECT_TRUE(!loop && loop.error().kind == ErrorKind::unavailable);
  const auto bad = co_await resolver.mx(std::string(64, 'a') + ".example.jp");
  EXPECT_TRUE(!bad && bad.error().kind == ErrorKind::invalid_input);
}

TEST_F(ResolverTest, TellsMissingNamesFromMissingRecordsAndFailures) {
  with_resolver(&read_errors);
}

Task<void> read_name_servers(UnboundResolver& resolver, std::vector<std::string>& names) {
  const auto answer = co_await resolver.ns(".");
  if (answer) names = answer->records;
}

TEST_F(ResolverTest, ReadsTheNameServersOfTheRoot) {
  std::vector<std::string> names;
  with_resolver([&](UnboundResolver& resolver) { return read_name_servers(resolver, names); });
  EXPECT_THAT(names, ElementsAre("ns.invalid"));
}

Task<void> read_wide(Resolver& resolver) {
  const auto mx = co_await resolver.mx("wide.example.jp");
  EXPECT_TRUE(mx && mx->records.size() == 200);
}

TEST_F(ResolverTest, ReadsAnswersTooLargeForOnePacket) {
  with_resolver(&read_wide);
}

// ---- DNSSEC ------------------------------------------------------------------------------------

Task<void> read_signed(Resolver& resolver, std::vector<std::string>& story) {
  const auto mx = co_await resolver.mx("secure.test");
  story.push_back(!mx ? mx.error().detail : mx->secure ? "secure" : "insecure");
  const auto absent = co_await resolver.a("none.secure.test");
  story.push_back(!absent ? absent.error().detail : absent->secure ? "secure" : "insecure");
  const auto other = co_await resolver.mx("example.jp");
  story.push_back(!other ? other.error().detail : other->secure ? "secure" : "insecure");
}

TEST_F(ResolverTest, ValidatesFromATrustAnchorDown) {
  const auto anchor = server_->trust_anchor("secure.test");
  ASSERT_TRUE(anchor) << anchor.error().detail;
  auto with = options();
  with.trust_anchors = {*anchor};
  std::vector<std::string> story;
  with_resolver([&](Resolver& resolver) { return read_signed(resolver, story); }, with);
  EXPECT_THAT(story, ElementsAre("secure", "secure", "insecure"));
}

TEST_F(ResolverTest, AForgedAnswerIsAFailureAndNotAnAnswer) {
  auto with = options();
  with.trust_anchors = {"secure.test. DS 1 13 2 " + std::string(64, 'a')};
  std::vector<std::string> story;
  with_resolver([&](Resolver& resolver) { return read_signed(resolver, story); }, with);
  ASSERT_EQ(story.size(), 3U);
  EXPECT_THAT(story[0], HasSubstr("DNSSEC validation of MX secure.test failed"));
  EXPECT_EQ(story[2], "insecure");
}

// ---- routes ------------------------------------------------------------------------------------

TEST_F(ResolverTest, FindsRoutesByMxAliasAndAddress) {
  const auto normal = route("example.jp");
  EXPECT_THAT(hosts(normal), ElementsAre("mx1.example.jp", "mx2.example.jp", "backup.example.jp"));
  EXPECT_EQ(normal->site, "(backup|mx1|mx2).example.jp");
  EXPECT_THAT(normal->hosts[2].addresses, ElementsAre(*net::IpAddress::parse("192.0.2.1"),
                                                      *net::IpAddress::parse("2001:db8::1")));
  EXPECT_EQ(hosts(route("alias.example.jp")), hosts(normal));
  const auto implicit = route("implicit.example.jp");
  EXPECT_THAT(hosts(implicit), ElementsAre("implicit.example.jp"));
  EXPECT_TRUE(implicit->implicit_mx);
  EXPECT_THAT(hosts(route("shop.example.test")), ElementsAre("mx1.example.jp"));
  EXPECT_THAT(hosts(route("half.example.jp")), ElementsAre("mx1.example.jp"));
}

TEST_F(ResolverTest, TellsForGoodFromForNow) {
  EXPECT_EQ(verdict("null.example.jp"),
            "permanent 5.1.10 null.example.jp accepts no mail (null MX, RFC 7505)");
  EXPECT_EQ(verdict("nowhere.example.jp"),
            "permanent 5.1.2 nowhere.example.jp does not exist in the DNS");
  EXPECT_THAT(verdict("dangling.example.jp"), HasSubstr("permanent 5.1.2"));
  EXPECT_THAT(verdict("lame.example.jp"), HasSubstr("permanent 5.1.2 no mail server of"));
  EXPECT_THAT(verdict("textonly.example.jp"), HasSubstr("permanent 5.1.2"));
  EXPECT_THAT(verdict("x.broken.test"), HasSubstr("temporary 4.4.3"));
  EXPECT_THAT(verdict("sick.example.jp"), HasSubstr("temporary 4.4.3"));
  EXPECT_THAT(verdict("loop1.example.jp"), HasSubstr("temporary 4.4.3"));
  EXPECT_EQ(verdict("inside.example.jp"), "routable");
  EXPECT_THAT(verdict("inside.example.jp", {}), HasSubstr("temporary 4.4.4"));
}

// ---- the shell ---------------------------------------------------------------------------------

Task<void> count_answer(Resolver& resolver, std::string name, int& good) {
  const auto answer = co_await resolver.a(std::move(name));
  if (answer && answer->records.size() == 1) ++good;
}

Task<void> ask_many(Resolver& resolver, int count, int& good) {
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  for (int i = 0; i < count; ++i) {
    group.spawn("question", count_answer(resolver, "d" + std::to_string(i) + ".many.test", good));
  }
  co_await group.wait_empty();
}

TEST_F(ResolverTest, AnswersThousandsOfQuestionsAtOnce) {
  int good = 0;
  with_resolver([&](Resolver& resolver) { return ask_many(resolver, 3'000, good); });
  EXPECT_EQ(good, 3'000);
}

TEST_F(ResolverTest, LetsQuestionsWaitInLine) {
  auto with = options();
  with.questions_max = 2;
  int good = 0;
  with_resolver([&](Resolver& resolver) { return ask_many(resolver, 100, good); }, with);
  EXPECT_EQ(good, 100);
}

TEST_F(ResolverTest, RefusesWhatTheLineCannotHold) {
  auto with = options();
  with.questions_max = 1;
  with.waiting_max = 10;
  int good = 0;
  with_resolver([&](Resolver& resolver) { return ask_many(resolver, 100, good); }, with);
  EXPECT_GE(good, 1);
  EXPECT_LE(good, 11);
}

// A name server that never answers.
class SilentServer {
 public:
  SilentServer() : socket_(context_, {boost::asio::ip::make_address("127.0.0.1"), 0}) {}
  [[nodiscard]] net::Endpoint endpoint() const {
    return {.address = *net::IpAddress::parse("127.0.0.1"),
            .port = socket_.local_endpoint().port()};
  }

 private:
  boost::asio::io_context context_;
  boost::asio::ip::udp::socket socket_;
};

Task<void> ask_kind(Resolver& resolver, std::string name, std::vector<ErrorKind>& kinds) {
  const auto answer = co_await resolver.mx(std::move(name));
  if (!answer) kinds.push_back(answer.error().kind);
}

Task<void> ask_kinds(Resolver& resolver, std::vector<ErrorKind>& kinds) {
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  for (const char* name : {"a.test", "b.test", "c.test"}) {
    group.spawn("question", ask_kind(resolver, name, kinds));
  }
  co_await group.wait_empty();
}

TEST_F(ResolverTest, GivesUpOnASilentServer) {
  const SilentServer silent;
  std::vector<ErrorKind> kinds;
  UnboundResolver::Options with{.servers = {silent.endpoint()}, .timeout = Milliseconds(200)};
  // One waits in line behind two that are under way.
  with.questions_max = 2;
  with_resolver([&](Resolver& resolver) { return ask_kinds(resolver, kinds); }, with);
  EXPECT_THAT(kinds, ElementsAre(ErrorKind::timeout, ErrorKind::timeout, ErrorKind::timeout));
}

Task<void> ask_until_answered(Resolver& resolver, int& tries) {
  for (tries = 1; tries < 1'000; ++tries) {
    const auto answer = co_await resolver.mx("try" + std::to_string(tries) + ".example.jp");
    if (!answer && answer.error().kind == ErrorKind::not_found) co_return;
    co_await async::sleep_for(std::chrono::milliseconds(20));
  }
}

Task<void> ask_over_an_outage(Resolver& resolver, LocalDns& server, std::vector<ErrorKind>& down,
                              int& tries) {
  co_await ask_until_answered(resolver, tries);
  server.stop();
  for (int i = 0; i < 3; ++i) co_await ask_kind(resolver, "x" + std::to_string(i) + ".test", down);
  EXPECT_TRUE(server.restart());
  co_await ask_until_answered(resolver, tries);
}

TEST_F(ResolverTest, RecoversWithItsServer) {
  auto server = LocalDns::start({});
  ASSERT_TRUE(server);
  std::vector<ErrorKind> down;
  int tries = 0;
  with_resolver(
      [&](Resolver& resolver) { return ask_over_an_outage(resolver, *server, down, tries); },
      {.servers = {server->endpoint()}, .timeout = Milliseconds(500)});
  EXPECT_EQ(down.size(), 3U);
  for (const ErrorKind kind : down) {
    EXPECT_TRUE(kind == ErrorKind::unavailable || kind == ErrorKind::timeout);
  }
  EXPECT_LT(tries, 200);  // within some seconds
}

// ---- a resolver that cannot be believed --------------------------------------------------------

Task<void> check_into(ResolverCheckOptions with, const Clock& clock, CheckFinding& finding) {
  finding = co_await check_resolver(std::move(with), clock);
}

CheckFinding check_servers(std::vector<net::Endpoint> servers, std::vector<std::string> zones) {
  const SystemClock clock;
  CheckFinding finding;
  async::run_to_completion(check_into({.servers = std::move(servers),
                                       .zones = std::move(zones),
                                       .any_name = "nowhere.example.jp",
                                       .timeout = Milliseconds(500)},
                                      clock, finding));
  return finding;
}

TEST_F(ResolverTest, ChecksEachServerByItself) {
  // Its root has nothing of secure.test.
  const auto other = LocalDns::start({});
  ASSERT_TRUE(other);
  const std::vector<net::Endpoint> honest{server_->endpoint()};
  EXPECT_EQ(check_servers(honest, {".", "secure.test."}).problem, "");
  const SilentServer silent;
  EXPECT_EQ(check_servers({silent.endpoint(), honest[0]}, {"."}).problem, "");
  EXPECT_EQ(check_servers({honest[0], other->endpoint()}, {".", "secure.test."}).problem,
            "the name server " + other->endpoint().to_string() +
                " denies names that exist (NXDOMAIN for the NS of secure.test.)");
  EXPECT_EQ(check_servers({silent.endpoint()}, {"."}).result, CheckFinding::Result::no_answer);
  EXPECT_EQ(check_servers(honest, {}).result, CheckFinding::Result::passed);
  EXPECT_EQ(check_servers({silent.endpoint()}, {}).result, CheckFinding::Result::no_answer);
}

TEST_F(ResolverTest, FindsInventedAddresses) {
  const auto captive = LocalDns::start({{.name = ".", .records = "*. A 192.0.2.66\n"}});
  ASSERT_TRUE(captive);
  const CheckFinding finding = check_servers({captive->endpoint()}, {"."});
  EXPECT_TRUE(finding.invents) << finding.problem;
  EXPECT_THAT(finding.invented, ElementsAre(*net::IpAddress::parse("192.0.2.66")));
}

Task<void> forget_in_between(UnboundResolver& resolver, LocalDns& server,
                             std::vector<ErrorKind>& kinds) {
  const auto executor = co_await boost::asio::this_coro::executor;
  co_await ask_kind(resolver, "x.example.jp", kinds);
  server.stop();
  co_await ask_kind(resolver, "x.example.jp", kinds);  // remembered
  // One that is under way is asked anew.
  async::TaskGroup group(executor);
  group.spawn("question", ask_kind(resolver, "y.example.jp", kinds));
  co_await async::sleep_for(std::chrono::milliseconds(1));
  resolver.forget_answers();
  EXPECT_TRUE(server.restart());
  co_await group.wait_empty();
  server.stop();
  co_await ask_kind(resolver, "x.example.jp", kinds);
}

TEST_F(ResolverTest, ForgetsEveryAnswerWhenTold) {
  auto server = LocalDns::start({});
  ASSERT_TRUE(server);
  std::vector<ErrorKind> kinds;
  with_resolver(
      [&](UnboundResolver& resolver) { return forget_in_between(resolver, *server, kinds); },
      {.servers = {server->endpoint()}, .timeout = Milliseconds(2'000)});
  ASSERT_EQ(kinds.size(), 4U);
  EXPECT_EQ(kinds[0], ErrorKind::not_found);
  EXPECT_EQ(kinds[1], ErrorKind::not_found);
  EXPECT_EQ(kinds[2], ErrorKind::not_found);
  EXPECT_NE(kinds[3], ErrorKind::not_found);
}

Task<void> stop_while_asking(UnboundResolver::Options with, const Clock& clock, Metrics& metrics,
                             std::vector<ErrorKind>& kinds) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto resolver = UnboundResolver::create(with, executor, clock, metrics);
  async::TaskGroup group(executor);
  group.spawn("question", ask_kind(**resolver, "a.test", kinds));
  co_await async::sleep_for(std::chrono::milliseconds(1));
  co_await (*resolver)->stop();
  co_await group.wait_empty();
  co_await ask_kind(**resolver, "b.test", kinds);
}

TEST_F(ResolverTest, StoppingEndsEveryQuestion) {
  const SilentServer silent;
  std::vector<ErrorKind> kinds;
  async::run_to_completion(
      stop_while_asking({.servers = {silent.endpoint()}}, clock_, metrics_, kinds));
  EXPECT_THAT(kinds, ElementsAre(ErrorKind::cancelled, ErrorKind::cancelled));
}

TEST_F(ResolverTest, ServesTasksOfOtherThreads) {
  async::Runtime runtime(3);
  const auto resolver = UnboundResolver::create(options(), runtime.executor(0), clock_, metrics_);
  ASSERT_TRUE(resolver);
  std::array<int, 3> good{};
  for (std::size_t i = 0; i < good.size(); ++i) {
    boost::asio::co_spawn(runtime.executor(i), ask_many(**resolver, 300, good[i]),
                          [](const std::exception_ptr& thrown) { EXPECT_FALSE(thrown); });
  }
  runtime.start();
  runtime.join();
  EXPECT_EQ(good, (std::array<int, 3>{300, 300, 300}));
}

TEST_F(ResolverTest, SaysWhatIsWrongWithItsOptions) {
  boost::asio::io_context context;
  const auto problem = [&](const UnboundResolver::Options& with) {
    const auto made = UnboundResolver::create(with, context.get_executor(), clock_, metrics_);
    return made ? Error{} : made.error();
  };
  EXPECT_EQ(problem({.resolv_conf = "/no/such/file"}).kind, ErrorKind::not_found);
  EXPECT_THAT(problem({.resolv_conf = "/no/such/file"}).detail, HasSubstr("/no/such/file"));
  EXPECT_EQ(problem({.trust_anchor_files = {"/no/such/file"}}).kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace todoku::dns
