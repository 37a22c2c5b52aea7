/**
 * List prices in US dollars a million, without what a plan includes. Cloudflare's Durable Objects and Workers pricing pages,
 * paid plan, as stored in November 2026.
 */
export const PRICES = {
  workerRequests: 0.3,
  /** Milliseconds of processor time. */
  workerCpuMs: 0.02,
  /** Calls, upgrades, alarms, and a twentieth for each frame. */
  objectRequests: 0.15,
  /** GB-s: an object has 0.128 GB. */
  duration: 12.5,
  rowsRead: 0.001,
  rowsWritten: 1,
} as const;

/** A GB for a month of 30 days. */
export const STORED_GB_MONTH = 0.2;
export const MONTH_SECONDS = 30 * 86_400;
export const OBJECT_GB = 0.128;

/** What signalling of one call is to a service that only passes messages on. */
export interface Signalling {
  /** UTF-8 bytes of each message; all have one receiver. */
  readonly messages: readonly number[];
  readonly connections: number;
  readonly minutes: number;
}

export interface Service {
  readonly name: string;
  /** The terms, as published. */
  readonly terms: string;
  readonly source: string;
  /** US dollars of a million calls. */
  readonly price: (call: Signalling) => number;
}

const units = (messages: readonly number[], bytes: number): number =>
  messages.reduce((sum, size) => sum + Math.ceil(size / bytes), 0);

/** Services that signalling is often built upon. Smallest published unit prices, fixed fees left out. */
export const SERVICES: readonly Service[] = [
  {
    name: "Amazon API Gateway WebSocket",
    terms:
      "$1.00 a million messages of 32 KB in or out, $0.25 a million minutes connected; what handles them comes on top",
    source: "c3x.dev/resources/aws/aws_apigatewayv2_api (second hand)",
    price: ({ messages, connections, minutes }) =>
      2 * units(messages, 32_768) * 1 + connections * minutes * 0.25,
  },
  {
    name: "Amazon Kinesis Video Streams WebRTC",
    terms: "$2.25 a million signalling messages; $0.03 a month for each channel comes on top",
    source: "aws.amazon.com/kinesis/video-streams/pricing, as transcribed 2026-10-07",
    price: ({ messages }) => messages.length * 2.25,
  },
  {
    name: "Agora Signaling",
    terms: "$3 a million messages of 1 KB, sent and received",
    source: "docs.agora.io/en/1.x/signaling/reference/pricing",
    price: ({ messages }) => 2 * units(messages, 1024) * 3,
  },
  {
    name: "Ably",
    terms:
      "$2.50 a million messages in or out, $1.00 a million minutes of each connection and of a channel",
    source: "ably.com/pricing, as transcribed 2026-05-08",
    price: ({ messages, connections, minutes }) =>
      2 * messages.length * 2.5 + (connections + 1) * minutes,
  },
  {
    name: "PubNub",
    terms: "$123 a million published messages of 2 KB, $33 a million received",
    source: "pubnub.com/docs/general/resources/pricing",
    price: ({ messages }) => units(messages, 2048) * (123 + 33),
  },
];
