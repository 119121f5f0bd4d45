// SPDX-License-Identifier: Apache-2.0
#include "probe/imap_answers.h"

#include <string>

#include <gmock/gmock.h>

namespace todoku::probe {
namespace {

using store::ProbePlace;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string names(std::string_view answer) {
  std::string all;
  for (const Folder& folder : read_folders(answer)) {
    all += std::string(store::to_string(folder.place)) + ':' + folder.shown + ' ';
  }
  return all;
}

TEST(ImapAnswers, FoldersAreTheInboxTheJunkAndTheRest) {
  EXPECT_EQ(names("* LIST (\\HasChildren \\Noselect) \"/\" \"[Gmail]\"\r\n"
                  "* LIST (\\HasNoChildren) \"/\" \"Lists\"\r\n"
                  "* LIST (\\HasNoChildren \\Sent) \"/\" \"[Gmail]/Sent\"\r\n"
                  "* LIST (\\Junk \\HasNoChildren) \"/\" \"[Gmail]/&j,dg0TDhMPww6w-\"\r\n"
                  "* LIST (\\HasNoChildren) \"/\" INBOX\r\n"),
            "inbox:INBOX junk:[Gmail]/迷惑メール other:Lists ");
  EXPECT_EQ(
      names("* LIST () \".\" INBOX.Spam\n* LIST () NIL \"Junk E-mail\"\n* list () \"/\" inbox"),
      "inbox:inbox junk:INBOX.Spam junk:Junk E-mail ");
  EXPECT_EQ(names("* LIST () \"/\" \"a \\\"b\\\\ c\"\r\n"), "other:a \"b\\ c ");
}

TEST(ImapAnswers, WhatIsNoFolderIsPassedOver) {
  EXPECT_THAT(read_folders(""), IsEmpty());
  EXPECT_THAT(read_folders("* LIST (\\HasNoChildren \"/\" INBOX"), IsEmpty());
  EXPECT_THAT(read_folders("* LIST () \"/\" {5}\r\nINBOX\r\n"), IsEmpty());
  EXPECT_THAT(read_folders("* LIST () \"/\" \"open\r\n* OK\r\n"), IsEmpty());
  EXPECT_THAT(read_folders("* LIST () \"/\" \"a\x01\"\r\n"), IsEmpty());
  EXPECT_THAT(read_folders("* LIST () \"/\" " + std::string(kFolderOctetsMax + 1, 'a')), IsEmpty());
  std::string many = "* LIST () \"/\" last\r\n";
  for (int i = 0; i < 1'000; ++i) many += "* LIST () \"/\" a\r\n";
  EXPECT_THAT(read_folders(many), SizeIs(kFoldersMax));
}

TEST(ImapAnswers, NumbersOfASearch) {
  EXPECT_THAT(read_found("* SEARCH 2 84 882\r\n"), ElementsAre(2, 84, 882));
  EXPECT_THAT(read_found("* SEARCH\r\n"), IsEmpty());
  EXPECT_THAT(read_found("* search 1 x 2"), ElementsAre(1));
  EXPECT_THAT(read_found("* SEARCH 0 5"), IsEmpty());
  EXPECT_THAT(read_found("* SEARCH 4294967296"), IsEmpty());
  EXPECT_THAT(read_found("* SEARCH 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18"),
              SizeIs(kFoundMax));
}

TEST(ImapAnswers, NamesForPeople) {
  EXPECT_EQ(folder_for_people("a &- b"), "a & b");
  EXPECT_EQ(folder_for_people("&U,BTFw-"), "台北");  // RFC 3501 section 5.1.3
  EXPECT_EQ(folder_for_people("&2D3eAA-"), "😀");
  for (const char* wrong : {"&2D0-", "&3gA-", "&U,BTFw", "&*-", "&AAA-"}) {
    EXPECT_EQ(folder_for_people(wrong), wrong);
  }
}

}  // namespace
}  // namespace todoku::probe
