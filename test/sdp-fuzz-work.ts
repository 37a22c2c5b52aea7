/** Counts work instead of time: the same on every machine, and inside workerd, where clocks stand still. */

const length = (self: unknown): number => (self as { length: number }).length;
const resultLength = (_self: unknown, _args: unknown[], result: unknown): number => length(result);

/** Elements of what a set or a map is made from. */
const sizeOf = (self: unknown): number => (self as { size: number }).size;

type Cost = (self: unknown, args: unknown[], result: unknown) => number;

/** What a call of each function costs: characters and elements it goes over, or makes. */
const COSTS: readonly (readonly [owner: object, names: readonly PropertyKey[], cost: Cost])[] = [
  [
    String.prototype,
    [
      ...["split", "trim", "trimEnd", "trimStart", "indexOf", "includes", "toLowerCase"],
      ...["toUpperCase", "replace", "replaceAll", "matchAll", "match", "isWellFormed"],
    ],
    length,
  ],
  [String.prototype, ["charCodeAt", "startsWith", "endsWith"], () => 1],
  [String.prototype, ["repeat", "padStart"], resultLength],
  [
    Array.prototype,
    [
      ...["map", "filter", "flatMap", "find", "findIndex", "findLast", "some", "every", "reduce"],
      ...["includes", "indexOf", "join", "flat", "toSorted", "forEach", "entries"],
      Symbol.iterator,
    ],
    length,
  ],
  [Array.prototype, ["slice"], resultLength],
  [String.prototype, ["slice"], resultLength],
  // `split` tries its expression, made sticky, at one place at a time. `test` asks `exec`.
  [RegExp.prototype, ["exec"], (self, [text]) => ((self as RegExp).sticky ? 1 : length(text))],
  [Map.prototype, ["get", "set", "has"], () => 1],
  [Set.prototype, ["has", "add", "delete"], () => 1],
  [Map.prototype, ["values", "keys", "entries", Symbol.iterator], sizeOf],
  [Set.prototype, ["values", Symbol.iterator], sizeOf],
];

/** What string, array, map, set and regular expression functions go over in a call. */
export function workOf(call: () => void): number {
  let work = 0;
  const undo: (() => void)[] = [];
  const watch = (owner: object, name: PropertyKey, cost: Cost): void => {
    const original = Reflect.get(owner, name) as (...args: unknown[]) => unknown;
    const watched = function (this: unknown, ...args: unknown[]) {
      const result = original.apply(this, args);
      work += cost(this, args, result);
      return result;
    };
    const property = Object.getOwnPropertyDescriptor(owner, name);
    Object.defineProperty(owner, name, { ...property, value: watched });
    undo.push(() => Object.defineProperty(owner, name, { ...property, value: original }));
  };
  for (const [owner, names, cost] of COSTS) {
    for (const name of names) watch(owner, name, cost);
  }
  try {
    call();
  } finally {
    for (const each of undo) each();
  }
  return work;
}
