/// <reference types="vite/types/importMeta.d.ts" />

/** One recorded exchange of two real stacks; `answer` is null where the offer was rolled back. */
export interface CorpusRecord {
  offerStack: string;
  answerStack: string;
  scenario: string;
  step: string;
  offer: string;
  answer: string | null;
  statsOfferer?: CorpusStats;
  statsAnswerer?: CorpusStats;
}

/** What getStats said on a live connection. */
export interface CorpusStats {
  transports: {
    dtlsRole: "client" | "server";
    local: CorpusCandidate;
    remote: CorpusCandidate;
  }[];
  outbound: CorpusStream[];
  inbound: CorpusStream[];
}

interface CorpusCandidate {
  ip: string;
  port: number;
  protocol: string;
  type: "host";
}

interface CorpusStream {
  kind: "audio" | "video";
  mid: string;
  ssrc: number;
  rtxSsrc?: number;
}

const files = import.meta.glob("./fixtures/sdp-corpus/*.json", {
  eager: true,
  import: "default",
}) as Record<string, CorpusRecord>;

/** All records by name, such as `chromium.max-bundle`. */
export const CORPUS: ReadonlyMap<string, CorpusRecord> = new Map(
  Object.entries(files).map(([path, record]) => [
    path.slice(path.lastIndexOf("/") + 1).replace(/\.json$/, ""),
    record,
  ]),
);

/** A record by its name. */
export function recordOf(name: string): CorpusRecord {
  const record = CORPUS.get(name);
  if (!record) throw new Error(`the corpus has no ${name}`);
  return record;
}

/** Every offer and answer of the corpus with a name. */
export const TEXTS: readonly (readonly [name: string, sdp: string])[] = [...CORPUS].flatMap(
  ([name, { offer, answer }]) => [
    [`${name} offer`, offer] as const,
    ...(answer === null ? [] : [[`${name} answer`, answer] as const]),
  ],
);
