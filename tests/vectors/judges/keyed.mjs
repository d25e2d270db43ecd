// dependencies = ["@line/bot-sdk@11.0.0", "@clerk/backend@3.25.0", "@hygraph/utils@1.2.1", "@kontent-ai/webhook-helper@3.0.3", "@linear/sdk@98.0.0", "@mux/mux-node@15.3.0", "@notionhq/client@5.26.0", "@octokit/webhooks-methods@6.0.0", "@onfido/api@6.2.0", "@paddle/paddle-node-sdk@3.10.0", "@polar-sh/sdk@0.49.0", "@sanity/webhook@4.0.4", "@shopify/shopify-api@13.1.0", "@slack/bolt@5.1.0", "@elevenlabs/elevenlabs-js@2.73.0", "@tryfinch/finch-api@10.7.0", "@workos-inc/node@11.0.0", "@zoom/rivet@0.4.0", "coinbase-commerce-node@1.0.4", "gocardless-nodejs@10.1.2", "inngest@4.24.0", "lithic@0.145.0", "modern-treasury@3.3.0", "openai@6.49.0", "pusher@5.3.4", "razorpay@2.9.8", "replicate@1.4.0", "resend@6.38.0", "retell-sdk@5.66.1", "smartcar@10.4.0", "square@46.0.0", "standardwebhooks@1.1.1", "stream-chat@9.53.0", "stripe@23.1.0", "svix@1.99.1", "webflow-api@3.3.4"]
// Vendors' libraries for Node: each takes headers, body, a secret and the URL.
import { answer, modules, need as require } from "./asked.mjs";

const byPath = (path) => import(`${modules}/${path}`);
const options = { apiKey: "k", webhookSecret: null };

