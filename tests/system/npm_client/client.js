// SPDX-License-Identifier: Apache-2.0
// Uses the package as its readme does: a transaction with an attachment, a bulk with 3 recipients,
// one with 60 (which goes by CSV import), and the searches. Prints JSON for npm_client_test.py.
const { BlastEngine, Transaction, Bulk, Mail } = require("blastengine");

async function main() {
  const [loginId, apiKey, attachment] = process.argv.slice(2);
  new BlastEngine(loginId, apiKey);
  const result = {};

  const transaction = new Transaction();
  transaction
    .setFrom("shop@sender.example", "ショップ")
    .setSubject("ご注文の確認 __customer__ 様")
    .setText("__customer__ 様、ありがとうございます。")
    .setHtml("<p>__customer__ 様、<b>ありがとうございます。</b></p>")
    .setTo("buyer@one.example", { customer: "山田" })
    .addAttachment(attachment);
  await transaction.send();
  result.transaction = transaction.deliveryId;

  for (const count of [3, 60]) {
    const bulk = new Bulk();
    bulk
      .setFrom("news@sender.example", "お知らせ")
      .setSubject("お知らせ __customer__ 様")
      .setText("__customer__ 様へ");
    await bulk.register();
    for (let i = 0; i < count; i += 1) {
      bulk.addTo(`reader${count}-${i}@one.example`, { customer: `読者${i}` });
    }
    await bulk.update();
    await bulk.send();
    result[`bulk${count}`] = bulk.deliveryId;
  }

  await transaction.get();
  result.subject = transaction.subject;
  const found = await Mail.find({ "delivery_type": ["BULK"] });
  result.found = found.length;
  console.log(JSON.stringify(result));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
