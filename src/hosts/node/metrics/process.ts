import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Exposition } from './exposition.ts';

const RESOLUTION_MS = 20;

/** The process, under the names Prometheus's client libraries share. */
export class ProcessMetrics {
  /** Watches from the first look on: who is never looked at wakes nobody up. */
  #delay: ReturnType<typeof monitorEventLoopDelay> | undefined;

  write(page: Exposition): void {
    const { user, system } = process.cpuUsage();
    const memory = process.memoryUsage();
    page.counter('process_cpu_seconds_total', 'User and system CPU time.', (user + system) / 1e6);
    page.gauge('process_resident_memory_bytes', 'Resident memory.', memory.rss);
    page.gauge(
      'process_start_time_seconds',
      'Start of the process, since 1970.',
      performance.timeOrigin / 1_000,
    );
    if (process.platform === 'linux')
      page.gauge('process_open_fds', 'Open file descriptors.', readdirSync('/proc/self/fd').length);
    page.gauge('nodejs_heap_size_used_bytes', 'JavaScript heap in use.', memory.heapUsed);
    page.gauge('nodejs_heap_size_total_bytes', 'JavaScript heap taken from the system.', memory.heapTotal);
    page.gauge(
      'nodejs_external_memory_bytes',
      'Memory outside the heap, buffers above all.',
      memory.external,
    );
    this.#writeLoop(page);
  }

  #writeLoop(page: Exposition): void {
    const { active, idle } = performance.eventLoopUtilization();
    page.counter(
      'milena_event_loop_seconds_total',
      'Time the event loop worked, and waited for something to do.',
      [
        [active / 1_000, { state: 'busy' }],
        [idle / 1_000, { state: 'idle' }],
      ],
    );
    const delay = (this.#delay ??= monitorEventLoopDelay({ resolution: RESOLUTION_MS }));
    // It measures how far apart its ticks are, the interval included.
    const late = (nanos: number) => Math.max(0, nanos / 1e9 - RESOLUTION_MS / 1_000);
    const help =
      'How late the event loop was since the last look; nothing on the first, which begins to watch.';
    const seen: [number, { at: string }][] = [
      [late(delay.mean), { at: 'mean' }],
      [late(delay.percentile(50)), { at: 'p50' }],
      [late(delay.percentile(99)), { at: 'p99' }],
      [late(delay.max), { at: 'max' }],
    ];
    page.gauge('milena_event_loop_delay_seconds', help, delay.count === 0 ? [] : seen);
    // It counts from its second tick on: who looks oftener than that would start it over each time, and see nothing.
    if (delay.count > 0) delay.reset();
    delay.enable();
  }
}
