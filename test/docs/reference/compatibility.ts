import { type Answer, readAnswers } from '../../compat/kafka/answers.ts';
import { KAFKA_VERSION } from '../../compat/kafka/toolchain.ts';
import { NOT_ASKED } from '../../compat/kafka/tools.ts';
import { code, table } from './markdown.ts';

interface Section {
  title: string;
  /** Its name in `npm run test:compat`. */
  suite: string;
  about: string;
  /** What stands above the first column. */
  asked: string;
  /** What it asked is a command. */
  isCommand: boolean;
  /** After the table. */
  rest?: string;
}

const OTHER_COMMANDS = `Kafka's \`bin\` has these beside them:

${table(
  ['command', 'what of it'],
  Object.entries(NOT_ASKED).map(([command, why]) => [code(command), why]),
)}`;

const SECTIONS: readonly Section[] = [
  {
    title: "Kafka's command-line tools",
    suite: 'kafka-tools',
    about: `The tools of Apache Kafka ${KAFKA_VERSION}, unmodified: each command of
\`test/compat/kafka/tools.txt\`, in this order, with \`--bootstrap-server\`, and what of its answer was looked for.`,
    asked: 'command',
    isCommand: true,
    rest: OTHER_COMMANDS,
  },
  {
    title: 'Kafka Streams',
    suite: 'streams',
    about: `An application of Kafka Streams ${KAFKA_VERSION} (\`test/compat/streams/WordCount.java\`) with
\`exactly_once_v2\`, a store with its changelog, and a repartition topic. Every count of every word has to come once,
and in order.`,
    asked: 'what was done',
    isCommand: false,
  },
  {
    title: 'Kafka Connect',
    suite: 'connect',
    about: `Workers of Kafka Connect ${KAFKA_VERSION}, distributed and standalone, with the connectors of files it
brings, from a file to a topic and from there to a file.`,
    asked: 'what was done',
    isCommand: false,
  },
  {
    title: 'MirrorMaker 2',
    suite: 'mirror-maker',
    about: `MirrorMaker 2 of Kafka ${KAFKA_VERSION} in dedicated mode, from a cluster of Apache Kafka's and from
one of Milena's, with \`exactly.once.source.support\` and \`sync.group.offsets.enabled\`.`,
    asked: 'what came over',
    isCommand: false,
  },
  {
    title: 'librdkafka',
    suite: 'confluent-kafka',
    about: `confluent-kafka for Python, with the librdkafka in it (\`test/compat/confluent\`): transactions, groups
of both protocols, administration.`,
    asked: 'what was done',
    isCommand: false,
  },
  {
    title: 'librdkafka in Node',
    suite: 'confluent-kafka-javascript',
    about: `\`@confluentinc/kafka-javascript\` by the API that is made after kafkajs
(\`test/compat/confluent-javascript\`): transactions, groups of both protocols, administration.`,
    asked: 'what was done',
    isCommand: false,
  },
];

/** What others' software came to when it was last run against the broker. */
export function compatibilityPage(): string {
  const all = readAnswers();
  const sections = SECTIONS.map((section) => sectionOf(section, all[section.suite] ?? []));
  return `# Compatibility

What software of others, unmodified, came to against Milena's broker. Each line was asked of a broker of Apache
Kafka's, too, and answered the same. \`npm run test:compat -- NAME\` asks again and writes the answers; NAME stands
below each title.

${sections.join('\n')}`;
}

function sectionOf(
  { title, suite, about, asked, isCommand, rest }: Section,
  answers: readonly Answer[],
): string {
  const rows = answers.map((answer) => [
    isCommand ? code(answer.asked) : answer.asked,
    wordsOf(answer, isCommand),
    answer.isRight ? 'yes' : 'no',
  ]);
  return `## ${title}

\`${suite}\`. ${about}

${[table([asked, 'answer', 'right'], rows), ...(rest === undefined ? [] : [rest])].join('\n\n')}
`;
}

function wordsOf({ says }: Answer, isCommand: boolean): string {
  if (says === '') return '(nothing)';
  return isCommand ? code(says) : says;
}
