/** XML 1.0 as far as reports need it: elements with attributes, and text in some. Every element is a string, written. */

/** What no document may hold, escaped or not (XML 1.0 s2.2): most controls, halves of surrogate pairs, two of the last. */
const FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** What is markup, and spaces that a reader would fold. */
const SPECIAL = /[&<>"\t\n\r]/g;

/** Text and values of attributes: character references where needed; what XML has no word for becomes U+FFFD. */
export const escaped = (text: string): string =>
  text.replace(FORBIDDEN, "\uFFFD").replace(SPECIAL, (char) => `&#${char.charCodeAt(0)};`);

type Attributes = Readonly<Record<string, string | number | undefined>>;

const attributesOf = (attributes: Attributes): string =>
  Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join("");

/** `<name a="1">…</name>`; an attribute that is undefined is left out. */
export const element = (
  name: string,
  attributes: Attributes,
  ...content: readonly string[]
): string => {
  const head = `${name}${attributesOf(attributes)}`;
  return content.length === 0 ? `<${head}/>` : `<${head}>${content.join("")}</${name}>`;
};

/** `<name>text</name>`. */
export const textElement = (name: string, text: string | number): string =>
  `<${name}>${escaped(String(text))}</${name}>`;
