import { proveChaos } from "./chaos-proof.ts";

/** The other half of the seeds: two files run side by side. */
proveChaos(261, 260);
