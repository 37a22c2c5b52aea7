import type { CallRecord } from "./record.ts";

/** Below this many pixels there is room for little. */
export const TIGHT = 480;

export interface Place {
  readonly x: number;
  readonly y: number;
  /** Where the name goes: away from the middle. */
  readonly side: "above" | "below" | "left" | "right" | "middle";
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly radius: number;
  readonly places: ReadonlyMap<string, Place>;
}

/** Peers on an ellipse in the order they came, media servers in the middle. */
export function layOut(record: CallRecord, peers: readonly string[], width: number): Layout {
  const servers = peers.filter((id) => record.peers.get(id)?.role === "media-server");
  const others = peers.filter((id) => !servers.includes(id));
  const isTight = width < TIGHT;
  const isFew = others.length <= 2 && servers.length === 0;
  const height = isFew
    ? Math.min(300, Math.max(220, width * 0.5))
    : Math.min(640, Math.max(isTight ? 400 : 430, width * 0.95));
  const radius = others.length > 8 && isTight ? 15 : 20;
  const [margin, lift] = isTight ? [44, 56] : [118, 60];
  const [middleX, middleY] = [width / 2, height / 2];
  const [across, down] = [middleX - margin, middleY - lift];
  const places = new Map<string, Place>();
  servers.forEach((id, index) => {
    const shift = (index - (servers.length - 1) / 2) * 130;
    places.set(id, { x: middleX + shift, y: middleY, side: "middle" });
  });
  // Two face each other; more begin at the top.
  const first = others.length === 2 ? Math.PI : -Math.PI / 2;
  others.forEach((id, index) => {
    const angle = first + (2 * Math.PI * index) / others.length;
    const [x, y] = [middleX + across * Math.cos(angle), middleY + down * Math.sin(angle)];
    places.set(id, { x, y, side: sideOf(angle, isTight || isFew) });
  });
  return { width, height, radius, places };
}

/** Names stand outside of the lines: beside a peer at the left or the right, where there is room for it. */
function sideOf(angle: number, isTight: boolean): Place["side"] {
  if (!isTight && Math.abs(Math.cos(angle)) > 0.5) return Math.cos(angle) < 0 ? "left" : "right";
  return Math.sin(angle) < -0.01 ? "above" : "below";
}

export interface Curve {
  readonly d: string;
  /** Where its arrow and its sign are. */
  readonly head: { readonly x: number; readonly y: number; readonly degrees: number };
  readonly middle: { readonly x: number; readonly y: number };
}

/**
 * A curve from one place to another that bends to its right, so that both directions keep apart. `slot` of `slots`
 * curves of the same direction.
 */
export function curve(from: Place, to: Place, radius: number, slot: number, slots: number): Curve {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const [nx, ny] = [-dy / length, dx / length];
  const apart = Math.min(46, 110 / slots);
  const bend = Math.min(46, length * 0.1) + slot * apart;
  const control = { x: (from.x + to.x) / 2 + nx * bend, y: (from.y + to.y) / 2 + ny * bend };
  const start = edgeOf(from, control, radius, 4);
  const end = edgeOf(to, control, radius, 11);
  const at = (t: number) => ({
    x: (1 - t) ** 2 * start.x + 2 * t * (1 - t) * control.x + t * t * end.x,
    y: (1 - t) ** 2 * start.y + 2 * t * (1 - t) * control.y + t * t * end.y,
  });
  const degrees = (Math.atan2(end.y - control.y, end.x - control.x) * 180) / Math.PI;
  const spot = (point: { x: number; y: number }) =>
    `${Math.round(point.x * 10) / 10} ${Math.round(point.y * 10) / 10}`;
  return {
    d: `M${spot(start)} Q${spot(control)} ${spot(end)}`,
    head: { ...end, degrees },
    middle: at(0.5),
  };
}

/** Half the size of a media server, which has its name inside. */
export const SERVER_SIZE = { across: 52, down: 25 };

type Spot = Readonly<Record<"x" | "y", number>>;

/** Where a line towards a spot leaves a place, `gap` away from its edge. */
function edgeOf(place: Place, towards: Spot, radius: number, gap: number): Spot {
  const [dx, dy] = [towards.x - place.x, towards.y - place.y];
  const length = Math.hypot(dx, dy) || 1;
  const { across, down } = SERVER_SIZE;
  const reach =
    place.side === "middle"
      ? length / Math.max(Math.abs(dx) / across, Math.abs(dy) / down, 0.01)
      : radius;
  return {
    x: place.x + (dx / length) * (reach + gap),
    y: place.y + (dy / length) * (reach + gap),
  };
}
