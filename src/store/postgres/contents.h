// SPDX-License-Identifier: Apache-2.0
// What deliveries say, as columns: of one draft or of many transactions at once.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "mail/content.h"
#include "store/deliveries.h"
#include "store/postgres/link.h"
#include "store/postgres/store_time.h"

namespace todoku::store::postgres {

// PostgreSQL's documentation, appendix A: not_null_violation.
inline constexpr std::string_view kRelayedMissing = "23502";

[[nodiscard]] std::unexpected<Error> octets_are_gone();

class ContentColumns {
 public:
  // Attachments get ids from `first_attachment` on, and `delivery` their records; `created` is for
  // whoever knows the store's time.
  void add(Delivery& delivery, const NewDelivery& wanted, std::int64_t first_attachment);
  // Without contents, of one that has them.
  void add_attachments(Delivery& delivery, std::span<const Attachment> attachments,
                       std::int64_t first_id, const std::optional<RelayedData>& relayed = {});
  // One insertion of contents, and one of attachments if there are any, for a Link or a Session.
  // Data in pieces becomes the deliveries' before; kRelayedMissing: of some it cannot.
  template <class Flights>
  void add_statements(Flights& flights, Told told) const {
    if (has_relayed()) flights.add(kNameRelayed, relayed_names());
    flights.add(kInsertContents, contents());
    add_attachment_statement(flights, told);
  }
  template <class Flights>
  void add_attachment_statement(Flights& flights, Told told) const {
    if (!id_.empty()) flights.add(kInsertAttachments, attachments(told));
  }

  // The first of these statements alone, for who can ask whether it named any.
  static const Sql kNameRelayed;
  [[nodiscard]] bool has_relayed() const { return !named_.empty(); }
  [[nodiscard]] Params relayed_names() const;

 private:
  static const Sql kInsertContents;
  static const Sql kInsertAttachments;
  [[nodiscard]] Params contents() const;
  [[nodiscard]] Params attachments(Told told) const;

  Column delivery_{kInt8}, from_{kText}, from_name_{kText}, reply_{kText}, reply_name_{kText},
      to_{kBytea}, cc_{kBytea}, encode_{kInt8}, mailto_{kText}, url_{kText}, attachments_{kInt8},
      subject_{kText}, text_{kText}, html_{kText}, text_from_html_{kInt8}, open_tracking_{kInt8},
      headers_{kBytea}, envelope_{kBytea}, one_click_{kInt8}, escape_{kInt8}, template_{kInt8},
      template_version_{kInt8};
  Column id_{kInt8}, owner_{kInt8}, file_name_{kText}, mime_type_{kText}, size_{kInt8},
      data_{kBytea}, content_id_{kText}, relayed_{kInt8};
  Column named_{kInt8}, namer_{kInt8}, named_octets_{kInt8};
};

}  // namespace todoku::store::postgres
