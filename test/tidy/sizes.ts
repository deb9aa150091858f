import { type Fault, type Source, fault } from './source.ts';

export const FILE_LINES_MAX = 400;
export const FUNCTION_LINES_MAX = 70;
export const LINE_LENGTH_MAX = 120;

/** Longer than a file may be, and why. */
export const LONG_FILES: Readonly<Record<string, string>> = {};
/** Tables whose lines may be longer, and the formatter left off, and why. */
export const WIDE_FILES: Readonly<Record<string, string>> = {
  'src/metadata/configs/broker-configs.ts': 'a setting a line, read as a table',
  'src/metadata/configs/topic-configs.ts': 'a setting a line, read as a table',
  'src/metadata/configs/other-configs.ts': 'a setting a line, read as a table',
};

/** A line that opens a block which is no function's. */
const OTHER_BLOCK =
  /^\s*(?:\} |export |abstract )*(?:if|else|for|while|do|switch|case|try|catch|finally|class|interface|declare)\b/;
/** The end of a function's head: an arrow, or a parameter list and maybe a return type. */
const HEAD_END = /(?:=> \{|\)(?:: [^={}]*(?:\{[^{}]*\}[^={}]*)?)? \{)$/;
/** `describe` groups tests, and so does a suite that several files run; each test is measured by itself. */
const GROUP = /^\s*(?:export const \w+ = )?(?:describe|suite)\b/;

export function checkSizes(source: Source): Fault[] {
  const lines = source.text.replace(/\n$/, '').split('\n');
  return [
    ...(lines.length > FILE_LINES_MAX && LONG_FILES[source.path] === undefined
      ? [
          fault(
            source,
            lines.length,
            `${lines.length} lines, over ${FILE_LINES_MAX}`,
            'split it where its subject changes',
          ),
        ]
      : []),
    ...lines.flatMap((line, at) =>
      line.length > LINE_LENGTH_MAX && WIDE_FILES[source.path] === undefined
        ? [fault(source, at + 1, `${line.length} characters, over ${LINE_LENGTH_MAX}`, 'break the line')]
        : [],
    ),
    ...checkFunctions(source),
  ];
}

/** oxfmt puts a function's closing brace under the first character of its head: indentation is enough to measure. */
function checkFunctions(source: Source): Fault[] {
  const lines = source.code.split('\n').map((line) => line.trimEnd());
  return lines.flatMap((line, at) => {
    if (!HEAD_END.test(line) || OTHER_BLOCK.test(line) || GROUP.test(line)) return [];
    const indent = /^\s*/.exec(line)?.[0] ?? '';
    const start = /^\s*[)\]}]/.test(line) ? headStart(lines, at, indent) : at;
    if (OTHER_BLOCK.test(lines[start] ?? '') || GROUP.test(lines[start] ?? '')) return [];
    const end = lines.findIndex((other, index) => index > at && other.startsWith(`${indent}}`));
    const length = end - start + 1;
    if (length <= FUNCTION_LINES_MAX) return [];
    return [
      fault(
        source,
        start + 1,
        `a function of ${length} lines, over ${FUNCTION_LINES_MAX}`,
        'name its parts and call them',
      ),
    ];
  });
}

/** Where a head over several lines begins: the line above with the same indentation. */
function headStart(lines: readonly string[], end: number, indent: string): number {
  for (let at = end - 1; at >= 0; at--) {
    const line = lines[at] ?? '';
    if (line.startsWith(indent) && /^[^\s)\]}]/.test(line.slice(indent.length))) return at;
  }
  return end;
}
