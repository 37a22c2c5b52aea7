// Preloaded into wrangler: it would outlive a parent that is killed outright, and its workerd with it.
process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
