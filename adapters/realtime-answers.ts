import { z } from "zod";

/** Answers of the Cloudflare Realtime SFU, as far as they are read; members that are not named here are ignored. */

/** Members of every answer and of every track in one: an error may come with any status, 200 too. */
const MaybeError = z.object({
  errorCode: z.string().optional(),
  errorDescription: z.string().optional(),
});

const SessionDescription = z.object({ type: z.enum(["offer", "answer"]), sdp: z.string().min(1) });

const Track = MaybeError.extend({
  mid: z.string().nullish(),
  trackName: z.string().nullish(),
  sessionId: z.string().nullish(),
});
export type RealtimeTrack = z.infer<typeof Track>;

/** `POST /sessions/new`. */
export const NewSession = MaybeError.extend({ sessionId: z.string().min(1) });

/** `POST /sessions/{s}/tracks/new`. */
export const NewTracks = MaybeError.extend({
  requiresImmediateRenegotiation: z.boolean().optional(),
  sessionDescription: SessionDescription.nullish(),
  tracks: z.array(Track).default([]),
});

/** `PUT /sessions/{s}/renegotiate`. */
export const Renegotiated = MaybeError;

/** `PUT /sessions/{s}/tracks/update` and `tracks/close`. */
export const ChangedTracks = MaybeError.extend({ tracks: z.array(Track).default([]) });

/** `GET /sessions/{s}`. */
export const SessionState = MaybeError.extend({
  tracks: z
    .array(
      z.object({
        mid: z.string().nullish(),
        location: z.enum(["local", "remote"]),
        status: z.enum(["active", "inactive", "initializing"]).optional(),
      }),
    )
    .default([]),
});

/** What an answer without success may have in its body. */
export const Refused = MaybeError;
