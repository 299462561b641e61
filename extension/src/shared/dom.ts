/** Builds nodes: text stays text. */

type Child = Node | string | null | false | undefined;
type Listener = (event: Event) => void;
type Attributes = Readonly<Record<string, string | number | boolean | null | undefined | Listener>>;

const SVG = "http://www.w3.org/2000/svg";

/** An element; functions among the attributes are listeners by the name of their event, false and
 * null are left out, true is an empty attribute. `part` is the name that tests know it by. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  // Left alone it would send a form.
  if (element instanceof HTMLButtonElement) element.type = "button";
  return filled(element, attributes, children);
}

export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name === "part" ? "data-part" : name, value === true ? "" : String(value));
    }
  }
  element.append(...children.filter((child) => child !== null && child !== false && child !== undefined));
  return element;
}
