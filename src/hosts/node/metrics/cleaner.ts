import type { Exposition } from './exposition.ts';
import type { Observed } from './facts.ts';

const PERCENT = 100;

/** What compaction did, and what it has before it. */
export function writeNativeCleaner(page: Exposition, { cleaner }: Observed): void {
  const { passes, bytesRead, bytesWritten, recordsRead, recordsKept, dirtyRatioMax } = cleaner.counts;
  page.counter('milena_cleaner_passes_total', 'Passes of the log cleaner over a log.', passes);
  page.counter('milena_cleaner_read_bytes_total', 'Bytes the log cleaner read.', bytesRead);
  page.counter('milena_cleaner_written_bytes_total', 'Bytes the log cleaner wrote.', bytesWritten);
  page.counter('milena_cleaner_records_read_total', 'Records the log cleaner looked at.', recordsRead);
  page.counter('milena_cleaner_records_kept_total', 'Records the log cleaner left in place.', recordsKept);
  page.gauge(
    'milena_cleaner_dirty_ratio_max',
    'Share of bytes that no pass has looked at, of what could be cleaned: the dirtiest log, when it looked last.',
    dirtyRatioMax,
  );
  page.gauge(
    'milena_cleaner_uncleanable_logs',
    'Logs left alone, because a batch of them cannot be read.',
    cleaner.uncleanable.length,
  );
}

/** As Kafka's LogCleaner and LogCleanerManager say it. */
export function writeKafkaCleaner(page: Exposition, { cleaner, gateway }: Observed): void {
  const { last, dirtyRatioMax, overdueMsMax, lastRunMs } = cleaner.counts;
  const { bytesRead = 0, bytesWritten = 0, tookMs = 0, utilization = 0 } = last ?? {};
  const recopied = bytesRead === 0 ? 0 : bytesWritten / bytesRead;
  const of = 'of the last pass';
  const gauge = (name: string, help: string, value: number) => page.gauge(`kafka_log_${name}`, help, value);
  gauge(
    'logcleaner_cleaner_recopy_percent',
    `Bytes written of those read, ${of}.`,
    Math.round(recopied * PERCENT),
  );
  gauge('logcleaner_max_clean_time_secs', `How long it took, ${of}.`, Math.round(tookMs / 1_000));
  gauge(
    'logcleaner_max_buffer_utilization_percent',
    `How full the table of keys was, ${of}.`,
    Math.round(utilization * PERCENT),
  );
  gauge(
    'logcleaner_max_compaction_delay_secs',
    'Beyond max.compaction.lag.ms.',
    Math.round(overdueMsMax / 1_000),
  );
  const manager = 'logcleanermanager';
  gauge(`${manager}_max_dirty_percent`, 'Of the dirtiest log.', Math.round(dirtyRatioMax * PERCENT));
  gauge(`${manager}_uncleanable_partitions_count`, 'Logs left alone.', cleaner.uncleanable.length);
  const sinceMs = lastRunMs === undefined ? 0 : Math.max(0, gateway.clock.now() - lastRunMs);
  gauge(`${manager}_time_since_last_run_ms`, 'Since it looked for dirty logs.', sinceMs);
}
