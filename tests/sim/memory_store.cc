// SPDX-License-Identifier: Apache-2.0
#include "sim/memory_store.h"

#include "base/check.h"
#include "store/sqlite/address_index.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/schema.h"

namespace todoku::sim {
namespace {

using namespace store::sqlite;  // NOLINT(google-build-using-namespace): it stands in for its owner

template <class T>
T must(Result<T> result, std::string_view what) {
  check(result.has_value(), result ? what : std::string_view(result.error().detail));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace

MemoryStore::MemoryStore(const Clock& clock)
    : clock_(clock),
      db_(must(Connection::open({.path = ":memory:", .create = true}), "a database opens")) {
  must(prepare_schema(*db_), "the tables are made");
  const store::AddressHash hash = must(load_address_hash(*db_), "the secret is read");
  transaction_ = std::make_unique<SqliteWriteTransaction>(*db_, figures_, hash);
  must(transaction_->load_figures(), "the figures are read");
}

MemoryStore::~MemoryStore() = default;

std::uint64_t MemoryStore::token_of(const store::BatchKey& batch) {
  auto query = db_->query("SELECT token FROM batches WHERE number = ?");
  const std::int64_t number = batch_number(batch);
  query.bind(number);
  return query.next() ? static_cast<std::uint64_t>(query.integer(0)) : 0;
}

void MemoryStore::forget_ways() {
  must(db_->query("DELETE FROM on_its_way").run(), "ways are forgotten");
}

void MemoryStore::begin() {
  transaction_->set_now(clock_.now());
  must(db_->query("BEGIN IMMEDIATE").run(), "a transaction begins");
}

void MemoryStore::end(bool commit) {
  if (commit) {
    must(transaction_->write_events(), "events are written");
    must(db_->query("COMMIT").run(), "a transaction is committed");
    transaction_->committed();
  } else {
    must(db_->query("ROLLBACK").run(), "a transaction is undone");
    transaction_->lost(false);
  }
}

}  // namespace todoku::sim
