import manifest from '../../../package.json' with { type: 'json' };
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { Connection } from './connection.ts';
import { LOOK_TOOLS } from './look-tools.ts';
import { READ_RECORDS } from './read-records.ts';
import { serve } from './server.ts';
import { WRITE_TOOLS } from './write-tools.ts';

const LOOKING = [...LOOK_TOOLS, READ_RECORDS];

/** `milena mcp`: until stdin ends. stdout carries the protocol and nothing else. */
export const mcp = command({
  name: 'mcp',
  description: 'Serve a broker to an agent: the Model Context Protocol on stdin and stdout',
  args: {
    'allow-writes': { type: 'boolean', description: 'Also what writes records and makes topics' },
    ...brokerArgs,
  },
  async run({ args, report, signal }) {
    if (process.stdin.isTTY) report.note('an agent starts this and speaks to it; Ctrl-C stops it');
    const tools = args['allow-writes'] ? [...LOOKING, ...WRITE_TOOLS] : LOOKING;
    await using connection = new Connection(args, report);
    await serve(tools, { connection, report, signal, version: manifest.version });
  },
});
