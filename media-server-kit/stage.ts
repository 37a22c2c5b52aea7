import type { ContextChange } from "../protocol/context-messages.ts";
import { type Application, type CentralSession, reasonOf } from "./application.ts";
import type { Conversation } from "./conversation.ts";
import { Failure, within } from "./judgement.ts";
import type { Options } from "./options.ts";
import type { Passage, SignallingProxy } from "./signalling-proxy.ts";
import type { Verdicts } from "./verdicts.ts";

const JOIN_MS = 10_000;
const INVITATION_MS = 10_000;

/** What scenes are played with. */
export interface Stage {
  readonly application: Application;
  readonly proxy: SignallingProxy;
  readonly verdicts: Verdicts;
  readonly options: Options;
}

/** A central session with the media server in it. */
export interface Scene {
  readonly session: CentralSession;
  readonly passage: Passage;
  readonly conversation: Conversation;
  /** The media server's id. */
  readonly server: string;
}

/** Posts an invitation; gives the status. */
export async function postInvitation(
  { url }: Options,
  body: unknown,
  secret: string | undefined,
): Promise<number> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(INVITATION_MS),
  });
  await response.arrayBuffer();
  return response.status;
}

/** Begins a session and asks the media server in. */
export async function openScene({ application, proxy, options }: Stage): Promise<Scene> {
  const session = await application.begin();
  const invitation = await session.invite({ role: "media-server" });
  const { passage, url } = proxy.lay(invitation.signalling.url);
  const body = { ...invitation, signalling: { ...invitation.signalling, url } };
  const { conversation } = passage;
  const status = await postInvitation(options, body, options.secret).catch((fault: unknown) => {
    throw new Failure(`expected the invitation to be taken (2xx); saw ${reasonOf(fault)}`);
  });
  if (status < 200 || status > 299) {
    throw new Failure(`expected the invitation to be taken (2xx); saw ${status}`);
  }
  await within(
    JOIN_MS,
    "the media server to open its socket and to be let in",
    () => conversation.toldOf("welcome").length > 0,
    () => `${conversation.sockets.length} sockets at ${url}`,
  );
  return { session, passage, conversation, server: invitation.peer.id };
}

/** The contexts that are open, as they were told last. */
export function openContexts({ conversation }: Scene): readonly ContextChange[] {
  const open = new Map<string, ContextChange>();
  for (const { message } of conversation.toldOf("context")) {
    if (message.op === "close") open.delete(message.context);
    else open.set(message.context, message);
  }
  return [...open.values()];
}
