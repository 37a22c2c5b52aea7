import type { Context } from "hono";
import { type Admission, admit } from "../durable-objects/admission.ts";
import { iceServersOf } from "../durable-objects/ice-servers.ts";
import { SUBPROTOCOL } from "../durable-objects/session-sockets.ts";
import { SocketRequest } from "../protocol/socket-request.ts";
import type { IceGrant } from "../protocol/views.ts";
import { bearerOf, readToken, unauthorized } from "./auth.ts";
import type { AppEnv } from "./env.ts";
import { clientOf, tooMany } from "./rate-limits.ts";
import { answerProblem, invalidRequest } from "./refusal.ts";
import { sessionStub } from "./session-stub.ts";
import { grantAsSeen } from "./ue.ts";
import { bearerAmong, offeredBy, refuseUpgrade } from "./upgrade.ts";

/** GET /v1/sessions/{id}/signalling: the door of `duplex.v1`. The object is woken only for valid tokens. */

/** Hands an authorised upgrade to the session's object. */
export async function openSignalling(c: Context<AppEnv>): Promise<Response> {
  const offered = offeredBy(c);
  const url = new URL(c.req.url);
  const refused = refuseUpgrade(c, url, offered, SUBPROTOCOL);
  if (refused) return answerProblem(c, refused);
  const asked = SocketRequest.safeParse(queryOf(url));
  if (!asked.success) return answerProblem(c, invalidRequest(asked.error));
  const id = c.req.param("id") ?? "";
  const token = bearerAmong(offered) ?? bearerOf(c);
  const config = c.get("config");
  // Side by side: whoever joins waits for both.
  const [crowded, grant] = await Promise.all([
    tooMany(c, "CONNECTS", clientOf(c)),
    token === undefined ? undefined : readToken(config, token),
  ]);
  if (crowded) return answerProblem(c, crowded);
  if (grant?.session !== id) return answerProblem(c, unauthorized());
  const hasty = await tooMany(c, "RECONNECTS", grant.peer);
  if (hasty) return answerProblem(c, hasty);
  const stub = sessionStub(c, id);
  // A failing TURN provider must not keep anybody out of the call: STUN and host candidates remain.
  const ice = await iceServersOf(config, grant, Date.now()).catch(
    (): IceGrant => ({
      iceServers: config.stunUrls.length === 0 ? [] : [{ urls: [...config.stunUrls] }],
    }),
  );
  return stub.fetch(forObject(c.req.raw, { grant: grantAsSeen(c, grant), ice, asked: asked.data }));
}

/** Nobody repeats a name; what is unknown is none of ours. */
const queryOf = ({ searchParams }: URL): Record<string, string> => Object.fromEntries(searchParams);

/** The upgrade as the object gets it: who comes, and with which ICE servers; the token stays here. */
function forObject(raw: Request, admission: Admission): Request {
  const headers = new Headers(raw.headers);
  headers.delete("authorization");
  headers.set("sec-websocket-protocol", SUBPROTOCOL);
  admit(headers, admission);
  return new Request(raw.url, { method: "GET", headers });
}
