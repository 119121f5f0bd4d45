// SPDX-License-Identifier: Apache-2.0
// Sends through each door with the package of its service, and tells what it answered.
// usage: client.js BASE TOKEN ACCESS_KEY_ID SECRET_ACCESS_KEY
"use strict";
const { Resend } = require("resend");
const postmark = require("postmark");
const sendgrid = require("@sendgrid/mail");
const { SESv2Client, SendEmailCommand, SendBulkEmailCommand } = require("@aws-sdk/client-sesv2");

const [base, token, accessKeyId, secretAccessKey] = process.argv.slice(2);
const FROM = "Shop <shop@sender.example>";
const FILE = Buffer.from("合計 1,000 円\n");

// What a call answered, or what its package says of the refusal.
async function told(call) {
  try {
    return { answer: await call() };
  } catch (error) {
    return { error: { name: error.name, code: error.code, status: error.statusCode,
                      message: error.message, body: error.response && error.response.body,
                      http: error.$metadata && error.$metadata.httpStatusCode } };
  }
}

async function throughResend() {
  const client = new Resend(token, { baseUrl: `${base}/doors/resend` });
  const mail = { from: FROM, to: ["Taro <taro@one.example>", "hanako@one.example"],
                 cc: "cc@one.example", bcc: ["bcc@one.example"], replyTo: "help@sender.example",
                 subject: "resend ご注文", text: "resend 本文", html: "<p>resend <b>HTML</b></p>",
                 headers: { "X-Door": "resend" }, tags: [{ name: "kind", value: "order" }],
                 attachments: [{ filename: "請求書.txt", content: FILE }] };
  const twice = { idempotencyKey: "order-7" };
  return { sent: await client.emails.send(mail, twice),
           again: await client.emails.send(mail, twice),
           other: await client.emails.send({ ...mail, subject: "other" }, twice),
           batch: await client.batch.send([
             { from: FROM, to: "a@one.example", subject: "resend batch a", text: "t" },
             { from: FROM, to: "b@one.example", subject: "resend batch b", text: "t" }]),
           strict: await client.batch.send([
             { from: FROM, to: "a@one.example", subject: "never", text: "t" },
             { from: FROM, to: "nobody", subject: "never", text: "t" }]),
           template: await client.emails.send({ from: FROM, to: "a@one.example",
                                                template: { id: "welcome" } }),
           stranger: await new Resend("re_wrong", { baseUrl: `${base}/doors/resend` })
             .emails.send(mail) };
}

async function throughPostmark() {
  const host = `${base.replace("http://", "")}/doors/postmark`;
  const options = { requestHost: host, useHttps: false };
  const client = new postmark.ServerClient(token, options);
  const mail = { From: FROM, To: "taro@one.example, hanako@one.example", Cc: "cc@one.example",
                 ReplyTo: "help@sender.example", Subject: "postmark ご注文", TextBody: "postmark 本文",
                 HtmlBody: "<p>postmark <b>HTML</b></p>", Tag: "order", TrackOpens: false,
                 TrackLinks: "None", MessageStream: "outbound", Metadata: { order: "7" },
                 Headers: [{ Name: "X-Door", Value: "postmark" }],
                 Attachments: [{ Name: "請求書.txt", Content: FILE.toString("base64"),
                                 ContentType: "text/plain", ContentID: null }] };
  return { sent: await told(() => client.sendEmail(mail)),
           batch: await told(() => client.sendEmailBatch([
             { From: FROM, To: "a@one.example", Subject: "postmark batch a", TextBody: "t" },
             { From: FROM, To: "nobody", Subject: "never", TextBody: "t" }])),
           stream: await told(() => client.sendEmail({ ...mail, MessageStream: "broadcast" })),
           links: await told(() => client.sendEmail({ ...mail, TrackLinks: "HtmlOnly" })),
           template: await told(() => client.sendEmailWithTemplate(
             { From: FROM, To: "a@one.example", TemplateAlias: "welcome", TemplateModel: {} })),
           stranger: await told(() => new postmark.ServerClient("wrong", options).sendEmail(mail)) };
}

