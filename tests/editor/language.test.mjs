// What an editor says of a policy, asked of the YAML language server that editors ask (yaml-language-server, as VS Code,
// Neovim, Helix and Zed run it), over its own protocol. `tests/editor/run` installs it and runs this.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const POLICIES = fileURLToPath(new URL("../../policies/", import.meta.url));

/** The Language Server Protocol as far as these tests need it: requests, notifications, diagnostics. */
class Editor {
    #server = spawn(process.execPath, [resolve(process.env.SERVER), "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
    #unread = Buffer.alloc(0);
    #waiting = new Map();
    #diagnosed = new Map();
    #last = 0;

    constructor() {
        this.#server.stdout.on("data", (bytes) => {
            this.#unread = Buffer.concat([this.#unread, bytes]);
            while (this.#readOne());
        });
    }

    #readOne() {
        const end = this.#unread.indexOf("\r\n\r\n");
        if (end < 0) return false;
        const length = Number(/content-length: (\d+)/i.exec(this.#unread.toString("latin1", 0, end))[1]);
        const body = this.#unread.subarray(end + 4, end + 4 + length);
        if (body.length < length) return false;
        this.#unread = this.#unread.subarray(end + 4 + length);
        this.#receive(JSON.parse(body.toString()));
        return true;
    }

    #receive(message) {
        if (message.method === "textDocument/publishDiagnostics") {
            this.#diagnosed.get(message.params.uri)?.(message.params.diagnostics);
        } else if (message.method && message.id !== undefined) {
            // The server asks for settings and for leave to register; an editor may have none.
            this.#send({ id: message.id, result: message.method === "workspace/configuration" ? [{}, {}, {}, {}, {}] : null });
        } else if (this.#waiting.has(message.id)) {
            const { done, failed } = this.#waiting.get(message.id);
            this.#waiting.delete(message.id);
            message.error ? failed(new Error(message.error.message)) : done(message.result);
        }
    }

    #send(message) {
        const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
        this.#server.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
        this.#server.stdin.write(body);
    }

    ask(method, params) {
        const id = ++this.#last;
        this.#send({ id, method, params });
        return new Promise((done, failed) => this.#waiting.set(id, { done, failed }));
    }

    tell(method, params) {
        this.#send({ method, params });
    }

    async start() {
        await this.ask("initialize", {
            processId: process.pid,
            rootUri: pathToFileURL(POLICIES).href,
            capabilities: { textDocument: { hover: { contentFormat: ["markdown"] }, publishDiagnostics: {} } },
            initializationOptions: {},
        });
        this.tell("initialized", {});
        // The schema store is the network's; the file's first line names the schema.
        this.tell("workspace/didChangeConfiguration", {
            settings: { yaml: { schemaStore: { enable: false }, validate: true, hover: true, completion: true } },
        });
    }

    /** Opens a text as if it were this file of the policy, and waits for what the server finds wrong with it. */
    async open(name, text) {
        const uri = pathToFileURL(join(POLICIES, name)).href;
        const diagnostics = new Promise((done) => this.#diagnosed.set(uri, done));
        this.tell("textDocument/didOpen", { textDocument: { uri, languageId: "yaml", version: 1, text } });
        return { uri, diagnostics: await diagnostics };
    }

    async stop() {
        await this.ask("shutdown");
        this.tell("exit");
        await new Promise((done) => this.#server.on("exit", done));
    }
}

const editor = new Editor();
before(() => editor.start());
after(() => editor.stop());

const read = (name) => readFileSync(join(POLICIES, name), "utf8");

/** Where these words stand in a text, as the protocol counts: from 0. */
function place(text, words) {
    const at = text.indexOf(words);
    assert.ok(at >= 0, `no \`${words}\` in the text`);
    const above = text.slice(0, at).split("\n");
    return { line: above.length - 1, character: above.at(-1).length };
}

const EXAMPLES = ["gate.yaml"].concat(
    ...["routes", "env"].map((folder) =>
        readdirSync(join(POLICIES, folder))
            .filter((name) => name.endsWith(".yaml"))
            .map((name) => `${folder}/${name}`),
    ),
);

test("the example files are in order, and name their schema", async () => {
    assert.ok(EXAMPLES.length >= 11, `reads the wrong folder: ${EXAMPLES}`);
    for (const name of EXAMPLES) {
        const text = read(name);
        const depth = name.includes("/") ? "../" : "";
        assert.match(text, new RegExp(`^# yaml-language-server: \\$schema=${depth}language/\\w+\\.schema\\.json\n`), name);
        const { diagnostics } = await editor.open(name, text);
        assert.deepEqual(diagnostics, [], name);
    }
});

test("every sender of the catalogue is in order, and a slip in one is marked", async () => {
    const schema = "# yaml-language-server: $schema=../language/providers.schema.json\n";
    const names = readdirSync(join(POLICIES, "providers")).filter((name) => name.endsWith(".yaml"));
    assert.ok(names.length > 100, `reads the wrong folder: ${names}`);
    for (const name of names) {
        const { diagnostics } = await editor.open(`providers/${name}`, schema + read(`providers/${name}`));
        assert.deepEqual(diagnostics, [], name);
    }
    const text = schema + read("providers/zoom.yaml").replace("hmac_hex:", "hmac_hx:");
    const { diagnostics } = await editor.open("providers/slip.yaml", text);
    assert.deepEqual(diagnostics.map(({ range }) => range.start), [place(text, "hmac_hx:")]);
});

test("a misspelt key is marked where it stands", async () => {
    const marked = {
        "gate.yaml": ["per_address:", "per_adress:"],
        "routes/payments.yaml": ["provider: stripe, keys: stripe-checkout", "provider: stripe, key: stripe-checkout"],
        "env/prod.yaml": ["concurrency: 8", "concurency: 8"],
        "routes/web.test.yaml": ["decision: repeat", "decison: repeat"],
    };
    for (const [name, [right, wrong]] of Object.entries(marked)) {
        const text = read(name).replace(right, wrong);
        const { diagnostics } = await editor.open(name.replace(".yaml", ".misspelt.yaml"), text);
        const word = wrong.split(":").at(-2).split(" ").at(-1);
        const expected = place(text, word);
        const found = diagnostics.find(({ message }) => new RegExp(`\\b${word}\\b`).test(message));
        assert.ok(found, `${name}: nothing is said of \`${word}\`: ${JSON.stringify(diagnostics)}`);
        assert.deepEqual(found.range.start, expected, name);
    }
});

test("a value that cannot be read, and a key of another file, are marked", async () => {
    const text = read("gate.yaml").replace("body: 4MiB", "body: 4mb");
    const { diagnostics } = await editor.open("gate.value.yaml", text);
    assert.deepEqual(diagnostics.map(({ range }) => range.start), [place(text, "4mb")]);

    const routes = `${read("routes/web.yaml")}\nfloor: {}\n`;
    const elsewhere = await editor.open("routes/floor.yaml", routes);
    assert.deepEqual(elsewhere.diagnostics.map(({ range }) => range.start), [place(routes, "floor:")]);
});

test("completion offers the keys that can stand there, with what they mean", async () => {
    const text = "# yaml-language-server: $schema=../language/routes.schema.json\nroutes:\n  shop:\n    limits:\n      \n";
    const { uri } = await editor.open("routes/completion.yaml", text);
    const position = { line: 4, character: 6 };
    const { items } = await editor.ask("textDocument/completion", { textDocument: { uri }, position });
    assert.deepEqual(items.map(({ label }) => label).sort(), ["per_address", "per_sender"]);
    const shown = JSON.stringify(items.find(({ label }) => label === "per_address").documentation);
    assert.match(shown, /Before verification/);
});

test("a hover shows what a key means, its default and an example", async () => {
    const text = read("gate.yaml");
    const { uri } = await editor.open("gate.yaml", text);
    const { line, character } = place(text, "per_address");
    const hover = await editor.ask("textDocument/hover", { textDocument: { uri }, position: { line, character: character + 1 } });
    assert.match(hover.contents.value, /Before verification, for one client address and route\./);
    assert.match(hover.contents.value, /Default: `100\/s`/);
    assert.match(hover.contents.value, /600\/m/);
});
