import type { CallToolResult, StandardSchemaWithJSON, ToolAnnotations } from '@modelcontextprotocol/server';
import type * as z from 'zod/v4';
import type { Client } from '../../client/client.ts';
import { CliError } from '../errors.ts';
import { usage } from '../options.ts';

/** What a call has besides its arguments. */
export interface Asked {
  /** @throws when there is no broker: what is wrong with the arguments was to be said before. */
  client: () => Promise<Client>;
  /** Nobody waits any more. */
  signal: AbortSignal;
}

interface ToolSpec<A extends z.ZodObject> {
  name: string;
  title: string;
  description: string;
  args: A;
  /** What it does to the cluster; without it the tool only looks. A tombstone `overwrites` what a key had. */
  changes?: 'adds' | 'overwrites';
  /** @throws CliError, or what the client throws. */
  run: (args: z.output<A>, asked: Asked) => Promise<object>;
}

/** A tool as the server has it. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** What agents are told about the arguments; the tool looks at them itself. */
  readonly inputSchema: StandardSchemaWithJSON;
  readonly annotations: ToolAnnotations;
  /** @throws CliError USAGE before anything is done; what the tool does. */
  call: (given: unknown, asked: Asked) => Promise<object>;
}

/** Makes a tool: one way of refusing arguments, and of saying what it does, for all. */
export function tool<A extends z.ZodObject>({ args, changes, run, ...about }: ToolSpec<A>): Tool {
  return {
    ...about,
    inputSchema: advertised(args),
    annotations: {
      title: about.title,
      readOnlyHint: changes === undefined,
      destructiveHint: changes === 'overwrites',
      idempotentHint: changes === undefined,
      openWorldHint: false,
    },
    call: async (given, asked) => run(argsIn(args, given), asked),
  };
}

/** Its JSON schema alone: the library would refuse what does not fit in its own words, without a code. */
function advertised(schema: z.ZodObject): StandardSchemaWithJSON {
  const { jsonSchema } = schema['~standard'];
  return { '~standard': { version: 1, vendor: 'milena', validate: (value) => ({ value }), jsonSchema } };
}

/** @throws CliError */
function argsIn<A extends z.ZodObject>(schema: A, given: unknown): z.output<A> {
  const read = schema.safeParse(given ?? {});
  if (read.success) return read.data;
  const faults = read.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw usage(faults.join('; '), `arguments: ${Object.keys(schema.shape).join(', ')}`);
}

/** Both ways: not every agent reads structured content. */
export function answered(found: object): CallToolResult {
  return {
    content: [{ type: 'text', text: JSON.stringify(found) }],
    structuredContent: { ...found },
  };
}

/** For the agent to read, and perhaps to do otherwise: no failure of the protocol. */
export function failed(error: unknown): CallToolResult {
  const known = CliError.from(error);
  const { code, message, hint = null, next = null } = known;
  return {
    isError: true,
    content: [{ type: 'text', text: known.text() }],
    structuredContent: { error: { code, message, hint, next } },
  };
}
