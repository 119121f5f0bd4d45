// SPDX-License-Identifier: Apache-2.0
// Uploads in pieces, and how long they live (store/uploads.h).
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;

// Uploads of one store.
class Hands {
 public:
  explicit Hands(std::unique_ptr<Store>& store) : store_(store) {}

  UploadKey begin(NodeKey node) {
    return must(write([&](WriteTransaction& t) { return t.begin_upload(node); }));
  }
  Result<void> add(UploadKey key, std::int64_t which, std::string_view octets) {
    return write([&](WriteTransaction& t) { return t.add_upload_piece(key, which, octets); });
  }
  Result<void> keep(UploadKey key, std::string_view name) {
    return write([&](WriteTransaction& t) { return t.keep_upload(key, name); });
  }
  UploadKey kept(NodeKey node, std::string_view name, std::string_view octets) {
    const UploadKey key = begin(node);
    must(add(key, 0, octets));
    must(keep(key, name));
    return key;
  }
  Result<KeptUpload> find(std::string_view name) {
    return store_->read_and_wait([&](ReadTransaction& t) { return t.upload(name); });
  }
  Result<std::string> piece(UploadKey key, std::int64_t which) {
    return store_->read_and_wait([&](ReadTransaction& t) { return t.upload_piece(key, which); });
  }
  void drop(std::string_view name) {
    must(write([&](WriteTransaction& t) { return t.drop_upload(name); }));
  }
  bool purge_some() {
    return must(write([](WriteTransaction& t) { return t.purge_deleted(300); }));
  }
  void purge() {
    while (purge_some()) {
    }
  }
  ImportJob import(DeliveryKey draft, std::string_view upload, NodeKey node) {
    return must(write([&](WriteTransaction& t) {
      return t.create_import(draft, {.upload = std::string(upload)}, node);
    }));
  }
  Result<void> end(const ImportJob& job, std::string_view errors, NodeKey node) {
    return write([&](WriteTransaction& t) {
      return t.end_import(job.id, job.account,
                          {.status = ImportStatus::failed, .errors = std::string(errors)}, node);
    });
  }

 private:
  template <class Work>
  std::invoke_result_t<Work&, WriteTransaction&> write(Work work) {
    return store_->write_and_wait(WritePriority::import, std::move(work));
  }
  std::unique_ptr<Store>& store_;  // which may be another one after it was opened again
};

TEST_P(StoreSuite, UploadsAreKeptOrRefused) {
  if (GetParam().keeps_uploads) GTEST_SKIP();
  EXPECT_EQ(error_of(Hands(store_).find("list")), "unsupported");
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.begin_upload(me_); })),
            "unsupported");
}

TEST_P(StoreSuite, AnUploadIsFoundWholeOnceItIsKept) {
  if (!GetParam().keeps_uploads) GTEST_SKIP();
  Hands hands(store_);
  const std::string whole(kUploadPieceOctets, '\0');
  const UploadKey key = hands.begin(me_);
  must(hands.add(key, 0, whole));
  must(hands.add(key, 1, "rest"));
  EXPECT_EQ(error_of(hands.find("list")), "not_found") << "not kept yet";
  must(hands.keep(key, "list"));
  const KeptUpload found = must(hands.find("list"));
  EXPECT_EQ(found.key, key);
  EXPECT_EQ(found.octets, kUploadPieceOctets + 4);
  reopen();
  EXPECT_EQ(must(hands.piece(key, 0)), whole);
  EXPECT_EQ(must(hands.piece(key, 1)), "rest");
  EXPECT_EQ(error_of(hands.piece(key, 2)), "not_found");
}

