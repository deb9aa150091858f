import { BrokerProcess } from './broker-process.ts';
import { freePort } from './free-port.ts';

/** A broker process that is killed and comes back: same port, same directory. */
export class MortalBroker {
  readonly port: number;
  /** What it said on stderr in all its lives. */
  readonly warnings: string[] = [];
  /** From spawn to ready, once a life. */
  readonly readyMs: number[] = [];
  readonly #args: readonly string[];
  #process: BrokerProcess | undefined;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = ['--port', String(port), ...args];
  }

  static async start(args: readonly string[]): Promise<MortalBroker> {
    const broker = new MortalBroker(await freePort(), args);
    await broker.revive();
    return broker;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get restarts(): number {
    return this.readyMs.length - 1;
  }

  /** SIGKILL has left when this returns; the promise is for the end of the process. */
  async kill(): Promise<void> {
    await this.#process?.stop('SIGKILL');
  }

  /** Asked to stop, and killed when it has not within so many milliseconds. */
  async stopOrKill(graceMs: number): Promise<void> {
    const timer = setTimeout(() => void this.kill(), graceMs);
    await this.stop();
    clearTimeout(timer);
  }

  /** Starts it on what its last life left, and waits until clients can connect. */
  async revive(): Promise<void> {
    this.#process = await BrokerProcess.start(this.#args, (line) => this.warnings.push(line));
    this.readyMs.push(this.#process.readyWallMs);
  }

  /** A life cut short: killed so many milliseconds after its start, perhaps in the middle of its recovery. */
  stillbirth(killAfterMs: number): Promise<void> {
    return BrokerProcess.startInVain(this.#args, killAfterMs);
  }

  /** A clean end. */
  async stop(): Promise<void> {
    await this.#process?.stop('SIGTERM');
  }
}
