import type {
  AssistedLink,
  AssistedPath,
  AssistedSection,
  AssistedTransport,
  FlowStatus,
} from "./assisted.ts";
import { type MediaType, sharedMediaType } from "./media-type.ts";
import { type MultiplexedMedia, multiplexedMediaOf } from "./multiplexed-media.ts";

/** What a network is asked for as one: an m-section, or all that a BUNDLE group has on one 5-tuple. */
export interface Component {
  /** What it is called: the mid, or the index of a section without one; of a group that of its first section. */
  readonly reference: string;
  /** Ordinal of the m-line, from 1. */
  readonly ordinal: number;
  readonly mediaType: MediaType;
  readonly transport: AssistedTransport;
  readonly sections: readonly AssistedSection[];
  /** Where the network can tell it from others on the 5-tuple. */
  readonly media?: MultiplexedMedia;
}

/**
 * The components of a link. A network that knows multiplexed media (Rel-19) is asked per m-section; data that shares the
 * path of media is left out then: there is no RTP to know it by. Others are asked per BUNDLE group.
 */
export function componentsOf(link: AssistedLink, multiplex: boolean): readonly Component[] {
  return link.transports.flatMap((transport) => {
    const media = transport.sections.filter(({ kind }) => kind !== "data");
    if (!multiplex || media.length === 0) return componentOf(transport, transport.sections);
    return media.flatMap((section) =>
      componentOf(transport, [section]).map((component) => ({
        ...component,
        media: multiplexedMediaOf(section, link.isBetweenUes),
      })),
    );
  });
}

function componentOf(
  transport: AssistedTransport,
  sections: readonly AssistedSection[],
): readonly Component[] {
  return sections.slice(0, 1).map(({ mid, ordinal }) => ({
    reference: mid || `i${ordinal - 1}`,
    ordinal,
    mediaType: sharedMediaType(sections.map(({ kind }) => kind)),
    transport,
    sections,
  }));
}

/** RTCP that has a path of its own, once per path however many components have their RTCP there. */
export interface RtcpComponent {
  readonly component: Component;
  readonly path: AssistedPath;
}

export function rtcpComponentsOf(components: readonly Component[]): readonly RtcpComponent[] {
  const firsts = new Map<string, Component>();
  for (const component of components) {
    const { id } = component.transport;
    if (!firsts.has(id)) firsts.set(id, component);
  }
  return [...firsts.values()].flatMap((component) => {
    const { rtcpPath } = component.transport;
    return rtcpPath ? [{ component, path: rtcpPath }] : [];
  });
}

/** Those of RTCP, whatever the media does (TS 29.214 B.2). */
export const RTCP_DIRECTIONS = { uplink: true, downlink: true } as const;

/**
 * Which filters there are (TS 29.213 s6.2): those of the directions that are on, and both where none is, so that they are
 * there when it goes on.
 */
export function filterDirections(sections: readonly AssistedSection[]): {
  readonly uplink: boolean;
  readonly downlink: boolean;
} {
  const status = sharedStatus(sections);
  return { uplink: status !== "ENABLED-DOWNLINK", downlink: status !== "ENABLED-UPLINK" };
}

/** Of sections that are gated together. */
export function sharedStatus(sections: readonly AssistedSection[]): FlowStatus {
  const isAny = (...wanted: readonly FlowStatus[]): boolean =>
    sections.some(({ status }) => wanted.includes(status));
  const [uplink, downlink] = [
    isAny("ENABLED", "ENABLED-UPLINK"),
    isAny("ENABLED", "ENABLED-DOWNLINK"),
  ];
  if (uplink) return downlink ? "ENABLED" : "ENABLED-UPLINK";
  return downlink ? "ENABLED-DOWNLINK" : "DISABLED";
}
