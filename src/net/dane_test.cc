// SPDX-License-Identifier: Apache-2.0
// Certificates against TLSA records (RFC 7672 section 3), by whole handshakes.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "async/runtime.h"
#include "async/task_group.h"
#include "net/stream.h"
#include "net/test_certificates.h"

namespace todoku::net {
namespace {

const SystemClock kDaneClock;
constexpr const char* kHost = "mx.example.jp";

SteadyInstant before_long() {
  return kDaneClock.steady_now() + std::chrono::seconds(20);
}

TlsIdentity identity_of(const std::string& name) {
  return make_self_signed({name}, kDaneClock.now());
}

TlsIdentity expired_identity_of(const std::string& name) {
  return make_self_signed({name}, kDaneClock.now() - std::chrono::days(60), 30);
}

Task<void> accept_tls(Stream& stream, std::shared_ptr<TlsServerContext> context) {
  (void)co_await stream.start_tls_server(context, before_long());
}

Task<void> shake(std::shared_ptr<TlsServerContext> shown, TlsPeer peer,
                 std::shared_ptr<TlsClientContext> client, Result<TlsInfo>& info) {
  const auto executor = co_await boost::asio::this_coro::executor;
  int sockets[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
  Stream ours = Stream::adopt(executor, sockets[0]).value();
  Stream theirs = Stream::adopt(executor, sockets[1]).value();
  async::TaskGroup group(executor);
  group.spawn("server", accept_tls(theirs, std::move(shown)));
  info = co_await ours.start_tls_client(client, std::move(peer), before_long());
  ours.close();
  co_await group.wait_empty();
}

TlsInfo judge(const TlsIdentity& shown, TlsPeer peer,
              std::shared_ptr<TlsClientContext> client = TlsClientContext::create({}).value()) {
  Result<TlsInfo> info = TlsInfo{};
  async::run_to_completion(
      shake(TlsServerContext::create(shown).value(), std::move(peer), std::move(client), info));
  EXPECT_TRUE(info) << info.error().detail;
  return info.value_or(TlsInfo{});
}

TlsPeer peer_with(std::vector<TlsaRecord> records, std::vector<std::string> other_names = {}) {
  return {.name = kHost, .records = std::move(records), .other_names = std::move(other_names)};
}

TEST(Dane, TheVeryCertificateIsProvenWhateverItsNameAndDates) {
  const auto is_proven = [](const TlsIdentity& shown) {
    EXPECT_TRUE(judge(shown, peer_with({names_key(3, shown.chain)})).verified);
    EXPECT_TRUE(judge(shown, peer_with({names_certificate(3, shown.chain)})).verified);
  };
  is_proven(identity_of(kHost));
  is_proven(identity_of("other.example"));
  is_proven(expired_identity_of("other.example"));
}

TEST(Dane, AnyOfTheRecordsWillDo) {
  const TlsIdentity now = identity_of(kHost);
  const TlsaRecord next = names_key(3, identity_of(kHost).chain);
  EXPECT_TRUE(judge(now, peer_with({next, names_key(3, now.chain)})).verified);
}

TEST(Dane, AnotherCertificateProvesNothing) {
  const TlsIdentity shown = identity_of(kHost);
  const TlsInfo info = judge(shown, peer_with({names_key(3, identity_of(kHost).chain)}));
  EXPECT_FALSE(info.verified);
  EXPECT_EQ(info.verify_error, "no matching DANE TLSA records");
}

// Not even one that a public authority vouches for.
TEST(Dane, TheContextsAuthoritiesDoNotCount) {
  const TlsIdentity shown = identity_of(kHost);
  const auto trusting = TlsClientContext::create({.ca_pem = shown.chain}).value();
  EXPECT_TRUE(judge(shown, {.name = kHost}, trusting).verified);
  EXPECT_FALSE(
      judge(shown, peer_with({names_key(3, identity_of(kHost).chain)}), trusting).verified);
}

TEST(Dane, AnAuthorityProvesNamesAndDates) {
  const TlsIdentity authority = identity_of("authority.example");
  const std::vector<TlsaRecord> records = {names_certificate(2, authority.chain)};
  const TlsIdentity good = signed_by(authority, identity_of(kHost));
  EXPECT_TRUE(judge(good, peer_with(records)).verified)
      << judge(good, peer_with(records)).verify_error;
  EXPECT_TRUE(judge(good, peer_with({names_key(2, authority.chain)})).verified);
  const TlsInfo expired =
      judge(signed_by(authority, expired_identity_of(kHost)), peer_with(records));
  EXPECT_FALSE(expired.verified);
  EXPECT_EQ(expired.verify_error, "certificate has expired");
  const TlsInfo stranger =
      judge(signed_by(authority, identity_of("other.example")), peer_with(records));
  EXPECT_FALSE(stranger.verified);
  EXPECT_EQ(stranger.verify_error, "hostname mismatch");
  EXPECT_FALSE(
      judge(signed_by(identity_of("authority.example"), identity_of(kHost)), peer_with(records))
          .verified);
}

// RFC 7672 section 3.2.2: the domain of the recipients will do as well.
TEST(Dane, AnAuthorityMayProveAnotherNameThatWillDo) {
  const TlsIdentity authority = identity_of("authority.example");
  const TlsIdentity shown = signed_by(authority, identity_of("example.jp"));
  EXPECT_TRUE(
      judge(shown, peer_with({names_certificate(2, authority.chain)}, {"example.jp"})).verified);
}

// What was proven by records must not count as proven by name the next time, nor by others.
TEST(Dane, SessionsAreNotTakenUpAgain) {
  const TlsIdentity shown = identity_of("other.example");
  const auto client = TlsClientContext::create({}).value();
  const TlsPeer proven = peer_with({names_key(3, shown.chain)});
  EXPECT_TRUE(judge(shown, proven, client).verified);
  EXPECT_FALSE(judge(shown, proven, client).resumed);
  const TlsInfo by_name = judge(shown, {.name = kHost}, client);
  EXPECT_FALSE(by_name.resumed || by_name.verified);
}

TEST(Dane, RecordsThatOpensslCannotUseAreNoneToGoBy) {
  Result<TlsInfo> info = TlsInfo{};
  async::run_to_completion(shake(TlsServerContext::create(identity_of(kHost)).value(),
                                 peer_with({{3, 1, 1, "short"}}),
                                 TlsClientContext::create({}).value(), info));
  EXPECT_EQ(info.error().kind, ErrorKind::invalid_input);
  EXPECT_EQ(info.error().detail, "none of the TLSA records of mx.example.jp can be used");
}

}  // namespace
}  // namespace todoku::net
