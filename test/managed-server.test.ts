import { describe, expect, it } from "vitest";
import { mediaServerOf } from "../protocol/addressing.ts";
import { MANAGED_SERVER, managedServerOf, withManagedServer } from "../protocol/managed-server.ts";
import { PeerView } from "../protocol/message-parts.ts";
import type { Session } from "../protocol/session.ts";
import type { SessionRequest } from "../protocol/session-config.ts";
import { nextDeadline } from "../protocol/session-deadline.ts";
import { viewPeer } from "../protocol/views.ts";
import { sdpOf } from "./descriptions.ts";
import { accepted, outcome, PureSession } from "./pure-session.ts";

/** A managed media server as a peer of its session: what it is to the others. */

function managed(config: SessionRequest = {}): PureSession {
  const session = new PureSession({ topology: "central", ...config });
  session.session = withManagedServer(session.session);
  session.online.add(MANAGED_SERVER);
  return session;
}

const chosen = ({ session }: PureSession): string | undefined => mediaServerOf(session.peers)?.id;

/** As rows have it. */
const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const emptySince = ({ session: { emptySince: since } }: { session: Session }) => since;

describe("a managed media server", () => {
  it("[S6] is there from the beginning, keeps no session alive, and takes no place in it", () => {
    const session = managed({ maxPeers: 2, emptyTtlSeconds: 60 });
    const begun = session.at;
    expect(emptySince(session)).toBe(begun);
    accepted(session.join("alice"));
    accepted(session.join("bob"));
    expect(outcome(session.join("carol"))).toBe("session-full");
    expect(emptySince(session)).toBeNull();
    session.at += 1000;
    accepted(session.send("alice", { type: "leave" }));
    accepted(session.do({ type: "lost", peer: "bob", at: session.at }));
    expect(emptySince(session)).toBe(session.at);
    expect(nextDeadline(session.session)).toBe(session.at + 60_000);
    session.at += 60_000;
    accepted(session.do({ type: "alarm", at: session.at }));
    expect(session.session.peers.size).toBe(0);
    expect(session.closed.get(MANAGED_SERVER)).toBe(4000);
  });

  it("[R2] is told again of all that there is, without a word to others", () => {
    const session = managed();
    accepted(session.join("alice"));
    accepted(session.send("alice", { type: "offer", sdp: sdpOf({ of: "alice" }) }));
    session.take(MANAGED_SERVER);
    session.take("alice");
    const server = managedServerOf(session.session);
    const again = { ...session.grant(MANAGED_SERVER, { role: "media-server" }) };
    const join = { type: "join", grant: again, ice: { iceServers: [] }, managed: true } as const;
    accepted(session.do({ ...join, at: session.at }));
    expect(session.take(MANAGED_SERVER).map(({ type }) => type)).toEqual(["welcome", "offer"]);
    expect(session.take("alice")).toEqual([]);
    expect(managedServerOf(session.session)?.joinedAt).toBe(server?.joinedAt);
    accepted(session.send("alice", { type: "leave" }));
    accepted(session.do({ ...join, at: session.at }));
    // Nobody has come by that.
    expect(emptySince(session)).toBe(session.at);
  });

  it("[A2] is asked only where no other media server stays", () => {
    const session = managed();
    expect(chosen(session)).toBe(MANAGED_SERVER);
    accepted(session.join("sfu", "media-server"));
    expect(chosen(session)).toBe("sfu");
    // It may be back in a moment, and half a session elsewhere would not hear the other half.
    accepted(session.do({ type: "lost", peer: "sfu", at: session.at }));
    expect(chosen(session)).toBe("sfu");
    accepted(session.join("sfu", "media-server"));
    accepted(session.send("sfu", { type: "drain" }));
    expect(chosen(session)).toBe(MANAGED_SERVER);
    accepted(session.join("sfu2", "media-server"));
    expect(chosen(session)).toBe("sfu2");
    accepted(session.send("sfu2", { type: "leave" }));
    accepted(session.send("sfu", { type: "leave" }));
    expect(chosen(session)).toBe(MANAGED_SERVER);
  });

  it("[S1] is shown as what it is, and is written as JSON", () => {
    const { session } = managed();
    const peer = stored(managedServerOf(session));
    expect(peer).toEqual(managedServerOf(session));
    const view = peer && viewPeer(peer);
    expect(PeerView.parse(view)).toMatchObject({ role: "media-server", managed: true });
    expect(managedServerOf(new PureSession().session)).toBeUndefined();
  });

  it("[A1] can be kicked, and does not come back", () => {
    const session = managed();
    accepted(session.do({ type: "kick", peer: MANAGED_SERVER, at: session.at }));
    expect(managedServerOf(session.session)).toBeUndefined();
    expect(outcome(session.join(MANAGED_SERVER, "media-server"))).toBe("unauthorized");
    accepted(session.join("alice"));
    const offer = { type: "offer", sdp: sdpOf() } as const;
    expect(outcome(session.send("alice", offer))).toBe("no-media-server");
  });
});
