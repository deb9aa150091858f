import type { ArgsDef } from 'citty';
import { Broker } from '../hosts/node/broker.ts';
import { LOG_LEVELS, type LogLevel, formatFor, logger, toStderr } from '../hosts/node/logger.ts';
import { authorityOf } from '../hosts/node/origin.ts';
import { releaseStartMemory } from '../hosts/node/start-memory.ts';
import { isInternalTopic } from '../metadata/internal-topics.ts';
import { command } from './command.ts';
import { devPages } from './dev-pages.ts';
import { explainStart } from './explain-start.ts';
import { integerIn, originsIn } from './options.ts';
import { stopOnSignals } from './stop-on-signals.ts';
import type { Report } from './terminal/report.ts';
import { tryLines } from './try-lines.ts';

const DRAIN_TIMEOUT_MS = 5_000;

const args = {
  data: {
    type: 'string' as const,
    default: './milena-data',
    valueHint: 'DIR',
    description: 'Where to keep the log',
  },
  memory: { type: 'boolean', description: 'Keep everything in memory; nothing is left when it stops' },
  host: { type: 'string', default: '127.0.0.1', valueHint: 'HOST', description: 'Address to listen on' },
  port: { type: 'string', default: '9092', valueHint: 'PORT', description: 'Kafka port; 0 picks a free one' },
  'http-port': {
    type: 'string',
    default: '9094',
    valueHint: 'PORT',
    description: 'Port of WebSockets, /metrics, /livez and /readyz; 0 picks a free one',
  },
  'allow-origin': {
    type: 'string',
    valueHint: 'ORIGIN,…',
    description: 'Web pages that may use the broker, as https://app.example.com; * is any page',
  },
  flush: {
    type: 'enum',
    options: ['always', 'never'],
    default: 'always',
    description: 'always: an ack means flushed to disk; never: handed to the operating system',
  },
  'log-level': {
    type: 'enum',
    options: [...LOG_LEVELS],
    default: 'warn',
    description: 'The least that is logged, to stderr',
  },
} satisfies ArgsDef;

interface Options {
  directory: string | undefined;
  host: string;
  port: number;
  httpPort: number;
  allowedOrigins: readonly string[];
  flush: 'always' | 'never';
  json: boolean;
}

/** What a laptop wants: a group is shared out at once, and does not wait for members that may never come. */
const DEV_SETTINGS = new Map([
  ['group.initial.rebalance.delay.ms', '0'],
  ['group.consumer.assignment.interval.ms', '0'],
  ['group.consumer.min.heartbeat.interval.ms', '1000'],
  ['group.consumer.heartbeat.interval.ms', '1000'],
]);

/** `milena dev`: one broker on this machine, until it is told to stop. */
export const dev = command({
  name: 'dev',
  description: 'Run a broker on this machine',
  args,
  completes: { data: 'file' },
  async run({ args: given, report }) {
    const options: Options = {
      directory: given.memory ? undefined : given.data,
      host: given.host,
      port: integerIn('--port', given.port, 0, 65_535),
      httpPort: integerIn('--http-port', given['http-port'], 0, 65_535),
      allowedOrigins: originsIn('--allow-origin', given['allow-origin']),
      flush: given.flush as Options['flush'],
      json: given.json ?? false,
    };
    const log = logger({
      level: given['log-level'] as LogLevel,
      format: options.json ? 'json' : formatFor('auto', process.stderr.isTTY),
      write: toStderr(),
    });
    const started = Broker.start({ ...options, settings: DEV_SETTINGS, log, pages: devPages });
    const broker = await started.catch((error) => {
      throw explainStart(error, options);
    });
    // First: whoever reads that it is ready may stop it at once.
    stopOnSignals({
      stop: () => stop(broker, options, report),
      failed: (error) => console.error(`error[STOP]: not everything could be written: ${error.message}`),
    });
    sayReady(broker, options, report);
    await releaseStartMemory();
  },
});

function sayReady(broker: Broker, options: Options, report: Report): void {
  const readyMs = Math.round(performance.now());
  const { kafka, http } = broker;
  const data = options.directory ?? null;
  const address = authorityOf(kafka);
  const webAddress = http === undefined ? '' : authorityOf(http);
  const webSocket = `ws://${webAddress}/kafka`;
  if (options.json) {
    console.log(
      JSON.stringify({
        event: 'ready',
        readyMs,
        kafka,
        http,
        webSocket,
        data,
        flush: options.flush,
        pid: process.pid,
      }),
    );
    return;
  }
  const ack =
    options.flush === 'always' ? 'an ack means flushed' : 'an ack means handed to the operating system';
  report.note(`milena ready in ${readyMs} ms

  kafka  ${address}
  ws     ${webSocket}  (Kafka over WebSocket)
  http   http://${webAddress}  (/metrics, /livez, /readyz)
  page   http://${webAddress}/  (writes and reads in five lines)
  data   ${data === null ? 'in memory: gone when it stops' : `${data}  (flush=${options.flush}: ${ack})`}

Try it, from this folder in another shell:

${tryLines(address)
  .map((line) => `  ${line}`)
  .join('\n')}

Ctrl-C stops it.`);
}

async function stop(broker: Broker, options: Options, report: Report): Promise<void> {
  report.note('\nstopping');
  const topics = broker.image.topics().filter(({ name }) => !isInternalTopic(name)).length;
  const { commitRounds } = broker;
  await broker.close({ timeoutMs: DRAIN_TIMEOUT_MS });
  sayStopped({ topics, commitRounds }, options, report);
}

function sayStopped(
  kept: { topics: number; commitRounds: number },
  { directory, json }: Options,
  report: Report,
): void {
  const named = `${kept.topics} topic${kept.topics === 1 ? '' : 's'}`;
  if (json) {
    console.log(JSON.stringify({ event: 'stopped', ...kept, data: directory ?? null }));
  } else if (directory === undefined) {
    report.note(`stopped; ${named} lived in memory and are gone`);
  } else {
    report.note(`stopped; kept ${named} in ${directory}. The same command goes on from there.`);
  }
}
