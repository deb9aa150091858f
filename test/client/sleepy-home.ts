import { type ConnectOptions, connectWith } from '../../src/client/connect.ts';
import type { Client } from '../../src/client/client.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Millis } from '../../src/model/ids.ts';
import type { StreamEvents, Transport } from '../../src/ports/transport.ts';
import type { FakeCluster } from './fake-cluster.ts';
import { nodeEngines } from '../../src/hosts/node/engines.ts';
import { kernels } from './fake-client.ts';

/** A page beside a fake cluster: while it sleeps the world goes on, and what it would be told waits. */
export class SleepyHome {
  readonly #fake: FakeCluster;
  readonly #wokeCallbacks = new Set<() => void>();
  #isAsleep = false;
  #held: (() => void)[] = [];

  constructor(fake: FakeCluster) {
    this.#fake = fake;
  }

  readonly clock: Clock = {
    now: () => this.#fake.scheduler.now(),
    at: (atMs, callback) => {
      let isTakenBack = false;
      const cancel = this.#fake.scheduler.at(atMs, () => this.#tell(() => isTakenBack || callback()));
      return () => {
        isTakenBack = true;
        cancel();
      };
    },
  };

  readonly transport: Transport = {
    open: (address, events, signal) => this.#fake.transport.open(address, this.#late(events), signal),
  };

  /** How many are told when it wakes. */
  get listeners(): number {
    return this.#wokeCallbacks.size;
  }

  connect(options?: ConnectOptions): Promise<Client> {
    const { clock, transport } = this;
    const wakes = (woke: () => void) => {
      this.#wokeCallbacks.add(woke);
      return () => void this.#wokeCallbacks.delete(woke);
    };
    const home = {
      clock,
      random: this.#fake.random,
      kernels,
      codecs: new Map(),
      engines: nodeEngines,
      wakes,
    };
    return connectWith({ ...home, transports: { kafka: () => transport } }, 'kafka://fake:1', options);
  }

  /** The network is back, or the page is seen again. */
  wakeUp(): void {
    for (const woke of this.#wokeCallbacks) woke();
  }

  /** So long nothing of it runs. @param says whether the platform tells that it woke. */
  async sleep(forMs: Millis, { says = true } = {}): Promise<void> {
    this.#isAsleep = true;
    await this.#fake.run(this.#fake.scheduler.sleep(forMs));
    this.#isAsleep = false;
    if (says) this.wakeUp();
    const held = this.#held;
    this.#held = [];
    for (const tell of held) tell();
  }

  #late(events: StreamEvents): StreamEvents {
    return {
      received: (chunk) => this.#tell(() => events.received(chunk)),
      drained: () => this.#tell(() => events.drained()),
      closed: (why) => this.#tell(() => events.closed(why)),
    };
  }

  #tell(callback: () => void): void {
    if (this.#isAsleep) this.#held.push(callback);
    else callback();
  }
}
