import { join, type RemoteTrack, type Session, type SignallingState } from "duplex";
import { useEffect, useState } from "react";

export interface Invitation {
  readonly token: string;
  readonly signalling: { readonly url: string };
}

export interface Call {
  /** Undefined until it has joined. */
  readonly session: Session | undefined;
  readonly state: SignallingState | "joining";
  /** Streams of the others, with the id of the peer that sends them. */
  readonly streams: readonly { readonly peer: string; readonly stream: MediaStream }[];
  readonly error: Error | undefined;
}

const NO_CALL: Call = { session: undefined, state: "joining", streams: [], error: undefined };

/** Each stream once: it comes with every track that it has. */
const streamsOf = (tracks: readonly RemoteTrack[]): Call["streams"] => {
  const all = tracks.flatMap(({ peer, streams }) => streams.map((stream) => ({ peer, stream })));
  return all.filter(({ stream }, at) => all.findIndex((one) => one.stream === stream) === at);
};

/**
 * Joins with what `invite` gets from your server, sends `local` to everybody, and leaves when the component goes.
 * `invite` has to be the same function from one rendering to the next.
 */
export function useSession(invite: () => Promise<Invitation>, local: MediaStream): Call {
  const [call, setCall] = useState(NO_CALL);

  useEffect(() => {
    let isGone = false;
    let session: Session | undefined;
    const change = (part: Partial<Call>): void => {
      if (!isGone) setCall((before) => ({ ...before, ...part }));
    };
    const start = async (): Promise<void> => {
      const { token, signalling } = await invite();
      const joined = await join({ url: signalling.url, token });
      session = joined;
      // The component went while this was under way, which strict mode lets happen at once.
      if (isGone) {
        joined.leave();
        return;
      }
      for (const track of local.getTracks()) joined.publish(track, local);
      const tell = (): void => change({ streams: streamsOf(joined.tracks) });
      joined.on("track", tell);
      joined.on("track-ended", tell);
      joined.on("state", (state) => change({ state }));
      joined.on("problem", ({ error }) => change({ error }));
      change({ session: joined, state: joined.state, streams: streamsOf(joined.tracks) });
    };
    start().catch((error: Error) => change({ error }));
    return () => {
      isGone = true;
      session?.leave();
      setCall(NO_CALL);
    };
  }, [invite, local]);

  return call;
}
