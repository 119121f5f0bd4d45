// SPDX-License-Identifier: Apache-2.0
// Every limit of what may come in, on one screen. The defaults are the contract's
// (blastengine-api.md sections 2.1 to 2.13); each can be overridden in the configuration.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace todoku::intake {

struct Limits {
  std::size_t email_octets_min = 6;
  std::size_t email_octets_max = 254;
  std::size_t name_characters_max = 50;
  std::size_t subject_characters_max = 256;
  // The contract counts kilobytes, a client of the vendor counts characters of them: characters
  // are the reading that refuses nobody.
  std::size_t text_part_characters_max = 30 * 1024;
  std::size_t html_part_characters_max = 70 * 1024;
  std::size_t list_unsubscribe_characters_max = 450;
  std::size_t cc_max = 10;
  std::size_t bcc_max = 10;
  std::size_t insert_codes_max = 50;
  // Our own: the contract names none. A value may be a whole part; what a mail becomes with all of
  // them is limited by message_octets_max.
  std::size_t insert_value_characters_max = 70 * 1024;
  std::size_t update_recipients_max = 50;
  std::size_t attachments_max = 100;
  std::size_t attachments_octets_max = std::size_t{1} << 20U;  // of all together
  std::size_t attachment_name_octets_max = 255;
  // Of one recipient's whole mail. What Postfix takes unless it is told otherwise (its
  // message_size_limit), so the least that receivers can be expected to take.
  std::size_t message_octets_max = 10'240'000;
  std::int64_t drafts_max = 30;
  std::uint64_t import_octets_max = std::uint64_t{256} << 20U;
  std::uint64_t stream_octets_max = std::uint64_t{2} << 30U;  // expanded, as it is on the disk
  std::size_t import_row_octets_max = 256 * 1024;
  Milliseconds reservation_past_tolerance{std::chrono::minutes(1)};
  Milliseconds reservation_horizon{std::chrono::hours(24 * 365)};
  // Whether it can be told of any mail that it was opened (docs/adr/0025).
  bool open_tracking = false;
  // Whether advertisements have a link of ours to leave by (docs/adr/0031).
  bool unsubscribe_link = false;
};

}  // namespace todoku::intake
