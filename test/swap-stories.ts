import { type Shape, sdpOf } from "./descriptions.ts";

/**
 * What happens between endpoints of SWAP and their server, told once for all dialects. `npm run docs` writes it out as
 * test/vectors/swap/*.json, for whoever else has such a server.
 */

/** A message with the names of the clause (TS 26.113 clause 13.2.4.4). */
export interface Told {
  readonly type: string;
  readonly number: number | string;
  /** Of another endpoint than the one whose socket it is. */
  readonly source?: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

export type StoryStep =
  | { readonly from: string; readonly message: Told }
  | { readonly from: string; readonly raw: string }
  | { readonly to: string; readonly message: Told }
  /** Nothing more has come. */
  | { readonly quiet: string }
  | { readonly close: string }
  | { readonly waitMs: number };

export interface SwapStory {
  readonly name: string;
  readonly promise: string;
  /** Clause of TS 26.113, or decision 0024 where the clause is silent. */
  readonly source: string;
  readonly steps: readonly StoryStep[];
}

export const SOURCES: Readonly<Record<string, string>> = {
  alice: "endpoint-of-alice",
  bob: "endpoint-of-bob",
  carol: "endpoint-of-carol",
};

const LINE = "a=candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host";
const whole = (shape: Shape): string =>
  sdpOf(shape).replace(/a=mid:\S+\r\n/g, (mid) => `${mid}${LINE}\r\n`);

/** Texts that the frames of stories name. */
export const DESCRIPTIONS = {
  $offer: whole({}),
  $answer: whole({ setup: "active" }),
  $trickleOffer: whole({}).replace(LINE, `a=ice-options:trickle\r\n${LINE}`),
  $noCandidates: sdpOf(),
  $bobsOffer: whole({ of: "bob" }),
  $moreOffer: whole({ version: 2, sections: [{ kind: "audio" }, { kind: "video" }] }),
  $moreAnswer: whole({
    setup: "active",
    version: 2,
    sections: [{ kind: "audio" }, { kind: "video" }],
  }),
} as const;

/** `$server`: the id of the server; `$number`: any positive integer; `$text`: any words. */
const ANY = "$number";

const says = (from: string, type: string, number: number, body: object = {}): StoryStep => ({
  from,
  message: { type, number, body: body as Record<string, unknown> },
});
const hears = (to: string, of: string, type: string, number: number, body: object = {}) => ({
  to,
  message: { type, number, source: SOURCES[of] ?? of, body: body as Record<string, unknown> },
});
const response = (to: string, body: object) => ({
  to,
  message: {
    type: "response",
    number: ANY,
    source: "$server",
    body: { ...(body as Record<string, unknown>), target: SOURCES[to] },
  },
});
const acked = (to: string, request: number): StoryStep =>
  response(to, { type: "ack", request }) as StoryStep;

const SWAP = "http://forge.3gpp.org/sa4/swap";
const ERRORS = {
  malformed: [`${SWAP}/message_malformatted.html`, "Message malformatted", 400],
  unreadable: [`${SWAP}/message_malformatted.html`, "Message malformatted", 422],
  unknown: [`${SWAP}/message_unknown.html`, "Message type unknown", 400],
  target: [`${SWAP}/target_unknown.html`, "Target cannot be located", 404],
  unauthorized: [`${SWAP}/unauthorized.html`, "Unauthorized", 401],
  glare: ["urn:duplex:problem:glare", "The other side's offer was first", 409],
  nothing: ["urn:duplex:problem:nothing-offered", "No offer is open on this link", 409],
} as const;

const refused = (to: string, request: number, which: keyof typeof ERRORS): StoryStep => {
  const [type, title, status] = ERRORS[which];
  const error = { type, title, status, detail: "$text" };
  return response(to, { type: "error", request, description: "$text", error }) as StoryStep;
};

const criteria = (...pairs: readonly (readonly [string, unknown])[]) => ({
  matching_criteria: pairs.map(([type, value]) => ({ type, value })),
});
const registers = (who: string, ...pairs: readonly (readonly [string, unknown])[]): StoryStep[] => [
  says(who, "register", 1, criteria(...pairs)),
  acked(who, 1),
];
/** Criteria of the connect are those that it was found by. */
const connects = (who: string, ...pairs: readonly (readonly [string, unknown])[]): StoryStep =>
  says(who, "connect", 2, { offer: "$offer", ...criteria(...pairs) });
const connected = (to: string, ...pairs: readonly (readonly [string, unknown])[]): StoryStep =>
  hears(to, "alice", "connect", 2, {
    target: SOURCES[to],
    offer: "$offer",
    ...criteria(...pairs),
  }) as StoryStep;

const SERVICE = ["service", "game-7"] as const;
const USER = ["user", "alice@example.org"] as const;
const aliceTo = { target: SOURCES.alice };
const bobTo = { target: SOURCES.bob };

/** bob offers a service, alice is known by her name. */
const both: readonly StoryStep[] = [...registers("bob", SERVICE), ...registers("alice", USER)];
const called: readonly StoryStep[] = [
  ...both,
  connects("alice", SERVICE),
  acked("alice", 2),
  connected("bob", SERVICE),
];
const inCall: readonly StoryStep[] = [
  ...called,
  says("bob", "accept", 2, { ...aliceTo, answer: "$answer" }),
  acked("bob", 2),
  hears("alice", "bob", "accept", 2, { ...aliceTo, answer: "$answer" }) as StoryStep,
];
const quiet: readonly StoryStep[] = [{ quiet: "alice" }, { quiet: "bob" }];

const ALL_TYPES = [
  ["ipv4", "192.0.2.7"],
  ["ipv6", "2001:db8::7"],
  ["fqdn", "phone.example.org"],
  SERVICE,
  ["user", "bob@example.org"],
  ["eas", "eas-4.example.org"],
  ["app", "org.example.app"],
  ["location", { area: "cell-3", country: "nl" }],
  ["qos", "gold"],
  ["processing", "transcoding"],
] as const;

const story = (
  name: string,
  source: string,
  promise: string,
  steps: readonly StoryStep[],
): SwapStory => ({ name, source, promise, steps });

const MATCHING = "13.2.4.4.2.2";
const OURS = "decision 0024";

export const SWAP_STORIES: readonly SwapStory[] = [
  story("register", "13.2.4.4.2", "A register is acknowledged.", both),
  story("call", "13.2.4.4.4", "Connect and accept go to the other side as they came.", inCall),
  story("register-replaces", OURS, "Who registers anew is found by what it says now.", [
    ...both,
    says("bob", "register", 2, criteria(["service", "chess"])),
    acked("bob", 2),
    connects("alice", SERVICE),
    refused("alice", 2, "target"),
    { quiet: "bob" },
  ]),
  story("leaving-unregisters", OURS, "Who has left is not found.", [
    ...both,
    { close: "bob" },
    connects("alice", SERVICE),
    refused("alice", 2, "target"),
  ]),
  story("all-types", MATCHING, "All ten types of criteria match.", [
    ...registers("bob", ...ALL_TYPES),
    ...registers("alice", USER),
    connects("alice", ...ALL_TYPES),
    acked("alice", 2),
    connected("bob", ...ALL_TYPES),
  ]),
  story("own-type", MATCHING, "An application may have types of its own.", [
    ...registers("bob", ["shoe-size", 44]),
    ...registers("alice", USER),
    connects("alice", ["shoe-size", 44]),
    acked("alice", 2),
    connected("bob", ["shoe-size", 44]),
  ]),
  story("all-must-match", MATCHING, "One that matches some of the criteria is no match.", [
    ...both,
    connects("alice", SERVICE, ["app", "org.example.app"]),
    refused("alice", 2, "target"),
    { quiet: "bob" },
  ]),
  story("qos-said", MATCHING, "An endpoint that said its qos goes before one that did not.", [
    ...registers("bob", SERVICE),
    ...registers("carol", SERVICE, ["qos", "gold"]),
    ...registers("alice", USER),
    connects("alice", SERVICE, ["qos", "gold"]),
    acked("alice", 2),
    connected("carol", SERVICE, ["qos", "gold"]),
    { quiet: "bob" },
  ]),
  story("qos-unsaid", MATCHING, "One that did not is a match all the same.", [
    ...both,
    connects("alice", SERVICE, ["qos", "gold"], ["processing", "transcoding"]),
    acked("alice", 2),
    connected("bob", SERVICE, ["qos", "gold"], ["processing", "transcoding"]),
  ]),
  story("qos-otherwise", MATCHING, "One that said something else is none.", [
    ...registers("bob", SERVICE, ["qos", "silver"]),
    ...registers("alice", USER),
    connects("alice", SERVICE, ["qos", "gold"]),
    refused("alice", 2, "target"),
    { quiet: "bob" },
  ]),
  story("never-the-sender", MATCHING, "Nobody finds itself.", [
    ...registers("alice", SERVICE),
    connects("alice", SERVICE),
    refused("alice", 2, "target"),
  ]),
  story("unregistered-caller", "13.2.4.4.4", "A caller that never registered gets its accept.", [
    ...registers("bob", SERVICE),
    connects("alice", SERVICE),
    acked("alice", 2),
    connected("bob", SERVICE),
    says("bob", "accept", 2, { ...aliceTo, answer: "$answer" }),
    acked("bob", 2),
    hears("alice", "bob", "accept", 2, { ...aliceTo, answer: "$answer" }) as StoryStep,
  ]),
  story("source-in-use", OURS, "A source that is in use on a live socket is nobody else's.", [
    ...both,
    {
      from: "carol",
      message: {
        type: "register",
        number: 1,
        source: SOURCES.bob ?? "",
        body: criteria(SERVICE),
      },
    },
    {
      to: "carol",
      message: {
        type: "response",
        number: ANY,
        source: "$server",
        body: {
          type: "error",
          request: 1,
          description: "$text",
          error: {
            type: ERRORS.unauthorized[0],
            title: ERRORS.unauthorized[1],
            status: ERRORS.unauthorized[2],
            detail: "$text",
          },
        },
      },
    },
    { quiet: "bob" },
  ]),
  story("source-changed", "13.2.4.4.1.1", "Messages with another source are ignored.", [
    ...inCall,
    {
      from: "alice",
      message: { type: "close", number: 3, source: "somebody-else", body: bobTo },
    },
    says("alice", "application", 4, { ...bobTo, type: "urn:example:chat", value: 1 }),
    acked("alice", 4),
    hears("bob", "alice", "application", 4, {
      ...bobTo,
      type: "urn:example:chat",
      value: 1,
    }) as StoryStep,
    ...quiet,
  ]),
  story("number-not-positive", "13.2.4.4.1.2", "Numbers are positive.", [
    ...both,
    says("alice", "connect", -4, { offer: "$offer", ...criteria(SERVICE) }),
    refused("alice", -4, "malformed"),
    { quiet: "bob" },
  ]),
  story("number-lower", "13.2.4.4.1.2", "Numbers grow.", [
    ...registers("bob", SERVICE),
    says("alice", "register", 7, criteria(USER)),
    acked("alice", 7),
    says("alice", "connect", 3, { offer: "$offer", ...criteria(SERVICE) }),
    refused("alice", 3, "malformed"),
    { quiet: "bob" },
  ]),
  story("number-again", OURS, "A message that comes again has no second effect.", [
    ...inCall,
    says("alice", "application", 3, { ...bobTo, type: "urn:example:chat", value: "one" }),
    acked("alice", 3),
    says("alice", "application", 3, { ...bobTo, type: "urn:example:chat", value: "one" }),
    acked("alice", 3),
    hears("bob", "alice", "application", 3, {
      ...bobTo,
      type: "urn:example:chat",
      value: "one",
    }) as StoryStep,
    ...quiet,
  ]),
  story("type-case", "13.2.4.4.1.3", "Types are read in any case.", [
    ...registers("bob", SERVICE),
    says("alice", "REGISTER", 1, criteria(USER)),
    acked("alice", 1),
    says("alice", "Connect", 2, { offer: "$offer", ...criteria(SERVICE) }),
    acked("alice", 2),
    connected("bob", SERVICE),
  ]),
  story("type-unknown", "13.2.4.7", "An unknown type is told so.", [
    ...both,
    says("alice", "dance", 2, {}),
    refused("alice", 2, "unknown"),
    ...quiet,
  ]),
  story("not-json", "13.2.4.7", "What cannot be read is told so; the socket stays.", [
    ...both,
    { from: "alice", raw: "{" },
    refused("alice", 0, "malformed"),
    connects("alice", SERVICE),
    acked("alice", 2),
    connected("bob", SERVICE),
  ]),
  story(
    "no-candidates",
    "13.2.4.3",
    "An offer without candidates is refused: there is no trickle.",
    [
      ...both,
      says("alice", "connect", 2, { offer: "$noCandidates", ...criteria(SERVICE) }),
      refused("alice", 2, "unreadable"),
      { quiet: "bob" },
    ],
  ),
  story(
    "trickle-option",
    "13.2.4.3",
    "The trickle option beside candidates is what browsers write.",
    [
      ...both,
      says("alice", "connect", 2, { offer: "$trickleOffer", ...criteria(SERVICE) }),
      acked("alice", 2),
      hears("bob", "alice", "connect", 2, {
        ...bobTo,
        offer: "$trickleOffer",
        ...criteria(SERVICE),
      }) as StoryStep,
    ],
  ),
  story("update", "13.2.4.4.7", "An update is answered by an accept.", [
    ...inCall,
    says("alice", "update", 3, { ...bobTo, sdp: "$moreOffer" }),
    acked("alice", 3),
    hears("bob", "alice", "update", 3, { ...bobTo, sdp: "$moreOffer" }) as StoryStep,
    says("bob", "accept", 3, { ...aliceTo, answer: "$moreAnswer" }),
    acked("bob", 3),
    hears("alice", "bob", "accept", 3, { ...aliceTo, answer: "$moreAnswer" }) as StoryStep,
  ]),
  story("glare", OURS, "Of two offers at the same time the first counts.", [
    ...called,
    says("bob", "connect", 2, { offer: "$bobsOffer", ...criteria(USER) }),
    refused("bob", 2, "glare"),
    says("bob", "accept", 3, { ...aliceTo, answer: "$answer" }),
    acked("bob", 3),
    hears("alice", "bob", "accept", 3, { ...aliceTo, answer: "$answer" }) as StoryStep,
  ]),
  story("accept-of-nothing", OURS, "An accept of what nobody offered is refused.", [
    ...inCall,
    says("bob", "accept", 3, { ...aliceTo, answer: "$answer" }),
    refused("bob", 3, "nothing"),
    { quiet: "alice" },
  ]),
  story("target-unknown", "13.2.4.7", "A target that is in no call is unknown.", [
    ...both,
    says("alice", "application", 2, { ...bobTo, type: "urn:example:chat", value: 1 }),
    refused("alice", 2, "target"),
    { quiet: "bob" },
  ]),
  story(
    "application-rejected",
    "13.2.4.4.9",
    "An application message is rejected by its receiver.",
    [
      ...inCall,
      says("alice", "application", 3, { ...bobTo, type: "urn:example:chat", value: "hello" }),
      acked("alice", 3),
      hears("bob", "alice", "application", 3, {
        ...bobTo,
        type: "urn:example:chat",
        value: "hello",
      }) as StoryStep,
      says("bob", "reject", 3, { ...aliceTo, request: 3, description: "not known here" }),
      acked("bob", 3),
      hears("alice", "bob", "reject", 3, {
        ...aliceTo,
        request: 3,
        description: "not known here",
      }) as StoryStep,
    ],
  ),
  story("close", "13.2.4.4.8", "A close is answered by an accept without an answer.", [
    ...inCall,
    says("alice", "close", 3, bobTo),
    acked("alice", 3),
    hears("bob", "alice", "close", 3, bobTo) as StoryStep,
    says("bob", "accept", 3, aliceTo),
    acked("bob", 3),
    hears("alice", "bob", "accept", 3, aliceTo) as StoryStep,
    ...quiet,
  ]),
  story("close-unanswered", OURS, "A silent endpoint is answered for after five seconds.", [
    ...inCall,
    says("alice", "close", 3, bobTo),
    acked("alice", 3),
    hears("bob", "alice", "close", 3, bobTo) as StoryStep,
    { waitMs: 5_500 },
    {
      to: "alice",
      message: { type: "accept", number: ANY, source: SOURCES.bob ?? "", body: aliceTo },
    },
  ]),
  story("close-after-leaving", OURS, "Of one that is gone, at once.", [
    ...inCall,
    { close: "bob" },
    says("alice", "close", 3, bobTo),
    acked("alice", 3),
    {
      to: "alice",
      message: { type: "accept", number: ANY, source: SOURCES.bob ?? "", body: aliceTo },
    },
  ]),
];
