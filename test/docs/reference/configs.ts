import { environmentName, SETTINGS } from '../../../src/cli/config/settings.ts';
import { BROKER_CONFIGS } from '../../../src/metadata/configs/broker-configs.ts';
import type { ConfigDefinition } from '../../../src/metadata/configs/definitions.ts';
import { CLIENT_METRICS_CONFIGS, GROUP_CONFIGS } from '../../../src/metadata/configs/other-configs.ts';
import { TOPIC_CONFIGS } from '../../../src/metadata/configs/topic-configs.ts';
import {
  brokerVerdict,
  groupVerdict,
  topicVerdict,
  type Verdict,
  whyNotWhileRunning,
} from '../../../src/metadata/configs/verdicts.ts';
import type { QuotaName } from '../../../src/quota/entity.ts';
import { code, table } from './markdown.ts';

/** A value of which nothing is true: what asks for nothing is no question. */
const OTHER = 'something else';

/** Whom it is for, and what it is. */
const QUOTAS: Readonly<Record<QuotaName, readonly [whose: string, what: string]>> = {
  producer_byte_rate: ['users, clients', 'Bytes a second that are written.'],
  consumer_byte_rate: ['users, clients', 'Bytes a second that are read.'],
  request_percentage: ['users, clients', "Per cent of a thread's time that requests take."],
  controller_mutation_rate: ['users, clients', 'Partitions a second that are created and deleted.'],
  connection_creation_rate: ['addresses', 'Connections a second that are opened.'],
};

/** What a start is told, and where. */
export function settingsPage(): string {
  const settings = SETTINGS.map((each) => [...facts(each), code(environmentName(each.name))]);
  return `# Settings

By Kafka's names, for \`milena start -c server.properties\`, and \`settings\` of \`startBroker\`. An
environment variable goes over the file;
options of the command go over both. \`milena start --print-config\` prints each with its value and where it
comes from. What becomes of all other settings of Kafka's says [Configs](configs.md).

${table(['setting', 'default', 'takes', 'what it is', 'environment'], settings)}
`;
}

/** What becomes of each of Kafka's. */
export function configsPage(): string {
  const topics = TOPIC_CONFIGS.map((each) => [...facts(each), said(topicVerdict(each.name))]);
  const brokers = BROKER_CONFIGS.map((each) => [
    code(each.name),
    defaultOf(each),
    each.documentation,
    said(brokerVerdict(each.name, OTHER)),
    mayChange(each) ? 'yes' : '',
  ]);
  const groups = GROUP_CONFIGS.map((each) => [...facts(each), said(groupVerdict(each.name))]);
  const subscriptions = CLIENT_METRICS_CONFIGS.map((each) => [...facts(each), 'works']);
  const quotas = Object.entries(QUOTAS).map(([name, about]) => [code(name), ...about, 'works']);
  return `# Configs

What becomes of each of Kafka's configs, and of ours, which begin with \`milena.\`.
*Works*: it does what it does in Kafka. *Refused*: somebody would
count on it, so it is not taken, and the error says why; a value that asks for what is so anyway is taken.
*No effect*: it is taken and shown, and changes nothing; a start says so in its log.

## Of topics

Set when a topic is created, or later: \`milena topics alter\`, \`milena configs set --topic\`,
\`kafka-configs --alter\`. What is refused is answered with INVALID_CONFIG, and nothing is changed.

${table(['config', 'default', 'takes', 'what it is', 'here'], topics)}

## Of brokers

In the file of a node, or its environment: [Settings](settings.md). *While it runs*: also by
\`milena configs set --node\`, for one broker or all, and it counts at once.

${table(['config', 'default', 'what it is', 'here', 'while it runs'], brokers)}

## Of groups

Set by \`milena configs set --group\` or \`kafka-configs --entity-type groups\`, within the bounds that
brokers set; kept, described and listed, those without effect, too.

${table(['config', 'default', 'takes', 'what it is', 'here'], groups)}

## Of client metrics

Subscriptions of KIP-714, set by \`kafka-client-metrics --alter\`.

${table(['config', 'default', 'takes', 'what it is', 'here'], subscriptions)}

## Of users, clients and addresses

Quotas: \`milena quotas set\`, \`kafka-configs --entity-type users|clients|ips\`. Whoever goes over one has
to wait (KIP-219).
Credentials of SCRAM (\`SCRAM-SHA-256\`, \`SCRAM-SHA-512\`) are set of users in the same way, and work.

${table(['quota', 'of', 'what it is', 'here'], quotas)}
`;
}

function facts(each: ConfigDefinition): string[] {
  return [code(each.name), defaultOf(each), takes(each), each.documentation];
}

function said(verdict: Verdict): string {
  switch (verdict.type) {
    case 'honoured':
      return verdict.how === undefined ? 'works' : `works: ${verdict.how}`;
    case 'refused':
      return `refused: ${verdict.why}`;
    default:
      return `no effect: ${verdict.why}`;
  }
}

function mayChange({ name, dynamic }: ConfigDefinition): boolean {
  const works = brokerVerdict(name, OTHER).type === 'honoured';
  return dynamic && works && whyNotWhileRunning(name, OTHER) === undefined;
}

function defaultOf({ defaultValue }: ConfigDefinition): string {
  return defaultValue === null || defaultValue === '' ? '' : code(defaultValue);
}

function takes({ type, rule }: ConfigDefinition): string {
  return rule === '' ? type : `${type}: ${code(rule)}`;
}
