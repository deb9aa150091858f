import type { ArgsDef } from 'citty';
import { abortable } from '../client/retry.ts';
import { Bridge } from '../hosts/node/bridge.ts';
import { logger, toStderr } from '../hosts/node/logger.ts';
import { authorityOf } from '../hosts/node/origin.ts';
import { command } from './command.ts';
import { type Endpoint, parseAddress } from './config/listeners.ts';
import { targetOf } from './contexts/target.ts';
import { CliError, EXIT, JSON_VERSION } from './errors.ts';
import { explainStart } from './explain-start.ts';
import { integerIn, usage } from './options.ts';
import type { Report } from './terminal/report.ts';

const args = {
  url: {
    type: 'positional',
    required: false,
    description: 'wss://…, where Kafka over WebSocket is; else that of the context or MILENA_URL',
  },
  context: { type: 'string', valueHint: 'NAME', description: 'Broker by name: see milena context' },
  listen: {
    type: 'string',
    default: '9092',
    valueHint: '[HOST:]PORT',
    description: 'Where Kafka clients connect; 127.0.0.1 unless a host is named, port 0 picks a free one',
  },
  advertise: {
    type: 'string',
    valueHint: 'HOST:PORT',
    description: 'What clients are told to connect to, where that is not the address they came in on',
  },
  'max-connections': { type: 'string', default: '1024', valueHint: 'N', description: 'Clients at once' },
} satisfies ArgsDef;

/** `milena bridge`: until it is told to stop. */
export const bridge = command({
  name: 'bridge',
  description: 'Kafka over TCP on this machine, for a broker behind a WebSocket',
  args,
  async run({ args: given, report, signal }) {
    const { url } = await targetOf(given);
    checkUrl(url);
    const listen = endpointIn('--listen', given.listen);
    const advertise = given.advertise === undefined ? undefined : endpointIn('--advertise', given.advertise);
    const connectionsMax = integerIn('--max-connections', given['max-connections'], 1, 65_535);
    const log = logger({
      level: report.level,
      format: report.json ? 'json' : 'pretty',
      write: toStderr(),
      always: { component: 'bridge' },
    });
    const options = { url, listen, advertise, connectionsMax, log, signal };
    await using running = await Bridge.start(options).catch((error: unknown) => {
      signal.throwIfAborted();
      throw explain(error, listen);
    });
    sayReady(running, { url, report });
    await abortable(new Promise(() => {}), signal);
  },
});

function sayReady({ address }: Bridge, { url, report }: { url: string; report: Report }): void {
  const ready = { version: JSON_VERSION, event: 'ready', kafka: address, url };
  if (report.json) process.stdout.write(`${JSON.stringify(ready)}\n`);
  else report.note(`${authorityOf(address)} leads to ${url}; Ctrl-C stops it`);
}

function checkUrl(url: string): void {
  if (/^wss?:\/\//i.test(url) && URL.canParse(url)) return;
  throw usage(`a bridge leads to ws:// or wss://, not "${url}"`, 'milena bridge wss://log.example.dev/kafka');
}

/** `9092` is 127.0.0.1:9092. */
function endpointIn(option: string, text: string): Endpoint {
  const address = parseAddress(/^\d+$/.test(text) ? `:${text}` : text);
  if (address === undefined) throw usage(`${option} takes host:port, not "${text}"`);
  return address.host === '' ? { ...address, host: '127.0.0.1' } : address;
}

function explain(error: unknown, { port }: Endpoint): CliError {
  const isOurs = error instanceof Error && 'code' in error;
  if (isOurs) return explainStart(error, { port, httpPort: -1, options: OPTIONS });
  const said = error instanceof Error ? error.message : String(error);
  return new CliError(EXIT.unreachable, 'UNREACHABLE', said, 'is it the address of a broker that runs?');
}

const OPTIONS = { port: '--listen', httpPort: '--listen', host: '--listen' };
