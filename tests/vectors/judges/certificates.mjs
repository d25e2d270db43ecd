// dependencies = ["sns-validator@0.3.5"]
// Judges bodies of Amazon SNS: one in base64 a line comes in, `true` or `false` goes out. Certificates come from the second argument.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { EventEmitter } from "node:events";

const require = createRequire(`${process.env.JUDGES_NPM}/`);
const known = JSON.parse(readFileSync(process.argv[2], "utf8"));
// What a fetch would bring, without a network.
require("https").get = (url, answered) => {
  const response = new EventEmitter();
  response.statusCode = url in known ? 200 : 404;
  answered(response);
  if (url in known) {
    response.emit("data", known[url]);
    response.emit("end");
  }
  return new EventEmitter();
};
const Validator = require("sns-validator");
for (const line of readFileSync(0, "utf8").split("\n").filter((line) => line !== "-")) {
  const body = Buffer.from(line, "base64").toString();
  let accepts = false;
  try {
    await new Promise((done) => new Validator().validate(body, (error) => done((accepts = !error))));
  } catch {
    accepts = false;
  }
  console.log(accepts);
}
