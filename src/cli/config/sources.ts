import { readFileSync } from 'node:fs';
import { TARGET_VARIABLES } from '../contexts/file.ts';
import { nearest } from '../nearest.ts';
import { parseProperties } from './properties.ts';
import { brokerNameOfTopicSetting, environmentName, KNOWN_NAMES, settingOf, SETTINGS } from './settings.ts';

/** A value and where it comes from: `server.properties:12`, `MILENA_NUM_PARTITIONS`, `--flush`. */
export interface Given {
  key: string;
  value: string;
  source: string;
}

/** One reason not to start. */
export interface Problem {
  source: string;
  message: string;
}

export interface Gathered {
  /** Strongest last: file, then environment, then flags. */
  given: Given[];
  problems: Problem[];
}

/** All settings of a properties file, as far as their names are known. */
export function fromFile(path: string): Gathered {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : message;
    return { given: [], problems: [{ source: path, message: why }] };
  }
  const { entries, faults } = parseProperties(text);
  const problems = faults.map(({ line, message }) => ({ source: `${path}:${line}`, message }));
  const given: Given[] = [];
  const lines = new Map<string, number>();
  for (const { key, value, line } of entries) {
    const source = `${path}:${line}`;
    const before = lines.get(key);
    lines.set(key, line);
    const problem =
      before === undefined ? unknownName(key) : `${key} is set a second time, first in line ${before}`;
    if (problem === undefined) given.push({ key, value, source });
    else problems.push({ source, message: problem });
  }
  return { given, problems };
}

const BY_ENVIRONMENT: ReadonlyMap<string, string> = new Map(
  KNOWN_NAMES.map((name) => [environmentName(name), name]),
);

/** Every other variable that begins with MILENA_ is a setting: one that is none is a typo. */
export function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): Gathered {
  const given: Given[] = [];
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('MILENA_') || TARGET_VARIABLES.has(name) || value === undefined) continue;
    const key = BY_ENVIRONMENT.get(name);
    if (key !== undefined) given.push({ key, value, source: name });
    else
      problems.push({ source: name, message: `is no setting${meant(nearest(name, BY_ENVIRONMENT.keys()))}` });
  }
  return { given, problems };
}

/** `key=value` of one `--set`. */
export function fromSet(text: string): Gathered {
  const at = text.indexOf('=');
  const key = at < 0 ? text : text.slice(0, at).trim();
  const problem = at < 0 ? `"${text}" is not KEY=VALUE` : unknownName(key);
  if (problem !== undefined) return { given: [], problems: [{ source: '--set', message: problem }] };
  return { given: [{ key, value: text.slice(at + 1).trim(), source: '--set' }], problems: [] };
}

function unknownName(key: string): string | undefined {
  if (settingOf(key) !== undefined) return undefined;
  const forTopics = brokerNameOfTopicSetting(key);
  if (forTopics !== undefined && forTopics !== '')
    return `${key} is a setting of topics; for all topics of a node it is ${forTopics}`;
  const names = SETTINGS.map(({ name }) => name);
  return `there is no setting ${key.slice(0, 80)}${meant(nearest(key, names) ?? nearest(key, KNOWN_NAMES))}`;
}

function meant(name: string | undefined): string {
  return name === undefined ? '' : `; did you mean ${name}?`;
}
