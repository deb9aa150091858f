import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { Run } from './milena.ts';

/** What a tool answers. */
export interface Answer {
  isError?: boolean;
  content: { type: string; text: string }[];
  structuredContent: Record<string, unknown>;
}

interface Message {
  id?: number;
  result?: object;
  error?: { code: number; message: string };
}

/** `milena mcp` as an agent has it: a process, and a line of JSON for each message. */
export class Agent {
  readonly run: Run;
  readonly #waiting = new Map<number, (message: Message) => void>();
  /** Lines that are no answer to anything that was asked. */
  readonly strangers: string[] = [];
  #ids = 0;

  private constructor(run: Run) {
    this.run = run;
    createInterface({ input: run.child.stdout ?? process.stdin }).on('line', (line) => this.#take(line));
  }

  /** Ended with the test, if it has not ended by then. */
  static start(...args: string[]): Agent {
    const agent = new Agent(Run.milena('mcp', ...args));
    onTestFinished(async () => void (await agent.run.ended('SIGKILL')));
    return agent;
  }

  /** One that has introduced itself. */
  static async introduced(...args: string[]): Promise<Agent> {
    const agent = Agent.start(...args);
    await agent.introduce();
    return agent;
  }

  async introduce(protocolVersion = '2025-06-18') {
    const clientInfo = { name: 'test', version: '1' };
    const { result } = await this.ask('initialize', { protocolVersion, capabilities: {}, clientInfo });
    this.tell('notifications/initialized');
    return result;
  }

  ask(method: string, params: object = {}): Promise<Message> {
    const id = ++this.#ids;
    const answer = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.write({ jsonrpc: '2.0', id, method, params });
    return Promise.race([
      answer,
      this.run.ended().then((code) => {
        throw new Error(`it ended with ${code}: ${this.run.stderr}`);
      }),
    ]);
  }

  tell(method: string, params: object = {}): void {
    this.write({ jsonrpc: '2.0', method, params });
  }

  write(message: object | string): void {
    this.run.child.stdin?.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
  }

  async call(name: string, args: object = {}): Promise<Answer> {
    const { result, error } = await this.ask('tools/call', { name, arguments: args });
    if (error !== undefined) throw new Error(error.message);
    return result as Answer;
  }

  /** What a tool found. @throws with its words when it failed. */
  async found(name: string, args: object = {}): Promise<Record<string, unknown>> {
    const { isError = false, content, structuredContent } = await this.call(name, args);
    if (isError) throw new Error(content[0]?.text);
    return structuredContent;
  }

  /** Nothing more will be asked. @returns the exit code. */
  leave(): Promise<number | null> {
    this.run.child.stdin?.end();
    return this.run.ended();
  }

  #take(line: string): void {
    const message = JSON.parse(line) as Message;
    const answered = this.#waiting.get(message.id ?? -1);
    if (answered === undefined) this.strangers.push(line);
    this.#waiting.delete(message.id ?? -1);
    answered?.(message);
  }
}
