// SPDX-License-Identifier: Apache-2.0
// Contents that accounts keep (store/templates.h).
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;

NewTemplate template_of(std::string name, std::string text) {
  NewTemplate wanted{.name = std::move(name), .content = {}};
  wanted.content.from = {"shop@example.jp", "Shop"};
  wanted.content.subject = "{{first_name|お客様}}";
  wanted.content.text_part = std::move(text);
  wanted.content.html_part = "<p>{{first_name}}</p>";
  wanted.content.escape = Escape::html;
  return wanted;
}

Result<Template> made_template(Store& store, AccountKey account, const NewTemplate& wanted) {
  return store.write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
    return t.create_template(account, wanted);
  });
}

Result<Template> changed_template(Store& store, AccountKey account, PublicId id,
                                  const NewTemplate& wanted) {
  return store.write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
    return t.change_template(account, id,
                             [&](const Template&) -> Result<NewTemplate> { return wanted; });
  });
}

Result<Template> found_template(Store& store, AccountKey account, const TemplateChoice& choice) {
  return store.read_and_wait(
      [&](ReadTransaction& t) { return t.content_template(account, choice); });
}

std::vector<TemplateHead> listed_templates(Store& store, AccountKey account, PublicId after,
                                           std::int64_t limit) {
  return must(store.read_and_wait(
      [&](ReadTransaction& t) { return t.content_templates(account, after, limit); }));
}

TEST_P(StoreSuite, ATemplateIsKeptWithItsVersionsAndFoundByIdAndName) {
  const AccountKey owner = account("a").key;
  const AccountKey other = account("b").key;
  const Template made = must(made_template(*store_, owner, template_of("welcome", "one")));
  EXPECT_EQ(made.head.id, 1);
  EXPECT_EQ(made.version, 1);
  EXPECT_EQ(made.content, template_of("", "one").content);
  EXPECT_EQ(error_of(made_template(*store_, owner, template_of("welcome", "x"))), "conflict");
  EXPECT_EQ(must(made_template(*store_, other, template_of("welcome", "theirs"))).head.id, 1);

  const Template next = must(changed_template(*store_, owner, 1, template_of("hello", "two")));
  EXPECT_EQ(next.version, 2);
  EXPECT_EQ(must(changed_template(*store_, owner, 1, template_of("hello", "two"))).version, 2)
      << "of the same content there is no new version";
  reopen();
  EXPECT_EQ(must(found_template(*store_, owner, {.id = 1})).content.text_part, "two");
  EXPECT_EQ(must(found_template(*store_, owner, {.name = "hello"})).content.text_part, "two");
  EXPECT_EQ(must(found_template(*store_, owner, {.name = "hello", .version = 1})).content.text_part,
            "one");
  EXPECT_EQ(must(found_template(*store_, other, {.id = 1})).content.text_part, "theirs");
  EXPECT_EQ(error_of(found_template(*store_, owner, {.name = "welcome"})), "not_found")
      << "it was renamed";
  EXPECT_EQ(error_of(found_template(*store_, owner, {.id = 1, .version = 3})), "not_found");
  EXPECT_EQ(error_of(changed_template(*store_, owner, 9, template_of("x", "x"))), "not_found");

  const Template second = must(made_template(*store_, owner, template_of("second", "s")));
  EXPECT_EQ(error_of(changed_template(*store_, owner, second.head.id, template_of("hello", "s"))),
            "conflict");
  EXPECT_THAT(
      listed_templates(*store_, owner, 0, 10),
      ElementsAre(Field(&TemplateHead::name, "hello"), Field(&TemplateHead::name, "second")));
  EXPECT_THAT(listed_templates(*store_, owner, 1, 10),
              ElementsAre(Field(&TemplateHead::name, "second")));
  EXPECT_THAT(listed_templates(*store_, owner, 0, 1), SizeIs(1));

  const auto remove = [&](AccountKey whose, PublicId id) {
    return error_of(write([&](WriteTransaction& t) { return t.delete_template(whose, id); }));
  };
  EXPECT_EQ(remove(other, second.head.id), "not_found");
  EXPECT_EQ(remove(owner, second.head.id), "none");
  EXPECT_EQ(remove(owner, second.head.id), "not_found");
  EXPECT_EQ(must(made_template(*store_, owner, template_of("third", "t"))).head.id,
            second.head.id + 1)
      << "an id is never used twice";
}

TEST_P(StoreSuite, OldVersionsOfATemplateGoAndTheirOctetsAreCounted) {
  const AccountKey owner = account().key;
  must(made_template(*store_, owner, template_of("welcome", "0")));
  for (std::int64_t i = 1; i <= kTemplateVersionsKept; ++i) {
    must(changed_template(*store_, owner, 1, template_of("welcome", fmt::format("{}", i))));
  }
  const auto kept = must(read([&](ReadTransaction& t) { return t.template_versions(owner, 1); }));
  ASSERT_THAT(kept, SizeIs(static_cast<std::size_t>(kTemplateVersionsKept)));
  EXPECT_EQ(kept.front().version, kTemplateVersionsKept + 1);
  EXPECT_EQ(kept.back().version, 2) << "the first one is gone";
  EXPECT_EQ(error_of(found_template(*store_, owner, {.id = 1, .version = 1})), "not_found");

  // In parts as large as contents are at most: larger ones take a busy database longer than a
  // statement may.
  constexpr int kParts = 25;
  const std::string part(static_cast<std::size_t>(kTemplateOctetsMax) / kParts, 'x');
  for (int i = 1; i < kParts; ++i) {  // what is left of "welcome" takes the place of the last one
    must(made_template(*store_, owner, template_of(fmt::format("large {}", i), part)));
  }
  EXPECT_EQ(error_of(made_template(*store_, owner, template_of("larger", part))), "limit_exceeded");
  must(write([&](WriteTransaction& t) { return t.delete_template(owner, 2); }));
  must(made_template(*store_, owner, template_of("larger", part)));
  EXPECT_THAT(must(read([&](ReadTransaction& t) { return t.template_versions(owner, 2); })),
              IsEmpty());
}

TEST_P(StoreSuite, ADeliveryKeepsWhatItTookOfATemplate) {
  const AccountKey owner = account().key;
  NewDelivery delivery = bulk(owner);
  delivery.content.from_template = TemplatePin{7, 3};
  delivery.content.escape = Escape::html;
  const auto made =
      must(write([&](WriteTransaction& t) { return t.create_draft(delivery, kDraftsMax); }));
  reopen();
  const Delivery kept = must(read([&](ReadTransaction& t) { return t.delivery(made.key); }));
  EXPECT_EQ(kept.content.from_template, (TemplatePin{7, 3}));
  EXPECT_EQ(kept.content.escape, Escape::html);
  const Delivery other = draft(owner);
  const Delivery plain = must(read([&](ReadTransaction& t) { return t.delivery(other.key); }));
  EXPECT_FALSE(plain.content.from_template);
  EXPECT_EQ(plain.content.escape, Escape::none);
}

}  // namespace
}  // namespace todoku::store
