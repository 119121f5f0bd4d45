// SPDX-License-Identifier: Apache-2.0
// `todoku dkim verify`, and with it what all commands share that judge mail.
#include "cli/mail_checks.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "cli/fake_host.h"
#include "mailauth/dkim/dns_record.h"
#include "mailauth/dkim/message.h"
#include "mailauth/dkim/signer.h"

namespace todoku::cli {
namespace {

namespace dkim = mailauth::dkim;

const dkim::SigningKey& signing_key() {
  static const auto key = dkim::SigningKey::generate(dkim::KeyAlgorithm::ed25519).value();
  return key;
}

// Signed by d=example.jp s=s1, with CRLF.
std::string signed_mail() {
  const std::string text = "From: a@example.jp\r\nSubject: one\r\n\r\nIt arrives.\r\n";
  const auto signer =
      dkim::Signer::create(
          {{.name = dkim::KeyName::parse("example.jp", "s1").value(), .key = signing_key()}})
          .value();
  dkim::SigningContext context;
  const dkim::MessageView view = dkim::split_message(text);
  std::string out;
  EXPECT_TRUE(signer.sign(context,
                          {.headers = view.fields,
                           .body_hash = context.body_hash({&view.body, 1}),
                           .signed_at = FakeClock().now()},
                          out));
  return out + text;
}

std::string with_bare_line_feeds(std::string text) {
  std::erase(text, '\r');
  return text;
}

class MailChecks : public CommandLineTest {
 protected:
  void SetUp() override {
    host.zone.set_zone(
        {.txt = {{"s1._domainkey.example.jp", {dkim::key_record_text(signing_key())}}}});
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string file(const std::string& name, const std::string& content) {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

 private:
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("todoku_mail_checks_" + std::to_string(::getpid()));
};

constexpr std::string_view kPass =
    R"("signatures":[{"domain":"example.jp","selector":"s1","result":"pass","reason":""}])";

TEST_F(MailChecks, AVerdictComesWithHowItCameAbout) {
  const std::string mail = file("mail", signed_mail());
  EXPECT_EQ(run({"dkim", "verify", mail, "--resolver", "192.0.2.1:53"}), 0) << err.str();
  EXPECT_EQ(host.its_resolver, "192.0.2.1:53");
  const std::string said = out.str();
  EXPECT_TRUE(said.starts_with(mail + ": signatures: 1\n"
                                      "  pass (domain example.jp, selector s1)\n"))
      << said;
  for (const char* part : {"a=ed25519-sha256 c=relaxed/relaxed",
                           "v=DKIM1; k=ed25519; p=", "as the body's", "b= is a signature of it"}) {
    EXPECT_TRUE(said.contains(part)) << part << said;
  }
}

TEST_F(MailChecks, TheVerdictIsNoExitStatus) {
  std::string changed = signed_mail();
  changed.replace(changed.find("arrives"), 1, "A");
  EXPECT_EQ(run({"dkim", "verify", "--json", file("mail", changed)}), 0);
  EXPECT_TRUE(out.str().contains(R"("result":"fail","reason":"the body hash does not match)"));
  EXPECT_EQ(run({"dkim", "verify", file("none", "From: a@example.jp\n\nx\n")}), 0);
  EXPECT_TRUE(out.str().contains("none (no signature)"));
}

TEST_F(MailChecks, WhatCannotBeReadIsAndTheRestIsJudged) {
  const std::string mail = file("mail", signed_mail());
  EXPECT_EQ(run({"dkim", "verify", mail + ".gone", mail}), 2);
  EXPECT_TRUE(err.str().contains(mail + ".gone"));
  EXPECT_TRUE(out.str().contains("pass (domain"));
  EXPECT_EQ(run({"dkim", "verify"}), 2);
  EXPECT_EQ(run({"dkim", "verify", "--batch", mail}), 2);
  EXPECT_EQ(run({"dkim", "verify", mail, "--resolver", "nobody"}), 2);
}

TEST_F(MailChecks, LineFeedsInFilesAreLineEnds) {
  const std::string mail = with_bare_line_feeds(signed_mail());
  EXPECT_EQ(run({"dkim", "verify", "--json", file("mail", mail)}), 0);
  EXPECT_TRUE(out.str().contains(R"("result":"pass")")) << out.str();
  host.its_input.str(mail);
  EXPECT_EQ(run({"dkim", "verify", "--json", "-"}), 0);
  EXPECT_TRUE(out.str().contains(R"("result":"pass")")) << out.str();
}

TEST_F(MailChecks, ABatchIsAnsweredInItsOrder) {
  const std::string mail = file("mail", signed_mail());
  std::string input;
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    const bool gone = i % 7 == 3;
    const std::string id = std::to_string(i);
    input += R"({"id":)" + id + R"(,"file":")" + mail + (gone ? ".gone" : "") + "\"}\n";
    expected += R"({"id":)" + id + "," +
                (gone ? R"("error":")" + mail + R"(.gone: No such file or directory")"
                      : std::string(kPass)) +
                "}\n";
  }
  host.its_input.str(input);
  EXPECT_EQ(run({"dkim", "verify", "--batch"}), 2);
  EXPECT_EQ(out.str(), expected);
}

TEST_F(MailChecks, ABatchWaitsForNoPipeAndNamesNumbersAsTheyWere) {
  const std::string pipe = file("pipe", "");
  std::filesystem::remove(pipe);
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  host.its_input.str(R"({"id":1,"file":")" + pipe +
                     "\"}\n{\"id\":1e400}\n{\"id\":123456789012345678901234567890}\n"
                     "{\"id\":18446744073709551615}\n");
  EXPECT_EQ(run({"dkim", "verify", "--batch"}), 2);
  const std::string refused =
      R"({"id":null,"error":"\"id\" is too large a number: write it as text"})";
  EXPECT_EQ(out.str(), R"({"id":1,"error":")" + pipe + ": is no regular file\"}\n" + refused +
                           "\n" + refused + "\n" +
                           R"({"id":18446744073709551615,"error":"\"file\" is missing"})" + "\n");
}

