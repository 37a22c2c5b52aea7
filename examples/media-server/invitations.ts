import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Invitation } from "./session.ts";

const LONGEST_BODY = 64 * 1024;

export interface InvitationDoor {
  readonly secret: string | undefined;
  /** False when nothing new is taken. */
  readonly open: () => boolean;
  readonly invited: (invitation: Invitation) => void;
}

/** Reads the body of an invitation; undefined for what is none. */
function readInvitation(body: string): Invitation | undefined {
  try {
    const read = JSON.parse(body) as Partial<Invitation>;
    const { peer, token, signalling, iceServers = [] } = read;
    const complete =
      typeof peer?.id === "string" &&
      typeof token === "string" &&
      typeof signalling?.url === "string" &&
      URL.canParse(signalling.url) &&
      Array.isArray(iceServers);
    return complete ? { peer, token, signalling, iceServers } : undefined;
  } catch {
    return undefined;
  }
}

function authorised({ headers }: IncomingMessage, secret: string | undefined): boolean {
  if (secret === undefined) return true;
  const shown = Buffer.from(headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${secret}`);
  return shown.length === wanted.length && timingSafeEqual(shown, wanted);
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  let body = "";
  for await (const chunk of request) {
    body += chunk;
    if (body.length > LONGEST_BODY) return undefined;
  }
  return body;
}

async function answer(request: IncomingMessage, door: InvitationDoor): Promise<number> {
  if (request.method !== "POST") return 405;
  if (!authorised(request, door.secret)) return 401;
  if (!door.open()) return 503;
  const body = await readBody(request);
  if (body === undefined) return 413;
  const invitation = readInvitation(body);
  if (invitation === undefined) return 400;
  door.invited(invitation);
  return 202;
}

const HEADERS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { "www-authenticate": 'Bearer realm="media-server"' },
  405: { allow: "POST" },
  503: { "retry-after": "10" },
};

/** Where the server, or an operator, asks the media server into a session: `POST` with what the peer was given. */
export function openInvitations(door: InvitationDoor): Server {
  return createServer((request: IncomingMessage, response: ServerResponse) => {
    answer(request, door)
      .then((status) => response.writeHead(status, HEADERS[status]).end())
      .catch(() => response.destroy());
  });
}
