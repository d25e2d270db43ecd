// dependencies = ["@adyen/api-library@32.1.0", "@dropbox/sign@1.11.0", "@hubspot/api-client@13.5.0", "@sendgrid/eventwebhook@8.0.0", "@upstash/qstash@2.12.0", "@vonage/jwt@1.17.1", "cloudinary@2.11.0", "discord-interactions@4.4.0", "google-auth-library@10.9.1", "livekit-server-sdk@2.19.2", "mercadopago@3.6.1", "messagebird@4.0.1", "plivo@4.79.0", "telnyx@7.24.0"]
// Vendors' libraries for Node judge what those for Python have judged. Reads lines, and says of each `{"accepts": ..., "why": ...}`.
import { createHash, createSecretKey } from "node:crypto";
import { answer, joined, need, text, form } from "./asked.mjs";

const hex = (body) => createHash("sha256").update(body).digest("hex");
const header = (line, name) => joined(line)[name];
const any = (keys, judge) => keys.some(judge);
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());

/** Of each sender: the library's name, and what it says of a line. */
const LIBRARIES = {
  discord: ["discord-interactions", () => {
    const { verifyKey } = need("discord-interactions");
    return (line, body) =>
      verifyKey(body, header(line, "x-signature-ed25519"), header(line, "x-signature-timestamp"), line.public_keys[0]);
  }],
  telnyx: ["telnyx", () => {
    const { TelnyxWebhook } = need("telnyx/lib/webhooks");
    return async (line, body) => {
      for (const key of line.public_keys) {
        const said = await new TelnyxWebhook(key).verify(text(body), joined(line)).then(() => true, () => false);
        if (said) return true;
      }
      return false;
    };
  }],
  sendgrid: ["@sendgrid/eventwebhook", () => {
    const { EventWebhook } = need("@sendgrid/eventwebhook");
    const webhook = new EventWebhook();
    const pem = (key) => `-----BEGIN PUBLIC KEY-----\n${key}\n-----END PUBLIC KEY-----\n`;
    const said = (line, name) => header(line, `x-twilio-email-event-webhook-${name}`);
    return (line, body) =>
      any(line.public_keys, (key) =>
        webhook.verifySignature(webhook.convertPublicKeyToECDSA(pem(key)), body, said(line, "signature"), said(line, "timestamp")));
  }],
  adyen_payment: ["@adyen/api-library", () => {
    const { hmacValidator: Validator } = need("@adyen/api-library");
    const validator = new Validator();
    return (line, body) => {
      const items = JSON.parse(text(body)).notificationItems.map((item) => item.NotificationRequestItem);
      return items.length > 0 && items.every((item) => any(line.secrets, (key) => validator.validateHMAC(item, key)));
    };
  }],
  adyen_banking_header: ["@adyen/api-library", () => {
    const { hmacValidator: Validator } = need("@adyen/api-library");
    const validator = new Validator();
    return (line, body) =>
      any(line.secrets, (key) => validator.validateHMACSignature(key, header(line, "hmacsignature"), text(body)));
  }],
  dropbox_sign: ["@dropbox/sign", () => {
    const { EventCallbackHelper, EventCallbackRequest } = need("@dropbox/sign");
    return (line, body) => {
      const json = form(line, body).get("json");
      return EventCallbackHelper.isValid(line.secrets[0], EventCallbackRequest.init(JSON.parse(json)));
    };
  }],
  mercadopago: ["mercadopago", () => {
    const { WebhookSignatureValidator } = need("mercadopago");
    return (line) => {
      WebhookSignatureValidator.validate({
        xSignature: header(line, "x-signature"),
        xRequestId: header(line, "x-request-id"),
        dataId: new URL(line.url).searchParams.get("data.id"),
        secret: line.secrets[0],
        toleranceSeconds: line.tolerance_s ?? undefined,
        now: () => line.now_unix * 1000,
      });
      return true;
    };
  }],
  livekit: ["livekit-server-sdk", () => {
    const { WebhookReceiver } = need("livekit-server-sdk");
    return async (line, body) => {
      const receiver = new WebhookReceiver(line.config.api_key, line.secrets[0]);
      try {
        await receiver.receive(text(body), header(line, "authorization"));
      } catch (error) {
        // What comes behind the signature is whether it knows the event.
        if (!(error instanceof SyntaxError) && !/cannot decode message/.test(String(error))) throw error;
      }
      return true;
    };
  }],
  qstash: ["@upstash/qstash", () => {
    const { Receiver } = need("@upstash/qstash");
    return (line, body) =>
      new Receiver({ currentSigningKey: line.secrets[0], nextSigningKey: line.config.next_key })
        .verify({ signature: header(line, "upstash-signature"), body: text(body), url: line.url });
  }],
  messagebird: ["messagebird", () => {
    const { verify } = need("messagebird/lib/webhook-signature-jwt");
    return (line, body) =>
      verify(line.url, body, header(line, "messagebird-signature-jwt"), createSecretKey(Buffer.from(line.secrets[0])));
  }],
  vonage: ["@vonage/jwt", () => {
    const { verifySignature } = need("@vonage/jwt");
    // The comparison is what the documentation asks for beside it.
    return (line, body) => {
      const token = header(line, "authorization").replace(/^Bearer /, "");
      return verifySignature(token, line.secrets[0]) && claims(token).payload_hash === hex(body);
    };
  }],
  google_pubsub: ["google-auth-library", () => {
    const { OAuth2Client } = need("google-auth-library");
    const client = new OAuth2Client();
    return async (line) => {
      const keys = Object.fromEntries(line.public_keys.map(JSON.parse).map(({ kid, x509 }) => [kid, x509]));
      const token = header(line, "authorization").replace(/^Bearer /, "");
      const issuers = ["accounts.google.com", "https://accounts.google.com"];
      const ticket = await client.verifySignedJwtWithCertsAsync(token, keys, line.config.audience, issuers);
      return ticket.getPayload().email_verified === true;
    };
  }],
  plivo_v2: ["plivo", () => {
    const { validateSignature } = need("plivo");
    const said = (line, name) => header(line, `x-plivo-signature-v2${name}`);
    return (line) => any(line.secrets, (key) => validateSignature(line.url, said(line, "-nonce"), said(line, ""), key));
  }],
  plivo_v3: ["plivo", () => {
    const { validateV3Signature } = need("plivo");
    const said = (line, name) => header(line, `x-plivo-signature-v3${name}`);
    return (line, body) => {
      const fields = {};
      for (const [name, value] of form(line, body)) (fields[name] ??= []).push(value);
      return any(line.secrets, (key) =>
        validateV3Signature(line.method, line.url, said(line, "-nonce"), key, said(line, ""), structuredClone(fields)));
    };
  }],
  cloudinary_sha1: ["cloudinary", () => cloudinary("sha1")],
  cloudinary_sha256: ["cloudinary", () => cloudinary("sha256")],
  hubspot_v1: ["@hubspot/api-client", () => hubspot("v1", "x-hubspot-signature")],
  hubspot_v2: ["@hubspot/api-client", () => hubspot("v2", "x-hubspot-signature")],
  hubspot_v3: ["@hubspot/api-client", () => hubspot("v3", "x-hubspot-signature-v3")],
};

function cloudinary(algorithm) {
  const { v2 } = need("cloudinary");
  return (line, body) => {
    v2.config({ cloud_name: "test", api_key: "k", api_secret: line.secrets[0], signature_algorithm: algorithm });
    return v2.utils.verifyNotificationSignature(
      text(body), Number(header(line, "x-cld-timestamp")), header(line, "x-cld-signature"), 7200);
  };
}

function hubspot(signatureVersion, name) {
  const { Signature } = need("@hubspot/api-client");
  return (line, body) => {
    const asked = {
      signature: header(line, name), signatureVersion, method: line.method, requestBody: text(body), url: line.url,
      timestamp: header(line, "x-hubspot-request-timestamp"),
    };
    return any(line.secrets, (clientSecret) => Signature.isValid({ ...asked, clientSecret }));
  };
}

await answer(LIBRARIES);
