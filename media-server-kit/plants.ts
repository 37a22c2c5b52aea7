import type { FromPeer, ToPeer } from "../protocol/messages.ts";

/**
 * Faults that the proxy makes of what passes through it, so that the kit can be seen to find them. Each gives what
 * goes on in the place of a message; undefined where nothing does.
 */

type Spoil<M> = (message: M, seen: { readonly uplinks: readonly Uplink[] }) => M | undefined;

/** A context that the media server was told of, for lies about it. */
export interface Uplink {
  readonly flow: string;
  readonly kind: string;
}

interface Plant {
  readonly fromMediaServer?: Spoil<FromPeer>;
  readonly toMediaServer?: Spoil<ToPeer>;
  /** Its sockets are opened once only. */
  readonly onlyOnce?: true;
}

const drops = (type: FromPeer["type"]): Plant => ({
  fromMediaServer: (message) => (message.type === type ? undefined : message),
});

const without = <T extends object, K extends keyof T>(object: T, member: K): T => {
  const { [member]: _, ...rest } = object;
  return rest as T;
};

const withoutLines = (sdp: string, pattern: RegExp): string =>
  sdp
    .split(/(?<=\n)/)
    .filter((line) => !pattern.test(line))
    .join("");

/** Another uplink than the ones named. */
const other = (flows: readonly string[], uplinks: readonly Uplink[]): string[] => {
  const found = uplinks.find(({ flow }) => !flows.includes(flow));
  return found === undefined ? [] : [found.flow];
};

export const PLANTS: Readonly<Record<string, Plant>> = {
  "no-alive": drops("alive"),
  "no-result": drops("context-result"),
  "no-transport": drops("transport"),
  "no-sources": drops("sources"),
  "no-quality": drops("quality"),
  "wrong-revision": {
    fromMediaServer: (message) =>
      message.type === "context-result"
        ? { ...message, revision: Math.max(0, message.revision - 1) }
        : message,
  },
  "no-complete": {
    fromMediaServer: (message) => {
      if (message.type === "candidates") return without(message, "complete");
      if (message.type !== "answer") return message;
      return { ...message, sdp: withoutLines(message.sdp, /^a=end-of-candidates/) };
    },
  },
  "no-candidates": {
    fromMediaServer: (message) => {
      if (message.type === "candidates") return { ...message, candidates: [] };
      if (message.type !== "answer") return message;
      return { ...message, sdp: withoutLines(message.sdp, /^a=candidate:/) };
    },
  },
  "answers-sendrecv": {
    fromMediaServer: (message) =>
      message.type === "answer"
        ? { ...message, sdp: message.sdp.replace(/^a=(recvonly|sendonly)/gm, "a=sendrecv") }
        : message,
  },
  "no-pair": {
    fromMediaServer: (message) =>
      message.type === "transport" ? without(message, "pair") : message,
  },
  "false-sources": {
    fromMediaServer: (message, { uplinks }) =>
      message.type === "sources" && message.sourceFlows.length > 0
        ? { ...message, sourceFlows: other(message.sourceFlows, uplinks) }
        : message,
  },
  "no-labels": {
    fromMediaServer: (message) => (message.type === "offer" ? without(message, "media") : message),
  },
  "ignores-held": {
    toMediaServer: (message) =>
      message.type === "context" && message.held === true ? { ...message, held: false } : message,
  },
  "ignores-limit": {
    toMediaServer: (message) =>
      message.type === "context" && message.direction === "downlink"
        ? without(message, "maxBitrateBps")
        : message,
  },
  "never-resumes": { onlyOnce: true },
};

export class Spoiling {
  readonly #plants: readonly Plant[];
  readonly #uplinks: Uplink[] = [];

  constructor(names: readonly string[]) {
    this.#plants = names.flatMap((name) => PLANTS[name] ?? []);
  }

  get onlyOnce(): boolean {
    return this.#plants.some(({ onlyOnce }) => onlyOnce === true);
  }

  fromMediaServer(message: FromPeer): FromPeer | undefined {
    return this.#plants.reduce<FromPeer | undefined>(
      (spoilt, { fromMediaServer }) =>
        spoilt === undefined || fromMediaServer === undefined
          ? spoilt
          : fromMediaServer(spoilt, { uplinks: this.#uplinks }),
      message,
    );
  }

  toMediaServer(message: ToPeer): ToPeer | undefined {
    if (message.type === "context" && message.direction === "uplink" && message.op === "open") {
      const { flow, kind } = message;
      if (flow !== undefined && kind !== undefined) this.#uplinks.push({ flow, kind });
    }
    return this.#plants.reduce<ToPeer | undefined>(
      (spoilt, { toMediaServer }) =>
        spoilt === undefined || toMediaServer === undefined
          ? spoilt
          : toMediaServer(spoilt, { uplinks: this.#uplinks }),
      message,
    );
  }
}
