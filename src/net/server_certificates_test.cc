// SPDX-License-Identifier: Apache-2.0
#include "net/server_certificates.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include "base/log.h"
#include "net/openssl_ptr.h"
#include "net/self_signed.h"

namespace todoku::net {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const Instant kNow = from_epoch_ms(1'767'225'600'000);
constexpr std::chrono::days kDay{1};

struct Shaken {
  std::string name;  // the subject's common name, which make_self_signed() takes from the first
  std::string version;
  std::string cipher;
};

// A client that asks for `host_name`; nullopt: no handshake.
std::optional<Shaken> shake(const TlsServerContext& server, const char* host_name,
                            int version = TLS1_3_VERSION) {
  const ContextPtr context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
  SSL_CTX_set_min_proto_version(context.get(), version);
  SSL_CTX_set_max_proto_version(context.get(), version);
  const HandlePtr client(SSL_new(context.get()));
  const HandlePtr other(server.new_handle());
  SSL_set_connect_state(client.get());
  if (host_name != nullptr) SSL_set_tlsext_host_name(client.get(), host_name);
  BIO* here = nullptr;
  BIO* there = nullptr;
  BIO_new_bio_pair(&here, 0, &there, 0);
  SSL_set_bio(client.get(), here, here);
  SSL_set_bio(other.get(), there, there);
  for (int turn = 0; turn < 20; ++turn) {
    SSL_do_handshake(client.get());
    SSL_do_handshake(other.get());
    if (SSL_is_init_finished(client.get()) == 0 || SSL_is_init_finished(other.get()) == 0) continue;
    const CertificatePtr shown(SSL_get1_peer_certificate(client.get()));
    std::array<char, 256> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(shown.get()), NID_commonName, name.data(),
                              static_cast<int>(name.size()));
    return Shaken{name.data(), SSL_get_version(client.get()), SSL_get_cipher_name(client.get())};
  }
  return std::nullopt;
}

std::string shown_to(const ServerCertificates& certificates, const char* host_name) {
  const auto shaken = shake(*certificates.context(), host_name);
  return shaken ? shaken->name : "(no handshake)";
}

class ServerCertificatesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("todoku-certificates-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    log::capture_this_thread(
        [this](log::Level, std::string_view event, log::Fields) { told_.emplace_back(event); });
  }
  void TearDown() override {
    log::capture_this_thread({});
    fs::remove_all(folder_);
  }

  // As those who renew do: written beside, then put in place.
  void put(const std::string& name, std::string_view octets) {
    std::ofstream(folder_ / (name + ".new"), std::ios::binary) << octets;
    fs::rename(folder_ / (name + ".new"), folder_ / name);
  }
  ServerCertificates::Pair write(const std::string& file, const std::vector<std::string>& names,
                                 Instant made = kNow, int days = 90) {
    const TlsIdentity identity = make_self_signed(names, made, days);
    put(file + ".pem", identity.chain);
    put(file + ".key", identity.private_key.view());
    return {(folder_ / (file + ".pem")).string(), (folder_ / (file + ".key")).string()};
  }
  std::vector<std::string> told() { return std::exchange(told_, {}); }

  fs::path folder_;
  std::vector<std::string> told_;
};

TEST_F(ServerCertificatesTest, AreChosenByTheNameThatTheClientAsksFor) {
  const auto all = ServerCertificates::open(
      {.pairs = {write("a", {"a.example.jp", "xn--zckzah.example.jp"}),
                 write("b", {"*.example.jp"}), write("c", {"mail.example.jp"})}},
      kNow);
  ASSERT_TRUE(all) << all.error().detail;
  const ServerCertificates& certificates = **all;
  EXPECT_EQ(shown_to(certificates, "a.example.jp"), "a.example.jp");
  EXPECT_EQ(shown_to(certificates, "XN--ZCKZAH.example.jp"), "a.example.jp");
  EXPECT_EQ(shown_to(certificates, "mail.example.jp"), "mail.example.jp")
      << "an equal name goes before a wildcard";
  EXPECT_EQ(shown_to(certificates, "other.example.jp"), "*.example.jp");
  EXPECT_EQ(shown_to(certificates, "x.other.example.jp"), "a.example.jp")
      << "a wildcard is one label";
  EXPECT_EQ(shown_to(certificates, "example.jp"), "a.example.jp");
  EXPECT_EQ(shown_to(certificates, "unknown.example.com"), "a.example.jp");
  EXPECT_EQ(shown_to(certificates, nullptr), "a.example.jp");
  const auto states = certificates.states();
  ASSERT_EQ(states.size(), 3U);
  EXPECT_THAT(states[0].names, ElementsAre("a.example.jp", "xn--zckzah.example.jp"));
  EXPECT_EQ(states[1].valid_until, kNow + 90 * kDay);
  EXPECT_EQ(states[1].trouble, "");
}

