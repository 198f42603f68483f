/** Finding and changing elements. What has not changed is not written, so nothing is laid out anew. */

/** The element of a panel. @throws when the document has none. */
export function find<Found extends Element = HTMLElement>(
  selector: string,
  root: ParentNode = document,
): Found {
  const found = root.querySelector<Found>(selector);
  if (found === null) throw new Error(`the document has no ${selector}`);
  return found;
}

export const panel = (name: string): HTMLElement => find(`[data-panel="${name}"]`);
export const value = (name: string): HTMLElement => find(`[data-value="${name}"]`);
export const action = (name: string): HTMLButtonElement => find(`[data-action="${name}"]`);

/** The text is another node then: one that grows to the left would count as a shift of the layout. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setData(element: HTMLElement, name: string, text: string): void {
  if (element.dataset[name] !== text) element.dataset[name] = text;
}

/** A property of the element's own style, which a strict policy allows where it forbids the attribute. */
export function setProperty(element: HTMLElement, name: string, text: string): void {
  if (element.style.getPropertyValue(name) !== text) element.style.setProperty(name, text);
}

export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/** Rows of empty cells, the first of them a header where `hasHeader`. */
export interface Row {
  readonly element: HTMLTableRowElement;
  readonly cells: readonly HTMLTableCellElement[];
}

export function makeRow(cells: number, hasHeader = false): Row {
  const made = Array.from({ length: cells }, (_, index) => {
    const cell = make(hasHeader && index === 0 ? 'th' : 'td');
    if (cell.tagName === 'TH') cell.scope = 'row';
    return cell;
  });
  return { element: make('tr', {}, ...made), cells: made };
}

/** So many rows in the body of a table: space is there before there is anything to show. */
export function reserveRows(body: Element, count: number, cells: number): Row[] {
  const rows = Array.from({ length: count }, () => makeRow(cells));
  body.replaceChildren(...rows.map(({ element }) => element));
  return rows;
}

/** The texts of its cells; none in those for which there is no text. */
export function fill(row: Row | undefined, texts: readonly string[]): void {
  row?.cells.forEach((cell, index) => {
    setText(cell, texts[index] ?? '');
  });
}
