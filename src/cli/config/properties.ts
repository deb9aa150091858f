/** A setting as a file gives it. */
export interface Property {
  key: string;
  value: string;
  /** From 1: where it begins. */
  line: number;
}

export interface Properties {
  entries: Property[];
  faults: { line: number; message: string }[];
}

/**
 * Java's `.properties` (java.util.Properties.load): `#` and `!` comment, the first unescaped `=`, `:` or blank ends a
 * key, a `\` at the end of a line goes on with the next, `\t \n \r \f \\ \uXXXX` escape. Kafka's server.properties.
 */
export function parseProperties(text: string): Properties {
  const entries: Property[] = [];
  const faults: Properties['faults'] = [];
  for (const { content, line } of logicalLines(text.replace(/^\u{feff}/u, ''))) {
    const [, rawKey = '', rawValue = ''] =
      /^((?:\\[^]|[^\s:=\\])*)(?:\s*[:=]\s*|\s+|$)([^]*)$/.exec(content) ?? [];
    const broken = /(?:^|[^\\])(?:\\\\)*\\u(?![0-9a-fA-F]{4})/.test(content);
    if (rawKey === '')
      faults.push({ line, message: `"${content.slice(0, 60)}" has no key before its value` });
    else if (broken) faults.push({ line, message: 'an escape \\u needs four hexadecimal digits' });
    else entries.push({ key: unescaped(rawKey), value: unescaped(rawValue).trimEnd(), line });
  }
  return { entries, faults };
}

function logicalLines(text: string): { content: string; line: number }[] {
  const found: { content: string; line: number }[] = [];
  let open: { content: string; line: number } | undefined;
  for (const [at, natural] of text.split(/\r\n|[\r\n]/).entries()) {
    const content = natural.replace(/^[ \t\f]+/, '');
    if (open === undefined && (content === '' || /^[#!]/.test(content))) continue;
    const whole: { content: string; line: number } = open ?? { content: '', line: at + 1 };
    const goesOn = (/\\*$/.exec(content)?.[0].length ?? 0) % 2 === 1;
    whole.content += goesOn ? content.slice(0, -1) : content;
    open = goesOn ? whole : undefined;
    if (!goesOn) found.push(whole);
  }
  return open === undefined ? found : [...found, open];
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|([^]))/g, (_, hex: string | undefined, plain: string) =>
    hex === undefined ? (ESCAPES[plain] ?? plain) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
