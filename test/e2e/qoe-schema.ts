import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { XmlDocument, XmlElement, XsdValidator } from "libxml2-wasm";
import { xmlRegisterFsInputProviders } from "libxml2-wasm/lib/nodejs.mjs";

/** QoE reports held against their schema, and read by a reader that is not ours. */

const NAMESPACES = {
  report: "urn:3gpp:metadata:2017:HSD:receptionreport",
  rtc: "urn:3gpp:metadata:2023:RTC:QoEMetrics",
  duplex: "urn:duplex:qoe",
};

// The schemas name each other by file.
xmlRegisterFsInputProviders();

const schemaPath = fileURLToPath(new URL("../fixtures/qoe/reception-report.xsd", import.meta.url));

/** Throws with what is wrong when a report is not well-formed, or not valid. */
export function validate(xml: string): void {
  using schema = XmlDocument.fromBuffer(readFileSync(schemaPath), { url: schemaPath });
  using validator = XsdValidator.fromDoc(schema);
  using report = XmlDocument.fromString(xml);
  validator.validate(report);
}

/** A metric of a flow: its attributes, and its text where it has any. */
export interface ReadMetric {
  readonly name: string;
  readonly kind: string;
  readonly direction: string;
  readonly values: Readonly<Record<string, number>>;
  /** When the time that it is about ends, and how long that is, in milliseconds. */
  readonly at: number;
  readonly measuredMs: number;
}

const elements = (node: XmlElement, path: string): XmlElement[] =>
  node.find(path, NAMESPACES).filter((each) => each instanceof XmlElement);

const attribute = (node: XmlElement, name: string): string =>
  node.find(`@${name}`, NAMESPACES)[0]?.content ?? "";

/** All metrics of a report, in its order. */
export function metricsOf(xml: string): ReadMetric[] {
  using document = XmlDocument.fromString(xml);
  return elements(document.root, "report:QoeReport").flatMap((report) =>
    elements(report, "rtc:QoeMetric/rtc:*").map((metric) => ({
      name: metric.name,
      kind: attribute(report, "duplex:kind"),
      direction: attribute(report, "duplex:direction"),
      at: Date.parse(attribute(report, "reportTime")),
      measuredMs: Number(
        elements(report, "report:QoeMetric/report:AvgThroughput").map((each) =>
          attribute(each, "duration"),
        )[0],
      ),
      values: Object.fromEntries([
        ...metric.attrs.map(({ name, value }) => [name, Number(value)]),
        ...(metric.content === "" ? [] : [["text", Number(metric.content)]]),
      ]) as Record<string, number>,
    })),
  );
}
