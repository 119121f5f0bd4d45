// SPDX-License-Identifier: Apache-2.0
// The SMTP relay's keys: where it listens, what does not fit, and what is told in capitals.
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"

namespace todoku::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ConfigResult read_relay(std::string_view toml) {
  return read_config(toml, "todoku.toml", "/etc/todoku", {});
}

std::string relay_problem(std::string_view toml) {
  const auto result = read_relay(toml);
  if (result) return "(no problem)";
  if (result.error().problems.size() != 1) return "(several problems)";
  return result.error().problems[0].to_string();
}

std::vector<std::string> warnings_of(std::string_view toml) {
  std::vector<std::string> warnings;
  const auto loaded = read_relay(toml);
  EXPECT_TRUE(loaded) << loaded.error().problems[0].to_string();
  if (!loaded) return warnings;
  for (const ConfigProblem& warning : loaded->warnings) warnings.push_back(warning.to_string());
  return warnings;
}

std::string relay(std::string_view listener) {
  return fmt::format("[smtp_in]\nenabled = true\n[[smtp_in.listener]]\naddress = \"[::]:25\"\n{}\n",
                     listener);
}

std::string devices(std::string_view more) {
  return relay(
      fmt::format("auth = \"networks\"\naccount = \"acme\"\nfrom_domain = "
                  "\"example.jp\"\n{}",
                  more));
}

TEST(RelayConfig, IsIdleUnlessEnabled) {
  EXPECT_TRUE(smtp_in_listeners(read_relay("")->config).empty());
  const auto usual = smtp_in_listeners(read_relay("[smtp_in]\nenabled = true\n")->config);
  std::vector<std::string> places;
  for (const auto& each : usual) places.push_back(each.address + " " + each.tls);
  EXPECT_THAT(places,
              ElementsAre("0.0.0.0:587 starttls", "[::]:587 starttls", "0.0.0.0:465 implicit",
                          "[::]:465 implicit", "0.0.0.0:2525 starttls", "[::]:2525 starttls"));
  for (const auto& each : usual) EXPECT_EQ(each.auth, "required");
  const std::string_view off = "[[smtp_in.listener]]\naddress = \"127.0.0.1:25\"\n";
  EXPECT_TRUE(smtp_in_listeners(read_relay(off)->config).empty());
  EXPECT_THAT(warnings_of(off), ElementsAre(HasSubstr("smtp_in.enabled is false")));
}

TEST(RelayConfig, TheSocketForUsersNeedsNoPorts) {
  const auto idle = read_relay("");
  EXPECT_FALSE(smtp_in_listens(idle->config));
  const auto loaded = read_relay("[smtp_in]\nsocket = \"submission.sock\"\n");
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(smtp_in_listens(loaded->config));
  EXPECT_TRUE(smtp_in_listeners(loaded->config).empty());
  EXPECT_EQ(loaded->config.smtp_in.socket, "/etc/todoku/submission.sock");
}

TEST(RelayConfig, TakesListenersAndCertificates) {
  const auto loaded = read_relay(devices("networks = [\"192.168.10.0/24\"]\nold_tls = true\n") +
                                 "[[smtp_in.certificate]]\ncertificate_file = \"a.pem\"\n"
                                 "private_key_file = \"a.key\"\n");
  ASSERT_TRUE(loaded) << loaded.error().problems[0].to_string();
  EXPECT_TRUE(loaded->warnings.empty());
  const auto listeners = smtp_in_listeners(loaded->config);
  ASSERT_EQ(listeners.size(), 1U);
  EXPECT_EQ(listeners[0].tls, "starttls") << "the default of a repeated section";
  EXPECT_EQ(listeners[0].account, "acme");
  EXPECT_TRUE(listeners[0].old_tls);
  ASSERT_EQ(loaded->config.smtp_in_certificates.size(), 1U);
  EXPECT_EQ(loaded->config.smtp_in_certificates[0].private_key_file, "/etc/todoku/a.key");
  const auto again = read_relay(show_config(*loaded));
  ASSERT_TRUE(again) << again.error().problems[0].to_string();
  EXPECT_EQ(smtp_in_listeners(again->config)[0].networks, listeners[0].networks);
}

