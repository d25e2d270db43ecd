// dependencies = ["@contentful/node-apps-toolkit@3.16.1"]
// Judges requests of Contentful.
import { answer, need, text } from "./asked.mjs";

await answer({
  contentful: ["@contentful/node-apps-toolkit", () => {
    const { verifyRequest } = need("@contentful/node-apps-toolkit");
    return ({ method, path, headers, secrets }, body) =>
      secrets.some((secret) => verifyRequest(secret, { method, path, headers, body: text(body) }));
  }],
});
