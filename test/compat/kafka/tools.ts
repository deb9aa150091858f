import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const TOOLS = 'org.apache.kafka.tools';

/** What a tool of Kafka's `bin` runs. */
export const MAIN_CLASS: Readonly<Record<string, string>> = {
  'kafka-acls': `${TOOLS}.AclCommand`,
  'kafka-broker-api-versions': `${TOOLS}.BrokerApiVersionsCommand`,
  'kafka-client-metrics': `${TOOLS}.ClientMetricsCommand`,
  'kafka-cluster': `${TOOLS}.ClusterTool`,
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'kafka-console-consumer': `${TOOLS}.consumer.ConsoleConsumer`,
  'kafka-console-producer': `${TOOLS}.ConsoleProducer`,
  'kafka-console-share-consumer': `${TOOLS}.consumer.ConsoleShareConsumer`,
  'kafka-consumer-groups': `${TOOLS}.consumer.group.ConsumerGroupCommand`,
  'kafka-consumer-perf-test': `${TOOLS}.ConsumerPerformance`,
  'kafka-delegation-tokens': `${TOOLS}.DelegationTokenCommand`,
  'kafka-delete-records': `${TOOLS}.DeleteRecordsCommand`,
  'kafka-e2e-latency': `${TOOLS}.EndToEndLatency`,
  'kafka-features': `${TOOLS}.FeatureCommand`,
  'kafka-get-offsets': `${TOOLS}.GetOffsetShell`,
  'kafka-groups': `${TOOLS}.GroupsCommand`,
  'kafka-leader-election': `${TOOLS}.LeaderElectionCommand`,
  'kafka-log-dirs': `${TOOLS}.LogDirsCommand`,
  'kafka-metadata-quorum': `${TOOLS}.MetadataQuorumCommand`,
  'kafka-producer-perf-test': `${TOOLS}.ProducerPerformance`,
  'kafka-reassign-partitions': `${TOOLS}.reassign.ReassignPartitionsCommand`,
  'kafka-replica-verification': `${TOOLS}.ReplicaVerificationTool`,
  'kafka-share-consumer-perf-test': `${TOOLS}.ShareConsumerPerformance`,
  'kafka-share-groups': `${TOOLS}.consumer.group.ShareGroupCommand`,
  'kafka-streams-application-reset': `${TOOLS}.StreamsResetter`,
  'kafka-streams-groups': `${TOOLS}.streams.StreamsGroupCommand`,
  'kafka-topics': `${TOOLS}.TopicCommand`,
  'kafka-transactions': `${TOOLS}.TransactionsCommand`,
  'kafka-verifiable-consumer': `${TOOLS}.VerifiableConsumer`,
  'kafka-verifiable-producer': `${TOOLS}.VerifiableProducer`,
  'kafka-verifiable-share-consumer': `${TOOLS}.VerifiableShareConsumer`,
};

/** What else is in Kafka's `bin`, and why it has no line. */
export const NOT_ASKED: Readonly<Record<string, string>> = {
  'connect-distributed': 'Kafka Connect, below',
  'connect-mirror-maker': 'MirrorMaker 2, below',
  'connect-plugin-path': 'looks through folders of plugins',
  'connect-standalone': 'Kafka Connect, below',
  'kafka-dump-log': 'reads a data directory: `npm run test:compat -- kafka-dump` has it read one of ours',
  'kafka-jmx': 'asks a Java process for its MBeans; ours are metrics for Prometheus',
  'kafka-metadata-shell': 'reads a data directory',
  'kafka-run-class': 'runs any class of Java',
  'kafka-server-start':
    "starts Kafka's own broker: `npm run test:compat -- kafka-opens-ours` has it start on a data directory of ours",
  'kafka-server-stop': "stops Kafka's own broker",
  'kafka-storage': 'formats a data directory: `milena start` does it itself',
  trogdor: "daemons that test a cluster with Java's producers and consumers, which are asked above",
};

/** One call of a tool, and what has to come of it. */
export interface ToolRun {
  readonly tool: string;
  /** Without where the broker is. */
  readonly args: readonly string[];
  readonly stdin: string;
  /** Each has to match in what it prints; groups match what is another in every run. */
  readonly says: readonly RegExp[];
  /** It has to end with an error. */
  readonly fails: boolean;
  /** It runs until it is ended. */
  readonly isEndless: boolean;
}

/** All of `tools.txt`, in order. */
export function toolRuns(): ToolRun[] {
  const text = readFileSync(join(import.meta.dirname, 'tools.txt'), 'utf8');
  const paragraphs = text.split(/\n(?=[!~]?kafka-)/).filter((each) => /^[!~]?kafka-/.test(each));
  return paragraphs.map((paragraph) => {
    const [command = '', ...lines] = paragraph.split('\n');
    const [name = '', ...args] = command.split(' ');
    const after = (mark: string) =>
      lines.flatMap((line) => (line.startsWith(`  ${mark} `) ? [line.slice(4)] : []));
    return {
      tool: name.replace(/^[!~]/, ''),
      args,
      stdin: after('<')
        .map((line) => `${line}\n`)
        .join(''),
      says: after('=').map((expression) => new RegExp(expression, 'md')),
      fails: name.startsWith('!'),
      isEndless: name.startsWith('~'),
    };
  });
}
