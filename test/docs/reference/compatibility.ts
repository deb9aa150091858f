import { readFileSync } from 'node:fs';
import { type Answers, ANSWERS_FILE } from '../../compat/kafka/tools.ts';
import { code, table } from './markdown.ts';

/** What Kafka's own tools answered when they were last run against the broker. */
export function compatibilityPage(): string {
  const { kafka, tools } = JSON.parse(readFileSync(ANSWERS_FILE, 'utf8')) as Answers;
  const rows = tools.map(({ command, isRight, says }) => [
    code(command),
    says === '' ? '(nothing)' : code(says),
    isRight ? 'yes' : 'no',
  ]);
  return `# Compatibility

## Kafka's command-line tools

The tools of Apache Kafka ${kafka}, unmodified, against Milena's broker: each command of
\`test/compat/kafka/tools.txt\`, in this order, with \`--bootstrap-server\`; what of its answer was looked for, and
whether it was there: the same as
of a broker of Apache Kafka's. \`npm run test:compat -- kafka-tools\` runs them again and writes the table.

${table(['command', 'answer', 'right'], rows)}
`;
}
