// How lines reach the libraries for Node: each is read from standard input, judged at its own time, and answered with a line.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

export const modules = `${process.env.JUDGES_NPM}/node_modules`;
export const need = createRequire(`${modules}/`);
const Real = Date;
let now = 0;
globalThis.Date = class extends Real {
  constructor(...given) {
    super(...(given.length ? given : [now]));
  }
  static now() {
    return now;
  }
};
for (const level of ["debug", "log", "info", "warn", "error"]) console[level] = () => {};

export const text = (body) => body.toString();

/** As Node hands them to a library: one value a name. */
export function joined({ headers }) {
  const one = (lines) => [lines].flat().join(", ").replace(/^[ \t]+|[ \t]+$/g, "");
  return Object.fromEntries(Object.entries(headers).map(([name, lines]) => [name.toLowerCase(), one(lines)]));
}

/** The fields of a form. */
export function form(line, body) {
  const boundary = /boundary=(\S+)/.exec(joined(line)["content-type"] ?? "")?.[1];
  if (!boundary) return new URLSearchParams(text(body));
  const parts = text(body).split(`--${boundary}`).slice(1, -1);
  const field = (part) => [/name="([^"]*)"/.exec(part)[1], part.slice(part.indexOf("\r\n\r\n") + 4, -2)];
  return new Map(parts.map(field));
}

/** Judges every line that comes in. `libraries` has the library of a scheme, or of what a line `asks`, and makes its judge when it is
 *  first asked. */
export async function answer(libraries) {
  const made = {};
  for await (const said of createInterface({ input: process.stdin })) {
    const line = JSON.parse(said);
    now = line.now_unix * 1000;
    const asked = line.asks ?? line.scheme;
    const [library, make] = libraries[asked];
    let accepts = false;
    let why = "";
    made[asked] ??= await make();
    try {
      accepts = (await made[asked](line, Buffer.from(line.body_base64, "base64"))) === true;
    } catch (error) {
      why = String(error);
    }
    process.stdout.write(`${JSON.stringify({ library, accepts, why })}\n`);
  }
  process.exit(0);
}