TEST_P(StoreSuite, AnUploadTakesEachPieceOnceInItsOrder) {
  if (!GetParam().keeps_uploads) GTEST_SKIP();
  Hands hands(store_);
  const UploadKey key = hands.begin(me_);
  EXPECT_EQ(error_of(hands.add(key, 1, "b")), "conflict");
  must(hands.add(key, 0, "a"));
  EXPECT_EQ(error_of(hands.add(key, 0, "a")), "conflict");
  EXPECT_EQ(error_of(hands.add(key, 1, "")), "invalid_input");
  EXPECT_EQ(error_of(hands.add(key, 1, std::string(kUploadPieceOctets + 1, 'x'))), "invalid_input");
  must(hands.keep(key, "list"));
  EXPECT_EQ(error_of(hands.add(key, 1, "b")), "not_found");
  EXPECT_EQ(error_of(hands.keep(key, "other")), "not_found");
  EXPECT_EQ(error_of(hands.add(UploadKey{999'999}, 0, "a")), "not_found");
}

TEST_P(StoreSuite, TheUploadKeptLastHasTheName) {
  if (!GetParam().keeps_uploads) GTEST_SKIP();
  Hands hands(store_);
  const UploadKey first = hands.kept(me_, "errors", "old");
  const UploadKey second = hands.kept(me_, "errors", "new");
  EXPECT_EQ(must(hands.find("errors")).key, second);
  hands.purge();
  EXPECT_EQ(error_of(hands.piece(first, 0)), "not_found");
  EXPECT_EQ(must(hands.piece(second, 0)), "new");
}

TEST_P(StoreSuite, ADroppedUploadIsGoneAndItsPiecesLittleByLittle) {
  if (!GetParam().keeps_uploads) GTEST_SKIP();
  Hands hands(store_);
  const UploadKey key = hands.begin(me_);
  for (int i = 0; i < 10; ++i) must(hands.add(key, i, "piece"));
  must(hands.keep(key, "list"));
  hands.drop("list");
  hands.drop("list");
  EXPECT_EQ(error_of(hands.find("list")), "not_found");
  EXPECT_TRUE(hands.purge_some());
  EXPECT_EQ(error_of(hands.piece(key, 0)), "not_found");
  EXPECT_EQ(must(hands.piece(key, 9)), "piece") << "not all in one transaction";
  hands.purge();
  EXPECT_EQ(error_of(hands.piece(key, 9)), "not_found");
}

TEST_P(StoreSuite, AnUploadThatNoJobNamesGoesAfterAWhile) {
  if (!GetParam().keeps_uploads) GTEST_SKIP();
  Hands hands(store_);
  const NodeKey dead = enter("dead");
  const UploadKey open = hands.begin(me_);
  must(hands.add(open, 0, "a"));
  const UploadKey of_dead = hands.begin(dead);
  must(hands.add(of_dead, 0, "a"));
  (void)hands.kept(me_, "unnamed", "a");
  bury(dead);
  hands.purge();
  EXPECT_TRUE(hands.piece(of_dead, 0)) << "it may have been about to be named";
  clock_.advance(kUnnamedUploadOfDeadFor);
  must(write([&](WriteTransaction& t) { return t.renew_node(me_); }));
  hands.purge();
  EXPECT_EQ(error_of(hands.piece(of_dead, 0)), "not_found");
  EXPECT_EQ(error_of(hands.add(of_dead, 1, "b")), "not_found");
  must(hands.add(open, 1, "b"));
  EXPECT_TRUE(hands.find("unnamed"));
  clock_.advance(kUnnamedUploadFor - 1s);
  hands.purge();
  EXPECT_EQ(error_of(hands.find("unnamed")), "not_found");
  must(hands.add(open, 2, "c"));
  clock_.advance(kUnnamedUploadFor);
  hands.purge();
  EXPECT_EQ(error_of(hands.piece(open, 0)), "not_found");
}

TEST_P(StoreSuite, AListLivesAsLongAsItsJobRuns) {
  if (!GetParam().keeps_uploads) GTEST_SKIP();
  Hands hands(store_);
  const NodeKey dead = enter("dead");
  const Delivery delivery = draft(account().key);
  const UploadKey list = hands.kept(dead, "list", "email\n");
  const ImportJob job = hands.import(delivery.key, "list", me_);
  bury(dead);
  clock_.advance(2 * kUnnamedUploadFor);
  hands.purge();
  EXPECT_EQ(must(hands.piece(list, 0)), "email\n");
  must(hands.end(job, "", me_));
  EXPECT_EQ(error_of(hands.find("list")), "not_found");
  hands.purge();
  EXPECT_EQ(error_of(hands.piece(list, 0)), "not_found");
}

TEST_P(StoreSuite, WhatWasWrongWithAListLivesAsLongAsItsDelivery) {
  if (!GetParam().keeps_uploads) GTEST_SKIP();
  Hands hands(store_);
  const Delivery delivery = draft(account().key);
  (void)hands.kept(me_, "list", "email\n");
  const ImportJob job = hands.import(delivery.key, "list", me_);
  const UploadKey errors = hands.kept(me_, "errors", "zip");
  must(hands.end(job, "errors", me_));
  clock_.advance(2 * kUnnamedUploadFor);
  hands.purge();
  EXPECT_EQ(must(hands.find("errors")).key, errors);
  must(write([&](WriteTransaction& t) { return t.delete_delivery(delivery.key); }));
  hands.purge();
  EXPECT_EQ(error_of(hands.find("errors")), "not_found");
  EXPECT_EQ(error_of(hands.piece(errors, 0)), "not_found");
}

}  // namespace
}  // namespace todoku::store
