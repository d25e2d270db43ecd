// dependencies = ["braintree@3.40.0", "grammy@1.46.0", "telegraf@4.16.3", "twilio@6.3.1"]
// The libraries for Node beside those of panels.py.
import { answer, form, joined, need, text } from "./asked.mjs";

const TOKEN = "x-telegram-bot-api-secret-token";
const any = async (keys, judge) => {
  for (const key of keys) if (await judge(key)) return true;
  return false;
};

/** As Express hands a form to a library. */
function fields(line, body) {
  const found = {};
  for (const [name, value] of form(line, body)) found[name] = name in found ? [found[name], value].flat() : value;
  return found;
}

await answer({
  twilio: ["twilio", () => {
    const twilio = need("twilio");
    return (line, body) =>
      any(line.secrets, (key) => {
        const head = joined(line);
        const request = { header: (name) => head[name.toLowerCase()], rawBody: text(body), body: fields(line, body), headers: head };
        const algorithm = twilio.getSignatureAlgorithm(head["x-twilio-webhooks-signature-settings"]);
        return twilio.validateIncomingRequest(request, key, { url: line.url, algorithm });
      });
  }],
  braintree: ["braintree", () => {
    const braintree = need("braintree");
    return (line, body) =>
      any(line.secrets, async (privateKey) => {
        const made = { environment: braintree.Environment.Sandbox, merchantId: "m", publicKey: line.config.public_key, privateKey };
        const { bt_signature: signature, bt_payload: payload } = fields(line, body);
        const told = new braintree.BraintreeGateway(made).webhookNotification.parse(signature, payload);
        return told.then(() => true, () => false);
      });
  }],
  grammy: ["grammy", () => {
    const { Bot, webhookCallback } = need("grammy");
    const botInfo = { id: 1, is_bot: true, first_name: "b", username: "b" };
    return (line) =>
      any(line.secrets, async (secretToken) => {
        let refused = false;
        const hear = webhookCallback(new Bot("1:a", { botInfo }), "callback", { secretToken });
        await hear({ update_id: 1 }, () => {}, joined(line)[TOKEN], () => (refused = true));
        return !refused;
      });
  }],
  telegraf: ["telegraf", () => {
    const { Telegraf } = need("telegraf");
    const { webhookFilter } = new Telegraf("1:a");
    const request = (line) => ({ method: line.method, url: "/in", headers: joined(line) });
    return (line) => any(line.secrets, (secretToken) => webhookFilter.call({ path: "/in", secretToken }, request(line)));
  }],
});
