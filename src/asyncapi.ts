import { z } from "zod";
import { SUBPROTOCOL } from "../durable-objects/session-sockets.ts";
import { FROM_PEER, TO_PEER } from "../protocol/messages.ts";
import { SocketRequest } from "../protocol/socket-request.ts";
import { VERSION } from "../protocol/version.ts";

type Table = Readonly<Record<string, z.ZodType>>;

const schemaOf = (schema: z.ZodType, io: "input" | "output") => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { target: "draft-7", io });
  return json;
};

/** Message objects of one direction, named so that both directions can have an `offer`. */
const messagesOf = (table: Table, prefix: string, io: "input" | "output") =>
  Object.fromEntries(
    Object.entries(table).map(([type, schema]) => [
      `${prefix}.${type}`,
      {
        name: type,
        summary: schema.description ?? "",
        contentType: "application/json",
        payload: schemaOf(schema, io),
      },
    ]),
  );

const refs = (channel: string, names: readonly string[]) =>
  names.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` }));

/** The AsyncAPI 3.0 document of `duplex.v1`, generated from the message tables. */
export function asyncapiOf(origin: string) {
  const url = new URL(origin);
  const fromPeer = messagesOf(FROM_PEER, "from-peer", "input");
  const toPeer = messagesOf(TO_PEER, "to-peer", "output");
  return {
    asyncapi: "3.0.0",
    info: {
      title: `Duplex ${SUBPROTOCOL}`,
      version: VERSION,
      description:
        "JSON text frames. A request with an id gets exactly one ack or problem. Keep-alive: the exact text " +
        '{"type":"ping"} is answered with {"type":"pong"} without waking the server.',
    },
    defaultContentType: "application/json",
    servers: {
      duplex: { host: url.host, protocol: url.protocol === "https:" ? "wss" : "ws" },
    },
    channels: {
      signalling: {
        address: "/v1/sessions/{session}/signalling",
        parameters: { session: { description: "id of the session" } },
        messages: { ...fromPeer, ...toPeer },
        bindings: { ws: { method: "GET", query: schemaOf(SocketRequest, "input") } },
      },
    },
    operations: {
      fromPeer: {
        action: "receive",
        channel: { $ref: "#/channels/signalling" },
        messages: refs("signalling", Object.keys(fromPeer)),
      },
      toPeer: {
        action: "send",
        channel: { $ref: "#/channels/signalling" },
        messages: refs("signalling", Object.keys(toPeer)),
      },
    },
  };
}
