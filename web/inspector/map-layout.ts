import type { CallRecord } from "./record.ts";

export interface Place {
  readonly x: number;
  readonly y: number;
  /** Where the name goes: away from the middle. */
  readonly side: "above" | "below" | "middle";
  readonly isServer: boolean;
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
  const isFew = others.length <= 2 && servers.length === 0;
  const height = isFew
    ? Math.min(300, Math.max(220, width * 0.45))
    : Math.min(620, Math.max(380, width * 0.72));
  const radius = others.length > 8 && width < 480 ? 15 : 20;
  const [margin, lift] = width < 480 ? [44, 56] : [86, 62];
  const across = (width - 2 * margin) / 2;
  const down = (height - 2 * lift) / 2;
  const places = new Map<string, Place>();
  const [middleX, middleY] = [width / 2, height / 2];
  servers.forEach((id, index) => {
    const shift = (index - (servers.length - 1) / 2) * 130;
    places.set(id, { x: middleX + shift, y: middleY, side: "middle", isServer: true });
  });
  // Two face each other; more begin at the top.
  const first = others.length === 2 ? Math.PI : -Math.PI / 2;
  others.forEach((id, index) => {
    const angle = first + (2 * Math.PI * index) / others.length;
    const y = middleY + down * Math.sin(angle);
    const x = middleX + across * Math.cos(angle);
    places.set(id, { x, y, side: y < middleY - 1 ? "above" : "below", isServer: false });
  });
  return { width, height, radius, places };
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
  const start = edgeOf(from, control, radius + 4);
  const end = edgeOf(to, control, radius + 11);
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

function edgeOf(place: Place, towards: { x: number; y: number }, radius: number) {
  const [dx, dy] = [towards.x - place.x, towards.y - place.y];
  const length = Math.hypot(dx, dy) || 1;
  return { x: place.x + (dx / length) * radius, y: place.y + (dy / length) * radius };
}
