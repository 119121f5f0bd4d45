// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/shipment.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "store/codec.h"

namespace todoku::store::sqlite {
namespace {

constexpr std::string_view kShipmentMagic = "TDKSHIP1";
constexpr std::size_t kCheckOctets = std::tuple_size_v<Sha256>;
constexpr std::size_t kChainOctetsMax = 64;

Sha256 digest_of_octets(std::string_view octets) {
  Sha256 digest{};
  std::ranges::copy_n(octets.begin(),
                      static_cast<std::ptrdiff_t>(std::min(octets.size(), digest.size())),
                      reinterpret_cast<char*>(digest.data()));
  return digest;
}

std::unexpected<Error> damaged_shipment() {
  return fail(ErrorKind::corrupt, "it is damaged, or was not shipped by todoku");
}

// What SQLite can have (its file format, section 1.3.2), or nothing.
bool is_page_size(std::uint64_t octets) {
  return octets == 0 || (octets >= 512 && octets <= 65'536 && std::has_single_bit(octets));
}

}  // namespace

std::string pack(Shipment shipment) {
  std::string head(kShipmentMagic);
  head.push_back(static_cast<char>(shipment.kind));
  put_text(head, shipment.chain);
  put_varint(head, shipment.number);
  put_varint(head, shipment.other);
  put_zigzag(head, to_epoch_ms(shipment.time));
  put_varint(head, shipment.page_octets);
  put_varint(head, shipment.file_pages);
  head.append(view_of(shipment.previous));
  put_varint(head, shipment.body.size());
  std::string out = std::move(shipment.body);
  out.insert(0, head);
  out.append(view_of(sha256(out)));
  return out;
}

Sha256 check_of(std::string_view packed) {
  return digest_of_octets(packed.substr(packed.size() - std::min(packed.size(), kCheckOctets)));
}

Result<Shipment> unpack_shipment(std::string_view octets) {
  if (octets.size() < kShipmentMagic.size() + kCheckOctets) return damaged_shipment();
  const std::string_view checked = octets.substr(0, octets.size() - kCheckOctets);
  if (!checked.starts_with(kShipmentMagic) || sha256(checked) != check_of(octets))
    return damaged_shipment();
  BlobReader in(checked.substr(kShipmentMagic.size()));
  Shipment shipment;
  const std::uint8_t kind = in.octet();
  shipment.kind = static_cast<ShipmentKind>(kind);
  shipment.chain = std::string(in.text());
  shipment.number = in.varint();
  shipment.other = in.varint();
  const std::int64_t time = in.zigzag();
  const std::uint64_t page_octets = in.varint();
  const std::uint64_t file_pages = in.varint();
  shipment.previous = digest_of_octets(in.octets(kCheckOctets));
  shipment.body = std::string(in.text());
  const bool sound = !in.failed() && in.at_end() && kind >= 1 && kind <= 4 &&
                     shipment.chain.size() <= kChainOctetsMax && is_page_size(page_octets) &&
                     file_pages <= std::numeric_limits<std::uint32_t>::max() && time >= 0 &&
                     time <= std::numeric_limits<std::int64_t>::max() / 1'000;
  if (!sound) return damaged_shipment();
  shipment.time = from_epoch_ms(time);
  shipment.page_octets = static_cast<std::uint32_t>(page_octets);
  shipment.file_pages = static_cast<std::uint32_t>(file_pages);
  return shipment;
}

void put_page(std::string& body, std::uint32_t number, std::string_view page) {
  put_varint(body, number);
  body.append(page);
}

Result<void> each_page(
    const Shipment& shipment,
    const std::function<Result<void>(std::uint32_t number, std::string_view page)>& each) {
  BlobReader in(shipment.body);
  if (!in.at_end() && shipment.page_octets == 0) return damaged_shipment();
  while (!in.at_end()) {
    const std::uint64_t number = in.varint();
    const std::string_view page = in.octets(shipment.page_octets);
    if (in.failed() || number == 0 || number > std::numeric_limits<std::uint32_t>::max()) {
      return damaged_shipment();
    }
    if (auto done = each(static_cast<std::uint32_t>(number), page); !done) return done;
  }
  return {};
}

}  // namespace todoku::store::sqlite