TEST_F(MailChecks, LinesOfABatchThatCannotBeRead) {
  const std::string mail = file("mail", signed_mail());
  host.its_input.str("no JSON\n\n[1]\n" + std::string(kCaseOctetsMax + 1, 'x') +
                     "\n{\"id\":{\"a\":1}}\n{\"id\":null,\"file\":7}\n{\"id\":\"" +
                     std::string(257, 'i') + "\"}\n{\"id\":true}\n{\"id\":2.5,\"file\":\"" +
                     std::string(16'385, 'f') + "\"}\n{\"id\":\"" + std::string(256, 'i') +
                     "\"}\n{\"id\":\"last\",\"file\":\"" + mail + "\"}");
  EXPECT_EQ(run({"dkim", "verify", "--batch"}), 2);
  std::vector<std::string> lines;
  std::istringstream said(out.str());
  for (std::string line; std::getline(said, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 10U) << out.str();
  EXPECT_TRUE(lines[0].starts_with(R"({"id":null,"error":")")) << lines[0];
  EXPECT_EQ(lines[1], R"({"id":null,"error":"the line is not a JSON object"})");
  EXPECT_EQ(lines[2], R"({"id":null,"error":"the line has more than 1048576 bytes"})");
  EXPECT_EQ(lines[3], R"({"id":null,"error":"\"id\" is an object, but must be text or a number"})");
  EXPECT_EQ(lines[4], R"({"id":null,"error":"\"file\" is not text"})");
  EXPECT_EQ(lines[5], R"({"id":null,"error":"\"id\" has 257 bytes, but at most 256 are taken"})");
  EXPECT_EQ(lines[6],
            R"({"id":null,"error":"\"id\" is a truth value, but must be text or a number"})");
  EXPECT_EQ(lines[7],
            R"({"id":2.5E0,"error":"\"file\" has 16385 bytes, but at most 16384 are taken"})");
  EXPECT_TRUE(lines[8].ends_with(R"(,"error":"\"file\" is missing"})")) << lines[8];
  EXPECT_EQ(lines[9], R"({"id":"last",)" + std::string(kPass) + "}");
  host.its_input.clear();
  host.its_input.str(R"({"id":1,"file":")" + mail + "\"}\n");
  EXPECT_EQ(run({"dkim", "verify", "--batch"}), 0);
}

TEST_F(MailChecks, SaysWhichSignaturesWereNotLookedAt) {
  std::string mail;
  for (int i = 0; i < 20; ++i) mail += "DKIM-Signature: x=1\n";
  EXPECT_EQ(run({"dkim", "verify", file("mail", mail + "From: a@example.jp\n\n")}), 0);
  EXPECT_TRUE(out.str().contains("  4 more signatures were not looked at")) << out.str();
  EXPECT_TRUE(out.str().contains("signatures: 20, of which the first 16 were looked at"));
}

}  // namespace
}  // namespace todoku::cli
