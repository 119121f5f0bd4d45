// SPDX-License-Identifier: Apache-2.0
// One mail on its way through an open session, client side: which commands go out in which flight
// and what each recipient's answer is. Pure; ClientSession feeds it.
//
//   server offers           flights ("/" waits for the answers so far)
//   PIPELINING, CHUNKING    MAIL RCPT.. BDAT content              one round trip
//     same, large content   MAIL RCPT.. / BDAT content            (1)
//     or such that waits
