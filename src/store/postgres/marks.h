// SPDX-License-Identifier: Apache-2.0
// recipient_marks: hashes of what recipients are found by besides their address (store/marks.h), a
// row for each that has any. It is written with the recipient, and goes with it.
#pragma once

#include <cstdint>
#include <span>

#include "mail/content.h"
#include "store/address_hash.h"
#include "store/keys.h"
#include "store/postgres/link.h"

namespace todoku::store::postgres {

// Of recipients r: their codes where something is attached among them, else NULL.
#define ATTACHED_CODES(r)                            \
  "CASE WHEN position('reference='::bytea in " r     \
  ".codes) > 0 OR position('metadata='::bytea in " r \
  ".codes) > 0 OR position('message-id='::bytea in " r ".codes) > 0 THEN " r ".codes END"

class MarkColumns {
 public:
  // A recipient that is written, with all of its codes.
  void add(const AddressHash& hash, AccountKey account, std::int64_t batch, std::int64_t seq,
           std::span<const InsertCode> codes);
  // Into the flight, if there are any.
  template <class To>
  void add_statement(To& to);

 private:
  Column batch_{kInt8}, seq_{kInt8}, reference_{kInt8}, message_id_{kInt8};
};

}  // namespace todoku::store::postgres
