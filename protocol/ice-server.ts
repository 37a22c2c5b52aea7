import { z } from "zod";

/** RTCIceServer of the W3C. */
export const IceServer = z
  .object({
    urls: z.array(z.string()),
    username: z.string().optional(),
    credential: z.string().optional(),
  })
  .meta({ id: "IceServer" });
export type IceServer = z.infer<typeof IceServer>;
