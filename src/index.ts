import { app } from "./app.ts";

export { CnameMemory } from "../durable-objects/cname-memory.ts";
export { KeyQuota } from "../durable-objects/key-quota.ts";
export { ManagedSfu } from "../durable-objects/managed-sfu.ts";
export { SessionIndex } from "../durable-objects/session-index.ts";
export { SessionObject } from "../durable-objects/session-object.ts";
export { SwapRealm } from "../durable-objects/swap-realm.ts";
export { WebhookDeadLetters } from "../durable-objects/webhook-dead-letters.ts";
export default app;