TEST_F(ServerCertificatesTest, AreReadAgainWhenTheyChange) {
  const auto all = ServerCertificates::open({.pairs = {write("a", {"a.example.jp"})}}, kNow);
  ASSERT_TRUE(all);
  const auto before = (*all)->context();
  EXPECT_FALSE((*all)->look_again(kNow)) << "nothing has changed";
  EXPECT_EQ((*all)->context(), before);
  write("a", {"b.example.jp"}, kNow, 180);
  EXPECT_TRUE((*all)->look_again(kNow));
  EXPECT_EQ(shown_to(**all, nullptr), "b.example.jp");
  EXPECT_EQ((*all)->states()[0].valid_until, kNow + 180 * kDay);
  EXPECT_EQ(shake(*before, nullptr)->name, "a.example.jp") << "who has it keeps it";
  EXPECT_THAT(told(), ElementsAre("tls certificate taken"));
}

TEST_F(ServerCertificatesTest, StayWhereTheNewPairDoesNotFit) {
  const auto all = ServerCertificates::open({.pairs = {write("a", {"a.example.jp"})}}, kNow);
  ASSERT_TRUE(all);
  // The chain is there already, its key not yet.
  const TlsIdentity next = make_self_signed({"b.example.jp"}, kNow);
  put("a.pem", next.chain);
  EXPECT_FALSE((*all)->look_again(kNow));
  EXPECT_FALSE((*all)->look_again(kNow));
  EXPECT_EQ(shown_to(**all, nullptr), "a.example.jp");
  EXPECT_THAT((*all)->states()[0].trouble, HasSubstr("does not belong to the certificate"));
  EXPECT_THAT(told(), ElementsAre("tls certificate not taken, the one before stays"))
      << "told once";
  put("a.key", next.private_key.view());
  EXPECT_TRUE((*all)->look_again(kNow));
  EXPECT_EQ(shown_to(**all, nullptr), "b.example.jp");
  EXPECT_EQ((*all)->states()[0].trouble, "");
  fs::remove(folder_ / "a.key");
  EXPECT_FALSE((*all)->look_again(kNow));
  EXPECT_EQ(shown_to(**all, nullptr), "b.example.jp");
  EXPECT_THAT((*all)->states()[0].trouble, HasSubstr("a.key"));
}

TEST_F(ServerCertificatesTest, StayWhereTheNewOneIsNotValidNow) {
  const auto all = ServerCertificates::open({.pairs = {write("a", {"a.example.jp"})}}, kNow);
  ASSERT_TRUE(all);
  write("a", {"old.example.jp"}, kNow - 100 * kDay, 90);
  EXPECT_FALSE((*all)->look_again(kNow));
  EXPECT_THAT((*all)->states()[0].trouble, HasSubstr("it has expired"));
  write("a", {"next.example.jp"}, kNow + 2 * kDay, 90);
  EXPECT_FALSE((*all)->look_again(kNow));
  EXPECT_EQ(shown_to(**all, nullptr), "a.example.jp");
  EXPECT_THAT((*all)->states()[0].trouble, HasSubstr("it is not valid yet"));
  EXPECT_TRUE((*all)->look_again(kNow + 2 * kDay)) << "its day has come";
  EXPECT_EQ(shown_to(**all, nullptr), "next.example.jp");
}

