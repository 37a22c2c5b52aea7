import { app } from "./app.ts";

export { SessionIndex } from "../durable-objects/session-index.ts";
export { SessionObject } from "../durable-objects/session-object.ts";
export default app;