const LIBRARIES = {
  "@octokit/webhooks-methods": async () => {
    const { verify } = await byPath("@octokit/webhooks-methods/dist-src/index.js");
    return (h, b, s) => verify(s, b.toString(), h["x-hub-signature-256"]);
  },
  "@shopify/shopify-api": async () => {
    require("@shopify/shopify-api/adapters/node");
    const { shopifyApi, ApiVersion } = require("@shopify/shopify-api");
    const logger = { level: 0, log: () => {} };
    return async (h, b, s) => {
      const given = { apiKey: "k", apiSecretKey: s, apiVersion: Object.values(ApiVersion)[0], hostName: "h", isEmbeddedApp: true, logger };
      const rawRequest = { method: "POST", url: "/in", headers: h };
      return (await shopifyApi(given).webhooks.validate({ rawBody: b.toString(), rawRequest })).valid;
    };
  },
  "@line/bot-sdk": async () => {
    const { validateSignature } = require("@line/bot-sdk");
    return (h, b, s) => validateSignature(b, s, h["x-line-signature"]);
  },
  "gocardless-nodejs": async () => {
    const { verifySignature } = require("gocardless-nodejs/webhooks");
    return (h, b, s) => verifySignature(b, s, h["webhook-signature"]) ?? true;
  },
  "coinbase-commerce-node": async () => {
    const { Webhook } = require("coinbase-commerce-node");
    return (h, b, s) => Webhook.verifySigHeader(b.toString(), h["x-cc-webhook-signature"], s);
  },
  razorpay: async () => {
    const { validateWebhookSignature } = require("razorpay");
    return (h, b, s) => validateWebhookSignature(b.toString(), h["x-razorpay-signature"], s);
  },
  "modern-treasury": async () => {
    const { ModernTreasury } = require("modern-treasury");
    const client = new ModernTreasury({ ...options, organizationID: "o" });
    return (h, b, s) => client.webhooks.validateSignature(b.toString(), h, { key: s });
  },
  "@onfido/api": async () => {
    const { WebhookEventVerifier } = require("@onfido/api");
    return (h, b, s) => Boolean(new WebhookEventVerifier(s).readPayload(b, h["x-sha2-signature"]));
  },
  "@notionhq/client": async () => {
    const { verifyWebhookSignature } = require("@notionhq/client");
    return (h, b, s) => verifyWebhookSignature({ body: b, signature: h["x-notion-signature"], verificationToken: s });
  },
  "stream-chat": async () => {
    const { verifySignature } = require("stream-chat");
    return (h, b, s) => verifySignature(b, h["x-signature"], s);
  },
  smartcar: async () => {
    const smartcar = require("smartcar");
    return (h, b, s) => smartcar.verifyPayload(s, h["sc-signature"], JSON.parse(b.toString()));
  },
  square: async () => {
    const { WebhooksHelper } = require("square");
    return (h, b, s, u) =>
      WebhooksHelper.verifySignature({
        requestBody: b.toString(), signatureHeader: h["x-square-hmacsha256-signature"], signatureKey: s, notificationUrl: u,
      });
  },
  stripe: async () => {
    const made = require("stripe");
    const stripe = new (made.Stripe ?? made)("sk_test");
    return (h, b, s) => stripe.webhooks.signature.verifyHeader(b, h["stripe-signature"], s, 300);
  },
  "@mux/mux-node": async () => {
    const { Mux } = require("@mux/mux-node");
    const mux = new Mux({ tokenId: "t", tokenSecret: "s", webhookSecret: "w" });
    return async (h, b, s) => (await mux.webhooks.verifySignature(b.toString(), h, s)) ?? true;
  },
  "@elevenlabs/elevenlabs-js": async () => {
    const { ElevenLabsClient } = require("@elevenlabs/elevenlabs-js");
    const client = new ElevenLabsClient({ apiKey: "k" });
    return async (h, b, s) => Boolean(await client.webhooks.constructEvent(b.toString(), h["elevenlabs-signature"], s));
  },
  "@sanity/webhook": async () => {
    const { isValidSignature } = require("@sanity/webhook");
    return (h, b, s) => isValidSignature(b.toString(), h["sanity-webhook-signature"], s);
  },
  "retell-sdk": async () => {
    const { verify } = require("retell-sdk/lib/webhook_auth");
    return (h, b, s) => verify(b.toString(), s, h["x-retell-signature"]);
  },
  "@paddle/paddle-node-sdk": async () => {
    const { Paddle } = require("@paddle/paddle-node-sdk");
    const paddle = new Paddle("k", { logLevel: "none" });
    return (h, b, s) => paddle.webhooks.isSignatureValid(b.toString(), s, h["paddle-signature"]);
  },
  "@slack/bolt": async () => {
    const { verifySlackRequest } = require(`${modules}/@slack/bolt/dist/receivers/verify-request.js`);
    const head = (h) => ({ ...h, "x-slack-request-timestamp": Number(h["x-slack-request-timestamp"]) });
    return (h, b, s) => verifySlackRequest({ signingSecret: s, body: b.toString(), headers: head(h) }) ?? true;
  },
  "webflow-api": async () => {
    const { WebflowClient } = require("webflow-api");
    const client = new WebflowClient({ accessToken: "k" });
    return (h, b, s) => client.webhooks.verifySignature({ headers: h, body: b.toString(), secret: s });
  },
  standardwebhooks: async () => {
    const { Webhook } = require("standardwebhooks");
    return (h, b, s) => verifies(new Webhook(s), b, h);
  },
  svix: async () => {
    const { Webhook } = require("svix");
    return (h, b, s) => verifies(new Webhook(s), b, h);
  },
  "@clerk/backend": async () => {
    const { verifyWebhook } = require("@clerk/backend/webhooks");
    return (h, b, s) => answers(verifyWebhook(new Request("https://x", { method: "POST", headers: h, body: b }), { signingSecret: s }));
  },
  resend: async () => {
    const { Resend } = require("resend");
    const resend = new Resend("k");
    const named = (h) => ({ id: h["svix-id"], timestamp: h["svix-timestamp"], signature: h["svix-signature"] });
    return (h, b, s) => verifies({ verify: () => resend.webhooks.verify({ payload: b.toString(), headers: named(h), webhookSecret: s }) });
  },
  "@workos-inc/node": async () => {
    const { WorkOS } = require("@workos-inc/node");
    const { webhooks } = new WorkOS("k");
    return (h, b, s) => webhooks.verifyHeader({ payload: b.toString(), sigHeader: h["workos-signature"], secret: s });
  },
  "@kontent-ai/webhook-helper": async () => {
    const { signatureHelper } = require("@kontent-ai/webhook-helper");
    return (h, b, s) => signatureHelper.isValidSignatureFromString(b.toString(), s, h["x-kontent-ai-signature"]);
  },
  "@linear/sdk": async () => {
    const { LinearWebhookClient } = await byPath("@linear/sdk/dist/webhooks/index.mjs");
    return (h, b, s) => new LinearWebhookClient(s).verify(b, h["linear-signature"]);
  },
  pusher: async () => {
    const Pusher = require("pusher");
    return (h, b, s) => new Pusher({ appId: "1", key: "appkey1", secret: s }).webhook({ headers: h, rawBody: b.toString() }).isValid();
  },
  "@hygraph/utils": async () => {
    const { verifyWebhookSignature } = require("@hygraph/utils");
    return (h, b, s) => verifyWebhookSignature({ rawPayload: b.toString(), signature: h["gcms-signature"], secret: s });
  },
  inngest: async () => {
    const { InngestCommHandler } = require("inngest");
    const { Inngest } = require("inngest");
    return async (h, b, s) => {
      const client = new Inngest({ id: "i", isDev: false, signingKey: s, logger: { debug() {}, info() {}, warn() {}, error() {} } });
      const handler = new InngestCommHandler({ frameworkName: "f", client, functions: [], handler: () => ({}) });
      return (await handler.validateSignature(h["x-inngest-signature"], b.toString())).success;
    };
  },
  "@zoom/rivet": async () => {
    const { AwsLambdaReceiver } = require("@zoom/rivet/meetings");
    return async (h, b, s) => {
      const receiver = new AwsLambdaReceiver({ webhooksSecretToken: s });
      receiver.init({ eventEmitter: { emit: async () => {} } });
      const told = await receiver.start()({ body: b.toString(), headers: h, isBase64Encoded: false }, {});
      return told.statusCode === 200;
    };
  },
  openai: async () => {
    const { OpenAI } = require("openai");
    const client = new OpenAI(options);
    return async (h, b, s) => (await client.webhooks.verifySignature(b.toString(), h, s)) ?? true;
  },
  lithic: async () => {
    const { Lithic } = require("lithic");
    const client = new Lithic(options);
    return (h, b, s) => client.webhooks.verifySignature(b.toString(), h, s) ?? true;
  },
  replicate: async () => {
    const { validateWebhook } = require("replicate");
    return (h, b, s) => validateWebhook({ headers: h, body: b.toString() }, s);
  },
  "@polar-sh/sdk": async () => {
    const { validateEvent } = require("@polar-sh/sdk/webhooks");
    return (h, b, s) => {
      try {
        validateEvent(b, h, s);
      } catch (error) {
        // What comes behind the signature is whether it knows the event.
        if (error.name === "SDKValidationError") return true;
        throw error;
      }
      return true;
    };
  },
  "@tryfinch/finch-api": async () => {
    const { Finch } = require("@tryfinch/finch-api");
    const client = new Finch({ accessToken: "k" });
    return (h, b, s) => client.webhooks.verifySignature(b.toString(), h, s) ?? true;
  },
};

function verifies(webhook, body, headers) {
  try {
    webhook.verify(body, headers);
  } catch (error) {
    // What comes behind the signature is JSON.
    if (error instanceof SyntaxError) return true;
    throw error;
  }
  return true;
}

async function answers(promised) {
  return Boolean(await promised);
}

function asked(library, make) {
  const made = async () => {
    const judge = await make();
    return ({ headers, secret, url }, body) => judge(headers, body, secret, url);
  };
  return [library, [library, made]];
}

await answer(Object.fromEntries(Object.entries(LIBRARIES).map(([library, make]) => asked(library, make))));
