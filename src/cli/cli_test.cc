// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <regex>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/command_line.h"
#include "cli/fake_host.h"

namespace todoku::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST_F(CommandLineTest, TakesTheConfigurationAnywhere) {
  EXPECT_EQ(run({"serve", "--config", "a.toml", "--roles", "api,scheduler"}), 0);
  EXPECT_THAT(host.seen, ElementsAre("a.toml", "api", "scheduler"));
  EXPECT_EQ(run({"--config", "b.toml", "serve"}), 0);
  EXPECT_THAT(host.seen, ElementsAre("b.toml"));
  EXPECT_EQ(run({"config", "check", "c.toml"}), 0);
  EXPECT_THAT(host.seen, ElementsAre("c.toml", "en"));
  EXPECT_EQ(run({"config", "show", "--defaults", "--lang", "ja"}), 0);
  EXPECT_THAT(host.seen, ElementsAre("-", "defaults", "ja"));
}

TEST_F(CommandLineTest, ComplainsAboutWrongWordsWithStatusTwo) {
  EXPECT_EQ(run({}), 2);
  EXPECT_EQ(run({"fly"}), 2);
  EXPECT_EQ(run({"account", "add"}), 2);
  EXPECT_EQ(run({"account", "weight", "shop", "heavy"}), 2);
  EXPECT_EQ(run({"explain", "a@example.jp", "--limit", "0"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("--limit"));
}

TEST_F(CommandLineTest, NamesTheCommandThatWasMeant) {
  EXPECT_EQ(run({"--config", "a.toml", "--json", "serv", "--new"}), 2);
  EXPECT_EQ(err.str(), "todoku: there is no command serv (did you mean serve?)\n");
  EXPECT_EQ(run({"account", "ad", "shop"}), 2);
  EXPECT_EQ(err.str(), "todoku: there is no command account ad (did you mean add?)\n");
  EXPECT_EQ(run({"stuck", "relaese"}), 2);
  EXPECT_EQ(err.str(), "todoku: there is no command stuck relaese (did you mean release?)\n");
  EXPECT_EQ(run({"photosynthesis"}), 2);
  EXPECT_EQ(err.str(), "todoku: there is no command photosynthesis\n");
  EXPECT_EQ(run({"account", "weight", "serv", "heavy"}), 2);
  EXPECT_THAT(err.str(), testing::Not(HasSubstr("no command")));
}

TEST_F(CommandLineTest, SpeaksTheLanguageAskedForElseThatOfTheEnvironment) {
  EXPECT_EQ(run({"config", "check", "--lang", "ja"}), 0);
  EXPECT_THAT(host.seen, ElementsAre("-", "ja"));
  EXPECT_EQ(run({"serve", "--lang", "ja"}), 0);
  EXPECT_EQ(run({"status", "--lang", "ja"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("エンジン   停止中"));
  host.environment = Language::japanese;
  EXPECT_EQ(run({"status"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("停止中"));
  EXPECT_EQ(run({"status", "--lang", "en"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("engine     not running"));
  EXPECT_EQ(run({"explain", "a@example.jp"}), 1);
  EXPECT_THAT(host.asked.back().target, HasSubstr("&lang=ja&"));
  EXPECT_EQ(run({"status", "--lang", "fr"}), 2);
}

TEST_F(CommandLineTest, HelpsWithStatusZero) {
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("serve"));
  EXPECT_EQ(run({"dkim", "generate", "--help"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("--ed25519"));
}

TEST_F(CommandLineTest, ShowsANewKeyOnce) {
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{201, R"({"name":"shop","key":{"id":1,"login_id":"shop",)"
                            R"("api_key":"abc","bearer_token":"dG9rZW4="}})"};
  };
  EXPECT_EQ(run({"account", "add", "shop"}), 0);
  EXPECT_EQ(host.asked[0].method, "POST");
  EXPECT_EQ(host.asked[0].target, "/accounts");
  EXPECT_EQ(host.asked[0].body, R"({"name":"shop","weight":1,"with_key":true})");
  EXPECT_THAT(out.str(), HasSubstr("API key       abc"));
  EXPECT_THAT(out.str(), HasSubstr("dG9rZW4="));
}

TEST_F(CommandLineTest, AKeyMayBeOfTheSandboxBesideAnAccount) {
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{201, R"({"id":1,"login_id":"shop.sandbox","api_key":"abc",)"
                            R"("bearer_token":"dG9rZW4="})"};
  };
  EXPECT_EQ(run({"key", "add", "shop", "--sandbox"}), 0);
  EXPECT_THAT(host.asked[0].body, HasSubstr(R"("sandbox":true)"));
  EXPECT_THAT(out.str(), HasSubstr("Key 1 of account shop.sandbox added."));
}

TEST_F(CommandLineTest, ShowsAndChangesWhomAnAccountMaySendTo) {
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{200, R"({"allowed_recipients":["example.com","ken@example.jp"]})"};
  };
  EXPECT_EQ(run({"account", "allow", "shop"}), 0);
  EXPECT_EQ(host.asked[0].method, "GET");
  EXPECT_EQ(run({"account", "allow", "shop", "example.com", "ken@example.jp"}), 0);
  EXPECT_EQ(host.asked[1].body, R"({"allowed_recipients":"example.com,ken@example.jp"})");
  EXPECT_THAT(out.str(),
              HasSubstr("others are refused at every door:\nexample.com\nken@example.jp"));
  EXPECT_EQ(run({"account", "allow", "shop", "--everybody"}), 0);
  EXPECT_EQ(host.asked[2].body, R"({"allowed_recipients":""})");
}

TEST_F(CommandLineTest, ALimitOfADaySaysWhatCountsAlready) {
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{200, R"({"name":"shop","requests_per_minute":9,"mails_per_minute":0,)"
                            R"("mails_per_day":460,"mails_per_month":0})"};
  };
  EXPECT_EQ(run({"account", "limit", "shop", "--requests-per-minute", "9"}), 0) << err.str();
  EXPECT_THAT(out.str(), testing::Not(HasSubstr("todoku usage")));
  EXPECT_EQ(run({"account", "limit", "shop", "--mails-per-day", "460"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("earlier on this day and in this month counts"));
}

TEST_F(CommandLineTest, ShowsTheNewPasswordOfAnSmtpCredentialOnce) {
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{201, R"({"account":"shop","name":"relay","password":"abc-_"})"};
  };
  EXPECT_EQ(run({"smtp-credential", "add", "shop", "relay", "--options", "tag,list-id", "--uid",
                 "1000", "--connections", "4", "--bounces", "false"}),
            0);
  EXPECT_EQ(host.asked[0].target, "/smtp-credentials");
  EXPECT_EQ(host.asked[0].body,
            R"({"account":"shop","name":"relay","options":"tag,list-id","bounces":false,)"
            R"("connections_max":4,"uid":1000})");
  EXPECT_THAT(out.str(), HasSubstr("\nuser name  relay\npassword   abc-_\n"));
  EXPECT_EQ(run({"smtp-credential", "rotate", "shop", "a@b"}), 0);
  EXPECT_EQ(host.asked[1].target, "/smtp-credentials/shop/a%40b/rotate");
  EXPECT_EQ(run({"smtp-credential", "add", "shop", "relay", "--uid", "-2"}), 2);
  EXPECT_EQ(
      run({"smtp-credential", "add", "shop", "relay", "--password-file", "f", "--password-stdin"}),
      2);
  EXPECT_EQ(run({"smtp-credential", "add", "shop", "relay", "--password-file", "/dev/null"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("there is nothing in /dev/null"));
  EXPECT_EQ(host.asked.size(), 2U);
}

TEST_F(CommandLineTest, TellsOfTheClaimThatAnSmtpCredentialWaitsFor) {
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{200, R"({"account":"shop","name":"relay","has_domain":false,)"
                            R"("unproven_domain":"example.com"})"};
  };
  EXPECT_EQ(run({"smtp-credential", "add", "shop", "relay"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("publish its TXT record, then: todoku domain verify shop "
                                   "example.com\n"));
}

TEST_F(CommandLineTest, ShowsWhatAnSmtpCredentialMay) {
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{200, R"({"account":"shop","name":"relay","options":["tag","list-id"],)"
                            R"("networks":[],"uid":0,"bounces":true,"messages_per_minute":60})"};
  };
  EXPECT_EQ(run({"smtp-credential", "show", "shop", "relay"}), 0);
  EXPECT_EQ(host.asked[0].target, "/smtp-credentials/shop/relay");
  EXPECT_THAT(out.str(), testing::ContainsRegex("options by header +tag list-id"));
  EXPECT_THAT(out.str(), testing::ContainsRegex("used from +anywhere"));
  EXPECT_THAT(out.str(), testing::ContainsRegex("messages a minute +60"));
  EXPECT_THAT(out.str(), testing::ContainsRegex("user of this machine +0"));
}

TEST_F(CommandLineTest, PassesNamesEncoded) {
  EXPECT_EQ(run({"key", "revoke", "a/b", "3"}), 0);
  EXPECT_EQ(host.asked[0].method, "DELETE");
  EXPECT_EQ(host.asked[0].target, "/accounts/a%2Fb/keys/3");
  EXPECT_EQ(run({"explain", "a+b@example.jp", "--lang", "ja", "--account", "shop"}), 1);
  EXPECT_EQ(host.asked[1].target,
            "/explain?address=a%2Bb%40example.jp&account=shop&lang=ja&limit=20");
  EXPECT_EQ(run({"explain", "--reference", "4711/a"}), 1);
  EXPECT_THAT(host.asked.back().target, HasSubstr("reference=4711%2Fa"));
  EXPECT_EQ(run({"explain", "--message-id", "<1@example.jp>"}), 1);
  EXPECT_THAT(host.asked.back().target, HasSubstr("message_id=%3C1%40example.jp%3E"));
  EXPECT_EQ(run({"explain", "--mail", "71"}), 1);
  EXPECT_THAT(host.asked.back().target, HasSubstr("email_id=71"));
}

TEST_F(CommandLineTest, AMailThatIsNotOnRecordIsStatusOne) {
  const auto answer = [&](std::string body) {
    host.answer = [body](const AdminRequest&) { return AdminAnswer{200, body}; };
  };
  answer(R"({"text":"a@b.jp: no mail\n","mails":[]})");
  EXPECT_EQ(run({"explain", "a@b.jp"}), 1);
  EXPECT_EQ(out.str(), "a@b.jp: no mail\n");
  EXPECT_EQ(run({"explain", "a@b.jp", "--json"}), 1);
  answer(R"({"text":"a@b.jp: 1 mail\n","mails":[{}]})");
  EXPECT_EQ(run({"explain", "a@b.jp"}), 0);
  EXPECT_EQ(run({"explain", "a@b.jp", "--json"}), 0);
}

TEST_F(CommandLineTest, ASuspensionSaysWhatItHoldsBack) {
  const auto answer = [&](std::string body) {
    host.answer = [body](const AdminRequest&) { return AdminAnswer{200, body}; };
  };
  answer(R"({"deliveries":2,"recipients":1201,"in_hand":500})");
  EXPECT_EQ(run({"account", "suspend", "shop"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("Within 2 s its requests are refused"));
  EXPECT_THAT(out.str(), HasSubstr("1201 recipients of 2 deliveries that have been started are "
                                   "still to go. They wait until `todoku account resume shop`"));
  EXPECT_THAT(out.str(), HasSubstr("Of them 500 at most still go out"));
  EXPECT_THAT(out.str(), HasSubstr("DELETE /deliveries/{delivery_id} "));
  answer(R"({"deliveries":0,"recipients":0})");
  EXPECT_EQ(run({"account", "suspend", "shop"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("Nothing of it that has been started is still to go."));
  answer(R"({"suspended":[{"name":"shop","deliveries":2,"recipients":1201}],)"
         R"("more_suspended":true})");
  EXPECT_EQ(run({"status"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("account shop, 1201 recipients to go: todoku account resume "
                                   "shop\n               and more: todoku account list\n"));
  answer(R"({"held_credentials":[{"account":"shop","name":"relay","held_text":"at noon",)"
         R"("held_because":"much mail"}],"more_held":true})");
  EXPECT_EQ(run({"status"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("SMTP credential relay of account shop, since at noon: much "
                                   "mail\n               and more: todoku smtp-credential list\n"));
}

TEST_F(CommandLineTest, WhatAHoldKeepsIsCountedBeforeItIsReleasedOrDropped) {
  std::string held = R"("held":"2026-01-05T01:00:00Z","held_text":"2026-01-05 10:00:00 JST")";
  host.answer = [&](const AdminRequest& request) {
    if (!request.target.ends_with("/drop")) return AdminAnswer{200, "{" + held + "}"};
    const bool is_first = request.body.contains(R"("from":0)");
    return AdminAnswer{
        200, is_first ? R"({"deliveries":2,"recipients":5,"next":9,"first":[{"delivery_id":41,)"
                        R"("accepted_text":"at noon","recipients":3,"subject":"order"}]})"
                      : R"({"deliveries":1,"recipients":1,"next":0,"first":[]})"};
  };
  EXPECT_EQ(run({"smtp-credential", "drop", "shop", "relay", "--preview", "--since", "now"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("6 recipients of 3 deliveries would be cancelled."));
  EXPECT_THAT(out.str(), testing::ContainsRegex("at noon +41 +3 +order"));
  EXPECT_THAT(out.str(), HasSubstr("and 2 later ones"));
  for (const AdminRequest& asked : host.asked) {
    EXPECT_THAT(asked.body, HasSubstr(R"("preview":true)"));
    EXPECT_THAT(asked.body, HasSubstr(R"("since":"now")"));
  }
  EXPECT_EQ(run({"smtp-credential", "release", "shop", "relay"}), 0);
  EXPECT_EQ(out.str(),
            "SMTP credential relay is not held any more: 6 recipients of 3 deliveries go on within "
            "a minute.\n");
  EXPECT_EQ(host.asked.back().target, "/smtp-credentials/shop/relay/release");
  held = R"("name":"relay")";
  EXPECT_EQ(run({"smtp-credential", "release", "shop", "relay"}), 0);
  EXPECT_EQ(out.str(), "SMTP credential relay was not held: nothing has changed.\n");
}

TEST_F(CommandLineTest, LockoutsAreListedAndEnded) {
  host.answer = [&](const AdminRequest& request) {
    return AdminAnswer{
        200, request.method == "GET"
                 ? R"({"lockouts":[{"network":"192.0.2.7/32","name":"relay","since_text":"noon",)"
                   R"("until_text":"later","failures":10},{"network":"192.0.2.7/32","name":"",)"
                   R"("failures":100}]})"
                 : R"({"unlocked":2})"};
  };
  EXPECT_EQ(run({"smtp-credential", "lockouts"}), 0);
  EXPECT_THAT(out.str(), testing::ContainsRegex("192.0.2.7/32 +relay +noon +later +10"));
  EXPECT_THAT(out.str(), testing::ContainsRegex("192.0.2.7/32 +\\(everybody\\) +100"));
  EXPECT_EQ(run({"smtp-credential", "unlock", "192.0.2.7"}), 0);
  EXPECT_EQ(host.asked.back().target, "/smtp-lockouts/unlock");
  EXPECT_EQ(host.asked.back().body, R"({"which":"192.0.2.7"})");
  EXPECT_EQ(out.str(), "Lock-outs of 192.0.2.7 that were ended: 2.\n");
}

TEST_F(CommandLineTest, TheLastKeyOfAnAccountIsNotRevokedInSilence) {
  const auto answer = [&](std::string body) {
    host.answer = [body](const AdminRequest&) { return AdminAnswer{200, body}; };
  };
  answer(R"({"keys":1})");
  EXPECT_EQ(run({"key", "revoke", "shop", "3"}), 0);
  EXPECT_EQ(out.str(), "Key 3 of account shop revoked: within 2 s it opens nothing.\n");
  answer(R"({"keys":0})");
  EXPECT_EQ(run({"key", "revoke", "shop", "4"}), 0);
  EXPECT_THAT(out.str(),
              HasSubstr("nobody can hand in mail for account shop any more, and what was "
                        "accepted goes on. `todoku key add shop` makes another"));
}

TEST_F(CommandLineTest, TheListOfSuppressionsSaysWhoseItIs) {
  host.answer = [](const AdminRequest&) { return AdminAnswer{200, R"({"suppressions":[]})"}; };
  EXPECT_EQ(run({"suppression", "list"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("The list is empty."));
  EXPECT_THAT(out.str(), HasSubstr("This is the installation's list"));
  EXPECT_THAT(out.str(), HasSubstr("--account NAME"));
  EXPECT_EQ(run({"suppression", "list", "--account", "shop"}), 0);
  EXPECT_THAT(out.str(), Not(HasSubstr("installation's")));
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{200, R"({"suppressions":[{"email":"a@b.example"}]})"};
  };
  EXPECT_EQ(run({"suppression", "list", "--lang", "ja"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("a@b.example"));
  EXPECT_THAT(out.str(), HasSubstr("サーバー全体のリスト"));
}

TEST_F(CommandLineTest, ARemovedDkimKeySaysWhatMayWaitForIt) {
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{200, R"({"deliveries":1,"recipients":23})"};
  };
  EXPECT_EQ(run({"dkim", "remove", "--account", "shop", "--domain", "b.jp", "--selector", "c"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("account shop has 23 recipients to go"));
  EXPECT_THAT(out.str(), HasSubstr("todoku dkim import --account shop --domain b.jp --selector c "
                                   "--pem FILE"));
  EXPECT_THAT(out.str(), HasSubstr("is gone for good"));
}

TEST_F(CommandLineTest, PrintsTheSentenceOfAFailure) {
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{409, R"({"error":"the account shop exists"})"};
  };
  EXPECT_EQ(run({"account", "add", "shop"}), 1);
  EXPECT_EQ(err.str(), "todoku: the account shop exists\n");
  EXPECT_EQ(out.str(), "");
}

TEST_F(CommandLineTest, PrintsTheAnswerItselfAsJson) {
  host.answer = [](const AdminRequest&) { return AdminAnswer{200, R"({"keys":[]})"}; };
  EXPECT_EQ(run({"key", "list", "shop", "--json"}), 0);
  EXPECT_EQ(out.str(), "{\"keys\":[]}\n");
}

// Who gave a label may have meant the operator's terminal.
TEST_F(CommandLineTest, TablesHoldNothingThatSteersATerminal) {
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{
        200, R"({"keys":[{"id":1,"label":"\u001b[2Jx\u202ey\u2028z\u009b","created":"2026"}]})"};
  };
  EXPECT_EQ(run({"key", "list", "shop"}), 0);
  EXPECT_TRUE(out.str().contains("?[2Jx?y?z?")) << out.str();
}

TEST_F(CommandLineTest, TurnsTheTextMadeFromHtmlOnAndOff) {
  std::string body;
  host.answer = [&](const AdminRequest& request) {
    body = request.method + " " + request.target + " " + request.body;
    return AdminAnswer{200, "{}"};
  };
  EXPECT_EQ(run({"account", "text-from-html", "shop", "off"}), 0);
  EXPECT_EQ(body, R"(PATCH /accounts/shop {"text_from_html":false})");
  EXPECT_NE(run({"account", "text-from-html", "shop", "perhaps"}), 0);
}

TEST_F(CommandLineTest, AlignsTables) {
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{200, R"({"accounts":[{"name":"shop","suspended":false,"weight":1,"keys":2,)"
                            R"("created":"2026-01-04T16:00:00Z",)"
                            R"("created_text":"2026-01-05 01:00:00 JST","text_from_html":true},)"
                            R"({"name":"a-long-name","suspended":true,"weight":10,"keys":0,)"
                            R"("created":"2026-01-06","text_from_html":false}]})"};
  };
  EXPECT_EQ(run({"account", "list"}), 0);
  EXPECT_EQ(out.str(),
            "ACCOUNT      STATE      WEIGHT  KEYS  ADDED                    TEXT FROM HTML\n"
            "shop         active     1       2     2026-01-05 01:00:00 JST  on\n"
            "a-long-name  suspended  10      0     2026-01-06               off\n");
}

TEST_F(CommandLineTest, AsksForListsUntilTheyEnd) {
  host.answer = [](const AdminRequest& request) {
    const bool first = request.target.find("after") == std::string::npos;
    return AdminAnswer{200, first ? R"({"accounts":[{"name":"one"}],"next":"1"})"
                                  : R"({"accounts":[{"name":"two\u001b[2J"}]})"};
  };
  EXPECT_EQ(run({"account", "list", "--json"}), 0);
  ASSERT_EQ(host.asked.size(), 2U);
  EXPECT_EQ(host.asked[1].target, "/accounts?after=1");
  EXPECT_EQ(out.str(), "{\"accounts\":[{\"name\":\"one\"},{\"name\":\"two\\u001b[2J\"}]}\n");
  EXPECT_EQ(run({"account", "list"}), 0);
  EXPECT_THAT(out.str(), testing::HasSubstr("\none"));
  EXPECT_THAT(out.str(), testing::HasSubstr("\ntwo?[2J")) << "harmless to a terminal";
}

TEST_F(CommandLineTest, ListsWhatIsSetAsideAndWhatToDo) {
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{200, R"({"mails":[{"since":"2026-01-05T01:00:00Z",)"
                            R"("since_text":"2026-01-05 10:00:00 JST","account":"shop",)"
                            R"("delivery_id":12,"email_id":34,"address":"taro@example.jp"}],)"
                            R"("more":true})"};
  };
  EXPECT_EQ(run({"stuck"}), 0);
  EXPECT_EQ(host.asked[0].method, "GET");
  EXPECT_EQ(host.asked[0].target, "/stuck?limit=100");
  EXPECT_EQ(out.str(),
            "SINCE                    ACCOUNT  DELIVERY  EMAIL  ADDRESS\n"
            "2026-01-05 10:00:00 JST  shop     12        34     taro@example.jp\n"
            "There are more: see --limit.\n"
            "\n"
            "Processes died with these mails in hand. Each waits until it is released or its time "
            "is up.\n"
            "Once the cause is mended: todoku stuck release shop 34\n"
            "or all of them:           todoku stuck release --all\n");
  EXPECT_EQ(run({"stuck", "--limit", "5"}), 0);
  EXPECT_EQ(host.asked[1].target, "/stuck?limit=5");
  EXPECT_EQ(run({"stuck", "--utc", "--lang", "ja"}), 0);
  EXPECT_EQ(host.asked[2].target, "/stuck?limit=100&utc_offset_minutes=0");
  EXPECT_THAT(out.str(), testing::HasSubstr("原因を取り除いてから: todoku stuck release shop 34"));
  EXPECT_EQ(run({"stuck", "--lang", "fr"}), 2);
  host.answer = [](const AdminRequest&) { return AdminAnswer{200, R"({"mails":[]})"}; };
  EXPECT_EQ(run({"stuck"}), 0);
  EXPECT_EQ(out.str(), "No mail is set aside.\n");
}

TEST_F(CommandLineTest, ReleasesOneMailOrAll) {
  EXPECT_EQ(run({"stuck", "release", "a/b", "34"}), 0);
  ASSERT_EQ(host.asked.size(), 1U);
  EXPECT_EQ(host.asked[0].method, "POST");
  EXPECT_EQ(host.asked[0].target, "/stuck/a%2Fb/34/release");
  EXPECT_EQ(out.str(), "Mail 34 of account a/b will be tried again.\n");
  host.answer = [](const AdminRequest&) { return AdminAnswer{200, R"({"released":3})"}; };
  EXPECT_EQ(run({"stuck", "release", "--all"}), 0);
  EXPECT_EQ(host.asked[1].target, "/stuck/release");
  EXPECT_EQ(out.str(), "Released: 3.\n");
  host.asked.clear();
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"stuck", "release"},
                                                {"stuck", "release", "shop"},
                                                {"stuck", "release", "shop", "taro@example.jp"},
                                                {"stuck", "release", "shop", "34", "--all"},
                                                {"stuck", "--limit", "0"},
                                                {"stuck", "shop"}}) {
    EXPECT_EQ(run(wrong), 2) << wrong.back();
  }
  EXPECT_TRUE(host.asked.empty());
}

TEST_F(CommandLineTest, SaysInTheOverviewWhatIsSetAside) {
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{200, R"({"version":"1.2.3","queues":[)"
                            R"({"class":"transactional","waiting":5,"set_aside":2},)"
                            R"({"class":"bulk","waiting":7,"set_aside":0}]})"};
  };
  EXPECT_EQ(run({"status"}), 0);
  EXPECT_THAT(out.str(), testing::EndsWith(
                             "transactional  5 recipients to go\n"
                             "               2 of them set aside, they wait for you: todoku stuck\n"
                             "bulk           7 recipients to go\n"));
}

TEST_F(CommandLineTest, TellsWhenNoEngineRuns) {
  host.running = false;
  EXPECT_EQ(run({"drain"}), 1);
  EXPECT_EQ(run({"healthcheck"}), 1);
  EXPECT_EQ(err.str(), "todoku: the engine is not running\n");
}

TEST_F(CommandLineTest, TellsWhereAnEngineRunsThatIsNotAskedHere) {
  host.running = false;
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{200, R"({"running":false,"elsewhere":[{"node":"3f9c2a1b",)"
                            R"("roles":"api on mail1.example.jp","version":"1"}]})"};
  };
  EXPECT_EQ(run({"status"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("engine     runs as node 3f9c2a1b (api on mail1.example.jp), "
                                   "which is not asked here"));
  EXPECT_THAT(out.str(), testing::Not(HasSubstr("not running")));
  EXPECT_EQ(run({"status", "--lang", "ja"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("エンジン   ノード 3f9c2a1b"));
  for (const char* command : {"drain", "healthcheck"}) {
    EXPECT_EQ(run({command}), 1);
    EXPECT_THAT(err.str(), HasSubstr("runs as node 3f9c2a1b (api on mail1.example.jp)"));
    EXPECT_THAT(err.str(), testing::Not(HasSubstr("not running")));
  }
}

TEST_F(CommandLineTest, WaitsUntilADrainedEngineIsGone) {
  int calls = 0;
  host.answer = [&](const AdminRequest&) -> Result<AdminAnswer> {
    if (++calls < 3) return AdminAnswer{200, "{}"};
    return fail(ErrorKind::not_found, "gone");
  };
  EXPECT_EQ(run({"drain"}), 0);
  EXPECT_EQ(host.asked[1].target, "/drain");
  EXPECT_THAT(out.str(), HasSubstr("It has stopped."));
}

TEST_F(CommandLineTest, ADrainSaysWhatWasCutOffAndWhatRemains) {
  const auto drained = [&](std::string after) {
    int calls = 0;
    host.answer = [&, after, calls](const AdminRequest&) mutable -> Result<AdminAnswer> {
      switch (++calls) {
        case 1:
          return AdminAnswer{200, R"({"running":true,"drained":{"at_ms":1,"in_doubt":7}})"};
        case 2:
          return AdminAnswer{200, "{}"};
        case 3:
          return fail(ErrorKind::not_found, "gone");
        default:
          return AdminAnswer{200, after};
      }
    };
    EXPECT_EQ(run({"drain"}), 0);
    return out.str();
  };
  const std::string cut =
      drained(R"({"queues":[{"class":"transactional","waiting":1},{"class":"bulk","waiting":390}],)"
              R"("drained":{"at_ms":2,"in_doubt":10}})");
  EXPECT_THAT(cut, HasSubstr("It has stopped. 10 mails were out and without an answer"));
  EXPECT_THAT(cut, HasSubstr("391 recipients remain to go; they go on after the next start."));
  EXPECT_THAT(drained(R"({"queues":[{"class":"bulk","waiting":390}],)"
                      R"("elsewhere":[{"node":"3f9c2a1b","roles":"courier on b"}]})"),
              HasSubstr("390 recipients remain to go on this store, where other processes go on."));
  const std::string clean = drained(R"({"drained":{"at_ms":2,"in_doubt":0}})");
  EXPECT_THAT(clean, HasSubstr("It has stopped. No mail is in doubt.\nNothing remains to go.\n"));
  EXPECT_THAT(clean, Not(HasSubstr("reserved")));
  EXPECT_THAT(drained(R"({"drained":{"at_ms":2,"in_doubt":0},"reserved":{"deliveries":2,)"
                      R"("recipients":300,"first":"2026-01-05T09:00:00.000+09:00","more":false}})"),
              HasSubstr("Nothing remains to go.\nApart from these 300 recipients are reserved for "
                        "later, the first for 2026-01-05"));
  EXPECT_THAT(drained(R"({"drained":{"at_ms":1,"in_doubt":7}})"),
              HasSubstr("It left no word how many"));
}

// The socket goes before the store is closed: who copies the data then has half of it.
TEST_F(CommandLineTest, ADrainedEngineIsNotGoneBeforeItsProcess) {
  int calls = 0;
  host.answer = [&](const AdminRequest&) -> Result<AdminAnswer> {
    if (++calls < 3) return AdminAnswer{200, fmt::format(R"({{"pid":{}}})", ::getpid())};
    return fail(ErrorKind::not_found, "gone");
  };
  EXPECT_EQ(run({"drain", "--wait", "1"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("it is still running after 1 s"));
}

TEST_F(CommandLineTest, LeavesTheWordsOfTheSinkToTheSink) {
  EXPECT_EQ(run({"sink", "--help", "--listen", "127.0.0.1:2525"}), 7);
  EXPECT_THAT(host.seen, ElementsAre("--help", "--listen", "127.0.0.1:2525"));
}

TEST_F(CommandLineTest, IsAFunctionOfLambda) {
  EXPECT_EQ(run({"lambda"}), 0);
  EXPECT_THAT(host.seen, ElementsAre("lambda"));
}

TEST_F(CommandLineTest, PrintsTheVersion) {
  EXPECT_EQ(run({"version"}), 0);
  EXPECT_EQ(out.str(), "todoku 1.2.3\n");
}

// Three English words in a row are a sentence that was forgotten; commands are none.
bool has_english(const std::string& text) {
  static const std::regex command("todoku( [a-z-]+)+");
  static const std::regex words("[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}");
  return std::regex_search(std::regex_replace(text, command, ""), words);
}

class JapaneseTest : public CommandLineTest {
 protected:
  int in_japanese(std::vector<std::string> words) {
    words.insert(words.begin(), {"--lang", "ja"});
    return run(words);
  }
  // The help of a command and of all below it.
  void expect_helps(const std::vector<std::string>& command) {
    std::vector<std::string> words = command;
    words.emplace_back("--help");
    ASSERT_EQ(in_japanese(words), 0);
    const std::string help = out.str();
    EXPECT_FALSE(has_english(help)) << help;
    for (const std::string_view english :
         {"Usage", "Options", "OPTIONS", "SUBCOMMAND", "Subcommands", "Positionals", "REQUIRED"}) {
      EXPECT_FALSE(help.contains(english)) << english << " in " << help;
    }
    ++helps;
    std::istringstream lines(help);
    bool is_command = false;
    for (std::string line; std::getline(lines, line);) {
      if (line == "コマンド:") {
        is_command = true;
        continue;
      }
      if (!is_command || !line.starts_with("  ") || line[2] == ' ') continue;
      std::vector<std::string> below = command;
      below.push_back(line.substr(2, line.find(' ', 2) - 2));
      if (below.back() != "sink") expect_helps(below);
    }
  }
  int helps = 0;
};

TEST_F(JapaneseTest, IsSpokenByEveryHelp) {
  expect_helps({});
  EXPECT_GE(helps, 29) << "all commands";
}

TEST_F(JapaneseTest, IsSpokenByEveryComplaintAboutWords) {
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{
           {},
           {"serv"},
           {"account"},
           {"account", "add"},
           {"account", "add", "a", "b"},
           {"account", "add", "a", "b", "c"},
           {"account", "add", "a", "--weight"},
           {"account", "add", "a", "--weight", "0"},
           {"account", "add", "a", "--weight", "x"},
           {"account", "add", "a", "--no-key=maybe"},
           {"account", "text-from-html", "a", "perhaps"},
           {"dkim", "import", "--account", "a", "--domain", "b", "--selector", "c"},
           {"explain"},
           {"explain", "--mail", "71", "--reference", "4711"},
           {"explain", "a@b.jp", "--message-id", "<1@example.jp>"},
           {"explain", "--reference", "4711", "--site", "docomo"},
           {"explain", "--for-recipient", "--site", "docomo"},
           {"explain", "a@b.jp", "--limit", "1", "--limit", "2"},
           {"stuck", "release"},
           {"stuck", "release", "a"},
           {"stuck", "release", "a", "1", "--all"},
           {"drain", "--wait", "long"},
           {"status", "--nothing"},
           {"status", "--config"}}) {
    EXPECT_EQ(in_japanese(wrong), 2) << testing::PrintToString(wrong);
    EXPECT_FALSE(has_english(err.str())) << err.str();
    EXPECT_TRUE(err.str().contains("コマンド") || err.str().contains("--help")) << err.str();
  }
  EXPECT_EQ(in_japanese({"serv"}), 2);
  EXPECT_EQ(err.str(), "todoku: serv というコマンドはありません（serve でしょうか）\n");
  EXPECT_EQ(in_japanese({"explain", "a@b.jp", "--limit", "0"}), 2);
  EXPECT_EQ(err.str(),
            "todoku: --limit: 0 は 1～1000 の範囲にありません\n"
            "詳しくは --help を付けて実行してください。\n");
  EXPECT_EQ(run({"status", "--nothing", "--lang=ja"}), 2) << "wherever it stands";
  EXPECT_THAT(err.str(), HasSubstr("余分な引数があります: --nothing"));
}

TEST_F(JapaneseTest, IsSpokenByEveryAnswer) {
  host.answer = [](const AdminRequest& request) {
    if (request.target.starts_with("/accounts/shop/keys") && request.method == "GET") {
      return AdminAnswer{200, R"({"keys":[{"id":1,"label":"ci","created":"now"},)"
                              R"({"id":2,"revoked":"then"}]})"};
    }
    if (request.target.starts_with("/accounts") && request.method == "GET") {
      return AdminAnswer{200, R"({"accounts":[{"name":"a","suspended":true},{"name":"b"}]})"};
    }
    if (request.target.starts_with("/dkim") && request.method == "GET") {
      return AdminAnswer{200, R"({"keys":[{"account":"a"}],"zone_entry":"z\n"})"};
    }
    if (request.target.starts_with("/stuck") && request.method == "GET") {
      return AdminAnswer{200, R"({"mails":[{"account":"a"}],"more":true})"};
    }
    return AdminAnswer{
        200, R"({"key":{"login_id":"shop"},"running":true,"draining":true,)"
             R"("recipients":7,"in_hand":5,"suspended":[{"name":"a"}],"more_suspended":true,)"
             R"("queues":[{"class":"bulk","set_aside":1,"earliest_due":"t"}]})"};
  };
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"account", "add", "shop"},
           {"account", "list"},
           {"account", "suspend", "shop"},
           {"account", "resume", "shop"},
           {"account", "weight", "shop", "3"},
           {"account", "text-from-html", "shop", "on"},
           {"account", "text-from-html", "shop", "off"},
           {"key", "add", "shop"},
           {"key", "list", "shop"},
           {"key", "revoke", "shop", "1"},
           {"smtp-credential", "add", "shop", "relay"},
           {"smtp-credential", "list"},
           {"smtp-credential", "show", "shop", "relay"},
           {"smtp-credential", "change", "shop", "relay", "--days", "9"},
           {"smtp-credential", "rotate", "shop", "relay"},
           {"smtp-credential", "revoke", "shop", "relay"},
           {"smtp-credential", "hold", "shop", "relay", "--because", "much mail"},
           {"smtp-credential", "release", "shop", "relay"},
           {"smtp-credential", "drop", "shop", "relay"},
           {"smtp-credential", "drop", "shop", "relay", "--preview"},
           {"smtp-credential", "lockouts"},
           {"smtp-credential", "unlock", "relay"},
           {"dkim", "generate", "--account", "a", "--domain", "b"},
           {"dkim", "list"},
           {"dkim", "show", "--account", "a", "--domain", "b", "--selector", "c"},
           {"dkim", "remove", "--account", "a", "--domain", "b", "--selector", "c"},
           {"stuck"},
           {"stuck", "release", "a", "1"},
           {"stuck", "release", "--all"},
           {"status"},
           {"healthcheck"},
           {"healthcheck", "--live"}}) {
    ASSERT_EQ(in_japanese(words), 0) << testing::PrintToString(words) << err.str();
    EXPECT_FALSE(has_english(out.str())) << out.str();
    EXPECT_TRUE(std::ranges::any_of(out.str(), [](char c) { return (c & 0x80) != 0; }))
        << out.str();
  }
  EXPECT_EQ(in_japanese({"account", "add", "shop"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("\nlogin id      shop\n")) << "scripts read it";
  EXPECT_EQ(in_japanese({"account", "list"}), 0);
  EXPECT_THAT(out.str(), testing::StartsWith("アカウント  状態    割合  キー数  追加日時  HTML から"
                                             "テキスト\na           停止中  0     0"));
}

TEST_F(JapaneseTest, IsSpokenWhereSomethingFails) {
  host.running = false;
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"drain"},
                                             {"healthcheck"},
                                             {"dkim", "import", "--account", "a", "--domain", "b",
                                              "--selector", "c", "--pem", "/nowhere"}}) {
    EXPECT_EQ(in_japanese(words), 1);
    EXPECT_FALSE(has_english(err.str())) << err.str();
  }
  host.running = true;
  host.answer = [](const AdminRequest&) { return AdminAnswer{200, "{"}; };
  EXPECT_EQ(in_japanese({"status"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("エンジンの応答を読めません"));
  host.answer = [](const AdminRequest&) { return AdminAnswer{500, "{"}; };
  EXPECT_EQ(in_japanese({"status"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("エンジンがステータス 500 で応答しました"));
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{404, R"({"error":"the account has no domain example.jp"})"};
  };
  EXPECT_EQ(in_japanese({"status"}), 1);
  EXPECT_EQ(err.str(), "todoku: アカウントにドメイン example.jp がありません\n");
  EXPECT_EQ(run({"status"}), 1);
  EXPECT_EQ(err.str(), "todoku: the account has no domain example.jp\n");
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{404, R"({"error":"there is nothing of that kind"})"};
  };
  EXPECT_EQ(in_japanese({"status"}), 1);
  EXPECT_EQ(err.str(), "todoku: 見つかりません: there is nothing of that kind\n");
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{200, fmt::format(R"({{"pid":{}}})", ::getpid())};
  };
  EXPECT_EQ(in_japanese({"drain", "--wait", "0"}), 1);
  EXPECT_FALSE(has_english(out.str() + err.str())) << out.str() << err.str();
}

}  // namespace
}  // namespace todoku::cli
