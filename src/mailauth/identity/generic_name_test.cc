// SPDX-License-Identifier: Apache-2.0
#include "mailauth/identity/generic_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::mailauth {
namespace {

using testing::HasSubstr;

const std::string kV4("\xC6\x33\x64\x07", 4);  // 198.51.100.7
const std::string kV6("\x20\x01\x0d\xb8\0\x01\0\x02\xab\xcd\0\x12\0\x34\x56\x78", 16);

TEST(GenericName, IsOneWithTheAddressInIt) {
  for (const char* name :
       {"198-51-100-7.example.jp", "198.51.100.7.example.ne.jp", "7.100.51.198.example.com",
        "ip198x51x100x7.example.net", "host-100-51-198.example.jp", "i198-051-100-007.example.jp",
        "p198051100007.example.jp", "x051100007.example.jp", "zaqc6336407.example.jp",
        "ec2-198-51-100-7.compute.example.com", "C6336407.example.jp", "51-100-7.example.co.jp"}) {
    EXPECT_EQ(generic_sign(name, kV4), "holds the address itself") << name;
  }
  for (const char* name :
       {"8.7.6.5.4.3.0.0.2.1.0.0.d.c.b.a.example.jp", "2001-db8-1-2-abcd-12-34-5678.example.jp",
        "20010db800010002abcd001200345678.example.jp", "host-12-34-5678.example.jp"}) {
    EXPECT_EQ(generic_sign(name, kV6), "holds the address itself") << name;
  }
}

TEST(GenericName, IsOneWithAWordOfLines) {
  for (const char* name : {"dhcp12.example.jp", "a.dyn.example.com", "pool-7.example.net",
                           "l123.ppp.example.or.jp", "x1.DSL.example.jp", "cpe-x.example.co.jp"}) {
    EXPECT_THAT(generic_sign(name, kV4).value_or(""), HasSubstr("as lines of customers do"))
        << name;
  }
}

TEST(GenericName, IsOneNumberedInAJapaneseAccessNetwork) {
  for (const char* name :
       {"softbank126000002004.bbtec.net", "p1234-ipbf01marunouchi.tokyo.ocn.ne.jp",
        "fl1-122-130-1-2.tky.mesh.ad.jp", "p4af3.tokynt01.ap.so-net.ne.jp",
        "sp1-75-1-2.msb.spmode.ne.jp", "kd106128001002.au-net.ne.jp", "pw126.21.panda-world.ne.jp",
        "zaq3d2e1234.zaq.ne.jp"}) {
    EXPECT_THAT(generic_sign(name, kV4).value_or(""), HasSubstr("is numbered below")) << name;
  }
}

TEST(GenericName, IsNoneThatAServerWasGiven) {
  for (const char* name :
       {"mx1.example.jp", "mail.example.co.jp", "out-17.mta3.example.com", "smtp100.example.jp",
        "mail.dynamic.jp", "pool.example", "example.jp", "localhost", "", ".", "..", "a..b",
        "mail.ocn.ne.jp", "m7.example.jp", "poolside.mail.example.jp", "mx-100-7.example.jp"}) {
    EXPECT_EQ(generic_sign(name, kV4), std::nullopt) << name;
    EXPECT_EQ(generic_sign(name, ""), std::nullopt) << name;
  }
  EXPECT_EQ(generic_sign("mx1.example.jp", kV6), std::nullopt);
  EXPECT_EQ(generic_sign("mx2001.db8.example.jp", kV6), std::nullopt);
}

}  // namespace
}  // namespace todoku::mailauth
