import { environmentName, SETTINGS, verdictOf } from '../../../src/cli/config/settings.ts';
import { BROKER_CONFIGS } from '../../../src/metadata/configs/broker-configs.ts';
import type { ConfigDefinition } from '../../../src/metadata/configs/definitions.ts';
import { TOPIC_CONFIGS } from '../../../src/metadata/configs/topic-configs.ts';
import { code, table } from './markdown.ts';

/** A value of which nothing is true: what asks for nothing is no question. */
const OTHER = 'something else';

export function settingsPage(): string {
  const settings = SETTINGS.map((each) => [
    code(each.name),
    defaultOf(each),
    takes(each),
    each.documentation,
    code(environmentName(each.name)),
  ]);
  const verdicts = BROKER_CONFIGS.map(({ name }) => ({ name, verdict: verdictOf(name, OTHER) }));
  const others = (type: 'inert' | 'refused') =>
    table(
      ['setting', 'why'],
      verdicts.flatMap(({ name, verdict }) => (verdict.type === type ? [[code(name), verdict.why]] : [])),
    );
  const topics = TOPIC_CONFIGS.map((each) => [
    code(each.name),
    defaultOf(each),
    takes(each),
    each.documentation,
    isHonoured(each.synonym) ? 'yes' : '',
  ]);
  return `# Settings

By Kafka's names, for \`milena start -c server.properties\`, and \`settings\` of \`startBroker\`. An
environment variable goes over the file;
options of the command go over both. \`milena start --print-config\` prints each with its value and where it
comes from.

## Settings of a node

${table(['setting', 'default', 'takes', 'what it is', 'environment'], settings)}

## Settings of a topic

*Honoured* says whether it changes anything here; the others are kept and shown, and change nothing.

${table(['setting', 'default', 'takes', 'what it is', 'honoured'], topics)}

## Kafka's settings that are refused

A file that asks for one of these does not start: somebody would count on it. A value that asks for what is
so anyway is taken.

${others('refused')}

## Kafka's settings without effect

They are taken, and the log says that they change nothing.

${others('inert')}
`;
}

function isHonoured(synonym: string | undefined): boolean {
  return SETTINGS.some(({ name }) => name === synonym);
}

function defaultOf({ defaultValue }: ConfigDefinition): string {
  return defaultValue === null || defaultValue === '' ? '' : code(defaultValue);
}

function takes({ type, rule }: ConfigDefinition): string {
  return rule === '' ? type : `${type}: ${code(rule)}`;
}
