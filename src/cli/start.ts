import type { ArgsDef } from 'citty';
import { Broker } from '../hosts/node/broker.ts';
import { formatFor, logger, toStderr } from '../hosts/node/logger.ts';
import { releaseStartMemory } from '../hosts/node/start-memory.ts';
import type { Log } from '../ports/log.ts';
import { type Effective, type NodeConfig, type Resolved, resolveConfig } from './config/config.ts';
import { command } from './command.ts';
import { configArgs, gather } from './config/command-line.ts';
import type { Problem } from './config/sources.ts';
import { CliError, EXIT } from './errors.ts';
import { explainStart } from './explain-start.ts';
import { stopOnSignals } from './stop-on-signals.ts';
import type { Report } from './terminal/report.ts';

const args = {
  ...configArgs,
  'print-config': { type: 'boolean', description: 'Show each setting and where it comes from, and stop' },
} satisfies ArgsDef;

/** `milena start`: a node for production, told by a file, the environment and options. */
export const start = command({
  name: 'start',
  description: 'Run a production node from a configuration file',
  args,
  completes: { config: 'file', data: 'file' },
  async run({ args: given, rawArgs, report }) {
    const resolved = resolveConfig(gather(rawArgs));
    if (resolved.config === undefined) throw refusal(resolved.problems);
    if (given['print-config']) return printConfig(resolved, report);
    await run(resolved.config, resolved);
  },
});

function refusal(problems: readonly Problem[]): CliError {
  const count = problems.length === 1 ? 'one setting' : `${problems.length} settings`;
  const lines = problems.map(({ source, message }) => `${source}: ${message}`);
  return new CliError(EXIT.usage, 'CONFIG', `${count} cannot be used`, lines.join('\n  '));
}

function printConfig({ effective, inert }: Resolved, report: Report): void {
  if (report.json) return report.facts({ settings: effective, withoutEffect: inert }, []);
  report.list<Effective>('settings', effective, [
    { head: 'setting', of: ({ key }) => key },
    { head: 'value', of: ({ value }) => value },
    { head: 'from', of: ({ source }) => source },
  ]);
  for (const { source, message } of inert) report.warn(`${source}: ${message}; it has no effect`);
}

async function run(config: NodeConfig, { inert, effective }: Resolved): Promise<void> {
  const { level, format } = config.log;
  const log = logger({
    level,
    format: formatFor(format, process.stderr.isTTY),
    write: toStderr(),
    always: { node: config.nodeId },
  });
  const about = { component: 'start' };
  for (const { source, message } of inert)
    log.warn(`a setting has no effect: ${message}`, { ...about, source });
  const own = effective.filter(({ source }) => source !== 'default');
  log.info('starting', { ...about, pid: process.pid, nodeVersion: process.version, settings: own.length });
  const broker = await startBroker(config, log);
  stopOnSignals({
    stop: (signal) => stop(broker, { signal, log, timeoutMs: config.shutdownTimeoutMs }),
    failed: (err) => log.error('not everything could be written; the next start recovers', { ...about, err }),
  });
  const { kafka, http, listeners } = broker;
  const topics = broker.image.topics().length;
  const readyMs = Math.round(performance.now());
  const { advertised, directory, flush } = config;
  const several = listeners.length > 1 ? { listeners } : {};
  log.info('ready', { ...about, readyMs, kafka, ...several, advertised, http, directory, flush, topics });
  await releaseStartMemory();
}

async function startBroker(config: NodeConfig, log: Log): Promise<Broker> {
  const { kafka, http, directory } = config;
  // With several listeners each has its own.
  const advertised = config.listeners.length === 1 ? config.advertised : undefined;
  const listening = { httpHost: http?.host, httpPort: http?.port, advertised };
  try {
    return await Broker.start({ ...config, ...listening, log });
  } catch (error) {
    throw explainStart(error, {
      port: kafka.port,
      httpPort: http?.port ?? -1,
      directory,
      options: { port: '--listeners', httpPort: '--http', host: '--listeners' },
    });
  }
}

/** @throws when it could not be done in time. */
async function stop(
  broker: Broker,
  { signal, log, timeoutMs }: { signal: string; log: Log; timeoutMs: number },
): Promise<void> {
  const about = { component: 'start' };
  log.info('stopping', { ...about, signal, timeoutMs });
  const startedAtMs = performance.now();
  const left = setTimeout(() => {
    log.error('the time to stop is over; the next start recovers what is left', { ...about, timeoutMs });
    process.exit(EXIT.failure);
  }, timeoutMs + WRITING_MS);
  await broker.close({ timeoutMs });
  clearTimeout(left);
  log.info('stopped', { ...about, durationMs: Math.round(performance.now() - startedAtMs) });
}

/** Beyond the budget for clients: to write what they were promised. */
const WRITING_MS = 5_000;
