// SPDX-License-Identifier: Apache-2.0
// An import that is under way. Private to the importer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "base/bilingual.h"
#include "intake/address_set.h"
#include "intake/from_template.h"
#include "intake/importer.h"
#include "intake/list_encoding.h"
#include "intake/list_findings.h"
#include "mime/insert_code.h"
#include "mime/message_size.h"
#include "store/work.h"

namespace todoku::intake {

struct Importer::Run {
  // Addresses of one list that are looked at for doubles: 128 MiB of memory. Of longer lists, those
  // that follow are compared with these only.
  static constexpr std::size_t kComparedAddressesMax = 12'500'000;

  store::ImportJob job;
  std::uint64_t file_octets = 0;
  std::uint64_t octets_read = 0;
  std::string beginning;  // of the file, to guess from what it is if it is no CSV
  ListEncoding encoding = {};
  char separator = ',';
  std::vector<std::string> header;  // of NDJSON: of the row at hand
  std::int64_t recipients_before = 0;
  Purpose purpose = Purpose::by_type;
  std::string list_id;
  CodesWanted wanted;  // of the draft
  mime::KeyForms forms = mime::KeyForms::contract;
  std::string allowed;     // store::Account::allowed_recipients
  mime::MessageSize size;  // of the draft, which nobody changes while it is being imported into
  std::vector<store::NewRecipient> staged;
  // What was staged before: the store takes it while the next rows are read.
  std::future<Result<store::StageRows::Answer>> staging;
  std::optional<ListCheck> check;             // of a list that is only looked at
  std::optional<AlreadyThere> already_there;  // once the draft was looked at
  AddressSet addresses{AddressSet::random_key(), kComparedAddressesMax};
  std::int64_t good = 0;
  std::int64_t bad = 0;
  std::int64_t folded = 0;
  std::vector<std::string> errors;  // the CSV text of the error file, in pieces
  std::size_t error_octets = 0;
  std::optional<BilingualText> refusal;  // why the job as a whole is refused, if it is
};

}  // namespace todoku::intake