TEST_F(ServerCertificatesTest, ThatExpireWhileInUseAreToldOnce) {
  const auto all =
      ServerCertificates::open({.pairs = {write("a", {"a.example.jp"}, kNow, 1)}}, kNow);
  ASSERT_TRUE(all);
  EXPECT_EQ(told().size(), 0U);
  (void)(*all)->look_again(kNow + 2 * kDay);
  (void)(*all)->look_again(kNow + 2 * kDay);
  EXPECT_EQ(told().size(), 1U);
  EXPECT_EQ(shown_to(**all, nullptr), "a.example.jp");
}

TEST_F(ServerCertificatesTest, AnExpiredOneIsBetterThanNoneAtTheStart) {
  const auto all =
      ServerCertificates::open({.pairs = {write("a", {"a.example.jp"}, kNow - 9 * kDay, 1)}}, kNow);
  ASSERT_TRUE(all);
  EXPECT_EQ(shown_to(**all, nullptr), "a.example.jp");
  EXPECT_EQ(told().size(), 1U);
}

TEST_F(ServerCertificatesTest, ThatCannotBeReadKeepTheServerFromStarting) {
  ServerCertificates::Pair pair = write("a", {"a.example.jp"});
  pair.private_key_file = "/nowhere/a.key";
  const auto none = ServerCertificates::open({.pairs = {pair}}, kNow);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::not_found);
  EXPECT_THAT(none.error().detail, HasSubstr("/nowhere/a.key"));
  EXPECT_FALSE(ServerCertificates::open({}, kNow));
}

TEST_F(ServerCertificatesTest, OneIsMadeWhereNoneIsConfigured) {
  const auto all = ServerCertificates::open({.own_names = {"mx.example.jp"}}, kNow);
  ASSERT_TRUE(all);
  EXPECT_EQ(shown_to(**all, "mx.example.jp"), "mx.example.jp");
  EXPECT_THAT(told(), ElementsAre(HasSubstr("of our own")));
  const Instant until = (*all)->states()[0].valid_until;
  (void)(*all)->look_again(until - 31 * kDay);
  EXPECT_EQ((*all)->states()[0].valid_until, until);
  EXPECT_TRUE((*all)->look_again(until - 29 * kDay));
  EXPECT_GT((*all)->states()[0].valid_until, until);
}

TEST_F(ServerCertificatesTest, OldVersionsAreForThoseWhoAreAllowedThem) {
  const auto all =
      ServerCertificates::open({.own_names = {"mx.example.jp"}, .old_clients = true}, kNow);
  ASSERT_TRUE(all);
  const auto modern = (*all)->context();
  const auto old = (*all)->context(TlsAge::old);
  EXPECT_FALSE(shake(*modern, nullptr, TLS1_VERSION));
  EXPECT_FALSE(shake(*modern, nullptr, TLS1_1_VERSION));
  const auto modern_1_2 = shake(*modern, nullptr, TLS1_2_VERSION);
  ASSERT_TRUE(modern_1_2);
  EXPECT_THAT(modern_1_2->cipher, testing::StartsWith("ECDHE-"));
  ASSERT_TRUE(shake(*old, nullptr, TLS1_VERSION));
  EXPECT_EQ(shake(*old, nullptr, TLS1_VERSION)->version, "TLSv1");
  EXPECT_EQ(shake(*old, nullptr)->version, "TLSv1.3") << "the newest that both speak";
}

TEST_F(ServerCertificatesTest, KeysOfSessionTicketsAreRenewed) {
  const auto all = ServerCertificates::open({.own_names = {"mx.example.jp"}}, kNow);
  ASSERT_TRUE(all);
  EXPECT_FALSE((*all)->look_again(kNow + std::chrono::hours(11)));
  EXPECT_TRUE((*all)->look_again(kNow + std::chrono::hours(12)));
  EXPECT_TRUE((*all)->look_again(kNow)) << "a clock that was set back";
}

}  // namespace
}  // namespace todoku::net
