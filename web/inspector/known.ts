import type { ContextRecord } from "../../protocol/context-messages.ts";
import type { Flow } from "../../protocol/flow.ts";
import type { PeerView } from "../../protocol/message-parts.ts";
import type { SdpFinding } from "../../protocol/sdp/finding.ts";
import type { TimelineEntry } from "../../protocol/timeline/entry.ts";
import type { DescriptionView } from "../../protocol/timeline/view.ts";
import type { Transport } from "../../protocol/transport.ts";
import type { Verdict } from "../../protocol/verdict/verdict.ts";

/** What GET /v1/sessions/{id} answers, as far as it is shown. */
export interface SessionHead {
  readonly id: string;
  readonly createdAt: number;
  readonly topology: "mesh" | "central";
  readonly sdpPolicy?: string;
  readonly iceTransportPolicy?: string;
  readonly debug?: boolean;
  readonly peers: readonly PeerView[];
  readonly links: readonly { readonly id: string; readonly peers: readonly [string, string] }[];
}

/** An entry of GET .../findings. */
export interface RecordedFinding extends SdpFinding {
  readonly link: string;
  readonly from: string;
  readonly at: number;
  readonly exchange?: number;
  readonly refused?: true;
}

/** What is known of a session at one time. */
export class Known {
  session: SessionHead | undefined;
  entries: readonly TimelineEntry[] = [];
  verdicts: readonly Verdict[] = [];
  findings: readonly RecordedFinding[] = [];
  contexts: readonly ContextRecord[] = [];
  peers = new Map<string, PeerView>();
  /** Peers that left; their names are still wanted. */
  gone = new Set<string>();
  flows = new Map<string, Flow>();
  transports = new Map<string, Transport>();
  /** The two peers of each link. */
  links = new Map<string, readonly [string, string]>();
  /** By link, exchange, type and author; oldest first. */
  descriptions = new Map<string, DescriptionView>();
  /** Milliseconds from the start of the session, once nothing is told of it any more. */
  overAt: number | undefined;

  /** The same as it is now: what comes later leaves it alone. */
  copy(): Known {
    return Object.assign(new Known(), this, {
      peers: new Map(this.peers),
      gone: new Set(this.gone),
      flows: new Map(this.flows),
      transports: new Map(this.transports),
      links: new Map(this.links),
      descriptions: new Map(this.descriptions),
    });
  }
}