async function throughSendgrid() {
  const warn = console.warn;
  console.warn = () => {};  // of a key that does not begin as SendGrid's do
  const use = (key) => {
    sendgrid.setApiKey(key);
    sendgrid.client.setDefaultRequest("baseUrl", `${base}/doors/sendgrid`);
  };
  use(token);
  console.warn = warn;
  const mail = { from: { email: "shop@sender.example", name: "Shop" }, subject: "sendgrid -name- 様",
                 text: "sendgrid 本文 -name-", html: "<p>sendgrid <b>-name-</b></p>",
                 replyTo: "help@sender.example", headers: { "X-Door": "sendgrid" },
                 categories: ["order"], customArgs: { order: "7" },
                 personalizations: [{ to: ["taro@one.example", "hanako@one.example"],
                                      cc: ["cc@one.example"], substitutions: { name: "山田" } },
                                    { to: ["a@one.example"], substitutions: { name: "鈴木" } }],
                 substitutionWrappers: ["-", "-"],
                 attachments: [{ content: FILE.toString("base64"), filename: "請求書.txt",
                                 type: "text/plain", disposition: "attachment" }],
                 trackingSettings: { clickTracking: { enable: false } } };
  const send = (more) => told(async () => {
    const [response] = await sendgrid.send({ ...mail, ...more });
    return { status: response.statusCode, id: response.headers["x-message-id"] };
  });
  const result = { sent: await send({}),
                   sandbox: await send({ subject: "never", mailSettings: { sandboxMode: { enable: true } } }),
                   template: await send({ templateId: "d-1" }),
                   clicks: await send({ trackingSettings: { clickTracking: { enable: true } } }) };
  console.warn = () => {};
  use("wrong");
  console.warn = warn;
  result.stranger = await send({});
  return result;
}

async function throughSes() {
  const client = (secret) => new SESv2Client({
    region: "ap-northeast-1", endpoint: `${base}/doors/ses`, maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey: secret } });
  const sound = client(secretAccessKey);
  const simple = { Simple: { Subject: { Data: "ses ご注文" },
                             Body: { Text: { Data: "ses 本文" }, Html: { Data: "<p>ses <b>HTML</b></p>" } },
                             Headers: [{ Name: "X-Door", Value: "ses" }],
                             Attachments: [{ RawContent: FILE, FileName: "請求書.txt",
                                             ContentType: "text/plain" }] } };
  const mail = { FromEmailAddress: FROM, Content: simple, ReplyToAddresses: ["help@sender.example"],
                 Destination: { ToAddresses: ["taro@one.example", "hanako@one.example"],
                                CcAddresses: ["cc@one.example"] },
                 EmailTags: [{ Name: "kind", Value: "order" }] };
  const send = (from, more) => told(() => from.send(new SendEmailCommand({ ...mail, ...more })));
  const altered = client(secretAccessKey);
  altered.middlewareStack.add((next) => (args) => {
    const body = Buffer.from(args.request.body).toString();
    args.request.body = Buffer.from(body.replace("ses ご注文", "ses ご注意"));
    return next(args);
  }, { step: "finalizeRequest", priority: "low", name: "alter" });
  return { sent: await send(sound, {}),
           bulk: await told(() => sound.send(new SendBulkEmailCommand({
             FromEmailAddress: FROM,
             DefaultContent: { Template: { TemplateData: '{"name":"you"}',
                                           TemplateContent: { Subject: "ses bulk {{name}}",
                                                              Text: "{{name}}" } } },
             BulkEmailEntries: [
               { Destination: { ToAddresses: ["a@one.example"] },
                 ReplacementEmailContent: { ReplacementTemplate: {
                   ReplacementTemplateData: '{"name":"山田"}' } } },
               { Destination: { ToAddresses: ["nobody"] } }] }))),
           raw: await told(() => sound.send(new SendEmailCommand({
             Content: { Raw: { Data: Buffer.from(
               `From: ${FROM}\nTo: taro@one.example\nBcc: bcc@one.example\n` +
               "Message-ID: <raw-7@sender.example>\nSubject: ses raw\n\nses raw\n") } } }))),
           set: await send(sound, { ConfigurationSetName: "mine" }),
           tenant: await send(sound, { TenantName: "t" }),
           altered: await send(altered, {}),
           stranger: await send(client("wrong"), {}) };
}

async function main() {
  const told = { resend: await throughResend(), postmark: await throughPostmark(),
                 sendgrid: await throughSendgrid(), ses: await throughSes() };
  process.stdout.write(JSON.stringify(told));
}

main();
