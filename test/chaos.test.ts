import { proveChaos } from "./chaos-proof.ts";

proveChaos(1, 260);
