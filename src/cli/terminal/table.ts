import { styleText } from 'node:util';
import { printable } from './printable.ts';

export type Cell = string | number | null | undefined;
type Style = 'red' | 'green' | 'yellow' | 'dim' | 'bold';

export interface Column<T> {
  head: string;
  /** Numbers stand to the right. */
  of: (row: T) => Cell;
  /** For the eye: what it says must stand in the text too. */
  style?: (row: T) => Style | undefined;
}

const GAP = '  ';
/** A column is not made narrower than this. */
const WIDTH_MIN = 8;

/**
 * Columns side by side, each as wide as its widest cell. Where that is wider than the terminal, the widest ones give up
 * what is too much.
 */
export function table<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  { width, colour }: { width: number; colour: boolean },
): string {
  const texts = rows.map((row) => columns.map(({ of }) => textOf(of(row))));
  const widths = fitting(
    columns.map(({ head }, at) => Math.max(lengthOf(head), ...texts.map((row) => lengthOf(row[at] ?? '')))),
    width,
  );
  const isRight = columns.map(
    ({ of }) => rows.length > 0 && rows.every((row) => typeof of(row) === 'number'),
  );
  const line = (cells: readonly string[], styleOf: (at: number) => Style | undefined) =>
    cells
      .map((cell, at) => {
        const padded = pad(cell, { width: widths[at] ?? 0, isRight: isRight[at] ?? false });
        const shown = at === cells.length - 1 ? padded.trimEnd() : padded;
        const style = colour ? styleOf(at) : undefined;
        return style === undefined ? shown : styled(style, shown);
      })
      .join(GAP);
  const head = line(
    columns.map((column) => column.head),
    () => 'bold',
  );
  const body = rows.map((row, index) => line(texts[index] ?? [], (at) => columns[at]?.style?.(row)));
  return [head, ...body].join('\n');
}

/** A row a line, its cells between tabs, no head: what `cut`, `awk` and `while read` take. */
export function tabSeparated<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  return rows.map((row) => columns.map(({ of }) => textOf(of(row))).join('\t')).join('\n');
}

/** Whoever asks has looked whether colours are wanted. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { validateStream: false });
}

function textOf(cell: Cell): string {
  return cell === null || cell === undefined ? '' : printable(String(cell));
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}

function pad(text: string, { width, isRight }: { width: number; isRight: boolean }): string {
  const cut =
    lengthOf(text) <= width
      ? text
      : `${Array.from(text)
          .slice(0, width - 1)
          .join('')}…`;
  const room = ' '.repeat(Math.max(0, width - lengthOf(cut)));
  return isRight ? room + cut : cut + room;
}

/** The widths, made smaller at the widest until the line fits, or nothing is left to give. */
function fitting(widths: readonly number[], lineWidth: number): number[] {
  const fitted = [...widths];
  const gaps = GAP.length * Math.max(0, widths.length - 1);
  let over = fitted.reduce((sum, width) => sum + width, gaps) - lineWidth;
  while (over > 0) {
    const widest = Math.max(...fitted);
    if (widest <= WIDTH_MIN) break;
    fitted[fitted.indexOf(widest)] = widest - 1;
    over--;
  }
  return fitted;
}
