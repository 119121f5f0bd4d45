// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/contents.h"

#include "store/records.h"

namespace todoku::store::postgres {
std::unexpected<Error> octets_are_gone() {
  return fail(ErrorKind::not_found, "the message is a delivery's already, or was removed");
}

const Sql ContentColumns::kInsertContents{
    "contents: insert",
    "INSERT INTO contents(delivery, from_address, from_name, reply_address, reply_name, header_to,"
    " header_cc, encode, unsubscribe_mailto, unsubscribe_url, attachments, subject, text_part,"
    " html_part, text_from_html, open_tracking, headers, envelope, one_click, escaping,"
    " template, template_version)"
    " SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[],"
    " $6::bytea[], $7::bytea[], $8::bigint[], $9::text[], $10::text[], $11::bigint[], $12::text[],"
    " $13::text[], $14::text[], $15::bigint[], $16::bigint[], $17::bytea[],"
    " $18::bytea[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[])"};
const Sql ContentColumns::kInsertAttachments{
    "contents: attachments",
    "INSERT INTO attachments(id, delivery, file_name, mime_type, size, created, data, content_id,"
    " relayed) SELECT u.id, u.delivery, u.file_name, u.mime_type, u.size, " STORE_NOW
    ", u.data, u.content_id, CASE WHEN u.relayed = 0 THEN 0 ELSE (SELECT r.key FROM relayed r"
    " WHERE r.key = u.relayed AND r.delivery = u.delivery) END"
    " FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[],"
    " $6::bigint[], $7::bytea[], $8::text[], $9::bigint[])"
    " u(id, delivery, file_name, mime_type, size, data, content_id, relayed)"};
// What cannot be named is NULL to the insertion that follows, which a column refuses: all in one
// flight, and none has to be asked for before.
const Sql ContentColumns::kNameRelayed{
    "contents: name relayed",
    "UPDATE relayed r SET delivery = u.delivery"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) u(key, delivery, octets)"
    " WHERE r.key = u.key AND r.octets = u.octets AND r.delivery = 0 AND r.gone = 0"};

void ContentColumns::add_attachments(Delivery& delivery, std::span<const Attachment> attachments,
                                     std::int64_t first_id,
                                     const std::optional<RelayedData>& relayed) {
  if (relayed) {
    named_.add(relayed->key);
    namer_.add(delivery.key);
    named_octets_.add(relayed->octets);
  }
  for (const Attachment& attachment : attachments) {
    const std::int64_t id = first_id++;
    id_.add(id);
    owner_.add(delivery.key);
    file_name_.add(attachment.file_name);
    mime_type_.add(attachment.mime_type);
    const std::uint64_t size = relayed ? relayed->octets : attachment.data.size();
    size_.add(size);
    data_.add(Octets{attachment.data});
    content_id_.add(attachment.content_id);
    relayed_.add(relayed ? static_cast<std::int64_t>(relayed->key) : 0);
    delivery.attachments.push_back({id, attachment.file_name, attachment.mime_type,
                                    static_cast<std::int64_t>(size), delivery.created,
                                    attachment.content_id});
  }
}

void ContentColumns::add(Delivery& delivery, const NewDelivery& wanted,
                         std::int64_t first_attachment) {
  const Content& content = wanted.content;
  add_attachments(delivery, content.attachments, first_attachment, wanted.relayed_data);
  delivery_.add(delivery.key);
  from_.add(content.from.address);
  from_name_.add(content.from.name);
  if (content.reply_to) {
    reply_.add(content.reply_to->address);
    reply_name_.add(content.reply_to->name);
  } else {
    reply_.add_null();
    reply_name_.add_null();
  }
  to_.add(Octets{pack_list(content.header_to)});
  cc_.add(Octets{pack_list(content.header_cc)});
  encode_.add(content.encode);
  mailto_.add(content.list_unsubscribe_mailto);
  url_.add(content.list_unsubscribe_url);
  attachments_.add(content.attachments.size());
  subject_.add(content.subject);
  text_.add(content.text_part);
  html_.add(content.html_part);
  text_from_html_.add(content.text_from_html);
  open_tracking_.add(content.open_tracking);
  headers_.add(Octets{pack_headers(content.headers)});
  envelope_.add(Octets{pack_envelope(content.relayed)});
  one_click_.add(static_cast<std::int64_t>(content.list_unsubscribe_one_click));
  escape_.add(content.escape);
  const TemplatePin pin = content.from_template.value_or(TemplatePin{});
  template_.add(pin.id);
  template_version_.add(pin.version);
}

Params ContentColumns::contents() const {
  Params params;
  params << delivery_ << from_ << from_name_ << reply_ << reply_name_ << to_ << cc_ << encode_
         << mailto_ << url_ << attachments_ << subject_ << text_ << html_ << text_from_html_
         << open_tracking_ << headers_ << envelope_ << one_click_ << escape_ << template_
         << template_version_;
  return params;
}

Params ContentColumns::attachments(Told told) const {
  Params params;
  params << told << id_ << owner_ << file_name_ << mime_type_ << size_ << data_ << content_id_
         << relayed_;
  return params;
}

Params ContentColumns::relayed_names() const {
  Params params;
  params << named_ << namer_ << named_octets_;
  return params;
}

}  // namespace todoku::store::postgres