TEST(RelayConfig, WarnsInCapitalsOfAnOpenRelay) {
  for (const char* networks :
       {"0.0.0.0/0", "::/0", "10.0.0.0/7", "8.8.8.0/24", "192.168.0.0/15", "172.16.0.0/11",
        "100.64.0.0/9", "fc00::/6", "2001:db8::/32", "192.168.10.0/24\", \"8.8.8.8"}) {
    EXPECT_THAT(warnings_of(devices(fmt::format("networks = [\"{}\"]", networks))),
                ElementsAre(HasSubstr("AN OPEN RELAY: ANYBODY IN THE PUBLIC NETWORKS")))
        << networks;
  }
  for (const char* networks : {"10.0.0.0/8", "172.16.0.0/12", "192.168.10.7", "100.64.0.0/10",
                               "fd00:1::/64", "127.0.0.1", "::1", "fe80::/10"}) {
    EXPECT_THAT(warnings_of(devices(fmt::format("networks = [\"{}\"]", networks))), ElementsAre())
        << networks;
  }
}

// Who can claim any address can claim that of a device.
TEST(RelayConfig, WarnsOfProxiesThatAnybodyCanBe) {
  const std::string_view anybody = "proxy_protocol = true\nproxy_networks = [\"0.0.0.0/0\"]";
  EXPECT_THAT(warnings_of(relay(anybody)), ElementsAre(HasSubstr("CAN CLAIM ANY ADDRESS (")));
  EXPECT_THAT(warnings_of(devices(fmt::format("networks = [\"10.0.0.0/8\"]\n{}", anybody))),
              ElementsAre(HasSubstr("AND SEND MAIL AS A DEVICE")));
}

TEST(RelayConfig, WarnsOfPasswordsInClear) {
  for (const char* tls : {"none", "starttls"}) {
    EXPECT_THAT(warnings_of(relay(fmt::format("auth_in_clear = true\ntls = \"{}\"", tls))),
                ElementsAre(HasSubstr("PASSWORDS MAY CROSS THE NETWORK IN CLEAR")));
  }
  EXPECT_THAT(warnings_of(relay("tls = \"implicit\"")), ElementsAre());
  EXPECT_THAT(warnings_of("[smtp_in]\nenabled = true\n[[smtp_in.listener]]\n"
                          "address = \"127.0.0.1:1025\"\nauth_in_clear = true\n"),
              ElementsAre())
      << "they stay on this machine";
}

TEST(RelayConfig, RefusesWhatDoesNotFitTogether) {
  EXPECT_THAT(relay_problem(relay("tls = \"none\"")), HasSubstr("nobody can log in"));
  EXPECT_THAT(relay_problem(relay("networks = [\"10.0.0.0/8\"]")), HasSubstr("belong to auth"));
  EXPECT_THAT(relay_problem(relay("old_tls = true")), HasSubstr("old_tls is for devices"));
  EXPECT_THAT(relay_problem(devices("")), HasSubstr("needs networks, account and from_domain"));
  EXPECT_THAT(relay_problem(devices("networks = [\"10.0.0.0/8\"]\nauth_in_clear = true")),
              HasSubstr("nobody logs in"));
  EXPECT_THAT(relay_problem(relay("proxy_protocol = true")), HasSubstr("need one another"));
  EXPECT_THAT(relay_problem(relay("proxy_networks = [\"10.0.0.1\"]")),
              HasSubstr("need one another"));
  EXPECT_THAT(relay_problem(relay("[[smtp_in.listener]]\naddress = \"[::]:25\"")),
              HasSubstr("smtp_in.listener \"[::]:25\": is there twice"));
  EXPECT_THAT(relay_problem(relay("auth = \"none\"")), HasSubstr("one of required, networks"));
  EXPECT_THAT(relay_problem("[smtp_in]\nown_names = [\"a.example\"]\n"),
              HasSubstr("did you mean smtp_out.own_names?"));
  EXPECT_THAT(relay_problem("[[smtp_in.certificate]]\ncertificate_file = \"a\"\n"),
              HasSubstr("private_key_file is empty"));
}

}  // namespace
}  // namespace todoku::config
