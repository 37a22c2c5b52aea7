// Preloaded into wrangler and vitest: they would outlive a parent that is killed outright, and with
// them what they started.
process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
