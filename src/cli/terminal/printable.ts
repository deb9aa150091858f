/** Names and values come from others: what steers a terminal, or breaks a line, is shown as its escape. */
export function printable(text: string): string {
  return text.replaceAll(CONTROL, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return NAMED.get(character) ?? `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Controls, line separators, and marks that turn the direction of what follows. */
const CONTROL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const NAMED = new Map([
  ['\t', String.raw`\t`],
  ['\n', String.raw`\n`],
  ['\r', String.raw`\r`],
]);
