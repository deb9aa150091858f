/** What a client is before it says who it is, and for good where it need not. */
export const ANONYMOUS = 'User:ANONYMOUS';

/** `Type:name`, as principals are written. */
export function isPrincipal(text: string): boolean {
  return /^[^:]+:.+$/s.test(text);
}

/** super.users: principals, separated by semicolons. @throws Error for people */
export function principalsIn(text: string): ReadonlySet<string> {
  const principals = text
    .split(';')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  const wrong = principals.find((each) => !isPrincipal(each));
  if (wrong !== undefined)
    throw new Error(`"${wrong}" is no principal: write User:name, several with ; between`);
  return new Set(principals);
}

interface MappingRule {
  /** Undefined takes the name as it is. */
  pattern: RegExp | undefined;
  replacement: string;
  letters: string;
}

const RULE =
  /^(?:DEFAULT|RULE:(?<pattern>(?:\\.|[^\\/])*)\/(?<replacement>(?:\\.|[^\\/])*)\/(?<letters>[LU]?))$/;
/** A comma ends a rule only where another begins. */
const BETWEEN = /,\s*(?=RULE:|DEFAULT)/;

/**
 * ssl.principal.mapping.rules (KIP-371): `RULE:pattern/replacement/[LU]`, and `DEFAULT` for the whole name; the first
 * whose pattern is all of a name makes a user of it.
 */
export class PrincipalMapping {
  readonly #rules: readonly MappingRule[];

  /** @throws Error for people */
  constructor(rules: string) {
    this.#rules = rules
      .trim()
      .split(BETWEEN)
      .map((text) => {
        const match = RULE.exec(text.trim());
        if (match === null)
          throw new Error(`"${text}" is no rule: write RULE:pattern/replacement/ or DEFAULT`);
        const { pattern, replacement = '', letters = '' } = match.groups ?? {};
        return { pattern: pattern === undefined ? undefined : regExpOf(pattern), replacement, letters };
      });
  }

  /** @param name the subject of a certificate (RFC 2253). Undefined: no rule is for it. */
  principalOf(name: string): string | undefined {
    for (const { pattern, replacement, letters } of this.#rules) {
      if (pattern === undefined) return `User:${name}`;
      if (!pattern.test(name)) continue;
      const mapped = name.replace(pattern, replacement).trim();
      return `User:${letters === 'L' ? mapped.toLowerCase() : letters === 'U' ? mapped.toUpperCase() : mapped}`;
    }
    return undefined;
  }
}

function regExpOf(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`, 's');
  } catch {
    throw new Error(`"${pattern}" is no pattern`);
  }
}
