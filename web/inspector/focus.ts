const REACHABLE = "button, a[href], summary, [tabindex]";

const within = (parent: Element): readonly HTMLElement[] => [
  ...parent.querySelectorAll<HTMLElement>(REACHABLE),
];

/**
 * Gives an element other children. Where one of the old had the focus, the new one in its place has it; `instead` takes
 * it where none is left.
 */
export function replaceKeepingFocus(
  parent: Element,
  children: readonly Node[],
  instead?: Element,
): void {
  const former: readonly (Element | null)[] = within(parent);
  const at = former.indexOf(document.activeElement);
  parent.replaceChildren(...children);
  if (at < 0) return;
  const reachable = within(parent);
  const next = reachable[at] ?? reachable.at(-1) ?? instead;
  if (next instanceof HTMLElement) next.focus({ preventScroll: true });
}

/** Gives the focus to the first in an element that takes it. */
export function focusWithin(parent: Element | undefined): void {
  if (parent) within(parent)[0]?.focus({ preventScroll: true });
}
