/** One metric of one value, as Prometheus reads it. */
export interface Metric {
  readonly name: string;
  /** A counter only grows; its name ends in `_total`. */
  readonly type: "gauge" | "counter";
  /** What exactly is counted. */
  readonly help: string;
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** The media type of the format. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");

const labelled = (labels: Readonly<Record<string, string>>): string => {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`,
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
};

/**
 * Metrics in the text format of Prometheus, version 0.0.4: help, type and value of each, every line with its end.
 *
 * `# TYPE duplex_sessions_listed gauge`
 */
export const expositionOf = (metrics: readonly Metric[]): string =>
  metrics
    .map(
      ({ name, type, help, value, labels = {} }) =>
        `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${name}${labelled(labels)} ${value}\n`,
    )
    .join("");
