// dependencies = ["@contentful/node-apps-toolkit@3.16.1"]
// Judges requests of Contentful: one a line comes in, `true` or `false` goes out.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(`${process.env.JUDGES_NPM}/`);
const { verifyRequest } = require("@contentful/node-apps-toolkit");
for (const text of readFileSync(0, "utf8").split("\n")) {
  const { method, path, headers, body_base64, now_unix, secrets } = JSON.parse(text);
  Date.now = () => now_unix * 1000;
  let accepts = false;
  try {
    const body = Buffer.from(body_base64, "base64").toString();
    accepts = secrets.some((secret) => verifyRequest(secret, { method, path, headers, body }));
  } catch {
    accepts = false;
  }
  console.log(accepts);
}
