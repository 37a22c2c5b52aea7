// The server of your application, as small as it can be: it has the API key of Duplex, and its pages get a token each.
//   node examples/back-end.js examples/plain-js        (DUPLEX_URL, DUPLEX_KEY, PORT)
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { basename, extname, join } from "node:path";

const { DUPLEX_URL = "http://127.0.0.1:8787", DUPLEX_KEY = "dev-key", PORT = "8080" } = process.env;
const folder = process.argv[2] ?? ".";
const TYPES = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript"],
]);

/** @type {(path: string, body: object) => Promise<any>} */
const post = async (path, body) => {
  const headers = { authorization: `Bearer ${DUPLEX_KEY}`, "content-type": "application/json" };
  const answer = await fetch(new URL(path, DUPLEX_URL), {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
};

/** One session of Duplex for each call, by the name that people know the call by.
 * @type {Map<string, Promise<{ id: string }>>} */
const sessions = new Map();

// Here you would look who asks, and whether they may join this call.
/** @type {(call: string, name?: string) => Promise<object>} */
const invite = async (call, name) => {
  const session = sessions.get(call) ?? post("/v1/sessions", {});
  sessions.set(call, session);
  // The peer leaves when its token ends, which is after an hour unless you say otherwise: here, after a day.
  const peer = { ttlSeconds: 86_400, ...(name && { name }) };
  return post(`/v1/sessions/${(await session).id}/peers`, peer);
};

const server = createServer(async ({ method, url = "/" }, response) => {
  const { pathname, searchParams } = new URL(url, "http://page");
  try {
    if (method === "POST" && pathname === "/invite") {
      const call = searchParams.get("call") ?? "";
      const peer = await invite(call, searchParams.get("name") ?? undefined);
      response.setHeader("content-type", "application/json").end(JSON.stringify(peer));
    } else if (/^\/(duplex|peerjs)\.js$/.test(pathname)) {
      // Without a bundler the page takes the SDK from the Duplex server itself.
      response.writeHead(302, { location: new URL(pathname, DUPLEX_URL).href }).end();
    } else {
      const name = basename(pathname) || "index.html";
      const content = await readFile(join(folder, name));
      response.setHeader("content-type", TYPES.get(extname(name)) ?? "text/plain").end(content);
    }
  } catch (fault) {
    response.writeHead(pathname === "/invite" ? 502 : 404).end(String(fault));
  }
});

server.listen(Number(PORT), "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : PORT;
  process.stdout.write(`http://127.0.0.1:${port}/\n`);
});
