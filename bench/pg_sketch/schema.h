// SPDX-License-Identifier: Apache-2.0
// Tables in plain SQL: no extension, no sequence, no foreign key, no trigger, every number a
// bigint.
#pragma once

namespace todoku::pg_sketch {

// accounts.next_*        of what is given out in blocks (ids.h).
// batches.number         64 bits, out of one line for deliveries and batches: the key of a batch is
//                        the difference to its delivery's.
// recipients             keyed as the engine walks them; never changed once written.
// batches.alone, begun   of a suspect: the seq that is leased, and that its holder has begun it.
// progress               a recipient's state from its first outcome on.
// node_leases            apart from nodes: whoever hands work to a node locks its row in nodes
//                        against being made void, and that must not hold up its renewal.
// Indices: all that accepting and sending must keep up to date, whoever needs them; look-up by
// address, which is indexed later, is not there.
inline constexpr const char* kSchema = R"sql(
CREATE TABLE accounts(key bigint PRIMARY KEY, name text NOT NULL UNIQUE,
  next_delivery_id bigint NOT NULL, next_email_id bigint NOT NULL);
CREATE TABLE numbers(line bigint PRIMARY KEY, next bigint NOT NULL);
CREATE TABLE nodes(key bigint PRIMARY KEY, name text NOT NULL, void bigint NOT NULL);
CREATE TABLE node_leases(node bigint PRIMARY KEY, until bigint NOT NULL);
CREATE TABLE deliveries(
  key bigint PRIMARY KEY, account bigint NOT NULL, id bigint NOT NULL, type bigint NOT NULL,
  traffic bigint NOT NULL, status bigint NOT NULL, deleted bigint NOT NULL,
  at_most_once bigint NOT NULL, created bigint NOT NULL, updated bigint NOT NULL,
  started bigint, expires bigint, finished bigint, total bigint NOT NULL,
  delivered bigint NOT NULL, bounced bigint NOT NULL, dropped bigint NOT NULL,
  expired bigint NOT NULL, cancelled bigint NOT NULL, unknown bigint NOT NULL,
  deferred bigint NOT NULL, signing text NOT NULL) WITH (fillfactor = 70);
CREATE UNIQUE INDEX deliveries_public ON deliveries(account, id);
CREATE INDEX deliveries_newest ON deliveries(account, created) WHERE deleted = 0;
CREATE INDEX deliveries_started ON deliveries(account, coalesce(started, 0)) WHERE deleted = 0;
CREATE TABLE contents(
  delivery bigint PRIMARY KEY, from_address text NOT NULL, from_name text NOT NULL,
  headers bytea NOT NULL, encode bigint NOT NULL, unsubscribe_mailto text NOT NULL,
  unsubscribe_url text NOT NULL, subject text NOT NULL, text_part text NOT NULL,
  html_part text NOT NULL);
CREATE TABLE sections(id bigint PRIMARY KEY, delivery bigint NOT NULL, state bigint NOT NULL);
CREATE INDEX sections_delivery ON sections(delivery, state);
CREATE TABLE batches(
  number bigint PRIMARY KEY, delivery bigint NOT NULL, account bigint NOT NULL, section bigint,
  traffic bigint NOT NULL, domain text NOT NULL COLLATE "C", first_email_id bigint NOT NULL,
  size bigint NOT NULL, removed bigint NOT NULL, open bigint NOT NULL, created bigint NOT NULL,
  ready_at bigint, token bigint NOT NULL, holder bigint NOT NULL, losses bigint NOT NULL,
  alone bigint, begun bigint NOT NULL DEFAULT 0) WITH (fillfactor = 70);
CREATE INDEX batches_email ON batches(account, first_email_id);
CREATE INDEX batches_held ON batches(holder) WHERE holder <> 0;
CREATE INDEX batches_few ON batches(ready_at) WHERE traffic = 0 AND ready_at IS NOT NULL;
CREATE INDEX batches_urgent ON batches(domain, ready_at, number)
  WHERE traffic = 0 AND ready_at IS NOT NULL;
CREATE INDEX batches_section ON batches(section, domain, ready_at, number)
  WHERE section IS NOT NULL AND ready_at IS NOT NULL;
CREATE INDEX batches_waiting ON batches(section, ready_at)
  WHERE section IS NOT NULL AND ready_at IS NOT NULL;
CREATE TABLE recipients(
  batch bigint NOT NULL, seq bigint NOT NULL, address text NOT NULL, codes bytea,
  PRIMARY KEY(batch, seq));
CREATE TABLE progress(
  batch bigint NOT NULL, seq bigint NOT NULL, state bigint NOT NULL, attempts bigint NOT NULL,
  due bigint, history bytea NOT NULL, PRIMARY KEY(batch, seq)) WITH (fillfactor = 80);
CREATE TABLE suspects(
  batch bigint NOT NULL, seq bigint NOT NULL, deaths bigint NOT NULL, aside bigint,
  PRIMARY KEY(batch, seq));
CREATE TABLE import_jobs(
  account bigint NOT NULL, id bigint NOT NULL, delivery bigint NOT NULL, section bigint NOT NULL,
  status bigint NOT NULL, node bigint NOT NULL, staged bigint NOT NULL, percentage bigint NOT NULL,
  PRIMARY KEY(account, id));
INSERT INTO numbers VALUES(0, 1);
)sql";

// The store's clock: when the transaction began.
#define PG_SKETCH_NOW "(extract(epoch FROM now()) * 1000)::bigint"

}  // namespace todoku::pg_sketch
