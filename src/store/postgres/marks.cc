// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/marks.h"

#include <bit>
#include <optional>

#include "store/marks.h"
#include "store/postgres/session.h"

namespace todoku::store::postgres {
namespace {

const Sql kInsertMarks{
    "recipients: marks",
    "INSERT INTO recipient_marks(batch, seq, reference, message_id)"
    " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])"};

}  // namespace

void MarkColumns::add(const AddressHash& hash, AccountKey account, std::int64_t batch,
                      std::int64_t seq, std::span<const InsertCode> codes) {
  std::optional<std::int64_t> reference;
  std::optional<std::int64_t> message_id;
  for (const Mark& mark : marks_of(codes, account)) {
    auto& its = mark.kind == MarkKind::reference ? reference : message_id;
    its = std::bit_cast<std::int64_t>(hash_of(hash, mark));
  }
  if (!reference && !message_id) return;
  batch_.add(batch);
  seq_.add(seq);
  reference_.add(reference);
  message_id_.add(message_id);
}

template <class To>
void MarkColumns::add_statement(To& to) {
  if (batch_.empty()) return;
  to.add(kInsertMarks, Params() << batch_ << seq_ << reference_ << message_id_);
  batch_ = seq_ = reference_ = message_id_ = Column(kInt8);
}

template void MarkColumns::add_statement(Link&);
template void MarkColumns::add_statement(Session&);

}  // namespace todoku::store::postgres
